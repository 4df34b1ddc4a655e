//! What the level in memory keeps, for how long, and how much of it.

use super::*;
use crate::testing::rng::SplitMix64;

#[test]
fn a_second_read_does_not_ask_the_truth_whatever_the_value() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        for (id, bytes) in [("empty", vec![]), ("zero", vec![0]), ("text", b"text".to_vec())] {
            commit(&cached, put(id, &bytes)).await.unwrap();
            assert_eq!(value(&cached, &truth.inner, id).await, Some(bytes.clone()));
            let asked = truth.gets();
            assert_eq!(value(&cached, &truth.inner, id).await, Some(bytes));
            assert_eq!(truth.gets(), asked, "{id} was a hit");
        }
        assert_eq!(value(&cached, &truth.inner, "none").await, None);
        let asked = truth.gets();
        assert_eq!(value(&cached, &truth.inner, "none").await, None);
        assert_eq!(truth.gets(), asked, "that there is nothing is known too");
        let counters = cached.counters().first;
        assert_eq!((counters.hits, counters.negative_hits, counters.misses), (4, 1, 4));
        assert_eq!(counters.entries, 4);
        assert!(counters.bytes > 4 * 128 && counters.bytes < 4 * 256, "{counters:?}");
    });
}

#[test]
fn what_a_reader_does_to_his_copy_changes_nobody_elses() {
    block_on(async {
        let truth = Arc::new(MemoryBackend::new());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        commit(&cached, put("a", &[1, 2, 3])).await.unwrap();
        for _ in 0..3 {
            let mut mine = get(&cached, &key("a")).await.unwrap();
            assert_eq!(mine.value, [1, 2, 3]);
            mine.value.fill(9);
            mine.value.clear();
        }
    });
}

#[test]
fn entries_live_as_long_as_they_may() {
    block_on(async {
        let truth = Arc::new(MemoryBackend::new());
        let clock = ManualClock::at(1_000);
        let options = CacheOptions { ttl_ms: Some(10), ..CacheOptions::default() };
        let shared: Arc<dyn Backend> = Arc::<MemoryBackend>::clone(&truth);
        let cached = Cached::open(shared, &options, Arc::new(clock.clone())).await.unwrap();
        commit(&cached, put("a", &[1])).await.unwrap();
        let read = async || get(&cached, &key("a")).await.unwrap().value;
        read().await;
        // Nobody announces it: only age uncovers it.
        commit(&*truth, put("a", &[2])).await.unwrap();
        clock.set(1_009);
        assert_eq!(read().await, [1]);
        clock.set(1_010);
        assert_eq!(read().await, [2]);
        commit(&*truth, put("a", &[3])).await.unwrap();
        cached.announce(3);
        assert_eq!(read().await, [3]);
        assert_eq!(hits(&cached).0, 1);
        clock.set(500);
        read().await;
        assert_eq!(hits(&cached).0, 1, "a clock that jumps back ages too");
    });
}

#[test]
fn the_bound_in_bytes_holds_under_any_load() {
    let seed = 0x6361_6368_6501;
    println!("seed {seed:#x}");
    let mut rng = SplitMix64::new(seed);
    block_on(async {
        for max_bytes in [4_096, 10_000, 300_000] {
            let truth = Arc::new(MemoryBackend::new());
            let cached = open(Arc::clone(&truth), small(max_bytes)).await;
            for _ in 0..3_000 {
                let id = rng.below(400).to_string();
                if rng.below(4) == 0 {
                    let scale = rng.below(14);
                    let length = rng.below(1 << scale);
                    commit(&cached, put(&id, &rng.bytes(length))).await.unwrap();
                }
                value(&cached, &*truth, &id).await;
                let bytes = cached.counters().first.bytes;
                assert!(bytes <= max_bytes, "{bytes} of {max_bytes}");
            }
            let counters = cached.counters().first;
            assert!(max_bytes > 100_000 || counters.evictions > 0, "{counters:?}");
            assert!(max_bytes < 100_000 || counters.hits > 500, "{counters:?}");
        }
    });
}

#[test]
fn what_is_too_large_is_read_from_the_truth_and_pushes_nothing_out() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), small(16_000)).await;
        commit(&cached, put("small", &[1]).put(key("large"), vec![7; 2_000])).await.unwrap();
        value(&cached, &truth.inner, "small").await;
        for _ in 0..50 {
            assert_eq!(value(&cached, &truth.inner, "large").await, Some(vec![7; 2_000]));
        }
        let asked = truth.gets();
        value(&cached, &truth.inner, "small").await;
        assert_eq!(truth.gets(), asked);
        assert_eq!(cached.counters().first.evictions, 0);
    });
}

#[test]
fn bad_options_are_refused_by_name() {
    block_on(async {
        let options = CacheOptions::default();
        for (bad, name) in [
            (small(0), "cache.maxBytes"),
            (CacheOptions { ttl_ms: Some(0), ..options.clone() }, "cache.ttlMs"),
            (CacheOptions { second_ttl_ms: Some(0), ..options.clone() }, "cache.secondTtlMs"),
        ] {
            let error = Cached::open(Arc::new(MemoryBackend::new()), &bad, Arc::new(SystemClock)).await;
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(name), "{error}");
        }
    });
}

#[test]
fn settings_and_what_was_closed_are_not_answered_from_memory() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        let setting = Key::named(Space::Meta, "a", "b").unwrap();
        for n in 1..=3 {
            get(&cached, &setting).await;
            assert_eq!(truth.gets(), n);
        }
        commit(&cached, put("a", &[1])).await.unwrap();
        value(&cached, &truth.inner, "a").await;
        cached.close().await.unwrap();
        assert_eq!(cached.get(&[key("a")]).await.unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(cached.counters().first.entries, 0);
    });
}
