//! Which terms a text gives.

use super::*;

/// Term, kind, position, and the text it stands for.
fn read(language: Language, text: &str) -> Vec<(String, Kind, u32, &str)> {
    let mut found: Vec<(String, Kind, u32, &str)> = Vec::new();
    let positions = Analyzer::new(language).read(text, &mut |token| {
        assert!(!token.term.is_empty() && token.term.chars().count() <= MAX_LETTERS + 1);
        let range = &text[token.from..token.to];
        if let Some((_, _, position, before)) = found.last() {
            assert!(token.position == *position || token.position == position + 1, "{text}");
            assert!(before.as_ptr() <= range.as_ptr(), "{text}");
        }
        found.push((token.term.to_owned(), token.kind, token.position, range));
    });
    assert!(found.last().is_none_or(|(_, _, position, _)| *position < positions));
    found
}

fn terms(language: Language, text: &str) -> Vec<(String, Kind)> {
    read(language, text).into_iter().map(|(term, kind, _, _)| (term, kind)).collect()
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn words_take_one_position_each() {
    use Kind::{Part, Stop, Whole, Word};
    let want = [
        ("\0the", Stop, 0, "The"),
        ("user_name", Whole, 1, "user_name"),
        ("user", Part, 1, "user_name"),
        ("name", Part, 1, "user_name"),
        ("run", Word, 2, "runs"),
    ];
    let found = read(Language::English, "The user_name: runs!");
    assert_eq!(found, want.map(|(term, kind, position, text)| (term.to_owned(), kind, position, text)));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn letters_without_spaces_overlap() {
    use Kind::{Last, Lone, Word};
    let want = [
        ("東京", Word, 0, "東京"),
        ("京都", Word, 1, "京都"),
        ("都", Last, 2, "都"),
        ("cat", Word, 3, "cat"),
        ("猫", Lone, 4, "猫"),
    ];
    let found = read(Language::None, "東京都cat猫");
    assert_eq!(found, want.map(|(term, kind, position, text)| (term.to_owned(), kind, position, text)));
    // A mark goes with its letter.
    let found: Vec<&str> = read(Language::None, "กี่ตั๋ว").iter().map(|(_, _, _, text)| *text).collect();
    assert_eq!(found, ["กี่ตั๋", "ตั๋ว", "ว"]);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn words_of_parts_give_the_whole_and_the_parts() {
    use Kind::{Part, Whole, Word};
    for (text, want) in [
        ("v1.2.3", &[("v1.2.3", Whole), ("v1", Part), ("2", Part), ("3", Part)][..]),
        ("C++", &[("c++", Whole), ("c", Part)]),
        ("C#.", &[("c#", Whole), ("c", Part)]),
        ("a@b.cc", &[("a@b.cc", Whole), ("a", Part), ("b", Part), ("cc", Part)]),
        ("getHTTPCode2", &[("gethttpcode2", Whole), ("get", Part), ("http", Part), ("code2", Part)]),
        ("McX", &[("mcx", Whole), ("mc", Part), ("x", Part)]),
        ("1,000.5", &[("1,000.5", Whole), ("1", Part), ("000", Part), ("5", Part)]),
        ("don't", &[("don't", Whole), ("don", Part), ("t", Part)]),
        ("x#1 y++z", &[("x", Word), ("1", Word), ("y", Word), ("z", Word)]),
        ("foo-bar", &[("foo", Word), ("bar", Word)]),
        ("NASA 3D", &[("nasa", Word), ("3d", Word)]),
        ("_ -- ' .", &[]),
    ] {
        let want: Vec<(String, Kind)> = want.iter().map(|(term, kind)| ((*term).to_owned(), *kind)).collect();
        assert_eq!(terms(Language::None, text), want, "{text}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn apostrophes_go_by_language() {
    assert_eq!(terms(Language::English, "dog's"), [("dog".to_owned(), Kind::Word)]);
    assert_eq!(terms(Language::English, "dog’s"), [("dog".to_owned(), Kind::Word)]);
    assert_eq!(terms(Language::English, "don’t"), terms(Language::English, "don't"));
    assert_eq!(terms(Language::French, "l’arbre"), terms(Language::French, "arbre"));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn long_words_are_cut() {
    let long = "x".repeat(10_000);
    assert_eq!(terms(Language::None, &long), [("x".repeat(MAX_LETTERS), Kind::Word)]);
    let parts = terms(Language::None, &"x_".repeat(1_000));
    assert_eq!(parts.len(), 1 + MAX_PARTS);
}
