//! From a value to a filter, or to an error that names the place.
//!
//! **Invariants**
//! - Limits are checked on the way down, so a hostile filter costs no more than a legal one.

use super::{FieldPath, Filter, MAX_FILTER_CONDITIONS, MAX_FILTER_DEPTH, Members, Node, Order, Test};
use crate::model::Value;
use crate::{Error, Result};

const BESIDE_FIELDS: &str = "$and, $or, $not";
const ON_A_FIELD: &str = "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $not";

impl Filter {
    /// Parses a filter.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) naming the place in the filter (`filter.year.$foo`), for:
    /// a filter that is not an object, an unknown operator, a wrong operand, an object that mixes
    /// operators and fields, an empty path segment, nesting beyond [`MAX_FILTER_DEPTH`], and more than
    /// [`MAX_FILTER_CONDITIONS`] conditions.
    pub fn parse(filter: &Value) -> Result<Self> {
        let root = Parser { conditions: 0 }.filter(filter, &Place::Root, 1)?;
        Ok(Self { root })
    }
}

/// Where in the filter the parser is. Linked, so that a name is only built for an error.
enum Place<'a> {
    Root,
    Key(&'a Self, &'a str),
    Element(&'a Self, usize),
}

impl Place<'_> {
    fn name(&self) -> String {
        match self {
            Self::Root => "filter".to_owned(),
            Self::Key(parent, key) => format!("{}.{}", parent.name(), clipped(key)),
            Self::Element(parent, index) => format!("{}[{index}]", parent.name()),
        }
    }

    fn invalid<T>(&self, problem: &str) -> Result<T> {
        Err(Error::invalid(format!("{}: {problem}", self.name())))
    }
}

/// The beginning of a key, so that a message stays readable whatever the key.
fn clipped(key: &str) -> String {
    match key.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &key[..end]),
        None => key.to_owned(),
    }
}

struct Parser {
    conditions: usize,
}

