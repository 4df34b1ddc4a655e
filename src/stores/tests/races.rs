//! Several writers at once: in one memory, and in several over one backend.

use futures_util::future::{join, join_all};
use futures_util::{FutureExt, poll};

use super::*;
use crate::model::Ticket;
use crate::testing::Counting;

#[test]
fn of_two_memories_that_expect_the_same_version_one_wins() {
    block_on(async {
        let world = World::new();
        let (here, there) = (world.store(plain()).await, world.store(plain()).await);
        let mut version = save(&here, "a", 0).await;
        for n in 1..=20 {
            let (mine, yours) = ([expecting("a", n, version)], [expecting("a", 100 + n, version)]);
            let (one, two) = join(here.save(&mine, None), there.save(&yours, None)).await;
            let (won, lost, stored) = if one.is_ok() { (one, two, n) } else { (two, one, 100 + n) };
            refused(lost, ErrorKind::Conflict);
            version = won.unwrap();
            assert_eq!(value(&here, "a").await, Some(stored));
            assert_eq!(value(&there, "a").await, Some(stored));
        }
    });
}

#[test]
fn no_version_is_lost_from_a_past_that_many_write() {
    block_on(async {
        let world = World::new();
        let memories = [world.memory(true).await, world.memory(true).await, world.memory(false).await];
        let stores = memories.map(|memory| memory.store("s", with_history(1_000)).unwrap());
        let writes = (0..210u8).map(|n| {
            let store = stores[usize::from(n) % 3].clone();
            async move { (store.save(&[item("hot", n)], None).await.expect("nobody is refused"), n) }
        });
        let mut written = join_all(writes).await;
        written.sort_unstable_by_key(|(version, _)| std::cmp::Reverse(*version));
        let expected: Vec<u8> = written.iter().map(|(_, n)| *n).collect();
        assert_eq!(value(&stores[0], "hot").await, Some(expected[0]));
        assert_eq!(past(&stores[0], "hot").await, expected[1..]);
    });
}

#[test]
fn one_delete_of_many_says_that_it_was_there() {
    block_on(async {
        let world = World::new();
        let (here, there) = (world.store(with_history(3)).await, world.store(plain()).await);
        save(&here, "a", 1).await;
        let deletes = (0..30).map(|n| {
            let store = if n % 2 == 0 { here.clone() } else { there.clone() };
            async move { store.delete("a", None, None).await.unwrap() }
        });
        assert_eq!(join_all(deletes).await.into_iter().filter(|was| *was).count(), 1);
        assert_eq!(value(&here, "a").await, None);
    });
}

#[test]
fn grouping_changes_the_number_of_commits_and_nothing_else() {
    block_on(async {
        for (group_commit, commits) in [(true, 1), (false, 100)] {
            let backend = Arc::new(Counting::new(MemoryBackend::new()));
            let shared: Arc<dyn Backend> = Arc::<Counting>::clone(&backend);
            let memory = Memory::over(shared, group_commit, Arc::new(ManualClock::at(1_000))).await.unwrap();
            let store = memory.store("s", plain()).unwrap();
            let saves = (0..100u8).map(|n| {
                let store = store.clone();
                async move { store.save(&[item(&n.to_string(), n)], None).await.unwrap() }
            });
            assert_eq!(join_all(saves).await, (1..=100).collect::<Vec<u64>>(), "in order of their callers");
            assert_eq!(backend.commits(), commits);
            for n in 0..100u8 {
                assert_eq!(value(&store, &n.to_string()).await, Some(n));
            }
            assert_eq!(memory.head(), 100);
            memory.close().await.unwrap();
            refused(store.get("1").await, ErrorKind::Closed);
            refused(store.save(&[item("1", 1)], None).await, ErrorKind::Closed);
        }
    });
}

#[test]
fn a_write_that_was_taken_back_is_not_written() {
    block_on(async {
        for (group_commit, options) in [(true, plain()), (false, plain()), (true, with_history(2))] {
            let memory = World::new().memory(group_commit).await;
            let store = memory.store("s", options).unwrap();
            save(&store, "old", 1).await;
            let before = Ticket::default();
            assert!(before.withdraw());
            store.save(&[item("a", 1)], Some(before.clone())).await.unwrap_err();
            store.delete("old", None, Some(before)).await.unwrap_err();

            let (ticket, items) = (Ticket::default(), [item("a", 1)]);
            let mut write = store.save(&items, Some(ticket.clone())).boxed_local();
            assert!(poll!(write.as_mut()).is_pending(), "it waits for others to come along");
            assert!(ticket.withdraw());
            write.await.unwrap_err();

            assert_eq!(ids(&store).await, ["old"]);
            assert_eq!(memory.head(), 1, "no number was spent");
            save(&store, "after", 2).await;
        }
    });
}

#[test]
fn a_write_that_was_handed_over_can_not_be_taken_back() {
    block_on(async {
        let store = World::new().store(with_history(2)).await;
        let ticket = Ticket::default();
        store.save(&[item("a", 1)], Some(ticket.clone())).await.unwrap();
        assert!(!ticket.withdraw(), "it is stored");
        assert_eq!(value(&store, "a").await, Some(1));
    });
}

#[test]
fn a_write_that_starts_over_after_a_conflict_is_still_one_that_began() {
    block_on(async {
        let world = World::new();
        let (here, there) = (world.store(with_history(2)).await, world.store(with_history(2)).await);
        save(&here, "a", 1).await;
        let tickets = [Ticket::default(), Ticket::default()];
        let (mine, yours) = ([item("a", 2)], [item("a", 3)]);
        let (one, two) =
            join(here.save(&mine, Some(tickets[0].clone())), there.save(&yours, Some(tickets[1].clone())))
                .await;
        assert!(one.unwrap() != two.unwrap());
        assert!(tickets.iter().all(|ticket| !ticket.withdraw()));
        assert_eq!(past(&here, "a").await.len(), 2);
    });
}

#[test]
fn what_one_memory_writes_the_other_reads_at_once() {
    block_on(async {
        let world = World::new();
        let (here, there) = (world.store(plain()).await, world.store(plain()).await);
        for n in 0..10 {
            save(&here, "a", n).await;
            assert_eq!(value(&there, "a").await, Some(n));
            assert!(there.delete("a", None, None).await.unwrap());
            assert_eq!(value(&here, "a").await, None);
        }
    });
}

#[test]
fn a_record_saved_again_while_upkeep_runs_stays() {
    block_on(async {
        let world = World::new();
        let (here, there) = (world.store(plain()).await, world.store(plain()).await);
        for n in 0..20u8 {
            here.save(&[living("a", n, 10)], None).await.unwrap();
            world.clock.advance(10);
            let again = [item("a", n)];
            let (done, saved) = join(here.memory.maintain(0.0), there.save(&again, None)).await;
            done.unwrap();
            saved.unwrap();
            assert_eq!(value(&here, "a").await, Some(n));
            here.delete("a", None, None).await.unwrap();
        }
    });
}
