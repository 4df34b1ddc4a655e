//! Texts and queries that nobody means well with.

use super::super::{Language, MAX_FIELDS, TextIndex, TextOptions};
use super::{found, index, index_of, marked};
use crate::ErrorKind;
use crate::vector::seeded::Seeded;

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn options_and_documents_that_can_not_be_are_refused() {
    for weights in
        [vec![], vec![1.0; MAX_FIELDS + 1], vec![0.0], vec![-1.0], vec![f32::NAN], vec![1.0, f32::INFINITY]]
    {
        let error = TextIndex::new(TextOptions { language: Language::None, weights }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let mut index = index(Language::None);
    assert_eq!(index.insert(1, &["a", "b"]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(index.insert(u32::MAX, &["a"]).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(index.is_empty() && index.options().weights == [1.0]);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn empty_texts_and_texts_without_words() {
    let mut index = index_of(Language::English, &["", "...", "word"]);
    assert_eq!((index.len(), index.contains(0), index.contains(1)), (2, false, true));
    assert_eq!(found(&index, "word"), [2]);
    index.insert(2, &[]).unwrap();
    index.insert(1, &[""]).unwrap();
    assert!(index.is_empty() && found(&index, "word").is_empty());
    assert!(!index.remove(2));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn huge_texts_and_queries_are_borne() {
    let megabytes = 2 << 20;
    let texts = [
        "a".repeat(megabytes),
        "a_".repeat(megabytes / 2),
        "é ".repeat(megabytes / 3),
        "漢".repeat(megabytes / 3),
        "e\u{301}".repeat(megabytes / 3),
        "\u{E01}\u{E34}\u{E34}".repeat(megabytes / 9),
        "\"*".repeat(megabytes / 2),
        "aB".repeat(megabytes / 2),
        "'@#+".repeat(megabytes / 4),
        (0..megabytes / 8).map(|n| format!("w{n} ")).collect(),
    ];
    let mut index = index(Language::English);
    for (label, text) in texts.iter().enumerate() {
        index.insert(label as u32, &[text]).unwrap();
        let query = index.parse(text);
        assert!(index.search(&query, 10, None).matches.len() <= 10);
        drop(index.highlight(&query, text));
    }
    assert_eq!(found(&index, "w77"), [9]);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn prefixes_stand_for_a_bounded_number_of_terms() {
    let texts: Vec<String> = (0..500).map(|n| format!("p{n} common{}", n % 3)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let index = index_of(Language::None, &texts);
    assert_eq!(found(&index, "p4*").len(), super::super::MAX_EXPANSIONS);
    assert_eq!(index.search(&index.parse("com*"), 1_000, None).matches.len(), 500);
}

/// Letters of many scripts, marks, joiners, signs.
fn noise(random: &mut Seeded, most: usize) -> String {
    const RANGES: [(u32, u32); 16] = [
        (0x20, 0x7e),
        (0x61, 0x7a),
        (0x61, 0x7a),
        (0xa0, 0x24f),
        (0x300, 0x36f),
        (0x370, 0x52f),
        (0x590, 0x6ff),
        (0x900, 0xdff),
        (0xe00, 0xeff),
        (0x1000, 0x11ff),
        (0x1780, 0x17ff),
        (0x2000, 0x206f),
        (0x3040, 0x30ff),
        (0x4e00, 0x4eff),
        (0xac00, 0xacff),
        (0xfe00, 0x1ffff),
    ];
    let mut range = RANGES[0];
    (0..random.below(most))
        .filter_map(|_| {
            if random.below(6) == 0 {
                range = RANGES[random.below(RANGES.len())];
            }
            match random.below(9) {
                0 => Some(['\'', '"', '*', ' ', '_', '.', '@', '+', '#', '\0'][random.below(10)]),
                _ => char::from_u32(range.0 + random.below((range.1 - range.0) as usize + 1) as u32),
            }
        })
        .collect()
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn noise_is_read_without_a_panic_and_finds_itself() {
    let (mut random, seed) = Seeded::new(0x5eed_7e20);
    for round in 0..300 {
        for language in Language::ALL {
            let (text, other) = (noise(&mut random, 60), noise(&mut random, 60));
            let index = index_of(*language, &[&text, &other]);
            marked(&index, &other, &text);
            let query = index.parse(&text.replace(['"', '“', '”', '„', '«', '»', '＂', '*'], " "));
            let labels: Vec<u32> =
                index.search(&query, 2, None).matches.iter().map(|found| found.label).collect();
            let place = format!("round {round}, seed {seed}, {language}: {text:?}");
            assert_eq!(labels.contains(&0), !query.is_empty(), "{place}");
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn words_of_one_script_are_stemmed_without_a_panic() {
    let (mut random, seed) = Seeded::new(0x5eed_7e21);
    let letters: [Vec<char>; 2] = ["aeiouybcdfgklmnprstv'zxqj".chars().collect(), ('а'..='я').collect()];
    for round in 0..20_000 {
        for language in Language::ALL {
            let letters = &letters[usize::from(*language == Language::Russian)];
            let word: String = (0..=random.below(12)).map(|_| letters[random.below(letters.len())]).collect();
            let stem = super::super::stem::stem(*language, &word);
            assert!(
                !stem.is_empty() && stem.len() <= word.len() + 4,
                "round {round}, seed {seed}: {word} {stem}"
            );
        }
    }
}
