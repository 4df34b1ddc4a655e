//! The generic store: named records with versions, times to live and a past.

use std::fmt;
use std::marker::PhantomData;

use super::memory::conflict_error;
use super::page::MAX_PAGE;
use super::save::{SaveItem, history_key, history_range};
use super::{Encoded, Memory};
use crate::model::{
    Batch, Conflict, Envelope, Key, KeyBuilder, Lineage, Page, Precondition, Range, Record, Space,
    check_component, heap_sort_by,
};
use crate::{Error, Result};

/// How a store keeps its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// How long what is saved lives, in milliseconds; forever if not given.
    pub ttl_ms: Option<u64>,
    /// How many earlier versions of each record are kept.
    pub history: usize,
}

/// A record with its version and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The sequence number of the commit that wrote it.
    pub version: u64,
    /// When it was first saved, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When this version was saved, the same.
    pub updated: u64,
    /// When it expires, the same.
    pub expires: Option<u64>,
    /// What was saved.
    pub payload: Vec<u8>,
}

/// A named store, of encoded values or (by [`Store::of`]) of values of one type. Cheap to make and
/// to clone; it holds nothing but its name and options.
pub struct Store<T = Encoded> {
    pub(super) memory: Memory,
    pub(super) name: String,
    pub(super) options: StoreOptions,
    pub(super) values: PhantomData<fn(T) -> T>,
}

// By hand, since a derive would ask the same of the type of the values.
impl<T> Clone for Store<T> {
    fn clone(&self) -> Self {
        let (memory, name, options) = (self.memory.clone(), self.name.clone(), self.options.clone());
        Self { memory, name, options, values: PhantomData }
    }
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("name", &self.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// The store `name`.
    ///
    /// # Errors
    /// `Invalid` for a name that breaks the rules of [`check_component`], or a history that is too
    /// long.
    pub fn store(&self, name: &str, options: StoreOptions) -> Result<Store> {
        check_component("the name of the store", name)?;
        if options.history > 10_000 {
            return Err(Error::invalid(format!(
                "history: {} is more than the limit of 10,000",
                options.history
            )));
        }
        if options.ttl_ms == Some(0) {
            return Err(Error::invalid("ttlMs: 0 would expire everything at once; leave it out to keep it"));
        }
        Ok(Store { memory: self.clone(), name: name.to_owned(), options, values: PhantomData })
    }
}

impl Store {
    /// Saves all `items` or none; returns the version they have now. Resolves once it is stored.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules or appears twice, or a value that is too large;
    /// `Conflict` if an expected version was not found; what the backend's commit gives.
    pub async fn save(&self, items: &[SaveItem], ticket: Option<crate::model::Ticket>) -> Result<u64> {
        let keys = self.keys_of(items)?;
        // What was there before matters if a version is expected, a past is kept, or a note of its
        // expiry has to go.
        let blind = self.options.history == 0
            && items.iter().all(|item| item.expected.is_none() && self.lifetime(item).is_none());
        // Of the writers that meet, one passes each time, so every one of them does in the end.
        loop {
            let mut batch = Batch { ticket: ticket.clone(), ..Batch::new(self.memory.now()) };
            if blind {
                for (item, key) in items.iter().zip(&keys) {
                    self.put(&mut batch, item, key)?;
                }
                return Ok(self.memory.commit(batch).await?.sequence);
            }
            let found = self.memory.backend().get(&keys).await?;
            for ((item, key), record) in items.iter().zip(&keys).zip(found) {
                self.expect(item.expected, key, record.as_ref())?;
                self.succeed(&mut batch, &item.id, key, record).await?;
                self.put(&mut batch, item, key)?;
            }
            if let Ok(committed) = self.memory.try_commit(batch).await? {
                return Ok(committed.sequence);
            }
            // Somebody wrote in between: look again. An expected version then no longer matches.
        }
    }

    /// The record `id`, if it is there.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules; `Corrupt` or `Version` if it can not be read;
    /// what the backend's read gives.
    pub async fn get(&self, id: &str) -> Result<Option<Entry>> {
        let key = self.key(id)?;
        let record = self.memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next();
        self.entry(id, &key, record.flatten())
    }

    /// The records `ids` in their order, of one snapshot.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get_many(&self, ids: &[String]) -> Result<Vec<Option<Entry>>> {
        let keys: Vec<Key> = ids.iter().map(|id| self.key(id)).collect::<Result<_>>()?;
        let found = self.memory.backend().get(&keys).await?;
        ids.iter().zip(&keys).zip(found).map(|((id, key), record)| self.entry(id, key, record)).collect()
    }

    /// Deletes the record `id`; tells whether it was there. A store that keeps a history keeps the
    /// deleted version in it.
    ///
    /// # Errors
    /// `Conflict` if the expected version was not found; otherwise as [`Store::save`].
    pub async fn delete(
        &self,
        id: &str,
        expected: Option<u64>,
        ticket: Option<crate::model::Ticket>,
    ) -> Result<bool> {
        let key = self.key(id)?;
        loop {
            let found = self.memory.backend().get(std::slice::from_ref(&key)).await?;
            let record = found.into_iter().next().flatten();
            self.expect(expected, &key, record.as_ref())?;
            let Some(record) = record else { return Ok(false) };
            let lived = self.lives(&key, &record);
            let mut batch = Batch { ticket: ticket.clone(), ..Batch::new(self.memory.now()) };
            self.succeed(&mut batch, id, &key, Some(record)).await?;
            if self.memory.try_commit(batch.delete(key.clone())).await?.is_ok() {
                return Ok(lived);
            }
        }
    }

