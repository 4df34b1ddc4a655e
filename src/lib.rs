//! Durable memory for AI agents, swarms and the dashboards that watch them: records with versions,
//! transactions, a log of every change, and vector search, over SQLite, readable JSON files or memory.
//! The same core, compiled to WebAssembly, is the npm package `mnemora`; the two read one another's files.
//!
//! # Begin
//!
//! ```sh
//! cargo add mnemora
//! cargo add serde --features derive
//! ```
//!
//! ```
//! use mnemora::stores::{Memory, MemoryOptions, StoreOptions};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct State {
//!     status: String,
//!     step: u32,
//! }
//!
//! #[tokio::main]
//! async fn main() -> mnemora::Result<()> {
//!     // "sqlite://agents.db" keeps it in a file.
//!     let memory = Memory::open("memory:", &MemoryOptions::default()).await?;
//!     let states = memory.store("states", StoreOptions::default())?.of::<State>();
//!     states.save("agent-7", &State { status: "active".into(), step: 1 }).await?;
//!     assert_eq!(states.get("agent-7").await?.map(|state| state.step), Some(1));
//!     memory.close().await
//! }
//! ```
//!
//! Any executor will do: nothing here needs a runtime, and every future is `Send`. `examples/` has an
//! agent over SQLite, tasks on many threads that sell from one stock, and a reader of files.
//!
//! # Which URL gives what
//!
//! | URL | kept in | needs |
//! |---|---|---|
//! | `memory:` | nothing: gone with the last handle | |
//! | `sqlite://path` | one SQLite file | the feature `sqlite` (on by default) |
//! | `json://directory` | files that people can read; all records are held in memory | the feature `json` (on by default) |
//! | `idb://name`, `opfs://name` | a browser's storage | wasm |
//!
//! A file is held by one process at a time; a second one gets [`ErrorKind::Blocked`], with the owner named.
//! [`MemoryOptions::fallback`](stores::MemoryOptions::fallback) declares what to open instead when a storage
//! can not be had; without it that is an error. [`Memory::opened`](stores::Memory::opened) tells what was
//! taken, and [`backends::open_handles`] what is open in the process.
//!
//! # What "stored" means
//!
//! A save returns after the storage has committed, and never before. How much that survives is
//! [`Durability`](backends::Durability): `Relaxed` (the default) the end of the process, `Strict` also the
//! loss of power, as far as the disk obeys. Set it in [`OpenOptions`](backends::OpenOptions), and read what
//! you got in [`Memory::info`](stores::Memory::info). Writes made at the same time share a transaction of
//! the storage; each still gets its own verdict.
//!
//! # Transactions
//!
//! [`Memory::transact`](stores::Memory::transact) runs an async closure until nobody has changed what it
//! read, ranges too: serialisable, on every backend, and without locks that could deadlock. A single record
//! is compared and set by [`Store::save_if`](stores::Store::save_if).
//!
//! # Watching
//!
//! Every change is in a log, in the order of the commits. [`Store::changes`](stores::Store::changes) reads
//! on from any cursor, so nothing is missed; [`Memory::head`](stores::Memory::head) is the cursor of now.
//!
//! # Errors
//!
//! There is one [`Error`]. Its [`kind`](Error::kind) says what can be done about it, its message what was
//! wrong, where, and how to mend it, and [`key`](Error::key) names the record. A record that is damaged is
//! an error for whoever reads it and stops nothing else; [`Memory::verify`](stores::Memory::verify) reads
//! them all.
//!
//! # Features
//!
//! - `json` (default): JSON files.
//! - `sqlite` (default): SQLite, built from its C source, so a C compiler is needed.
//! - `testing`: the conformance suite and the anomaly suite, to run against a backend of your own.
//!
//! The rooms of the crate and the order in which they may import one another are drawn in
//! `ARCHITECTURE.md`; `tests/house` holds it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout))]

pub mod backends;
mod error;
#[cfg(target_family = "wasm")]
pub mod js;
pub mod layers;
pub mod log;
pub mod model;
pub mod paged;
pub mod patterns;
pub mod platform;
pub mod stores;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod vector;

pub use error::{Cause, Error, ErrorKind, Result};
