//! Records that can not be read: named, passed over, mended by whoever writes anew.

use super::*;
use crate::model::{KeyBuilder, Value, encode_value};
use crate::stores::{NewDocument, Problem, Wanted};
use crate::testing::rng::SplitMix64;
use crate::vector::Metric;

/// Where the envelope keeps the time of expiry.
const EXPIRES: std::ops::Range<usize> = 28..36;

fn key(id: &str) -> Key {
    Key::record("s", id).unwrap()
}

async fn verified(memory: &Memory) -> Vec<Problem> {
    let (mut problems, mut cursor) = (Vec::new(), None);
    loop {
        let page = memory.verify(cursor).await.unwrap();
        problems.extend(page.problems);
        cursor = page.cursor;
        if cursor.is_none() {
            return problems;
        }
    }
}

async fn three(world: &World) -> Store {
    let store = world.store(plain()).await;
    store.save(&[item("a", 1), item("b", 2), item("c", 3)], None).await.unwrap();
    store
}

#[test]
fn a_damaged_record_is_named_and_stops_nothing() {
    block_on(async {
        let world = World::new();
        let store = three(&world).await;
        let mut bytes = world.raw(&key("b")).await.value;
        *bytes.last_mut().unwrap() ^= 1;
        world.overwrite(&key("b"), bytes).await;

        let error = refused(store.get("b").await, ErrorKind::Corrupt);
        assert_eq!(error.key(), Some("s/b"));
        let error = refused(store.get_many(&["a".into(), "b".into()]).await, ErrorKind::Corrupt);
        assert_eq!(error.key(), Some("s/b"));
        for limit in [1, 2, 3] {
            let (mut found, mut problems) = (Vec::new(), Vec::new());
            let mut request = PageRequest { limit, ..PageRequest::default() };
            loop {
                let page = store.page(&request).await.unwrap();
                found.extend(page.entries.into_iter().map(|entry| entry.id));
                problems.extend(page.problems);
                match page.cursor {
                    Some(cursor) => request.after = Some(cursor),
                    None => break,
                }
            }
            assert_eq!(found, ["a", "c"], "limit {limit}");
            assert_eq!(problems.len(), 1, "limit {limit}: named once");
            assert_eq!((problems[0].kind, problems[0].key.as_str()), (ErrorKind::Corrupt, "s/b"));
        }
        let found = verified(&store.memory).await;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind, found[0].key.as_str()), (ErrorKind::Corrupt, "s/b"));
        assert_eq!(found[0].key.to_string(), "s/b");
        assert_eq!((value(&store, "a").await, value(&store, "c").await), (Some(1), Some(3)));

        save(&store, "b", 9).await;
        assert_eq!(value(&store, "b").await, Some(9), "writing anew mends it");
        assert!(verified(&store.memory).await.is_empty());
    });
}

#[test]
fn a_damaged_record_can_be_deleted() {
    block_on(async {
        let world = World::new();
        let store = three(&world).await;
        world.overwrite(&key("b"), vec![0xFF; 60]).await;
        assert!(store.delete("b", None, None).await.unwrap());
        assert_eq!(ids(&store).await, ["a", "c"]);
        assert!(verified(&store.memory).await.is_empty());
    });
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    block_on(async {
        let world = World::new();
        let store = three(&world).await;
        let good = world.raw(&key("b")).await.value;
        let flips = (0..good.len() * 8).map(|bit| {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        });
        let cuts = (0..good.len()).map(|length| good[..length].to_vec());
        let longer = std::iter::once([good.as_slice(), &[0]].concat());
        for bytes in flips.chain(cuts).chain(longer) {
            world.overwrite(&key("b"), bytes).await;
            let page = everything(&store).await;
            assert_eq!((page.entries.len(), page.problems.len()), (2, 1));
            let kind = store.get("b").await.unwrap_err().kind();
            assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::Version), "{kind:?}");
            assert_eq!(page.problems[0].kind, kind);
            assert_eq!(verified(&store.memory).await.len(), 1);
        }
    });
}

#[test]
fn records_that_changed_places_are_noticed() {
    block_on(async {
        let world = World::new();
        let store = three(&world).await;
        let (a, b) = (world.raw(&key("a")).await.value, world.raw(&key("b")).await.value);
        world.overwrite(&key("a"), b).await;
        world.overwrite(&key("b"), a).await;
        assert_eq!(ids(&store).await, ["c"]);
        assert_eq!(verified(&store.memory).await.len(), 2);
    });
}

