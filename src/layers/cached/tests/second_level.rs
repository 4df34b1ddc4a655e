//! The second level: what it outlives, and what it is not trusted with.

use super::*;

async fn open_at(truth: &Arc<Gate>, behind: &Arc<Gate>, clock: &ManualClock) -> Cached {
    let options = CacheOptions { second_ttl_ms: Some(1_000_000), ..with_second(100_000, behind) };
    let truth: Arc<dyn Backend> = Arc::<Gate>::clone(truth);
    Cached::open(truth, &options, Arc::new(clock.clone())).await.expect("opens")
}

struct World {
    truth: Arc<Gate>,
    behind: Arc<Gate>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let gate = || Arc::new(Gate::default());
        Self { truth: gate(), behind: gate(), clock: ManualClock::at(1_000_000) }
    }

    async fn open(&self) -> Cached {
        open_at(&self.truth, &self.behind, &self.clock).await
    }
}

fn second(cached: &Cached) -> SecondCounters {
    cached.counters().second.expect("there is one")
}

#[test]
fn it_answers_after_a_restart_without_the_truth() {
    block_on(async {
        let world = World::new();
        let cached = world.open().await;
        for (id, bytes) in [("a", vec![1]), ("empty", vec![])] {
            commit(&cached, put(id, &bytes)).await.unwrap();
            value(&cached, &world.truth.inner, id).await;
        }
        value(&cached, &world.truth.inner, "none").await;
        drop(cached);
        let anew = world.open().await;
        let asked = world.truth.gets();
        assert_eq!(value(&anew, &world.truth.inner, "a").await, Some(vec![1]));
        assert_eq!(value(&anew, &world.truth.inner, "none").await, None);
        assert_eq!(world.truth.gets(), asked);
        let level = second(&anew).level;
        assert_eq!((level.hits, level.negative_hits, level.misses), (2, 1, 0));
        assert_eq!(value(&anew, &world.truth.inner, "a").await, Some(vec![1]));
        assert_eq!(second(&anew).level.hits, 2, "then it is in the first level");
    });
}

#[test]
fn what_the_log_touched_while_nobody_looked_is_not_served() {
    block_on(async {
        let world = World::new();
        let cached = world.open().await;
        for id in ["a", "b", "c"] {
            commit(&cached, put(id, &[1])).await.unwrap();
            value(&cached, &world.truth.inner, id).await;
        }
        drop(cached);
        commit(&world.truth.inner, put("a", &[2]).delete(key("b"))).await.unwrap();
        let anew = world.open().await;
        assert_eq!(value(&anew, &world.truth.inner, "a").await, Some(vec![2]));
        assert_eq!(value(&anew, &world.truth.inner, "b").await, None);
        let before = second(&anew).level.hits;
        value(&anew, &world.truth.inner, "c").await;
        assert_eq!(second(&anew).level.hits, before, "c was the last own write, which is dropped again");
    });
}

#[test]
fn off_the_log_or_before_another_database_it_is_worthless() {
    block_on(async {
        for other in [false, true] {
            let mut world = World::new();
            let cached = world.open().await;
            for n in 0..5 {
                commit(&cached, Batch { time: 7, ..put("a", &[n]) }).await.unwrap();
            }
            value(&cached, &world.truth.inner, "a").await;
            drop(cached);
            if other {
                world.truth = Arc::new(Gate::default());
                for n in 10..20 {
                    commit(&world.truth.inner, Batch { time: 8, ..put("a", &[n]) }).await.unwrap();
                }
                commit(&world.truth.inner, put("b", &[1])).await.unwrap();
            } else {
                let trim = Batch { trim_log: Some(6), ..put("a", &[9]) };
                commit(&world.truth.inner, trim).await.unwrap();
                commit(&world.truth.inner, put("b", &[9])).await.unwrap();
            }
            let anew = world.open().await;
            value(&anew, &world.truth.inner, "a").await;
            assert_eq!(second(&anew).level.hits, 0);
            drop(anew);
            let again = world.open().await;
            value(&again, &world.truth.inner, "a").await;
            assert_eq!(second(&again).level.hits, 1, "filled anew, it is trusted again");
            drop(again);
            // Without an entry there is nothing to know the database by.
            commit(&world.truth.inner, Batch { trim_log: Some(99), ..Batch::new(9) }).await.unwrap();
            for _ in 0..2 {
                let unknown = world.open().await;
                value(&unknown, &world.truth.inner, "a").await;
                assert_eq!(second(&unknown).level.hits, 0, "off the log");
            }
        }
    });
}

