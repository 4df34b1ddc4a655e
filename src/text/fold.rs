//! Letters brought to one form: lower case, without the marks that people leave out when they search.
//!
//! Composed and decomposed spellings fold to the same letters, full and half width too. Marks go where
//! they are optional (accents, Arabic and Hebrew points, the dot under a letter of Devanagari) and stay
//! where they are the vowels (Devanagari, Tamil, Thai and their like), or make another letter (`й`, `が`).
//!
//! The table is an extract of the canonical decompositions of Unicode, held against the whole of them by
//! a test, rather than the crate unicode-normalization: that adds 19 KB gzip to the wasm file, this 2.
//!
//! **Invariants**
//! - What is folded once does not change when it is folded again.

use std::sync::LazyLock;

use super::case::lower;

/// The table reaches up to here; the letters beyond it are looked at one by one.
const END: usize = 0x2000;

/// In the table: the letter is left out.
const DROPPED: u16 = 0;

/// A plain letter, and the small letters that are folded to it: those that decompose to it and an
/// optional mark, and a few that people type so (`ł`, the Persian `ی`).
#[rustfmt::skip]
const LETTERS: &[(char, &str)] = &[
    ('a', "àáâãäåāăąǎǟǡǻȁȃȧ\u{1E01}\u{1EA1}\u{1EA3}\u{1EA5}\u{1EA7}\u{1EA9}\u{1EAB}\u{1EAD}\u{1EAF}\u{1EB1}\u{1EB3}\u{1EB5}\u{1EB7}"),
    ('c', "çćĉċč\u{1E09}"),
    ('e', "èéêëēĕėęěȅȇȩ\u{1E15}\u{1E17}\u{1E19}\u{1E1B}\u{1E1D}\u{1EB9}\u{1EBB}\u{1EBD}\u{1EBF}\u{1EC1}\u{1EC3}\u{1EC5}\u{1EC7}"),
    ('i', "ìíîïĩīĭįǐȉȋ\u{1E2D}\u{1E2F}\u{1EC9}\u{1ECB}ı"),
    ('n', "ñńņňǹ\u{1E45}\u{1E47}\u{1E49}\u{1E4B}ŋŉ"),
    ('o', "òóôõöōŏőơǒǫǭȍȏȫȭȯȱ\u{1E4D}\u{1E4F}\u{1E51}\u{1E53}\u{1ECD}\u{1ECF}\u{1ED1}\u{1ED3}\u{1ED5}\u{1ED7}\u{1ED9}\u{1EDB}\u{1EDD}\u{1EDF}\u{1EE1}\u{1EE3}ǿø"),
    ('u', "ùúûüũūŭůűųưǔǖǘǚǜȕȗ\u{1E73}\u{1E75}\u{1E77}\u{1E79}\u{1E7B}\u{1EE5}\u{1EE7}\u{1EE9}\u{1EEB}\u{1EED}\u{1EEF}\u{1EF1}"),
    ('y', "ýÿŷȳ\u{1E8F}\u{1E99}\u{1EF3}\u{1EF5}\u{1EF7}\u{1EF9}"),
    ('d', "ď\u{1E0B}\u{1E0D}\u{1E0F}\u{1E11}\u{1E13}đð"),
    ('g', "ĝğġģǧǵ\u{1E21}"),
    ('h', "ĥȟ\u{1E23}\u{1E25}\u{1E27}\u{1E29}\u{1E2B}\u{1E96}ħ"),
    ('j', "ĵǰ"),
    ('k', "ķǩ\u{1E31}\u{1E33}\u{1E35}"),
    ('l', "ĺļľ\u{1E37}\u{1E39}\u{1E3B}\u{1E3D}ł"),
    ('r', "ŕŗřȑȓ\u{1E59}\u{1E5B}\u{1E5D}\u{1E5F}"),
    ('s', "śŝşšș\u{1E61}\u{1E63}\u{1E65}\u{1E67}\u{1E69}\u{1E9B}ſ"),
    ('t', "ţťț\u{1E6B}\u{1E6D}\u{1E6F}\u{1E71}\u{1E97}ŧ"),
    ('w', "ŵ\u{1E81}\u{1E83}\u{1E85}\u{1E87}\u{1E89}\u{1E98}"),
    ('z', "źżž\u{1E91}\u{1E93}\u{1E95}"),
    ('ʒ', "ǯ"),
    ('ʹ', "ʹ"),
    ('ι', "ΐίϊ\u{1F30}\u{1F31}\u{1F32}\u{1F33}\u{1F34}\u{1F35}\u{1F36}\u{1F37}\u{1F76}\u{1F77}\u{1FBE}\u{1FD0}\u{1FD1}\u{1FD2}\u{1FD3}\u{1FD6}\u{1FD7}"),
    ('α', "ά\u{1F00}\u{1F01}\u{1F02}\u{1F03}\u{1F04}\u{1F05}\u{1F06}\u{1F07}\u{1F70}\u{1F71}\u{1F80}\u{1F81}\u{1F82}\u{1F83}\u{1F84}\u{1F85}\u{1F86}\u{1F87}\u{1FB0}\u{1FB1}\u{1FB2}\u{1FB3}\u{1FB4}\u{1FB6}\u{1FB7}"),
    ('ε', "έ\u{1F10}\u{1F11}\u{1F12}\u{1F13}\u{1F14}\u{1F15}\u{1F72}\u{1F73}"),
    ('η', "ή\u{1F20}\u{1F21}\u{1F22}\u{1F23}\u{1F24}\u{1F25}\u{1F26}\u{1F27}\u{1F74}\u{1F75}\u{1F90}\u{1F91}\u{1F92}\u{1F93}\u{1F94}\u{1F95}\u{1F96}\u{1F97}\u{1FC2}\u{1FC3}\u{1FC4}\u{1FC6}\u{1FC7}"),
    ('υ', "ΰϋύ\u{1F50}\u{1F51}\u{1F52}\u{1F53}\u{1F54}\u{1F55}\u{1F56}\u{1F57}\u{1F7A}\u{1F7B}\u{1FE0}\u{1FE1}\u{1FE2}\u{1FE3}\u{1FE6}\u{1FE7}"),
    ('ο', "ό\u{1F40}\u{1F41}\u{1F42}\u{1F43}\u{1F44}\u{1F45}\u{1F78}\u{1F79}"),
    ('ω', "ώ\u{1F60}\u{1F61}\u{1F62}\u{1F63}\u{1F64}\u{1F65}\u{1F66}\u{1F67}\u{1F7C}\u{1F7D}\u{1FA0}\u{1FA1}\u{1FA2}\u{1FA3}\u{1FA4}\u{1FA5}\u{1FA6}\u{1FA7}\u{1FF2}\u{1FF3}\u{1FF4}\u{1FF6}\u{1FF7}"),
    ('ϒ', "ϓϔ"),
    ('е', "ѐёӗ"),
    ('г', "ѓ"),
    ('к', "ќ"),
    ('и', "ѝӣӥ"),
    ('ѵ', "ѷ"),
    ('ж', "ӂӝ"),
    ('а', "ӑӓ"),
    ('ә', "ӛ"),
    ('з', "ӟ"),
    ('о', "ӧ"),
    ('ө', "ӫ"),
    ('э', "ӭ"),
    ('у', "ӯӱӳ"),
    ('ч', "ӵ"),
    ('ы', "ӹ"),
    ('ا', "آأإ"),
    ('و', "ؤ"),
    ('ي', "ئیى"),
    ('ە', "ۀ"),
    ('ہ', "ۂ"),
    ('ے', "ۓ"),
    ('\u{928}', "\u{929}"),
    ('\u{930}', "\u{931}"),
    ('\u{933}', "\u{934}"),
    ('\u{915}', "\u{958}"),
    ('\u{916}', "\u{959}"),
    ('\u{917}', "\u{95A}"),
    ('\u{91C}', "\u{95B}"),
    ('\u{921}', "\u{95C}"),
    ('\u{922}', "\u{95D}"),
    ('\u{92B}', "\u{95E}"),
    ('\u{92F}', "\u{95F}"),
    ('b', "\u{1E03}\u{1E05}\u{1E07}ƀ"),
    ('f', "\u{1E1F}"),
    ('m', "\u{1E3F}\u{1E41}\u{1E43}"),
    ('p', "\u{1E55}\u{1E57}"),
    ('v', "\u{1E7D}\u{1E7F}"),
    ('x', "\u{1E8B}\u{1E8D}"),
    ('ρ', "\u{1FE4}\u{1FE5}"),
    ('σ', "ς"),
    ('ك', "ک"),
];

