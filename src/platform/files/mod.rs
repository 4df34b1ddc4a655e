//! Files: the host's file system, as the backends that keep files see it.
//!
//! Calls block. Whoever must not be blocked runs them on a [`Worker`](super::Worker). The trait is
//! what SQLite's virtual file system and the JSON backend stand on, natively and in wasm, and what a
//! test replaces to cut the power.
//!
//! **Invariants**
//! - A path is UTF-8 with `/` between its parts (natively also whatever the host takes). Nothing here
//!   builds a path from what a user stored.
//! - [`File::sync`] returns after everything written to that file would survive a loss of power, as
//!   far as the disk obeys; [`FileSystem::sync_directory`] does the same for the names in a directory.
//! - [`FileSystem::rename`] and [`FileSystem::link`] are atomic: whoever looks sees the old or the new.
//! - A call fails with a [`FileError`] and never panics.

use std::fmt;

use super::{MaybeSend, MaybeSync};

#[cfg(target_family = "wasm")]
mod host;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
pub use host::HostFiles;
#[cfg(not(target_family = "wasm"))]
pub use native::NativeFiles;

/// Result of a call on files.
pub type FileResult<T> = Result<T, FileError>;

/// What a call on files failed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileErrorKind {
    /// There is nothing at the path, or a directory in it is missing.
    NotFound,
    /// Something is there already.
    AlreadyExists,
    /// The host does not allow it: permissions, a read-only file system.
    PermissionDenied,
    /// The disk or the quota is full.
    NoSpace,
    /// Another holder stands in the way.
    Busy,
    /// Anything else; the message tells.
    Other,
}

/// A call on files that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// What to do about it.
    pub kind: FileErrorKind,
    /// What the host says, with the path.
    pub message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FileError {}

/// How to open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// To read; it must be there.
    Read,
    /// To read and write; it must be there.
    Write,
    /// To read and write; it is made if it is not there.
    Create,
    /// To read and write; it must not be there yet.
    CreateNew,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written to, in milliseconds since the Unix epoch.
    pub modified_ms: u64,
    /// Whether it is a directory.
    pub directory: bool,
}

/// A process, told apart from later ones that are given the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// What the host knows of its beginning, such as Linux's boot id and start time; empty if nothing.
    pub started: String,
}

/// The host's file system.
pub trait FileSystem: fmt::Debug + MaybeSend + MaybeSync + 'static {
    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `PermissionDenied`, `NoSpace`, `Busy`.
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>>;

    /// What is at `path`; `None` if nothing.
    ///
    /// # Errors
    /// `PermissionDenied`.
    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>>;

    /// The names in a directory, in no order, without `.` and `..`.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    fn list(&self, directory: &str) -> FileResult<Vec<String>>;

    /// Makes a directory and those above it that are missing. That it is there already is no error.
    ///
    /// # Errors
    /// `PermissionDenied`, `NoSpace`, `AlreadyExists` if a file is in its place.
    fn create_directory(&self, path: &str) -> FileResult<()>;

    /// Gives a file another name, in place of what had that name.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `NoSpace`.
    fn rename(&self, from: &str, to: &str) -> FileResult<()>;

    /// Gives a file a second name, which nothing may have yet.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `PermissionDenied`, `NoSpace`.
    fn link(&self, from: &str, to: &str) -> FileResult<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    fn remove(&self, path: &str) -> FileResult<()>;

    /// Makes the names in a directory durable: files made, renamed and removed.
    ///
    /// # Errors
    /// `NotFound`, `NoSpace`.
    fn sync_directory(&self, path: &str) -> FileResult<()>;

    /// The path from the root, with links followed as far as it exists: one name for one file.
    ///
    /// # Errors
    /// `PermissionDenied`.
    fn absolute(&self, path: &str) -> FileResult<String>;

    /// The process that this runs in.
    fn process(&self) -> Process;

    /// Whether `process` still runs. `true` where the host can not tell.
    fn is_running(&self, process: &Process) -> bool;
}

/// An open file. Dropping it closes it.
pub trait File: fmt::Debug + MaybeSend + MaybeSync {
    /// Fills `buffer` from `offset` on; fewer bytes only at the end of the file.
    ///
    /// # Errors
    /// `Other`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize>;

    /// Writes all of `bytes` at `offset`; the file grows as needed.
    ///
    /// # Errors
    /// `NoSpace`, `PermissionDenied`; then part of it may be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()>;

    /// Cuts the file, or grows it with zeros.
    ///
    /// # Errors
    /// `NoSpace`.
    fn set_length(&self, length: u64) -> FileResult<()>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// `NoSpace`, `Other`; then what is durable is unknown, and a later sync does not tell.
    fn sync(&self) -> FileResult<()>;

    /// Its length in bytes.
    ///
    /// # Errors
    /// `Other`.
    fn length(&self) -> FileResult<u64>;
}
