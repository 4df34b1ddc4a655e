//! Ranks are those of BM25, and of BM25F with several fields.

use super::super::{Language, TextIndex, TextOptions};
use super::reference::{Ask, Reference};
use super::{found, index_of};

/// Folded words of one form each, none of them a stop word.
const TEXTS: [&str; 8] = [
    "quick brown fox jump lazi dog",
    "dog bark moon",
    "moon bright tonight moon full",
    "fox den near old oak root",
    "old dog learn trick slow quick brown dog sleep fox",
    "stock price fall",
    "price",
    "oak root run deep old oak old root old",
];

/// BM25 as the textbooks have it, for one document and one field.
fn bm25(document: &[&str], documents: &[Vec<&str>], query: &[&str]) -> f64 {
    let all = documents.len() as f64;
    let mean = documents.iter().map(Vec::len).sum::<usize>() as f64 / all;
    let of = |word: &&str| {
        let n = documents.iter().filter(|document| document.contains(word)).count() as f64;
        let tf = document.iter().filter(|other| *other == word).count() as f64;
        let idf = ((all - n + 0.5) / (n + 0.5) + 1.0).ln();
        idf * tf * (1.2 + 1.0) / (tf + 1.2 * (1.0 - 0.75 + 0.75 * document.len() as f64 / mean))
    };
    query.iter().map(of).sum()
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn one_field_is_plain_bm25() {
    let documents: Vec<Vec<&str>> = TEXTS.iter().map(|text| text.split(' ').collect()).collect();
    for language in [Language::None, Language::English] {
        let index = index_of(language, &TEXTS);
        for query in [
            &["dog"][..],
            &["quick", "fox"],
            &["old", "oak", "root"],
            &["moon", "price", "absent"],
            &["dog", "dog", "fox"],
        ] {
            let mut want: Vec<(u32, f64)> =
                (0u32..).zip(&documents).map(|(label, d)| (label, bm25(d, &documents, query))).collect();
            want.retain(|(_, rank)| *rank > 0.0);
            want.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let got = index.search(&index.parse(&query.join(" ")), 100, None);
            let labels: Vec<u32> = got.matches.iter().map(|found| found.label).collect();
            assert_eq!(labels, want.iter().map(|(label, _)| *label).collect::<Vec<_>>(), "{query:?}");
            for (found, (_, rank)) in got.matches.iter().zip(&want) {
                assert!((f64::from(found.score) - rank).abs() < 1e-6, "{query:?}: {} {rank}", found.score);
            }
            assert_eq!(got.explain.candidates, want.len());
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn several_fields_are_weighed_together() {
    let weights = vec![1.0, 2.5, 0.5];
    let mut index =
        TextIndex::new(TextOptions { language: Language::None, weights: weights.clone() }).unwrap();
    let mut reference = Reference::default();
    for (label, text) in (0u32..).zip(TEXTS) {
        let fields = [text, TEXTS[(label as usize * 3 + 1) % 8], if label % 2 == 0 { "" } else { "old fox" }];
        index.insert(label, &fields).unwrap();
        reference.insert(label, &fields);
    }
    let word = |word: &str| Ask::Word(word.into());
    let phrase = Ask::Phrase(vec!["old".into(), "fox".into()]);
    for asks in [vec![word("fox")], vec![word("dog"), word("old")], vec![phrase, word("moon")]] {
        let want = reference.search(&asks, &weights);
        let got = index.search(&index.parse(&super::reference::typed(&asks)), 100, None).matches;
        assert_eq!(got.len(), want.len(), "{asks:?}");
        for (found, (label, rank)) in got.iter().zip(&want) {
            assert_eq!(found.label, *label, "{asks:?}");
            assert!((f64::from(found.score) - rank).abs() < 1e-6, "{asks:?}: {} {rank}", found.score);
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn phrases_are_required_and_do_not_reach_over_fields() {
    let index = index_of(
        Language::English,
        &["the quick fox", "fox quick", "a quick red fox", "quick fox quick fox"],
    );
    assert_eq!(found(&index, "\"quick fox\""), [3, 0]);
    assert_eq!(found(&index, "\"quick fox\" red"), [3, 0]);
    assert_eq!(found(&index, "\"the quick\""), [0], "stop words count in phrases");
    assert!(found(&index, "\"quick absent\" fox").is_empty());
    let mut index =
        TextIndex::new(TextOptions { language: Language::None, weights: vec![1.0, 1.0] }).unwrap();
    index.insert(0, &["one two", "three four"]).unwrap();
    assert!(found(&index, "\"two three\"").is_empty());
    assert_eq!(found(&index, "\"three four\""), [0]);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn stop_words_are_found_alone_only() {
    let index = index_of(Language::English, &["to be or not to be", "the cans", "I can see"]);
    assert_eq!(found(&index, "to be"), [0]);
    assert_eq!(found(&index, "to see"), [2]);
    assert_eq!(found(&index, "cans"), [1, 2]);
    assert_eq!(found(&index, "\"or not\""), [0]);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn equal_ranks_are_ordered_by_label_and_accept_is_obeyed() {
    let index = index_of(Language::None, &["same word", "same word", "same word", "other"]);
    assert_eq!(found(&index, "same"), [0, 1, 2]);
    let query = index.parse("same");
    let odd = |label: u32| label % 2 == 1;
    let got = index.search(&query, 1, Some(&odd));
    assert_eq!(got.matches.iter().map(|found| found.label).collect::<Vec<_>>(), [1]);
    assert_eq!(
        (got.explain.terms, got.explain.candidates, got.explain.postings),
        (vec!["same".to_owned()], 3, 3)
    );
    assert!(index.search(&query, 0, None).matches.is_empty());
    assert_eq!(index.search(&query, usize::MAX, None).matches.len(), 3);
    assert!(index.search(&index.parse(""), 10, None).matches.is_empty());
}
