//! The file of the write-ahead log: what waits, when it goes, and that nothing acknowledged waits.

use std::sync::atomic::Ordering;

use super::failing::{Failing, Rules};
use super::*;
use crate::backends::sqlite::page::PAGE_BYTES;
use crate::backends::sqlite::volume::Volume;
use crate::backends::sqlite::wal::{FRAME_HEADER_BYTES, Wal};
use crate::platform::files::{File, FileErrorKind, OpenMode};
use crate::testing::rng::SplitMix64;

fn new_wal() -> (Arc<Wal>, Arc<Rules>, Volume) {
    let (files, rules) = Failing::working();
    let path = fresh_path();
    let wal = Arc::new(Wal::new(files.open(&path, OpenMode::CreateNew).expect("can be made")));
    let volume = Volume::new(files, &path);
    volume.hold(&wal);
    (wal, rules, volume)
}

fn header(marked: bool) -> [u8; FRAME_HEADER_BYTES] {
    let mut header = [7; FRAME_HEADER_BYTES];
    header[4..8].copy_from_slice(&u32::from(marked).to_be_bytes());
    header
}

fn all(file: &dyn File) -> Vec<u8> {
    let mut bytes = vec![0; file.length().expect("has one") as usize];
    assert_eq!(file.read_at(&mut bytes, 0).expect("reads"), bytes.len());
    bytes
}

#[test]
fn what_is_read_is_what_was_written_and_what_is_sent_is_too() {
    let seed = 0x5EED;
    println!("seed {seed:#x}");
    let mut rng = SplitMix64::new(seed);
    for _ in 0..20 {
        let (wal, _, volume) = new_wal();
        let mut expected: Vec<u8> = Vec::new();
        for _ in 0..200 {
            let at = if rng.below(4) == 0 { rng.below(expected.len() + 1) } else { expected.len() };
            match rng.below(12) {
                0 => {
                    wal.set_length(at as u64).expect("cuts");
                    expected.truncate(at);
                }
                1 => wal.sync().expect("syncs"),
                2 => volume.settle().expect("sends"),
                3 => {
                    let mut buffer = vec![0; rng.below(20_000)];
                    let count = wal.read_at(&mut buffer, at as u64).expect("reads");
                    assert_eq!(count, buffer.len().min(expected.len() - at));
                    assert!(buffer[..count] == expected[at..at + count]);
                }
                size => {
                    let length = [FRAME_HEADER_BYTES, PAGE_BYTES, 300_000][size % 3];
                    let bytes = rng.bytes(length);
                    wal.write_at(&bytes, at as u64).expect("writes");
                    expected.resize(expected.len().max(at + length), 0);
                    expected[at..at + length].copy_from_slice(&bytes);
                }
            }
            assert_eq!(wal.length().expect("has one"), expected.len() as u64);
        }
        assert!(all(&wal) == expected, "with what waits");
        volume.settle().expect("sends");
        let file = volume.files().open(volume.path(), OpenMode::Read).expect("opens");
        assert!(all(&*file) == expected, "in the file");
    }
}

#[test]
fn frames_wait_for_the_page_that_ends_their_commit() {
    let (wal, rules, _volume) = new_wal();
    wal.write_at(&[1; 32], 0).expect("writes");
    assert_eq!(rules.writes.load(Ordering::Relaxed), 1, "a new log is begun at once");
    let mut at = 32;
    for (marked, writes) in [(false, 1), (false, 1), (true, 2), (true, 3), (false, 3)] {
        wal.write_at(&header(marked), at).expect("writes");
        wal.write_at(&[2; PAGE_BYTES], at + FRAME_HEADER_BYTES as u64).expect("writes");
        at += (FRAME_HEADER_BYTES + PAGE_BYTES) as u64;
        assert_eq!(rules.writes.load(Ordering::Relaxed), writes, "at {at}");
    }
    // Another frame in the place of one that waits: first that one, then the other.
    wal.write_at(&header(false), 32).expect("writes");
    assert_eq!(rules.writes.load(Ordering::Relaxed), 5);
}

#[test]
fn what_can_not_be_sent_behind_a_commit_breaks_the_volume_even_for_lack_of_space() {
    let (wal, rules, volume) = new_wal();
    wal.write_at(&[1; 32], 0).expect("writes");
    wal.write_at(&header(false), 32).expect("waits");
    rules.space.store(5, Ordering::Relaxed);
    assert_eq!(volume.settle().expect_err("is full").kind, FileErrorKind::NoSpace);
    assert_eq!(volume.broken().map(|error| error.kind), Some(FileErrorKind::NoSpace));
    drop(wal);
    volume.settle().expect("a log that is closed has nothing that waits");
}

#[test]
fn a_save_is_one_write() {
    block_on(async {
        for (durability, syncs) in [(Durability::Relaxed, 0), (Durability::Strict, 1_000)] {
            let (files, rules) = Failing::working();
            let backend = open_on(files, &fresh_path(), durability).await.expect("opens");
            put(&backend, "first", b"x").await.expect("writes");
            let before = (rules.writes.load(Ordering::Relaxed), rules.syncs.load(Ordering::Relaxed));
            for number in 0..1_000 {
                put(&backend, &format!("{}", number % 700), &[number as u8; 500]).await.expect("writes");
            }
            assert_eq!(rules.writes.load(Ordering::Relaxed) - before.0, 1_000, "{durability:?}");
            assert_eq!(rules.syncs.load(Ordering::Relaxed) - before.1, syncs, "{durability:?}");
        }
    });
}

/// As if the process were killed now: another one opens what lies in the files.
async fn next_process(path: &str) -> Offloaded<Database> {
    let killed = fresh_path();
    for suffix in ["", "-wal"] {
        std::fs::copy(format!("{path}{suffix}"), format!("{killed}{suffix}")).expect("can be copied");
    }
    open_at(&killed).await.expect("opens")
}

#[test]
fn what_is_acknowledged_is_with_the_host() {
    block_on(async {
        let seed = 0xACED;
        println!("seed {seed:#x}");
        let mut rng = SplitMix64::new(seed);
        let path = fresh_path();
        let backend = open_at(&path).await.expect("opens");
        let mut last = Vec::new();
        for round in 1..=40u64 {
            // Every tenth is larger than the pages kept in memory, so that frames are written twice.
            let count = if round % 10 == 0 { 40_000 } else { rng.below(60) };
            let mut batch = Batch::new(1).put(key("last"), round.to_le_bytes().to_vec());
            last.clear();
            for _ in 0..count {
                let id = format!("{:016x}", rng.below(usize::MAX));
                let value = rng.bytes(500);
                batch = batch.put(key(&id), value.clone());
                last.push((id, value));
            }
            backend.commit(&[batch]).await.expect("commits").remove(0).expect("passes");
            let next = next_process(&path).await;
            assert_eq!(next.stats().await.expect("counts").sequence, round);
            let found = get(&next, "last").await.expect("reads");
            assert_eq!(found, Some(round.to_le_bytes().to_vec()), "round {round}");
            for (id, value) in last.iter().step_by(97) {
                assert_eq!(get(&next, id).await.expect("reads").as_ref(), Some(value), "round {round}");
            }
            next.close().await.expect("closes");
        }
        assert_eq!(backend.check().await.expect("checks"), Vec::<String>::new());
    });
}
