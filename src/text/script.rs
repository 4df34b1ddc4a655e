//! Which script a letter belongs to, as far as the analysis of words asks.
//!
//! **Invariants**
//! - Total and constant: the same letter is always of the same script.

/// Scripts that stemmers know, and all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Other,
}

impl Script {
    /// The script of a folded letter. What is no letter (an apostrophe, a digit) is `None`.
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'a'..='z' | '\u{DF}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => Self::Latin,
            '\u{400}'..='\u{52F}' => Self::Cyrillic,
            '\u{620}'..='\u{6D3}' => Self::Arabic,
            '\u{900}'..='\u{97F}' => Self::Devanagari,
            '\'' => return None,
            _ => Self::Other,
        })
    }

    /// Whether a folded word is written in this script and no other, without digits.
    pub(super) fn writes(self, word: &str) -> bool {
        word.chars().all(|letter| Self::of(letter).is_none_or(|script| script == self))
    }
}

/// Scripts that are written without spaces between words, or (Hangul) with their particles attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unspaced {
    /// Chinese and Japanese.
    Han,
    Hangul,
    Thai,
    Lao,
    Myanmar,
    Khmer,
}

/// Whether words in the script of `letter` can not be told by spaces.
pub(super) fn unspaced(letter: char) -> Option<Unspaced> {
    Some(match letter {
        '\0'..='\u{E00}' => return None,
        '\u{E01}'..='\u{E3A}' | '\u{E40}'..='\u{E4E}' => Unspaced::Thai,
        '\u{E81}'..='\u{ECE}' | '\u{EDC}'..='\u{EDF}' => Unspaced::Lao,
        '\u{1000}'..='\u{103F}' | '\u{1050}'..='\u{108F}' => Unspaced::Myanmar,
        '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{AC00}'..='\u{D7A3}' => Unspaced::Hangul,
        '\u{1780}'..='\u{17D3}' | '\u{17DC}' | '\u{17DD}' => Unspaced::Khmer,
        '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' => Unspaced::Han,
        '\u{3041}'..='\u{3096}' | '\u{3099}' | '\u{309A}' | '\u{309D}'..='\u{309F}' => Unspaced::Han,
        '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' => Unspaced::Han,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => Unspaced::Han,
        '\u{FF66}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}' => Unspaced::Han,
        _ => return None,
    })
}

/// Whether `letter` is written over, under or around the letter before it, in scripts without spaces.
pub(super) fn is_attached(letter: char) -> bool {
    matches!(letter,
        '\u{E31}' | '\u{E34}'..='\u{E3A}' | '\u{E47}'..='\u{E4E}'
        | '\u{EB1}' | '\u{EB4}'..='\u{EBC}' | '\u{EC8}'..='\u{ECE}'
        | '\u{102B}'..='\u{103E}' | '\u{1056}'..='\u{1059}' | '\u{105E}'..='\u{1060}'
        | '\u{1062}'..='\u{1064}' | '\u{1067}'..='\u{106D}' | '\u{1071}'..='\u{1074}'
        | '\u{1082}'..='\u{108D}' | '\u{108F}'
        | '\u{17B4}'..='\u{17D3}' | '\u{17DD}'
        | '\u{3099}' | '\u{309A}' | '\u{FF9E}' | '\u{FF9F}' | '\u{1160}'..='\u{11FF}')
}

/// Pictures that people search for as they search for words.
pub(super) fn is_picture(letter: char) -> bool {
    matches!(letter, '\u{2600}'..='\u{27BF}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F300}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn words_of_one_script_only_are_in_it() {
        assert!(Script::Latin.writes("o'neil") && Script::Cyrillic.writes("привет"));
        assert!(!Script::Latin.writes("привет") && !Script::Latin.writes("mp3"));
        assert!(!Script::Latin.writes("каfe") && !Script::Cyrillic.writes("каfe"));
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn scripts_without_spaces_are_known() {
        for (letter, want) in
            [('漢', Unspaced::Han), ('か', Unspaced::Han), ('한', Unspaced::Hangul), ('ไ', Unspaced::Thai)]
        {
            assert_eq!(unspaced(letter), Some(want));
        }
        for letter in ['a', 'я', 'ह', 'א', '・', '。', ' '] {
            assert_eq!(unspaced(letter), None, "{letter}");
        }
    }
}
