//! What only IndexedDB can do wrong: several contexts, lost connections, blocked opens.

use futures_util::future::join_all;
use js_sys::{Function, Promise};
use mnemora::ErrorKind;
use mnemora::backends::indexeddb::IndexedDbBackend;
use mnemora::backends::{Backend, Durability, OpenOptions};
use mnemora::model::{Batch, Committed, Key, LogEntry, Page, Precondition, Put, Range, Space};
use mnemora::stores::{Memory, MemoryOptions, StoreOptions};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::fresh_name;

fn key(id: &str) -> Key {
    Key::record("s", id).expect("a valid key")
}

async fn open(name: &str) -> IndexedDbBackend {
    IndexedDbBackend::open(name, &OpenOptions::default()).await.expect("opens")
}

async fn commit(backend: &IndexedDbBackend, batch: Batch) -> u64 {
    let verdicts = backend.commit(&[batch]).await.expect("goes through");
    verdicts[0].as_ref().expect("passes").sequence
}

async fn read(backend: &IndexedDbBackend, id: &str) -> Option<Vec<u8>> {
    backend.get(&[key(id)]).await.expect("reads").remove(0).map(|record| record.value)
}

/// Runs a piece of JavaScript with the database name as `name`; it may return a promise.
async fn javascript(name: &str, body: &str) -> JsValue {
    let function = Function::new_with_args("name", &format!("name = 'mnemora:' + name; {body}"));
    let result = function.call1(&JsValue::NULL, &name.into()).expect("runs");
    match result.dyn_into::<Promise>() {
        Ok(promise) => JsFuture::from(promise).await.expect("resolves"),
        Err(value) => value,
    }
}

#[wasm_bindgen_test]
async fn what_was_written_is_there_after_reopening() {
    let name = fresh_name();
    let first = open(&name).await;
    for n in 0..5u8 {
        commit(&first, Batch::new(1).put(key("a"), vec![n])).await;
    }
    first.close().await.expect("closes");
    let second = open(&name).await;
    assert_eq!(read(&second, "a").await, Some(vec![4]));
    assert_eq!(commit(&second, Batch::new(1).put(key("a"), vec![9])).await, 6, "numbers go on");
}

#[wasm_bindgen_test]
async fn two_connections_take_turns_without_a_gap() {
    let name = fresh_name();
    let (one, two) = (open(&name).await, open(&name).await);
    let writers = [&one, &two].map(|backend| async move {
        let mut numbers = Vec::new();
        for n in 0..50u8 {
            numbers.push(commit(backend, Batch::new(1).put(key(&n.to_string()), vec![n])).await);
        }
        numbers
    });
    let mut numbers = join_all(writers).await.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    let log = one.scan(&Range::log_after(0), Page::first(200)).await.expect("the log is read");
    let logged =
        log.records.iter().map(|(_, record)| LogEntry::decode(&record.value).expect("an entry").sequence);
    assert!(logged.eq(1..=100));
}

#[wasm_bindgen_test]
async fn increments_from_two_connections_add_up() {
    let name = fresh_name();
    let (one, two) = (open(&name).await, open(&name).await);
    commit(&one, Batch::new(1).put(key("n"), vec![0])).await;
    let writers = [&one, &two].map(|backend| async move {
        for _ in 0..60 {
            loop {
                let record = backend.get(&[key("n")]).await.expect("reads").remove(0).expect("is there");
                let next = Batch::new(1)
                    .put(key("n"), vec![record.value[0] + 1])
                    .require(key("n"), Precondition::Version(record.version));
                if backend.commit(&[next]).await.expect("goes through")[0].is_ok() {
                    break;
                }
            }
        }
    });
    join_all(writers).await;
    assert_eq!(read(&one, "n").await, Some(vec![120]));
}

#[wasm_bindgen_test]
async fn a_record_taken_to_be_new_that_is_not_keeps_its_birth() {
    let name = fresh_name();
    let save = |now: u64| {
        let envelope = mnemora::model::Envelope {
            created: now,
            updated: now,
            expires: None,
            schema: "",
            schema_version: 0,
            payload: b"x",
        };
        let value = envelope.encode(&key("a")).expect("encodes");
        Batch { puts: vec![Put { key: key("a"), value, keep_created: true }], ..Batch::new(now) }
    };
    let first = open(&name).await;
    commit(&first, save(10)).await;
    // The second connection knows nothing of the record and takes it to be new.
    let second = open(&name).await;
    assert_eq!(commit(&second, save(20)).await, 2);
    let stored = read(&second, "a").await.expect("is there");
    let envelope = mnemora::model::Envelope::decode(&key("a"), &stored).expect("is whole");
    assert_eq!((envelope.created, envelope.updated), (10, 20));
}

