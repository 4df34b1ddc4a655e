//! Storage in memory that passes for durable, counts what is read of it, and fails when it is told to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::{NewDocument, document};
use crate::backends::{Backend, BackendInfo, Durability, MemoryBackend, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record, Space};
use crate::paged::PageId;
use crate::platform::ManualClock;
use crate::stores::collection::Collection;
use crate::stores::{Memory, Wanted};
use crate::vector::Metric;
use crate::{Error, Result};

#[derive(Debug)]
pub(super) struct Shelf {
    inner: MemoryBackend,
    /// Documents that were read.
    documents: AtomicUsize,
    /// How many commits go through before they fail.
    commits: AtomicUsize,
}

impl Shelf {
    pub(super) fn new() -> Arc<Self> {
        let (documents, commits) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        Arc::new(Self { inner: MemoryBackend::new(), documents, commits })
    }

    /// How many documents were read since this was last asked.
    pub(super) fn documents_read(&self) -> usize {
        self.documents.swap(0, Ordering::Relaxed)
    }

    /// After `commits` more, every commit fails.
    pub(super) fn fail_after(&self, commits: usize) {
        self.commits.store(commits, Ordering::Relaxed);
    }

    /// Commits go through again.
    pub(super) fn mend(&self) {
        self.fail_after(usize::MAX);
    }

    /// One more memory over the same storage, as another tab would open it.
    pub(super) async fn memory(self: &Arc<Self>) -> Memory {
        let backend: Arc<dyn Backend> = Arc::<Self>::clone(self);
        Memory::over(backend, true, Arc::new(ManualClock::at(1_000))).await.unwrap()
    }

    /// The collection `notes` of a memory of its own.
    pub(super) async fn notes(self: &Arc<Self>) -> Collection {
        self.memory().await.collection("notes", Wanted::vectors(3, Metric::L2)).unwrap()
    }

    /// A collection of `count` documents, whose index was stored.
    pub(super) async fn filled(self: &Arc<Self>, count: usize) -> Collection {
        let notes = self.notes().await;
        let documents: Vec<NewDocument> = (0..count).map(point).collect();
        for chunk in documents.chunks(100) {
            notes.add(chunk, None).await.unwrap();
        }
        notes.memory.maintain(1e9).await.unwrap();
        self.documents_read();
        notes
    }

    /// What is stored of the index: pages, manifest, claim.
    pub(super) async fn pages(&self) -> Vec<(Key, Record)> {
        self.inner.scan(&Range::space(Space::Index), Page::first(100_000)).await.unwrap().records
    }

    /// The generations of which anything is stored; 0 is that of the manifest.
    pub(super) async fn generations(&self) -> BTreeSet<u64> {
        let pages = self.pages().await;
        pages
            .iter()
            .filter_map(|(key, _)| PageId::of_key("notes", key))
            .map(|(generation, _)| generation)
            .collect()
    }

    /// Puts back what `pages` were, and nothing else.
    pub(super) async fn restore(&self, pages: &[(Key, Record)]) {
        for (key, _) in self.pages().await {
            self.overwrite(&key, None).await;
        }
        for (key, record) in pages {
            self.overwrite(key, Some(record.value.clone())).await;
        }
    }

    /// Puts raw bytes at `key`, or takes away what is there.
    pub(super) async fn overwrite(&self, key: &Key, value: Option<Vec<u8>>) {
        let batch = match value {
            Some(value) => Batch::new(1).put(key.clone(), value),
            None => Batch::new(1).delete(key.clone()),
        };
        crate::testing::commit(&self.inner, batch).await.expect("passes");
    }
}

/// A point of the line that the documents are on: the nearest of any is itself, then its neighbours.
pub(super) fn point(n: usize) -> NewDocument {
    let x = n as f32;
    NewDocument {
        text: Some(format!("the word{n} of all")),
        ..document(&format!("{n:05}"), [x, 0.0, 0.0], n as i64)
    }
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Shelf {
    fn info(&self) -> BackendInfo {
        BackendInfo { durability: Durability::Relaxed, shared: true, ..self.inner.info() }
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.inner.get(keys).await?;
        let documents = keys
            .iter()
            .zip(&found)
            .filter(|(key, record)| key.space() == Some(Space::Document) && record.is_some());
        self.documents.fetch_add(documents.count(), Ordering::Relaxed);
        Ok(found)
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        let found = self.inner.scan(range, page).await?;
        let documents = found.records.iter().filter(|(key, _)| key.space() == Some(Space::Document));
        self.documents.fetch_add(documents.count(), Ordering::Relaxed);
        Ok(found)
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<std::result::Result<Committed, Conflict>>> {
        let left = self.commits.load(Ordering::Relaxed);
        if left == 0 {
            return Err(Error::quota("the shelf is full"));
        }
        self.fail_after(if left == usize::MAX { left } else { left - 1 });
        self.inner.commit(batches).await
    }

    async fn stats(&self) -> Result<Stats> {
        self.inner.stats().await
    }

    async fn check(&self) -> Result<Vec<String>> {
        self.inner.check().await
    }

    async fn close(&self) -> Result<()> {
        // Memories come and go over it.
        Ok(())
    }
}
