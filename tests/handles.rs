//! Opening and closing, thousands of times: no handle, no open file, no thread and no memory is left.
//!
//! It is one test, alone in its process, because it counts what the whole process holds.
//!
//! **Invariants**
//! - Every third memory is dropped without a close, and must leave as little.
//! - What is counted after the first tenth is what there is at the end.

#![cfg(target_os = "linux")] // what a process holds is read from /proc
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs::{read_dir, read_to_string};

use futures_executor::block_on;
use mnemora::ErrorKind;
use mnemora::backends::open_handles;
use mnemora::stores::{Memory, MemoryOptions, StoreOptions};

/// Growth of resident memory that is noise: the allocator's and the statistics of SQLite.
const NOISE_BYTES: u64 = 4 << 20;

/// What this process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    files: usize,
    threads: usize,
    resident_bytes: u64,
}

impl Held {
    fn now() -> Self {
        let entries = |path| read_dir(path).expect("/proc is there").count();
        let statm = read_to_string("/proc/self/statm").expect("/proc is there");
        let pages: u64 = statm.split(' ').nth(1).expect("has a second field").parse().expect("is a number");
        // Pages of other sizes only make the bound on the growth a stricter or laxer one.
        Self {
            files: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            resident_bytes: pages * 4096,
        }
    }
}

async fn cycle(url: &str, number: u64) {
    let memory = Memory::open(url, &MemoryOptions::default()).await.expect("opens");
    assert_eq!(open_handles().len(), 1);
    let store = memory.store("cycles", StoreOptions::default()).expect("a valid name").of::<u64>();
    store.save("number", &number).await.expect("is stored");
    assert_eq!(store.get("number").await.expect("is read"), Some(number));
    if !number.is_multiple_of(3) {
        memory.close().await.expect("closes");
        assert!(open_handles().is_empty(), "closed, though it is still held");
        memory.close().await.expect("closes once more");
        assert_eq!(store.get("number").await.expect_err("is closed").kind(), ErrorKind::Closed);
        assert_eq!(store.save("number", &0).await.expect_err("is closed").kind(), ErrorKind::Closed);
    }
}

/// How often each kind of store is opened.
const CYCLES: u64 = 10_000;

fn cycles(url: impl Fn(u64) -> String) {
    let began = std::time::Instant::now();
    let run = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            block_on(cycle(&url(number), number));
            assert!(open_handles().is_empty());
        }
        Held::now()
    };
    let early = run(0..CYCLES / 10);
    let late = run(CYCLES / 10..CYCLES);
    let url = url(0);
    println!("{CYCLES} x {url}: {early:?}, {late:?}, {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!((early.files, early.threads), (late.files, late.threads), "{url}");
    let grown = late.resident_bytes.saturating_sub(early.resident_bytes);
    assert!(grown < NOISE_BYTES, "{url}: grown by {grown} bytes");
}

#[test]
fn cycles_leave_nothing() {
    // In memory where the host has such a place: what a disk takes for its syncs is not the matter here.
    let shared = std::path::Path::new("/dev/shm");
    let place = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let folder = place.join(format!("mnemora-handles-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("can be made");
    let place = folder.to_str().expect("a path of plain text");
    cycles(|_| "memory:".to_owned());
    // The commit log is read at each opening, and grows by one entry with each: not all in one.
    if cfg!(feature = "json") {
        cycles(|number| format!("json://{place}/json-{}", number % 200));
    }
    if cfg!(feature = "sqlite") {
        cycles(|_| format!("sqlite://{place}/cycles.db"));
    }
    std::fs::remove_dir_all(&folder).expect("can be removed");
}
