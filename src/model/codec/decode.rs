//! Bytes to values.
//!
//! **Invariants**
//! - Nothing is taken on trust: a count is compared with the bytes that are left before memory is
//!   reserved for it, and memory that can not be had is an error, not an abort.
//! - The depth travels in the seed, so the recursion ends at [`MAX_DEPTH`] whatever the bytes say.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use postcard::Error as Malformed;
use postcard::de_flavors::Flavor;
use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, SeqAccess, VariantAccess, Visitor};

use super::{CANONICAL_NAN, ENUM, VARIANTS, check, tag};
use crate::model::{BigInt, Bytes, BytesKind, MAX_DEPTH, MAX_VALUE_BYTES, Value};
use crate::{Error, Result};

/// The value that `bytes` hold.
///
/// The format is [postcard 1.x](https://postcard.jamesmunns.com/wire-format) of the enum [`Value`] in
/// its order of declaration, in its one canonical form.
///
/// # Errors
/// [`Corrupt`](crate::ErrorKind::Corrupt), naming the position or the path, if [`encode_value`]
/// makes no such bytes; also if bytes follow the value.
///
/// [`encode_value`]: super::encode_value
pub fn decode_value(bytes: &[u8]) -> Result<Value> {
    if bytes.len() > MAX_VALUE_BYTES {
        return Err(Error::corrupt(format!(
            "the stored value is {} bytes long; none is longer than {MAX_VALUE_BYTES}",
            bytes.len()
        )));
    }
    let reason = Reason::default();
    let input = Input { rest: bytes, continued: false };
    let mut deserializer = postcard::Deserializer::from_flavor(input);
    let decoded = ValueSeed { depth: 0, reason: &reason }.deserialize(&mut deserializer);
    let rest = deserializer.finalize().unwrap_or_default();
    let position = bytes.len() - rest;
    let value = decoded.map_err(|error| {
        let reason = reason.0.get().unwrap_or_else(|| describe(&error));
        Error::corrupt(format!("the stored value makes no sense: {reason}, before byte {position}"))
    })?;
    if rest > 0 {
        return Err(Error::corrupt(format!(
            "the stored value ends at byte {position}, but {rest} more bytes follow"
        )));
    }
    check::check(&value)
        .map_err(|flaw| Error::corrupt(format!("the stored value makes no sense: {flaw}")))?;
    Ok(value)
}

fn describe(error: &Malformed) -> &'static str {
    match error {
        Malformed::DeserializeUnexpectedEnd => "the bytes end too early",
        Malformed::DeserializeBadVarint => {
            "a variable-length integer is too long or not in its shortest form"
        }
        Malformed::DeserializeBadBool => "a boolean is neither 0 nor 1",
        Malformed::DeserializeBadUtf8 => "a string is not UTF-8",
        _ => "the bytes are not a value",
    }
}

/// Why a seed gave up: postcard's error can not carry a message.
#[derive(Default)]
struct Reason(Cell<Option<&'static str>>);

impl Reason {
    fn fail<E: serde::de::Error>(&self, reason: &'static str) -> E {
        self.0.set(Some(reason));
        E::custom(reason)
    }
}

/// What is left of the input.
///
/// Single bytes are read only for booleans and varints, so this is the place to see a varint that
/// is longer than it needs to be: one that ends in a zero byte.
struct Input<'de> {
    rest: &'de [u8],
    continued: bool,
}

impl<'de> Flavor<'de> for Input<'de> {
    type Remainder = usize;
    type Source = &'de [u8];

    #[inline]
    fn pop(&mut self) -> postcard::Result<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or(Malformed::DeserializeUnexpectedEnd)?;
        if byte == 0 && self.continued {
            return Err(Malformed::DeserializeBadVarint);
        }
        self.continued = byte >= 0x80;
        self.rest = rest;
        Ok(byte)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }

    #[inline]
    fn try_take_n(&mut self, count: usize) -> postcard::Result<&'de [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed::DeserializeUnexpectedEnd)?;
        self.rest = rest;
        Ok(taken)
    }

    fn finalize(self) -> postcard::Result<usize> {
        Ok(self.rest.len())
    }
}

/// Reads one value at `depth`.
#[derive(Clone, Copy)]
struct ValueSeed<'a> {
    depth: usize,
    reason: &'a Reason,
}

impl<'a> ValueSeed<'a> {
    /// The seed for what lies in a container at this depth.
    fn within<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.reason.fail("it is nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn list<S>(self, element: S) -> ListSeed<'a, S> {
        ListSeed { element, reason: self.reason }
    }

