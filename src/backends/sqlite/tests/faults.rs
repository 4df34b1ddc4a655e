//! A disk that is full, that does not sync, that can not be written to.

use std::sync::atomic::Ordering;

use super::failing::Failing;
use super::*;

#[test]
fn a_full_disk_refuses_whole_commits_and_takes_them_when_there_is_space() {
    block_on(async {
        let spaces = [0, 10, 3_000, 4_120, 8_240, 30_000];
        let cases =
            spaces.into_iter().flat_map(|space| [(space, Durability::Relaxed), (space, Durability::Strict)]);
        for (space, durability) in cases {
            let place = format!("space {space}, {durability:?}");
            let path = fresh_path();
            let (files, rules) = Failing::working();
            let backend = open_on(Arc::clone(&files), &path, durability).await.expect("opens");
            for number in 0..50 {
                put(&backend, &format!("{number}"), &[1; 500]).await.expect("writes");
            }
            rules.space.store(space, Ordering::Relaxed);
            let error = refused(put(&backend, "large", &[2; 60_000]).await, ErrorKind::Quota);
            assert!(error.message().contains("no space is left on the test's disk"), "{error}");
            assert_eq!(get(&backend, "7").await.expect("goes through"), Some(vec![1; 500]), "{place}");
            assert_eq!(get(&backend, "large").await.expect("goes through"), None, "{place}");
            assert_eq!(backend.check().await.expect("needs no space"), Vec::<String>::new(), "{place}");
            rules.space.store(i64::MAX, Ordering::Relaxed);
            assert_eq!(put(&backend, "large", &[3; 60_000]).await.expect("goes through"), 51);
            backend.close().await.expect("closes");
            let backend = open_at(&path).await.expect("opens");
            assert_eq!(backend.check().await.expect("goes through"), Vec::<String>::new(), "{place}");
            assert_eq!(get(&backend, "large").await.expect("goes through"), Some(vec![3; 60_000]));
            assert_eq!(backend.stats().await.expect("counts").keys, 51);
        }
    });
}

#[test]
fn a_disk_that_fills_up_within_a_large_commit_takes_nothing_of_it() {
    block_on(async {
        // Beyond the pages kept in memory: frames are sent, and read back, long before the end.
        let large = |byte: u8| {
            (0..40).fold(Batch::new(1), |batch, n| batch.put(key(&format!("{n}")), vec![byte; 1 << 20]))
        };
        for space in [1 << 20, 10 << 20, 39 << 20] {
            let path = fresh_path();
            let (files, rules) = Failing::working();
            let backend = open_on(files, &path, Durability::Relaxed).await.expect("opens");
            put(&backend, "7", b"small").await.expect("writes");
            rules.space.store(space, Ordering::Relaxed);
            refused(backend.commit(&[large(2)]).await, ErrorKind::Quota);
            rules.space.store(20_000, Ordering::Relaxed);
            assert_eq!(
                get(&backend, "7").await.expect("goes through"),
                Some(b"small".to_vec()),
                "space {space}"
            );
            assert_eq!(put(&backend, "8", b"fits").await.expect("a small one fits"), 2);
            rules.space.store(i64::MAX, Ordering::Relaxed);
            backend.commit(&[large(3)]).await.expect("goes through");
            drop(backend);
            let backend = open_at(&path).await.expect("opens");
            assert_eq!(
                get(&backend, "39").await.expect("goes through"),
                Some(vec![3; 1 << 20]),
                "space {space}"
            );
            assert_eq!(backend.check().await.expect("goes through"), Vec::<String>::new(), "space {space}");
        }
    });
}

#[test]
fn a_full_disk_at_the_checkpoint_and_at_the_close_loses_nothing() {
    block_on(async {
        let path = fresh_path();
        let (files, rules) = Failing::working();
        let backend = open_on(Arc::clone(&files), &path, Durability::Relaxed).await.expect("opens");
        for number in 0..20 {
            put(&backend, &format!("{number}"), &[1; 5_000]).await.expect("writes");
        }
        rules.space.store(9_000, Ordering::Relaxed);
        refused(backend.close().await, ErrorKind::Quota);
        assert!(std::fs::exists(format!("{path}-wal")).expect("can be asked"), "what is in it is kept");
        rules.space.store(i64::MAX, Ordering::Relaxed);
        let backend = open_on(files, &path, Durability::Relaxed).await.expect("opens, the lock is free");
        assert_eq!(backend.stats().await.expect("counts").keys, 20);
        assert_eq!(backend.check().await.expect("goes through"), Vec::<String>::new());
    });
}

#[test]
fn a_sync_that_fails_ends_the_handle_and_says_that_the_outcome_is_unknown() {
    block_on(async {
        let path = fresh_path();
        let (files, rules) = Failing::working();
        let backend = open_on(Arc::clone(&files), &path, Durability::Strict).await.expect("opens");
        put(&backend, "a", b"1").await.expect("writes");
        rules.syncs_fail.store(true, Ordering::Relaxed);
        let error = refused(put(&backend, "a", b"2").await, ErrorKind::Unavailable);
        assert!(error.message().contains("unknown"), "{error}");
        assert!(error.message().contains("the test's disk does not sync"), "{error}");
        // A later sync would succeed, and prove nothing.
        rules.syncs_fail.store(false, Ordering::Relaxed);
        refused(put(&backend, "a", b"3").await, ErrorKind::Unavailable);
        refused(get(&backend, "a").await, ErrorKind::Unavailable);
        refused(backend.close().await, ErrorKind::Unavailable);
        let backend = open_on(files, &path, Durability::Strict).await.expect("opens anew");
        let found = get(&backend, "a").await.expect("reads").expect("is there");
        assert!(found == b"1" || found == b"2", "{found:?}");
        put(&backend, "a", b"4").await.expect("writes");
    });
}

#[test]
fn a_disk_that_can_not_be_written_to_is_unavailable() {
    block_on(async {
        let path = fresh_path();
        let (files, rules) = Failing::working();
        rules.read_only.store(true, Ordering::Relaxed);
        let error = refused(open_on(files, &path, Durability::Relaxed).await, ErrorKind::Unavailable);
        assert!(error.message().contains("read-only"), "{error}");
    });
}