#[test]
fn its_failures_fail_nobody_and_it_comes_back_without_old_values() {
    block_on(async {
        let world = World::new();
        let cached = world.open().await;
        for id in ["a", "b"] {
            commit(&cached, put(id, &[1])).await.unwrap();
            value(&cached, &world.truth.inner, id).await;
        }
        world.behind.set_broken(true);
        commit(&cached, put("a", &[2])).await.expect("the truth has it");
        assert!(!second(&cached).in_use);
        assert_eq!(second(&cached).failures, 1);
        assert_eq!(value(&cached, &world.truth.inner, "a").await, Some(vec![2]));
        commit(&cached, put("b", &[2])).await.unwrap();
        world.clock.advance(1_000);
        value(&cached, &world.truth.inner, "nothing").await;
        assert_eq!(second(&cached).failures, 2, "tried again after its pause");
        world.behind.set_broken(false);
        world.clock.advance(1_999);
        value(&cached, &world.truth.inner, "nothing else").await;
        assert!(!second(&cached).in_use, "the pause is twice as long");
        world.clock.advance(1);
        value(&cached, &world.truth.inner, "nothing at all").await;
        assert!(second(&cached).in_use);
        drop(cached);
        // Only the second level knows anything now.
        let anew = world.open().await;
        assert_eq!(value(&anew, &world.truth.inner, "a").await, Some(vec![2]));
        assert_eq!(value(&anew, &world.truth.inner, "b").await, Some(vec![2]));
    });
}

#[test]
fn it_may_be_out_of_order_when_the_cache_is_opened() {
    block_on(async {
        let world = World::new();
        world.behind.set_broken(true);
        let cached = world.open().await;
        commit(&cached, put("a", &[1])).await.unwrap();
        assert_eq!(value(&cached, &world.truth.inner, "a").await, Some(vec![1]));
        assert!(!second(&cached).in_use);
    });
}

#[test]
fn two_that_share_it_do_not_fill_in_each_others_past() {
    block_on(async {
        let world = World::new();
        let (here, there) = (world.open().await, world.open().await);
        commit(&here, put("a", &[1])).await.unwrap();
        let gate = world.truth.hold(gate::At::ReadDone);
        let keys = [key("a")];
        let mut reader = here.get(&keys);
        assert!(futures_util::poll!(reader.as_mut()).is_pending(), "it has the old value in hand");
        commit(&there, put("a", &[2])).await.unwrap();
        drop(gate);
        reader.await.unwrap();
        assert_eq!(value(&there, &world.truth.inner, "a").await, Some(vec![2]));
        let third = world.open().await;
        assert_eq!(value(&third, &world.truth.inner, "a").await, Some(vec![2]));
        let told = world.truth.inner.stats().await.unwrap().sequence;
        here.announce(told);
        assert_eq!(value(&here, &world.truth.inner, "a").await, Some(vec![2]));
    });
}

#[test]
fn damage_and_strangers_are_no_answer() {
    block_on(async {
        let world = World::new();
        let cached = world.open().await;
        commit(&cached, put("a", &[1])).await.unwrap();
        value(&cached, &world.truth.inner, "a").await;
        drop(cached);
        let mut stored = get(&world.behind.inner, &key("a")).await.unwrap();
        *stored.value.last_mut().unwrap() ^= 1;
        commit(&world.behind.inner, put("a", &stored.value)).await.unwrap();
        let anew = world.open().await;
        assert_eq!(value(&anew, &world.truth.inner, "a").await, Some(vec![1]));
        assert_eq!(second(&anew).level.hits, 0);

        let precious = Arc::new(MemoryBackend::new());
        commit(&*precious, put("a", b"somebody's only copy")).await.unwrap();
        let truth: Arc<dyn Backend> = Arc::<Gate>::clone(&world.truth);
        let refused = Cached::open(truth, &with_second(9_999, &precious), Arc::new(SystemClock)).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    });
}

#[test]
fn sweeping_removes_what_is_too_old_and_nothing_else() {
    block_on(async {
        let world = World::new();
        let cached = world.open().await;
        for n in 0..10 {
            value(&cached, &world.truth.inner, &format!("old {n}")).await;
        }
        world.clock.advance(999_999);
        value(&cached, &world.truth.inner, "young").await;
        world.clock.advance(1);
        while !cached.sweep(3).await {}
        assert_eq!(world.behind.inner.stats().await.unwrap().keys, 2, "the young one and the note");
        assert!(second(&cached).in_use);
    });
}
