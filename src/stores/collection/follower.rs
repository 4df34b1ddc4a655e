//! The index as a follower of the log.
//!
//! **Invariants**
//! - What the index holds is what the records held after the commit `cursor`, or later.
//! - The cursor moves only after all before it was applied. Applying twice is harmless, so a call may be
//!   dropped at any await, and the next one goes on.
//! - A document that can not be read is left out; `verify` reports it.

use std::collections::BTreeMap;

use super::document::Document;
use super::flush::Kept;
use super::index::Index;
use super::options::{CollectionOptions, Wanted, options_key};
use super::reembed::Underway;
use super::{pages, read_options};
use crate::log;
use crate::model::{Key, Record, Space, Touch};
use crate::platform::Pace;
use crate::stores::Memory;
use crate::stores::page::Problem;
use crate::stores::store::open_envelope;
use crate::{ErrorKind, Result};

/// Documents that are read at a time.
pub(super) const DOCUMENTS: usize = 256;

/// Log entries that are read at a time.
const ENTRIES: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Follower {
    following: Option<Following>,
}

/// The index, up to where it follows, and what is stored of it.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) name: String,
    pub(super) index: Index,
    /// The version of the record that its options are of.
    pub(super) options_version: u64,
    pub(super) cursor: u64,
    pub(super) kept: Kept,
    /// The label up to which `optimize` has seen to the rows of vectors.
    pub(super) rows: u32,
    pub(super) underway: Underway,
}

impl Follower {
    /// The options of the collection and the version of their record, if they are known.
    pub(super) fn options(&self) -> Option<(&CollectionOptions, u64)> {
        self.following.as_ref().map(|following| (&following.index.options, following.options_version))
    }

    /// The index, with everything in it that this memory knows to be committed; `None` if there is no
    /// collection of that name.
    ///
    /// # Errors
    /// `Invalid` if `wanted` and the options that are stored differ; what the backend's reads give.
    pub(super) async fn up_to_date(
        &mut self,
        memory: &Memory,
        name: &str,
        wanted: &Wanted,
    ) -> Result<Option<&mut Index>> {
        let Some(following) = self.follow(memory, name).await? else { return Ok(None) };
        wanted.agree(name, &following.index.options)?;
        Ok(Some(&mut following.index))
    }

    /// The same, with what belongs to the index.
    pub(super) async fn follow(&mut self, memory: &Memory, name: &str) -> Result<Option<&mut Following>> {
        let following = match &mut self.following {
            Some(following) => following,
            none => {
                let Some((options, version)) = read_options(memory, name).await? else { return Ok(None) };
                none.insert(Following::open(memory, name, options, version).await?)
            }
        };
        following.catch_up(memory).await?;
        Ok(Some(following))
    }

    /// What is followed, as far as it is.
    pub(super) fn following(&mut self) -> Option<&mut Following> {
        self.following.as_mut()
    }

    /// Takes over documents that were just committed, if nothing came before them unseen; whether it did.
    /// `options` are those that were stored with them.
    pub(super) async fn apply_added(
        &mut self,
        memory: &Memory,
        sequence: u64,
        options: Option<CollectionOptions>,
        added: &[Document],
    ) -> Result<bool> {
        let Some(following) = self.following.as_mut().filter(|following| following.cursor + 1 == sequence)
        else {
            return Ok(false);
        };
        if let Some(options) = options {
            following.set_options(options, sequence);
        }
        let mut pace = Pace::new();
        for document in added {
            following.index.take(document)?;
            following.kept.changed += 1;
            pace.keep().await;
        }
        following.cursor = sequence;
        following.flush_if_due(memory).await;
        Ok(true)
    }
}

