//! Databases that are broken on purpose, to prove that the scenarios see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::lock::Mutex;

use super::session::{Database, Reads, Session, Stores};
use crate::Result;
use crate::backends::{Backend, BackendInfo, MemoryBackend, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record};
use crate::platform::yield_now;
use crate::stores::{PageRequest, SaveItem, Store};

/// What a backend does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not look at what must hold of single keys.
    IgnoresPreconditions,
    /// It does not look at what must not have changed in ranges.
    IgnoresRanges,
    /// Of a batch that it refuses, it writes the first record all the same.
    WritesHalfOfWhatItRefuses,
    /// It judges well, and then writes record by record, while others do the same.
    TearsBatches,
}

/// A backend with a fault, over a sound one.
#[derive(Debug)]
struct Faulty {
    inner: MemoryBackend,
    fault: Fault,
    commits: AtomicUsize,
}

/// The real transactions over a backend with a fault.
pub(super) async fn with_fault(fault: Fault, reads: Reads) -> Stores {
    let faulty = Faulty { inner: MemoryBackend::new(), fault, commits: AtomicUsize::new(0) };
    let backend: Arc<dyn Backend> = Arc::new(faulty);
    Stores::over(&backend, reads).await
}

impl Faulty {
    async fn torn(&self, batch: &Batch) -> Result<Result<Committed, Conflict>> {
        let judged = Batch { puts: Vec::new(), deletes: Vec::new(), ..batch.clone() };
        let mut verdict = self.inner.commit(&[judged]).await?.remove(0);
        let mut puts = batch.puts.clone();
        if self.commits.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            puts.reverse();
        }
        for put in puts.into_iter().filter(|_| verdict.is_ok()).collect::<Vec<_>>() {
            verdict =
                self.inner.commit(&[Batch { puts: vec![put], ..Batch::new(batch.time) }]).await?.remove(0);
            // Time enough for a reader to come and go.
            for _ in 0..16 {
                yield_now().await;
            }
        }
        Ok(verdict)
    }
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Faulty {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.inner.get(keys).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.inner.scan(range, page).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        let mut batches = batches.to_vec();
        match self.fault {
            Fault::IgnoresPreconditions => batches.iter_mut().for_each(|batch| batch.preconditions.clear()),
            Fault::IgnoresRanges => batches.iter_mut().for_each(|batch| batch.unchanged.clear()),
            Fault::WritesHalfOfWhatItRefuses => {
                let verdicts = self.inner.commit(&batches).await?;
                for (batch, verdict) in batches.into_iter().zip(&verdicts) {
                    if verdict.is_err() {
                        let half = Batch {
                            puts: batch.puts.into_iter().take(1).collect(),
                            ..Batch::new(batch.time)
                        };
                        self.inner.commit(&[half]).await?;
                    }
                }
                return Ok(verdicts);
            }
            Fault::TearsBatches => {
                let mut verdicts = Vec::new();
                for batch in &batches {
                    verdicts.push(self.torn(batch).await?);
                }
                return Ok(verdicts);
            }
        }
        self.inner.commit(&batches).await
    }

    async fn stats(&self) -> Result<Stats> {
        self.inner.stats().await
    }

    async fn check(&self) -> Result<Vec<String>> {
        self.inner.check().await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

async fn sound(reads: Reads) -> Stores {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    Stores::over(&backend, reads).await
}

async fn everything(store: &Store<i64>, prefix: &str) -> Result<Vec<(String, u64, i64)>> {
    let request = PageRequest { prefix: prefix.into(), limit: 1_000, ..PageRequest::default() };
    Ok(store.page(&request).await?.entries)
}

/// Transactions without any isolation: each call goes straight to the store.
#[derive(Debug)]
pub(super) struct Unisolated(Stores);

impl Unisolated {
    pub(super) async fn new(reads: Reads) -> Self {
        Self(sound(reads).await)
    }
}

impl Database for Unisolated {
    type Session = Store<i64>;

    fn begin(&self, client: usize) -> Store<i64> {
        self.0.store(client)
    }
}

impl Session for Store<i64> {
    async fn get(&mut self, id: &str) -> Result<Option<i64>> {
        Self::get(self, id).await
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<(String, i64)>> {
        Ok(everything(self, prefix).await?.into_iter().map(|(id, _, value)| (id, value)).collect())
    }

    async fn save(&mut self, id: &str, value: i64) {
        Self::save(self, id, &value).await.expect("is valid");
    }

    async fn delete(&mut self, id: &str) {
        Self::delete(self, id).await.expect("is valid");
    }

    async fn commit(self) -> Result<()> {
        Ok(())
    }
}

/// Snapshot isolation: a transaction reads the state at its first read, and of two that write the
/// same record the first one passes. Many databases offer it in the place of serialisable.
#[derive(Debug)]
pub(super) struct SnapshotIsolation {
    stores: Stores,
    /// A commit here is of several steps.
    commits: Arc<Mutex<()>>,
}

impl SnapshotIsolation {
    pub(super) async fn new(reads: Reads) -> Self {
        Self { stores: sound(reads).await, commits: Arc::default() }
    }
}

impl Database for SnapshotIsolation {
    type Session = OnSnapshot;

    fn begin(&self, client: usize) -> OnSnapshot {
        let (store, commits) = (self.stores.store(client), Arc::clone(&self.commits));
        OnSnapshot { store, commits, snapshot: None, writes: Vec::new() }
    }
}

/// A transaction of [`SnapshotIsolation`].
#[derive(Debug)]
pub(super) struct OnSnapshot {
    store: Store<i64>,
    commits: Arc<Mutex<()>>,
    snapshot: Option<Vec<(String, u64, i64)>>,
    writes: Vec<(String, Option<i64>)>,
}

impl Session for OnSnapshot {
    async fn get(&mut self, id: &str) -> Result<Option<i64>> {
        Ok(self.list(id).await?.into_iter().find_map(|(found, value)| (found == id).then_some(value)))
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<(String, i64)>> {
        if self.snapshot.is_none() {
            self.snapshot = Some(everything(&self.store, "").await?);
        }
        let records = self.snapshot.iter().flatten().filter(|(id, ..)| id.starts_with(prefix));
        Ok(records.map(|(id, _, value)| (id.clone(), *value)).collect())
    }

    async fn save(&mut self, id: &str, value: i64) {
        self.writes.push((id.to_owned(), Some(value)));
    }

    async fn delete(&mut self, id: &str) {
        self.writes.push((id.to_owned(), None));
    }

    async fn commit(self) -> Result<()> {
        let _alone = self.commits.lock().await;
        let version = |id: &str| {
            let snapshot = self.snapshot.as_ref()?;
            Some(
                snapshot
                    .iter()
                    .find_map(|(found, version, _)| (found == id).then_some(*version))
                    .unwrap_or(0),
            )
        };
        let encoded = self.store.encoded();
        let (mut saves, mut deletes) = (Vec::new(), Vec::new());
        for (id, value) in self.writes {
            match value {
                Some(value) => {
                    saves.retain(|item: &SaveItem| item.id != id);
                    let payload = crate::model::encode_value(&crate::model::Value::Int(value))?;
                    saves.push(SaveItem { expected: version(&id), ..SaveItem::new(id, payload) });
                }
                None => deletes.push(id),
            }
        }
        if !saves.is_empty() {
            encoded.save(&saves, None).await?;
        }
        for id in deletes {
            encoded.delete(&id, version(&id), None).await?;
        }
        Ok(())
    }
}
