//! Collections: documents with texts, vectors and metadata, found again by similarity and by words.
//!
//! The documents are records like any other. The index over them lives in memory; it is a follower of the
//! commit log, brought up to the log's end before each search, so that writes of other tabs count as well. It
//! is kept in pages, so that opening it need not read the documents.
//!
//! **Invariants**
//! - A document and its vector are one record: neither is stored without the other.
//! - A search never returns a document that was deleted, or whose vector was replaced, before it.
//! - What is kept of an index follows from the documents: it may be damaged, old or gone, and is never more
//!   than a shorter way to the same index.

mod directory;
mod document;
mod flush;
mod follower;
mod index;
mod optimize;
mod options;
mod pages;
mod reembed;
mod resync;
mod search;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

pub use self::document::{Document, NewDocument};
pub use self::options::{CollectionOptions, Reembedding, Wanted};
pub use self::reembed::{ReembedDocument, ReembedPage, Reembedded};
pub use self::search::{Hit, Parts, Recency, SearchExplain, SearchMode, SearchRequest, SearchResult};

pub(super) use self::document::check;
use self::follower::Follower;
use self::options::options_key;
use super::page::list;
use super::store::open_envelope;
use super::{Changes, Listing, Memory, PageRequest};
use crate::model::{
    Batch, Committed, Envelope, Key, Precondition, Put, Range, Space, Ticket, check_component,
};
use crate::vector::Filter;
use crate::{Error, Result};

/// Documents in one call from which on the index is brought up with them: a load goes on for long.
const BULK: usize = 64;

/// A collection of documents. Cheap to clone; clones share the index.
#[derive(Debug, Clone)]
pub struct Collection {
    memory: Memory,
    shared: Arc<Shared>,
    wanted: Arc<Wanted>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    follower: futures_util::lock::Mutex<Follower>,
}

/// The collections of one memory, so that handles of one name share an index.
#[derive(Debug, Default)]
pub(crate) struct Collections(Mutex<HashMap<String, Arc<Shared>>>);

impl Collections {
    /// Lets go of the indexes, also of those whose handles are still held.
    pub(crate) fn clear(&self) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, shared) in open.drain() {
            // One that is being used ends with its call, which the closed backend refuses.
            if let Some(mut follower) = shared.follower.try_lock() {
                *follower = Follower::default();
            }
        }
    }
}

impl Memory {
    /// The collection `name`. What is not `wanted` is as it is stored, or as by default.
    ///
    /// # Errors
    /// `Invalid` for a name that breaks the rules of [`check_component`], or an option out of range.
    pub fn collection(&self, name: &str, wanted: Wanted) -> Result<Collection> {
        check_component("the name of the collection", name)?;
        let wanted = Arc::new(wanted.checked()?);
        let mut open = self.collections().0.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = open.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Shared { name: name.to_owned(), follower: futures_util::lock::Mutex::default() })
        });
        Ok(Collection { memory: self.clone(), shared: Arc::clone(shared), wanted })
    }

    /// Stores the pages of the indexes that have changed, of those that nobody uses just now.
    ///
    /// # Errors
    /// The first that the backend's commits give; the other indexes were seen to.
    pub(crate) async fn flush_collections(&self) -> Result<()> {
        let open: Vec<Arc<Shared>> = {
            let open = self.collections().0.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().map(Arc::clone).collect()
        };
        let mut outcome = Ok(());
        for shared in open {
            let Some(mut follower) = shared.follower.try_lock() else { continue };
            let Some(following) = follower.following() else { continue };
            let flushed = following.flush(self).await;
            outcome = outcome.and(flushed);
        }
        outcome
    }

    /// Deletes what writers of pages left behind that are gone.
    ///
    /// # Errors
    /// What the backend's reads and commits give.
    pub(crate) async fn clear_collections(&self) -> Result<()> {
        let names: Vec<String> = {
            let open = self.collections().0.lock().unwrap_or_else(PoisonError::into_inner);
            open.keys().cloned().collect()
        };
        for name in names {
            flush::clear_claim(self, &name).await?;
        }
        Ok(())
    }
}

