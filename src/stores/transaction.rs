//! Transactions over several records: optimistic, serialisable.
//!
//! Reads remember the version they found, and ranges the number of the log at the time; writes wait.
//! At the end one batch carries the writes and everything that was read as preconditions. If it
//! passes, all that was read still held at the moment of the write, so the transaction is as if it
//! had run then, at once (backward validation: Kung and Robinson, *On Optimistic Methods for
//! Concurrency Control*, 1981). If not, the caller runs it again.
//!
//! **Invariants**
//! - Nothing is written before [`Transaction::commit`], and nothing at all if it fails.
//! - A transaction sees its own writes.
//! - A key that is read twice is found in the same version, or the transaction ends in a conflict.
//! - No lock is held while the backend is asked, so reads may run side by side.
//! - After its end every call gives `Closed`, also through a clone that was kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::memory::conflict_error;
use super::page::MAX_PAGE;
use super::save::SaveItem;
use super::store::records;
use super::{Entry, Memory, Store, TimeToLive};
use crate::log;
use crate::model::{Batch, Conflict, Key, Page, Precondition, Range, Ticket};
use crate::{Error, Result};

/// A transaction that is under way. Clones are the same transaction.
#[derive(Debug, Clone)]
pub struct Transaction {
    memory: Memory,
    /// What has expired is decided once, at the beginning.
    time: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    reads: BTreeMap<Key, Option<u64>>,
    ranges: Vec<(Range, u64)>,
    writes: BTreeMap<Key, (Store, Write)>,
    /// A read that did not repeat: the transaction can not pass any more.
    doomed: Option<Conflict>,
    over: bool,
}

#[derive(Debug, Clone)]
enum Write {
    Save(SaveItem),
    Delete(String),
}

impl Memory {
    /// Begins a transaction. [`Memory::transact`] does all of it, and runs it again when it must.
    #[must_use]
    pub fn begin(&self) -> Transaction {
        Transaction { memory: self.clone(), time: self.now(), state: Arc::default() }
    }
}

impl Transaction {
    /// The payload of the record `id`, as this transaction sees it.
    ///
    /// # Errors
    /// `Conflict` if the record changed since this transaction read it; else as [`Store::get`].
    pub async fn get(&self, store: &Store, id: &str) -> Result<Option<Vec<u8>>> {
        let key = store.key(id)?;
        match self.running()?.writes.get(&key) {
            Some((_, Write::Save(item))) => return Ok(Some(item.payload.clone())),
            Some((_, Write::Delete(_))) => return Ok(None),
            None => {}
        }
        let record =
            self.memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
        self.running()?.remember(&key, record.as_ref().map(|record| record.version))?;
        Ok(store.entry_at(id, &key, record, self.time)?.map(|entry| entry.payload))
    }

    /// Saves a record at the end.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules; `Closed` if the transaction is over.
    pub fn save(&self, store: &Store, id: &str, payload: Vec<u8>, ttl: TimeToLive) -> Result<()> {
        let item = SaveItem { ttl, ..SaveItem::new(id, payload) };
        self.running()?.writes.insert(store.key(id)?, (store.clone(), Write::Save(item)));
        Ok(())
    }

    /// Deletes a record at the end.
    ///
    /// # Errors
    /// As [`Transaction::save`].
    pub fn delete<T>(&self, store: &Store<T>, id: &str) -> Result<()> {
        let store = store.encoded();
        self.running()?.writes.insert(store.key(id)?, (store, Write::Delete(id.to_owned())));
        Ok(())
    }

