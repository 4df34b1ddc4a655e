//! Between serde types and the value model, for native programs.
//!
//! | serde | value |
//! |---|---|
//! | unit, `None`, unit struct | `Null` |
//! | bool, numbers within ±(2^53 − 1), floats | `Bool`, `Int`, `Float` |
//! | integers beyond that | `BigInt` |
//! | char, str, unit variant | `String` |
//! | bytes | `Bytes` (a `Uint8Array`) |
//! | seq, tuple, tuple struct | `Array` |
//! | struct, map with string keys | `Object` |
//! | map with other keys | `Map` |
//! | variant with data | `Object` of one field, the variant's name |
//! | [`Date`] | `Date` |
//!
//! The way back also takes a `Set` for a seq, a `Date` for a number and `Undefined` for `Null`, so
//! that what JavaScript saved can be read by a Rust struct.
//!
//! **Invariants**
//! - `from_value(to_value(x)) == x` for every type whose serde form is self-describing.
//! - Nothing is rounded in silence: an integer that does not fit its target is an error.

mod de;
mod ser;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Value;
use crate::{Error, Result};

/// A point in time, in milliseconds since the Unix epoch: what is a `Date` in JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename = "$mnemora::Date")]
pub struct Date(pub f64);

/// The name by which the bridge knows a [`Date`].
const DATE: &str = "$mnemora::Date";

/// A type that a store can keep: any serde type, or [`Value`] itself.
pub trait Storable: Sized {
    /// The value of `self`.
    ///
    /// # Errors
    /// `Invalid` if the type has no such form.
    fn to_value(&self) -> Result<Value>;

    /// Back from a value.
    ///
    /// # Errors
    /// `Invalid`, saying what was found and what was expected.
    fn from_value(value: Value) -> Result<Self>;
}

impl<T: Serialize + DeserializeOwned> Storable for T {
    fn to_value(&self) -> Result<Value> {
        self.serialize(ser::ToValue)
            .map_err(|Mismatch(what)| Error::invalid(format!("the value can not be stored: {what}")))
    }

    fn from_value(value: Value) -> Result<Self> {
        T::deserialize(de::FromValue(value)).map_err(|Mismatch(what)| {
            Error::invalid(format!("the stored value does not fit the type it is read as: {what}"))
        })
    }
}

impl Storable for Value {
    fn to_value(&self) -> Result<Value> {
        Ok(self.clone())
    }

    fn from_value(value: Value) -> Result<Self> {
        Ok(value)
    }
}

/// What serde says of a form that does not fit.
#[derive(Debug)]
struct Mismatch(String);

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl serde::ser::Error for Mismatch {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for Mismatch {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::model::{Bytes, BytesKind, decode_value, encode_value};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Dot,
        Circle(f64),
        Line(i32, i32),
        Box { w: u8, h: u8 },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Everything {
        flag: bool,
        small: i8,
        large: u64,
        huge: i128,
        ratio: f32,
        letter: char,
        text: String,
        nothing: Option<u8>,
        something: Option<Vec<String>>,
        when: Date,
        pair: (u8, String),
        names: BTreeMap<String, i64>,
        numbers: BTreeMap<u16, bool>,
        set: BTreeSet<i64>,
        shapes: Vec<Shape>,
        unit: (),
    }

    fn everything() -> Everything {
        Everything {
            flag: true,
            small: -8,
            large: u64::MAX,
            huge: -(1 << 100),
            ratio: 0.1,
            letter: '\u{1f600}',
            text: "caf\u{e9}".into(),
            nothing: None,
            something: Some(vec!["a".into()]),
            when: Date(1_763_600_000_000.0),
            pair: (1, "x".into()),
            names: [("a".to_owned(), i64::MIN), ("b".to_owned(), 1 << 53)].into(),
            numbers: [(7, true)].into(),
            set: [1, 2].into(),
            shapes: vec![Shape::Dot, Shape::Circle(1.5), Shape::Line(1, -2), Shape::Box { w: 1, h: 2 }],
            unit: (),
        }
    }

    #[test]
    fn every_shape_comes_back_through_its_bytes() {
        let bytes = encode_value(&everything().to_value().unwrap()).unwrap();
        assert_eq!(Everything::from_value(decode_value(&bytes).unwrap()).unwrap(), everything());
    }

    #[test]
    fn shapes_are_those_of_javascript() {
        let value = everything().to_value().unwrap();
        assert_eq!(value.field("when"), Some(&Value::Date(1_763_600_000_000.0)));
        assert_eq!(value.field("small"), Some(&Value::Int(-8)));
        assert!(matches!(value.field("large"), Some(Value::BigInt(_))));
        assert!(matches!(value.field("names"), Some(Value::Object(_))));
        assert!(matches!(value.field("numbers"), Some(Value::Map(_))));
    }

    #[test]
    fn what_javascript_saved_can_be_read() {
        #[derive(Debug, PartialEq, Deserialize, Serialize)]
        struct State {
            tags: Vec<String>,
            last_updated: f64,
            note: Option<String>,
        }
        let value = Value::Object(vec![
            ("tags".into(), Value::Set(vec![Value::String("a".into())])),
            ("last_updated".into(), Value::Date(5.0)),
            ("note".into(), Value::Undefined),
            ("more".into(), Value::Bytes(Bytes { kind: BytesKind::Uint8Array, data: vec![1] })),
        ]);
        let expected = State { tags: vec!["a".into()], last_updated: 5.0, note: None };
        assert_eq!(State::from_value(value).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (value, what) in [
            (Value::Int(300), "u8"),
            (Value::String("x".into()), "a number"),
            (Value::Float(1.5), "a fraction"),
            (Value::Utf16(vec![0xD800]), "half a surrogate pair"),
        ] {
            let error = u8::from_value(value).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid, "{what}");
        }
    }
}