    /// Earlier versions of the record `id`, newest first: none of a record that has expired.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn history(&self, id: &str, limit: usize) -> Result<Vec<Entry>> {
        let key = self.key(id)?;
        let current =
            self.memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
        if limit == 0 || current.is_some_and(|record| !self.lives(&key, &record)) {
            return Ok(Vec::new());
        }
        let found = self.memory.backend().scan(&history_range(&self.name, id), Page::last(limit)).await?;
        found
            .records
            .into_iter()
            .map(|(at, record)| {
                // A past version is sealed to the key it had when it was current.
                let version = history_version(&at).unwrap_or(record.version);
                open_envelope(id, &key, Record { version, ..record })
            })
            .collect()
    }

    pub(super) fn key(&self, id: &str) -> Result<Key> {
        Key::record(&self.name, id)
    }

    /// What is stored, unless it has expired.
    pub(super) fn entry(&self, id: &str, key: &Key, record: Option<Record>) -> Result<Option<Entry>> {
        self.entry_at(id, key, record, self.memory.now())
    }

    /// What is stored, unless it has expired by `now`.
    pub(super) fn entry_at(
        &self,
        id: &str,
        key: &Key,
        record: Option<Record>,
        now: u64,
    ) -> Result<Option<Entry>> {
        let Some(record) = record else { return Ok(None) };
        let entry = open_envelope(id, key, record)?;
        Ok(Some(entry).filter(|entry| entry.expires.is_none_or(|at| at > now)))
    }

    fn keys_of(&self, items: &[SaveItem]) -> Result<Vec<Key>> {
        let keys: Vec<Key> = items.iter().map(|item| self.key(&item.id)).collect::<Result<_>>()?;
        if keys.len() > 1 {
            let mut sorted: Vec<&Key> = keys.iter().collect();
            heap_sort_by(&mut sorted, Ord::cmp);
            if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                let message = "the id appears twice in one call; which value should hold?";
                return Err(Error::invalid(message).with_key(twice[0].clone()));
            }
        }
        Ok(keys)
    }

    /// Whether the caller's expectation holds; 0 = no record.
    pub(super) fn expect(&self, expected: Option<u64>, key: &Key, record: Option<&Record>) -> Result<()> {
        let Some(expected) = expected else { return Ok(()) };
        let found = record.filter(|record| self.lives(key, record)).map(|record| record.version);
        if found.unwrap_or(0) == expected {
            return Ok(());
        }
        Err(conflict_error(&Conflict { key: key.clone(), found }, Some(expected)))
    }

    /// Binds the batch to what was read; takes away the note of its expiry, and moves it into the
    /// history if one is kept. A record that has expired takes its past along.
    pub(super) async fn succeed(
        &self,
        batch: &mut Batch,
        id: &str,
        key: &Key,
        record: Option<Record>,
    ) -> Result<()> {
        let what =
            record.as_ref().map_or(Precondition::Absent, |record| Precondition::Version(record.version));
        batch.preconditions.push((key.clone(), what));
        let Some(record) = record else { return Ok(()) };
        if let Some(expires) = expires_of(key, &record) {
            batch.deletes.push(expiry_key(expires, &self.name, id));
        }
        if self.options.history == 0 {
            return Ok(());
        }
        if !self.lives(key, &record) {
            let past =
                self.memory.backend().scan(&history_range(&self.name, id), Page::first(MAX_PAGE)).await?;
            batch.deletes.extend(past.records.into_iter().map(|(at, _)| at));
            return Ok(());
        }
        // The one that comes in makes room for itself; a few more go if fewer are kept than before.
        let page = Page::last(self.options.history + 16);
        let past = self.memory.backend().scan(&history_range(&self.name, id), page).await?;
        batch.deletes.extend(past.records.into_iter().skip(self.options.history - 1).map(|(at, _)| at));
        let at = history_key(&self.name, id, record.version);
        batch.puts.push(crate::model::Put { key: at, value: record.value, keep_created: false });
        Ok(())
    }

    /// Whether the record has not expired. One that can not be read is taken to live: it is up to
    /// the caller to overwrite or delete it, not to the clock.
    fn lives(&self, key: &Key, record: &Record) -> bool {
        expires_of(key, record).is_none_or(|at| at > self.memory.now())
    }
}

/// When the record at `key` expires; `None` also if that can not be trusted.
pub(super) fn expires_of(key: &Key, record: &Record) -> Option<u64> {
    Lineage::of(key, &record.value).and_then(|lineage| lineage.expires())
}

/// The key under which the expiry of a record is noted: in order of time.
pub(super) fn expiry_key(expires: u64, store: &str, id: &str) -> Key {
    KeyBuilder::new(Space::Expiry).integer(expires).text(store).text(id).build()
}

pub(super) fn open_envelope(id: &str, key: &Key, record: Record) -> Result<Entry> {
    let envelope = Envelope::decode(key, &record.value)?;
    Ok(Entry {
        id: id.to_owned(),
        version: record.version,
        created: envelope.created,
        updated: envelope.updated,
        expires: envelope.expires,
        payload: envelope.payload.to_vec(),
    })
}

fn history_version(key: &Key) -> Option<u64> {
    match key.components()?.pop()? {
        crate::model::Component::Integer(version) => Some(version),
        crate::model::Component::Text(_) => None,
    }
}

/// Every record of the store whose id starts with `prefix`.
pub(super) fn records(store: &str, prefix: &str) -> Range {
    Range::ids(Space::Record, store, prefix)
}
