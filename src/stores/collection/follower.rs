//! The index as a follower of the log.
//!
//! **Invariants**
//! - What the index holds is what the records held after the commit `cursor`.
//! - A document that can not be read is left out; `verify` reports it.

use std::collections::BTreeMap;

use super::document::{Document, NewDocument};
use super::index::Index;
use super::{CollectionOptions, documents};
use crate::log;
use crate::model::{Key, Page, Space, Touch, Value, decode_value};
use crate::stores::Memory;
use crate::stores::page::Problem;
use crate::stores::store::open_envelope;
use crate::{ErrorKind, Result};

/// Documents that are read at a time.
const DOCUMENTS: usize = 256;

/// Log entries that are read at a time.
const ENTRIES: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Follower {
    following: Option<Following>,
}

#[derive(Debug)]
struct Following {
    options: CollectionOptions,
    index: Index,
    cursor: u64,
}

impl Follower {
    /// The options of the collection, if the index was built.
    pub(super) fn options(&self) -> Option<CollectionOptions> {
        self.following.as_ref().map(|following| following.options)
    }

    /// The index, with everything in it that this memory knows to be committed.
    pub(super) async fn up_to_date(
        &mut self,
        memory: &Memory,
        name: &str,
        options: CollectionOptions,
    ) -> Result<&Index> {
        let mut following = match self.following.take() {
            Some(following) => following,
            None => Following::build(memory, name, options).await?,
        };
        match following.catch_up(memory, name).await {
            Ok(()) => {}
            // The log was trimmed under a follower that slept too long, or it is damaged: the records
            // are the truth.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => {
                following = Following::build(memory, name, options).await?;
            }
            Err(error) => {
                self.following = Some(following);
                return Err(error);
            }
        }
        Ok(&self.following.insert(following).index)
    }

    /// Takes over documents that were just committed, if nothing came before them unseen.
    pub(super) fn apply_added(&mut self, sequence: u64, added: &[NewDocument]) -> Result<()> {
        let Some(following) = self.following.as_mut().filter(|following| following.cursor + 1 == sequence)
        else {
            return Ok(());
        };
        for document in added {
            let metadata = document.metadata.as_deref().map_or(Ok(Value::Null), decode_value)?;
            following.index.insert(&document.id, &document.vector, metadata)?;
        }
        following.cursor = sequence;
        Ok(())
    }
}

impl Following {
    async fn build(memory: &Memory, name: &str, options: CollectionOptions) -> Result<Self> {
        // Read before the records: what is committed in between is then applied again, which is
        // harmless, and never missed.
        let cursor = log::head(memory.backend()).await?.sequence;
        memory.confirm(cursor);
        let mut following = Self { options, index: Index::new(options)?, cursor };
        let range = documents(name, "");
        let mut page = Page::first(DOCUMENTS);
        loop {
            let found = memory.backend().scan(&range, page.clone()).await?;
            for (key, record) in found.records {
                let Some(id) = key.id() else { continue };
                following.take(&key, open_envelope(&id, &key, record).and_then(Document::of))?;
            }
            match found.cursor {
                Some(cursor) => page = page.next(cursor),
                None => return Ok(following),
            }
        }
    }

    async fn catch_up(&mut self, memory: &Memory, name: &str) -> Result<()> {
        while memory.may_be_beyond(self.cursor) {
            let page = log::read(memory.backend(), self.cursor, ENTRIES).await?;
            let mut touched = BTreeMap::new();
            for (key, touch) in page.entries.into_iter().flat_map(|entry| entry.touched) {
                if key.space() == Some(Space::Document)
                    && let Some((_, id)) = key.namespace_and_id().filter(|(found, _)| found == name)
                {
                    touched.insert(key, (id, touch));
                }
            }
            let put =
                |(key, (_, touch)): (&Key, &(String, Touch))| (*touch == Touch::Put).then(|| key.clone());
            let keys: Vec<Key> = touched.iter().filter_map(put).collect();
            for chunk in keys.chunks(DOCUMENTS) {
                let found = memory.backend().get(chunk).await?;
                for (key, record) in chunk.iter().zip(found) {
                    let Some((id, _)) = touched.remove(key) else { continue };
                    match record {
                        Some(record) => {
                            self.take(key, open_envelope(&id, key, record).and_then(Document::of))?
                        }
                        None => self.index.remove(&id),
                    }
                }
            }
            for (id, _) in touched.into_values() {
                self.index.remove(&id);
            }
            if page.cursor == self.cursor {
                memory.dismiss_hint();
                return Ok(());
            }
            self.cursor = page.cursor;
            memory.confirm(page.cursor);
        }
        Ok(())
    }

    /// Takes a document over; one that can not be read leaves the index.
    fn take(&mut self, key: &Key, document: Result<Document>) -> Result<()> {
        let taken = document.and_then(|document| {
            let metadata = document.metadata_value()?;
            self.index.insert(&document.id, &document.vector, metadata)
        });
        if let Err(error) = taken {
            if error.kind() != ErrorKind::Invalid {
                Problem::of(key, error)?;
            }
            if let Some(id) = key.id() {
                self.index.remove(&id);
            }
        }
        Ok(())
    }
}
