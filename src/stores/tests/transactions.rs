//! Transactions across memories, times and damage. The basics are told beside the transaction itself.

use super::*;
use crate::model::Ticket;

#[test]
fn a_conflict_names_the_key_and_what_was_found_and_nothing_is_written() {
    block_on(async {
        let world = World::new();
        let (store, other) = (world.store(plain()).await, world.store(plain()).await);
        save(&store, "a", 1).await;
        let transaction = store.memory.begin();
        transaction.get(&store, "a").await.unwrap();
        transaction.save(&store, "b", encoded(2), TimeToLive::Default).unwrap();
        let version = save(&other, "a", 5).await;
        let error = refused(transaction.commit(None).await, ErrorKind::Conflict);
        assert_eq!(error.key(), Some("s/a"));
        assert!(error.message().contains(&format!("has version {version}")), "{error}");
        assert_eq!(value(&store, "b").await, None);

        let transaction = store.memory.begin();
        transaction.get(&store, "a").await.unwrap();
        transaction.save(&store, "b", encoded(2), TimeToLive::Default).unwrap();
        other.delete("a", None, None).await.unwrap();
        let error = refused(transaction.commit(None).await, ErrorKind::Conflict);
        assert!(error.message().contains("is not there"), "{error}");
    });
}

#[test]
fn a_range_is_guarded_against_whatever_another_memory_does_in_it() {
    block_on(async {
        let world = World::new();
        let (store, other) = (world.store(plain()).await, world.store(plain()).await);
        store.save(&[item("p:1", 1), item("p:2", 2), item("q", 1)], None).await.unwrap();
        for (id, deletes, conflicts) in [
            ("p:3", false, true),
            ("p:1", true, true),
            ("p:2", false, true),
            ("p", false, false),
            ("q", true, false),
            ("p;", false, false),
        ] {
            let transaction = store.memory.begin();
            transaction.list(&store, "p:").await.unwrap();
            transaction.save(&store, "sum", encoded(1), TimeToLive::Default).unwrap();
            if deletes {
                other.delete(id, None, None).await.unwrap();
            } else {
                save(&other, id, 9).await;
            }
            let outcome = transaction.commit(None).await;
            assert_eq!(outcome.is_err(), conflicts, "{id}");
            if let Err(error) = outcome {
                assert_eq!(error.kind(), ErrorKind::Conflict);
            }
        }
    });
}

#[test]
fn a_range_whose_log_was_trimmed_is_a_conflict_and_never_a_guess() {
    block_on(async {
        let world = World::new();
        let (store, other) = (world.store(plain()).await, world.store(plain()).await);
        save(&store, "p:1", 1).await;
        let transaction = store.memory.begin();
        transaction.list(&store, "p:").await.unwrap();
        transaction.save(&store, "sum", encoded(1), TimeToLive::Default).unwrap();
        save(&other, "p:2", 1).await;
        save(&other, "elsewhere", 1).await;
        world.backend.commit(&[Batch { trim_log: Some(3), ..Batch::new(1) }]).await.unwrap();
        refused(transaction.commit(None).await, ErrorKind::Conflict);
    });
}

#[test]
fn a_log_that_is_trimmed_to_nothing_stops_no_transaction() {
    block_on(async {
        let world = World::new();
        let (store, other) = (world.store(plain()).await, world.store(plain()).await);
        save(&store, "p:1", 1).await;
        world.backend.commit(&[Batch { trim_log: Some(1), ..Batch::new(1) }]).await.unwrap();
        for conflicts in [false, true] {
            let transaction = store.memory.begin();
            assert_eq!(transaction.list(&store, "p:").await.unwrap().len(), 1);
            transaction.save(&store, "sum", encoded(1), TimeToLive::Default).unwrap();
            if conflicts {
                save(&other, "p:1", 2).await;
            }
            assert_eq!(transaction.commit(None).await.is_err(), conflicts);
            let end = world.backend.stats().await.unwrap().sequence;
            world.backend.commit(&[Batch { trim_log: Some(end), ..Batch::new(1) }]).await.unwrap();
        }
    });
}

#[test]
fn all_reads_of_a_run_are_of_one_time() {
    block_on(async {
        let world = World::new();
        let store = world.store(plain()).await;
        store.save(&[living("a", 1, 10), item("b", 2)], None).await.unwrap();
        let transaction = store.memory.begin();
        let first = transaction.get(&store, "a").await.unwrap();
        world.clock.advance(10);
        assert_eq!(value(&store, "a").await, None);
        assert_eq!(transaction.get(&store, "a").await.unwrap(), first);
        assert_eq!(transaction.list(&store, "").await.unwrap().len(), 2);
        let later = store.memory.begin();
        assert_eq!(later.get(&store, "a").await.unwrap(), None);
        assert_eq!(later.list(&store, "").await.unwrap().len(), 1);
        later.save(&store, "a", encoded(7), TimeToLive::Default).unwrap();
        later.commit(None).await.unwrap();
        assert_eq!(value(&store, "a").await, Some(7));
    });
}

