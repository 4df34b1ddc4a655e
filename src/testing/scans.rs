//! Reading: order, pages, cursors, ranges.

use super::{commit, key};
use crate::ErrorKind;
use crate::backends::Backend;
use crate::model::{Batch, Key, Page, Range, Space};

const IDS: [&str; 12] =
    ["\u{1}", " ", "0", "9", "A", "a", "a\u{1}", "aa", "b", "\u{e9}", "\u{ffff}", "\u{1f600}"];

async fn fill(backend: &dyn Backend) {
    let mut batch = Batch::new(1);
    for (namespace, space) in [("s", Space::Record), ("s2", Space::Record), ("s", Space::Document)] {
        for id in IDS {
            let key = Key::named(space, namespace, id).expect("a valid key");
            batch = batch.put(key, [namespace, id].concat().into_bytes());
        }
    }
    commit(backend, batch).await.expect("passes");
}

fn store() -> Range {
    Range::ids(Space::Record, "s", "")
}

async fn walk(backend: &dyn Backend, range: &Range, mut page: Page) -> Vec<Key> {
    let mut keys = Vec::new();
    loop {
        let limit = page.limit;
        let found = backend.scan(range, page.clone()).await.expect("the scan goes through");
        assert!(found.records.len() <= limit, "no page is larger than asked for");
        keys.extend(found.records.into_iter().map(|(key, _)| key));
        match found.cursor {
            Some(cursor) => {
                assert_eq!(keys.last(), Some(&cursor), "the cursor is the last key of the page");
                page = page.next(cursor);
            }
            None => return keys,
        }
    }
}

pub async fn order_is_the_order_of_key_bytes(backend: &dyn Backend) {
    fill(backend).await;
    let forward = walk(backend, &store(), Page::first(100)).await;
    assert_eq!(forward, IDS.map(key), "code point order, this store only");
    let mut backward = walk(backend, &store(), Page::last(100)).await;
    backward.reverse();
    assert_eq!(backward, forward);
    let found = backend.scan(&store(), Page::first(3)).await.expect("scans");
    for (key, record) in found.records {
        let (namespace, id) = key.namespace_and_id().expect("a named key");
        assert_eq!(record.value, [namespace, id].concat().into_bytes());
        assert_eq!(record.version, 1);
    }
}

pub async fn pages_join_up_in_both_directions(backend: &dyn Backend) {
    fill(backend).await;
    for limit in [1, 2, 5, IDS.len(), IDS.len() + 1] {
        let forward = walk(backend, &store(), Page::first(limit)).await;
        assert_eq!(forward, IDS.map(key), "limit {limit}");
        let mut backward = walk(backend, &store(), Page::last(limit)).await;
        backward.reverse();
        assert_eq!(backward, IDS.map(key), "limit {limit}, reverse");
    }
}

pub async fn cursors_survive_changes_between_pages(backend: &dyn Backend) {
    fill(backend).await;
    let first = backend.scan(&store(), Page::first(4)).await.expect("scans");
    let cursor = first.cursor.expect("there is more");
    let change = Batch::new(2).delete(cursor.clone()).put(key("8"), vec![]).put(key("z"), vec![]);
    commit(backend, change).await.expect("passes");
    let rest = walk(backend, &store(), Page::first(4).next(cursor)).await;
    let expected = ["A", "a", "a\u{1}", "aa", "b", "z", "\u{e9}", "\u{ffff}", "\u{1f600}"];
    assert_eq!(rest, expected.map(key), "what is behind the cursor now, no more and no less");
}

pub async fn bounds_and_empty_ranges(backend: &dyn Backend) {
    fill(backend).await;
    let prefixed = walk(backend, &Range::ids(Space::Record, "s", "a"), Page::first(2)).await;
    assert_eq!(prefixed, ["a", "a\u{1}", "aa"].map(key));
    let between = Range::new(key("A").as_bytes().to_vec(), Some(key("b").as_bytes().to_vec()));
    assert_eq!(walk(backend, &between, Page::last(2)).await, ["aa", "a\u{1}", "a", "A"].map(key));
    for empty in [
        Range::ids(Space::Record, "s", "nothing"),
        Range::ids(Space::Record, "no store", ""),
        Range::new(key("b").as_bytes().to_vec(), Some(key("A").as_bytes().to_vec())),
        Range::new(key("a").as_bytes().to_vec(), Some(key("a").as_bytes().to_vec())),
    ] {
        for page in [Page::first(3), Page::last(3)] {
            let found = backend.scan(&empty, page).await.expect("scans");
            assert!(found.records.is_empty() && found.cursor.is_none(), "{empty:?}");
        }
    }
    // A cursor outside the range neither widens nor breaks it.
    let behind = backend.scan(&between, Page::first(3).next(key("z"))).await.expect("scans");
    assert!(behind.records.is_empty());
    let before = backend.scan(&between, Page::first(1).next(key("0"))).await.expect("scans");
    assert_eq!(before.records[0].0, key("A"));
}

pub async fn a_page_of_nothing_is_refused(backend: &dyn Backend) {
    let error = backend.scan(&store(), Page::first(0)).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(backend.scan(&store(), Page::first(1)).await.is_ok(), "the handle stays usable");
}

pub async fn a_snapshot_of_many_keys_keeps_their_order(backend: &dyn Backend) {
    fill(backend).await;
    let keys = [key("b"), key("none"), key("0"), key("b")];
    let found = backend.get(&keys).await.expect("reads");
    let values: Vec<_> = found.into_iter().map(|record| record.map(|record| record.value)).collect();
    assert_eq!(values, [Some(b"sb".to_vec()), None, Some(b"s0".to_vec()), Some(b"sb".to_vec())]);
    assert_eq!(backend.get(&[]).await.expect("reads"), []);
}
