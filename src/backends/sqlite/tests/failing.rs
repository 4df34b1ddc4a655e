//! A file system that counts its calls, and fails when it is told to.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use super::*;
use crate::platform::files::{File, FileError, FileErrorKind, FileResult, Metadata, OpenMode, Process};

/// What shall fail.
#[derive(Debug)]
pub(super) struct Rules {
    /// Bytes that may still be written.
    pub(super) space: AtomicI64,
    /// Whether syncs fail.
    pub(super) syncs_fail: AtomicBool,
    /// Whether no file can be opened to be written.
    pub(super) read_only: AtomicBool,
    /// Calls that were made.
    pub(super) reads: AtomicUsize,
    pub(super) writes: AtomicUsize,
    pub(super) syncs: AtomicUsize,
}

/// The file system of the machine, which fails by its rules.
#[derive(Debug)]
pub(super) struct Failing(pub(super) Arc<Rules>);

impl Failing {
    pub(super) fn working() -> (Arc<dyn FileSystem>, Arc<Rules>) {
        let rules = Arc::new(Rules {
            space: AtomicI64::new(i64::MAX),
            syncs_fail: AtomicBool::new(false),
            read_only: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            syncs: AtomicUsize::new(0),
        });
        (Arc::new(Self(Arc::clone(&rules))), rules)
    }
}

#[derive(Debug)]
struct FailingFile {
    file: Box<dyn File>,
    rules: Arc<Rules>,
}

fn failure(kind: FileErrorKind, message: &str) -> FileError {
    FileError { kind, message: message.into() }
}

impl File for FailingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize> {
        self.rules.reads.fetch_add(1, Ordering::Relaxed);
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()> {
        self.rules.writes.fetch_add(1, Ordering::Relaxed);
        let before = self.rules.space.fetch_sub(bytes.len() as i64, Ordering::Relaxed);
        if before < bytes.len() as i64 {
            // A disk that fills up takes a part.
            let part = usize::try_from(before.max(0)).unwrap_or(0);
            self.file.write_at(&bytes[..part], offset)?;
            return Err(failure(FileErrorKind::NoSpace, "no space is left on the test's disk"));
        }
        self.file.write_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> FileResult<()> {
        self.file.set_length(length)
    }

    fn sync(&self) -> FileResult<()> {
        self.rules.syncs.fetch_add(1, Ordering::Relaxed);
        if self.rules.syncs_fail.load(Ordering::Relaxed) {
            return Err(failure(FileErrorKind::Other, "the test's disk does not sync"));
        }
        self.file.sync()
    }

    fn length(&self) -> FileResult<u64> {
        self.file.length()
    }
}

impl FileSystem for Failing {
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>> {
        if mode != OpenMode::Read && self.0.read_only.load(Ordering::Relaxed) {
            return Err(failure(FileErrorKind::PermissionDenied, "the test's disk is read-only"));
        }
        let file = NativeFiles.open(path, mode)?;
        Ok(Box::new(FailingFile { file, rules: Arc::clone(&self.0) }))
    }
    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>> {
        NativeFiles.metadata(path)
    }
    fn list(&self, directory: &str) -> FileResult<Vec<String>> {
        NativeFiles.list(directory)
    }
    fn create_directory(&self, path: &str) -> FileResult<()> {
        NativeFiles.create_directory(path)
    }
    fn rename(&self, from: &str, to: &str) -> FileResult<()> {
        NativeFiles.rename(from, to)
    }
    fn link(&self, from: &str, to: &str) -> FileResult<()> {
        NativeFiles.link(from, to)
    }
    fn remove(&self, path: &str) -> FileResult<()> {
        NativeFiles.remove(path)
    }
    fn sync_directory(&self, path: &str) -> FileResult<()> {
        NativeFiles.sync_directory(path)
    }
    fn absolute(&self, path: &str) -> FileResult<String> {
        NativeFiles.absolute(path)
    }
    fn process(&self) -> Process {
        NativeFiles.process()
    }
    fn is_running(&self, process: &Process) -> bool {
        NativeFiles.is_running(process)
    }
}
