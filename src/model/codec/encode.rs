//! Values to bytes.
//!
//! **Invariants**
//! - A value is checked whole before its first byte is written, and on any error the output is left
//!   as it was.
//! - Byte buffers are written in one copy, never element by element.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, Serializer};

use super::{CANONICAL_NAN, ENUM, VARIANTS, check, tag};
use crate::model::{BigInt, Bytes, MAX_VALUE_BYTES, Value};
use crate::{Error, Result};

/// The bytes of `value`.
///
/// The format is [postcard 1.x](https://postcard.jamesmunns.com/wire-format) of the enum [`Value`] in
/// its order of declaration, in its one canonical form.
///
/// # Errors
/// As [`encode_value_into`].
pub fn encode_value(value: &Value) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_value_into(value, &mut bytes)?;
    Ok(bytes)
}

/// Appends the bytes of `value` to `output`.
///
/// A [`Value::Float`] that holds an integer in +-(2^53 - 1) is written as the [`Value::Int`] it
/// should have been; see [`Value::number`].
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid), naming the path, if the value breaks an invariant of
/// [`Value`], is nested deeper than [`MAX_DEPTH`](crate::model::MAX_DEPTH), or takes more than
/// [`MAX_VALUE_BYTES`]. `output` is then unchanged.
pub fn encode_value_into(value: &Value, output: &mut Vec<u8>) -> Result<()> {
    check::check(value).map_err(|flaw| Error::invalid(flaw.to_string()))?;
    let start = output.len();
    let end = start.saturating_add(MAX_VALUE_BYTES);
    let written = postcard::serialize_with_flavor(&Wire(value), Output { bytes: output, end });
    written.map_err(|error| {
        output.truncate(start);
        match error {
            postcard::Error::SerializeBufferFull => Error::invalid(format!(
                "value takes more than {} MiB when encoded; store it in several records",
                MAX_VALUE_BYTES >> 20
            )),
            other => Error::internal("a checked value could not be encoded").with_source(other),
        }
    })
}

/// Appends to a vector, up to a length.
struct Output<'a> {
    bytes: &'a mut Vec<u8>,
    end: usize,
}

impl Flavor for Output<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if bytes.len() > self.end - self.bytes.len() {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// A value in its wire form. A type of its own, so that [`Value`] makes no promise about how other
/// serde formats would see it.
struct Wire<'a>(&'a Value);

/// A buffer that serde is to write as bytes rather than as a sequence.
struct Raw<'a>(&'a [u8]);

/// A sequence of values.
struct Items<'a>(&'a [Value]);

/// The fields of an object.
struct Fields<'a>(&'a [(String, Value)]);

/// The entries of a map.
struct Entries<'a>(&'a [(Value, Value)]);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => unit(serializer, tag::NULL),
            Value::Bool(bool) => newtype(serializer, tag::BOOL, bool),
            Value::Int(int) => newtype(serializer, tag::INT, int),
            Value::Float(float) => match Value::number(*float) {
                Value::Int(int) => newtype(serializer, tag::INT, &int),
                _ => newtype(serializer, tag::FLOAT, &canonical(*float)),
            },
            Value::String(text) => newtype(serializer, tag::STRING, text.as_str()),
            Value::BigInt(BigInt { negative, magnitude }) => {
                newtype(serializer, tag::BIG_INT, &(*negative, Raw(magnitude)))
            }
            Value::Date(time) => newtype(serializer, tag::DATE, &canonical(*time)),
            Value::Bytes(Bytes { kind, data }) => {
                newtype(serializer, tag::BYTES, &(u32::from(*kind as u8), Raw(data)))
            }
            Value::Array(items) => newtype(serializer, tag::ARRAY, &Items(items)),
            Value::Object(fields) => newtype(serializer, tag::OBJECT, &Fields(fields)),
            Value::Map(entries) => newtype(serializer, tag::MAP, &Entries(entries)),
            Value::Set(items) => newtype(serializer, tag::SET, &Items(items)),
            Value::Undefined => unit(serializer, tag::UNDEFINED),
            Value::Utf16(units) => newtype(serializer, tag::UTF16, units.as_slice()),
        }
    }
}

fn unit<S: Serializer>(serializer: S, tag: u32) -> Result<S::Ok, S::Error> {
    serializer.serialize_unit_variant(ENUM, tag, VARIANTS[tag as usize])
}

fn newtype<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    tag: u32,
    content: &T,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_variant(ENUM, tag, VARIANTS[tag as usize], content)
}

fn canonical(float: f64) -> f64 {
    if float.is_nan() { CANONICAL_NAN } else { float }
}

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Wire))
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(key, value)| (key.as_str(), Wire(value))))
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(key, value)| (Wire(key), Wire(value))))
    }
}