#[wasm_bindgen_test]
async fn a_stale_number_is_found_out_after_trimming() {
    let name = fresh_name();
    let options = OpenOptions::default();
    // No lease: everything this context has seen may be trimmed, and nothing is trusted.
    let trimmer = IndexedDbBackend::open_with_lease(&name, &options, 0.0).await.expect("opens");
    for n in 0..8u8 {
        commit(&trimmer, Batch::new(1).put(key("a"), vec![n])).await;
    }
    mnemora::platform::sleep(2).await;
    commit(&trimmer, Batch { trim_log: Some(5), ..Batch::new(1) }.put(key("b"), vec![])).await;
    let log = trimmer.scan(&Range::space(Space::Log), Page::first(100)).await.expect("the log is read");
    let first = log.records.first().expect("the end stays").1.version;
    assert!(first > 1, "something was trimmed: the log starts at {first}");
    assert_eq!(log.records.last().expect("the end stays").1.version, 9);
    let late = open(&name).await;
    assert_eq!(commit(&late, Batch::new(1).put(key("a"), vec![])).await, 10);
}

#[wasm_bindgen_test]
async fn versionchange_lets_go_and_a_deleted_database_is_not_made_anew() {
    let name = fresh_name();
    let backend = open(&name).await;
    commit(&backend, Batch::new(1).put(key("a"), vec![1])).await;
    let deleted = javascript(
        &name,
        "return new Promise((done, fail) => {
            const request = indexedDB.deleteDatabase(name);
            request.onsuccess = () => done('deleted');
            request.onerror = () => fail(request.error);
        })",
    )
    .await;
    assert_eq!(deleted.as_string().as_deref(), Some("deleted"), "nobody stood in the way");
    let error = backend.get(&[key("a")]).await.expect_err("is gone");
    assert_eq!(error.kind(), ErrorKind::Closed);
    let write = backend.commit(&[Batch::new(1).put(key("a"), vec![2])]).await;
    assert_eq!(write.expect_err("is gone").kind(), ErrorKind::Closed);
    let there =
        javascript(&name, "return indexedDB.databases().then((all) => all.some((one) => one.name === name))");
    assert_eq!(there.await.as_bool(), Some(false), "nothing was made in its place");
    let anew = open(&name).await;
    assert_eq!(commit(&anew, Batch::new(1).put(key("a"), vec![2])).await, 1);
}

#[wasm_bindgen_test]
async fn a_connection_that_was_taken_away_is_opened_again() {
    let name = fresh_name();
    let backend = open(&name).await;
    commit(&backend, Batch::new(1).put(key("a"), vec![1])).await;
    // Another context asks for a newer version and thinks better of it: we have let go by then.
    javascript(
        &name,
        "return new Promise((done) => {
            const request = indexedDB.open(name, 2);
            request.onupgradeneeded = () => request.transaction.abort();
            request.onerror = (event) => { event.preventDefault(); done(); };
        })",
    )
    .await;
    assert_eq!(read(&backend, "a").await, Some(vec![1]));
    assert_eq!(commit(&backend, Batch::new(1).put(key("a"), vec![2])).await, 2);
}

#[wasm_bindgen_test]
async fn a_blocked_open_ends_in_time() {
    let name = fresh_name();
    // A foreign connection that does not let go, and a delete that waits for it.
    javascript(
        &name,
        "return new Promise((done) => {
            const request = indexedDB.open(name, 1);
            request.onsuccess = () => {
                globalThis.__held = request.result;
                indexedDB.deleteDatabase(name);
                done();
            };
        })",
    )
    .await;
    let options = OpenOptions { timeout_ms: 200, ..OpenOptions::default() };
    let error = IndexedDbBackend::open(&name, &options).await.expect_err("is blocked");
    assert_eq!(error.kind(), ErrorKind::Blocked);
    javascript(&name, "globalThis.__held.close()").await;
    let backend = open(&name).await;
    commit(&backend, Batch::new(1).put(key("a"), vec![1])).await;
}

