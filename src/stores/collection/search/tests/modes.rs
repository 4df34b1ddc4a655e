//! By vector, by text, by both.

use super::*;

async fn animals() -> Collection {
    let notes = World::new().notes().await;
    let added = [
        document("cat", "the cat sleeps", &[1.0, 0.0]),
        document("kitten", "a small cat, a cat to be", &[0.9, 0.1]),
        document("dog", "the dog barks at the cat", &[0.0, 1.0]),
        document("stone", "granite", &[-1.0, 0.0]),
        document("picture", "", &[0.7, 0.7]),
        document("word", "cat", &[]),
    ];
    notes.add(&added, None).await.unwrap();
    notes
}

#[test]
fn by_vector_alone_the_score_is_the_similarity() {
    block_on(async {
        let notes = animals().await;
        let hits = found(&notes, &SearchRequest { limit: 3, ..by_vector(&[2.0, 0.0]) }).await;
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["cat", "kitten", "picture"]);
        assert_eq!(hits[0].score, 1.0);
        assert!((hits[2].score - 0.5f64.sqrt()).abs() < 1e-6);
        assert_eq!(hits[0].parts, Parts { vector: Some(1.0), ..Parts::default() });
        assert_eq!(hits[0].text.as_deref(), Some("the cat sleeps"));
        assert_eq!((&hits[2].text, &hits[2].metadata, hits[2].highlights.len()), (&None, &None, 0));
        let all = ids(&notes, &by_vector(&[2.0, 0.0])).await;
        assert_eq!(all, ["cat", "kitten", "picture", "dog", "stone"], "no document without a vector");
        let nearest = notes.nearest(&[2.0, 0.0], 3, None).await.unwrap();
        assert_eq!(nearest, hits);
    });
}

#[test]
fn by_text_alone_the_score_is_bm25() {
    block_on(async {
        let notes = animals().await;
        let hits = found(&notes, &by_text("cat")).await;
        assert_eq!(hits.len(), 4);
        assert!(hits.iter().all(|hit| hit.id != "stone" && hit.id != "picture"));
        assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for hit in &hits {
            assert_eq!(hit.parts, Parts { text: Some(hit.score), ..Parts::default() });
        }
        assert!(ids(&notes, &by_text("unheard")).await.is_empty());
        assert!(ids(&notes, &by_text("???")).await.is_empty());
    });
}

#[test]
fn by_both_ranks_are_fused() {
    block_on(async {
        let notes = animals().await;
        let words = ids(&notes, &by_text("cat")).await;
        let vectors = ids(&notes, &by_vector(&[1.0, 0.0])).await;
        let hits = found(&notes, &by_both("cat", &[1.0, 0.0])).await;
        assert_eq!(hits.len(), 6, "whatever one of the two finds");
        for hit in &hits {
            let gain = |list: &[String]| {
                list.iter().position(|id| *id == hit.id).map_or(0.0, |place| 1.0 / (61.0 + place as f64))
            };
            assert!((hit.score - gain(&words) - gain(&vectors)).abs() < 1e-12, "{hit:?}");
            assert_eq!(hit.parts.fused, Some(hit.score));
            assert_eq!(hit.parts.text.is_some(), words.contains(&hit.id));
            assert_eq!(hit.parts.vector.is_some(), vectors.contains(&hit.id));
        }
        assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let vector_only = SearchRequest { mode: Some(SearchMode::Vector), ..by_both("cat", &[1.0, 0.0]) };
        assert_eq!(ids(&notes, &vector_only).await, vectors);
        let text_only = SearchRequest { mode: Some(SearchMode::Text), ..by_both("cat", &[1.0, 0.0]) };
        assert_eq!(ids(&notes, &text_only).await, words);
    });
}

