//! The bytes of values, held fixed: what one release writes, every later one reads, on both sides of
//! the JS boundary. `tests/js/value.test.ts` holds the TypeScript codec to the same files.
//!
//! **Invariants**
//! - `values.json` lists bytes that decode to the value below of the same name and encode from it.
//! - `corrupt.json` lists bytes that no encoder makes; each is refused as corrupt.
//! - An entry is never changed once it was released. New ones may be added.

#![allow(clippy::expect_used, clippy::panic)]

use mnemora::ErrorKind;
use mnemora::model::{BigInt, Bytes, BytesKind, Value, decode_value, encode_value};

const VALUES: &str = include_str!("golden/values/values.json");
const CORRUPT: &str = include_str!("golden/values/corrupt.json");

/// The name and the bytes of each entry. The files have one entry a line, and neither name nor
/// hexadecimal digits need escapes.
fn entries(json: &'static str) -> Vec<(&'static str, Vec<u8>)> {
    let text = |line: &'static str, field: &str| {
        let start = line.find(&format!("\"{field}\": \"")).expect("the field is there") + field.len() + 5;
        let length = line[start..].find('"').expect("the text ends");
        &line[start..start + length]
    };
    let lines = json.lines().filter(|line| line.trim() != "[" && line.trim() != "]");
    lines
        .map(|line| {
            let hex = text(line, "hex");
            assert_eq!(hex.len() % 2, 0, "{line}");
            let bytes =
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
            (text(line, "name"), bytes.collect())
        })
        .collect()
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn big(negative: bool, magnitude: &[u8]) -> Value {
    Value::BigInt(BigInt { negative, magnitude: magnitude.to_vec() })
}

fn bytes(kind: BytesKind, data: &[u8]) -> Value {
    Value::Bytes(Bytes { kind, data: data.to_vec() })
}

