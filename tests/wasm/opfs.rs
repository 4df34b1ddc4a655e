//! SQLite over the private files of a browser, in a dedicated worker.

#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::Cell;
use std::sync::Arc;

use mnemora::ErrorKind;
use mnemora::backends::{Backend, Durability, OpenOptions, open};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

mod opened;
use opened::{Opened, get, key, put};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// A name that no database has yet: each run has a browser of its own.
fn fresh_name() -> String {
    let count = COUNT.get();
    COUNT.set(count + 1);
    format!("Test {count}/ä?")
}

async fn open_named(name: &str, durability: Durability) -> mnemora::Result<Arc<dyn Backend>> {
    let options = OpenOptions { durability, timeout_ms: 200, ..OpenOptions::default() };
    open(&format!("opfs://{name}"), &options).await
}

mod opfs_relaxed {
    use super::*;

    mnemora::testing::conformance!(wasm, async {
        Opened(open_named(&fresh_name(), Durability::Relaxed).await.expect("opens"))
    });
}

mod opfs_strict {
    use super::*;

    mnemora::testing::conformance!(wasm, async {
        Opened(open_named(&fresh_name(), Durability::Strict).await.expect("opens"))
    });
}

#[wasm_bindgen_test]
async fn what_was_written_is_there_again() {
    let name = fresh_name();
    for round in 1..=5u8 {
        let backend = open_named(&name, Durability::Relaxed).await.expect("opens");
        assert_eq!(backend.info().name, "sqlite");
        for number in 0..200 {
            put(&*backend, &format!("{number}"), &[round; 500]).await.expect("writes");
        }
        put(&*backend, "large", &vec![round; 1 << 20]).await.expect("writes");
        backend.close().await.expect("closes");
        let backend = open_named(&name, Durability::Strict).await.expect("opens again");
        assert_eq!(get(&*backend, "7").await, Some(vec![round; 500]));
        assert_eq!(get(&*backend, "large").await, Some(vec![round; 1 << 20]));
        assert_eq!(backend.stats().await.expect("counts").sequence, u64::from(round) * 201);
        assert_eq!(backend.check().await.expect("checks"), Vec::<String>::new());
        // Dropped without a close: the write-ahead log is moved, or read at the next opening.
        drop(backend);
    }
}

#[wasm_bindgen_test]
async fn a_second_holder_is_told_and_gets_it_after_the_first() {
    let name = fresh_name();
    let first = open_named(&name, Durability::Relaxed).await.expect("opens");
    put(&*first, "a", b"x").await.expect("writes");
    let error = open_named(&name, Durability::Relaxed).await.expect_err("is held");
    assert_eq!(error.kind(), ErrorKind::Blocked, "{error}");
    assert!(error.message().contains("another worker or tab"), "{error}");
    let other = open_named(&fresh_name(), Durability::Relaxed).await.expect("another name is free");
    assert_eq!(get(&*other, "a").await, None);
    first.close().await.expect("closes");
    let error = first.get(&[key("a")]).await.expect_err("is closed");
    assert_eq!(error.kind(), ErrorKind::Closed);
    let second = open_named(&name, Durability::Relaxed).await.expect("is free");
    assert_eq!(get(&*second, "a").await, Some(b"x".to_vec()));
}

#[wasm_bindgen_test]
async fn a_hundred_cycles_leave_no_handle() {
    let name = fresh_name();
    for cycle in 1..=100u64 {
        let backend = open_named(&name, Durability::Relaxed).await.expect("opens");
        assert_eq!(put(&*backend, "a", &cycle.to_le_bytes()).await.expect("writes"), cycle);
        backend.close().await.expect("closes");
    }
}
