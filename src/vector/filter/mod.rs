//! Filters over metadata: conditions written as an object, in the manner of MongoDB.
//!
//! A filter is an object. Each of its keys is a path with a condition, or a logical operator; all of
//! them must hold, so `{}` matches everything. A condition is an object of operators, all of which
//! must hold, or any other value, which is short for `{ $eq: value }`.
//!
//! | operator | operand | holds for a field that is present | for a missing one |
//! |---|---|---|---|
//! | `$eq` | any value | it equals the operand; or it is an array or set that contains it | no |
//! | `$ne` | any value | `$eq` does not hold | yes |
//! | `$gt` `$gte` `$lt` `$lte` | number, bigint, string, Date or boolean | it is of the operand's type and so ordered | no |
//! | `$in` | array | `$eq` holds for one of the operand's elements | no |
//! | `$nin` | array | `$in` does not hold | yes |
//! | `$exists` | boolean | the operand is true | the operand is false |
//! | `$not` | condition | the condition does not hold | the condition does not hold |
//! | `$and` `$or` | array of filters, not empty | all, or at least one, match; beside paths only | the same |
//! | `$not` | filter | it does not match; beside paths only | the same |
//!
//! **Paths.** `a.b` is field `b` of the object in field `a`. A key of the data that literally contains
//! the dot is tried first: `a.b` finds 1 in `{"a.b": 1, a: {b: 2}}`. Paths do not look into arrays and
//! maps. A stored `null` is present; metadata that is not an object has no fields.
//!
//! **Equality** is deep, and of the same type: objects whatever the order of their keys, arrays, maps
//! and sets in order, binary data with its array type. Numbers and bigints are one type and compared
//! exactly, without rounding; minus zero equals zero, NaN equals NaN, an invalid Date another.
//!
//! **Order** is numeric for numbers and bigints, by time for Dates, by Unicode code point for strings,
//! false before true. `$gte` is `$gt` or equal, `$lte` is `$lt` or equal. NaN and invalid Dates are
//! neither above nor below anything. An array is not of any ordered type: `$gt` does not look into it.
//!
//! **Invariants**
//! - [`Filter::parse`] accepts only what is documented here: an unknown operator or a wrong operand is
//!   an error that names its place, never a filter that quietly matches nothing.
//! - [`Filter::matches`] can not fail, and its recursion is bounded by the depth of the filter and of
//!   the value.

mod compare;
mod eval;
mod parse;
mod path;
#[cfg(test)]
mod tests;

pub use compare::equal;
pub use path::FieldPath;

use crate::model::Value;

/// Deepest nesting of a filter: the outermost object is 1 deep, and `$and`, `$or` and `$not` each add
/// 1.
pub const MAX_FILTER_DEPTH: usize = 32;

/// Most conditions in a filter: operators other than `$and`, `$or` and `$not`, bare values, and empty
/// filters. The elements of `$in` are not counted.
pub const MAX_FILTER_CONDITIONS: usize = 1000;

/// A parsed filter: see the table in the documentation of this module.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    root: Node,
}

/// A filter, or a part of one.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Field(FieldPath, Test),
}

/// A condition on one field, which may be missing.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    All(Vec<Self>),
    Not(Box<Self>),
    Exists(bool),
    Equals(Value),
    In(Members),
    Compares(Order, Value),
}

/// An ordering operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// The operand of `$in`: strings, which are the common case and may be many, sorted; and the rest.
#[derive(Debug, Clone, PartialEq)]
struct Members {
    strings: Vec<String>,
    others: Vec<Value>,
}
