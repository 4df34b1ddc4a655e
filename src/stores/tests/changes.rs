//! The log as a watcher of one store sees it.

use super::*;
use crate::stores::{Change, ChangeKind, NewDocument, Wanted};
use crate::vector::Metric;

fn brief(changes: &[Change]) -> Vec<(ChangeKind, &str, u64)> {
    changes.iter().map(|change| (change.kind, change.id.as_str(), change.version)).collect()
}

#[test]
fn only_the_records_of_the_store_and_of_the_prefix_are_told() {
    block_on(async {
        let world = World::new();
        let memory = world.memory(true).await;
        let store = memory.store("s", with_history(3)).unwrap();
        save(&memory.store("t", plain()).unwrap(), "a", 1).await;
        save(&store, "a", 1).await;
        let options = Wanted::vectors(1, Metric::Dot);
        let document = NewDocument {
            id: "a".into(),
            text: None,
            vector: Some(vec![1.0]),
            metadata: None,
            importance: 0.5,
        };
        let notes = memory.collection("s", options).unwrap();
        notes.add(&[document], None).await.unwrap();
        let saved = save(&store, "a", 2).await;
        store.save(&[living("b", 3, 10)], None).await.unwrap();
        store.delete("a", None, None).await.unwrap();
        world.clock.set(5_000);
        assert_eq!(memory.maintain(1e9).await.unwrap().expired, 1);

        let all = store.changes(0, "").await.unwrap();
        use ChangeKind::{Delete, Expire, Save};
        assert_eq!(
            brief(&all.changes),
            [
                (Save, "a", 2),
                (Save, "a", saved),
                (Save, "b", saved + 1),
                (Delete, "a", saved + 2),
                (Expire, "b", saved + 3)
            ],
            "neither the past nor notes of expiry nor other stores are among them"
        );
        assert_eq!((all.cursor, all.more), (saved + 3, false));
        assert!(all.changes.iter().all(|change| change.payload.is_none()), "none of them is current");
        assert_eq!(all.changes[0].time, 1_000);
        assert_eq!(all.changes[4].time, 5_000);
        let some = store.changes(saved, "b").await.unwrap();
        assert_eq!(brief(&some.changes), [(Save, "b", saved + 1), (Expire, "b", saved + 3)]);
        assert!(
            brief(&notes.changes(0, "").await.unwrap().changes)
                .iter()
                .all(|(kind, id, _)| (*kind, *id) == (Save, "a"))
        );
    });
}

#[test]
fn a_value_comes_along_as_long_as_it_is_current_and_can_be_read() {
    block_on(async {
        let world = World::new();
        let store = world.store(plain()).await;
        store.save(&[item("a", 1), item("b", 1)], None).await.unwrap();
        store.save(&[item("b", 2), living("c", 3, 10)], None).await.unwrap();
        let payloads =
            |changes: Vec<Change>| -> Vec<_> { changes.into_iter().map(|change| change.payload).collect() };
        let told = payloads(store.changes(0, "").await.unwrap().changes);
        assert_eq!(told, [Some(encoded(1)), None, Some(encoded(2)), Some(encoded(3))]);
        world.clock.set(5_000);
        let key = Key::record("s", "b").unwrap();
        let bytes = world.raw(&key).await.value;
        world.overwrite(&key, bytes[..bytes.len() - 1].to_vec()).await;
        let told = payloads(store.changes(0, "").await.unwrap().changes);
        assert_eq!(told, [Some(encoded(1)), None, None, None, None], "damage and expiry end nothing");
    });
}

#[test]
fn a_long_past_comes_in_pieces_without_a_gap() {
    block_on(async {
        let world = World::new();
        let (store, other) = (world.store(plain()).await, world.store(plain()).await);
        for n in 0..700u32 {
            save(if n % 2 == 0 { &store } else { &other }, &(n % 9).to_string(), (n % 250) as u8).await;
        }
        for begin in [0, 1, 255, 256, 257, 699, 700] {
            let (mut cursor, mut versions) = (begin, Vec::new());
            loop {
                let piece = store.changes(cursor, "").await.unwrap();
                versions.extend(piece.changes.iter().map(|change| change.version));
                cursor = piece.cursor;
                if !piece.more {
                    break;
                }
            }
            assert_eq!(versions, (begin + 1..=700).collect::<Vec<_>>());
            assert_eq!(cursor, 700);
        }
        assert_eq!(store.memory.head(), 700, "who reads the log knows how far it goes");
    });
}

#[test]
fn a_cursor_from_nowhere_is_refused() {
    block_on(async {
        let world = World::new();
        let (store, other) = (world.store(plain()).await, world.store(plain()).await);
        save(&store, "a", 1).await;
        let error = refused(store.changes(2, "").await, ErrorKind::Invalid);
        assert!(error.message().contains("has not reached 2"), "{error}");
        save(&other, "a", 2).await;
        assert_eq!(store.changes(2, "").await.unwrap().changes, [], "reached by another, who has not told");
        world.backend.commit(&[Batch { trim_log: Some(1), ..Batch::new(1) }]).await.unwrap();
        refused(store.changes(0, "").await, ErrorKind::NotFound);
        assert_eq!(store.changes(1, "").await.unwrap().changes.len(), 1);
    });
}
