//! Whether metadata match a filter.
//!
//! **Invariants**
//! - Every step down a path goes one level down in the data, so recursion is bounded by its depth.

use super::compare::{equal, order};
use super::{Filter, Members, Node, Order, Path, Test};
use crate::model::Value;

impl Filter {
    /// Whether `metadata` match. Anything but an object has no fields.
    #[must_use]
    pub fn matches(&self, metadata: &Value) -> bool {
        self.root.matches(metadata)
    }
}

impl Node {
    fn matches(&self, metadata: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(metadata)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(metadata)),
            Self::Not(part) => !part.matches(metadata),
            Self::Field(path, test) => test.holds(path.find(metadata, 0)),
        }
    }
}

impl Path {
    /// The value at the segments from `from` on.
    ///
    /// The longest key is tried first: all that is left of the path, then one segment less. A shorter
    /// one is still tried when the rest is not found below a longer one.
    fn find<'a>(&self, value: &'a Value, from: usize) -> Option<&'a Value> {
        let start = if from == 0 { 0 } else { self.ends[from - 1] + 1 };
        let Value::Object(_) = value else { return None };
        (from..self.ends.len()).rev().find_map(|last| {
            let found = value.field(&self.text[start..self.ends[last]])?;
            if last + 1 == self.ends.len() { Some(found) } else { self.find(found, last + 1) }
        })
    }
}

impl Test {
    fn holds(&self, field: Option<&Value>) -> bool {
        match (self, field) {
            (Self::All(tests), _) => tests.iter().all(|test| test.holds(field)),
            (Self::Not(test), _) => !test.holds(field),
            (Self::Exists(expected), _) => field.is_some() == *expected,
            (Self::Equals(operand), Some(value)) => equals_or_contains(value, |value| equal(value, operand)),
            (Self::In(members), Some(value)) => equals_or_contains(value, |value| members.contain(value)),
            (Self::Compares(relation, operand), Some(value)) => relation.holds(value, operand),
            (Self::Equals(_) | Self::In(_) | Self::Compares(..), None) => false,
        }
    }
}

/// Whether `test` holds for the value, or for an element of an array or set.
fn equals_or_contains(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    test(value)
        || match value {
            Value::Array(elements) | Value::Set(elements) => elements.iter().any(test),
            _ => false,
        }
}

impl Members {
    fn contain(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.strings.binary_search(text).is_ok(),
            other => self.others.iter().any(|member| equal(other, member)),
        }
    }
}

impl Order {
    fn holds(self, value: &Value, operand: &Value) -> bool {
        let or_equal = matches!(self, Self::GreaterOrEqual | Self::LessOrEqual);
        match order(value, operand) {
            // Unordered values may still be equal: NaN, invalid dates.
            None => or_equal && equal(value, operand),
            Some(ordering) => match self {
                Self::Greater => ordering.is_gt(),
                Self::GreaterOrEqual => ordering.is_ge(),
                Self::Less => ordering.is_lt(),
                Self::LessOrEqual => ordering.is_le(),
            },
        }
    }
}
