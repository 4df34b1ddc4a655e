//! The best hit of each value of a field.
//!
//! **Invariants**
//! - Two values are one group if filters take them for equal.
//! - Looking a value up copies nothing of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::Value;
use crate::vector::{FieldPath, values_equal};

/// The values that were seen.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    path: &'a FieldPath,
    /// By a hash that is equal for equal values.
    seen: HashMap<u64, Vec<Value>>,
    count: usize,
}

impl<'a> Groups<'a> {
    pub(super) fn new(path: &'a FieldPath) -> Self {
        Self { path, seen: HashMap::new(), count: 0 }
    }

    /// How many hits were let through.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether a document with this metadata is in a group that was seen. One without the field never is.
    pub(super) fn contain(&self, metadata: &Value) -> bool {
        self.path.find(metadata).is_some_and(|value| self.holds(hash(value), value))
    }

    /// Lets the first document of each group through.
    pub(super) fn admit(&mut self, metadata: &Value) -> bool {
        if let Some(value) = self.path.find(metadata) {
            let hash = hash(value);
            if self.holds(hash, value) {
                return false;
            }
            self.seen.entry(hash).or_default().push(value.clone());
        }
        self.count += 1;
        true
    }

    fn holds(&self, hash: u64, value: &Value) -> bool {
        self.seen.get(&hash).is_some_and(|seen| seen.iter().any(|other| values_equal(other, value)))
    }
}

/// Equal for values that are equal.
fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(value, &mut hasher);
    hasher.finish()
}

fn feed(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => 0u8.hash(hasher),
        Value::Undefined => 1u8.hash(hasher),
        Value::Bool(bool) => (2u8, bool).hash(hasher),
        Value::String(text) => (3u8, text).hash(hasher),
        Value::Utf16(units) => (4u8, units).hash(hasher),
        Value::Int(_) | Value::Float(_) | Value::BigInt(_) => (5u8, bits(number(value))).hash(hasher),
        Value::Date(time) => (6u8, bits(*time)).hash(hasher),
        Value::Bytes(bytes) => (7u8, bytes.kind as u8, &bytes.data).hash(hasher),
        Value::Array(items) | Value::Set(items) => {
            (8u8, items.len()).hash(hasher);
            items.iter().for_each(|item| feed(item, hasher));
        }
        Value::Map(entries) => {
            (9u8, entries.len()).hash(hasher);
            for (key, value) in entries {
                feed(key, hasher);
                feed(value, hasher);
            }
        }
        Value::Object(fields) => {
            // Added up, since the order of the fields does not count.
            let field = |(key, value): &(String, Value)| {
                let mut hasher = DefaultHasher::new();
                key.hash(&mut hasher);
                feed(value, &mut hasher);
                hasher.finish()
            };
            (10u8, fields.iter().map(field).fold(0, u64::wrapping_add)).hash(hasher);
        }
    }
}

/// A number as a double. One that equals a double becomes just that: no sum on the way is rounded.
fn number(value: &Value) -> f64 {
    match value {
        Value::BigInt(integer) => {
            let sum = |sum: f64, byte: &u8| sum * 256.0 + f64::from(*byte);
            let magnitude = integer.magnitude.iter().rev().fold(0.0, sum);
            if integer.negative { -magnitude } else { magnitude }
        }
        number => number.as_f64().unwrap_or(f64::NAN),
    }
}

/// The bits of a double, one pattern for all NaN and one for both zeros.
fn bits(number: f64) -> u64 {
    if number.is_nan() { f64::NAN.to_bits() } else { (number + 0.0).to_bits() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BigInt, Bytes, BytesKind};

    fn object(fields: &[(&str, Value)]) -> Value {
        Value::Object(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn integer(negative: bool, magnitude: &[u8]) -> Value {
        Value::BigInt(BigInt { negative, magnitude: magnitude.to_vec() })
    }

    #[test]
    fn the_first_of_each_group_is_let_through() {
        let path = FieldPath::parse("a.b").unwrap();
        let mut groups = Groups::new(&path);
        let of = |value| object(&[("a", object(&[("b", value)]))]);
        assert!(!groups.contain(&of(text("x"))));
        assert!(groups.admit(&of(text("x"))));
        assert!(groups.contain(&of(text("x"))) && !groups.admit(&of(text("x"))));
        assert!(groups.admit(&object(&[("a.b", text("y"))])), "the key with the dot is the same path");
        assert!(!groups.admit(&of(text("y"))));
        assert!(groups.admit(&of(Value::Null)) && !groups.admit(&of(Value::Null)), "null is a value");
        for alone in [Value::Null, object(&[]), object(&[("a", Value::Int(1))])] {
            assert!(groups.admit(&alone) && groups.admit(&alone) && !groups.contain(&alone));
        }
        assert_eq!(groups.len(), 9);
    }

    #[test]
    fn values_that_filters_take_for_equal_are_one_group() {
        let bytes = |kind, data: &[u8]| Value::Bytes(Bytes { kind, data: data.to_vec() });
        let two_to_the_60 = 1u64 << 60;
        let classes: Vec<Vec<Value>> = vec![
            vec![Value::Int(0), Value::Float(-0.0), integer(false, &[])],
            vec![Value::Int(-3), integer(true, &[3])],
            vec![Value::Float(two_to_the_60 as f64), integer(false, &two_to_the_60.to_le_bytes())],
            vec![integer(false, &(two_to_the_60 + 1).to_le_bytes())],
            vec![Value::Float(f64::NAN), Value::Float(-f64::NAN)],
            vec![Value::Date(3.0)],
            vec![text("3")],
            vec![Value::Bool(true)],
            vec![Value::Bool(false)],
            vec![Value::Null],
            vec![Value::Array(vec![Value::Int(1), text("a")])],
            vec![Value::Array(vec![text("a"), Value::Int(1)])],
            vec![Value::Set(vec![Value::Int(1), text("a")])],
            vec![
                object(&[("x", Value::Int(1)), ("y", integer(false, &[2]))]),
                object(&[("y", Value::Int(2)), ("x", Value::Int(1))]),
            ],
            vec![object(&[("x", Value::Int(2)), ("y", Value::Int(1))])],
            vec![Value::Map(vec![(Value::Int(1), text("a"))])],
            vec![bytes(BytesKind::Uint8Array, &[1, 2])],
            vec![bytes(BytesKind::Uint16Array, &[1, 2])],
        ];
        let path = FieldPath::parse("f").unwrap();
        let mut groups = Groups::new(&path);
        for class in &classes {
            let admitted: Vec<bool> =
                class.iter().map(|value| groups.admit(&object(&[("f", value.clone())]))).collect();
            assert!(admitted[0] && !admitted[1..].contains(&true), "{class:?}: {admitted:?}");
        }
    }
}
