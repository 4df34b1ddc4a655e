//! What is done to whole stores, over any backend.
//!
//! **Invariants**
//! - Nothing here holds a whole store in memory: everything goes by pages.
//! - What was begun and not finished can be told from what is complete.

pub mod copy;
