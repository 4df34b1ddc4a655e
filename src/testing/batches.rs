//! Writing: atomicity, verdicts, preconditions.

use futures_util::future::join_all;

use super::{commit, get, key};
use crate::ErrorKind;
use crate::backends::Backend;
use crate::model::{
    Batch, Committed, Conflict, Envelope, Key, Page, Precondition, Put, Range, Record, Space,
};

async fn version(backend: &dyn Backend, key: &Key) -> Option<u64> {
    get(backend, key).await.map(|record| record.version)
}

pub async fn a_batch_is_all_or_nothing(backend: &dyn Backend) {
    let first = commit(backend, Batch::new(1).put(key("a"), vec![1]).put(key("b"), vec![1])).await;
    let Committed { sequence } = first.expect("passes");
    let refused = Batch::new(2)
        .put(key("a"), vec![2])
        .put(key("c"), vec![2])
        .delete(key("b"))
        .require(key("a"), Precondition::Version(sequence + 1));
    let conflict = commit(backend, refused).await.expect_err("conflicts");
    assert_eq!(conflict, Conflict { key: key("a"), found: Some(sequence) });
    let found = backend.get(&[key("a"), key("b"), key("c")]).await.expect("reads");
    let kept = Some(Record { version: sequence, value: vec![1] });
    assert_eq!(found, [kept.clone(), kept, None]);
}

pub async fn batches_of_one_commit_are_judged_apart(backend: &dyn Backend) {
    let claim =
        |value| Batch::new(1).put(key("slot"), vec![value]).require(key("slot"), Precondition::Absent);
    let verdicts = backend
        .commit(&[claim(1), claim(2), Batch::new(1).put(key("other"), vec![3]), claim(4)])
        .await
        .expect("the commit goes through");
    assert_eq!(verdicts.len(), 4);
    let won = verdicts[0].as_ref().expect("the first claim wins").sequence;
    let lost = Conflict { key: key("slot"), found: Some(won) };
    assert_eq!(verdicts[1], Err(lost.clone()));
    assert_eq!(verdicts[2], Ok(Committed { sequence: won + 1 }));
    assert_eq!(verdicts[3], Err(lost));
    assert_eq!(get(backend, &key("slot")).await.expect("is there").value, [1]);
    assert_eq!(backend.commit(&[]).await.expect("an empty commit goes through"), []);
}

pub async fn preconditions_absent_and_version(backend: &dyn Backend) {
    let at = key("a");
    let put = |what| Batch::new(1).put(key("a"), vec![]).require(key("a"), what);
    assert_eq!(
        commit(backend, put(Precondition::Version(1))).await,
        Err(Conflict { key: at.clone(), found: None })
    );
    let first = commit(backend, put(Precondition::Absent)).await.expect("passes").sequence;
    assert_eq!(
        commit(backend, put(Precondition::Absent)).await,
        Err(Conflict { key: at.clone(), found: Some(first) })
    );
    let second = commit(backend, put(Precondition::Version(first))).await.expect("passes").sequence;
    assert!(second > first);
    assert_eq!(
        commit(backend, put(Precondition::Version(first))).await,
        Err(Conflict { key: at.clone(), found: Some(second) })
    );
    commit(backend, put(Precondition::Any)).await.expect("passes");
    commit(backend, Batch::new(1).delete(at.clone())).await.expect("passes");
    commit(backend, put(Precondition::Absent)).await.expect("a deleted key is absent");
}

pub async fn preconditions_on_keys_only_read(backend: &dyn Backend) {
    let source = commit(backend, Batch::new(1).put(key("read"), vec![])).await.expect("passes").sequence;
    let derived = |version| Batch::new(2).put(key("written"), vec![]).require(key("read"), version);
    commit(backend, derived(Precondition::Version(source))).await.expect("passes");
    let moved = commit(backend, Batch::new(3).put(key("read"), vec![1])).await.expect("passes").sequence;
    assert_eq!(
        commit(backend, derived(Precondition::Version(source))).await,
        Err(Conflict { key: key("read"), found: Some(moved) })
    );
    // A batch that only checks takes no number.
    let check = Batch::new(4).require(key("read"), Precondition::Version(moved));
    assert_eq!(commit(backend, check).await, Ok(Committed { sequence: moved }));
    assert_eq!(version(backend, &key("read")).await, Some(moved));
}

pub async fn a_range_that_changed_is_a_conflict(backend: &dyn Backend) {
    let list = Range::ids(Space::Record, "s", "item-");
    let since = commit(backend, Batch::new(1).put(key("item-1"), vec![])).await.expect("passes").sequence;
    let sum = |since| Batch::new(2).put(key("sum"), vec![]).require_unchanged(list.clone(), since);
    commit(backend, sum(since)).await.expect("nothing changed in the range");
    let other = commit(backend, Batch::new(3).put(key("else"), vec![])).await.expect("passes").sequence;
    commit(backend, sum(since)).await.expect("changes elsewhere do not matter");
    let phantom = commit(backend, Batch::new(4).put(key("item-2"), vec![])).await.expect("passes").sequence;
    assert!(phantom > other);
    assert_eq!(commit(backend, sum(since)).await, Err(Conflict { key: key("item-2"), found: Some(phantom) }));
    let gone = commit(backend, Batch::new(5).delete(key("item-1"))).await.expect("passes").sequence;
    assert_eq!(commit(backend, sum(phantom)).await, Err(Conflict { key: key("item-1"), found: Some(gone) }));
    commit(backend, sum(gone)).await.expect("read again, it passes");
}

