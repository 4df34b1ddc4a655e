//! What a store allows, keeps and forgets.

use super::*;
use crate::testing::rng::SplitMix64;

#[test]
fn conflicts_name_the_key_and_both_versions() {
    block_on(async {
        let store = World::new().store(plain()).await;
        let first = save(&store, "a", 1).await;
        let second = save(&store, "a", 2).await;
        let error = refused(store.save(&[expecting("a", 3, first)], None).await, ErrorKind::Conflict);
        assert_eq!(error.key(), Some("s/a"));
        assert!(error.message().contains(&format!("has version {second}")), "{error}");
        assert!(error.message().contains(&format!("version {first} was expected")), "{error}");
        let error = refused(store.save(&[expecting("a", 3, 0)], None).await, ErrorKind::Conflict);
        assert!(error.message().contains("was expected not to be there"), "{error}");
        let error = refused(store.save(&[expecting("b", 3, 9)], None).await, ErrorKind::Conflict);
        assert_eq!(error.key(), Some("s/b"));
        assert!(error.message().contains("is not there, but version 9 was expected"), "{error}");
        refused(store.delete("a", Some(first), None).await, ErrorKind::Conflict);
        assert_eq!(value(&store, "a").await, Some(2));
    });
}

#[test]
fn many_are_saved_whole_or_not_at_all() {
    block_on(async {
        let world = World::new();
        let store = world.store(with_history(2)).await;
        let version = store.save(&[item("a", 1), item("b", 1)], None).await.unwrap();
        let bad: [(&[SaveItem], ErrorKind); 6] = [
            (&[item("c", 1), expecting("a", 2, version + 1)], ErrorKind::Conflict),
            (&[item("c", 1), item("c", 2)], ErrorKind::Invalid),
            (&[item("c", 1), item("", 2)], ErrorKind::Invalid),
            (&[item("c", 1), item("nul\0", 2)], ErrorKind::Invalid),
            (&[item("c", 1), living("d", 2, 0)], ErrorKind::Invalid),
            (&[item("c", 1), SaveItem::new("d", vec![0; (64 << 20) + (1 << 17)])], ErrorKind::Invalid),
        ];
        for (items, kind) in bad {
            refused(store.save(items, None).await, kind);
            assert_eq!(ids(&store).await, ["a", "b"]);
            assert_eq!(past(&store, "a").await, Vec::<u8>::new());
        }
        let next = store.save(&[expecting("a", 2, version), expecting("c", 2, 0)], None).await.unwrap();
        assert_eq!(next, version + 1, "what was refused took no number");
        for id in ["a", "c"] {
            assert_eq!(store.get(id).await.unwrap().unwrap().version, next);
        }
        assert_eq!(store.save(&[], None).await.unwrap(), next, "nothing to save is no commit");
    });
}

#[test]
fn ids_and_names_that_break_the_rules_are_refused_everywhere() {
    block_on(async {
        let memory = World::new().memory(true).await;
        let store = memory.store("s", plain()).unwrap();
        let long = "x".repeat(1_025);
        for bad in ["", "\0", "a\0b", long.as_str()] {
            refused(memory.store(bad, plain()), ErrorKind::Invalid);
            refused(store.save(&[item(bad, 1)], None).await, ErrorKind::Invalid);
            refused(store.get(bad).await, ErrorKind::Invalid);
            refused(store.get_many(&["a".into(), bad.into()]).await, ErrorKind::Invalid);
            refused(store.delete(bad, None, None).await, ErrorKind::Invalid);
            refused(store.history(bad, 1).await, ErrorKind::Invalid);
            let request = PageRequest { after: Some(bad.into()), limit: 1, ..PageRequest::default() };
            refused(store.page(&request).await, ErrorKind::Invalid);
        }
        for limit in [0, 1_001] {
            refused(store.page(&PageRequest { limit, ..PageRequest::default() }).await, ErrorKind::Invalid);
        }
        refused(memory.store("s", with_history(10_001)), ErrorKind::Invalid);
        refused(memory.store("s", StoreOptions { ttl_ms: Some(0), history: 0 }), ErrorKind::Invalid);
        assert_eq!(memory.head(), 0, "nothing was written");
    });
}

