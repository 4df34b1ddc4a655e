//! From the value model to serde.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, EnumAccess, Error as _, IntoDeserializer, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{DATE, Mismatch};
use crate::model::{BigInt, Value};

type Outcome<T> = std::result::Result<T, Mismatch>;

/// The deserializer.
pub(super) struct FromValue(pub(super) Value);

impl IntoDeserializer<'_, Mismatch> for FromValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The integer, if it has at most 128 bits.
fn narrow(big: &BigInt) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes.get_mut(..big.magnitude.len())?.copy_from_slice(&big.magnitude);
    Some(u128::from_le_bytes(bytes))
}

fn visit_big<'de, V: Visitor<'de>>(big: &BigInt, visitor: V) -> Outcome<V::Value> {
    let too_large = || Mismatch::custom("the integer has more than 128 bits");
    let magnitude = narrow(big).ok_or_else(too_large)?;
    if big.negative {
        let n = 0i128.checked_sub_unsigned(magnitude).ok_or_else(too_large)?;
        return match i64::try_from(n) {
            Ok(small) => visitor.visit_i64(small),
            Err(_) => visitor.visit_i128(n),
        };
    }
    match u64::try_from(magnitude) {
        Ok(small) => visitor.visit_u64(small),
        Err(_) => visitor.visit_u128(magnitude),
    }
}

fn visit_sequence<'de, V: Visitor<'de>>(elements: Vec<Value>, visitor: V) -> Outcome<V::Value> {
    let mut sequence = SeqDeserializer::new(elements.into_iter().map(FromValue));
    let visited = visitor.visit_seq(&mut sequence)?;
    sequence.end()?;
    Ok(visited)
}

fn visit_pairs<'de, V: Visitor<'de>>(
    pairs: impl Iterator<Item = (Value, Value)>,
    visitor: V,
) -> Outcome<V::Value> {
    let mut map = MapDeserializer::new(pairs.map(|(key, value)| (FromValue(key), FromValue(value))));
    let visited = visitor.visit_map(&mut map)?;
    map.end()?;
    Ok(visited)
}

impl<'de> de::Deserializer<'de> for FromValue {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0 {
            Value::Null | Value::Undefined => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Int(n) => visitor.visit_i64(n),
            Value::Float(n) | Value::Date(n) => visitor.visit_f64(n),
            Value::String(text) => visitor.visit_string(text),
            Value::BigInt(big) => visit_big(&big, visitor),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes.data),
            Value::Array(elements) | Value::Set(elements) => visit_sequence(elements, visitor),
            Value::Object(fields) => {
                visit_pairs(fields.into_iter().map(|(name, value)| (Value::String(name), value)), visitor)
            }
            Value::Map(pairs) => visit_pairs(pairs.into_iter(), visitor),
            Value::Utf16(_) => Err(Mismatch::custom("the string has half a surrogate pair")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        match self.0 {
            Value::Null | Value::Undefined => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        // An integer of the value model is exact as a double.
        match self.0.as_f64() {
            Some(n) => visitor.visit_f64(n),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Outcome<V::Value> {
        match self.0 {
            Value::Date(_) => visitor.visit_newtype_struct(self),
            _ if name == DATE => Err(Mismatch::custom("a date was expected")),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Outcome<V::Value> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(Variant { variant, data: None }),
            Value::Object(fields) => match <[_; 1]>::try_from(fields) {
                Ok([(variant, data)]) => visitor.visit_enum(Variant { variant, data: Some(data) }),
                Err(_) => Err(Mismatch::custom("a variant is an object of one field, its name")),
            },
            _ => Err(Mismatch::custom("a variant is a string, or an object of one field")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

/// A variant by its name, with its data.
struct Variant {
    variant: String,
    data: Option<Value>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Mismatch;
    type Variant = Data;

    fn variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Outcome<(S::Value, Data)> {
        let name = seed.deserialize(FromValue(Value::String(self.variant)))?;
        Ok((name, Data(self.data)))
    }
}

/// What a variant holds.
struct Data(Option<Value>);

impl Data {
    fn given(self) -> Outcome<FromValue> {
        self.0.map(FromValue).ok_or_else(|| Mismatch::custom("the variant has no data"))
    }
}

impl<'de> VariantAccess<'de> for Data {
    type Error = Mismatch;

    fn unit_variant(self) -> Outcome<()> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Mismatch::custom("the variant holds no data, but some was found")),
        }
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Outcome<S::Value> {
        seed.deserialize(self.given()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Outcome<V::Value> {
        de::Deserializer::deserialize_any(self.given()?, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Outcome<V::Value> {
        de::Deserializer::deserialize_any(self.given()?, visitor)
    }
}