impl Parser {
    fn filter(&mut self, value: &Value, place: &Place<'_>, depth: usize) -> Result<Node> {
        check_depth(place, depth)?;
        let Value::Object(fields) = value else {
            return place.invalid(&format!("a filter must be an object, not {}", kind(value)));
        };
        if fields.is_empty() {
            self.count(place)?;
        }
        let parts = fields.iter().map(|(key, value)| {
            let place = Place::Key(place, key);
            match key.as_str() {
                "$and" => Ok(Node::All(self.filters(value, &place, depth)?)),
                "$or" => Ok(Node::Any(self.filters(value, &place, depth)?)),
                "$not" => Ok(Node::Not(Box::new(self.filter(value, &place, depth + 1)?))),
                _ if ON_A_FIELD.split(", ").any(|name| name == key) => place.invalid(&format!(
                    "this operator needs a field before it, as in {{ year: {{ {key}: ... }} }}; beside fields there are {BESIDE_FIELDS}"
                )),
                _ if key.starts_with('$') => {
                    place.invalid(&format!("unknown operator; beside fields there are {BESIDE_FIELDS}, on a field {ON_A_FIELD}"))
                }
                _ => {
                    let path = FieldPath::parse(key).map_err(|error| error.at(place.name()))?;
                    Ok(Node::Field(path, self.condition(value, &place, depth)?))
                }
            }
        });
        let mut parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::All(parts) })
    }

    fn filters(&mut self, value: &Value, place: &Place<'_>, depth: usize) -> Result<Vec<Node>> {
        match value {
            Value::Array(filters) if !filters.is_empty() => filters
                .iter()
                .enumerate()
                .map(|(index, filter)| self.filter(filter, &Place::Element(place, index), depth + 1))
                .collect(),
            Value::Array(_) => place.invalid("the array is empty: give at least one filter, or leave it out"),
            other => place.invalid(&format!("needs an array of filters, not {}", kind(other))),
        }
    }

    /// An object of operators, or a bare value.
    fn condition(&mut self, value: &Value, place: &Place<'_>, depth: usize) -> Result<Test> {
        check_depth(place, depth)?;
        let operators = match value {
            Value::Object(fields) if fields.iter().any(|(key, _)| key.starts_with('$')) => fields,
            bare => {
                self.count(place)?;
                return Ok(Test::Equals(bare.clone()));
            }
        };
        let tests = operators.iter().map(|(name, operand)| {
            let place = Place::Key(place, name);
            if !name.starts_with('$') {
                return place.invalid(&format!(
                    "a field name among operators; use a path such as \"a.b\" for a nested field, or only operators: {ON_A_FIELD}"
                ));
            }
            self.operator(name, operand, &place, depth)
        });
        let mut tests = tests.collect::<Result<Vec<_>>>()?;
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::All(tests) })
    }

    fn operator(&mut self, name: &str, operand: &Value, place: &Place<'_>, depth: usize) -> Result<Test> {
        if name == "$not" {
            return Ok(not(self.condition(operand, place, depth + 1)?));
        }
        let test = match name {
            "$eq" => Test::Equals(operand.clone()),
            "$ne" => not(Test::Equals(operand.clone())),
            "$gt" => Test::Compares(Order::Greater, ordered(operand, place)?),
            "$gte" => Test::Compares(Order::GreaterOrEqual, ordered(operand, place)?),
            "$lt" => Test::Compares(Order::Less, ordered(operand, place)?),
            "$lte" => Test::Compares(Order::LessOrEqual, ordered(operand, place)?),
            "$in" => Test::In(members(operand, place)?),
            "$nin" => not(Test::In(members(operand, place)?)),
            "$exists" => match operand {
                Value::Bool(expected) => Test::Exists(*expected),
                other => return place.invalid(&format!("needs true or false, not {}", kind(other))),
            },
            "$and" | "$or" => {
                return place.invalid(&format!(
                    "stands beside fields, not inside one: {{ {name}: [{{ field: ... }}, ...] }}; on a field there are {ON_A_FIELD}"
                ));
            }
            _ => return place.invalid(&format!("unknown operator; on a field there are {ON_A_FIELD}")),
        };
        self.count(place)?;
        Ok(test)
    }

    fn count(&mut self, place: &Place<'_>) -> Result<()> {
        self.conditions += 1;
        if self.conditions > MAX_FILTER_CONDITIONS {
            return place.invalid(&format!(
                "the filter has more than {MAX_FILTER_CONDITIONS} conditions; use $in for a choice of values"
            ));
        }
        Ok(())
    }
}

fn not(test: Test) -> Test {
    Test::Not(Box::new(test))
}

fn check_depth(place: &Place<'_>, depth: usize) -> Result<()> {
    if depth > MAX_FILTER_DEPTH {
        return place.invalid(&format!("nested deeper than {MAX_FILTER_DEPTH}; write the filter flatter"));
    }
    Ok(())
}

fn ordered(operand: &Value, place: &Place<'_>) -> Result<Value> {
    match operand {
        Value::Int(_)
        | Value::Float(_)
        | Value::BigInt(_)
        | Value::String(_)
        | Value::Utf16(_)
        | Value::Date(_)
        | Value::Bool(_) => Ok(operand.clone()),
        other => {
            place.invalid(&format!("needs a number, bigint, string, Date or boolean, not {}", kind(other)))
        }
    }
}

fn members(operand: &Value, place: &Place<'_>) -> Result<Members> {
    let Value::Array(elements) = operand else {
        return place.invalid(&format!("needs an array of values, not {}", kind(operand)));
    };
    let mut members = Members { strings: Vec::new(), others: Vec::new() };
    for element in elements {
        match element {
            Value::String(text) => members.strings.push(text.clone()),
            other => members.others.push(other.clone()),
        }
    }
    members.strings.sort_unstable();
    Ok(members)
}

/// The type of a value, with its article, as a JavaScript user would say it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::String(_) | Value::Utf16(_) => "a string",
        Value::BigInt(_) => "a bigint",
        Value::Date(_) => "a Date",
        Value::Bytes(_) => "binary data",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
        Value::Map(_) => "a Map",
        Value::Set(_) => "a Set",
        Value::Undefined => "undefined",
    }
}
