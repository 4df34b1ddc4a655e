//! Where bytes are kept: the backend contract and its implementations.
//!
//! A backend knows keys, bytes and versions, and nothing of what they mean: validation, expiry and
//! schemas are the stores' business.
//!
//! **Invariants**, held for every implementation by `testing::conformance`
//! - [`Backend::commit`] is the only write. It returns after the storage has accepted it with the
//!   durability that [`BackendInfo`] names, never before.
//! - Each batch is all-or-nothing and judged by itself, after the batches before it in the same
//!   call. Batches that pass get consecutive sequence numbers; the records they put take theirs as
//!   version; one log entry is written in the same physical transaction.
//! - If `commit` returns an error, nothing of any of its batches is stored, unless the error is
//!   [`Unavailable`](crate::ErrorKind::Unavailable) and says that the outcome is unknown.
//! - Scans are in order of key bytes. The log lies in [`Space::Log`](crate::model::Space::Log) and
//!   is read by [`Backend::scan`] only; every number from the oldest kept entry on is there.
//! - After [`Backend::close`], every call gives [`Closed`](crate::ErrorKind::Closed).
//!
//! Deliberately absent: interactive transactions. IndexedDB ends a transaction across a foreign
//! await, so what a caller reads it sends along as preconditions.

use std::fmt;

use async_trait::async_trait;

use crate::Result;
use crate::model::{Batch, Committed, Conflict, Key, MAX_VALUE_BYTES, Page, Range, Record};
use crate::platform::{MaybeSend, MaybeSync};

#[cfg(any(feature = "json", feature = "sqlite"))]
mod civil;
mod fallback;
#[cfg(any(feature = "json", feature = "sqlite"))]
mod file_error;
#[cfg(target_family = "wasm")]
pub mod host;
#[cfg(target_family = "wasm")]
pub mod indexeddb;
#[cfg(feature = "json")]
pub mod json;
mod judge;
#[cfg(any(feature = "json", feature = "sqlite"))]
mod lock;
mod memory;
#[cfg(any(feature = "json", feature = "sqlite"))]
mod offload;
mod registry;
#[cfg(target_family = "wasm")]
mod snapshot;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod table;
mod url;

pub use fallback::{Opened, Refused, open_with_fallback};
#[cfg(any(feature = "json", feature = "sqlite"))]
pub(crate) use file_error::file_error;
pub(crate) use judge::check;
pub use memory::MemoryBackend;
pub(crate) use registry::Registration;
pub use registry::{OpenHandle, open_handles};
#[cfg(target_family = "wasm")]
pub use url::open_object;
pub use url::{OpenOptions, open};

/// Largest stored value, in bytes: room for the envelope and the fields around a user value of the
/// largest size.
pub(crate) const MAX_RECORD_BYTES: usize = MAX_VALUE_BYTES + (1 << 16);

/// What a resolved commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing: it lives as long as the handle.
    Volatile,
    /// The kill of the tab, the browser, the process.
    Relaxed,
    /// Also the loss of power, as far as the disk obeys.
    Strict,
}

impl Durability {
    /// The name that JavaScript sees.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volatile => "volatile",
            Self::Relaxed => "relaxed",
            Self::Strict => "strict",
        }
    }
}

/// What a backend is and offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendInfo {
    /// Its name: `memory`, `indexeddb`, ...
    pub name: &'static str,
    /// What a resolved commit survives.
    pub durability: Durability,
    /// Whether other contexts (tabs, workers) can open the same data at the same time.
    pub shared: bool,
    /// What the storage says of data that it lost before this database was made, if it says so: a
    /// browser that finds its files damaged empties the whole site, and tells it once.
    pub data_loss: Option<String>,
    /// The largest value it takes, in bytes.
    pub max_value_bytes: usize,
}

/// One page of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage {
    /// The records, in scan order.
    pub records: Vec<(Key, Record)>,
    /// Where the next page starts; `None` if this one reached the end of the range.
    pub cursor: Option<Key>,
}

impl ScanPage {
    /// The first `limit` of the records in scan order: one more than that tells that there is more.
    pub(crate) fn first(mut records: Vec<(Key, Record)>, limit: usize) -> Self {
        let more = records.len() > limit;
        records.truncate(limit);
        let cursor = if more { records.last().map(|(key, _)| key.clone()) } else { None };
        Self { records, cursor }
    }
}

/// A few figures about what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// The latest sequence number; 0 before the first commit.
    pub sequence: u64,
    /// How many keys are stored, log entries not counted.
    pub keys: u64,
}

/// Ordered, versioned, transactional bytes. See the [module](self) for the contract.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Backend: fmt::Debug + MaybeSend + MaybeSync + 'static {
    /// What this backend is and offers. Never fails, also after close.
    fn info(&self) -> BackendInfo;

    /// The records at `keys`, in their order; `None` where there is none. One snapshot.
    ///
    /// # Errors
    /// `Closed`, `Unavailable`, `Corrupt`.
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>>;

    /// One page of `range` in order of key bytes. One snapshot.
    ///
    /// # Errors
    /// `Invalid` if the limit is 0; `Closed`, `Unavailable`, `Corrupt`.
    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage>;

    /// Writes the batches in one physical transaction and gives each its verdict, in their order.
    ///
    /// # Errors
    /// `Invalid` for a value that is too large or a key in the log's space, `Quota`, `Closed`,
    /// `Unavailable`; then nothing is stored.
    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>>;

    /// A few figures. May be slow.
    ///
    /// # Errors
    /// `Closed`, `Unavailable`.
    async fn stats(&self) -> Result<Stats>;

    /// What is wrong with the storage below its records, in words for people; empty if it found nothing
    /// or keeps no structure of its own that could be checked. May be slow.
    ///
    /// # Errors
    /// `Closed`, `Unavailable`.
    async fn check(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Ends what is in flight and lets go of the storage. Idempotent.
    ///
    /// # Errors
    /// `Unavailable` if the storage could not be told.
    async fn close(&self) -> Result<()>;
}

/// What every call gives after [`Backend::close`].
pub(crate) fn closed() -> crate::Error {
    crate::Error::closed("the memory was closed; open it again")
}

/// The part of `range` that `page` has left to show.
///
/// # Errors
/// `Invalid` if the page's limit is 0.
pub(crate) fn rest_of(range: &Range, page: &Page) -> Result<Range> {
    if page.limit == 0 {
        return Err(crate::Error::invalid("a page of 0 records can not be read; ask for at least 1"));
    }
    Ok(range.rest(page))
}