#[wasm_bindgen_test]
async fn a_newer_or_foreign_database_is_refused() {
    let newer = fresh_name();
    javascript(
        &newer,
        "return new Promise((done) => {
            const request = indexedDB.open(name, 9);
            request.onsuccess = () => { request.result.close(); done(); };
        })",
    )
    .await;
    let options = OpenOptions::default();
    let error = IndexedDbBackend::open(&newer, &options).await.expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::Version);
    let foreign = fresh_name();
    javascript(
        &foreign,
        "return new Promise((done) => {
            const request = indexedDB.open(name, 1);
            request.onupgradeneeded = () => request.result.createObjectStore('todos');
            request.onsuccess = () => { request.result.close(); done(); };
        })",
    )
    .await;
    let error = IndexedDbBackend::open(&foreign, &options).await.expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[wasm_bindgen_test]
async fn damaged_rows_are_named() {
    let name = fresh_name();
    let backend = open(&name).await;
    commit(&backend, Batch::new(1).put(key("a"), vec![1]).put(key("b"), vec![2])).await;
    javascript(
        &name,
        "return new Promise((done, fail) => {
            const request = indexedDB.open(name, 1);
            request.onsuccess = () => {
                const transaction = request.result.transaction('records', 'readwrite');
                const records = transaction.objectStore('records');
                records.openCursor().onsuccess = (event) => event.target.result.update('not bytes');
                // The log lies behind all records.
                records.openCursor(null, 'prev').onsuccess = (event) => {
                    const row = event.target.result.value;
                    row[row.length - 1] ^= 1;
                    event.target.result.update(row);
                };
                transaction.oncomplete = () => { request.result.close(); done(); };
                transaction.onabort = () => fail(transaction.error);
            };
        })",
    )
    .await;
    let damaged = backend.get(&[key("a")]).await.expect("reads").remove(0).expect("is there");
    assert_eq!((damaged.version, damaged.value.len()), (0, 0), "nothing is made of it");
    let memory = Memory::open(&format!("idb://{name}"), &MemoryOptions::default()).await.expect("opens");
    let store = memory.store("s", StoreOptions::default()).expect("a valid name");
    let error = store.get("a").await.expect_err("is damaged");
    assert_eq!((error.kind(), error.key()), (ErrorKind::Corrupt, Some("s/a")));
    assert_eq!(read(&backend, "b").await, Some(vec![2]), "the others stay readable");
    let error = backend.scan(&Range::log_after(0), Page::first(9)).await.expect_err("is damaged");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    // Writing goes on: the log's last number can still be told.
    let again = open(&name).await;
    assert_eq!(commit(&again, Batch::new(1).put(key("a"), vec![3])).await, 2);
}

#[wasm_bindgen_test]
async fn a_commit_that_is_dropped_half_way_leaves_nothing_half_written() {
    let name = fresh_name();
    let backend = open(&name).await;
    for _ in 0..10 {
        let batches = [Batch::new(1)
            .put(key("left"), vec![7])
            .put(key("right"), vec![7])
            .require(key("x"), Precondition::Absent)];
        let mut write = backend.commit(&batches);
        assert!(futures_util::poll!(write.as_mut()).is_pending());
        drop(write);
    }
    let (left, right) = (read(&backend, "left").await, read(&backend, "right").await);
    assert_eq!(left, right);
    commit(&backend, Batch::new(1).put(key("left"), vec![8])).await;
    assert_eq!(read(&backend, "left").await, Some(vec![8]), "the handle stays usable");
}

#[wasm_bindgen_test]
async fn strict_is_strict() {
    let options = OpenOptions { durability: Durability::Strict, ..OpenOptions::default() };
    let backend = IndexedDbBackend::open(&fresh_name(), &options).await.expect("opens");
    assert_eq!(backend.info().durability, Durability::Strict);
    let hints = javascript(
        "",
        "const hints = globalThis.__hints = [];
         const original = IDBDatabase.prototype.transaction;
         globalThis.__restore = () => { IDBDatabase.prototype.transaction = original; };
         IDBDatabase.prototype.transaction = function (...given) {
             const transaction = original.apply(this, given);
             if (transaction.mode === 'readwrite') hints.push(transaction.durability);
             return transaction;
         };
         return hints;",
    )
    .await;
    let verdict = backend.commit(&[Batch::new(1).put(key("a"), vec![])]).await;
    javascript("", "globalThis.__restore()").await;
    assert_eq!(verdict.expect("goes through"), [Ok(Committed { sequence: 1 })]);
    let hints: Vec<_> = js_sys::Array::from(&hints).iter().filter_map(|hint| hint.as_string()).collect();
    assert!(!hints.is_empty() && hints.iter().all(|hint| hint == "strict"), "{hints:?}");
}
