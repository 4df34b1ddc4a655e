//! Bytes that flip in closed files, and files that are cut off.
//!
//! What a user must never see: a wrong value, or a record that is missing without a word. So a trial
//! passes if opening fails with a typed error; or if every record that was saved is read with its
//! value or gives an error, and every listing gives all of them, or names a problem, or fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_executor::block_on;
use mnemora::backends::Durability;
use mnemora::model::{Value, encode_value};
use mnemora::stores::{Memory, MemoryOptions, PageRequest, SaveItem, StoreOptions};
use mnemora::testing::disk::SimulatedDisk;
use mnemora::testing::rng::SplitMix64;
use mnemora::{Error, ErrorKind};

use crate::failing::Watch;
use crate::subject::{Subject, options, seeds};

const TRIALS: u64 = 1_000;
const STORES: [&str; 3] = ["agents", "Agents", "\u{fc}ber/..\\x"];

type Saved = BTreeMap<(&'static str, String), Vec<u8>>;

fn open(subject: Subject, disk: &SimulatedDisk) -> mnemora::Result<Memory> {
    let backend = options(Arc::new(disk.clone()), Durability::Strict);
    block_on(Memory::open(&subject.url(""), &MemoryOptions { backend, ..MemoryOptions::default() }))
}

/// A closed store of 360 records, a sixth of them saved twice, a tenth deleted.
fn build(subject: Subject) -> (SimulatedDisk, Saved) {
    let disk = SimulatedDisk::new();
    let mut rng = SplitMix64::new(11);
    let mut saved = Saved::new();
    for round in 0..2 {
        let memory = open(subject, &disk).unwrap();
        for name in STORES {
            let store = memory.store(name, StoreOptions::default()).unwrap();
            for group in 0..12 {
                let mut items = Vec::new();
                for n in 0..if round == 0 { 11 } else { 2 } {
                    let id = format!("{group:02}-{n:02}");
                    let length = rng.below(if n == 0 { 1_500 } else { 60 });
                    let text = format!("{name} {id} {round} {}", "v".repeat(length));
                    let payload = encode_value(&Value::String(text)).unwrap();
                    saved.insert((name, id.clone()), payload.clone());
                    items.push(SaveItem::new(id, payload));
                }
                block_on(store.save(&items, None)).unwrap();
                if round == 1 {
                    let id = format!("{group:02}-05");
                    block_on(store.delete(&id, None, None)).unwrap();
                    saved.remove(&(name, id));
                }
            }
        }
        block_on(memory.close()).unwrap();
    }
    (disk, saved)
}

/// A thousand trials; each on a fresh copy of the same closed store.
pub(crate) fn flip_bytes(subject: Subject) {
    let (pristine, saved) = build(subject);
    let trials = seeds(TRIALS);
    println!("{subject:?}: files {:?}, seeds {trials:?}", pristine.files());
    let mut told = BTreeMap::<&str, usize>::new();
    for seed in trials {
        let disk = pristine.copy();
        let what = damage(&disk, seed);
        let place = format!("seed {seed}: {what}");
        let _watch = Watch::over(&place);
        let outcome = match open(subject, &disk) {
            Err(error) => {
                expect_damage(&place, &error);
                "refused at opening"
            }
            Ok(memory) => {
                let errors = read_all(&place, &memory, &saved);
                // Closing may find what reading did not.
                let _ = block_on(memory.close()).inspect_err(|error| expect_damage(&place, error));
                if errors == 0 { "harmless" } else { "reported when read" }
            }
        };
        *told.entry(outcome).or_default() += 1;
    }
    println!("{subject:?}: {told:?}");
}

fn damage(disk: &SimulatedDisk, seed: u64) -> String {
    let mut rng = SplitMix64::new(seed);
    let files: Vec<_> = disk.files().into_iter().filter(|(_, length)| *length > 0).collect();
    let (path, length) = &files[rng.below(files.len())];
    let mut what = path.clone();
    let at = |rng: &mut SplitMix64| rng.below(*length as usize);
    if rng.below(10) == 0 {
        let kept = at(&mut rng);
        disk.damage(path, |bytes| bytes.truncate(kept));
        return format!("{what} cut to {kept} of {length}");
    }
    for _ in 0..1 + rng.below(3) {
        let (at, mask) = (at(&mut rng), 1 + rng.below(255) as u8);
        disk.damage(path, |bytes| bytes[at] ^= mask);
        what += &format!(", byte {at} ^ {mask:#04x}");
    }
    what
}

/// Reads everything in every way. Gives how many errors and problems were told.
fn read_all(place: &str, memory: &Memory, saved: &Saved) -> usize {
    let mut errors = 0;
    for name in STORES {
        let store = memory.store(name, StoreOptions::default()).unwrap();
        let expected: BTreeMap<&str, &Vec<u8>> =
            saved.iter().filter(|((of, _), _)| *of == name).map(|((_, id), value)| (&**id, value)).collect();
        let ids: Vec<String> = expected.keys().map(|id| (*id).to_owned()).collect();
        // All at once; one by one if one of them stops that.
        let found: Vec<_> = match block_on(store.get_many(&ids)) {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(_) => ids.iter().map(|id| block_on(store.get(id))).collect(),
        };
        for ((id, payload), found) in expected.iter().zip(found) {
            match found {
                Ok(Some(entry)) => {
                    assert!(entry.payload == **payload, "{place}: {name}/{id} has a wrong value")
                }
                Ok(None) => panic!("{place}: {name}/{id} is missing without a word"),
                Err(error) => {
                    expect_damage(place, &error);
                    errors += 1;
                }
            }
        }
        // What was deleted, or never there, does not appear.
        for id in ["00-05", "11-05", "none"] {
            let found = block_on(store.get(id)).inspect_err(|error| expect_damage(place, error));
            assert!(!matches!(found, Ok(Some(_))), "{place}: {name}/{id} has come back");
        }
        for reverse in [false, true] {
            let request = PageRequest { limit: 1_000, reverse, ..PageRequest::default() };
            match block_on(store.page(&request)) {
                Err(error) => {
                    expect_damage(place, &error);
                    errors += 1;
                }
                Ok(listing) => {
                    for entry in &listing.entries {
                        let right =
                            expected.get(&*entry.id).is_some_and(|payload| **payload == entry.payload);
                        assert!(right, "{place}: the listing has a wrong {name}/{}", entry.id);
                    }
                    errors += listing.problems.len();
                    let shown = listing.entries.len() + listing.problems.len();
                    assert!(
                        shown >= expected.len(),
                        "{place}: the listing of {name} has {shown} of {} without a word",
                        expected.len()
                    );
                }
            }
        }
    }
    errors
}

/// The error says that something is damaged, or takes the file for something else.
fn expect_damage(place: &str, error: &Error) {
    let kinds = [
        ErrorKind::Corrupt,
        ErrorKind::Invalid,
        ErrorKind::Version,
        ErrorKind::Unavailable,
        ErrorKind::Blocked,
    ];
    assert!(kinds.contains(&error.kind()), "{place}: {error}");
}
