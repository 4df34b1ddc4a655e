//! The one value model: what a user may store, on every backend alike.

use std::fmt;

/// A user value.
///
/// It covers what the structured clone algorithm covers and a memory needs: JSON, plus dates, big
/// integers, bytes and typed arrays, maps and sets. Numbers are IEEE 754 doubles as in JavaScript.
///
/// **Invariants**
/// - A number that is an integer in ±(2^53 − 1) and not −0 is [`Value::Int`]; every other number is
///   [`Value::Float`]. So equal numbers have equal bytes.
/// - [`Value::Utf16`] is used only for strings that are not well-formed Unicode, so that a string
///   cut in the middle of a surrogate pair comes back as it went in.
/// - Object keys are unique within their object, and keep their order.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer in ±(2^53 − 1).
    Int(i64),
    /// Any other number: fractions, −0, NaN, infinities, and integers beyond 2^53.
    Float(f64),
    /// A well-formed string.
    String(String),
    /// An arbitrarily large integer.
    BigInt(BigInt),
    /// Milliseconds since the Unix epoch; NaN is an invalid date.
    Date(f64),
    /// Binary data.
    Bytes(Bytes),
    /// A list.
    Array(Vec<Self>),
    /// A plain object: string keys, in order.
    Object(Vec<(String, Self)>),
    /// A map: any keys, in order.
    Map(Vec<(Self, Self)>),
    /// A set, in order.
    Set(Vec<Self>),
    /// `undefined` as an element of an array, map or set. (Object fields that are undefined are
    /// dropped before they get here.)
    Undefined,
    /// A string that is not well-formed Unicode: its UTF-16 code units.
    Utf16(Vec<u16>),
}

/// Sign and magnitude of an arbitrarily large integer.
///
/// Canonical: the magnitude is little-endian without trailing zero bytes, and zero is not negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigInt {
    /// Whether the number is below zero.
    pub negative: bool,
    /// The absolute value, little-endian bytes, no trailing zeros.
    pub magnitude: Vec<u8>,
}

/// Binary data and the type of view it was given as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// The element type.
    pub kind: BytesKind,
    /// The elements, little-endian; the length is a multiple of the element's size.
    pub data: Vec<u8>,
}

/// The JavaScript type that a [`Bytes`] value came from and goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // the variants are the names of the ECMAScript types
pub enum BytesKind {
    Uint8Array = 0,
    ArrayBuffer = 1,
    Int8Array = 2,
    Uint8ClampedArray = 3,
    Int16Array = 4,
    Uint16Array = 5,
    Int32Array = 6,
    Uint32Array = 7,
    Float32Array = 8,
    Float64Array = 9,
    BigInt64Array = 10,
    BigUint64Array = 11,
    DataView = 12,
}

impl BytesKind {
    /// Every kind, in the order of its wire number.
    pub const ALL: [Self; 13] = [
        Self::Uint8Array,
        Self::ArrayBuffer,
        Self::Int8Array,
        Self::Uint8ClampedArray,
        Self::Int16Array,
        Self::Uint16Array,
        Self::Int32Array,
        Self::Uint32Array,
        Self::Float32Array,
        Self::Float64Array,
        Self::BigInt64Array,
        Self::BigUint64Array,
        Self::DataView,
    ];

    /// Size of one element, in bytes.
    #[must_use]
    pub const fn element_size(self) -> usize {
        match self {
            Self::Uint8Array
            | Self::ArrayBuffer
            | Self::Int8Array
            | Self::Uint8ClampedArray
            | Self::DataView => 1,
            Self::Int16Array | Self::Uint16Array => 2,
            Self::Int32Array | Self::Uint32Array | Self::Float32Array => 4,
            Self::Float64Array | Self::BigInt64Array | Self::BigUint64Array => 8,
        }
    }
}

/// Largest integer magnitude that a double holds exactly: 2^53 − 1.
pub const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// Deepest nesting of a value: a scalar has depth 0, an array of scalars 1.
pub const MAX_DEPTH: usize = 256;

/// Largest encoded value, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 << 20;

impl Value {
    /// The number `n`, as the variant that the invariant asks for.
    #[must_use]
    pub fn number(n: f64) -> Self {
        let exact = n as i64;
        let integral = exact as f64 == n && exact.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs();
        if integral && !(n == 0.0 && n.is_sign_negative()) { Self::Int(exact) } else { Self::Float(n) }
    }

    /// The value as a double, if it is a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::Float(n) => Some(*n),
            _ => None,
        }
    }

    /// The value as a string slice, if it is a well-formed string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }

    /// The field `name`, if the value is an object that has it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}0x", if self.negative { "-" } else { "" })?;
        if self.magnitude.is_empty() {
            return f.write_str("0");
        }
        self.magnitude.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