/// A mark, and pairs of a letter and what the two make together. These are letters of their own.
#[rustfmt::skip]
const COMPOSED: &[(char, &str)] = &[
    ('\u{9BC}', "\u{9A1}\u{9DC}\u{9A2}\u{9DD}\u{9AF}\u{9DF}"),
    ('\u{9BE}', "\u{9C7}\u{9CB}"),
    ('\u{9D7}', "\u{9C7}\u{9CC}"),
    ('\u{A3C}', "\u{A32}\u{A33}\u{A38}\u{A36}\u{A16}\u{A59}\u{A17}\u{A5A}\u{A1C}\u{A5B}\u{A2B}\u{A5E}"),
    ('\u{B3C}', "\u{B21}\u{B5C}\u{B22}\u{B5D}"),
    ('\u{B3E}', "\u{B47}\u{B4B}"),
    ('\u{B56}', "\u{B47}\u{B48}"),
    ('\u{B57}', "\u{B47}\u{B4C}"),
    ('\u{BBE}', "\u{BC6}\u{BCA}\u{BC7}\u{BCB}"),
    ('\u{BD7}', "\u{B92}\u{B94}\u{BC6}\u{BCC}"),
    ('\u{C56}', "\u{C46}\u{C48}"),
    ('\u{CC2}', "\u{CC6}\u{CCA}"),
    ('\u{CD5}', "\u{CBF}\u{CC0}\u{CC6}\u{CC7}\u{CCA}\u{CCB}"),
    ('\u{CD6}', "\u{CC6}\u{CC8}"),
    ('\u{D3E}', "\u{D46}\u{D4A}\u{D47}\u{D4B}"),
    ('\u{D57}', "\u{D46}\u{D4C}"),
    ('\u{DCA}', "\u{DD9}\u{DDA}\u{DDC}\u{DDD}"),
    ('\u{DCF}', "\u{DD9}\u{DDC}"),
    ('\u{DDF}', "\u{DD9}\u{DDE}"),
    ('\u{102E}', "\u{1025}\u{1026}"),
    ('\u{3099}', "かがきぎくぐけげこごさざしじすずせぜそぞただちぢつづてでとどはばひびふぶへべほぼうゔゝゞカガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデトドハバヒビフブヘベホボウヴワヷヰヸヱヹヲヺヽヾ"),
    ('\u{309A}', "はぱひぴふぷへぺほぽハパヒピフプヘペホポ"),
    ('\u{306}', "ийуў"),
    ('\u{308}', "ії"),
];

