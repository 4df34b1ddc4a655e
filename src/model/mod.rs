//! What is stored: keys, records, batches, values, and the bytes they become.
//!
//! **Invariants**
//! - Everything here is pure: no I/O, no clock, no randomness.
//! - A byte layout is fixed once released: golden fixtures in `tests/golden` hold it, and what one
//!   release writes every later one opens. Integers on disk are little-endian (big-endian inside
//!   keys, for order) and never `usize`.

mod key;
mod value;

pub use key::{Component, Key, KeyBuilder, MAX_COMPONENT_BYTES, Space, check_component};
pub use value::{BigInt, Bytes, BytesKind, MAX_DEPTH, MAX_SAFE_INTEGER, MAX_VALUE_BYTES, Value};
