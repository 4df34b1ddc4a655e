//! From a backend whose calls block to the contract: its calls run on a [`Worker`].
//!
//! **Invariants**
//! - Calls run one after another, in the order they were made; each sees what those before it did.
//! - After `close`, whatever it gave, every call gives `Closed`, and what the backend held is free.
//! - Opening waits at most the given time for another holder, and then gives his `Blocked` error.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::{Backend, BackendInfo, ScanPage, Stats, closed};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record};
use crate::platform::{MaybeSend, Monotonic, Worker, WorkerGone, sleep};
use crate::{Error, ErrorKind, Result};

/// How long to wait before asking again whether another holder has let go, in milliseconds.
const ASK_AGAIN_MS: u32 = 25;

/// A backend whose calls block. The methods are those of [`Backend`].
pub(crate) trait Blocking: std::fmt::Debug + Sized + 'static {
    fn info(&self) -> BackendInfo;
    fn get(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>>;
    fn scan(&mut self, range: &Range, page: &Page) -> Result<ScanPage>;
    fn commit(&mut self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>>;
    fn stats(&mut self) -> Result<Stats>;
    fn check(&mut self) -> Result<Vec<String>>;
    /// Lets go of everything. Called once.
    fn close(self) -> Result<()>;
}

/// The adapter: see the top of this file.
#[derive(Debug)]
pub(crate) struct Offloaded<B> {
    info: BackendInfo,
    worker: Worker<Option<B>>,
    closed: AtomicBool,
}

impl<B: Blocking> Offloaded<B> {
    /// Opens by `open`, which is tried anew while it gives `Blocked`, for `timeout_ms`.
    pub(crate) async fn open(
        timeout_ms: u32,
        open: impl Fn() -> Result<B> + Clone + MaybeSend + 'static,
    ) -> Result<Self> {
        let began = Monotonic::now();
        loop {
            let open = open.clone();
            let opened = Worker::start("mnemora-backend", move || open().map(Some)).await.map_err(gone)?;
            match opened {
                Ok(worker) => {
                    let info = worker
                        .run(|backend| backend.as_ref().map(Blocking::info))
                        .await
                        .map_err(gone)?
                        .ok_or_else(|| Error::internal("a backend was closed while it was opened"))?;
                    return Ok(Self { info, worker, closed: AtomicBool::new(false) });
                }
                Err(error) if error.kind() == ErrorKind::Blocked => {
                    if began.elapsed_ms() >= f64::from(timeout_ms) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
            sleep(ASK_AGAIN_MS).await;
        }
    }

    async fn run<R: MaybeSend + 'static>(
        &self,
        job: impl FnOnce(&mut B) -> Result<R> + MaybeSend + 'static,
    ) -> Result<R> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let done = self.worker.run(|backend| job(backend.as_mut().ok_or_else(closed)?)).await;
        // A close that came in between has ended the worker.
        let ended = |cause| if self.closed.load(Ordering::Acquire) { closed() } else { gone(cause) };
        done.map_err(ended)?
    }
}

fn gone(cause: WorkerGone) -> Error {
    Error::internal("the backend stopped on a defect; what was acknowledged is stored: open it again")
        .with_source(cause)
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl<B: Blocking> Backend for Offloaded<B> {
    fn info(&self) -> BackendInfo {
        self.info.clone()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let keys = keys.to_vec();
        self.run(move |backend| backend.get(&keys)).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        let range = range.clone();
        self.run(move |backend| backend.scan(&range, &page)).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        let batches = batches.to_vec();
        self.run(move |backend| backend.commit(&batches)).await
    }

    async fn stats(&self) -> Result<Stats> {
        self.run(Blocking::stats).await
    }

    async fn check(&self) -> Result<Vec<String>> {
        self.run(Blocking::check).await
    }

    async fn close(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // Behind whatever was asked for before it.
        let closed = self.worker.run(|backend| backend.take().map_or(Ok(()), Blocking::close)).await;
        self.worker.end();
        closed.map_err(gone)?
    }
}
