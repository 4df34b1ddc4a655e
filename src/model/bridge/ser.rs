//! From serde to the value model.

use serde::Serialize;
use serde::ser::{self, Error as _};

use super::{DATE, Mismatch};
use crate::model::{BigInt, Bytes, BytesKind, MAX_SAFE_INTEGER, Value};

type Outcome<T = Value> = std::result::Result<T, Mismatch>;

/// The serializer.
pub(super) struct ToValue;

/// An integer, as a number if that is exact.
fn integer(n: i128) -> Value {
    match i64::try_from(n) {
        Ok(small) if small.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() => Value::Int(small),
        _ => big(n < 0, n.unsigned_abs()),
    }
}

fn big(negative: bool, magnitude: u128) -> Value {
    let mut bytes = magnitude.to_le_bytes().to_vec();
    bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
    Value::BigInt(BigInt { negative, magnitude: bytes })
}

macro_rules! integers {
    ($($method:ident: $type:ty),+) => {
        $(fn $method(self, n: $type) -> Outcome {
            Ok(integer(i128::from(n)))
        })+
    };
}

impl ser::Serializer for ToValue {
    type Ok = Value;
    type Error = Mismatch;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Elements;
    type SerializeMap = Pairs;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    fn serialize_u128(self, n: u128) -> Outcome {
        Ok(i128::try_from(n).map_or_else(|_| big(false, n), integer))
    }

    fn serialize_bool(self, flag: bool) -> Outcome {
        Ok(Value::Bool(flag))
    }

    fn serialize_f32(self, n: f32) -> Outcome {
        Ok(Value::number(f64::from(n)))
    }

    fn serialize_f64(self, n: f64) -> Outcome {
        Ok(Value::number(n))
    }

    fn serialize_char(self, letter: char) -> Outcome {
        Ok(Value::String(letter.into()))
    }

    fn serialize_str(self, text: &str) -> Outcome {
        Ok(Value::String(text.to_owned()))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Outcome {
        Ok(Value::Bytes(Bytes { kind: BytesKind::Uint8Array, data: bytes.to_vec() }))
    }

    fn serialize_none(self) -> Outcome {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Outcome {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Outcome {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Outcome {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Outcome {
        Ok(Value::String(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Outcome {
        match value.serialize(self)? {
            number @ (Value::Int(_) | Value::Float(_)) if name == DATE => {
                // Neither of the two is anything but a number.
                number.as_f64().map(Value::Date).ok_or_else(|| Mismatch::custom("a date is no number"))
            }
            value => Ok(value),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Outcome {
        Ok(Value::Object(vec![(variant.to_owned(), value.serialize(self)?)]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Outcome<Elements> {
        Ok(Elements { variant: None, elements: Vec::new() })
    }

    fn serialize_tuple(self, _: usize) -> Outcome<Elements> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Outcome<Elements> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Outcome<Elements> {
        Ok(Elements { variant: Some(variant), elements: Vec::new() })
    }

    fn serialize_map(self, _: Option<usize>) -> Outcome<Pairs> {
        Ok(Pairs { pairs: Vec::new(), key: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Outcome<Fields> {
        Ok(Fields { variant: None, fields: Vec::new() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Outcome<Fields> {
        Ok(Fields { variant: Some(variant), fields: Vec::new() })
    }
}

fn wrapped(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::Object(vec![(variant.to_owned(), value)]),
        None => value,
    }
}

/// A sequence that is being written.
pub(super) struct Elements {
    variant: Option<&'static str>,
    elements: Vec<Value>,
}

macro_rules! elements {
    ($($trait:ident: $method:ident),+) => {
        $(impl ser::$trait for Elements {
            type Ok = Value;
            type Error = Mismatch;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome<()> {
                self.elements.push(value.serialize(ToValue)?);
                Ok(())
            }

            fn end(self) -> Outcome {
                Ok(wrapped(self.variant, Value::Array(self.elements)))
            }
        })+
    };
}

elements! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field
}

/// A struct that is being written.
pub(super) struct Fields {
    variant: Option<&'static str>,
    fields: Vec<(String, Value)>,
}

macro_rules! fields {
    ($($trait:ident),+) => {
        $(impl ser::$trait for Fields {
            type Ok = Value;
            type Error = Mismatch;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Outcome<()> {
                self.fields.push((name.to_owned(), value.serialize(ToValue)?));
                Ok(())
            }

            fn end(self) -> Outcome {
                Ok(wrapped(self.variant, Value::Object(self.fields)))
            }
        })+
    };
}

fields! { SerializeStruct, SerializeStructVariant }

/// A map that is being written.
pub(super) struct Pairs {
    pairs: Vec<(Value, Value)>,
    key: Option<Value>,
}

impl ser::SerializeMap for Pairs {
    type Ok = Value;
    type Error = Mismatch;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Outcome<()> {
        self.key = Some(key.serialize(ToValue)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome<()> {
        let key = self.key.take().ok_or_else(|| Mismatch::custom("a map gave a value before its key"))?;
        self.pairs.push((key, value.serialize(ToValue)?));
        Ok(())
    }

    fn end(self) -> Outcome {
        if !self.pairs.iter().all(|(key, _)| matches!(key, Value::String(_))) {
            return Ok(Value::Map(self.pairs));
        }
        let field = |(key, value)| match key {
            Value::String(name) => Some((name, value)),
            _ => None,
        };
        Ok(Value::Object(self.pairs.into_iter().filter_map(field).collect()))
    }
}