/// Marks and joiners without a sound of their own: first and last.
#[rustfmt::skip]
const IGNORED: &[(u16, u16)] = &[
    (0xAD, 0xAD), (0x300, 0x36F), (0x483, 0x487), (0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2),
    (0x5C4, 0x5C5), (0x5C7, 0x5C7), (0x610, 0x61A), (0x640, 0x640), (0x64B, 0x65F), (0x670, 0x670),
    (0x6D6, 0x6DC), (0x6DF, 0x6E4), (0x6E7, 0x6E8), (0x6EA, 0x6ED), (0x93C, 0x93C), (0x1AB0, 0x1ACE),
    (0x1DC0, 0x1DFF),
];

/// The letters of half width, from U+FF66 on.
const HALF_WIDTH: &str = "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノ\
                          ハヒフヘホマミムメモヤユヨラリルレロワン\u{3099}\u{309A}";

/// What each letter below [`END`] folds to.
static TABLE: LazyLock<Box<[u16]>> = LazyLock::new(|| {
    let mut table: Box<[u16]> = (0..END as u16).collect();
    for (plain, letters) in LETTERS {
        for letter in letters.chars() {
            table[letter as usize] = *plain as u16;
        }
    }
    for (first, last) in IGNORED {
        table[usize::from(*first)..=usize::from(*last)].fill(DROPPED);
    }
    table
});

/// Appends `word` to `out`, folded.
pub(super) fn fold(word: &str, out: &mut String) {
    if word.is_ascii() {
        let start = out.len();
        out.push_str(word);
        out[start..].make_ascii_lowercase();
        return;
    }
    let start = out.len();
    for letter in word.chars().map(lower) {
        push(letter, start, out);
    }
}

/// Whether `letter` is left out, or joins the letter before it.
pub(super) fn is_mark(letter: char) -> bool {
    match letter as usize {
        code if code < 0x80 => false,
        code if code < END => TABLE[code] == DROPPED || composing(letter).is_some(),
        _ => beyond(letter).is_none() || composing(letter).is_some(),
    }
}

/// Appends one small letter to the word that begins at `start`.
fn push(letter: char, start: usize, out: &mut String) {
    if let Some(text) = spelled(letter) {
        out.push_str(text);
        return;
    }
    let letter = match beyond(letter) {
        Some(letter) => letter,
        None => return,
    };
    if let Some(last) = out[start..].chars().next_back()
        && let Some(one) = compose(last, letter)
    {
        out.pop();
        push(one, start, out);
        return;
    }
    match u16::try_from(letter as u32).ok().and_then(|code| TABLE.get(usize::from(code))) {
        Some(&DROPPED) => {}
        Some(code) => out.extend(char::from_u32(u32::from(*code))),
        None => out.push(letter),
    }
}

