//! Reads and writes that meet, here and in other contexts.

use std::sync::atomic::Ordering;

use futures_util::poll;

use super::gate::At;
use super::*;

#[test]
fn a_read_that_was_under_way_during_a_write_leaves_nothing_old_behind() {
    block_on(async {
        for second in [false, true] {
            let truth = Arc::new(Gate::default());
            let behind = Arc::new(MemoryBackend::new());
            let options = if second { with_second(100_000, &behind) } else { CacheOptions::default() };
            let cached = open(Arc::clone(&truth), options).await;
            commit(&cached, put("a", &[1])).await.unwrap();
            let gate = truth.hold(At::ReadDone);
            let keys = [key("a")];
            let mut reader = cached.get(&keys);
            assert!(poll!(reader.as_mut()).is_pending(), "it has the old value in hand");
            commit(&cached, put("a", &[2])).await.unwrap();
            assert_eq!(value(&cached, &truth.inner, "a").await, Some(vec![2]));
            drop(gate);
            let late = reader.await.unwrap().remove(0).unwrap();
            assert_eq!(late.value, [1], "it began before the write");
            assert_eq!(value(&cached, &truth.inner, "a").await, Some(vec![2]));
            let anew =
                open(Arc::clone(&truth), if second { with_second(100_000, &behind) } else { small(9_999) });
            assert_eq!(value(&anew.await, &truth.inner, "a").await, Some(vec![2]));
        }
    });
}

#[test]
fn a_read_during_a_write_may_see_either_and_later_ones_only_the_new() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        commit(&cached, put("a", &[1])).await.unwrap();
        value(&cached, &truth.inner, "a").await;
        let gate = truth.hold(At::CommitDone);
        let batch = [put("a", &[2])];
        let mut write = cached.commit(&batch);
        assert!(poll!(write.as_mut()).is_pending(), "it is stored, and nobody knows");
        assert_eq!(get(&cached, &key("a")).await.unwrap().value, [1]);
        drop(gate);
        write.await.unwrap().remove(0).unwrap();
        assert_eq!(value(&cached, &truth.inner, "a").await, Some(vec![2]));
    });
}

#[test]
fn a_write_whose_future_was_dropped_leaves_no_old_value() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let behind = Arc::new(MemoryBackend::new());
        let cached = open(Arc::clone(&truth), with_second(100_000, &behind)).await;
        commit(&cached, put("a", &[1])).await.unwrap();
        value(&cached, &truth.inner, "a").await;
        let gate = truth.hold(At::CommitBegins);
        let batch = [put("a", &[2])];
        let mut write = cached.commit(&batch);
        assert!(poll!(write.as_mut()).is_pending());
        drop(write);
        drop(gate);
        // Whoever held the lead for it may store it at any later time.
        for n in 2..9 {
            value(&cached, &truth.inner, "a").await;
            commit(&truth.inner, put("a", &[n])).await.unwrap();
            assert_eq!(value(&cached, &truth.inner, "a").await, Some(vec![n]), "not cached while in doubt");
        }
        commit(&cached, put("b", &[1])).await.unwrap();
        assert_eq!(value(&cached, &truth.inner, "a").await, Some(vec![8]));
        let asked = truth.gets();
        value(&cached, &truth.inner, "a").await;
        assert_eq!(truth.gets(), asked, "a later write settled it");
    });
}

#[test]
fn a_write_that_failed_with_its_outcome_unknown_leaves_no_old_value() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        commit(&cached, put("a", &[1])).await.unwrap();
        value(&cached, &truth.inner, "a").await;
        let gate = truth.hold(At::CommitDone);
        let batch = [put("a", &[2])];
        let mut write = cached.commit(&batch);
        assert!(poll!(write.as_mut()).is_pending());
        truth.set_broken(true);
        drop(gate);
        assert_eq!(write.await.unwrap_err().kind(), ErrorKind::Unavailable);
        truth.set_broken(false);
        assert_eq!(value(&cached, &truth.inner, "a").await, Some(vec![2]));
    });
}

#[test]
fn what_another_context_wrote_is_seen_once_it_is_announced() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let here = open(Arc::clone(&truth), CacheOptions::default()).await;
        let there = open(Arc::clone(&truth), CacheOptions::default()).await;
        commit(&there, put("a", &[0]).put(key("b"), vec![0])).await.unwrap();
        for n in 1..=20u8 {
            for id in ["a", "b", "never there"] {
                value_or_stale(&here, id).await;
            }
            let written = commit(&there, put("a", &[n])).await.unwrap().sequence;
            here.announce(written);
            assert_eq!(value(&here, &truth.inner, "a").await, Some(vec![n]));
            commit(&truth.inner, Batch::new(1).delete(key("b"))).await.unwrap();
            let written = commit(&truth.inner, put("never there", &[n])).await.unwrap().sequence;
            here.announce(written);
            assert_eq!(value(&here, &truth.inner, "b").await, None);
            assert_eq!(value(&here, &truth.inner, "never there").await, Some(vec![n]));
            commit(&there, put("b", &[n])).await.unwrap();
        }
    });
}

