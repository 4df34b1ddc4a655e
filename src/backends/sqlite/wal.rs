//! The file of the write-ahead log: one write a commit.
//!
//! SQLite writes each frame of its log as two writes, and a call to the host costs more than SQLite's own work
//! on a page. So what it appends waits here, and goes to the host in one piece when the commit is whole.
//!
//! **Invariants**
//! - A frame whose header marks the end of a commit goes to the host, with all that waits before it, before the
//!   write of its page returns. So no commit that SQLite takes for done has frames that wait, and what fails
//!   then fails inside of the commit, which SQLite takes back.
//! - Only what continues the last write waits. Any other write (the header of a log that begins anew, a frame
//!   that is written over, the second pass over the checksums) goes to the host at once, behind what waits. So
//!   the host sees every byte in the order of SQLite's writes.
//! - Reads and the length show what waits as if it were in the file.
//! - What could not be sent waits no more: it was part of a transaction that is taken back, and its
//!   place belongs to the next one.
//! - No more waits than [`BOUND`] and one page: a large transaction streams.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::page::PAGE_BYTES;
use crate::platform::files::{File, FileResult};

/// How much may wait, in bytes.
const BOUND: usize = 1 << 20;

/// Bytes of the header of a frame, which stands before its page.
pub(super) const FRAME_HEADER_BYTES: usize = 24;

/// Bytes of the header of the log.
pub(super) const HEADER_BYTES: usize = 32;

/// Where a frame's header has the size of the database after the commit; zero in all frames but a commit's last.
const COMMIT_MARK: std::ops::Range<usize> = 4..8;

/// The log of one connection.
#[derive(Debug)]
pub(super) struct Wal {
    file: Box<dyn File>,
    tail: Mutex<Tail>,
}

/// The end of what was written last.
#[derive(Debug, Default)]
struct Tail {
    /// Where the next write continues the last one; `None` if there is none that could be continued.
    end: Option<u64>,
    /// What waits: the bytes before `end`. Its room is kept.
    waiting: Vec<u8>,
    /// Whether the last write was a frame's header with the mark of a commit.
    marked: bool,
}

impl Tail {
    /// Where what waits begins and ends, if anything does.
    fn waits(&self) -> Option<(u64, u64)> {
        let end = self.end.filter(|_| !self.waiting.is_empty())?;
        Some((end - self.waiting.len() as u64, end))
    }

    fn send(&mut self, file: &dyn File) -> FileResult<()> {
        let Some((start, _)) = self.waits() else { return Ok(()) };
        let sent = file.write_at(&self.waiting, start);
        self.waiting.clear();
        if sent.is_err() {
            self.end = None;
        }
        sent
    }
}

impl Wal {
    pub(super) fn new(file: Box<dyn File>) -> Self {
        Self { file, tail: Mutex::default() }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        // A panic elsewhere holds nothing of it: the host's calls do not panic.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// Those of [`File::write_at`]; then nothing waits any more.
    pub(super) fn send(&self) -> FileResult<()> {
        self.tail().send(&*self.file)
    }
}

impl File for Arc<Wal> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize> {
        let tail = self.tail();
        let count = self.file.read_at(buffer, offset)?;
        let Some((start, end)) = tail.waits() else { return Ok(count) };
        let (first, last) = (start.max(offset), end.min(offset + buffer.len() as u64));
        if first >= last {
            return Ok(count);
        }
        let within = |from: u64| (first - from) as usize..(last - from) as usize;
        buffer[within(offset)].copy_from_slice(&tail.waiting[within(start)]);
        Ok(count.max(within(offset).end))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()> {
        let mut tail = self.tail();
        let ends_commit = tail.marked && bytes.len() == PAGE_BYTES;
        tail.marked = bytes.len() == FRAME_HEADER_BYTES && bytes[COMMIT_MARK] != [0; 4];
        if tail.end != Some(offset) {
            tail.send(&*self.file)?;
            tail.end = None;
            self.file.write_at(bytes, offset)?;
            tail.end = Some(offset + bytes.len() as u64);
            return Ok(());
        }
        tail.waiting.extend_from_slice(bytes);
        tail.end = Some(offset + bytes.len() as u64);
        if ends_commit || tail.waiting.len() >= BOUND {
            return tail.send(&*self.file);
        }
        Ok(())
    }

    fn set_length(&self, length: u64) -> FileResult<()> {
        let mut tail = self.tail();
        tail.send(&*self.file)?;
        tail.end = None;
        self.file.set_length(length)
    }

    fn sync(&self) -> FileResult<()> {
        self.send()?;
        self.file.sync()
    }

    fn length(&self) -> FileResult<u64> {
        let tail = self.tail();
        let length = self.file.length()?;
        Ok(tail.waits().map_or(length, |(_, end)| length.max(end)))
    }
}
