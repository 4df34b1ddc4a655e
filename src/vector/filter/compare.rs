//! Equality and order of values, as the table in `mod.rs` states them.
//!
//! **Invariants**
//! - Numbers of all kinds are compared exactly: nothing is rounded to be compared.
//! - `order` is `Some(Equal)` only for values that are `equal`.
//! - Comparing costs time linear in the smaller value, times a logarithm where keys are out of order.

use std::cmp::Ordering;

use crate::model::{BigInt, Value};

/// Deep equality, as filters have it.
#[must_use]
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) | (Value::Date(a), Value::Date(b)) => {
            a == b || (a.is_nan() && b.is_nan())
        }
        (Value::Array(a), Value::Array(b)) | (Value::Set(a), Value::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(&a.0, &b.0) && equal(&a.1, &b.1))
        }
        (Value::Object(a), Value::Object(b)) => objects_equal(a, b),
        (Value::Null, Value::Null) | (Value::Undefined, Value::Undefined) => true,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        _ => order(a, b) == Some(Ordering::Equal),
    }
}

fn objects_equal(a: &[(String, Value)], b: &[(String, Value)]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.iter().zip(b).all(|(a, b)| a.0 == b.0) {
        return a.iter().zip(b).all(|(a, b)| equal(&a.1, &b.1));
    }
    // Keys are unique, so equal objects are equal field by field once both are sorted.
    let (mut a, mut b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
    a.sort_unstable_by_key(|(key, _)| key.as_str());
    b.sort_unstable_by_key(|(key, _)| key.as_str());
    a.iter().zip(b).all(|(a, b)| a.0 == b.0 && equal(&a.1, &b.1))
}

/// How two values of one ordered type stand. `None` for different types, types without an order, and
/// where NaN is involved.
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            // An Int is within 2^53, so its double is exact.
            a.as_f64()?.partial_cmp(&b.as_f64()?)
        }
        (Value::BigInt(a), Value::BigInt(b)) => Some(order_integers(a, b)),
        (Value::BigInt(a), Value::Int(_) | Value::Float(_)) => order_to_double(a, b.as_f64()?),
        (Value::Int(_) | Value::Float(_), Value::BigInt(b)) => {
            order_to_double(b, a.as_f64()?).map(Ordering::reverse)
        }
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)), // the byte order of UTF-8 is that of code points
        (Value::String(a), Value::Utf16(b)) => Some(a.chars().map(u32::from).cmp(code_points(b))),
        (Value::Utf16(a), Value::String(b)) => Some(code_points(a).cmp(b.chars().map(u32::from))),
        (Value::Utf16(a), Value::Utf16(b)) => Some(code_points(a).cmp(code_points(b))),
        (Value::Date(a), Value::Date(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Code points of UTF-16, a lone surrogate being one of its own.
fn code_points(units: &[u16]) -> impl Iterator<Item = u32> + '_ {
    char::decode_utf16(units.iter().copied())
        .map(|unit| unit.map_or_else(|lone| u32::from(lone.unpaired_surrogate()), u32::from))
}

fn order_integers(a: &BigInt, b: &BigInt) -> Ordering {
    match (a.negative, b.negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => order_magnitudes(&a.magnitude, &b.magnitude),
        (true, true) => order_magnitudes(&b.magnitude, &a.magnitude),
    }
}

/// Orders little-endian magnitudes without trailing zeros.
fn order_magnitudes(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// Orders an integer and a double exactly: first by integer parts, then by the fraction.
fn order_to_double(integer: &BigInt, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double.is_infinite() {
        return Some(if double > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let fraction = double.fract();
    let by_integer = order_integers(integer, &integer_part(double));
    Some(by_integer.then_with(|| if fraction == 0.0 { Ordering::Equal } else { 0.0f64.total_cmp(&fraction) }))
}

/// A finite double without its fraction.
fn integer_part(double: f64) -> BigInt {
    let truncated = double.trunc();
    let bits = truncated.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1075;
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    let mut magnitude = if truncated == 0.0 {
        Vec::new()
    } else if exponent <= 0 {
        // Whole, so the bits that are shifted out are zero.
        (mantissa >> -exponent).to_le_bytes().to_vec()
    } else {
        let mut bytes = vec![0; exponent as usize / 8];
        bytes.extend_from_slice(&(mantissa << (exponent % 8)).to_le_bytes());
        bytes
    };
    while magnitude.last() == Some(&0) {
        magnitude.pop();
    }
    BigInt { negative: truncated < 0.0, magnitude }
}
