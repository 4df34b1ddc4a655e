//! The backend that keeps everything in an SQLite file: natively, in Node, and in a browser's worker.
//!
//! One implementation: SQLite stands on a virtual file system (`vfs`) over
//! [`FileSystem`], which the host provides. A file written by
//! one host opens in another. Other programs (the `sqlite3` shell, any SQLite binding) can read it while it
//! is closed here; they must not write to it, since they leave the checksums of its pages as they were,
//! and they must not open it while it is open here, since they do not know the lock file.
//!
//! **Invariants**
//! - One holder at a time, by a lock file next to the database (in a browser by exclusive handles).
//! - A database is three files at the most: itself, `-wal` while it is open or was not closed, `.lock` while it
//!   is open. After `close` it is one.
//! - `strict` syncs the write-ahead log in each commit, `relaxed` when it is moved into the main file.
//! - No damaged page gives a record: see `page`.
//! - Nothing is done to a file that is not of this format.
//!
//! - A commit is one write to the log, and none of it waits in this process once it is acknowledged: see `wal`.
//!
//! Measured natively on a busy machine, so as CPU time (user and system) a record, two runs each: 200,000
//! records of 500 bytes with random keys, one commit each, then 100 a commit, gets of random keys, scans by pages
//! of 1,000, all through [`Backend`]:
//!
//! | | index of the keys (taken) | tree of the keys (`WITHOUT ROWID`) |
//! |---|---|---|
//! | save | 39 to 45 us, 1.7 writes, 0.7 reads | 74 to 89 us, 3.5 writes, 4.4 reads |
//! | save, 100 at once | 15 to 17 us | 48 to 49 us |
//! | get | 15 to 25 us (p50 of the wall clock 13 to 15) | 16 to 17 us (12 to 14) |
//! | scan | 200,000 to 270,000 records/s | 1,000,000 to 1,300,000 records/s |
//!
//! In a tree of their keys inner pages hold whole records, so it is deep, and a random save moves more of it.
//! Saves and gets are what there is most of. With 20,000 records, a save was 7.7 writes and 45 us while each
//! write of SQLite's went to the host by itself and the log was moved every 1,000 frames; it is 1.2 writes and 31 us
//! (overwriting one: 4.9 writes, now 1.7). A log of 4,000 frames that a killed process left takes 10 to 20 ms of
//! CPU time to open.

use std::sync::Arc;

use super::offload::Offloaded;
use super::{Backend, Durability, OpenOptions};
use crate::Result;
use crate::platform::files::FileSystem;

mod database;
mod error;
#[cfg(target_family = "wasm")]
mod opfs;
mod page;
mod read;
mod statement;
#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
mod vfs;
mod volume;
mod wal;
mod write;

#[cfg(target_family = "wasm")]
pub use opfs::open as open_opfs;

/// Opens the SQLite file at `path`; makes it if nothing is there, or an empty file. The directory must
/// be there.
///
/// # Errors
/// `NotFound` if the directory is not there, `Invalid` if the file is something else, `Version` if it is
/// too new, `Corrupt` if it is damaged or cut off (none of these changes the file), `Blocked` if
/// somebody else holds it, `Quota`, `Unavailable`.
pub async fn open(path: &str, files: Arc<dyn FileSystem>, options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    // A file can not offer less than to outlive its process.
    let (path, durability) = (Box::<str>::from(path), options.durability.max(Durability::Relaxed));
    let open = move || database::Database::open(&files, &path, durability);
    Ok(Arc::new(Offloaded::open(options.timeout_ms, open).await?))
}