    /// Every record whose id starts with `prefix`, in order of id, as this transaction sees it. A
    /// record that appears in or goes from that range before the end is a conflict.
    ///
    /// # Errors
    /// As [`Transaction::get`].
    pub async fn list(&self, store: &Store, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        drop(self.running()?);
        let range = records(&store.name, prefix);
        // Read before the records: what comes in between is then a conflict, never a gap.
        let since = log::head(self.memory.backend()).await?.sequence;
        let mut found = BTreeMap::new();
        let mut page = Page::first(MAX_PAGE);
        loop {
            let scanned = self.memory.backend().scan(&range, page.clone()).await?;
            for (key, record) in scanned.records {
                let Some(id) = key.id() else { continue };
                if let Some(Entry { payload, .. }) = store.entry_at(&id, &key, Some(record), self.time)? {
                    found.insert(key, (id, payload));
                }
            }
            match scanned.cursor {
                Some(cursor) => page = page.next(cursor),
                None => break,
            }
        }
        let mut state = self.running()?;
        for (key, (_, write)) in state.writes.iter().filter(|(key, _)| range.contains(key)) {
            match write {
                Write::Save(item) => found.insert(key.clone(), (item.id.clone(), item.payload.clone())),
                Write::Delete(_) => found.remove(key),
            };
        }
        state.ranges.push((range, since));
        Ok(found.into_values().collect())
    }

    /// Writes everything, if all that was read still holds. Returns the version of what was saved.
    ///
    /// # Errors
    /// `Conflict` if it does not: run the transaction again. Then nothing was written. What the
    /// backend's commit gives.
    pub async fn commit(self, ticket: Option<Ticket>) -> Result<u64> {
        self.try_commit(ticket).await?.map_err(|conflict| conflict_error(&conflict, None))
    }

    /// [`Transaction::commit`], with a conflict as a value, for callers that try again.
    pub(super) async fn try_commit(&self, ticket: Option<Ticket>) -> Result<Result<u64, Conflict>> {
        let state = std::mem::replace(&mut *self.running()?, State { over: true, ..State::default() });
        let mut batch = match state.require_what_was_read(Batch::new(self.memory.now())) {
            Ok(batch) => Batch { ticket, ..batch },
            Err(conflict) => return Ok(Err(conflict)),
        };
        for (key, (store, write)) in &state.writes {
            let id = match write {
                Write::Save(item) => &item.id,
                Write::Delete(id) => id,
            };
            let blind = match write {
                Write::Save(item) => store.options.history == 0 && store.lifetime(item).is_none(),
                Write::Delete(_) => false,
            };
            if !blind {
                let found = self.memory.backend().get(std::slice::from_ref(key)).await?;
                let record = found.into_iter().next().flatten();
                store.succeed(&mut batch, id, key, record).await?;
            }
            match write {
                Write::Save(item) => store.put(&mut batch, item, key)?,
                Write::Delete(_) => batch = batch.delete(key.clone()),
            }
        }
        Ok(self.memory.try_commit(batch).await?.map(|committed| committed.sequence))
    }

    /// Whether everything that was read still holds. If not, what a caller made of it is void, also an
    /// error that it ran into.
    ///
    /// # Errors
    /// What the backend's commit gives; `Closed` if the transaction is over.
    pub async fn still_holds(&self) -> Result<bool> {
        Ok(self.validate().await?.is_ok())
    }

    /// What no longer holds of what was read, if anything.
    pub(super) async fn validate(&self) -> Result<Result<(), Conflict>> {
        let batch = self.running()?.require_what_was_read(Batch::new(self.memory.now()));
        match batch {
            Ok(batch) => Ok(self.memory.try_commit(batch).await?.map(drop)),
            Err(conflict) => Ok(Err(conflict)),
        }
    }

    fn running(&self) -> Result<MutexGuard<'_, State>> {
        // Nothing that runs under the lock can leave the state half-changed.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.over {
            return Err(Error::closed("the transaction is over; use a new one"));
        }
        Ok(state)
    }
}

impl State {
    fn require_what_was_read(&self, mut batch: Batch) -> Result<Batch, Conflict> {
        if let Some(conflict) = &self.doomed {
            return Err(conflict.clone());
        }
        for (key, version) in &self.reads {
            let what = version.map_or(Precondition::Absent, Precondition::Version);
            batch.preconditions.push((key.clone(), what));
        }
        batch.unchanged.clone_from(&self.ranges);
        Ok(batch)
    }