    /// Reads what is not a container. Apart from the recursion, to keep its frames small.
    #[inline(never)]
    fn scalar<'de, A: VariantAccess<'de>>(self, tag: u32, content: A) -> Result<Value, A::Error> {
        Ok(match tag {
            tag::NULL => {
                content.unit_variant()?;
                Value::Null
            }
            tag::UNDEFINED => {
                content.unit_variant()?;
                Value::Undefined
            }
            tag::BOOL => Value::Bool(content.newtype_variant()?),
            tag::INT => Value::Int(content.newtype_variant()?),
            tag::FLOAT => {
                let float = self.canonical(content.newtype_variant()?)?;
                match Value::number(float) {
                    Value::Float(float) => Value::Float(float),
                    _ => return Err(self.reason.fail("an integer is stored as a fraction")),
                }
            }
            tag::STRING => Value::String(content.newtype_variant()?),
            tag::BIG_INT => {
                let (negative, Buffer(magnitude)) = content.newtype_variant()?;
                Value::BigInt(BigInt { negative, magnitude })
            }
            tag::DATE => Value::Date(self.canonical(content.newtype_variant()?)?),
            tag::BYTES => {
                let (kind, Buffer(data)) = content.newtype_variant::<(u32, Buffer)>()?;
                let kind = BytesKind::ALL.into_iter().find(|known| u32::from(*known as u8) == kind);
                let kind = kind.ok_or_else(|| self.reason.fail("it holds bytes of an unknown kind"))?;
                Value::Bytes(Bytes { kind, data })
            }
            tag::UTF16 => Value::Utf16(content.newtype_variant_seed(self.list(PhantomData))?),
            _ => return Err(self.reason.fail("its tag is unknown")),
        })
    }

    fn canonical<E: serde::de::Error>(self, float: f64) -> Result<f64, E> {
        if float.is_nan() && float.to_bits() != CANONICAL_NAN.to_bits() {
            return Err(self.reason.fail("a NaN is not the canonical one"));
        }
        Ok(float)
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_enum(ENUM, VARIANTS, self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (tag, content) = data.variant::<u32>()?;
        match tag {
            tag::ARRAY => {
                let items = self.list(self.within()?);
                content.newtype_variant_seed(items).map(Value::Array)
            }
            tag::OBJECT => {
                let fields = self.list(PairSeed(PhantomData::<String>, self.within()?));
                content.newtype_variant_seed(fields).map(Value::Object)
            }
            tag::MAP => {
                let inner = self.within()?;
                content.newtype_variant_seed(self.list(PairSeed(inner, inner))).map(Value::Map)
            }
            tag::SET => {
                let items = self.list(self.within()?);
                content.newtype_variant_seed(items).map(Value::Set)
            }
            _ => self.scalar(tag, content),
        }
    }
}

/// Reads a count and as many elements.
struct ListSeed<'a, S> {
    element: S,
    reason: &'a Reason,
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for ListSeed<'_, S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for ListSeed<'_, S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        /// Reserved at once; longer lists grow as their elements turn out to be there.
        const RESERVED_ELEMENTS: usize = 256;

        // An element takes a byte or more; the hint is missing if the count goes beyond the input.
        let count = access.size_hint();
        let count = count.ok_or_else(|| self.reason.fail("a list is longer than the bytes that follow"))?;
        let mut elements = Vec::with_capacity(count.min(RESERVED_ELEMENTS));
        while let Some(element) = access.next_element_seed(self.element)? {
            if elements.len() == elements.capacity() && elements.try_reserve(1).is_err() {
                return Err(self.reason.fail("it takes more memory than there is"));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

/// Reads two things in a row.
#[derive(Clone, Copy)]
struct PairSeed<K, V>(K, V);

impl<'de, K: DeserializeSeed<'de>, V: DeserializeSeed<'de>> DeserializeSeed<'de> for PairSeed<K, V> {
    type Value = (K::Value, V::Value);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_tuple(2, self)
    }
}

impl<'de, K: DeserializeSeed<'de>, V: DeserializeSeed<'de>> Visitor<'de> for PairSeed<K, V> {
    type Value = (K::Value, V::Value);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pair")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let key = access.next_element_seed(self.0)?.ok_or_else(|| A::Error::invalid_length(0, &"a pair"))?;
        let value =
            access.next_element_seed(self.1)?.ok_or_else(|| A::Error::invalid_length(1, &"a pair"))?;
        Ok((key, value))
    }
}

/// A byte buffer, read in one copy.
struct Buffer(Vec<u8>);

impl<'de> serde::Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BufferVisitor;

        impl<'de> Visitor<'de> for BufferVisitor {
            type Value = Buffer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Buffer, E> {
                Ok(Buffer(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(BufferVisitor)
    }
}
