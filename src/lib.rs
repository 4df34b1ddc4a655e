//! Durable memory for AI agents, swarms and the dashboards that watch them.
//!
//! One core, compiled natively and to WebAssembly. The rooms and the order in which they may import
//! one another are drawn in `ARCHITECTURE.md`; `tests/house` holds it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout))]

pub mod backends;
mod error;
#[cfg(target_family = "wasm")]
pub mod js;
pub mod layers;
pub mod log;
pub mod model;
pub mod platform;
pub mod stores;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod vector;

pub use error::{Cause, Error, ErrorKind, Result};