#[test]
fn a_record_of_a_newer_release_is_told_from_a_damaged_one() {
    block_on(async {
        let world = World::new();
        let store = three(&world).await;
        let mut bytes = world.raw(&key("b")).await.value;
        bytes[2] = 200;
        world.overwrite(&key("b"), bytes).await;
        refused(store.get("b").await, ErrorKind::Version);
        assert_eq!(everything(&store).await.problems[0].kind, ErrorKind::Version);
        assert_eq!(verified(&store.memory).await[0].kind, ErrorKind::Version);
    });
}

#[test]
fn a_damaged_time_of_expiry_does_not_make_a_record_expire() {
    block_on(async {
        let world = World::new();
        let store = world.store(with_history(5)).await;
        for n in 1..=4 {
            save(&store, "a", n).await;
        }
        let mut bytes = world.raw(&key("a")).await.value;
        bytes[EXPIRES].copy_from_slice(&1u64.to_le_bytes());
        world.overwrite(&key("a"), bytes).await;
        refused(store.get("a").await, ErrorKind::Corrupt);
        assert_eq!(past(&store, "a").await, [3, 2, 1], "it can not be read, so it has not expired");
        assert_eq!(store.count("").await.unwrap(), 1);
        refused(store.save(&[expecting("a", 9, 0)], None).await, ErrorKind::Conflict);
        save(&store, "a", 5).await;
        let kept = store.history("a", 9).await;
        let kept = kept.map(|entries| entries.len()).or_else(|error| match error.kind() {
            ErrorKind::Corrupt => Ok(3),
            _ => Err(error),
        });
        assert!(kept.unwrap() >= 3, "its past is not lost");
    });
}

#[test]
fn a_damaged_past_is_reported_by_verify_and_by_its_reader() {
    block_on(async {
        let world = World::new();
        let store = world.store(with_history(5)).await;
        let first = save(&store, "a", 1).await;
        save(&store, "a", 2).await;
        let at = KeyBuilder::new(Space::History).text("s").text("a").integer(first).build();
        let mut bytes = world.raw(&at).await.value;
        *bytes.last_mut().unwrap() ^= 0x80;
        world.overwrite(&at, bytes).await;
        refused(store.history("a", 9).await, ErrorKind::Corrupt);
        assert_eq!(value(&store, "a").await, Some(2));
        assert_eq!(verified(&store.memory).await.len(), 1);
        let malformed = KeyBuilder::new(Space::History).text("s").build();
        world.overwrite(&malformed, vec![1, 2, 3]).await;
        assert_eq!(verified(&store.memory).await.len(), 2);
    });
}

#[test]
fn notes_of_expiry_that_make_no_sense_are_cleared_away() {
    block_on(async {
        let world = World::new();
        let store = three(&world).await;
        let notes = [
            KeyBuilder::new(Space::Expiry).integer(5).build(),
            KeyBuilder::new(Space::Expiry).integer(6).text("s").build(),
            KeyBuilder::new(Space::Expiry).integer(7).text("s").text("a").build(),
            KeyBuilder::new(Space::Expiry).integer(8).text("s").text("gone").build(),
            KeyBuilder::new(Space::Expiry).integer(9).text("s").text("").build(),
            KeyBuilder::new(Space::Expiry).text("not a time").build(),
        ];
        for note in &notes {
            world.overwrite(note, Vec::new()).await;
        }
        let done = store.memory.maintain(1e9).await.unwrap();
        assert_eq!((done.expired, done.more), (0, false));
        assert_eq!(ids(&store).await, ["a", "b", "c"], "no record goes by a note alone");
        assert!(world.keys(Space::Expiry).await <= 1, "what lies in no time can stay");
    });
}

#[test]
fn a_payload_that_is_no_value_is_found_by_verify() {
    block_on(async {
        let world = World::new();
        let store = three(&world).await;
        store.save(&[SaveItem::new("b", vec![0xFF, 0xFF])], None).await.unwrap();
        let problems = verified(&store.memory).await;
        assert_eq!(problems.iter().map(|problem| problem.key.clone()).collect::<Vec<_>>(), ["s/b"]);
    });
}

