//! What is stored: keys, records, batches, values, and the bytes they become.
//!
//! **Invariants**
//! - Everything here is pure: no I/O, no clock, no randomness.
//! - A byte layout is fixed once released: golden fixtures in `tests/golden` hold it, and what one
//!   release writes every later one opens. Integers on disk are little-endian (big-endian inside
//!   keys, for order) and never `usize`.

mod batch;
mod bridge;
mod codec;
mod entry;
mod envelope;
mod key;
mod range;
mod sort;
mod value;

pub use batch::{Batch, CommitKind, Committed, Conflict, Precondition, Put, Record, Ticket};
pub use bridge::{Date, Storable};
pub use codec::{decode_value, encode_value, encode_value_into};
pub use entry::{LogEntry, Touch};
pub use envelope::{Envelope, Lineage, set_created};
pub use key::{Component, Key, KeyBuilder, MAX_COMPONENT_BYTES, Space, check_component};
pub use range::{Page, Range};
pub(crate) use sort::{gather, heap_sort_by};
pub use value::{BigInt, Bytes, BytesKind, MAX_DEPTH, MAX_SAFE_INTEGER, MAX_VALUE_BYTES, Value};
