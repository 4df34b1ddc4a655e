//! A layer that counts commits, to see what the layers above it make of many writers.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::Result;
use crate::backends::{Backend, BackendInfo, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record};

/// Counts the commits that reach the backend inside.
#[derive(Debug)]
pub struct Counting {
    inner: Box<dyn Backend>,
    commits: AtomicUsize,
}

impl Counting {
    /// Wraps `inner`.
    pub fn new(inner: impl Backend) -> Self {
        Self { inner: Box::new(inner), commits: AtomicUsize::new(0) }
    }

    /// How many commits came through.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Counting {
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
        self.commits.fetch_add(1, Ordering::Relaxed);
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
