//! A backend whose answers about documents can be changed behind everybody's back, and are counted.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::Result;
use crate::backends::{Backend, BackendInfo, MemoryBackend, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record, Space};

/// Wraps a memory backend.
#[derive(Debug)]
pub(super) struct Meddling {
    inner: MemoryBackend,
    instead: Mutex<HashMap<Key, Option<Record>>>,
    reads: AtomicUsize,
    turns: AtomicUsize,
}

impl Meddling {
    pub(super) fn new() -> Self {
        let (instead, reads, turns) = Default::default();
        Self { inner: MemoryBackend::new(), instead, reads, turns }
    }

    /// From now on a read of the document `id` gives this; the log says nothing of it.
    pub(super) fn answer(&self, id: &str, record: Option<Record>) {
        self.instead.lock().unwrap().insert(key(id), record);
    }

    /// What is stored of the document `id`.
    pub(super) async fn stored(&self, id: &str) -> Record {
        self.inner.get(&[key(id)]).await.unwrap().remove(0).unwrap()
    }

    /// Documents that were read, and calls that read some, since this was asked last.
    pub(super) fn take_reads(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::Relaxed), self.turns.swap(0, Ordering::Relaxed))
    }
}

fn key(id: &str) -> Key {
    Key::named(Space::Document, "notes", id).unwrap()
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Meddling {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let mut records = self.inner.get(keys).await?;
        let documents = keys.iter().filter(|key| key.space() == Some(Space::Document)).count();
        self.reads.fetch_add(documents, Ordering::Relaxed);
        self.turns.fetch_add(usize::from(documents > 0), Ordering::Relaxed);
        let instead = self.instead.lock().unwrap();
        for (key, record) in keys.iter().zip(&mut records) {
            if let Some(other) = instead.get(key) {
                record.clone_from(other);
            }
        }
        Ok(records)
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.inner.scan(range, page).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        self.inner.commit(batches).await
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
