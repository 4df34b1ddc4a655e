//! The backend that keeps everything in an SQLite file: natively, in Node, and in a browser's worker.
//!
//! One implementation: SQLite stands on a virtual file system (`vfs`) over
//! [`FileSystem`](crate::platform::files::FileSystem), which the host provides. A file written by
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
//! Measured, at 300,000 records of 500 bytes: records in a table of their own with an index of their keys take a
//! random load 4 times as fast as in the tree of their keys (`WITHOUT ROWID`, where inner pages hold whole
//! records) and single saves 1.5 times; gets are equal; scans are half as fast, at 60,000 records/s and more. Pages
//! of 8 KiB cost a third of the saves.

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
