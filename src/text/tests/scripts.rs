//! A query in one script finds the text in that script, and marks it.

use super::super::Language;
use super::{found, index_of, marked};

/// Texts of which a query finds the first two and not the third, and what it marks in the first.
const CASES: &[(Language, &str, [&str; 3], &[&str])] = &[
    (Language::English, "running cats", ["The cat runs.", "Cats!", "A dog sleeps"], &["cat", "runs"]),
    (Language::English, "cafe", ["The CAFÉ is open", "a café", "caffeine"], &["CAFÉ"]),
    (Language::German, "haus", ["Die Häuser am See", "des Hauses", "Maus"], &["Häuser"]),
    (Language::German, "strasse", ["Die Straße ist lang", "Straßen", "Stroh"], &["Straße"]),
    (Language::French, "homme", ["l'homme est là", "des hommes", "femme"], &["l'homme"]),
    (Language::Spanish, "cancion", ["una canción triste", "canciones", "cansado"], &["canción"]),
    (Language::Portuguese, "coracao", ["meu coração", "CORAÇÃO", "cor"], &["coração"]),
    (Language::Russian, "новость", ["Свежие новости дня", "новостей", "старое"], &["новости"]),
    (Language::Russian, "елка", ["Зелёная ёлка", "ёлки", "белка"], &["ёлка"]),
    (Language::English, "οδυσσεας", ["Ο Οδυσσέας γύρισε", "ΟΔΥΣΣΕΑΣ", "Πηνελόπη"], &["Οδυσσέας"]),
    (Language::English, "محمد", ["كتب مُحَمَّد رسالة", "محمد", "أحمد"], &["مُحَمَّد"]),
    (Language::English, "שלום", ["אמר שָׁלוֹם לכולם", "שלום", "ערב"], &["שָׁלוֹם"]),
    (Language::English, "हिन्दी", ["मुझे हिन्दी आती है", "हिन्दी", "हिन्द"], &["हिन्दी"]),
    (Language::English, "東京タワー", ["昨日は東京タワーに行った", "東京タワー", "大阪城"], &["東京タワー"]),
    (Language::English, "猫", ["猫が好きです", "黒猫", "犬がいる"], &["猫"]),
    (Language::English, "がく", ["か\u{3099}く", "がく", "かく"], &["か\u{3099}く"]),
    (Language::English, "ガイド", ["ｶﾞｲﾄﾞを読む", "ガイド", "外部"], &["ｶﾞｲﾄﾞ"]),
    (Language::English, "数据库", ["我们使用数据库存储", "数据库", "图书馆"], &["数据库"]),
    (Language::English, "학교", ["학교에서 공부한다", "우리 학교", "집으로"], &["학교"]),
    (Language::English, "ภาษาไทย", ["ฉันพูดภาษาไทยได้", "ภาษาไทย", "แมวดำ"], &["ภาษาไทย"]),
    (Language::None, "running", ["Running far", "running", "run"], &["Running"]),
    (Language::English, "🎉", ["we won 🎉!", "🎉", "🎂"], &["🎉"]),
];

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn each_script_is_found_and_marked() {
    for (language, query, texts, marks) in CASES {
        let index = index_of(*language, texts);
        let mut labels = found(&index, query);
        labels.sort_unstable();
        assert_eq!(labels, [0, 1], "{query}");
        assert_eq!(marked(&index, query, texts[0]), *marks, "{query}");
        assert!(marked(&index, query, texts[2]).is_empty(), "{query}");
        // The whole of the query, one behind the other, is in the second text or its stem is.
        let folded = found(&index, &query.to_uppercase());
        assert!(folded.contains(&0), "{query} in capitals");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn phrases_hold_across_letters_without_spaces() {
    let index =
        index_of(Language::English, &["東京都は大きい", "京都は東にある", "cat 黒猫 dog", "黒猫 cat"]);
    assert_eq!(found(&index, "\"東京\""), [0]);
    assert_eq!(found(&index, "\"京都は\""), [0, 1]);
    assert_eq!(found(&index, "\"cat 黒\""), [2]);
    assert_eq!(found(&index, "\"黒猫 cat\""), [3]);
    assert_eq!(found(&index, "\"猫 dog\""), [2]);
    assert!(found(&index, "\"dog 猫\"").is_empty());
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn names_of_several_parts_are_found_whole_and_by_part() {
    let texts = [
        "call get_user_name() first",
        "we ship v1.2.3 today",
        "written in C++ and F#",
        "mail jane.doe@example.com now",
        "parseHTMLPage and JavaScript",
        "see https://docs.rs/tokio",
        "plain c and name and version 1",
    ];
    let index = index_of(Language::English, &texts);
    for (query, want) in [
        ("get_user_name", vec![0]),
        ("user", vec![0]),
        ("v1.2.3", vec![1]),
        ("c++", vec![2]),
        ("f#", vec![2]),
        ("jane.doe@example.com", vec![3]),
        ("jane", vec![3]),
        ("example.com", vec![3]),
        ("html", vec![4]),
        ("parsehtmlpage", vec![4]),
        ("javascript", vec![4]),
        ("JavaScript", vec![4]),
        ("tokio", vec![5]),
        ("docs.rs", vec![5]),
    ] {
        assert_eq!(found(&index, query), want, "{query}");
    }
    // A whole that is not known is looked for by its parts.
    assert_eq!(found(&index, "user_version"), [0, 6]);
    assert_eq!(found(&index, "c"), [2, 6]);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn marks_are_counted_in_utf_16() {
    let text = "🎉🎉 the quick brown fox, quick foxes";
    let index = index_of(Language::English, &[text]);
    assert_eq!(index.highlight(&index.parse("fox"), text), [(21, 24), (32, 37)]);
    assert_eq!(marked(&index, "\"quick brown fox\"", text), ["quick brown fox"]);
    assert_eq!(marked(&index, "\"quick fox\"", text), ["quick foxes"]);
    assert_eq!(marked(&index, "qui*", text), ["quick", "quick"]);
    assert_eq!(marked(&index, "running*", "run, running"), ["run", "running"]);
    assert!(index.highlight(&index.parse("the"), "no such word").is_empty());
    assert!(index.highlight(&index.parse(""), text).is_empty());
}
