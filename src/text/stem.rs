//! Words of one language brought to their stem, by the algorithms of the
//! [Snowball project](https://snowballstem.org).
//!
//! **Invariants**
//! - A word that is not written in the script of the language comes out as it went in.
//!
//! Words are folded first and stemmed then. So `cafe` finds `café` in every language; some endings that
//! are told by their accents are not taken off.

use std::borrow::Cow;

use waken_snowball::SnowballEnv;
use waken_snowball::algorithms::{
    english_stemmer, french_stemmer, german_stemmer, portuguese_stemmer, russian_stemmer, spanish_stemmer,
};

use super::Language;
use super::script::Script;

/// The stem of a folded word.
pub(super) fn stem(language: Language, word: &str) -> Cow<'_, str> {
    let (script, algorithm): (Script, fn(&mut SnowballEnv<'_>) -> bool) = match language {
        Language::None => return Cow::Borrowed(word),
        Language::English => (Script::Latin, english_stemmer::stem),
        Language::German => (Script::Latin, german_stemmer::stem),
        Language::French => (Script::Latin, french_stemmer::stem),
        Language::Spanish => (Script::Latin, spanish_stemmer::stem),
        Language::Portuguese => (Script::Latin, portuguese_stemmer::stem),
        Language::Russian => (Script::Cyrillic, russian_stemmer::stem),
    };
    if !script.writes(word) {
        return Cow::Borrowed(word);
    }
    let mut env = SnowballEnv::create(word);
    algorithm(&mut env);
    let stem = env.get_current();
    if stem.is_empty() { Cow::Borrowed(word) } else { stem }
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn forms_of_a_word_meet() {
        for (language, words) in [
            (Language::English, "running runs run"),
            (Language::English, "dog's dogs dog"),
            (Language::German, "Häuser Hauses Haus"),
            (Language::French, "continuait continua continuer"),
            (Language::Spanish, "canciones canción cancion"),
            (Language::Portuguese, "meninos menino"),
            (Language::Russian, "новости новостей новостям"),
        ] {
            let stems: Vec<String> = words
                .split(' ')
                .map(|word| {
                    let mut folded = String::new();
                    fold(word, &mut folded);
                    stem(language, &folded).into_owned()
                })
                .collect();
            assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{language}: {stems:?}");
        }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn words_of_another_script_or_with_digits_stay() {
        for (language, word) in [
            (Language::None, "running"),
            (Language::English, "новости"),
            (Language::Russian, "running"),
            (Language::English, "mp3s"),
        ] {
            assert_eq!(stem(language, word), word);
        }
    }
}
