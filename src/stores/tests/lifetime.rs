//! The end of a memory, and what becomes of its storage on the way: closing, checking, falling back.

use async_trait::async_trait;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::backends::{BackendInfo, ScanPage, Stats, open_handles};
use crate::model::{Committed, Conflict};
use crate::platform::yield_now;
use crate::stores::{MemoryOptions, RetryPolicy};

/// Storage that is slow, counts what it stored before it was closed, and says what is wrong with it.
#[derive(Debug, Default)]
struct Slow {
    inner: MemoryBackend,
    stored: AtomicUsize,
    closed: AtomicBool,
    damage: Vec<String>,
    unreadable: bool,
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Slow {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        yield_now().await;
        self.inner.get(keys).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.inner.scan(range, page).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        for _ in 0..5 {
            yield_now().await;
        }
        let verdicts = self.inner.commit(batches).await?;
        assert!(!self.closed.load(Ordering::Relaxed));
        self.stored.fetch_add(batches.iter().map(|batch| batch.puts.len()).sum(), Ordering::Relaxed);
        Ok(verdicts)
    }

    async fn stats(&self) -> Result<Stats> {
        self.inner.stats().await
    }

    async fn check(&self) -> Result<Vec<String>> {
        if self.unreadable {
            return Err(Error::unavailable("the disk does not answer"));
        }
        Ok(self.damage.clone())
    }

    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Relaxed);
        self.inner.close().await
    }
}

async fn over(slow: &Arc<Slow>) -> Memory {
    let backend: Arc<dyn Backend> = Arc::<Slow>::clone(slow);
    Memory::over(backend, true, Arc::new(ManualClock::at(1_000))).await.unwrap()
}

#[test]
fn what_was_accepted_before_a_close_is_stored_and_what_comes_after_is_refused() {
    block_on(async {
        let slow = Arc::new(Slow::default());
        let memory = over(&slow).await;
        let store = memory.store("s", plain()).unwrap();
        let saves = (0..100u8).map(|n| {
            let store = store.clone();
            async move { store.save(&[item(&format!("{n:03}"), n)], None).await }
        });
        let closing = async {
            yield_now().await;
            memory.close().await
        };
        // Polled in this order: every save is accepted before the close is.
        let (saved, closed) = futures_util::join!(join_all(saves), closing);
        closed.unwrap();
        for outcome in saved {
            outcome.unwrap();
        }
        assert_eq!(slow.stored.load(Ordering::Relaxed), 100);
        memory.close().await.unwrap();
        refused(store.save(&[item("a", 1)], None).await, ErrorKind::Closed);
        refused(store.get("a").await, ErrorKind::Closed);
        refused(store.delete("a", None, None).await, ErrorKind::Closed);
        refused(memory.verify(None).await, ErrorKind::Closed);
        refused(memory.maintain(1.0).await, ErrorKind::Closed);
        let transaction = memory.begin();
        refused(transaction.get(&store, "a").await, ErrorKind::Closed);
        refused(transaction.list(&store, "").await, ErrorKind::Closed);
        let policy = RetryPolicy::default();
        refused(memory.transact(policy, async |tx| tx.get(&store, "a").await).await, ErrorKind::Closed);
    });
}

#[test]
fn verify_tells_what_is_wrong_below_the_records_once() {
    block_on(async {
        let damage = vec!["page 7 is in no tree".to_owned(), "an index lacks a row".to_owned()];
        let slow = Arc::new(Slow { damage: damage.clone(), ..Slow::default() });
        let memory = over(&slow).await;
        let store = memory.store("s", plain()).unwrap();
        let records: Vec<SaveItem> = (0..2_500).map(|n| item(&format!("{n:04}"), 1)).collect();
        store.save(&records, None).await.unwrap();
        let (mut problems, mut checked, mut cursor) = (Vec::new(), 0, None);
        loop {
            let page = memory.verify(cursor).await.unwrap();
            problems.extend(page.problems);
            checked += page.checked;
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(checked, 2_500);
        let told: Vec<_> = problems.iter().map(|one| (one.kind, one.key.as_str(), &one.message)).collect();
        let expected: Vec<_> = damage.iter().map(|what| (ErrorKind::Corrupt, "storage", what)).collect();
        assert_eq!(told, expected);

        let dead = over(&Arc::new(Slow { unreadable: true, ..Slow::default() })).await;
        refused(dead.verify(None).await, ErrorKind::Unavailable);
    });
}

#[test]
fn a_memory_tells_what_was_opened_and_is_known_while_it_is_open() {
    block_on(async {
        let fallback = vec!["memory:".to_owned()];
        let clock = Arc::new(ManualClock::at(77));
        let options = MemoryOptions { fallback, clock, ..MemoryOptions::default() };
        let memory = Memory::open("idb://podcast", &options).await.unwrap();
        let opened = memory.opened().unwrap();
        assert_eq!((opened.asked.as_str(), opened.taken.as_str()), ("idb://podcast", "memory:"));
        assert_eq!(opened.refused[0].error.kind(), ErrorKind::Unsupported);
        // Other tests of this process have memories open as well.
        let mine = || open_handles().into_iter().filter(|one| one.since == 77).collect::<Vec<_>>();
        assert_eq!((mine()[0].url.as_deref(), mine()[0].backend), (Some("memory:"), "memory"));
        let clone = memory.clone();
        drop(memory);
        assert_eq!(mine().len(), 1, "a clone is left");
        drop(clone);
        assert!(mine().is_empty());

        let nothing_declared = MemoryOptions::default();
        refused(Memory::open("idb://podcast", &nothing_declared).await, ErrorKind::Unsupported);
        let over = World::new().memory(true).await;
        assert!(over.opened().is_none());
    });
}
