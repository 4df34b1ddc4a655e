//! An opened memory: a backend, a clock, and how far the log is known to reach.
//!
//! **Invariant**: what is open is in [`backends::open_handles`]; what was closed or dropped is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::collection::Collections;
use crate::backends::{self, Backend, BackendInfo, OpenOptions, Opened, Registration};
use crate::layers::{CacheCounters, CacheOptions, Cached, GroupCommit};
use crate::model::{Batch, Committed, Conflict};
use crate::platform::{Clock, SystemClock};
use crate::{Error, Result};

/// How to open a memory. What is not given is as by default:
///
/// ```
/// # use mnemora::stores::MemoryOptions;
/// let options = MemoryOptions { fallback: vec!["memory:".into()], ..MemoryOptions::default() };
/// ```
#[derive(Debug, Clone)]
pub struct MemoryOptions {
    /// How to open the backend.
    pub backend: OpenOptions,
    /// URLs to open instead, in this order, when the storage asked for can not be had (unsupported
    /// here, unreachable, held by another, or full). Without any, that is an error; damaged data or
    /// data of a newer release always is. [`Memory::opened`] tells what was taken.
    pub fallback: Vec<String>,
    /// Whether concurrent writes share a transaction.
    pub group_commit: bool,
    /// The clock that stamps records and tells what has expired.
    pub clock: Arc<dyn Clock>,
    /// How to cache what is read; not at all if not given.
    pub cache: Option<CacheOptions>,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            backend: OpenOptions::default(),
            fallback: Vec::new(),
            group_commit: true,
            clock: Arc::new(SystemClock),
            cache: None,
        }
    }
}

/// An opened memory. Clones share the backend.
#[derive(Debug, Clone)]
pub struct Memory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    backend: Arc<dyn Backend>,
    /// The layer of the backend that caches, if there is one.
    cache: Option<Arc<Cached>>,
    clock: Arc<dyn Clock>,
    latest_time: AtomicU64,
    /// The latest number that was seen in a commit or in the log.
    head: AtomicU64,
    /// The latest number that another context spoke of; only a reason to look.
    hint: AtomicU64,
    /// Up to where the log was last asked to be trimmed.
    trimmed: AtomicU64,
    collections: Collections,
    /// Transactions of this memory that start over do so one after the other.
    turn: futures_util::lock::Mutex<()>,
    opened: Option<Opened>,
    registration: Registration,
}

impl Memory {
    /// Opens what `url` names, or else the first of the declared fallbacks that can be had; see
    /// [`backends::open`] for the URLs.
    ///
    /// # Errors
    /// What [`backends::open_with_fallback`] and [`Memory::with`] give.
    pub async fn open(url: &str, options: &MemoryOptions) -> Result<Self> {
        let (backend, opened) =
            backends::open_with_fallback(url, &options.fallback, &options.backend).await?;
        Self::assemble(backend, options, Some(opened)).await
    }

    /// A memory over a backend that is open already, without a cache.
    ///
    /// # Errors
    /// What reading the end of the log gives.
    pub async fn over(backend: Arc<dyn Backend>, group_commit: bool, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::with(backend, &MemoryOptions { group_commit, clock, ..MemoryOptions::default() }).await
    }

    /// A memory over a backend that is open already; how to open one does not matter here.
    ///
    /// # Errors
    /// What reading the end of the log gives, and what [`Cached::open`] gives.
    pub async fn with(backend: Arc<dyn Backend>, options: &MemoryOptions) -> Result<Self> {
        Self::assemble(backend, options, None).await
    }

    async fn assemble(
        backend: Arc<dyn Backend>,
        options: &MemoryOptions,
        opened: Option<Opened>,
    ) -> Result<Self> {
        let clock = Arc::clone(&options.clock);
        let mut backend: Arc<dyn Backend> = if options.group_commit {
            Arc::new(GroupCommit::new(backend))
        } else {
            Arc::new(GroupCommit::one_by_one(backend))
        };
        let mut cache = None;
        if let Some(options) = &options.cache {
            // Outermost, so that what it knows waits for no queue.
            let cached = Arc::new(Cached::open(backend, options, Arc::clone(&clock)).await?);
            backend = Arc::<Cached>::clone(&cached);
            cache = Some(cached);
        }
        let head = crate::log::head(&*backend).await?;
        let latest_time = head.time.max(clock.now());
        let url = opened.as_ref().map(|opened| opened.taken.clone());
        Ok(Self {
            shared: Arc::new(Shared {
                registration: Registration::new(url, backend.info().name, latest_time),
                backend,
                cache,
                clock,
                // What had expired when somebody last wrote has expired now, whatever the clock says.
                latest_time: AtomicU64::new(latest_time),
                head: AtomicU64::new(head.sequence),
                hint: AtomicU64::new(0),
                trimmed: AtomicU64::new(0),
                collections: Collections::default(),
                turn: futures_util::lock::Mutex::new(()),
                opened,
            }),
        })
    }