impl Collection {
    /// Adds all `documents` or none; one whose id exists is replaced. Returns the version they have
    /// now. Resolves once they are stored.
    ///
    /// # Errors
    /// `Invalid`, naming the document and the position, for an id, a vector, metadata or an
    /// importance that breaks the rules; what the backend's commit gives.
    pub async fn add(&self, documents: &[NewDocument], ticket: Option<Ticket>) -> Result<u64> {
        loop {
            let known = self.known_options().await?;
            let stored = known.as_ref().map(|(_, version)| *version);
            let mut options = known.map_or_else(|| self.wanted.first(), |(options, _)| options);
            let mut batch = Batch { ticket: ticket.clone(), ..Batch::new(self.memory.now()) };
            let vector = documents.iter().find_map(|document| document.vector.as_ref());
            let learnt =
                vector.is_some_and(|vector| options.learn(vector.len() as u32, self.wanted.model.as_deref()));
            self.put(&mut batch, documents, &options)?;
            let new_options = !documents.is_empty() && (stored.is_none() || learnt);
            if new_options {
                put_options(&mut batch, &self.shared.name, &options, stored)?;
            } else if let Some(version) = stored.filter(|_| vector.is_some()) {
                // A vector is of one model: none is stored after another model was begun with.
                let key = options_key(&self.shared.name)?;
                batch.preconditions.push((key, Precondition::Version(version)));
            }
            let time = batch.time;
            match self.memory.try_commit(batch).await? {
                Ok(Committed { sequence }) => {
                    let first = stored.is_none();
                    let stored = documents
                        .iter()
                        .map(|document| Document::of_new(document, sequence, time, options.epoch));
                    self.take_over(sequence, new_options.then(|| options.clone()), stored.collect(), first)
                        .await;
                    return Ok(sequence);
                }
                // Somebody else made the collection in between, or changed its options: do they agree?
                Err(_) => self.read_options_anew().await?,
            }
        }
    }

    /// Brings the index up with what was stored. What fails here, fails again for whoever searches, and is
    /// told to him: the documents are stored.
    async fn take_over(
        &self,
        sequence: u64,
        options: Option<CollectionOptions>,
        documents: Vec<Document>,
        first: bool,
    ) {
        let mut follower = self.shared.follower.lock().await;
        let applied = follower.apply_added(&self.memory, sequence, options, &documents).await;
        if matches!(applied, Ok(false)) && (first || documents.len() >= BULK) {
            let _ = follower.follow(&self.memory, &self.shared.name).await;
        }
    }

    /// Adds the documents to the batch, if all of them hold.
    fn put(&self, batch: &mut Batch, documents: &[NewDocument], options: &CollectionOptions) -> Result<()> {
        let mut seen = HashSet::new();
        for (index, document) in documents.iter().enumerate() {
            let place = || format!("documents[{index}] ({:?})", document.id);
            if !seen.insert(document.id.as_str()) {
                return Err(
                    Error::invalid("the id appears twice in one call; which should hold?").at(place())
                );
            }
            let key = self.key(&document.id).map_err(|error| error.at(place()))?;
            document.check(options).map_err(|error| error.at(place()))?;
            let value = envelope(batch.time, batch.time, &document.encode(options.epoch)?).encode(&key)?;
            batch.puts.push(Put { key, value, keep_created: true });
        }
        Ok(())
    }

    /// Which of the documents are stored already just so: text, metadata and importance, and the vector
    /// where one is given. In their order.
    ///
    /// # Errors
    /// `Invalid`, naming the position, for an id that breaks the rules; what the backend's reads give.
    pub async fn stored(&self, documents: &[NewDocument]) -> Result<Vec<bool>> {
        let epoch = self.known_options().await?.map_or(0, |(options, _)| options.epoch);
        let key = |(index, document): (usize, &NewDocument)| {
            self.key(&document.id).map_err(|error| error.at(format!("documents[{index}]")))
        };
        let keys: Vec<Key> = documents.iter().enumerate().map(key).collect::<Result<_>>()?;
        let found = self.memory.backend().get(&keys).await?;
        let stored = documents.iter().zip(&keys).zip(found).map(|((document, key), record)| {
            // One that can not be read is not stored just so; adding it mends it.
            let found = record.map(|record| open_envelope(&document.id, key, record).and_then(Document::of));
            found.is_some_and(|found| found.is_ok_and(|found| found.is_just(document, epoch)))
        });
        Ok(stored.collect())
    }

    /// The document `id`, if it is there.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules; `Corrupt` or `Version` if it can not be read.
    pub async fn get(&self, id: &str) -> Result<Option<Document>> {
        let key = self.key(id)?;
        let record =
            self.memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
        record.map(|record| Document::of(open_envelope(id, &key, record)?)).transpose()
    }

