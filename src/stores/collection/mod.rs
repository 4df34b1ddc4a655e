//! Collections: documents with vectors and metadata, found again by similarity.
//!
//! The documents are records like any other. The index over their vectors lives in memory; it is a
//! follower of the commit log: built from the records at the first search, and brought up to the
//! log's end before each one, so that writes of other tabs count as well.
//!
//! **Invariants**
//! - A document and its vector are one record: neither is stored without the other.
//! - A search never returns a document that was deleted, or whose vector was replaced, before it.
//! - The dimensions and the metric are fixed by the first write; later handles must agree.

mod document;
mod follower;
mod index;
mod search;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use self::document::{Document, NewDocument};
pub use self::search::Hit;

pub(super) use self::document::check;
use self::follower::Follower;
use super::memory::conflict_error;
use super::page::list;
use super::store::open_envelope;
use super::{Changes, Listing, Memory, PageRequest};
use crate::model::{
    Batch, Committed, Envelope, Key, Precondition, Put, Range, Space, Ticket, check_component,
};
use crate::vector::{Filter, Metric, check_dimensions};
use crate::{Error, Result};

/// What a collection's vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionOptions {
    /// Numbers a vector, 1 to 4,096.
    pub dimensions: u32,
    /// What similarity means.
    pub metric: Metric,
}

/// A collection of documents. Cheap to clone; clones share the index.
#[derive(Debug, Clone)]
pub struct Collection {
    memory: Memory,
    shared: Arc<Shared>,
    wanted: Option<CollectionOptions>,
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
    /// The collection `name`. Its options may be left out if it exists already.
    ///
    /// # Errors
    /// `Invalid` for a name that breaks the rules of [`check_component`], or dimensions out of range.
    pub fn collection(&self, name: &str, options: Option<CollectionOptions>) -> Result<Collection> {
        check_component("the name of the collection", name)?;
        if let Some(options) = options {
            check_dimensions(options.dimensions as usize)?;
        }
        let mut open = self.collections().0.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = open.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Shared { name: name.to_owned(), follower: futures_util::lock::Mutex::default() })
        });
        Ok(Collection { memory: self.clone(), shared: Arc::clone(shared), wanted: options })
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
            let Some(options) = known.or(self.wanted) else {
                return Err(Error::invalid(format!(
                    "the collection {:?} does not exist yet; give its dimensions, as in collection(name, {{ dimensions: 384 }})",
                    self.shared.name
                )));
            };
            let mut batch = Batch { ticket: ticket.clone(), ..Batch::new(self.memory.now()) };
            self.put(&mut batch, documents, options)?;
            if known.is_none() && !documents.is_empty() {
                self.put_options(&mut batch, options)?;
            }
            match self.memory.try_commit(batch).await? {
                Ok(Committed { sequence }) => {
                    self.shared.follower.lock().await.apply_added(sequence, documents)?;
                    return Ok(sequence);
                }
                // Somebody else made the collection in between: do the options agree?
                Err(_) if known.is_none() => {}
                Err(conflict) => return Err(conflict_error(&conflict, None)),
            }
        }
    }

    /// Adds the documents to the batch, if all of them hold.
    fn put(&self, batch: &mut Batch, documents: &[NewDocument], options: CollectionOptions) -> Result<()> {
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
            let value = envelope(batch.time, "", &document.encode()?).encode(&key)?;
            batch.puts.push(Put { key, value, keep_created: true });
        }
        Ok(())
    }

    /// Adds the options to the batch, to be stored with the first documents.
    fn put_options(&self, batch: &mut Batch, options: CollectionOptions) -> Result<()> {
        let key = options_key(&self.shared.name)?;
        let payload = postcard::to_allocvec(&options).map_err(|cause| {
            Error::internal("the collection's options could not be encoded").with_source(cause)
        })?;
        let value = envelope(batch.time, "collection", &payload).encode(&key)?;
        batch.preconditions.push((key.clone(), Precondition::Absent));
        batch.puts.push(Put { key, value, keep_created: false });
        Ok(())
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
        let Some(options) = self.known_options().await? else { return Ok(0) };
        let mut follower = self.shared.follower.lock().await;
        Ok(follower.up_to_date(&self.memory, &self.shared.name, options).await?.len())
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

    /// The options as they are stored; `None` if nothing was ever added.
    ///
    /// # Errors
    /// `Invalid` if the handle was given others.
    async fn known_options(&self) -> Result<Option<CollectionOptions>> {
        // Once the follower has them they can not change any more.
        let followed = self.shared.follower.lock().await.options();
        let stored = match followed {
            Some(options) => options,
            None => match self.read_options().await? {
                Some(options) => options,
                None => return Ok(None),
            },
        };
        match self.wanted {
            Some(wanted) if wanted != stored => Err(Error::invalid(format!(
                "the collection {:?} holds {} vectors of {} dimensions, not {} of {}; open it so, or use another name",
                self.shared.name, stored.metric, stored.dimensions, wanted.metric, wanted.dimensions
            ))),
            _ => Ok(Some(stored)),
        }
    }

    async fn read_options(&self) -> Result<Option<CollectionOptions>> {
        let key = options_key(&self.shared.name)?;
        let record =
            self.memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
        let Some(record) = record else { return Ok(None) };
        let envelope = Envelope::decode(&key, &record.value)?;
        let options = postcard::from_bytes(envelope.payload).map_err(|cause| {
            Error::corrupt("the collection's options can not be read").with_key(key).with_source(cause)
        })?;
        Ok(Some(options))
    }
}

fn envelope<'a>(now: u64, schema: &'a str, payload: &'a [u8]) -> Envelope<'a> {
    let schema_version = u32::from(!schema.is_empty());
    Envelope { created: now, updated: now, expires: None, schema, schema_version, payload }
}

fn options_key(name: &str) -> Result<Key> {
    Key::named(Space::Meta, "collection", name)
}

/// Every document of the collection whose id starts with `prefix`.
fn documents(name: &str, prefix: &str) -> Range {
    Range::ids(Space::Document, name, prefix)
}

#[cfg(test)]
mod tests;
