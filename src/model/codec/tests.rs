//! The codec against rules, hostile bytes and its own inverse. The bytes themselves are held by
//! `tests/golden_values.rs`.

use super::*;
use crate::model::{BigInt, Bytes, BytesKind, MAX_DEPTH, MAX_SAFE_INTEGER, MAX_VALUE_BYTES, Value};
use crate::{Error, ErrorKind};

fn refused(value: &Value) -> Error {
    let mut output = vec![7, 8];
    let error = encode_value_into(value, &mut output).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(output, [7, 8], "nothing is written");
    error
}

fn corrupt(bytes: &[u8]) -> Error {
    let error = decode_value(bytes).expect_err("corrupt");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    error
}

fn object(fields: &[(&str, Value)]) -> Value {
    Value::Object(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

/// A container around a value, by every way that leads into one.
fn wrappers() -> [fn(Value) -> Value; 5] {
    [
        |value| Value::Array(vec![value]),
        |value| Value::Object(vec![("k".into(), value)]),
        |value| Value::Map(vec![(Value::Null, value)]),
        |value| Value::Map(vec![(value, Value::Null)]),
        |value| Value::Set(vec![value]),
    ]
}

fn nested(wrap: fn(Value) -> Value, depth: usize) -> Value {
    (0..depth).fold(Value::Int(1), |value, _| wrap(value))
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn the_greatest_depth_fits_the_stack_and_no_more_is_taken() {
    for wrap in wrappers() {
        let deepest = nested(wrap, MAX_DEPTH);
        let bytes = encode_value(&deepest).expect("encodes");
        assert_eq!(decode_value(&bytes).expect("decodes"), deepest);

        let error = refused(&wrap(deepest));
        assert!(error.message().contains("nested deeper than 256"), "{error}");
    }
    // The heads of the same containers without an end: only the depth can stop the decoder.
    let heads: [&[u8]; 5] = [&[8, 1], &[9, 1, 1, b'k'], &[10, 1, 0], &[10, 1], &[11, 1]];
    for head in heads {
        let error = corrupt(&head.repeat(100_000));
        assert!(error.message().contains("nested too deeply"), "{error}");
        let error = corrupt(&head.repeat(MAX_DEPTH));
        assert!(!error.message().contains("nested"), "{error}");
    }
}

#[test]
fn depth_is_refused_before_the_stack_ends() {
    // Leaked: dropping it would recurse as deep.
    let deep = std::mem::ManuallyDrop::new(nested(|value| Value::Array(vec![value]), 1_000_000));
    let error = refused(&deep);
    assert!(error.message().starts_with(&format!("value{} is nested", "[0]".repeat(MAX_DEPTH))), "{error}");
}

#[test]
fn an_error_names_the_path() {
    let bad = Value::Int(i64::MAX);
    let map = |key, value| Value::Map(vec![(Value::Null, Value::Null), (key, value)]);
    let cases = [
        (bad.clone(), "value is"),
        (object(&[("a", object(&[("b", Value::Array(vec![Value::Null, bad.clone()]))]))]), "value.a.b[1] is"),
        (map(Value::Bool(true), bad.clone()), "value.m<value 1> is"),
        (map(bad.clone(), Value::Null), "value.m<key 1> is"),
        (Value::Set(vec![Value::Null, Value::Bool(true), bad.clone()]), "value.s<2> is"),
        (object(&[("odd key", bad.clone())]), "value[\"odd key\"] is"),
        (object(&[("", bad.clone())]), "value[\"\"] is"),
        (object(&[("1a", bad.clone())]), "value[\"1a\"] is"),
        (object(&[("_$1", bad.clone())]), "value._$1 is"),
        (object(&[("q\"\\\n\u{1}\u{e9}", bad.clone())]), "value[\"q\\\"\\\\\\n\\u0001\u{e9}\"] is"),
        (object(&[(&"x".repeat(65), bad.clone())]), &format!("value[\"{}...\"] is", "x".repeat(64))),
    ];
    for (value, expected) in &cases {
        let error = refused(value);
        assert!(error.message().starts_with(expected), "{error} should start with {expected}");
    }
}

#[test]
fn what_breaks_an_invariant_is_neither_written_nor_read() {
    let bytes = |kind, length| Value::Bytes(Bytes { kind, data: vec![0; length] });
    let int = |value| Value::Array(vec![Value::Int(value)]);
    let set = |items: &[Value]| Value::Set(items.to_vec());
    let many: Vec<(String, Value)> = (0..40).map(|n| (format!("k{}", n % 39), Value::Null)).collect();
    let cases: Vec<(Value, Option<&[u8]>)> = vec![
        (Value::Undefined, Some(&[12])),
        (object(&[("a", Value::Undefined)]), Some(&[9, 1, 1, b'a', 12])),
        (int(MAX_SAFE_INTEGER + 1), Some(&[8, 1, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20])),
        (int(-MAX_SAFE_INTEGER - 1), Some(&[8, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f])),
        (int(i64::MIN), Some(&[8, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])),
        (Value::BigInt(BigInt { negative: true, magnitude: vec![] }), Some(&[5, 1, 0])),
        (Value::BigInt(BigInt { negative: false, magnitude: vec![0] }), Some(&[5, 0, 1, 0])),
        (Value::BigInt(BigInt { negative: false, magnitude: vec![1, 0] }), Some(&[5, 0, 2, 1, 0])),
        (Value::Date(0.5), None),
        (Value::Date(-0.0), Some(&[6, 0, 0, 0, 0, 0, 0, 0, 0x80])),
        (Value::Date(8.64e15 + 1.0), None),
        (Value::Date(f64::INFINITY), None),
        (bytes(BytesKind::Int16Array, 3), Some(&[7, 4, 3, 0, 0, 0])),
        (bytes(BytesKind::Float64Array, 12), None),
        (Value::Utf16(vec![]), Some(&[13, 0])),
        (Value::Utf16(vec![0x61]), Some(&[13, 1, 0x61])),
        (Value::Utf16(vec![0xd83d, 0xde00]), Some(&[13, 2, 0xbd, 0xb0, 0x03, 0x80, 0xbc, 0x03])),
        (object(&[("a", Value::Null), ("b", Value::Null), ("a", Value::Null)]), None),
        (Value::Object(many), None),
        (Value::Map(vec![(Value::Int(1), Value::Null), (Value::Int(1), Value::Null)]), None),
        (set(&[Value::Float(f64::NAN), Value::Null, Value::Float(f64::NAN)]), None),
        (
            set(&[Value::String("a".into()), Value::String("a".into())]),
            Some(&[11, 2, 4, 1, b'a', 4, 1, b'a']),
        ),
        (set(&[Value::Float(-0.0)]), Some(&[11, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0x80])),
    ];
    for (value, wire) in cases {
        refused(&value);
        if let Some(wire) = wire {
            corrupt(wire);
        }
    }
}

#[test]
fn things_without_identity_of_value_may_be_in_a_set_twice() {
    let date = Value::Date(0.0);
    let buffer = Value::Bytes(Bytes { kind: BytesKind::Uint8Array, data: vec![1] });
    let list = Value::Array(vec![]);
    let value = Value::Set(vec![date.clone(), date, buffer.clone(), buffer, list.clone(), list]);
    assert_eq!(decode_value(&encode_value(&value).expect("encodes")).expect("decodes"), value);
}

#[test]
fn the_wire_is_canonical() {
    // A float that should have been an integer is written as one, and refused when read.
    assert_eq!(encode_value(&Value::Float(1.0)).expect("encodes"), [2, 2]);
    corrupt(&[3, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    // One NaN.
    let nan = f64::from_bits(0xfff8_0000_0000_0001);
    for value in [Value::Float(nan), Value::Date(nan)] {
        let bytes = encode_value(&value).expect("encodes");
        assert_eq!(bytes[1..], [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
    }
    corrupt(&[3, 1, 0, 0, 0, 0, 0, 0xf8, 0xff]);
    corrupt(&[6, 1, 0, 0, 0, 0, 0, 0xf8, 0xff]);
    // Varints that are longer than they need be: a tag, a number, a count, a code unit.
    for overlong in [&[0x80, 0x00][..], &[2, 0x82, 0x00], &[4, 0x80, 0x00], &[13, 1, 0x80, 0xb0, 0x83, 0x00]]
    {
        let error = corrupt(overlong);
        assert!(error.message().contains("shortest form"), "{error}");
    }
}

#[test]
fn malformed_bytes_name_their_position() {
    let cases: &[(&[u8], &str)] = &[
        (&[], "before byte 0"),
        (&[14], "tag is unknown, before byte 1"),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f], "tag is unknown"),
        (&[0xff; 11], "variable-length integer"),
        (&[1, 2], "a boolean"),
        (&[3, 0, 0], "end too early"),
        (&[4, 2, b'a'], "end too early"),
        (&[4, 2, 0xc3, 0x28], "not UTF-8, before byte 4"),
        (&[4, 3, 0xed, 0xa0, 0x80], "not UTF-8"),
        (&[9, 1, 1, 0xff, 0], "not UTF-8"),
        (&[7, 13, 0], "unknown kind"),
        (&[8, 3, 0, 0], "longer than the bytes"),
        (&[8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], "longer than the bytes"),
        (&[13, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], "longer than the bytes"),
        (&[13, 1, 0xff, 0xff, 0x7f], "variable-length integer"),
        (&[4, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], "end too early"),
        (&[0, 0], "ends at byte 1, but 1 more"),
        (&[8, 1, 9, 2, 1, b'a', 0, 1, b'a', 0], "value[0].a is there twice"),
    ];
    for (bytes, expected) in cases {
        let error = corrupt(bytes);
        assert!(error.message().contains(expected), "{error} should contain {expected}");
    }
}

#[test]
fn a_value_may_be_64_mib_and_no_more() {
    // Tag, kind and a count of four bytes stand before the data.
    let sized = |length| Value::Bytes(Bytes { kind: BytesKind::Uint8Array, data: vec![1; length] });
    let largest = sized(MAX_VALUE_BYTES - 6);
    let bytes = encode_value(&largest).expect("encodes");
    assert_eq!(bytes.len(), MAX_VALUE_BYTES);
    assert_eq!(decode_value(&bytes).expect("decodes"), largest);
    assert!(refused(&sized(MAX_VALUE_BYTES - 5)).message().contains("64 MiB"));
    corrupt(&vec![0; MAX_VALUE_BYTES + 1]);
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough to make bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below bound")
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn text(&mut self) -> String {
        let length = self.below(12);
        (0..length).map(|_| char::from_u32(self.below(0x11_0000) as u32).unwrap_or('a')).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        let count = self.below(5);
        match self.below(if depth == 0 { 9 } else { 13 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 1),
            2 => Value::Int(
                (self.next() >> (11 + self.below(52))) as i64 * if self.below(2) == 1 { -1 } else { 1 },
            ),
            3 => Value::number(f64::from_bits(self.next())),
            4 => Value::String(self.text()),
            5 => {
                let mut magnitude = self.bytes(20);
                while magnitude.last() == Some(&0) {
                    magnitude.pop();
                }
                Value::BigInt(BigInt { negative: !magnitude.is_empty() && self.below(2) == 1, magnitude })
            }
            6 => Value::Date((self.next() >> 14) as f64),
            7 => {
                let kind = BytesKind::ALL[self.below(BytesKind::ALL.len())];
                let mut data = self.bytes(40);
                data.truncate(data.len() / kind.element_size() * kind.element_size());
                Value::Bytes(Bytes { kind, data })
            }
            8 => Value::Utf16(vec![0xd800 + self.below(0x400) as u16, self.below(0xd800) as u16]),
            9 => Value::Array((0..count).map(|_| self.value(depth - 1)).collect()),
            10 => Value::Object(
                (0..count).map(|n| (format!("{n}{}", self.text()), self.value(depth - 1))).collect(),
            ),
            11 => {
                let entries =
                    (0..count).map(|n| (Value::Array(vec![Value::Int(n as i64)]), self.value(depth - 1)));
                Value::Map(entries.collect())
            }
            _ => Value::Set((0..count).map(|_| Value::Array(vec![self.value(depth - 1)])).collect()),
        }
    }
}

#[test]
fn values_come_back_and_mutated_bytes_do_no_harm() {
    let seed = 0x5eed_0001;
    eprintln!("seed {seed:#x}");
    let mut random = Random(seed);
    let mut accepted = 0;
    for _ in 0..4_000 {
        let value = random.value(4);
        let bytes = encode_value(&value).expect("encodes");
        // Compared by their debug text, in which a NaN equals itself.
        let back = decode_value(&bytes).expect("decodes");
        assert_eq!(format!("{back:?}"), format!("{value:?}"));

        let mut mutated = bytes.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(mutated.len());
            match random.below(3) {
                0 => mutated[at] ^= 1 << random.below(8),
                1 => mutated[at] = random.next() as u8,
                _ => mutated.truncate(at + 1),
            }
        }
        for hostile in [mutated, random.bytes(64)] {
            match decode_value(&hostile) {
                // One value, one encoding: what is accepted is what would have been written.
                Ok(value) => {
                    assert_eq!(encode_value(&value).expect("encodes"), hostile);
                    accepted += 1;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
            }
        }
    }
    assert!(accepted > 100, "the mutations reach into values: {accepted}");
}
