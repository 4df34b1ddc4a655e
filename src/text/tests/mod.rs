//! Tests of the index as a whole.
//!
//! **Invariants**
//! - What is found is held against [`reference`], which knows documents as lists of words and nothing else.

mod hostile;
mod model;
mod pages;
mod ranking;
mod reference;
mod scripts;

use super::{Language, TextIndex, TextOptions};

/// An index of one field.
fn index(language: Language) -> TextIndex {
    TextIndex::new(TextOptions { language, weights: vec![1.0] }).unwrap()
}

/// An index of these texts under the labels 0, 1, 2.
fn index_of(language: Language, texts: &[&str]) -> TextIndex {
    let mut index = index(language);
    for (label, text) in texts.iter().enumerate() {
        index.insert(label as u32, &[text]).unwrap();
    }
    index
}

/// The labels that a query finds, best first.
fn found(index: &TextIndex, query: &str) -> Vec<u32> {
    index.search(&index.parse(query), 100, None).matches.iter().map(|found| found.label).collect()
}

/// What a query marks in a text.
fn marked(index: &TextIndex, query: &str, text: &str) -> Vec<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let ranges = index.highlight(&index.parse(query), text);
    assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ranges:?} in {text}");
    ranges
        .iter()
        .map(|(from, to)| String::from_utf16(&units[*from as usize..*to as usize]).unwrap())
        .collect()
}
