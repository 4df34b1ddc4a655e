//! Whether metadata match a filter.

use super::compare::{equal, order};
use super::{Filter, Members, Node, Order, Test};
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
            Self::Field(path, test) => test.holds(path.find(metadata)),
        }
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
