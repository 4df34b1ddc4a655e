//! What of the vectors stays in memory.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What an index keeps in memory beside the codes that it searches by. Serialised as its number, which
/// is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum Keep {
    /// The vectors as they were given, four bytes a number: the last ranking needs no reads.
    #[default]
    F32 = 0,
    /// Codes of one byte a number alone: the last ranking reads the records of the best.
    Codes = 1,
}

impl Keep {
    /// Both, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::F32, Self::Codes];

    /// The name, as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Codes => "codes",
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Keep {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|keep| keep.as_str() == name);
        found.ok_or_else(|| Error::invalid(format!("keep {name:?} is unknown: use \"f32\" or \"codes\"")))
    }
}

impl From<Keep> for u8 {
    fn from(keep: Keep) -> Self {
        keep as Self
    }
}

impl TryFrom<u8> for Keep {
    type Error = Error;

    /// Fails with [`Version`](crate::ErrorKind::Version): only a newer release writes other numbers.
    fn try_from(number: u8) -> Result<Self> {
        Self::ALL.into_iter().find(|keep| *keep as u8 == number).ok_or_else(|| {
            Error::version(format!("keep number {number} is unknown to this release: upgrade to read it"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn names_and_numbers_are_stable() {
        for (name, number) in [("f32", 0), ("codes", 1)] {
            let keep: Keep = name.parse().unwrap();
            assert_eq!((keep.to_string().as_str(), u8::from(keep)), (name, number));
            assert_eq!(postcard::from_bytes::<Keep>(&[number]).unwrap(), keep);
        }
        assert!(postcard::from_bytes::<Keep>(&[2]).is_err());
        assert!("F32".parse::<Keep>().unwrap_err().message().contains("\"f32\" or \"codes\""));
    }
}