#[test]
fn a_past_is_bounded_shrinks_and_outlives_a_delete() {
    block_on(async {
        let world = World::new();
        let store = world.store(with_history(40)).await;
        for n in 1..=50 {
            save(&store, "a", n).await;
        }
        assert_eq!(past(&store, "a").await, (10..=49).rev().collect::<Vec<u8>>());
        assert_eq!(world.keys(Space::History).await, 40);
        let short = world.store(with_history(2)).await;
        for n in 51..=54 {
            save(&short, "a", n).await;
        }
        assert_eq!(past(&short, "a").await, [53, 52]);
        assert_eq!(world.keys(Space::History).await, 2, "what is past its time is gone, not hidden");
        assert!(short.delete("a", None, None).await.unwrap());
        assert_eq!(past(&short, "a").await, [54, 53]);
        save(&short, "a", 55).await;
        assert_eq!(past(&short, "a").await, [54, 53]);
        // A handle that keeps none leaves what there is.
        save(&world.store(plain()).await, "a", 56).await;
        assert_eq!(past(&short, "a").await, [54, 53]);
        assert_eq!(short.history("a", 1).await.unwrap().len(), 1);
    });
}

#[test]
fn a_past_is_of_one_id_only() {
    block_on(async {
        let store = World::new().store(with_history(3)).await;
        for id in ["a", "a\u{1}", "ab", "a", "\u{10ffff}", "a\u{1}", "ab"] {
            save(&store, id, id.len() as u8).await;
        }
        assert_eq!(past(&store, "a").await, [1]);
        assert_eq!(past(&store, "a\u{1}").await, [2]);
        assert_eq!(past(&store, "ab").await, [2]);
        assert_eq!(past(&store, "\u{10ffff}").await, Vec::<u8>::new());
    });
}

#[test]
fn notes_of_expiry_do_not_pile_up() {
    block_on(async {
        let world = World::new();
        let store = world.store(plain()).await;
        for n in 0..50 {
            world.clock.advance(1);
            store.save(&[living("hot", n, 1_000_000)], None).await.unwrap();
        }
        assert_eq!(world.keys(Space::Expiry).await, 1);
        store.delete("hot", None, None).await.unwrap();
        assert_eq!(world.keys(Space::Expiry).await, 0);
    });
}

#[test]
fn what_has_expired_is_nowhere_and_its_past_goes_with_it() {
    block_on(async {
        let world = World::new();
        let store = world.store(with_history(3)).await;
        store.save(&[living("a", 1, 100)], None).await.unwrap();
        store.save(&[living("a", 2, 100)], None).await.unwrap();
        world.clock.set(1_100);
        assert_eq!(value(&store, "a").await, None);
        assert_eq!(store.get_many(&["a".into()]).await.unwrap(), [None]);
        assert_eq!(store.count("").await.unwrap(), 0);
        assert!(ids(&store).await.is_empty());
        assert!(past(&store, "a").await.is_empty());
        assert!(!store.delete("a", None, None).await.unwrap());
        assert_eq!(world.backend.stats().await.unwrap().keys, 0, "deleting it cleared all of it");
        store.save(&[living("b", 1, 100)], None).await.unwrap();
        store.save(&[living("b", 2, 100)], None).await.unwrap();
        world.clock.advance(100);
        store.save(&[expecting("b", 3, 0)], None).await.unwrap();
        assert!(past(&store, "b").await.is_empty(), "no part in the past of another life");
        assert_eq!(store.get("b").await.unwrap().unwrap().created, 1_200);
    });
}

