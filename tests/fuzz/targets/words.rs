//! The tokenizer, the parser of queries, and highlights.

use mnemora::text::{TextIndex, TextOptions};

use super::choices::Choices;

/// Pieces of text that tokenizers stumble over.
const PIECES: [&str; 44] = [
    "a",
    "the",
    "running",
    "Größe",
    "naïve",
    "e\u{301}",
    "\u{301}",
    "İ",
    "ß",
    "ﬁ",
    "Ελλάδα",
    "ς",
    "Россия",
    "и\u{306}",
    "東京",
    "都",
    "カタカナ",
    "ひらがな",
    "ー",
    "한국어",
    "ไทย",
    "\u{E33}",
    "हिन्दी",
    "\u{94D}",
    "عربى",
    "\u{64B}",
    "שלום",
    "\u{5B0}",
    "\u{1F468}\u{200D}\u{1F469}",
    "\u{1F1E9}",
    "\u{200B}",
    "\u{FEFF}",
    "\0",
    "\"",
    "*",
    "'",
    "-",
    "_",
    ".",
    "@",
    "C++",
    "v1.2.3",
    "can't",
    "\u{10FFFF}",
];

/// A text that the bytes decide.
pub(crate) fn text(choices: &mut Choices<'_>) -> String {
    let mut text = String::new();
    for _ in 0..choices.below(12) {
        text.push_str(choices.pick(&PIECES));
        if choices.byte() & 1 == 0 {
            text.push(' ');
        }
    }
    text
}

/// Two documents and a query, of pieces; and the bytes as a text of their own.
pub(crate) fn run(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let (first, second, query) = (text(&mut choices), text(&mut choices), text(&mut choices));
    check(&first, &second, &query);
    let raw = String::from_utf8_lossy(bytes);
    check(&raw, &first, &raw);
}

fn check(first: &str, second: &str, query: &str) {
    let mut index = TextIndex::new(TextOptions { weights: vec![1.0], ..TextOptions::default() }).unwrap();
    index.insert(0, &[first]).unwrap();
    index.insert(1, &[second]).unwrap();
    let parsed = index.parse(query);
    let found = index.search(&parsed, 10, None).matches;
    assert!(found.iter().all(|found| found.score.is_finite() && found.label < 2));
    for (label, text) in [(0, first), (1, second)] {
        let ranges = index.highlight(&parsed, text);
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut end = 0;
        for (from, to) in &ranges {
            assert!(*from < *to && *from >= end && *to as usize <= units.len(), "{ranges:?} of {text:?}");
            assert!(String::from_utf16(&units[*from as usize..*to as usize]).is_ok(), "half a character");
            end = *to;
        }
        // What was found is highlighted; and what is highlighted was found, but for phrases, which a document
        // must have.
        let was_found = found.iter().any(|found| found.label == label);
        let highlighted = !ranges.is_empty();
        assert!(highlighted || !was_found, "{query:?} in {text:?}");
        assert!(was_found || !highlighted || query.contains('"'), "{query:?} in {text:?}");
    }
    // It goes as it came.
    assert!(!index.contains(0) || index.remove(0));
    assert!(index.search(&parsed, 10, None).matches.iter().all(|found| found.label == 1));
}
