//! The languages whose words are brought to a common stem.
//!
//! Each stemmer adds 1 to 3 KB gzip to the wasm file: those of the most widely spoken languages are in.
//!
//! **Invariants**
//! - A name is stored with a collection: it is never given a new meaning.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

macro_rules! languages {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// In which language texts are written, which decides about stop words and stemming.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Language {
            $($(#[$doc])* $variant,)+
        }

        impl Language {
            /// Every language, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, as it is given and stored: `"english"`, `"none"`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

languages! {
    /// Any: no stop words and no stemming, each word as it stands.
    None = "none",
    /// English.
    #[default]
    English = "english",
    /// German.
    German = "german",
    /// French.
    French = "french",
    /// Spanish.
    Spanish = "spanish",
    /// Portuguese.
    Portuguese = "portuguese",
    /// Russian.
    Russian = "russian",
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = Error;

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name that is not in [`Language::ALL`].
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|language| language.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|language| language.name()).collect();
            let shown: String = name.chars().take(40).collect();
            Error::invalid(format!("language {shown:?} is not one of {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn names_come_back_and_others_are_refused() {
        for language in Language::ALL {
            assert_eq!(language.name().parse::<Language>().unwrap(), *language);
        }
        assert_eq!(Language::default(), Language::English);
        for name in ["", "English", "klingon"] {
            let error = name.parse::<Language>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains("none, english"), "{error}");
        }
    }
}
