//! What lies beneath one connection: its file system, its path, and what went wrong there.
//!
//! SQLite turns whatever a file system says into a number. The volume keeps the words, and it keeps a
//! failure after which nothing more may be written.
//!
//! **Invariants**
//! - After a sync that failed, or a write that failed for another reason than lack of space or of
//!   permission, no byte is written any more: a later sync could succeed without what the failed one lost. The
//!   same holds when opening failed: what is not known to be of this format is left as it is.
//! - SQLite knows a file by a token and a suffix (`7`, `7-wal`), never by its path: a path of any length
//!   and any characters stays out of its hands.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::wal::Wal;
use crate::platform::files::{FileError, FileErrorKind, FileResult, FileSystem};

/// What the file system failed of during a call.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The host said no.
    File(FileError),
    /// A page is not what was written.
    Page(u64),
}

/// The files of one connection.
#[derive(Debug)]
pub(super) struct Volume {
    files: Arc<dyn FileSystem>,
    path: Box<str>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<Failure>,
    broken: Option<FileError>,
    /// The write-ahead log, while SQLite has it open.
    wal: Weak<Wal>,
}

/// What was asked of a file when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To open it, read it, or to say something about it.
    Read,
    /// To change it.
    Write,
    /// To make it durable.
    Sync,
}

impl Volume {
    pub(super) fn new(files: Arc<dyn FileSystem>, path: &str) -> Self {
        Self { files, path: path.into(), state: Mutex::default() }
    }

    pub(super) fn files(&self) -> &dyn FileSystem {
        &*self.files
    }

    /// The path of the main file.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The directory that the files lie in.
    pub(super) fn directory(&self) -> &str {
        directory(&self.path)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment: a panic elsewhere leaves nothing half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a file failed of.
    pub(super) fn failed(&self, asked: Asked, error: &FileError) {
        let mut state = self.state();
        let harmless = matches!(error.kind, FileErrorKind::NoSpace | FileErrorKind::PermissionDenied);
        if asked == Asked::Sync || (asked == Asked::Write && !harmless) {
            state.broken.get_or_insert_with(|| error.clone());
        }
        state.latest = Some(Failure::File(error.clone()));
    }

    /// From now on nothing is written, for the reason that `error` gives.
    pub(super) fn give_up(&self, error: FileError) {
        self.state().broken.get_or_insert(error);
    }

    /// Takes note of the write-ahead log, which SQLite has opened.
    pub(super) fn hold(&self, wal: &Arc<Wal>) {
        self.state().wal = Arc::downgrade(wal);
    }

    /// Makes sure that all that SQLite has written is with the host, behind a commit that SQLite takes for done.
    ///
    /// # Errors
    /// What the host said. SQLite counts on what was lost by that: nothing may be written any more.
    pub(super) fn settle(&self) -> FileResult<()> {
        let Some(wal) = self.state().wal.upgrade() else { return Ok(()) };
        wal.send().inspect_err(|error| self.give_up(error.clone()))
    }

    /// Keeps that page `number` is damaged.
    pub(super) fn damaged(&self, number: u64) {
        self.state().latest = Some(Failure::Page(number));
    }

    /// What failed last, once.
    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.state().latest.take()
    }

    /// Begins a call: what failed in an earlier one, unseen by its caller, is none of this one's.
    ///
    /// # Errors
    /// The failure after which nothing may be written any more.
    pub(super) fn begin(&self) -> FileResult<()> {
        let mut state = self.state();
        state.latest = None;
        state.broken.clone().map_or(Ok(()), Err)
    }

    /// The failure after which nothing may be written any more.
    pub(super) fn broken(&self) -> Option<FileError> {
        self.state().broken.clone()
    }
}

/// The directory of `path`, as the file system wants it.
pub(super) fn directory(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(at) => &path[..at],
        None => ".",
    }
}

/// The volumes of every open connection, by their tokens.
#[derive(Debug, Default)]
pub(super) struct Volumes(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    mounted: BTreeMap<u64, Arc<Volume>>,
}

impl Volumes {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The volume and the path that SQLite means by `name`.
    pub(super) fn find(&self, name: &str) -> Option<(Arc<Volume>, String)> {
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        let (token, suffix) = name.split_at(digits);
        let volume = Arc::clone(self.table().mounted.get(&token.parse().ok()?)?);
        let path = format!("{}{suffix}", volume.path());
        Some((volume, path))
    }

    /// Gives `volume` a token, for as long as the [`Mount`] lives.
    pub(super) fn mount(self: Arc<Self>, volume: Volume) -> Mount {
        let volume = Arc::new(volume);
        let token = {
            let mut table = self.table();
            table.next += 1;
            let token = table.next;
            table.mounted.insert(token, Arc::clone(&volume));
            token
        };
        Mount { volumes: self, volume, token }
    }
}

/// A volume that SQLite can reach.
pub(super) struct Mount {
    volumes: Arc<Volumes>,
    volume: Arc<Volume>,
    token: u64,
}

impl Mount {
    pub(super) fn volume(&self) -> &Volume {
        &self.volume
    }

    /// What SQLite calls the main file.
    pub(super) fn name(&self) -> String {
        self.token.to_string()
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount").field("volume", &self.volume).field("token", &self.token).finish()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.volumes.table().mounted.remove(&self.token);
    }
}