#[test]
fn a_damaged_document_leaves_the_others_to_be_found() {
    block_on(async {
        let world = World::new();
        let memory = world.memory(true).await;
        let options = Wanted::vectors(2, Metric::Dot);
        let document = |id: &str, x: f32| NewDocument {
            id: id.into(),
            text: None,
            vector: Some(vec![x, 1.0]),
            metadata: Some(encode_value(&Value::Object(vec![("x".into(), Value::Int(1))])).unwrap()),
            importance: 0.5,
        };
        let notes = memory.collection("n", options).unwrap();
        notes.add(&[document("a", 1.0), document("b", 2.0), document("c", 3.0)], None).await.unwrap();
        let at = Key::named(Space::Document, "n", "b").unwrap();
        let mut bytes = world.raw(&at).await.value;
        bytes[50] ^= 4;
        world.overwrite(&at, bytes).await;
        let reopened = world.memory(true).await.collection("n", Wanted::default()).unwrap();
        let hits = reopened.nearest(&[1.0, 0.0], 9, None).await.unwrap();
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["c", "a"]);
        let page = reopened.page(&PageRequest { limit: 9, ..PageRequest::default() }, None).await.unwrap();
        assert_eq!((page.entries.len(), page.problems.len()), (2, 1));
        assert_eq!(page.problems[0].key, at.to_string());
        assert!(refused(reopened.get("b").await, ErrorKind::Corrupt).key().unwrap().ends_with("n/b"));
        assert_eq!(verified(&memory).await.len(), 1);
        notes.add(&[document("b", 9.0)], None).await.unwrap();
        let fresh = world.memory(true).await.collection("n", Wanted::default()).unwrap();
        assert_eq!(fresh.nearest(&[1.0, 0.0], 1, None).await.unwrap()[0].id, "b");
    });
}

/// Whatever lies on the disk, reading it ends in a value or in an error that says what is wrong.
#[test]
fn noise_in_every_space_breaks_nothing() {
    const SEED: u64 = 0xda3a6e;
    println!("seed {SEED:#x}");
    let mut rng = SplitMix64::new(SEED);
    block_on(async {
        for _ in 0..40 {
            let world = World::new();
            let store = three(&world).await;
            for space in [Space::Meta, Space::Record, Space::History, Space::Expiry, Space::Document] {
                for _ in 0..4 {
                    let mut at = KeyBuilder::new(space);
                    for _ in 0..rng.below(4) {
                        at = if rng.below(2) == 0 {
                            at.integer(rng.below(2_000) as u64)
                        } else {
                            at.text(["s", "n", "x", "\0", ""][rng.below(5)])
                        };
                    }
                    let noise = (0..rng.below(80)).map(|_| rng.below(256) as u8).collect();
                    world.overwrite(&at.build(), noise).await;
                }
            }
            store.memory.maintain(1e9).await.unwrap();
            verified(&store.memory).await;
            let page = everything(&store).await;
            assert_eq!(page.entries.len(), 3, "what is good is there");
            store.changes(0, "").await.unwrap();
            for name in ["n", "s", "x"] {
                let collection = store.memory.collection(name, Wanted::default()).unwrap();
                let request = PageRequest { limit: 99, ..PageRequest::default() };
                let kinds = [
                    collection.page(&request, None).await.map(drop),
                    collection.nearest(&[1.0], 9, None).await.map(drop),
                    collection.count().await.map(drop),
                ];
                for kind in kinds.into_iter().filter_map(Result::err).map(|error| error.kind()) {
                    assert!(
                        matches!(kind, ErrorKind::Corrupt | ErrorKind::Version | ErrorKind::Invalid),
                        "{kind:?}"
                    );
                }
            }
        }
    });
}

#[cfg(feature = "json")]
#[test]
fn records_that_can_not_be_listed_are_a_problem_and_what_lies_around_them_is_verified() {
    use crate::backends::OpenOptions;
    use crate::stores::MemoryOptions;
    use crate::testing::disk::SimulatedDisk;

    block_on(async {
        let disk = SimulatedDisk::new();
        let open = async || {
            let backend = OpenOptions { files: Some(Arc::new(disk.clone())), ..OpenOptions::default() };
            Memory::open("json:///d", &MemoryOptions { backend, ..MemoryOptions::default() }).await.unwrap()
        };
        let memory = open().await;
        for name in ["a", "b", "c"] {
            let store = memory.store(name, with_history(1)).unwrap();
            store.save(&[item("x", 1), item("y", 1)], None).await.unwrap();
            store.save(&[item("x", 2)], None).await.unwrap();
        }
        // No value, in the last of the stores.
        let at = Key::record("c", "z").unwrap();
        let batch = Batch::new(1).put(at, vec![1, 2, 3]);
        crate::testing::commit(memory.backend(), batch).await.expect("passes");
        memory.close().await.unwrap();
        disk.damage("/d/b.record.jsonl", |bytes| bytes.truncate(bytes.len() - 9));
        let memory = open().await;
        let (mut problems, mut cursor, mut checked) = (Vec::new(), None, 0);
        loop {
            let page = memory.verify(cursor).await.expect("damage is no error");
            problems.extend(page.problems);
            checked += page.checked;
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(checked, 2 + 3 + 3, "the records of a and c, and all of the past");
        let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["storage", "Record", "c/z"], "{problems:?}");
        assert!(problems[1].message.contains("b.record.jsonl"), "{problems:?}");
    });
}
