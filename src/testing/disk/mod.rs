//! A simulated disk: files in memory whose every write is recorded, whose power can be cut at any
//! moment, and which fails when it is told to.
//!
//! # What a loss of power leaves
//! The rules are the strict reading of POSIX that the crash tests of SQLite and LevelDB assume.
//!
//! - **Data.** What was written to a file before a [`sync`](File::sync) of it that succeeded is there.
//!   Of each later write, the whole, nothing, or any choice of its 512-byte sectors is there, and each
//!   write fares by itself, so a later one may survive an earlier one. Bytes that were not written do
//!   not change. A change of length is there or not. A file may have the length it had grown to with
//!   zeros in place of the data.
//! - **Names.** Making, linking, renaming and removing a file, and making a directory, last once
//!   [`sync_directory`](FileSystem::sync_directory) of the directory (for a rename, the one it goes to)
//!   has succeeded. To sync a file does not make its name last. Each such step that was not synced is
//!   done or undone as a whole and by itself. A directory that is lost takes with it what is in it.
//! - **A sync that failed** leaves the writes before it in doubt for ever: a later sync does not make
//!   them durable (as on Linux, where the pages count as clean after the error).
//!
//! Not modelled: disks that lie about a sync, and sectors that change without being written; for these
//! there is [`SimulatedDisk::damage`].
//!
//! **Invariants**
//! - The same calls give the same recording, and the same seed the same loss.
//! - A failing call has no effect, but for a write on a full disk, which leaves what fitted.
//! - A disk made by [`Outage::restart`] shares nothing with the one it was recorded from.

mod outage;
mod recording;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::Xxh3;

pub use outage::{Loss, Outage};
pub use recording::{Operation, Recording};
pub use state::NodeId;
use state::State;

use crate::platform::files::{
    File, FileError, FileErrorKind, FileResult, FileSystem, Metadata, OpenMode, Process,
};

/// What fails, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Any call, with an I/O error.
    Io,
    /// Calls that need space, for want of it.
    NoSpace,
    /// Syncs of files and directories.
    Sync,
}

/// A simulated disk. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    process: Process,
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimulatedDisk {
    /// An empty disk, with nothing but the root directory.
    #[must_use]
    pub fn new() -> Self {
        Self::over(State::default())
    }

    fn over(state: State) -> Self {
        let process = Process { id: 1, started: format!("run {}", state.runs) };
        Self { state: Arc::new(Mutex::new(state)), process }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked has failed already; the state is whole between calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk as the next process finds it when this one ends without a loss of power: everything
    /// written is there. The processes before it are dead.
    #[must_use]
    pub fn next_process(&self) -> Self {
        let mut state = self.state();
        state.runs += 1;
        let process = Process { id: 1, started: format!("run {}", state.runs) };
        Self { state: Arc::clone(&self.state), process }
    }

    /// Everything done since the disk was made.
    #[must_use]
    pub fn recording(&self) -> Recording {
        Recording { operations: self.state().operations.clone() }
    }

    /// How many operations were recorded so far.
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.state().operations.len()
    }

    /// How many calls were made so far, also those that only read.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// Makes the first call that `fault` applies to fail, once `after` more calls were made; with
    /// `lasting`, every one from then on.
    pub fn fail(&self, fault: Fault, after: usize, lasting: bool) {
        let mut state = self.state();
        let from = state.calls + after;
        state.fault = Some(state::Planned { fault, from, lasting, met: None });
    }

    /// Ends all failing. Gives the number of the first call that failed, if one did: as many calls were
    /// made before it.
    pub fn heal(&self) -> Option<usize> {
        self.state().fault.take()?.met
    }

    /// Limits the bytes that fit on the disk.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// The path and length of every file.
    #[must_use]
    pub fn files(&self) -> Vec<(String, u64)> {
        let state = self.state();
        state.names.iter().map(|(path, &node)| (path.clone(), state.nodes[node].bytes.len() as u64)).collect()
    }

    /// What is on the disk, as a number: two disks with the same one hold the same files and directories.
    #[must_use]
    pub fn digest(&self) -> u128 {
        let state = self.state();
        let mut hash = Xxh3::new();
        let mut add = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for (path, &node) in &state.names {
            add(path.as_bytes());
            add(&state.nodes[node].bytes);
        }
        state.directories.iter().for_each(|path| add(path.as_bytes()));
        hash.digest128()
    }

    /// A copy of the disk, which shares nothing with it and has nothing recorded.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::over(self.state().settled())
    }

    /// Changes the bytes of a file behind the back of whoever wrote it; `change` may also cut it.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn damage(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let node = *state.names.get(path).expect("there is a file to damage");
        change(Arc::make_mut(&mut state.nodes[node].bytes));
    }
}

/// An open file of a simulated disk.
#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    node: NodeId,
    path: Box<str>,
    writable: bool,
}

impl SimulatedFile {
    fn check_writable(&self) -> FileResult<()> {
        if self.writable {
            return Ok(());
        }
        Err(failed(FileErrorKind::PermissionDenied, &self.path, "was opened to be read"))
    }
}

fn failed(kind: FileErrorKind, path: &str, what: &str) -> FileError {
    FileError { kind, message: format!("{path}: {what}") }
}

impl FileSystem for SimulatedDisk {
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>> {
        let path = state::clean(path);
        let node = self.state().open(&path, mode)?;
        let writable = mode != OpenMode::Read;
        Ok(Box::new(SimulatedFile { disk: self.clone(), node, path: path.into(), writable }))
    }

    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>> {
        self.state().metadata(&state::clean(path))
    }

    fn list(&self, directory: &str) -> FileResult<Vec<String>> {
        self.state().list(&state::clean(directory))
    }

    fn create_directory(&self, path: &str) -> FileResult<()> {
        self.state().create_directory(&state::clean(path))
    }

    fn rename(&self, from: &str, to: &str) -> FileResult<()> {
        self.state().rename(&state::clean(from), &state::clean(to))
    }

    fn link(&self, from: &str, to: &str) -> FileResult<()> {
        self.state().link(&state::clean(from), &state::clean(to))
    }

    fn remove(&self, path: &str) -> FileResult<()> {
        self.state().remove(&state::clean(path))
    }

    fn sync_directory(&self, path: &str) -> FileResult<()> {
        self.state().sync_directory(&state::clean(path))
    }

    fn absolute(&self, path: &str) -> FileResult<String> {
        Ok(state::clean(path))
    }

    fn process(&self) -> Process {
        self.process.clone()
    }

    fn is_running(&self, process: &Process) -> bool {
        process.started == format!("run {}", self.state().runs)
    }
}

impl File for SimulatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize> {
        self.disk.state().read(self.node, &self.path, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()> {
        self.check_writable()?;
        self.disk.state().write(self.node, &self.path, bytes, offset)
    }

    fn set_length(&self, length: u64) -> FileResult<()> {
        self.check_writable()?;
        self.disk.state().set_length(self.node, &self.path, length)
    }

    fn sync(&self) -> FileResult<()> {
        self.disk.state().sync(self.node, &self.path)
    }

    fn length(&self) -> FileResult<u64> {
        self.disk.state().length(self.node, &self.path)
    }
}
