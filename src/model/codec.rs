//! The bytes of a [`Value`]: what stands in a record's payload and crosses the JS boundary.
//!
//! # Format
//! [postcard 1.x](https://postcard.jamesmunns.com/wire-format) of the enum [`Value`] in its order of
//! declaration: a varint tag, then the content.
//!
//! | Tag | Variant | Content |
//! |----:|---------|---------|
//! | 0 | `Null` | nothing |
//! | 1 | `Bool` | one byte, 0 or 1 |
//! | 2 | `Int` | zigzag varint |
//! | 3 | `Float` | IEEE 754 double, 8 bytes little-endian |
//! | 4 | `String` | varint count of bytes, UTF-8 |
//! | 5 | `BigInt` | one byte: 1 if negative; varint count, magnitude little-endian |
//! | 6 | `Date` | IEEE 754 double, 8 bytes little-endian |
//! | 7 | `Bytes` | varint kind; varint count of bytes, data |
//! | 8 | `Array` | varint count, values |
//! | 9 | `Object` | varint count, pairs of string and value |
//! | 10 | `Map` | varint count, pairs of values |
//! | 11 | `Set` | varint count, values |
//! | 12 | `Undefined` | nothing |
//! | 13 | `Utf16` | varint count of code units, each a varint |
//!
//! **Invariants**
//! - One value has one encoding: varints are of the shortest form, numbers are `Int` where they can
//!   be, NaN has the bits `0x7ff8_0000_0000_0000`. [`decode_value`] accepts nothing else, so what it
//!   accepts encodes to the same bytes again.
//! - [`encode_value`] makes nothing that [`decode_value`] refuses, on either side of the JS boundary.
//! - Decoding takes hostile bytes: the depth of the recursion is bounded by
//!   [`MAX_DEPTH`](super::MAX_DEPTH), and memory is reserved only for elements whose bytes are there.

mod check;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use decode::decode_value;
pub use encode::{encode_value, encode_value_into};

/// The tags of the variants, as on the wire.
mod tag {
    pub(super) const NULL: u32 = 0;
    pub(super) const BOOL: u32 = 1;
    pub(super) const INT: u32 = 2;
    pub(super) const FLOAT: u32 = 3;
    pub(super) const STRING: u32 = 4;
    pub(super) const BIG_INT: u32 = 5;
    pub(super) const DATE: u32 = 6;
    pub(super) const BYTES: u32 = 7;
    pub(super) const ARRAY: u32 = 8;
    pub(super) const OBJECT: u32 = 9;
    pub(super) const MAP: u32 = 10;
    pub(super) const SET: u32 = 11;
    pub(super) const UNDEFINED: u32 = 12;
    pub(super) const UTF16: u32 = 13;
}

/// The names that serde asks for. Postcard does not write them.
const ENUM: &str = "Value";
const VARIANTS: &[&str] = &[
    "Null",
    "Bool",
    "Int",
    "Float",
    "String",
    "BigInt",
    "Date",
    "Bytes",
    "Array",
    "Object",
    "Map",
    "Set",
    "Undefined",
    "Utf16",
];

/// The one NaN on the wire, so that equal values have equal bytes on every engine.
const CANONICAL_NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0000);