/// Letters that are written as several.
fn spelled(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' | 'ǣ' | 'ǽ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ĳ' => "ij",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' | 'ﬆ' => "st",
        _ => return None,
    })
}

/// Letters beyond the table; `None` if left out. Those in the table come back as they are.
fn beyond(letter: char) -> Option<char> {
    Some(match letter {
        '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{20D0}'..='\u{20F0}' => return None,
        '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}' | '\u{FEFF}' => return None,
        '\u{2018}' | '\u{2019}' | '\u{2BC}' => '\'',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(letter as u32 - 0xFEE0)?.to_ascii_lowercase(),
        '\u{FF66}'..='\u{FF9F}' => HALF_WIDTH.chars().nth(letter as usize - 0xFF66)?,
        _ => letter,
    })
}

/// The letters that `mark` makes with others.
fn composing(mark: char) -> Option<&'static str> {
    COMPOSED.iter().find(|(candidate, _)| *candidate == mark).map(|(_, pairs)| *pairs)
}

/// The one letter that two make together: with a mark, or the parts of a Hangul syllable.
fn compose(first: char, second: char) -> Option<char> {
    let (a, b) = (first as u32, second as u32);
    match second {
        '\u{1161}'..='\u{1175}' if (0x1100..=0x1112).contains(&a) => {
            char::from_u32(0xAC00 + ((a - 0x1100) * 21 + (b - 0x1161)) * 28)
        }
        '\u{11A8}'..='\u{11C2}' if (0xAC00..=0xD7A3).contains(&a) && (a - 0xAC00).is_multiple_of(28) => {
            char::from_u32(a + (b - 0x11A7))
        }
        _ if b < 0x300 => None,
        _ => {
            let mut pairs = composing(second)?.chars();
            while let (Some(plain), Some(one)) = (pairs.next(), pairs.next()) {
                if plain == first {
                    return Some(one);
                }
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn folded(text: &str) -> String {
        let mut out = String::new();
        fold(text, &mut out);
        out
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn composed_and_decomposed_letters_fold_alike() {
        let mut letters = 0;
        // Beyond: Tibetan and later scripts whose composed forms nobody types, and compatibility Han.
        for letter in ('\u{80}'..'\u{3100}').chain('\u{AC00}'..='\u{D7A3}') {
            if ('\u{F00}'..'\u{1000}').contains(&letter) || ('\u{1B00}'..'\u{1C00}').contains(&letter) {
                continue;
            }
            let composed = letter.to_string();
            let decomposed: String = composed.nfd().collect();
            if !letter.is_alphabetic() || composed == decomposed {
                continue;
            }
            letters += 1;
            assert_eq!(folded(&composed), folded(&decomposed), "{letter} U+{:04X}", letter as u32);
            let recomposed: String = decomposed.nfc().collect();
            assert_eq!(folded(&composed), folded(&recomposed), "{letter} U+{:04X}", letter as u32);
        }
        assert!(letters > 12_000, "{letters}");
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn folding_twice_changes_nothing() {
        for letter in '\0'..=char::MAX {
            let once = folded(&letter.to_string());
            assert_eq!(folded(&once), once, "U+{:04X}", letter as u32);
        }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn what_people_leave_out_is_folded_and_vowels_stay() {
        for (text, want) in [
            ("Café", "cafe"),
            ("ÅNGSTRÖM", "angstrom"),
            ("Łódź", "lodz"),
            ("Straße", "strasse"),
            ("İstanbul", "istanbul"),
            ("Ёлка", "елка"),
            ("йод", "йод"),
            ("и\u{306}од", "йод"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("مُحَمَّد", "محمد"),
            ("שָׁלוֹם", "שלום"),
            ("हिन्दी", "हिन्दी"),
            ("क़लम", "कलम"),
            ("ภาษาไทย", "ภาษาไทย"),
            ("か\u{3099}く", "がく"),
            ("ｶﾞｲﾄﾞ", "ガイド"),
            ("ＡＢＣ１２", "abc12"),
            ("ﬁnd", "find"),
            ("\u{1112}\u{1161}\u{11AB}", "한"),
        ] {
            assert_eq!(folded(text), want, "{text}");
        }
    }
}
