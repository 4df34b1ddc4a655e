//! Dotted paths into metadata.
//!
//! **Invariants**
//! - Every step down a path goes one level down in the data, so recursion is bounded by its depth.

use crate::model::Value;
use crate::{Error, Result};

/// A dotted path into metadata, as filters have it: `a.b` is field `b` of the object in field `a`, and a
/// key that literally contains the dot is tried first.
///
/// `ends` are the byte offsets at which its segments end, so that any run of segments is a slice of
/// `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    text: String,
    ends: Vec<usize>,
}

impl FieldPath {
    /// Parses a path.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for an empty segment, or one that begins with `$`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.split('.').any(str::is_empty) {
            return Err(Error::invalid(
                "empty path segment; separate field names by single dots, as in \"owner.team\"",
            ));
        }
        if text.split('.').any(|segment| segment.starts_with('$')) {
            return Err(Error::invalid(
                "an operator inside a path; write it as { field: { $operator: value } }",
            ));
        }
        let ends = text.match_indices('.').map(|(at, _)| at).chain([text.len()]).collect();
        Ok(Self { text: text.to_owned(), ends })
    }

    /// The value at the path; `None` if there is none, and of anything but an object.
    #[must_use]
    pub fn find<'a>(&self, metadata: &'a Value) -> Option<&'a Value> {
        self.find_from(metadata, 0)
    }

    /// The value at the segments from `from` on.
    ///
    /// The longest key is tried first: all that is left of the path, then one segment less. A shorter
    /// one is still tried when the rest is not found below a longer one.
    fn find_from<'a>(&self, value: &'a Value, from: usize) -> Option<&'a Value> {
        let start = if from == 0 { 0 } else { self.ends[from - 1] + 1 };
        let Value::Object(_) = value else { return None };
        (from..self.ends.len()).rev().find_map(|last| {
            let found = value.field(&self.text[start..self.ends[last]])?;
            if last + 1 == self.ends.len() { Some(found) } else { self.find_from(found, last + 1) }
        })
    }
}
