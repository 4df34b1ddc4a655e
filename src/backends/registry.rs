//! What is open in this process, for whoever looks for a handle that was never closed.
//!
//! It is one list for the whole process, and it only watches: nothing is looked up in it, and no two
//! memories meet through it.
//!
//! **Invariants**
//! - An entry is there from the end of the opening until the memory is closed or its last clone dropped,
//!   whichever comes first.
//! - Numbers are never given twice, so entries are in the order in which they were opened.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A memory that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHandle {
    /// Its number in this process.
    pub number: u64,
    /// The URL it was opened by; `None` if it was made over a backend that was open already.
    pub url: Option<String>,
    /// The name of its backend.
    pub backend: &'static str,
    /// When it was opened, in milliseconds since the Unix epoch, by its own clock.
    pub since: u64,
}

static OPEN: Mutex<BTreeMap<u64, OpenHandle>> = Mutex::new(BTreeMap::new());
static NUMBERS: AtomicU64 = AtomicU64::new(1);

fn open() -> MutexGuard<'static, BTreeMap<u64, OpenHandle>> {
    // Each change is a single call on the map.
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every memory that is open in this process, the oldest first.
///
/// ```
/// # use mnemora::{backends::open_handles, stores::{Memory, MemoryOptions}};
/// # futures_executor::block_on(async {
/// let memory = Memory::open("memory:", &MemoryOptions::default()).await?;
/// assert_eq!(open_handles()[0].url.as_deref(), Some("memory:"));
/// memory.close().await?;
/// assert!(open_handles().is_empty());
/// # mnemora::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
#[must_use]
pub fn open_handles() -> Vec<OpenHandle> {
    open().values().cloned().collect()
}

/// An entry. Dropping it takes it away.
#[derive(Debug)]
pub(crate) struct Registration(u64);

impl Registration {
    /// Enters what has just been opened.
    pub(crate) fn new(url: Option<String>, backend: &'static str, since: u64) -> Self {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        open().insert(number, OpenHandle { number, url, backend, since });
        Self(number)
    }

    /// Takes the entry away. Idempotent.
    pub(crate) fn end(&self) {
        open().remove(&self.0);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(number: u64) -> bool {
        open_handles().iter().any(|handle| handle.number == number)
    }

    #[test]
    fn entries_go_at_the_end_or_with_the_drop() {
        // Other tests of this process open memories too: only these numbers are looked at.
        let (ended, dropped) = (Registration::new(Some("a".into()), "x", 5), Registration::new(None, "x", 6));
        let (first, second) = (ended.0, dropped.0);
        let entry = open_handles().into_iter().find(|handle| handle.number == first);
        assert_eq!(entry, Some(OpenHandle { number: first, url: Some("a".into()), backend: "x", since: 5 }));
        assert!(first < second && there(second));
        ended.end();
        drop(dropped);
        assert!(!there(first) && !there(second));
        ended.end();
    }
}
