//! The table of `mod.rs`, line by line; every error; and random filters against a naive evaluator.

use super::super::seeded::Seeded;
use super::*;
use crate::ErrorKind;
use crate::model::{BigInt, Bytes, BytesKind};

/// JSON-like notation for values.
macro_rules! value {
    (null) => { Value::Null };
    ([ $($element:tt),* ]) => { Value::Array(vec![$(value!($element)),*]) };
    ({ $($key:literal : $value:tt),* }) => { Value::Object(vec![$(($key.to_owned(), value!($value))),*]) };
    ($other:expr) => { ToValue::to_value($other) };
}

trait ToValue {
    fn to_value(self) -> Value;
}
impl ToValue for i32 {
    fn to_value(self) -> Value {
        Value::Int(self.into())
    }
}
impl ToValue for f64 {
    fn to_value(self) -> Value {
        Value::number(self)
    }
}
impl ToValue for bool {
    fn to_value(self) -> Value {
        Value::Bool(self)
    }
}
impl ToValue for &str {
    fn to_value(self) -> Value {
        Value::String(self.to_owned())
    }
}
impl ToValue for Value {
    fn to_value(self) -> Value {
        self
    }
}

fn big(n: i128) -> Value {
    let mut magnitude = n.unsigned_abs().to_le_bytes().to_vec();
    while magnitude.last() == Some(&0) {
        magnitude.pop();
    }
    Value::BigInt(BigInt { negative: n < 0, magnitude })
}

fn matches(filter: &Value, data: &Value) -> bool {
    match Filter::parse(filter) {
        Ok(filter) => filter.matches(data),
        Err(error) => panic!("{error} in {filter:?}"),
    }
}

/// Asserts which of `fields` (a field `f` of that value; `None`: no such field) the condition holds for.
fn holds_for(condition: Value, yes: &[Option<Value>], no: &[Option<Value>]) {
    let filter = Value::Object(vec![("f".to_owned(), condition)]);
    for (fields, expected) in [(yes, true), (no, false)] {
        for field in fields {
            let mut data = vec![("g".to_owned(), value!(1))];
            data.extend(field.clone().map(|value| ("f".to_owned(), value)));
            assert_eq!(matches(&filter, &Value::Object(data)), expected, "{filter:?} on {field:?}");
        }
    }
}