    /// What was opened.
    #[must_use]
    pub fn info(&self) -> BackendInfo {
        self.shared.backend.info()
    }

    /// What was asked for, what was taken, and why not what came before it; `None` of a memory that
    /// was made over a backend.
    #[must_use]
    pub fn opened(&self) -> Option<&Opened> {
        self.shared.opened.as_ref()
    }

    /// The latest sequence number this memory has seen in a commit or in the log.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.shared.head.load(Ordering::Acquire)
    }

    /// Another context says that the log has reached `sequence`. Nothing depends on its being true.
    pub fn announce(&self, sequence: u64) {
        self.shared.hint.fetch_max(sequence, Ordering::AcqRel);
        if let Some(cache) = &self.shared.cache {
            cache.announce(sequence);
        }
    }

    /// What the cache did so far, if there is one.
    #[must_use]
    pub fn cache_counters(&self) -> Option<CacheCounters> {
        self.shared.cache.as_ref().map(|cache| cache.counters())
    }

    /// Upkeep of the cache: see [`Cached::sweep`]. Returns whether it came to the end.
    pub async fn sweep_cache(&self, limit: usize) -> bool {
        match &self.shared.cache {
            Some(cache) => cache.sweep(limit).await,
            None => true,
        }
    }

    /// The log was seen to reach `sequence`.
    pub(crate) fn confirm(&self, sequence: u64) {
        self.shared.head.fetch_max(sequence, Ordering::AcqRel);
    }

    /// Whether a follower at `cursor` has reason to read on.
    pub(crate) fn may_be_beyond(&self, cursor: u64) -> bool {
        cursor < self.head().max(self.shared.hint.load(Ordering::Acquire))
    }

    /// The log ends where it was known to end: whatever was announced beyond is not there.
    pub(crate) fn dismiss_hint(&self) {
        self.shared.hint.store(0, Ordering::Release);
    }

    /// Up to where the log should be trimmed so that it keeps `keep` entries; `None` if it was
    /// trimmed not long ago.
    pub(crate) fn trim_due(&self, keep: u64) -> Option<u64> {
        let to = self.head().saturating_sub(keep);
        // Not for every entry: a trim is a transaction of its own.
        let due = to >= self.shared.trimmed.load(Ordering::Acquire) + keep / 10;
        due.then(|| {
            self.shared.trimmed.store(to, Ordering::Release);
            to
        })
    }

    /// Stores what was accepted and closes the backend. Idempotent; every later call on this memory, its
    /// clones and its stores gives `Closed`.
    ///
    /// Dropping the last clone lets go of the storage as well, but can not tell of a failure.
    ///
    /// # Errors
    /// `Unavailable` if the storage could not be told.
    pub async fn close(&self) -> Result<()> {
        // What is kept of indexes only makes the next opening shorter: without it they are made of the
        // records, so a failure here is none of closing.
        let _ = self.flush_collections().await;
        let closed = self.shared.backend.close().await;
        self.shared.collections.clear();
        self.shared.registration.end();
        closed
    }

    /// Where transactions that start over wait for one another.
    pub(super) fn turn(&self) -> &futures_util::lock::Mutex<()> {
        &self.shared.turn
    }

    /// The collections that were used through this memory.
    pub(crate) fn collections(&self) -> &Collections {
        &self.shared.collections
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.shared.backend
    }

    /// The time, in milliseconds since the Unix epoch: the latest that this memory has seen, by its
    /// clock or in the log. A clock that goes back holds it still.
    pub(crate) fn now(&self) -> u64 {
        let now = self.shared.clock.now();
        self.shared.latest_time.fetch_max(now, Ordering::AcqRel).max(now)
    }

    /// Commits one batch; a conflict stays a value, for callers that try again.
    pub(crate) async fn try_commit(&self, batch: Batch) -> Result<Result<Committed, Conflict>> {
        let verdict = self.shared.backend.commit(std::slice::from_ref(&batch)).await?.into_iter().next();
        let verdict = verdict.ok_or_else(|| Error::internal("a backend gave no verdict on a batch"))?;
        if let Ok(committed) = &verdict {
            self.confirm(committed.sequence);
        }
        Ok(verdict)
    }

    /// Commits one batch; a conflict is an error.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Committed> {
        self.try_commit(batch).await?.map_err(|conflict| conflict_error(&conflict, None))
    }
}

/// The error that a caller sees of a conflict.
pub(crate) fn conflict_error(conflict: &Conflict, expected: Option<u64>) -> Error {
    let found = match conflict.found {
        Some(version) => format!("has version {version}"),
        None => "is not there".to_owned(),
    };
    let message = match expected {
        Some(0) => format!("the record {found}, but was expected not to be there; read it and decide anew"),
        Some(expected) => {
            format!("the record {found}, but version {expected} was expected; read it again and retry")
        }
        None => format!("the record {found}: another writer was faster; read it again and retry"),
    };
    Error::conflict(message).with_key(conflict.key.clone())
}