pub async fn deletes_and_puts_of_one_key(backend: &dyn Backend) {
    commit(backend, Batch::new(1).put(key("a"), vec![1])).await.expect("passes");
    commit(backend, Batch::new(2).delete(key("a")).put(key("a"), vec![2])).await.expect("passes");
    assert_eq!(get(backend, &key("a")).await.expect("deletes come first").value, [2]);
    commit(backend, Batch::new(3).put(key("a"), vec![3]).put(key("a"), vec![4])).await.expect("passes");
    assert_eq!(get(backend, &key("a")).await.expect("is there").value, [4], "the later put holds");
    let verdicts = backend
        .commit(&[
            Batch::new(4).put(key("a"), vec![5]),
            Batch::new(4).delete(key("a")),
            Batch::new(4).put(key("b"), vec![5]),
        ])
        .await
        .expect("the commit goes through");
    assert!(verdicts.iter().all(Result::is_ok));
    assert_eq!(get(backend, &key("a")).await, None);
    assert!(get(backend, &key("b")).await.is_some());
}

pub async fn creation_times_are_kept(backend: &dyn Backend) {
    let save = |now: u64, expires| {
        let envelope =
            Envelope { created: now, updated: now, expires, schema: "", schema_version: 0, payload: b"x" };
        let value = envelope.encode(&key("a")).expect("encodes");
        Batch { puts: vec![Put { key: key("a"), value, keep_created: true }], ..Batch::new(now) }
    };
    let times = async || {
        let record = get(backend, &key("a")).await.expect("is there");
        let envelope = Envelope::decode(&key("a"), &record.value).expect("is whole");
        (envelope.created, envelope.updated)
    };
    commit(backend, save(10, None)).await.expect("passes");
    assert_eq!(times().await, (10, 10));
    commit(backend, save(20, None)).await.expect("passes");
    assert_eq!(times().await, (10, 20));
    let verdicts = backend.commit(&[save(30, None), save(40, Some(50))]).await.expect("goes through");
    assert!(verdicts.iter().all(Result::is_ok));
    assert_eq!(times().await, (10, 40));
    commit(backend, save(60, None)).await.expect("passes");
    assert_eq!(times().await, (60, 60), "the expired record is not an ancestor");
    commit(backend, Batch::new(70).delete(key("a"))).await.expect("passes");
    commit(backend, save(80, None)).await.expect("passes");
    assert_eq!(times().await, (80, 80), "nor is a deleted one");
}

pub async fn concurrent_commits_lose_nothing(backend: &dyn Backend) {
    let writers = (0..100u8).map(|n| async move {
        let batch = Batch::new(1).put(key(&format!("w{n:03}")), vec![n]);
        commit(backend, batch).await.expect("passes").sequence
    });
    let mut versions = join_all(writers).await;
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 100, "each has a number of its own");
    let found = backend.scan(&Range::ids(Space::Record, "s", "w"), Page::first(200)).await.expect("scans");
    assert_eq!(found.records.len(), 100);
    for (n, (_, record)) in found.records.iter().enumerate() {
        assert_eq!(record.value, [n as u8]);
    }
    // Optimistic increments: whoever loses reads again; the sum is exact.
    commit(backend, Batch::new(1).put(key("n"), vec![0])).await.expect("passes");
    let increments = (0..20).map(|_| async {
        loop {
            let record = get(backend, &key("n")).await.expect("is there");
            let next = Batch::new(1)
                .put(key("n"), vec![record.value[0] + 1])
                .require(key("n"), Precondition::Version(record.version));
            if commit(backend, next).await.is_ok() {
                break;
            }
        }
    });
    join_all(increments).await;
    assert_eq!(get(backend, &key("n")).await.expect("is there").value, [20]);
}

pub async fn large_and_odd_values_come_back(backend: &dyn Backend) {
    let large: Vec<u8> = (0..3 << 20).map(|n: u32| (n ^ (n >> 8)) as u8).collect();
    let values = [vec![], vec![0], vec![0xFF; 3], large];
    let longest = "\u{10ffff}".repeat(256);
    let ids = ["empty", "zero", &longest, "large"];
    let mut batch = Batch::new(1);
    for (id, value) in ids.iter().zip(&values) {
        batch = batch.put(key(id), value.clone());
    }
    commit(backend, batch).await.expect("passes");
    for (id, value) in ids.iter().zip(&values) {
        assert!(get(backend, &key(id)).await.expect("is there").value == *value, "{} bytes", value.len());
    }
}

pub async fn too_large_a_value_is_refused_whole(backend: &dyn Backend) {
    let limit = backend.info().max_value_bytes;
    let batch = Batch::new(1).put(key("fits"), vec![1]).put(key("too large"), vec![0; limit + 1]);
    let error = backend.commit(&[batch]).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.key(), Some("s/too large"));
    assert_eq!(get(backend, &key("fits")).await, None, "nothing is half-written");
    commit(backend, Batch::new(1).put(key("fits"), vec![1])).await.expect("the handle stays usable");
}
