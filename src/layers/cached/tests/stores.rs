//! Stores and transactions over cached memories that share a backend, as two tabs do.

use futures_util::future::join_all;

use super::*;
use crate::stores::{Memory, MemoryOptions, SaveItem, Store, StoreOptions, TimeToLive};

async fn memory(truth: &Arc<MemoryBackend>, cache: CacheOptions) -> Memory {
    let truth: Arc<dyn Backend> = Arc::<MemoryBackend>::clone(truth);
    let options = MemoryOptions { cache: Some(cache), ..MemoryOptions::default() };
    Memory::with(truth, &options).await.unwrap()
}

fn store(memory: &Memory, history: usize) -> Store {
    memory.store("s", StoreOptions { history, ..StoreOptions::default() }).unwrap()
}

async fn increment(memory: &Memory, store: &Store) {
    for _ in 0..1_000 {
        let transaction = memory.begin();
        let Ok(found) = transaction.get(store, "n").await else { continue };
        let next = found.map_or(1, |payload| payload[0] + 1);
        transaction.save(store, "n", vec![next], TimeToLive::Default).unwrap();
        match transaction.commit(None).await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
        }
    }
    panic!("a transaction read the same stale value again and again");
}

#[test]
fn increments_from_two_memories_that_tell_each_other_nothing_add_up() {
    block_on(async {
        for second in [false, true] {
            let truth = Arc::new(MemoryBackend::new());
            let behind = Arc::new(MemoryBackend::new());
            let options = || if second { with_second(9_999, &behind) } else { CacheOptions::default() };
            let memories = [memory(&truth, options()).await, memory(&truth, options()).await];
            let stores = [store(&memories[0], 0), store(&memories[1], 0)];
            // Both know that there is nothing.
            for store in &stores {
                assert!(store.get("n").await.unwrap().is_none());
            }
            join_all((0..100).map(|n| increment(&memories[n % 2], &stores[n % 2]))).await;
            let raw = Memory::over(truth, false, Arc::new(SystemClock)).await.unwrap();
            assert_eq!(
                raw.store("s", StoreOptions::default()).unwrap().get("n").await.unwrap().unwrap().payload,
                [100]
            );
        }
    });
}

#[test]
fn saves_that_keep_a_history_and_deletes_get_past_stale_reads() {
    block_on(async {
        let truth = Arc::new(MemoryBackend::new());
        let memories =
            [memory(&truth, CacheOptions::default()).await, memory(&truth, CacheOptions::default()).await];
        let stores = [store(&memories[0], 100), store(&memories[1], 100)];
        for n in 0..40u8 {
            let (here, there) = (&stores[usize::from(n) % 2], &stores[usize::from(n + 1) % 2]);
            there.get("a").await.unwrap();
            here.save(&[SaveItem::new("a", vec![n])], None).await.expect("nobody is refused");
        }
        assert_eq!(stores[1].history("a", 100).await.unwrap().len(), 39);
        assert!(stores[0].delete("a", None, None).await.unwrap());
        memories[1].announce(memories[0].head());
        assert!(stores[1].get("a").await.unwrap().is_none());
        assert!(memories[1].cache_counters().unwrap().first.hits > 0);
    });
}

#[test]
fn what_has_expired_is_not_there_also_if_it_is_cached() {
    block_on(async {
        let clock = ManualClock::at(1_000);
        let options = MemoryOptions {
            cache: Some(CacheOptions::default()),
            clock: Arc::new(clock.clone()),
            ..MemoryOptions::default()
        };
        let memory = Memory::open("memory:", &options).await.unwrap();
        let store = store(&memory, 0);
        let item = SaveItem { ttl: TimeToLive::Milliseconds(10), ..SaveItem::new("a", vec![]) };
        store.save(&[item], None).await.unwrap();
        for _ in 0..2 {
            assert!(store.get("a").await.unwrap().is_some());
        }
        clock.advance(10);
        assert!(store.get("a").await.unwrap().is_none());
        assert_eq!(memory.cache_counters().unwrap().first.hits, 2);
        memory.maintain(100.0).await.unwrap();
        assert!(store.get("a").await.unwrap().is_none());
    });
}
