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

use std::collections::BTreeMap;

use super::memory::conflict_error;
use super::page::MAX_PAGE;
use super::save::SaveItem;
use super::store::records;
use super::{Entry, Memory, Store, TimeToLive};
use crate::Result;
use crate::log;
use crate::model::{Batch, Conflict, Key, Page, Precondition, Range};

/// A transaction that is under way.
#[derive(Debug)]
pub struct Transaction {
    memory: Memory,
    /// What has expired is decided once, at the beginning.
    time: u64,
    reads: BTreeMap<Key, Option<u64>>,
    ranges: Vec<(Range, u64)>,
    writes: BTreeMap<Key, (Store, Write)>,
}

#[derive(Debug, Clone)]
enum Write {
    Save(SaveItem),
    Delete(String),
}

impl Memory {
    /// Begins a transaction.
    #[must_use]
    pub fn begin(&self) -> Transaction {
        Transaction {
            memory: self.clone(),
            time: self.now(),
            reads: BTreeMap::new(),
            ranges: Vec::new(),
            writes: BTreeMap::new(),
        }
    }
}

impl Transaction {
    /// The payload of the record `id`, as this transaction sees it.
    ///
    /// # Errors
    /// `Conflict` if the record changed since this transaction read it; else as [`Store::get`].
    pub async fn get(&mut self, store: &Store, id: &str) -> Result<Option<Vec<u8>>> {
        let key = store.key(id)?;
        match self.writes.get(&key) {
            Some((_, Write::Save(item))) => return Ok(Some(item.payload.clone())),
            Some((_, Write::Delete(_))) => return Ok(None),
            None => {}
        }
        let record =
            self.memory.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
        self.remember(&key, record.as_ref().map(|record| record.version))?;
        Ok(store.entry_at(id, &key, record, self.time)?.map(|entry| entry.payload))
    }

    /// Saves a record at the end.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules.
    pub fn save(&mut self, store: &Store, id: &str, payload: Vec<u8>, ttl: TimeToLive) -> Result<()> {
        let item = SaveItem { ttl, ..SaveItem::new(id, payload) };
        self.writes.insert(store.key(id)?, (store.clone(), Write::Save(item)));
        Ok(())
    }

    /// Deletes a record at the end.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules.
    pub fn delete(&mut self, store: &Store, id: &str) -> Result<()> {
        self.writes.insert(store.key(id)?, (store.clone(), Write::Delete(id.to_owned())));
        Ok(())
    }

    /// Every record whose id starts with `prefix`, in order of id, as this transaction sees it. A
    /// record that appears in or goes from that range before the end is a conflict.
    ///
    /// # Errors
    /// As [`Transaction::get`].
    pub async fn list(&mut self, store: &Store, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
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
        for (key, (_, write)) in self.writes.iter().filter(|(key, _)| range.contains(key)) {
            match write {
                Write::Save(item) => found.insert(key.clone(), (item.id.clone(), item.payload.clone())),
                Write::Delete(_) => found.remove(key),
            };
        }
        self.ranges.push((range, since));
        Ok(found.into_values().collect())
    }

    /// Writes everything, if all that was read still holds. Returns the version of what was saved.
    ///
    /// # Errors
    /// `Conflict` if it does not: run the transaction again. Then nothing was written.
    pub async fn commit(self, ticket: Option<crate::model::Ticket>) -> Result<u64> {
        let mut batch = Batch { ticket, ..Batch::new(self.memory.now()) };
        for (key, (store, write)) in &self.writes {
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
        self.require_what_was_read(&mut batch);
        let verdict = self.memory.try_commit(batch).await?;
        verdict.map(|committed| committed.sequence).map_err(|conflict| conflict_error(&conflict, None))
    }

    /// Whether everything that was read still holds. If not, what a caller made of it is void, also an
    /// error that it ran into.
    ///
    /// # Errors
    /// What the backend's commit gives.
    pub async fn still_holds(&self) -> Result<bool> {
        let mut batch = Batch::new(self.memory.now());
        self.require_what_was_read(&mut batch);
        Ok(self.memory.try_commit(batch).await?.is_ok())
    }

    fn require_what_was_read(&self, batch: &mut Batch) {
        for (key, version) in &self.reads {
            let what = version.map_or(Precondition::Absent, Precondition::Version);
            batch.preconditions.push((key.clone(), what));
        }
        batch.unchanged.clone_from(&self.ranges);
    }

    fn remember(&mut self, key: &Key, version: Option<u64>) -> Result<()> {
        match self.reads.insert(key.clone(), version) {
            Some(before) if before != version => {
                Err(conflict_error(&Conflict { key: key.clone(), found: version }, None))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
            let mut transaction = memory.begin();
            transaction.save(&store, "c", vec![3], TimeToLive::Default).unwrap();
            transaction.delete(&store, "a").unwrap();
            assert_eq!(transaction.get(&store, "a").await.unwrap(), None);
            assert_eq!(transaction.get(&store, "c").await.unwrap(), Some(vec![3]));
            let listed = transaction.list(&store, "").await.unwrap();
            assert_eq!(listed, [("b".to_owned(), vec![2]), ("c".to_owned(), vec![3])]);
            assert!(store.get("c").await.unwrap().is_none());
            transaction.commit(None).await.unwrap();
            assert!(store.get("a").await.unwrap().is_none());
            assert_eq!(store.get("c").await.unwrap().unwrap().payload, [3]);
        });
    }

    #[test]
    fn write_skew_and_phantoms_are_conflicts() {
        block_on(async {
            let (memory, store) = memory().await;
            store.save(&[SaveItem::new("x", vec![1]), SaveItem::new("y", vec![1])], None).await.unwrap();
            // Each reads both and writes the other: serially, the second would have seen the first.
            let (mut one, mut two) = (memory.begin(), memory.begin());
            for transaction in [&mut one, &mut two] {
                transaction.get(&store, "x").await.unwrap();
                transaction.get(&store, "y").await.unwrap();
            }
            one.save(&store, "x", vec![0], TimeToLive::Default).unwrap();
            two.save(&store, "y", vec![0], TimeToLive::Default).unwrap();
            one.commit(None).await.unwrap();
            assert_eq!(two.commit(None).await.unwrap_err().kind(), ErrorKind::Conflict);

            let mut counting = memory.begin();
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
            let mut transaction = memory.begin();
            assert_eq!(transaction.get(&store, "a").await.unwrap(), None);
            store.save(&[SaveItem::new("a", vec![1])], None).await.unwrap();
            assert_eq!(transaction.get(&store, "a").await.unwrap_err().kind(), ErrorKind::Conflict);
            // One that only reads is judged all the same.
            let mut reader = memory.begin();
            reader.get(&store, "a").await.unwrap();
            store.save(&[SaveItem::new("a", vec![2])], None).await.unwrap();
            assert_eq!(reader.commit(None).await.unwrap_err().kind(), ErrorKind::Conflict);
        });
    }
}