fn array(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

fn object<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
    Value::Object(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn map(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn numbers() -> Vec<(&'static str, Value)> {
    let safe = (1i64 << 53) - 1;
    vec![
        ("int-zero", Value::Int(0)),
        ("int-one", Value::Int(1)),
        ("int-minus-one", Value::Int(-1)),
        ("int-63", Value::Int(63)),
        ("int-64", Value::Int(64)),
        ("int-minus-64", Value::Int(-64)),
        ("int-minus-65", Value::Int(-65)),
        ("int-300", Value::Int(300)),
        ("int-2-31", Value::Int(1 << 31)),
        ("int-minus-2-31", Value::Int(-(1 << 31))),
        ("int-2-32", Value::Int(1 << 32)),
        ("int-time", Value::Int(1_763_630_000_000)),
        ("int-max-safe", Value::Int(safe)),
        ("int-min-safe", Value::Int(-safe)),
        ("float-half", Value::Float(0.5)),
        ("float-minus-third", Value::Float(-1.0 / 3.0)),
        ("float-minus-zero", Value::Float(-0.0)),
        ("float-nan", Value::Float(f64::NAN)),
        ("float-infinity", Value::Float(f64::INFINITY)),
        ("float-minus-infinity", Value::Float(f64::NEG_INFINITY)),
        ("float-2-53", Value::Float(9_007_199_254_740_992.0)),
        ("float-max", Value::Float(f64::MAX)),
        ("float-min", Value::Float(5e-324)),
        ("bigint-zero", big(false, &[])),
        ("bigint-one", big(false, &[1])),
        ("bigint-minus-one", big(true, &[1])),
        ("bigint-255", big(false, &[255])),
        ("bigint-256", big(false, &[0, 1])),
        ("bigint-2-64", big(false, &[0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("bigint-minus-2-64", big(true, &[0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("bigint-2-200", {
            let mut magnitude = [0; 26];
            magnitude[..2].copy_from_slice(&12_345u16.to_le_bytes());
            magnitude[25] = 1;
            big(false, &magnitude)
        }),
        ("date-epoch", Value::Date(0.0)),
        ("date-2025", Value::Date(1_763_630_000_123.0)),
        ("date-before-epoch", Value::Date(-1.0)),
        ("date-max", Value::Date(8.64e15)),
        ("date-invalid", Value::Date(f64::NAN)),
    ]
}

fn texts_and_bytes() -> Vec<(&'static str, Value)> {
    use BytesKind as Kind;
    vec![
        ("string-empty", string("")),
        ("string-ascii", string("hello")),
        ("string-two-byte", string("\u{e9}")),
        ("string-three-byte", string("\u{20ac}")),
        ("string-four-byte", string("\u{1f600}")),
        ("string-nul", string("a\0b")),
        ("string-bom", string("\u{feff}x")),
        ("string-around-surrogates", string("\u{d7ff}\u{e000}\u{ffff}")),
        ("string-127", string(&"x".repeat(127))),
        ("string-128", string(&"x".repeat(128))),
        ("string-longer-in-utf8", string(&"\u{fc}".repeat(100))),
        ("string-long-mixed", string(&format!("{}\u{1f600}{}", "a".repeat(5000), "\u{20ac}".repeat(10)))),
        ("utf16-high", Value::Utf16(vec![0xd800])),
        ("utf16-low-inside", Value::Utf16(vec![0x61, 0xdc00, 0x62])),
        ("utf16-reversed", Value::Utf16(vec![0xdc00, 0xd800])),
        ("bytes-empty", bytes(Kind::Uint8Array, &[])),
        ("bytes-uint8", bytes(Kind::Uint8Array, &[0, 1, 127, 128, 255])),
        ("bytes-200", bytes(Kind::Uint8Array, &(0..200).collect::<Vec<u8>>())),
        ("bytes-array-buffer", bytes(Kind::ArrayBuffer, &[1, 2, 3])),
        ("bytes-int8", bytes(Kind::Int8Array, &[255, 127])),
        ("bytes-uint8-clamped", bytes(Kind::Uint8ClampedArray, &[0, 255])),
        ("bytes-int16", bytes(Kind::Int16Array, &[0xfe, 0xff, 44, 1])),
        ("bytes-uint16", bytes(Kind::Uint16Array, &[1, 0, 255, 255])),
        ("bytes-int32", bytes(Kind::Int32Array, &[255, 255, 255, 255, 255, 255, 255, 127])),
        ("bytes-uint32", bytes(Kind::Uint32Array, &[255; 4])),
        ("bytes-float32", bytes(Kind::Float32Array, &floats(&[1.5, -0.0]))),
        (
            "bytes-float64",
            bytes(Kind::Float64Array, &[0.1f64.to_le_bytes(), f64::NEG_INFINITY.to_le_bytes()].concat()),
        ),
        ("bytes-bigint64", bytes(Kind::BigInt64Array, &[255; 8])),
        ("bytes-biguint64", bytes(Kind::BigUint64Array, &[255; 8])),
        ("bytes-data-view", bytes(Kind::DataView, &[9, 8])),
    ]
}

fn containers() -> Vec<(&'static str, Value)> {
    let int = Value::Int;
    vec![
        ("null", Value::Null),
        ("true", Value::Bool(true)),
        ("false", Value::Bool(false)),
        ("array-empty", array([])),
        ("array-mixed", array([int(1), string("a"), Value::Null, Value::Bool(true)])),
        ("array-undefined", array([Value::Undefined, int(1), Value::Undefined])),
        ("array-nested", array([array([]), array([array([int(7)])])])),
        ("array-200", array((0..200).map(int))),
        ("array-depth-256", (0..255).fold(array([]), |inner, _| array([inner]))),
        ("object-empty", object::<&str>([])),
        ("object-order", object([("b", int(1)), ("a", int(2))])),
        ("object-nested", object([("a", object([("b", array([object([("c", Value::Null)])]))]))])),
        (
            "object-odd-keys",
            object([
                ("", int(1)),
                ("odd key", int(2)),
                ("\u{fc}", int(3)),
                ("constructor", int(4)),
                ("toString", int(5)),
            ]),
        ),
        ("object-proto", object([("__proto__", object([("polluted", Value::Bool(true))])), ("x", int(1))])),
        ("object-200", object((0..200).map(|n| (format!("k{n}"), int(n))))),
        ("map-empty", map([])),
        ("map-strings", map([(string("a"), int(1)), (string("b"), int(2))])),
        (
            "map-any-keys",
            map([
                (Value::Null, Value::Undefined),
                (Value::Float(f64::NAN), int(1)),
                (array([int(1)]), string("list")),
                (Value::Undefined, Value::Null),
                (Value::Bool(false), Value::Date(0.0)),
            ]),
        ),
        ("set-empty", Value::Set(vec![])),
        (
            "set-mixed",
            Value::Set(vec![int(1), string("1"), big(false, &[1]), Value::Undefined, object::<&str>([])]),
        ),
        (
            "agent-state",
            object([
                ("id", string("agent-123")),
                ("status", string("active")),
                ("lastUpdated", Value::Date(1_763_630_000_000.0)),
                ("goals", array([string("find sources"), string("draft")])),
                ("cost", Value::Float(0.0421)),
                ("tokens", int(18_234)),
                ("memory", map([(string("guest"), object([("confidence", Value::Float(0.5))]))])),
                ("embedding", bytes(BytesKind::Float32Array, &floats(&[0.25, -1.0, 3.0]))),
            ]),
        ),
    ]
}

#[test]
fn every_value_has_the_bytes_it_always_had() {
    let expected: Vec<_> = [numbers(), texts_and_bytes(), containers()].concat();
    let golden = entries(VALUES);
    assert!(golden.len() >= 60, "{} entries", golden.len());
    for (name, bytes) in &golden {
        let (_, value) =
            expected.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} is unknown"));
        let decoded = decode_value(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        // By debug text, in which a NaN equals itself and -0 differs from 0.
        assert_eq!(format!("{decoded:?}"), format!("{value:?}"), "{name}");
        assert_eq!(&encode_value(value).unwrap_or_else(|error| panic!("{name}: {error}")), bytes, "{name}");
    }
    for (name, _) in &expected {
        assert_eq!(
            golden.iter().filter(|(known, _)| known == name).count(),
            1,
            "{name} stands once in the file"
        );
    }
}

#[test]
fn bytes_that_no_encoder_makes_are_corrupt() {
    let corrupt = entries(CORRUPT);
    assert!(corrupt.len() >= 50, "{} entries", corrupt.len());
    for (name, bytes) in corrupt {
        match decode_value(&bytes) {
            Ok(value) => panic!("{name} was read as {value:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}"),
        }
    }
}

#[test]
fn every_cut_of_every_value_is_corrupt() {
    for (name, bytes) in entries(VALUES) {
        for length in 0..bytes.len() {
            assert!(decode_value(&bytes[..length]).is_err(), "{name} cut to {length} bytes");
        }
    }
}
