//! Values as natural JSON, and in a tagged form where JSON has no word for them.
//!
//! | value | JSON |
//! |---|---|
//! | null, boolean, string, array, object | itself |
//! | number | itself; an integer only within +-(2^53 - 1) |
//! | NaN, infinities, -0 | `{"$number":"NaN"}`, `"Infinity"`, `"-Infinity"`, `"-0"` |
//! | bigint | `{"$bigint":"-0x1f"}` |
//! | Date | `{"$date":"2026-11-20T12:00:00.000Z"}`; before 1970 and from the year 10000 on its milliseconds; an invalid one `null` |
//! | binary data | `{"$Uint8Array":"base64"}`, likewise under the name of each other type |
//! | Map, Set | `{"$map":[[key,value],...]}`, `{"$set":[...]}` |
//! | undefined in a list | `{"$undefined":true}` |
//! | string with lone surrogates | `{"$utf16":[code units]}` |
//!
//! **Invariants**
//! - An object of one field whose name begins with `$` is a tag, or, if it begins with `$$`, a user's
//!   object with one `$` more than it had. All other objects are what they look like. So no user value
//!   can be read as a tag.
//! - Reading takes hostile text: its depth is bounded, and what is no value of the model is an error.

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::text::{base64, iso, parse_base64, parse_iso};
use crate::model::{BigInt, Bytes, BytesKind, MAX_DEPTH, MAX_SAFE_INTEGER, Value};

/// A map is three levels of JSON for one of ours.
const MAX_JSON_DEPTH: usize = 3 * MAX_DEPTH + 3;

/// A value on its way into a file.
pub(super) struct Written<'a>(pub(super) &'a Value);

/// A value on its way out of a file.
#[derive(Debug)]
pub(super) struct Natural(pub(super) Value);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => serializer.serialize_i64(*int),
            Value::Float(float) => match special(*float) {
                Some(name) => tagged(serializer, "$number", name),
                None => serializer.serialize_f64(*float),
            },
            Value::String(text) => serializer.serialize_str(text),
            Value::BigInt(int) => tagged(serializer, "$bigint", &int.to_string()),
            Value::Date(ms) if ms.is_nan() => tagged(serializer, "$date", &()),
            Value::Date(ms) => match (*ms >= 0.0).then(|| iso(*ms as u64)).flatten() {
                Some(text) => tagged(serializer, "$date", &text),
                None => tagged(serializer, "$date", &(*ms as i64)),
            },
            Value::Bytes(Bytes { kind, data }) => tagged(serializer, bytes_tag(*kind), &base64(data)),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Written)),
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                let escaped = fields.len() == 1 && fields[0].0.starts_with('$');
                for (name, value) in fields {
                    if escaped {
                        map.serialize_entry(&format!("${name}"), &Written(value))?;
                    } else {
                        map.serialize_entry(name, &Written(value))?;
                    }
                }
                map.end()
            }
            Value::Map(entries) => tagged(serializer, "$map", &Entries(entries)),
            Value::Set(items) => tagged(serializer, "$set", &Items(items)),
            Value::Undefined => tagged(serializer, "$undefined", &true),
            Value::Utf16(units) => tagged(serializer, "$utf16", units),
        }
    }
}

fn special(float: f64) -> Option<&'static str> {
    match float {
        _ if float.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ if float == 0.0 && float.is_sign_negative() => Some("-0"),
        _ => None,
    }
}

const BYTES_TAGS: [&str; BytesKind::ALL.len()] = [
    "$Uint8Array",
    "$ArrayBuffer",
    "$Int8Array",
    "$Uint8ClampedArray",
    "$Int16Array",
    "$Uint16Array",
    "$Int32Array",
    "$Uint32Array",
    "$Float32Array",
    "$Float64Array",
    "$BigInt64Array",
    "$BigUint64Array",
    "$DataView",
];

fn bytes_tag(kind: BytesKind) -> &'static str {
    BYTES_TAGS[kind as usize]
}

fn tagged<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    tag: &str,
    content: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, content)?;
    map.end()
}

struct Items<'a>(&'a [Value]);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Written))
    }
}

struct Entries<'a>(&'a [(Value, Value)]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (key, value) in self.0 {
            list.serialize_element(&(Written(key), Written(value)))?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Natural {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { depth: 0 }.deserialize(deserializer).map(Natural)
    }
}

