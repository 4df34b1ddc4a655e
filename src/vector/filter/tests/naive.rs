//! Random filters on random data, against an evaluator that reads the filter as it is written.
//!
//! **Invariants**
//! - Shares no code with the filter: values are equal if their canonical text is.

use super::*;

/// Text of a value such that equal values have equal text.
fn text(value: &Value) -> String {
    match value {
        Value::BigInt(n) => {
            let magnitude = n.magnitude.iter().rev().fold(0i64, |sum, byte| sum << 8 | i64::from(*byte));
            (if n.negative { -magnitude } else { magnitude }).to_string()
        }
        Value::Int(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        Value::Array(elements) => format!("[{}]", elements.iter().map(text).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(key, value)| format!("{key:?}:{}", text(value))).collect();
            fields.sort();
            format!("{{{}}}", fields.join(","))
        }
        other => format!("{other:?}"),
    }
}

fn lookup<'a>(data: &'a Value, path: &str) -> Option<&'a Value> {
    let Value::Object(fields) = data else { return None };
    let mut below: Vec<_> = fields.iter().filter(|(key, _)| path.starts_with(&format!("{key}."))).collect();
    below.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
    let own = fields.iter().find(|(key, _)| key == path).map(|(_, value)| value);
    own.or_else(|| below.into_iter().find_map(|(key, value)| lookup(value, &path[key.len() + 1..])))
}

fn is_equal(field: Option<&Value>, operand: &Value) -> bool {
    match field {
        None => false,
        Some(Value::Array(elements)) if elements.iter().any(|e| text(e) == text(operand)) => true,
        Some(value) => text(value) == text(operand),
    }
}

/// -1, 0, 1 for values of one ordered type.
fn sign(field: Option<&Value>, operand: &Value) -> Option<i32> {
    let number = |value: &Value| match value {
        Value::Int(_) | Value::Float(_) | Value::BigInt(_) => text(value).parse::<f64>().ok(),
        _ => None,
    };
    let field = field?;
    match (field, operand) {
        (Value::String(a), Value::String(b)) => Some(a.chars().cmp(b.chars()) as i32),
        (Value::Bool(a), Value::Bool(b)) => Some(i32::from(*a) - i32::from(*b)),
        _ => {
            let (a, b) = (number(field)?, number(operand)?);
            if a.is_nan() && b.is_nan() {
                Some(99)
            } else {
                a.partial_cmp(&b).map(|ordering| ordering as i32)
            }
        }
    }
}

fn condition(test: &Value, field: Option<&Value>) -> bool {
    let Value::Object(operators) = test else { return is_equal(field, test) };
    if !operators.iter().any(|(name, _)| name.starts_with('$')) {
        return is_equal(field, test);
    }
    operators.iter().all(|(name, operand)| {
        let any = || matches!(operand, Value::Array(all) if all.iter().any(|one| is_equal(field, one)));
        match name.as_str() {
            "$eq" => is_equal(field, operand),
            "$ne" => !is_equal(field, operand),
            "$gt" => sign(field, operand) == Some(1),
            "$lt" => sign(field, operand) == Some(-1),
            "$gte" => matches!(sign(field, operand), Some(0 | 1 | 99)),
            "$lte" => matches!(sign(field, operand), Some(-1 | 0 | 99)),
            "$in" => any(),
            "$nin" => !any(),
            "$exists" => *operand == Value::Bool(field.is_some()),
            "$not" => !condition(operand, field),
            other => panic!("{other}"),
        }
    })
}

fn evaluate(filter: &Value, data: &Value) -> bool {
    let Value::Object(parts) = filter else { panic!("{filter:?}") };
    parts.iter().all(|(key, value)| match (key.as_str(), value) {
        ("$and", Value::Array(filters)) => filters.iter().all(|filter| evaluate(filter, data)),
        ("$or", Value::Array(filters)) => filters.iter().any(|filter| evaluate(filter, data)),
        ("$not", filter) => !evaluate(filter, data),
        (path, test) => condition(test, lookup(data, path)),
    })
}

fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut unique: Vec<(String, Value)> = Vec::new();
    for (key, value) in fields {
        if unique.iter().all(|(other, _)| other != key) {
            unique.push((key.to_owned(), value));
        }
    }
    Value::Object(unique)
}

fn scalar(random: &mut Seeded) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 => Value::Bool(random.below(2) == 0),
        2 => big(random.below(4) as i128 - 1),
        3 => value!(random.below(6) as f64 / 2.0 - 1.0),
        4 => value!(f64::NAN),
        5 | 6 => value!(["", "a", "b", "ab", "\u{1f600}", "\u{fffd}"][random.below(6)]),
        _ => value!(random.below(4) as i32 - 1),
    }
}

fn data(random: &mut Seeded, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 10 }) {
        0 => Value::Array((0..random.below(4)).map(|_| data(random, depth.saturating_sub(1))).collect()),
        1..=5 => scalar(random),
        _ => fields(random, depth),
    }
}

fn fields(random: &mut Seeded, depth: usize) -> Value {
    let count = random.below(5);
    let keys: Vec<_> = (0..count).map(|_| ["a", "b", "c", "a.b", "b.c"][random.below(5)]).collect();
    object(keys.into_iter().map(|key| (key, data(random, depth - 1))).collect::<Vec<_>>())
}

fn random_condition(random: &mut Seeded, depth: usize) -> Value {
    if random.below(4) == 0 {
        return data(random, 1);
    }
    let tests: Vec<_> = (0..1 + random.below(2))
        .map(|_| match random.below(if depth == 0 { 9 } else { 10 }) {
            0 => ("$eq", data(random, 1)),
            1 => ("$ne", data(random, 1)),
            which @ 2..=5 => {
                let ordered = [value!(1), value!(0.5), big(1), value!("a"), value!(true), value!(f64::NAN)];
                (["$gt", "$gte", "$lt", "$lte"][which - 2], ordered[random.below(6)].clone())
            }
            which @ (6 | 7) => {
                let members = (0..random.below(4)).map(|_| data(random, 1)).collect();
                (["$in", "$nin"][which - 6], Value::Array(members))
            }
            8 => ("$exists", Value::Bool(random.below(2) == 0)),
            _ => ("$not", random_condition(random, depth - 1)),
        })
        .collect();
    object(tests)
}

fn random_filter(random: &mut Seeded, depth: usize) -> Value {
    let parts: Vec<_> = (0..random.below(3))
        .map(|_| match random.below(if depth == 0 { 6 } else { 9 }) {
            6 => ("$not", random_filter(random, depth - 1)),
            which @ (7 | 8) => {
                let filters = (0..1 + random.below(3)).map(|_| random_filter(random, depth - 1)).collect();
                (["$and", "$or"][which - 7], Value::Array(filters))
            }
            which => (["a", "b", "c", "a.b", "b.a", "a.b.c"][which], random_condition(random, 2)),
        })
        .collect();
    object(parts)
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn filters_agree_with_a_naive_evaluator() {
    let (mut random, seed) = Seeded::new(0x5eed_0020);
    let mut matched = 0;
    const ROUNDS: usize = 4000;
    for round in 0..ROUNDS {
        let filter = random_filter(&mut random, 3);
        let parsed =
            Filter::parse(&filter).unwrap_or_else(|e| panic!("{e}: {filter:?}, round {round}, seed {seed}"));
        for _ in 0..5 {
            let data = fields(&mut random, 3);
            let expected = evaluate(&filter, &data);
            matched += usize::from(expected);
            assert_eq!(parsed.matches(&data), expected, "{filter:?} on {data:?}, round {round}, seed {seed}");
        }
    }
    // Neither side of the question may be rare, or the test would prove little.
    assert!((ROUNDS..4 * ROUNDS).contains(&matched), "{matched} of {} matched, seed {seed}", 5 * ROUNDS);
}