#[test]
fn a_clock_that_goes_back_neither_revives_nor_kills() {
    block_on(async {
        let world = World::new();
        let store = world.store(plain()).await;
        store.save(&[living("a", 1, 100)], None).await.unwrap();
        world.clock.set(50_000);
        assert_eq!(value(&store, "a").await, None);
        save(&store, "mark", 1).await;
        world.clock.set(1_000);
        assert_eq!(value(&store, "a").await, None);
        store.save(&[living("b", 2, 100)], None).await.unwrap();
        assert_eq!(value(&store, "b").await, Some(2), "a time to live counts from the latest time seen");
        // Whoever opens the same data later, with the clock still behind, sees the same.
        let reopened = world.store(plain()).await;
        assert_eq!(value(&reopened, "a").await, None);
        assert_eq!(value(&reopened, "b").await, Some(2));
    });
}

#[test]
fn pages_join_up_whatever_their_size_and_direction() {
    block_on(async {
        let store = World::new().store(plain()).await;
        let names =
            ["a", "aa", "ab", "b", "ba", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{1f600}", "\u{10ffff}"];
        store.save(&names.map(|id| item(id, 1)), None).await.unwrap();
        for limit in 1..=11 {
            for reverse in [false, true] {
                let mut request = PageRequest { limit, reverse, ..PageRequest::default() };
                let (mut found, mut pages) = (Vec::new(), 0);
                loop {
                    let page = store.page(&request).await.unwrap();
                    pages += 1;
                    found.extend(page.entries.into_iter().map(|entry| entry.id));
                    match page.cursor {
                        Some(cursor) => request.after = Some(cursor),
                        None => break,
                    }
                }
                if reverse {
                    found.reverse();
                }
                assert_eq!(found, names);
                assert_eq!(pages, names.len().div_ceil(limit), "no page of nothing at the end");
            }
        }
        let request = PageRequest { prefix: "\u{10ffff}".into(), limit: 9, ..PageRequest::default() };
        assert_eq!(store.page(&request).await.unwrap().entries.len(), 1);
        assert_eq!(store.count("a").await.unwrap(), 3);
    });
}

/// Two memories over one backend, in turns, against a map.
#[test]
fn three_thousand_operations_match_a_map() {
    const SEED: u64 = 0x0057_07e5;
    println!("seed {SEED:#x}");
    block_on(async {
        let world = World::new();
        let stores = [world.store(plain()).await, world.memory(false).await.store("s", plain()).unwrap()];
        let mut rng = SplitMix64::new(SEED);
        let mut model = std::collections::BTreeMap::<String, (u8, u64, Option<u64>)>::new();
        for step in 0..3_000u64 {
            let store = &stores[rng.below(2)];
            let id = ["a", "ab", "b", "c\u{1f600}", "d"][rng.below(5)].to_owned();
            let number = rng.below(200) as u8;
            let now = 1_000 + step;
            world.clock.set(now);
            model.retain(|_, (_, _, expires)| expires.is_none_or(|at| at > now));
            match rng.below(6) {
                0 => {
                    let lived = store.delete(&id, None, None).await.unwrap();
                    assert_eq!(lived, model.remove(&id).is_some());
                }
                1 => {
                    let expected = rng.below(3) as u64;
                    let there = model.get(&id).map_or(0, |(_, version, _)| *version);
                    let given = if expected == 0 { there } else { expected };
                    match store.save(&[expecting(&id, number, given)], None).await {
                        Ok(version) => {
                            assert_eq!(there, given);
                            model.insert(id, (number, version, None));
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Conflict);
                            assert_ne!(there, given);
                        }
                    }
                }
                2 => {
                    let ttl = 1 + rng.below(20) as u64;
                    let version = store.save(&[living(&id, number, ttl)], None).await.unwrap();
                    model.insert(id, (number, version, Some(now + ttl)));
                }
                3 => {
                    let done = store.memory.maintain(1e9).await.unwrap();
                    assert!(!done.more);
                }
                _ => {
                    let version = save(store, &id, number).await;
                    model.insert(id, (number, version, None));
                }
            }
            let found: Vec<_> = everything(&stores[rng.below(2)]).await.entries;
            let found: Vec<_> =
                found.iter().map(|e| (e.id.clone(), (super::number(e), e.version, e.expires))).collect();
            assert_eq!(found, model.clone().into_iter().collect::<Vec<_>>(), "step {step}");
        }
    });
}