async fn value_or_stale(cached: &Cached, id: &str) {
    get(cached, &key(id)).await;
}

#[test]
fn announcements_that_are_not_true_cost_one_look_each() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        commit(&cached, put("a", &[1])).await.unwrap();
        value(&cached, &truth.inner, "a").await;
        let looked = truth.scans.load(Ordering::Relaxed);
        for forged in [u64::MAX, 7, 1] {
            cached.announce(forged);
            for _ in 0..5 {
                value(&cached, &truth.inner, "a").await;
            }
        }
        assert_eq!(truth.scans.load(Ordering::Relaxed), looked + 2, "1 was known already");
        commit(&truth.inner, put("a", &[2])).await.unwrap();
        cached.announce(2);
        assert_eq!(value(&cached, &truth.inner, "a").await, Some(vec![2]), "nor do they hide true ones");
    });
}

#[test]
fn a_log_that_was_trimmed_under_the_cache_clears_it() {
    block_on(async {
        let truth = Arc::new(MemoryBackend::new());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        for id in ["a", "b"] {
            commit(&cached, put(id, &[1])).await.unwrap();
            value(&cached, &*truth, id).await;
        }
        commit(&*truth, put("a", &[2])).await.unwrap();
        commit(&*truth, Batch { trim_log: Some(3), ..put("c", &[2]) }).await.unwrap();
        cached.announce(4);
        for id in ["a", "b", "c"] {
            value(&cached, &*truth, id).await;
        }
        assert_eq!(cached.counters().first.hits, 0);
        assert_eq!(value(&cached, &*truth, "a").await, Some(vec![2]));
        assert_eq!(cached.counters().first.hits, 1, "and then it caches again");
    });
}

#[test]
fn after_a_conflict_the_truth_is_read() {
    block_on(async {
        let truth = Arc::new(MemoryBackend::new());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        commit(&cached, put("a", &[1]).put(key("b"), vec![1])).await.unwrap();
        let stale = get(&cached, &key("a")).await.unwrap();
        value(&cached, &*truth, "b").await;
        // Nobody announces it.
        commit(&*truth, put("a", &[2]).put(key("b"), vec![2])).await.unwrap();
        assert_eq!(get(&cached, &key("a")).await, Some(stale.clone()), "not known here yet");
        let retry = |version| put("a", &[3]).require(key("a"), Precondition::Version(version));
        let conflict = commit(&cached, retry(stale.version)).await.unwrap_err();
        let read = get(&cached, &key("a")).await.unwrap();
        assert_eq!(Some(read.version), conflict.found);
        commit(&cached, retry(read.version)).await.expect("the second attempt passes");
        assert_eq!(value(&cached, &*truth, "b").await, Some(vec![2]), "the log was read too");
    });
}

#[test]
fn several_keys_are_of_one_snapshot() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        let both = |n: u8| put("a", &[n]).put(key("b"), vec![n]);
        commit(&cached, both(1)).await.unwrap();
        for n in 2..10 {
            get(&cached, &key("a")).await;
            // Another context, unannounced; the next read of b finds the new one.
            commit(&truth.inner, both(n)).await.unwrap();
            let mut keys = [key("a"), key("b")];
            for _ in 0..2 {
                let found = cached.get(&keys).await.unwrap();
                let values: Vec<u8> = found.iter().flatten().map(|record| record.value[0]).collect();
                assert_eq!(values[0], values[1]);
                get(&cached, &key("b")).await;
                keys.reverse();
            }
        }
        let asked = truth.gets();
        let keys = [key("a"), key("b")];
        cached.get(&keys).await.unwrap();
        cached.get(&keys).await.unwrap();
        assert!(truth.gets() <= asked + 1, "and they are answered from memory");
    });
}

#[test]
fn own_writes_in_any_order_need_no_look_into_the_log() {
    block_on(async {
        let truth = Arc::new(Gate::default());
        let cached = open(Arc::clone(&truth), CacheOptions::default()).await;
        let gate = truth.hold(At::CommitDone);
        let (one, two) = ([put("a", &[1])], [put("b", &[1])]);
        let mut first = cached.commit(&one);
        assert!(poll!(first.as_mut()).is_pending());
        assert_eq!(cached.commit(&two).await.unwrap()[0], Ok(Committed { sequence: 2 }));
        drop(gate);
        assert_eq!(first.await.unwrap()[0], Ok(Committed { sequence: 1 }));
        let looked = truth.scans.load(Ordering::Relaxed);
        value(&cached, &truth.inner, "a").await;
        assert_eq!(truth.scans.load(Ordering::Relaxed), looked);
    });
}
