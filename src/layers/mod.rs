//! Backends that wrap backends.
//!
//! **Invariants**
//! - A layer forwards every method of the contract itself (`clippy::missing_trait_methods` is
//!   denied here), so that no default can slip past it.
//! - A layer keeps every promise of [`crate::backends`]; the conformance suite runs over it too.

mod cached;
mod group_commit;

pub use cached::{CacheCounters, CacheOptions, Cached, LevelCounters, SecondCounters};
pub use group_commit::GroupCommit;