#[derive(Clone, Copy)]
struct Reader {
    depth: usize,
}

impl Reader {
    fn inside<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_JSON_DEPTH {
            return Err(E::custom("it is nested too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E: de::Error>(self, int: i64) -> Result<Value, E> {
        if int.unsigned_abs() > MAX_SAFE_INTEGER.unsigned_abs() {
            return Err(E::custom(format_args!(
                "{int} is beyond +-(2^53 - 1); write it as {{\"$bigint\":\"0x...\"}}"
            )));
        }
        Ok(Value::Int(int))
    }

    fn visit_u64<E: de::Error>(self, int: u64) -> Result<Value, E> {
        self.visit_i64(i64::try_from(int).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<Value, E> {
        Ok(Value::number(float))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            fields.push((name, map.next_value_seed(inside)?));
        }
        match fields.as_mut_slice() {
            [(name, _)] if name.starts_with("$$") => {
                name.remove(0);
                Ok(Value::Object(fields))
            }
            [(name, content)] if name.starts_with('$') => {
                let content = std::mem::replace(content, Value::Null);
                untag(name, content).ok_or_else(|| {
                    de::Error::custom(format_args!(
                        "{name:?} with this content is no tag that is known; a field of that name alone in its object is \
                         written with one more $"
                    ))
                })
            }
            _ => Ok(Value::Object(fields)),
        }
    }
}

fn untag(name: &str, content: Value) -> Option<Value> {
    Some(match (name, content) {
        ("$number", Value::String(text)) => Value::Float(match text.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            "-0" => -0.0,
            _ => return None,
        }),
        ("$bigint", Value::String(text)) => Value::BigInt(big_int(&text)?),
        ("$date", Value::String(text)) => Value::Date(parse_iso(&text)? as f64),
        ("$date", Value::Int(ms)) => Value::Date(ms as f64),
        ("$date", Value::Null) => Value::Date(f64::NAN),
        ("$map", Value::Array(items)) => {
            let entry = |item| match item {
                Value::Array(pair) => <[Value; 2]>::try_from(pair).ok().map(|[key, value]| (key, value)),
                _ => None,
            };
            Value::Map(items.into_iter().map(entry).collect::<Option<_>>()?)
        }
        ("$set", Value::Array(items)) => Value::Set(items),
        ("$undefined", Value::Bool(true)) => Value::Undefined,
        ("$utf16", Value::Array(items)) => {
            let unit = |item| match item {
                Value::Int(unit) => u16::try_from(unit).ok(),
                _ => None,
            };
            Value::Utf16(items.into_iter().map(unit).collect::<Option<_>>()?)
        }
        (tag, Value::String(text)) => {
            let kind = BytesKind::ALL.into_iter().find(|kind| bytes_tag(*kind) == tag)?;
            Value::Bytes(Bytes { kind, data: parse_base64(&text)? })
        }
        _ => return None,
    })
}

/// Reads what the `Display` of [`BigInt`] writes; leading zeros are no matter.
fn big_int(text: &str) -> Option<BigInt> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let digits = digits.strip_prefix("0x").filter(|digits| !digits.is_empty())?;
    let nibbles: Vec<u8> = digits
        .chars()
        .rev()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let mut magnitude: Vec<u8> =
        nibbles.chunks(2).map(|pair| pair[0] | pair.get(1).copied().unwrap_or(0) << 4).collect();
    while magnitude.last() == Some(&0) {
        magnitude.pop();
    }
    Some(BigInt { negative: negative && !magnitude.is_empty(), magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{decode_value, encode_value};

    fn json(value: &Value) -> String {
        serde_json::to_string(&Written(value)).unwrap()
    }

    fn back(text: &str) -> Result<Value, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.disable_recursion_limit();
        let natural = Natural::deserialize(&mut reader)?;
        reader.end()?;
        Ok(natural.0)
    }

    fn object(name: &str, value: Value) -> Value {
        Value::Object(vec![(name.to_owned(), value)])
    }

    #[test]
    fn every_golden_value_comes_back_to_the_same_bytes() {
        let golden = include_str!("../../../tests/golden/values/values.json");
        let mut count = 0;
        for hex in golden.lines().filter_map(|line| line.split("\"hex\": \"").nth(1)) {
            let hex = hex.split('"').next().unwrap();
            let bytes: Vec<u8> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect();
            let text = json(&decode_value(&bytes).unwrap());
            assert_eq!(encode_value(&back(&text).unwrap()).unwrap(), bytes, "{text:.200}");
            count += 1;
        }
        assert!(count > 20, "{count} values");
    }

    #[test]
    fn what_json_can_not_say_is_tagged() {
        let big = BigInt { negative: true, magnitude: vec![0x1f, 1] };
        for (value, text) in [
            (Value::Float(-0.0), r#"{"$number":"-0"}"#),
            (Value::Float(f64::INFINITY), r#"{"$number":"Infinity"}"#),
            (Value::BigInt(big), r#"{"$bigint":"-0x011f"}"#),
            (Value::Date(0.0), r#"{"$date":"1970-01-01T00:00:00.000Z"}"#),
            (Value::Date(-1.0), r#"{"$date":-1}"#),
            (Value::Date(8.64e15), r#"{"$date":8640000000000000}"#),
            (Value::Map(vec![(Value::Int(1), Value::Null)]), r#"{"$map":[[1,null]]}"#),
            (Value::Set(vec![Value::Bool(true)]), r#"{"$set":[true]}"#),
            (Value::Array(vec![Value::Undefined]), r#"[{"$undefined":true}]"#),
            (Value::Utf16(vec![0xd800]), r#"{"$utf16":[55296]}"#),
            (
                Value::Bytes(Bytes { kind: BytesKind::Float32Array, data: vec![0, 0, 128, 63] }),
                r#"{"$Float32Array":"AACAPw=="}"#,
            ),
        ] {
            assert_eq!(json(&value), text);
            assert_eq!(back(text).unwrap(), value);
        }
        assert_eq!(json(&Value::Float(f64::NAN)), r#"{"$number":"NaN"}"#);
        assert_eq!(json(&Value::Date(f64::NAN)), r#"{"$date":null}"#);
        assert!(matches!(back(r#"{"$date":null}"#).unwrap(), Value::Date(ms) if ms.is_nan()));
    }

    #[test]
    fn no_user_value_is_read_as_a_tag() {
        for name in ["$", "$$", "$date", "$$date", "$set", "$undefined", "$nothing"] {
            let forged = object(name, Value::String("1970-01-01T00:00:00.000Z".into()));
            assert_eq!(back(&json(&forged)).unwrap(), forged, "{name}");
            let nested = object(name, object(name, Value::Array(vec![forged])));
            assert_eq!(back(&json(&nested)).unwrap(), nested, "{name}");
        }
        let two = Value::Object(vec![("$date".into(), Value::Null), ("b".into(), Value::Int(1))]);
        assert_eq!(json(&two), r#"{"$date":null,"b":1}"#);
        assert_eq!(back(&json(&two)).unwrap(), two);
    }

    #[test]
    fn floats_come_back_bit_for_bit() {
        let mut rng = crate::testing::rng::SplitMix64::new(11);
        for _ in 0..20_000 {
            let float = f64::from_bits(rng.next_u64());
            let value = Value::number(float);
            let read = back(&json(&value)).unwrap();
            assert_eq!(encode_value(&read).unwrap(), encode_value(&value).unwrap(), "{float:e}");
        }
    }

    #[test]
    fn the_deepest_value_passes_and_a_deeper_text_is_refused() {
        let mut deep = Value::Null;
        for _ in 0..MAX_DEPTH {
            deep = Value::Map(vec![(Value::Int(1), deep)]);
        }
        assert_eq!(back(&json(&deep)).unwrap(), deep);
        assert!(back(&"[".repeat(100_000)).is_err());
        assert!(back(&"{\"a\":".repeat(100_000)).is_err());
    }

    #[test]
    fn tags_that_make_no_sense_are_refused() {
        for bad in [
            r#"{"$date":"yesterday"}"#,
            r#"{"$date":0.5}"#,
            r#"{"$number":"1"}"#,
            r#"{"$bigint":"12"}"#,
            r#"{"$bigint":"0x"}"#,
            r#"{"$map":[[1]]}"#,
            r#"{"$set":{}}"#,
            r#"{"$undefined":false}"#,
            r#"{"$utf16":[65536]}"#,
            r#"{"$Uint8Array":"?"}"#,
            r#"{"$unknown":1}"#,
            "9007199254740992",
            "1e999",
            "[1",
        ] {
            assert!(back(bad).is_err(), "{bad}");
        }
    }
}
