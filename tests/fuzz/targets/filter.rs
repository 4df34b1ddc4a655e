//! The filter parser and its evaluation.

use mnemora::model::{Value, decode_value};
use mnemora::vector::Filter;

use super::choices::Choices;

const OPERATORS: [&str; 20] = [
    "$and",
    "$or",
    "$not",
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$exists",
    "$foo",
    "$",
    "a",
    "b",
    "a.b",
    "a.",
    "..",
    "__proto__",
];
const FIELDS: [&str; 5] = ["a", "b", "a.b", "__proto__", ""];

/// Parses what the bytes make, twice: as a stored value, and as choices of a grammar of filters. What
/// parses must evaluate, and its negation must say the opposite.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok(value) = decode_value(bytes) {
        check(&value, &value);
    }
    let mut choices = Choices(bytes);
    let data = choices.object(&FIELDS);
    let filter = choices.object(&OPERATORS);
    check(&filter, &data);
}

fn check(written: &Value, data: &Value) {
    let Ok(filter) = Filter::parse(written) else { return };
    let matches = filter.matches(data);
    let negated = Value::Object(vec![("$not".to_owned(), written.clone())]);
    // The negation is one level deeper, and so may be refused.
    if let Ok(negated) = Filter::parse(&negated) {
        assert_ne!(negated.matches(data), matches, "{written:?} on {data:?}");
    }
}
