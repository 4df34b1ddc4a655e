//! Durable memory for AI agents, swarms and the dashboards that watch them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod error;
pub mod model;
pub mod platform;

pub use error::{Cause, Error, ErrorKind, Result};
