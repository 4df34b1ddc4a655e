//! The commit log, sequence numbers, and the end.

use super::{commit, get, key};
use crate::ErrorKind;
use crate::backends::Backend;
use crate::model::{Batch, CommitKind, Key, LogEntry, Page, Precondition, Range, Space, Touch};

async fn entries_after(backend: &dyn Backend, sequence: u64, limit: usize) -> Vec<LogEntry> {
    let mut page = Page::first(limit);
    let mut entries = Vec::new();
    loop {
        let found = backend.scan(&Range::log_after(sequence), page.clone()).await.expect("the log is read");
        for (at, record) in found.records {
            let entry = LogEntry::decode(&record.value).expect("an entry");
            assert_eq!(at, Key::log(entry.sequence));
            assert_eq!(record.version, entry.sequence);
            entries.push(entry);
        }
        match found.cursor {
            Some(cursor) => page = page.next(cursor),
            None => return entries,
        }
    }
}

pub async fn sequence_numbers_have_no_gap(backend: &dyn Backend) {
    let mut last = 0;
    for n in 0..5u8 {
        let passing = Batch::new(1).put(key("a"), vec![n]);
        let failing = Batch::new(1).put(key("b"), vec![n]).require(key("b"), Precondition::Version(999));
        let idle = Batch::new(1).delete(key("never there"));
        let verdicts =
            backend.commit(&[failing, passing.clone(), idle, passing]).await.expect("goes through");
        assert!(verdicts[0].is_err());
        let numbers = [1, 2, 3].map(|at| verdicts[at].as_ref().expect("passes").sequence);
        assert_eq!(numbers, [last + 1, last + 1, last + 2]);
        assert_eq!(get(backend, &key("a")).await.expect("is there").version, last + 2);
        last += 2;
    }
    let numbers: Vec<u64> = entries_after(backend, 0, 3).await.iter().map(|entry| entry.sequence).collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
}

pub async fn every_batch_has_its_entry(backend: &dyn Backend) {
    commit(backend, Batch::new(11).put(key("b"), vec![]).put(key("a"), vec![])).await.expect("passes");
    let expire = Batch { kind: CommitKind::Expire, ..Batch::new(12) };
    commit(backend, expire.delete(key("a")).delete(key("none")).put(key("c"), vec![])).await.expect("passes");
    commit(backend, Batch::new(13).put(key("d"), vec![]).require(key("d"), Precondition::Version(1)))
        .await
        .expect_err("conflicts");
    let entries = entries_after(backend, 0, 10).await;
    assert_eq!(
        entries,
        [
            LogEntry {
                sequence: 1,
                time: 11,
                kind: CommitKind::Write,
                touched: vec![(key("a"), Touch::Put), (key("b"), Touch::Put)],
            },
            LogEntry {
                sequence: 2,
                time: 12,
                kind: CommitKind::Expire,
                touched: vec![(key("a"), Touch::Delete), (key("c"), Touch::Put)],
            },
        ]
    );
}

pub async fn followers_read_from_any_cursor(backend: &dyn Backend) {
    // Physical transactions of several sizes, so that cursors fall inside and between them.
    for size in [1usize, 3, 1, 7, 2] {
        let batches: Vec<Batch> =
            (0..size).map(|n| Batch::new(1).put(key(&format!("{size}-{n}")), vec![])).collect();
        backend.commit(&batches).await.expect("goes through");
    }
    let all = entries_after(backend, 0, 100).await;
    assert_eq!(all.len(), 14);
    for after in 0..=14 {
        for limit in [1, 2, 5, 100] {
            let rest = entries_after(backend, after, limit).await;
            assert_eq!(rest, all[after as usize..], "after {after}, {limit} a page");
        }
    }
    let log = Range::space(Space::Log);
    let mut backward = Vec::new();
    let mut page = Page::last(4);
    loop {
        let found = backend.scan(&log, page.clone()).await.expect("the log is read");
        backward.extend(found.records.iter().map(|(_, record)| record.version));
        match found.cursor {
            Some(cursor) => page = page.next(cursor),
            None => break,
        }
    }
    assert_eq!(backward, (1..=14).rev().collect::<Vec<u64>>());
}

pub async fn only_commits_write_to_the_log(backend: &dyn Backend) {
    for forged in [Batch::new(1).put(Key::log(5), vec![]), Batch::new(1).delete(Key::log(1))] {
        let error =
            backend.commit(&[Batch::new(1).put(key("a"), vec![]), forged]).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert_eq!(get(backend, &key("a")).await, None, "nothing is half-written");
    assert!(entries_after(backend, 0, 9).await.is_empty());
}

pub async fn trimming_keeps_what_follows(backend: &dyn Backend) {
    for n in 0..10u8 {
        commit(backend, Batch::new(1).put(key("a"), vec![n])).await.expect("passes");
    }
    let trim = Batch { trim_log: Some(6), ..Batch::new(2) };
    commit(backend, trim.put(key("b"), vec![])).await.expect("passes");
    let kept = entries_after(backend, 0, 100).await;
    let first = kept.first().expect("the newest entries stay").sequence;
    assert!((1..=7).contains(&first), "a backend may keep more than asked, never less: {first}");
    assert_eq!(kept.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), (first..=11).collect::<Vec<_>>());
    let next = commit(backend, Batch::new(3).put(key("a"), vec![])).await.expect("passes").sequence;
    assert_eq!(next, 12, "numbers go on");
    let all = Batch { trim_log: Some(u64::MAX), ..Batch::new(4) };
    commit(backend, all).await.expect("passes");
    let next = commit(backend, Batch::new(5).put(key("a"), vec![])).await.expect("passes").sequence;
    assert_eq!(next, 13, "also when the whole log may go");
}

pub async fn stats_know_the_sequence(backend: &dyn Backend) {
    let stats = backend.stats().await.expect("gives figures");
    assert_eq!((stats.sequence, stats.keys), (0, 0));
    commit(backend, Batch::new(1).put(key("a"), vec![]).put(key("b"), vec![])).await.expect("passes");
    commit(backend, Batch::new(1).delete(key("a"))).await.expect("passes");
    let stats = backend.stats().await.expect("gives figures");
    assert_eq!((stats.sequence, stats.keys), (2, 1));
}

pub async fn close_is_final_and_idempotent(backend: &dyn Backend) {
    commit(backend, Batch::new(1).put(key("a"), vec![])).await.expect("passes");
    backend.close().await.expect("closes");
    backend.close().await.expect("closes again");
    let range = Range::space(Space::Record);
    let kinds = [
        backend.get(&[key("a")]).await.expect_err("closed").kind(),
        backend.scan(&range, Page::first(1)).await.expect_err("closed").kind(),
        backend.commit(&[Batch::new(1).put(key("a"), vec![])]).await.expect_err("closed").kind(),
        backend.stats().await.expect_err("closed").kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Closed; 4]);
    assert!(!backend.info().name.is_empty(), "what it was can still be asked");
}