impl Following {
    /// The index of what is kept of it, or of the records.
    async fn open(memory: &Memory, name: &str, options: CollectionOptions, version: u64) -> Result<Self> {
        // Read before the pages: they can not be of a commit behind it.
        let head = log::head(memory.backend()).await?.sequence;
        memory.confirm(head);
        let loaded = pages::load(memory, name, &options, head).await?;
        let (index, cursor, whole) = match loaded.index {
            Some(found) => (found.index, found.cursor, found.whole),
            None => (Index::new(name, options)?, 0, false),
        };
        let mut following = Self {
            name: name.to_owned(),
            index,
            options_version: version,
            cursor,
            kept: loaded.kept,
            rows: 0,
            underway: Underway::default(),
        };
        if whole {
            following.retake(memory).await?;
        } else {
            following.resync(memory).await?;
        }
        Ok(following)
    }

    async fn catch_up(&mut self, memory: &Memory) -> Result<()> {
        match self.read_log(memory).await {
            Ok(()) => {}
            // The log was trimmed under a follower that slept too long, or it is damaged: the records
            // are the truth.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => {
                self.resync(memory).await?;
            }
            Err(error) => return Err(error),
        }
        if self.index.directory.is_sparse() {
            self.index = Index::new(&self.name, self.index.options.clone())?;
            self.kept.abandon();
            self.resync(memory).await?;
        }
        self.flush_if_due(memory).await;
        Ok(())
    }

    async fn read_log(&mut self, memory: &Memory) -> Result<()> {
        let options_key = options_key(&self.name)?;
        let mut pace = Pace::new();
        while memory.may_be_beyond(self.cursor) {
            let page = log::read(memory.backend(), self.cursor, ENTRIES).await?;
            let mut touched = BTreeMap::new();
            let mut new_options = false;
            for (key, touch) in page.entries.into_iter().flat_map(|entry| entry.touched) {
                match key.space() {
                    Some(Space::Document) => {
                        if let Some((_, id)) = key.namespace_and_id().filter(|(found, _)| *found == self.name)
                        {
                            touched.insert(key, (id, touch));
                        }
                    }
                    Some(Space::Meta) => new_options |= key == options_key,
                    _ => {}
                }
            }
            if new_options {
                self.read_options(memory).await?;
            }
            let put =
                |(key, (_, touch)): (&Key, &(String, Touch))| (*touch == Touch::Put).then(|| key.clone());
            let keys: Vec<Key> = touched.iter().filter_map(put).collect();
            for chunk in keys.chunks(DOCUMENTS) {
                let found = memory.backend().get(chunk).await?;
                for (key, record) in chunk.iter().zip(found) {
                    let Some((id, _)) = touched.remove(key) else { continue };
                    self.take(key, &id, record)?;
                    pace.keep().await;
                }
            }
            for (id, _) in touched.into_values() {
                self.index.remove(&id);
                self.kept.changed += 1;
            }
            if page.cursor == self.cursor {
                memory.dismiss_hint();
                if memory.head() > self.cursor {
                    // What was seen to be committed is not there: the log was trimmed to its end.
                    return self.resync(memory).await;
                }
                return Ok(());
            }
            self.cursor = page.cursor;
            memory.confirm(page.cursor);
        }
        Ok(())
    }

    /// Reads the options anew. Where they are gone, what was known of them goes on: the documents are
    /// what is left to be followed.
    pub(super) async fn read_options(&mut self, memory: &Memory) -> Result<()> {
        if let Some((options, version)) = read_options(memory, &self.name).await?
            && version != self.options_version
        {
            self.set_options(options, version);
        }
        Ok(())
    }

    fn set_options(&mut self, options: CollectionOptions, version: u64) {
        if options.epoch != self.index.options.epoch {
            // The vectors begin anew.
            self.kept.abandon();
            self.rows = 0;
        }
        self.index.set_options(options);
        self.options_version = version;
    }

    /// Takes over what is stored under `key` now.
    pub(super) fn take(&mut self, key: &Key, id: &str, record: Option<Record>) -> Result<()> {
        self.kept.changed += 1;
        let Some(record) = record else {
            self.index.remove(id);
            return Ok(());
        };
        let taken = open_envelope(id, key, record).and_then(Document::of);
        if let Err(error) = taken.and_then(|document| self.index.take(&document)) {
            Problem::of(key, error)?;
            self.index.remove(id);
        }
        Ok(())
    }
}
