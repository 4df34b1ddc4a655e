//! The invariants of [`Value`] that its types do not hold by themselves.
//!
//! **Invariants**
//! - One set of rules for both directions: the encoder refuses what the decoder would refuse.
//! - The recursion ends at [`MAX_DEPTH`], however deep the value is.
//! - No rule costs more than O(n log n), whatever the keys.

use std::fmt;

use crate::model::{BigInt, Bytes, MAX_DEPTH, MAX_SAFE_INTEGER, Value, heap_sort_by};

/// The furthest that an ECMAScript time value may be from the epoch, in milliseconds (ECMA-262,
/// section "Time Values and Time Range").
const MAX_TIME_MS: f64 = 8.64e15;

/// Up to this many keys are compared pair by pair, which is faster than sorting them.
const FEW_KEYS: usize = 8;

/// Checks `value` and everything in it.
pub(super) fn check(value: &Value) -> Result<(), Box<Flaw<'_>>> {
    if matches!(value, Value::Undefined) {
        return Err(Flaw::new("is undefined, which only an element of a list can be; use null"));
    }
    check_at(value, 0)
}

fn check_at(value: &Value, depth: usize) -> Result<(), Box<Flaw<'_>>> {
    match value {
        Value::Array(items) => each(items, inside(depth)?, Step::Index),
        Value::Set(items) => {
            unique_keys(items.iter(), items.len(), Step::Element)?;
            each(items, inside(depth)?, Step::Element)
        }
        Value::Object(fields) => {
            let depth = inside(depth)?;
            if let Some(key) = repeated(fields.iter().map(|(key, _)| key.as_str()), fields.len()) {
                return Err(
                    Flaw::new("is there twice in its object; keep one of the two").at(Step::Field(key))
                );
            }
            fields.iter().try_for_each(|(key, value)| {
                let checked = match value {
                    Value::Undefined => {
                        Err(Flaw::new("is undefined, which a field can not be; leave it out or use null"))
                    }
                    value => check_at(value, depth),
                };
                checked.map_err(|flaw| flaw.at(Step::Field(key)))
            })
        }
        Value::Map(entries) => {
            let depth = inside(depth)?;
            unique_keys(entries.iter().map(|(key, _)| key), entries.len(), Step::MapKey)?;
            entries.iter().enumerate().try_for_each(|(index, (key, value))| {
                check_at(key, depth).map_err(|flaw| flaw.at(Step::MapKey(index)))?;
                check_at(value, depth).map_err(|flaw| flaw.at(Step::MapValue(index)))
            })
        }
        scalar => check_scalar(scalar).map_or(Ok(()), |flaw| Err(Flaw::new(flaw))),
    }
}

fn check_scalar(value: &Value) -> Option<&'static str> {
    match value {
        Value::Int(int) if int.unsigned_abs() > MAX_SAFE_INTEGER.unsigned_abs() => {
            Some("is an integer beyond +-(2^53 - 1); use a BigInt")
        }
        Value::BigInt(BigInt { magnitude, .. }) if magnitude.last() == Some(&0) => {
            Some("is a BigInt whose magnitude ends in a zero byte; remove it")
        }
        Value::BigInt(BigInt { negative: true, magnitude }) if magnitude.is_empty() => {
            Some("is a BigInt that is zero and negative; clear the sign")
        }
        Value::Date(time) if !is_time(*time) => Some(
            "is a date that is neither whole milliseconds in +-8.64e15 nor NaN; round it, and use 0 for -0",
        ),
        Value::Bytes(Bytes { kind, data }) if data.len() % kind.element_size() != 0 => {
            Some("is binary data whose length is not a multiple of its element size; pad or cut it")
        }
        Value::Utf16(units) if char::decode_utf16(units.iter().copied()).all(|unit| unit.is_ok()) => {
            Some("is a well-formed string in the form for malformed ones; use a String")
        }
        _ => None,
    }
}

fn is_time(time: f64) -> bool {
    let negative_zero = time == 0.0 && time.is_sign_negative();
    time.is_nan() || (time.abs() <= MAX_TIME_MS && time.trunc() == time && !negative_zero)
}

/// The depth within a container at `depth`.
fn inside<'v>(depth: usize) -> Result<usize, Box<Flaw<'v>>> {
    if depth == MAX_DEPTH {
        return Err(Flaw::new("is nested deeper than 256 levels; flatten it"));
    }
    Ok(depth + 1)
}

fn each(items: &[Value], depth: usize, step: fn(usize) -> Step<'static>) -> Result<(), Box<Flaw<'_>>> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| check_at(item, depth).map_err(|flaw| flaw.at(step(index))))
}