#[test]
fn pasts_and_times_to_live_are_kept_as_by_a_save() {
    block_on(async {
        let world = World::new();
        let memory = world.memory(true).await;
        let kept = memory.store("s", StoreOptions { ttl_ms: Some(100), history: 2 }).unwrap();
        for n in 1..=4 {
            let transaction = memory.begin();
            transaction.save(&kept, "a", encoded(n), TimeToLive::Default).unwrap();
            transaction.save(&kept, "forever", encoded(n), TimeToLive::Forever).unwrap();
            transaction.commit(None).await.unwrap();
        }
        assert_eq!(past(&kept, "a").await, [3, 2]);
        assert_eq!(world.keys(Space::Expiry).await, 1, "one note for one record");
        let transaction = memory.begin();
        transaction.delete(&kept, "forever").unwrap();
        transaction.delete(&kept, "never there").unwrap();
        transaction.commit(None).await.unwrap();
        assert_eq!(past(&kept, "forever").await, [4, 3]);
        world.clock.advance(100);
        assert_eq!(value(&kept, "a").await, None);
        assert_eq!(memory.maintain(1e9).await.unwrap().expired, 1);
        assert_eq!(world.keys(Space::Expiry).await, 0);
    });
}

#[test]
fn one_that_wrote_nothing_and_read_what_still_holds_takes_no_number() {
    block_on(async {
        let store = World::new().store(plain()).await;
        let version = save(&store, "a", 1).await;
        let transaction = store.memory.begin();
        transaction.get(&store, "a").await.unwrap();
        transaction.list(&store, "").await.unwrap();
        assert_eq!(transaction.commit(None).await.unwrap(), version);
        assert_eq!(store.memory.begin().commit(None).await.unwrap(), version);
        assert_eq!(store.memory.head(), version);
    });
}

#[test]
fn one_that_was_taken_back_writes_nothing() {
    block_on(async {
        let store = World::new().store(plain()).await;
        let transaction = store.memory.begin();
        transaction.save(&store, "a", encoded(1), TimeToLive::Default).unwrap();
        let ticket = Ticket::default();
        assert!(ticket.withdraw());
        transaction.commit(Some(ticket)).await.unwrap_err();
        assert_eq!(store.memory.head(), 0);
    });
}

#[test]
fn damage_is_an_error_of_the_reader_and_can_be_written_over() {
    block_on(async {
        let world = World::new();
        let store = world.store(plain()).await;
        store.save(&[item("a", 1), item("b", 2)], None).await.unwrap();
        let key = Key::record("s", "a").unwrap();
        world.overwrite(&key, vec![1, 2, 3]).await;
        let transaction = store.memory.begin();
        assert_eq!(refused(transaction.get(&store, "a").await, ErrorKind::Corrupt).key(), Some("s/a"));
        refused(transaction.list(&store, "").await, ErrorKind::Corrupt);
        transaction.save(&store, "a", encoded(3), TimeToLive::Default).unwrap();
        transaction.commit(None).await.unwrap();
        assert_eq!(value(&store, "a").await, Some(3));
    });
}

/// Every interleaving of two transfers and an audit, by polling in turns: the sum is always whole.
#[test]
fn transfers_between_two_memories_keep_the_sum() {
    block_on(async {
        let world = World::new();
        let stores = [world.store(plain()).await, world.store(plain()).await];
        stores[0].save(&[item("x", 100), item("y", 100)], None).await.unwrap();
        let transfer = |store: Store, from: &'static str, to: &'static str| async move {
            let mut runs = 0;
            loop {
                runs += 1;
                let transaction = store.memory.begin();
                let read = |payload: Option<Vec<u8>>| match crate::model::decode_value(&payload.unwrap()) {
                    Ok(crate::model::Value::Int(number)) => u8::try_from(number).unwrap(),
                    other => panic!("{other:?}"),
                };
                let mine = transaction.get(&store, from).await.map(read);
                crate::platform::yield_now().await;
                let yours = transaction.get(&store, to).await.map(read);
                let (Ok(mine), Ok(yours)) = (mine, yours) else { continue };
                transaction.save(&store, from, encoded(mine - 1), TimeToLive::Default).unwrap();
                transaction.save(&store, to, encoded(yours + 1), TimeToLive::Default).unwrap();
                if transaction.commit(None).await.is_ok() {
                    return runs;
                }
            }
        };
        let transfers = (0..60).map(|n| {
            let (from, to) = if n % 3 == 0 { ("y", "x") } else { ("x", "y") };
            transfer(stores[n % 2].clone(), from, to)
        });
        let runs: usize = futures_util::future::join_all(transfers).await.into_iter().sum();
        assert!(runs > 60, "they did stand in one another's way");
        assert_eq!((value(&stores[0], "x").await, value(&stores[1], "y").await), (Some(80), Some(120)));
    });
}
