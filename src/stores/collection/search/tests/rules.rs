//! Requests that can not be answered.

use super::*;

#[test]
fn bad_vectors_are_named() {
    block_on(async {
        let notes = World::new().notes().await;
        notes.add(&[document("a", "cat", &[1.0, 0.0])], None).await.unwrap();
        for (vector, word) in [
            (vec![1.0], "has 1 numbers"),
            (vec![1.0; 3], "has 3 numbers"),
            (vec![], "has 0 numbers"),
            (vec![f32::NAN, 1.0], "vector[0]"),
            (vec![1.0, f32::INFINITY], "vector[1]"),
            (vec![0.0, 0.0], "zero"),
        ] {
            let message = refused(&notes, &by_vector(&vector)).await;
            assert!(message.starts_with("query") && message.contains(word), "{vector:?}: {message}");
            assert!(refused(&notes, &by_both("cat", &vector)).await.starts_with("query"));
        }
    });
}

#[test]
fn rules_hold_before_there_is_a_collection() {
    block_on(async {
        let memory = World::new().memory().await;
        let wanted = Wanted { dimensions: Some(2), ..Wanted::default() };
        let notes = memory.collection("notes", wanted).unwrap();
        assert!(ids(&notes, &by_vector(&[1.0, 0.0])).await.is_empty());
        assert!(ids(&notes, &by_text("cat")).await.is_empty());
        for bad in [
            by_vector(&[1.0]),
            by_vector(&[f32::NAN, 0.0]),
            by_text(" "),
            SearchRequest::default(),
            SearchRequest { limit: 0, ..by_text("cat") },
            SearchRequest { group_by: Some("$or".into()), ..by_text("cat") },
            SearchRequest { mode: Some(SearchMode::Vector), ..by_text("cat") },
        ] {
            refused(&notes, &bad).await;
        }
    });
}

#[test]
fn limits_at_their_ends_are_answered() {
    block_on(async {
        let notes = World::new().notes().await;
        notes
            .add(&[document("a", "cat", &[1.0, 0.0]), document("b", "cat", &[0.0, 1.0])], None)
            .await
            .unwrap();
        let largest = SearchRequest {
            limit: 10_000,
            ef: 100_000,
            exact: true,
            min_score: Some(f64::MIN),
            recency: Some(Recency { half_life_ms: f64::MIN_POSITIVE, weight: 1.0 }),
            importance: 1.0,
            ..by_both("cat", &[1.0, 0.0])
        };
        assert_eq!(ids(&notes, &largest).await, ["a", "b"]);
        let deepest = SearchRequest { offset: 99_990, limit: 10, ..by_both("cat", &[1.0, 0.0]) };
        assert!(ids(&notes, &deepest).await.is_empty());
        let diverse = SearchRequest { limit: 1_000, diversity: Some(1.0), ..by_both("cat", &[1.0, 0.0]) };
        assert_eq!(ids(&notes, &diverse).await.len(), 2);
    });
}