/// A key of a map or element of a set, under SameValueZero of ECMA-262: primitives are the same if
/// they are equal (NaN too), everything else is the same only as itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Primitive<'v> {
    Null,
    Undefined,
    Bool(bool),
    Int(i64),
    Float(u64),
    String(&'v str),
    BigInt(bool, &'v [u8]),
    Utf16(&'v [u16]),
}

fn primitive(value: &Value) -> Option<Primitive<'_>> {
    Some(match value {
        Value::Null => Primitive::Null,
        Value::Undefined => Primitive::Undefined,
        Value::Bool(bool) => Primitive::Bool(*bool),
        Value::Int(int) => Primitive::Int(*int),
        Value::Float(float) => match Value::number(*float) {
            Value::Int(int) => Primitive::Int(int),
            _ if float.is_nan() => Primitive::Float(super::CANONICAL_NAN.to_bits()),
            _ => Primitive::Float(float.to_bits()),
        },
        Value::String(text) => Primitive::String(text),
        Value::BigInt(BigInt { negative, magnitude }) => Primitive::BigInt(*negative, magnitude),
        Value::Utf16(units) => Primitive::Utf16(units),
        _ => return None,
    })
}

/// Checks that the keys could all be in one ECMAScript map or set.
fn unique_keys<'v>(
    keys: impl Iterator<Item = &'v Value> + Clone,
    count: usize,
    step: fn(usize) -> Step<'static>,
) -> Result<(), Box<Flaw<'v>>> {
    let negative_zero =
        |key: &Value| matches!(key, Value::Float(float) if *float == 0.0 && float.is_sign_negative());
    if let Some(index) = keys.clone().position(negative_zero) {
        return Err(Flaw::new("is -0, which a map or set holds as 0; use 0").at(step(index)));
    }
    if let Some(twice) = repeated(keys.clone().filter_map(primitive), count) {
        let index = keys.enumerate().filter(|(_, key)| primitive(key) == Some(twice)).nth(1);
        let index = index.map_or(0, |(index, _)| index);
        return Err(Flaw::new("is in its map or set twice; keep one of the two").at(step(index)));
    }
    Ok(())
}

/// A key that comes twice, if any does.
fn repeated<K: Ord + Copy>(keys: impl Iterator<Item = K> + Clone, count: usize) -> Option<K> {
    if count <= FEW_KEYS {
        let mut rest = keys;
        while let Some(key) = rest.next() {
            if rest.clone().any(|other| other == key) {
                return Some(key);
            }
        }
        return None;
    }
    // Sorted rather than hashed: chosen keys can not make it slow.
    let mut sorted: Vec<K> = keys.collect();
    heap_sort_by(&mut sorted, K::cmp);
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// One step from a container to what is in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'v> {
    Field(&'v str),
    Index(usize),
    MapKey(usize),
    MapValue(usize),
    Element(usize),
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Flaw<'v> {
    message: &'static str,
    /// Innermost first.
    path: Vec<Step<'v>>,
}

impl<'v> Flaw<'v> {
    fn new(message: &'static str) -> Box<Self> {
        Box::new(Self { message, path: Vec::new() })
    }

    fn at(mut self: Box<Self>, step: Step<'v>) -> Box<Self> {
        self.path.push(step);
        self
    }
}

impl fmt::Display for Flaw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("value")?;
        self.path.iter().rev().try_for_each(|step| step.fmt(f))?;
        write!(f, " {}", self.message)
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(key) if is_identifier(key) => write!(f, ".{key}"),
            Self::Field(key) => write_quoted(f, key),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::MapKey(index) => write!(f, ".m<key {index}>"),
            Self::MapValue(index) => write!(f, ".m<value {index}>"),
            Self::Element(index) => write!(f, ".s<{index}>"),
        }
    }
}

/// Longest key that a path shows in full, in code points.
const SHOWN_KEY_CHARS: usize = 64;

fn is_identifier(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    key.len() <= SHOWN_KEY_CHARS
        && key.bytes().all(plain)
        && key.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Writes `["key"]`, quoted as JSON does and cut if it is long.
fn write_quoted(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    f.write_str("[\"")?;
    for char in key.chars().take(SHOWN_KEY_CHARS) {
        match char {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            '\0'..='\u{1f}' => write!(f, "\\u{:04x}", u32::from(char))?,
            other => write!(f, "{other}")?,
        }
    }
    let cut = key.chars().nth(SHOWN_KEY_CHARS).is_some();
    f.write_str(if cut { "...\"]" } else { "\"]" })
}
