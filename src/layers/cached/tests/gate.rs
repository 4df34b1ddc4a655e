//! A backend whose calls can be held up, fail, and be counted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_channel::oneshot;

use super::*;

/// Where a call is held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// A read that has its answer already.
    ReadDone,
    /// A commit that has not begun.
    CommitBegins,
    /// A commit that is stored already.
    CommitDone,
}

/// The backend: see the top of this file.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pub(super) inner: MemoryBackend,
    pub(super) gets: AtomicUsize,
    pub(super) scans: AtomicUsize,
    pub(super) broken: AtomicBool,
    held: Mutex<Vec<(At, oneshot::Receiver<()>)>>,
}

impl Gate {
    /// Holds up the next call that comes to `at`, until the sender is used or dropped.
    pub(super) fn hold(&self, at: At) -> oneshot::Sender<()> {
        let (open, gate) = oneshot::channel();
        self.held.lock().unwrap().push((at, gate));
        open
    }

    pub(super) fn gets(&self) -> usize {
        self.gets.load(Ordering::Relaxed)
    }

    pub(super) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }

    async fn pass(&self, at: At) {
        let gate = {
            let mut held = self.held.lock().unwrap();
            held.iter().position(|(held_at, _)| *held_at == at).map(|index| held.remove(index).1)
        };
        if let Some(gate) = gate {
            let _ = gate.await;
        }
    }

    fn works(&self) -> Result<()> {
        if self.broken.load(Ordering::Relaxed) { Err(Error::unavailable("out of order")) } else { Ok(()) }
    }
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Gate {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.works()?;
        self.gets.fetch_add(1, Ordering::Relaxed);
        let found = self.inner.get(keys).await;
        self.pass(At::ReadDone).await;
        found
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.works()?;
        self.scans.fetch_add(1, Ordering::Relaxed);
        self.inner.scan(range, page).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        self.works()?;
        self.pass(At::CommitBegins).await;
        let verdicts = self.inner.commit(batches).await;
        self.pass(At::CommitDone).await;
        self.works()?;
        verdicts
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