#[test]
fn a_mode_that_can_not_be_had_is_told() {
    block_on(async {
        let notes = animals().await;
        let asked = |request| SearchRequest { mode: Some(SearchMode::Hybrid), explain: true, ..request };
        for (request, mode) in
            [(by_text("cat"), SearchMode::Text), (by_vector(&[1.0, 0.0]), SearchMode::Vector)]
        {
            let plain = found(&notes, &request).await;
            let SearchResult { hits, explain } = notes.search(&asked(request)).await.unwrap();
            assert_eq!(hits, plain);
            let explain = explain.unwrap();
            assert_eq!(explain.mode, mode);
            assert!(explain.reason.unwrap().contains("alone"));
            assert_eq!(explain.vectors.is_some(), mode == SearchMode::Vector);
            assert_eq!(explain.words.is_some(), mode == SearchMode::Text);
        }
        let both = notes.search(&asked(by_both("cat", &[1.0, 0.0]))).await.unwrap().explain.unwrap();
        assert_eq!((both.mode, both.reason, both.pending), (SearchMode::Hybrid, None, 0));
        assert!(both.vectors.unwrap().distances > 0);
        assert_eq!(both.words.unwrap().terms, ["cat"]);
        assert_eq!(notes.search(&by_text("cat")).await.unwrap().explain, None);
    });
}

#[test]
fn texts_alone_are_searched_without_vectors() {
    block_on(async {
        let notes = World::new().notes().await;
        let hybrid = SearchRequest { explain: true, ..by_both("cat", &[1.0, 0.0]) };
        let nothing = notes.search(&hybrid).await.unwrap();
        assert!(nothing.hits.is_empty() && nothing.explain.is_some(), "not even a collection yet");
        notes.add(&[document("a", "cat", &[])], None).await.unwrap();
        let SearchResult { hits, explain } = notes.search(&hybrid).await.unwrap();
        assert_eq!(hits.len(), 1);
        let explain = explain.unwrap();
        assert_eq!(explain.mode, SearchMode::Text);
        assert!(explain.reason.unwrap().contains("no document has a vector"));
        let message = refused(&notes, &by_vector(&[1.0, 0.0])).await;
        assert!(message.contains("notes") && message.contains("holds no vectors"), "{message}");
        notes.delete("a", None).await.unwrap();
        assert!(ids(&notes, &by_vector(&[1.0, 0.0])).await.is_empty(), "an empty one has nothing to refuse");
    });
}

#[test]
fn highlights_are_ranges_of_the_hit_in_utf16() {
    block_on(async {
        let notes = World::new().notes().await;
        let added = [document("a", "\u{1f431} cat \u{e9} CAT.", &[1.0]), document("b", "", &[0.5])];
        notes.add(&added, None).await.unwrap();
        let mut request = SearchRequest { highlight: true, ..by_text("cat") };
        let expected = [(3, 6), (9, 12)];
        assert_eq!(found(&notes, &request).await[0].highlights, expected);
        request.vector = Some(vec![1.0]);
        assert_eq!(found(&notes, &request).await[0].highlights, expected);
        request.mode = Some(SearchMode::Vector);
        let hits = found(&notes, &request).await;
        assert_eq!((hits[0].highlights.as_slice(), hits[1].highlights.len()), (expected.as_slice(), 0));
        assert!(found(&notes, &by_text("cat")).await[0].highlights.is_empty(), "not asked for");
    });
}

#[test]
fn documents_that_wait_for_their_vectors_are_counted() {
    block_on(async {
        let notes = animals().await;
        notes.reembed_begin("other", 3).await.unwrap();
        let request = SearchRequest { explain: true, ..by_both("cat", &[1.0, 0.0, 0.0]) };
        let SearchResult { hits, explain } = notes.search(&request).await.unwrap();
        assert_eq!(hits.len(), 4, "by their words");
        assert!(hits.iter().all(|hit| hit.parts.vector.is_none()));
        assert_eq!(explain.unwrap().pending, 5);
        assert!(ids(&notes, &by_vector(&[1.0, 0.0, 0.0])).await.is_empty());
        assert!(refused(&notes, &by_vector(&[1.0, 0.0])).await.contains("this index takes 3"));
    });
}
