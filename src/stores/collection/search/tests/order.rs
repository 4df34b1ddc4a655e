//! Weights, groups, diversity, and the pages of a search.

use super::*;
use crate::stores::collection::search::Recency;

fn group(name: &str) -> [(&'static str, Value); 1] {
    [("group", Value::String(name.into()))]
}

#[test]
fn equal_scores_are_in_the_order_of_ids_across_pages() {
    block_on(async {
        let notes = World::new().notes().await;
        // Added so that no order of labels is that of the ids.
        let mut names: Vec<String> = (0..40).map(|n| format!("{:02}", (n * 23) % 40)).collect();
        let added: Vec<NewDocument> =
            names.iter().map(|id| document(id, "same words", &[1.0, 1.0])).collect();
        notes.add(&added, None).await.unwrap();
        notes.add(&[document("best", "same same words", &[1.0, 0.9])], None).await.unwrap();
        notes.add(&[document("far", "words", &[-1.0, 0.0])], None).await.unwrap();
        names.sort();
        for request in [by_vector(&[1.0, 0.9]), by_text("same"), by_both("same", &[1.0, 0.9])] {
            let mut paged = Vec::new();
            for offset in (0..).step_by(7) {
                let page = ids(&notes, &SearchRequest { limit: 7, offset, ..request.clone() }).await;
                if page.is_empty() {
                    break;
                }
                paged.extend(page);
            }
            assert_eq!(paged[0], "best");
            assert_eq!(paged[1..41], names, "{request:?}");
            let whole = ids(&notes, &SearchRequest { limit: 100, ..request.clone() }).await;
            assert_eq!(whole, paged);
        }
        let beyond = SearchRequest { offset: 42, ..by_vector(&[1.0, 0.9]) };
        assert!(ids(&notes, &beyond).await.is_empty());
    });
}

#[test]
fn what_was_added_lately_can_move_up() {
    block_on(async {
        let world = World::new();
        let notes = world.notes().await;
        notes.add(&[document("old", "cat", &[1.0, 0.0])], None).await.unwrap();
        world.clock.advance(10_000);
        notes.add(&[document("new", "cat", &[0.8, 0.6])], None).await.unwrap();
        world.clock.advance(10_000);
        let request = |half_life_ms, weight| SearchRequest {
            recency: Some(Recency { half_life_ms, weight }),
            ..by_vector(&[1.0, 0.0])
        };
        let hits = found(&notes, &request(10_000.0, 1.0)).await;
        assert_eq!([&hits[0].id, &hits[1].id], ["new", "old"]);
        assert_eq!([hits[0].parts.recency, hits[1].parts.recency], [Some(0.5), Some(0.25)]);
        assert!((hits[0].score - 0.4).abs() < 1e-6 && (hits[1].score - 0.25).abs() < 1e-6);
        assert_eq!(hits[1].parts.vector, Some(1.0), "the part is not weighed");
        let slightly = found(&notes, &request(10_000.0, 0.1)).await;
        assert_eq!([&slightly[0].id, &slightly[1].id], ["old", "new"]);
        assert!((slightly[0].parts.recency.unwrap() - 0.925).abs() < 1e-12);
        let not = found(&notes, &request(10_000.0, 0.0)).await;
        assert_eq!((not[0].id.as_str(), not[0].parts.recency), ("old", None));
        for mut request in [by_text("cat"), by_both("cat", &[1.0, 0.0])] {
            request.recency = Some(Recency { half_life_ms: 1.0, weight: 1.0 });
            assert_eq!(found(&notes, &request).await[0].id, "new");
        }
    });
}

#[test]
fn importance_counts_for_scores_below_zero_too() {
    block_on(async {
        let notes = World::new().notes().await;
        let added = [
            document("minor", "", &[1.0, 0.0]).important(0.25),
            document("major", "", &[0.8, 0.6]).important(1.0),
            document("against", "", &[-0.6, 0.8]).important(0.5),
        ];
        notes.add(&added, None).await.unwrap();
        let hits = found(&notes, &SearchRequest { importance: 1.0, ..by_vector(&[1.0, 0.0]) }).await;
        let scores: Vec<(&str, f64)> = hits.iter().map(|hit| (hit.id.as_str(), hit.score)).collect();
        for ((id, score), (expected, value)) in
            scores.into_iter().zip([("major", 0.8), ("minor", 0.25), ("against", -1.2)])
        {
            assert_eq!(id, expected);
            assert!((score - value).abs() < 1e-6, "{id}: {score}");
        }
        assert_eq!(hits[1].parts.importance, Some(0.25));
        let enough = SearchRequest { min_score: Some(0.25), importance: 1.0, ..by_vector(&[1.0, 0.0]) };
        assert_eq!(ids(&notes, &enough).await, ["major", "minor"]);
    });
}

/// More than a pool lies between what matters and the top.
#[test]
fn exact_weights_reach_every_document() {
    block_on(async {
        let notes = World::new().notes().await;
        let mut added: Vec<NewDocument> = (0..300)
            .map(|n| document(&format!("{n:03}"), "", &[1.0, n as f32 / 1_000.0]).important(0.01))
            .collect();
        added.push(document("chosen", "", &[1.0, 1.0]).important(1.0));
        notes.add(&added, None).await.unwrap();
        let request = SearchRequest { importance: 1.0, exact: true, limit: 2, ..by_vector(&[1.0, 0.0]) };
        assert_eq!(ids(&notes, &request).await, ["chosen", "000"]);
    });
}

#[test]
fn a_group_has_one_hit_and_the_search_goes_on_until_there_are_enough() {
    block_on(async {
        let notes = World::new().notes().await;
        let mut added: Vec<NewDocument> = (0..500)
            .map(|n| document(&format!("a{n:03}"), "cat", &[1.0, n as f32 / 1_000.0]).with(&group("a")))
            .collect();
        for n in 0..150 {
            added.push(
                document(&format!("b{n:03}"), "cat dog", &[0.5, 1.0 + n as f32 / 1_000.0]).with(&group("b")),
            );
        }
        added.push(document("c", "cat dog fish", &[0.0, 1.0]).with(&[("group", Value::Int(1))]));
        added.push(document("d", "cat dog fish", &[-0.1, 1.0]).with(&[("group", Value::Float(1.0))]));
        added.push(document("none1", "cat dog fish bird", &[-0.5, 1.0]));
        added.push(document("none2", "cat dog fish bird", &[-0.6, 1.0]).with(&[("other", Value::Null)]));
        notes.add(&added, None).await.unwrap();
        let grouped = |request| SearchRequest { group_by: Some("group".into()), ..request };
        let by_vector = grouped(by_vector(&[1.0, 0.0]));
        assert_eq!(ids(&notes, &by_vector).await, ["a000", "b000", "c", "none1", "none2"]);
        let second = SearchRequest { limit: 2, offset: 1, ..by_vector.clone() };
        assert_eq!(ids(&notes, &second).await, ["b000", "c"]);
        let some = SearchRequest { min_score: Some(0.0), ..by_vector.clone() };
        assert_eq!(ids(&notes, &some).await, ["a000", "b000", "c"]);
        let not_a = SearchRequest {
            filter: filter(&[("group", object(&[("$ne", Value::String("a".into()))]))]),
            ..by_vector.clone()
        };
        assert_eq!(ids(&notes, &not_a).await, ["b000", "c", "none1", "none2"]);
        let exact = SearchRequest { exact: true, importance: 0.5, ..by_vector };
        assert_eq!(ids(&notes, &exact).await, ["a000", "b000", "c", "none1", "none2"]);
        for request in [grouped(by_text("cat")), grouped(by_both("cat", &[1.0, 0.0]))] {
            let mut found = ids(&notes, &request).await;
            assert_eq!(found.len(), 5, "{request:?}: {found:?}");
            found.sort();
            assert_eq!((found[0].as_str(), found[1].as_str()), ("a000", "b000"));
        }
    });
}

#[test]
fn diverse_hits_pass_over_what_says_the_same() {
    block_on(async {
        for (metric, scale) in [
            (crate::vector::Metric::Cosine, 1.0),
            (crate::vector::Metric::Dot, 50.0),
            (crate::vector::Metric::L2, 1.0),
        ] {
            let memory = World::new().memory().await;
            let notes = memory.collection("notes", Wanted::vectors(2, metric)).unwrap();
            let at = |x: f32, y: f32| [scale * x, scale * y];
            let added = [
                document("first", "", &at(1.0, 0.0)),
                document("twin", "", &at(0.999, 0.04)),
                document("other", "", &at(0.6, -0.8)),
                document("last", "", &at(-1.0, 0.0)),
            ];
            notes.add(&added, None).await.unwrap();
            let request = |diversity| SearchRequest { diversity, limit: 3, ..by_vector(&at(0.8, -0.2)) };
            assert_eq!(ids(&notes, &request(None)).await, ["first", "twin", "other"], "{metric}");
            assert_eq!(ids(&notes, &request(Some(0.0))).await, ["first", "twin", "other"], "{metric}");
            let hits = found(&notes, &request(Some(0.5))).await;
            assert_eq!([&hits[0].id, &hits[1].id], ["first", "other"], "{metric}");
            assert_eq!(hits[0].parts.fused, None);
            let second = SearchRequest { offset: 1, limit: 1, ..request(Some(0.5)) };
            assert_eq!(ids(&notes, &second).await, ["other"], "{metric}");
        }
    });
}

#[test]
fn documents_without_vectors_are_like_no_other() {
    block_on(async {
        let notes = World::new().notes().await;
        notes.add(&[document("a", "cat", &[]), document("b", "cat dog", &[])], None).await.unwrap();
        let mode = Some(SearchMode::Text);
        let request = SearchRequest { diversity: Some(1.0), mode, explain: true, ..by_text("cat") };
        let SearchResult { hits, explain } = notes.search(&request).await.unwrap();
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(explain.unwrap().reason.unwrap().contains("diversity changed nothing"));
        notes.add(&[document("c", "cat dog bird", &[1.0])], None).await.unwrap();
        let SearchResult { hits, explain } = notes.search(&request).await.unwrap();
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(explain.unwrap().reason, None);
    });
}