macro_rules! fields {
    ($($value:tt),*) => { &[$(Some(value!($value))),*] };
}
const MISSING: &[Option<Value>] = &[None];

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn equality_and_membership() {
    for three in [value!(3), value!({ "$eq": 3 }), value!({ "$in": [3] }), value!({ "$in": ["x", 3, null] })]
    {
        holds_for(
            three.clone(),
            fields!(3, 3.0, [3], ["a", 3]),
            fields!((-3), "3", true, [[3]], { "a": 3 }, 3.5),
        );
        holds_for(three, &[Some(big(3)), Some(Value::Set(vec![value!(3)]))], MISSING);
    }
    for not_three in [
        value!({ "$ne": 3 }),
        value!({ "$nin": [3] }),
        value!({ "$not": 3 }),
        value!({ "$not": { "$eq": 3 } }),
    ] {
        holds_for(not_three.clone(), fields!((-3), "3", [4], [], null), fields!(3, [3], [4, 3]));
        holds_for(not_three, MISSING, &[Some(big(3))]);
    }
    holds_for(value!(null), fields!(null, [null]), fields!(0, false, "", []));
    holds_for(value!(null), &[], MISSING);
    holds_for(value!({ "$ne": null }), &[None, Some(value!(0))], fields!(null));
    holds_for(value!({ "$in": [] }), &[], &[None, Some(value!(1)), Some(value!([]))]);
    holds_for(value!({ "$nin": [] }), &[None, Some(value!(1))], &[]);
    holds_for(
        value!({ "$in": ["b", "a", "c", "a"] }),
        fields!("a", "b", "c", ["x", "c"]),
        fields!("", "d", "ab", ["x"]),
    );
    // Arrays and objects as operands: deep, whatever the order of the keys.
    holds_for(value!([1, 2]), fields!([1, 2], [[1, 2], 3]), fields!([2, 1], [1], [1, 2, 3], 1));
    holds_for(value!({ "$in": [[1, 2]] }), fields!([1, 2], [[1, 2]]), fields!(1, 2, [1]));
    holds_for(
        value!({ "a": 1, "b": { "c": [2] } }),
        fields!({ "b": { "c": [2] }, "a": 1 }),
        fields!({ "a": 1 }, { "a": 1, "b": { "c": 2 } }, { "a": 1, "c": { "c": [2] } }),
    );
    holds_for(value!({}), fields!({}, [{}]), fields!([], null, { "a": 1 }));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn equality_of_every_type() {
    let bytes = |kind| Value::Bytes(Bytes { kind, data: vec![1, 2] });
    // Each equals itself and none of the others.
    let distinct = [
        value!(null),
        value!(false),
        value!(true),
        value!(0),
        value!(1),
        value!(0.5),
        value!(f64::NAN),
        value!(f64::INFINITY),
        value!(""),
        value!("0"),
        big(1 << 90),
        Value::Date(0.0),
        Value::Date(f64::NAN),
        bytes(BytesKind::Uint8Array),
        bytes(BytesKind::Int8Array),
        value!([]),
        value!({}),
        Value::Set(vec![]),
        Value::Map(vec![]),
        Value::Map(vec![(value!(1), value!(2))]),
        Value::Undefined,
        Value::Utf16(vec![0xd800]),
    ];
    for (i, a) in distinct.iter().enumerate() {
        for (j, b) in distinct.iter().enumerate() {
            let data = Value::Object(vec![("f".to_owned(), a.clone())]);
            let filter =
                Value::Object(vec![("f".to_owned(), Value::Object(vec![("$eq".to_owned(), b.clone())]))]);
            assert_eq!(matches(&filter, &data), i == j, "{a:?} $eq {b:?}");
        }
    }
    holds_for(value!(0), fields!((-0.0)), fields!(null));
    holds_for(Value::Float(-0.0), &[Some(value!(0)), Some(big(0))], fields!(1));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn order_within_a_type_only() {
    holds_for(
        value!({ "$gt": 3 }),
        fields!(4, 3.5, (f64::INFINITY)),
        fields!(3, 2, "4", true, null, [4], {}, (f64::NAN)),
    );
    holds_for(value!({ "$gte": 3 }), fields!(3, 4), fields!(2.999, "3"));
    holds_for(
        value!({ "$lt": 3 }),
        fields!(2, (-1e300), (f64::NEG_INFINITY)),
        fields!(3, false, null, (f64::NAN)),
    );
    holds_for(value!({ "$lte": 3 }), fields!(3, 2), fields!(3.001));
    for operator in ["$gt", "$gte", "$lt", "$lte"] {
        for operand in [value!(3), value!("a"), value!(true), Value::Date(1.0), big(5)] {
            holds_for(Value::Object(vec![(operator.to_owned(), operand)]), &[], MISSING);
        }
    }
    // Code points: the astral U+1F600 is above U+FFFD, though its UTF-16 units are below.
    holds_for(value!({ "$gt": "b" }), fields!("ba", "c"), fields!("b", "a", "B", ""));
    holds_for(value!({ "$gt": "\u{fffd}" }), fields!("\u{1f600}"), &[Some(Value::Utf16(vec![0xd83d]))]);
    holds_for(
        value!({ "$lt": (Value::Utf16(vec![0xd801])) }),
        &[Some(Value::Utf16(vec![0xd800])), Some(value!("z"))],
        fields!("\u{1f600}"),
    );
    holds_for(value!({ "$gt": false }), fields!(true), fields!(false, 1));
    holds_for(
        value!({ "$gt": (Value::Date(5.0)) }),
        &[Some(Value::Date(6.0))],
        &[Some(Value::Date(5.0)), Some(value!(6)), Some(Value::Date(f64::NAN))],
    );
    // NaN: equal to itself, beside everything else.
    holds_for(value!({ "$gte": (f64::NAN) }), fields!((f64::NAN)), fields!(1, (f64::INFINITY)));
    holds_for(value!({ "$lt": (f64::NAN) }), &[], fields!((f64::NAN), 1));
    holds_for(
        value!({ "$lte": (Value::Date(f64::NAN)) }),
        &[Some(Value::Date(f64::NAN))],
        &[Some(Value::Date(1.0))],
    );
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn numbers_are_compared_exactly() {
    // In ascending order; neighbours differ by less than a double can tell, where bigints are involved.
    let two53 = 1i128 << 53;
    let ascending = [
        value!(f64::NEG_INFINITY),
        big(i128::MIN + 1),
        value!(-1.5e38),
        big(-two53 - 1),
        Value::Float(-(two53 as f64)),
        big(-two53 + 1),
        big(-1),
        value!(-0.5),
        value!(0),
        value!(5e-324),
        value!(0.5),
        big(1),
        value!(1.5),
        big(two53 - 1),
        Value::Float(two53 as f64),
        big(two53 + 1),
        Value::Float(two53 as f64 + 2.0),
        value!(1e38),
        big(i128::MAX),
        value!(f64::MAX),
        value!(f64::INFINITY),
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(compare::order(a, b), Some(i.cmp(&j)), "{a:?} against {b:?}");
            assert_eq!(compare::equal(a, b), i == j, "{a:?} against {b:?}");
        }
    }
    for (double, integer) in
        [(1e38, 1e38 as i128), (-3.0, -3), (9007199254740994.0, 9007199254740994), (0.0, 0), (256.0, 256)]
    {
        assert!(compare::equal(&Value::number(double), &big(integer)), "{double}");
        assert!(compare::equal(&big(integer), &Value::number(double)), "{double}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn exists_and_several_operators() {
    holds_for(value!({ "$exists": true }), fields!(null, 0, [], {}), MISSING);
    holds_for(value!({ "$exists": false }), MISSING, fields!(null, 0));
    holds_for(value!({ "$gt": 1, "$lt": 4, "$ne": 2 }), fields!(3, 1.5), fields!(1, 2, 4, "3"));
    holds_for(value!({ "$not": { "$gt": 3 } }), &[None, Some(value!(3)), Some(value!("x"))], fields!(4));
    holds_for(value!({ "$not": { "$gt": 1, "$lt": 4 } }), &[None, Some(value!(1))], fields!(2));
    holds_for(value!({ "$not": { "$exists": false } }), fields!(null), MISSING);
    holds_for(value!({ "$not": { "$not": 3 } }), fields!(3), MISSING);
    holds_for(value!({ "$not": { "$ne": 3 } }), fields!(3), MISSING);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn logic_and_paths() {
    let data = value!({ "year": 2024, "owner": { "team": "search", "lead": { "name": "Ada" } }, "tags": ["a", "b"] });
    for (filter, expected) in [
        (value!({}), true),
        (value!({ "year": 2024, "tags": "b" }), true),
        (value!({ "year": 2024, "tags": "c" }), false),
        (value!({ "owner.team": "search" }), true),
        (value!({ "owner.lead.name": { "$gte": "A" } }), true),
        (value!({ "owner": { "team": "search" } }), false), // a bare object is the whole object
        (value!({ "owner.team.x": { "$exists": true } }), false),
        (value!({ "tags.0": { "$exists": true } }), false), // paths do not look into arrays
        (value!({ "owner.lost": { "$ne": 1 } }), true),
        (value!({ "$and": [{ "year": { "$gt": 2000 } }, { "tags": "a" }] }), true),
        (value!({ "$and": [{ "year": { "$gt": 2000 } }, { "tags": "z" }] }), false),
        (value!({ "$or": [{ "year": 1 }, { "tags": "a" }] }), true),
        (value!({ "$or": [{ "year": 1 }, { "tags": "z" }] }), false),
        (value!({ "$or": [{ "year": 1 }, {}] }), true),
        (value!({ "$not": { "year": 2024 } }), false),
        (value!({ "$not": { "year": 2024, "tags": "z" } }), true),
        (value!({ "$not": {} }), false),
        (value!({ "year": 2024, "$or": [{ "tags": "z" }, { "$not": { "tags": "q" } }] }), true),
    ] {
        assert_eq!(matches(&filter, &data), expected, "{filter:?}");
    }
    for nothing in
        [Value::Null, value!([1]), value!("year"), Value::Map(vec![(value!("year"), value!(2024))])]
    {
        assert!(!matches(&value!({ "year": 2024 }), &nothing), "{nothing:?}");
        assert!(matches(&value!({ "year": { "$exists": false } }), &nothing), "{nothing:?}");
        assert!(matches(&value!({}), &nothing), "{nothing:?}");
    }
    // A key with a dot comes first, at every level; what is not below it is still found by the path.
    let dotted = value!({ "a": { "b": 2, "b.c": 3, "z": 9 }, "a.b": { "c": 1, "x": { "y": 4 } }, "d.e": 5, "d": { "e": 6 } });
    for (path, found) in [("a.b.c", 1), ("d.e", 5), ("a.b.x.y", 4), ("a.z", 9)] {
        let filter = Value::Object(vec![(path.to_owned(), value!(found))]);
        assert!(matches(&filter, &dotted), "{path}");
    }
    let longest = value!({ "a.b.c": 1, "a.b": { "c": 2 }, "a": { "b.c": 3 } });
    assert!(matches(&value!({ "a.b.c": 1 }), &longest));
}

fn refused(filter: &Value) -> String {
    let error = Filter::parse(filter).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.message().to_owned()
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn errors_name_the_place_and_the_remedy() {
    for (filter, place, remedy) in [
        (value!(null), "filter: ", "must be an object, not null"),
        (value!([]), "filter: ", "not an array"),
        (
            value!({ "year": { "$foo": 1 } }),
            "filter.year.$foo: ",
            "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $not",
        ),
        (value!({ "$foo": 1 }), "filter.$foo: ", "$and, $or, $not"),
        (value!({ "$gt": 1 }), "filter.$gt: ", "needs a field"),
        (value!({ "year": { "$gt": 1, "$Lt": 2 } }), "filter.year.$Lt: ", "unknown operator"),
        (value!({ "year": { "$gt": 1, "x": 2 } }), "filter.year.x: ", "a field name among operators"),
        (value!({ "year": { "$or": [{}] } }), "filter.year.$or: ", "stands beside fields"),
        (value!({ "year": { "$in": 3 } }), "filter.year.$in: ", "needs an array of values, not a number"),
        (value!({ "year": { "$nin": "abc" } }), "filter.year.$nin: ", "not a string"),
        (value!({ "year": { "$exists": 1 } }), "filter.year.$exists: ", "needs true or false, not a number"),
        (value!({ "year": { "$gt": null } }), "filter.year.$gt: ", "not null"),
        (value!({ "year": { "$lte": [1] } }), "filter.year.$lte: ", "not an array"),
        (value!({ "$and": [] }), "filter.$and: ", "empty"),
        (value!({ "$or": { "a": 1 } }), "filter.$or: ", "needs an array of filters, not an object"),
        (value!({ "$or": [{}, 3] }), "filter.$or[1]: ", "not a number"),
        (
            value!({ "$and": [{ "$not": { "a": { "$not": { "$x": 1 } } } }] }),
            "filter.$and[0].$not.a.$not.$x: ",
            "unknown operator",
        ),
        (value!({ "$not": [] }), "filter.$not: ", "not an array"),
        (value!({ "": 1 }), "filter.: ", "empty path segment"),
        (value!({ "a..b": 1 }), "filter.a..b: ", "empty path segment"),
        (value!({ ".a": 1 }), "filter..a: ", "empty path segment"),
        (value!({ "a.": 1 }), "filter.a.: ", "empty path segment"),
        (value!({ "year.$gt": 3 }), "filter.year.$gt: ", "operator inside a path"),
    ] {
        let message = refused(&filter);
        assert!(message.starts_with(place) && message.contains(remedy), "{message}");
    }
    let long = Value::Object(vec![("\u{e9}".repeat(5000), value!({ "$foo": 1 }))]);
    assert!(refused(&long).len() < 400);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn limits_hold_at_the_edge() {
    let nest = |levels: usize, wrap: fn(Value) -> Value| {
        (1..levels).fold(value!({ "a": 1 }), |filter, _| wrap(filter))
    };
    let wraps: [fn(Value) -> Value; 3] = [
        |filter| Value::Object(vec![("$not".to_owned(), filter)]),
        |filter| Value::Object(vec![("$and".to_owned(), Value::Array(vec![filter]))]),
        |filter| Value::Object(vec![("$or".to_owned(), Value::Array(vec![value!({ "b": 2 }), filter]))]),
    ];
    for wrap in wraps {
        assert!(Filter::parse(&nest(MAX_FILTER_DEPTH, wrap)).is_ok());
        assert!(refused(&nest(MAX_FILTER_DEPTH + 1, wrap)).contains("nested deeper than 32"));
        assert!(refused(&nest(250, wrap)).contains("nested deeper than 32"));
    }
    let on_field =
        |levels| Value::Object(vec![("f".to_owned(), (1..levels).fold(value!(1), |test, _| wraps[0](test)))]);
    assert!(matches(&on_field(31), &value!({ "f": 1 })));
    assert!(Filter::parse(&on_field(32)).is_ok());
    assert!(refused(&on_field(33)).contains("nested deeper than 32"));

    let choice =
        |count: usize, part: Value| Value::Object(vec![("$or".to_owned(), Value::Array(vec![part; count]))]);
    for part in [
        value!({ "a": 1 }),
        value!({}),
        value!({ "a": { "$gt": 1 } }),
        value!({ "a": { "$not": { "$gt": 1 } } }),
    ] {
        assert!(Filter::parse(&choice(MAX_FILTER_CONDITIONS, part.clone())).is_ok());
        assert!(refused(&choice(MAX_FILTER_CONDITIONS + 1, part)).contains("more than 1000 conditions"));
    }
    assert!(
        refused(&choice(501, value!({ "a": { "$gt": 1, "$lt": 5 } }))).starts_with("filter.$or[500].a.$gt: ")
    );
    // A long list of values is one condition.
    let ids: Vec<Value> = (0..50_000).map(|id| value!(format!("id-{id}").as_str())).collect();
    let many = Filter::parse(&value!({ "id": { "$in": (Value::Array(ids)) } })).unwrap();
    assert!(many.matches(&value!({ "id": "id-49999" })) && !many.matches(&value!({ "id": "id-50000" })));
}

mod naive;