    /// Deletes the document `id`; tells whether it was there.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules; what the backend gives.
    pub async fn delete(&self, id: &str, ticket: Option<Ticket>) -> Result<bool> {
        let key = self.key(id)?;
        loop {
            let record =
                self.memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
            let Some(record) = record else { return Ok(false) };
            let batch = Batch { ticket: ticket.clone(), ..Batch::new(self.memory.now()) }
                .require(key.clone(), Precondition::Version(record.version))
                .delete(key.clone());
            if self.memory.try_commit(batch).await?.is_ok() {
                return Ok(true);
            }
        }
    }

    /// How many documents there are.
    ///
    /// # Errors
    /// What building the index gives.
    pub async fn count(&self) -> Result<usize> {
        // The index alone would not notice that another tab wrote, or that the storage is gone.
        self.memory.confirm(crate::log::head(self.memory.backend()).await?.sequence);
        let mut follower = self.shared.follower.lock().await;
        let index = follower.up_to_date(&self.memory, &self.shared.name, &self.wanted).await?;
        Ok(index.map_or(0, |index| index.len()))
    }

    /// The page of documents that `request` asks for, and of those only what matches `filter`.
    ///
    /// # Errors
    /// `Invalid` for a limit out of range; what the backend's scan gives.
    pub async fn page(&self, request: &PageRequest, filter: Option<&Filter>) -> Result<Listing<Document>> {
        let read = |id: &str, key: &Key, record| {
            let document = Document::of(open_envelope(id, key, record)?)?;
            Ok(if document.matches(filter)? { Some(document) } else { None })
        };
        list(&self.memory, Space::Document, &self.shared.name, request, read).await
    }

    /// Changes made after the sequence number `after`, without what was saved.
    ///
    /// # Errors
    /// As [`Store::changes`](super::Store::changes).
    pub async fn changes(&self, after: u64, prefix: &str) -> Result<Changes> {
        super::changes::changes(&self.memory, Space::Document, &self.shared.name, after, prefix).await
    }

    fn key(&self, id: &str) -> Result<Key> {
        Key::named(Space::Document, &self.shared.name, id)
    }

    /// The options as they are stored, and the version of their record; `None` if nothing was ever added.
    ///
    /// # Errors
    /// `Invalid` if the handle was given others.
    async fn known_options(&self) -> Result<Option<(CollectionOptions, u64)>> {
        let followed = {
            let follower = self.shared.follower.lock().await;
            follower.options().map(|(options, version)| (options.clone(), version))
        };
        let known = match followed {
            Some(known) => Some(known),
            None => read_options(&self.memory, &self.shared.name).await?,
        };
        if let Some((options, _)) = &known {
            self.wanted.agree(&self.shared.name, options)?;
        }
        Ok(known)
    }

    /// Those that the index knows were found to be out of date.
    async fn read_options_anew(&self) -> Result<()> {
        match self.shared.follower.lock().await.following() {
            Some(following) => following.read_options(&self.memory).await,
            None => Ok(()),
        }
    }
}

/// The options of the collection `name` and the version of their record.
async fn read_options(memory: &Memory, name: &str) -> Result<Option<(CollectionOptions, u64)>> {
    let key = options_key(name)?;
    let record = memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
    record.map(|record| Ok((CollectionOptions::decode(&key, &record.value)?, record.version))).transpose()
}

/// Adds the options to the batch, in place of those of the version `before`.
fn put_options(
    batch: &mut Batch,
    name: &str,
    options: &CollectionOptions,
    before: Option<u64>,
) -> Result<()> {
    let key = options_key(name)?;
    let value = options.encode(&key, batch.time)?;
    let expected = before.map_or(Precondition::Absent, Precondition::Version);
    batch.preconditions.push((key.clone(), expected));
    batch.puts.push(Put { key, value, keep_created: true });
    Ok(())
}

fn envelope(created: u64, updated: u64, payload: &[u8]) -> Envelope<'_> {
    Envelope { created, updated, expires: None, schema: "", schema_version: 0, payload }
}

/// Every document of the collection whose id starts with `prefix`.
fn documents(name: &str, prefix: &str) -> Range {
    Range::ids(Space::Document, name, prefix)
}

#[cfg(test)]
mod tests;