    fn remember(&mut self, key: &Key, version: Option<u64>) -> Result<()> {
        let first = *self.reads.entry(key.clone()).or_insert(version);
        if first == version {
            return Ok(());
        }
        let conflict = Conflict { key: key.clone(), found: version };
        Err(conflict_error(self.doomed.insert(conflict), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::backends::MemoryBackend;
    use crate::platform::SystemClock;
    use crate::stores::StoreOptions;
    use crate::testing::block_on;

    async fn memory() -> (Memory, Store) {
        let memory = Memory::over(Arc::new(MemoryBackend::new()), true, Arc::new(SystemClock)).await.unwrap();
        let store = memory.store("s", StoreOptions::default()).unwrap();
        (memory, store)
    }

    #[test]
    fn sees_its_own_writes_and_nobody_elses_until_the_end() {
        block_on(async {
            let (memory, store) = memory().await;
            store.save(&[SaveItem::new("a", vec![1]), SaveItem::new("b", vec![2])], None).await.unwrap();
            let transaction = memory.begin();
            transaction.save(&store, "c", vec![3], TimeToLive::Default).unwrap();
            transaction.delete(&store, "a").unwrap();
            assert_eq!(transaction.get(&store, "a").await.unwrap(), None);
            assert_eq!(transaction.get(&store, "c").await.unwrap(), Some(vec![3]));
            let listed = transaction.list(&store, "").await.unwrap();
            assert_eq!(listed, [("b".to_owned(), vec![2]), ("c".to_owned(), vec![3])]);
            assert!(store.get("c").await.unwrap().is_none());
            let kept = transaction.clone();
            transaction.commit(None).await.unwrap();
            assert!(store.get("a").await.unwrap().is_none());
            assert_eq!(store.get("c").await.unwrap().unwrap().payload, [3]);
            assert_eq!(kept.get(&store, "b").await.unwrap_err().kind(), ErrorKind::Closed);
            assert_eq!(kept.delete(&store, "b").unwrap_err().kind(), ErrorKind::Closed);
        });
    }

    #[test]
    fn write_skew_and_phantoms_are_conflicts() {
        block_on(async {
            let (memory, store) = memory().await;
            store.save(&[SaveItem::new("x", vec![1]), SaveItem::new("y", vec![1])], None).await.unwrap();
            // Each reads both and writes the other: serially, the second would have seen the first.
            let (one, two) = (memory.begin(), memory.begin());
            for transaction in [&one, &two] {
                transaction.get(&store, "x").await.unwrap();
                transaction.get(&store, "y").await.unwrap();
            }
            one.save(&store, "x", vec![0], TimeToLive::Default).unwrap();
            two.save(&store, "y", vec![0], TimeToLive::Default).unwrap();
            one.commit(None).await.unwrap();
            assert_eq!(two.commit(None).await.unwrap_err().kind(), ErrorKind::Conflict);

            let counting = memory.begin();
            let count = counting.list(&store, "item-").await.unwrap().len() as u8;
            counting.save(&store, "count", vec![count], TimeToLive::Default).unwrap();
            store.save(&[SaveItem::new("item-1", vec![])], None).await.unwrap();
            assert_eq!(counting.commit(None).await.unwrap_err().kind(), ErrorKind::Conflict);
            assert!(store.get("count").await.unwrap().is_none(), "nothing was written");
        });
    }

    #[test]
    fn a_read_that_does_not_repeat_is_a_conflict() {
        block_on(async {
            let (memory, store) = memory().await;
            let transaction = memory.begin();
            assert_eq!(transaction.get(&store, "a").await.unwrap(), None);
            store.save(&[SaveItem::new("a", vec![1])], None).await.unwrap();
            assert_eq!(transaction.get(&store, "a").await.unwrap_err().kind(), ErrorKind::Conflict);
            // Also for a caller that goes on as if nothing had been.
            assert!(!transaction.still_holds().await.unwrap());
            assert_eq!(transaction.commit(None).await.unwrap_err().kind(), ErrorKind::Conflict);
            // One that only reads is judged all the same.
            let reader = memory.begin();
            reader.get(&store, "a").await.unwrap();
            store.save(&[SaveItem::new("a", vec![2])], None).await.unwrap();
            assert_eq!(reader.commit(None).await.unwrap_err().kind(), ErrorKind::Conflict);
        });
    }
}
