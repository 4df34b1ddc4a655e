//! The commit log behind the journal: one entry a line, appended to at each checkpoint.
//!
//! **Invariants**
//! - After a checkpoint it reaches up to the commit that the new journal begins after. What is beyond
//!   that commit is left of a checkpoint that did not end; the journal has it too, and it is cut off.
//! - It is rewritten only when more than half of it was trimmed.
//! - A damaged entry ends the log there: followers from before it are told to read the records anew,
//!   and the damage is named.

use std::sync::Arc;

use super::entry::{Entry, ReadEntry};
use super::{FORMAT, write_new};
use crate::backends::file_error;
use crate::backends::table::Table;
use crate::model::LogEntry;
use crate::platform::files::{FileSystem, OpenMode};
use crate::{Error, Result};

/// The name of its file.
pub(super) const NAME: &str = "log.jsonl";

const HEADER: &[u8] = b"{\"mnemora\":\"log\",\"format\":1}\n";

/// Bytes below which trimmed entries are not worth a rewrite.
const SMALL: u64 = 64 << 10;

/// The log as it lies in its file.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The end of the last entry that is good; 0 if there is no file.
    length: u64,
    /// The last entry in the file.
    last: u64,
    /// How many lines the file has.
    lines: u64,
}

impl Log {
    /// Reads the entries from `trimmed` to `base`, as far back as they reach without a gap. The text says
    /// what is damaged.
    ///
    /// # Errors
    /// `Version`, `Invalid`, `Unavailable`.
    pub(super) fn open(
        files: &Arc<dyn FileSystem>,
        path: &str,
        trimmed: u64,
        base: u64,
    ) -> Result<(Self, Vec<LogEntry>, Option<String>)> {
        let reading = |error| file_error("reading the log", error);
        let bytes = match files.metadata(path).map_err(reading)? {
            Some(_) => {
                let file = files.open(path, OpenMode::Read).map_err(reading)?;
                super::read_all(&*file).map_err(reading)?
            }
            None => Vec::new(),
        };
        let mut log = Self::default();
        let mut damage = None;
        let mut entries: Vec<LogEntry> = Vec::new();
        let mut offset = 0;
        for (index, part) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            offset += part.len() as u64;
            let line = part.strip_suffix(b"\n").unwrap_or(part);
            if index == 0 {
                header(line)?;
                (log.length, log.last) = (offset, trimmed);
                continue;
            }
            match read(line) {
                Some(entry) if entry.sequence > base => break,
                Some(entry) => {
                    if entries.last().is_some_and(|last| last.sequence + 1 != entry.sequence) {
                        entries.clear();
                    }
                    (log.length, log.last, log.lines) = (offset, entry.sequence, index as u64);
                    if entry.sequence > trimmed {
                        entries.push(entry);
                    }
                }
                None => {
                    damage.get_or_insert_with(|| format!("{NAME}:{}: the line is damaged", index + 1));
                }
            }
        }
        if base > trimmed && log.last != base {
            // What is there does not reach the journal: nothing of it can be followed.
            entries.clear();
            damage.get_or_insert_with(|| format!("{NAME}: entries up to {base} are missing"));
        } else if entries.first().map_or(base, |first| first.sequence - 1) <= trimmed {
            // Whatever is damaged was trimmed already, or was never acknowledged.
            damage = None;
        }
        let damage = damage.map(|what| format!("{what}; followers from before it read the records anew"));
        Ok((log, entries, damage))
    }

    /// Makes the file reach the end of `table`'s log, durably.
    ///
    /// # Errors
    /// `Quota`, `Unavailable`; the file then holds at least what it held.
    pub(super) fn reach(
        &mut self,
        files: &Arc<dyn FileSystem>,
        directory: &str,
        table: &Table,
    ) -> Result<()> {
        let kept = table.log.len() as u64;
        let new = table.log.range(self.last + 1..).count() as u64;
        let gap = table.log.range(self.last + 1..).next().is_some_and(|(&first, _)| first != self.last + 1);
        let trimmed = self.lines.saturating_sub(kept - new);
        let rewrite = self.length == 0 || gap || (self.length > SMALL && trimmed * 2 > self.lines);
        if !rewrite && new == 0 {
            return Ok(());
        }
        let mut bytes = if rewrite { HEADER.to_vec() } else { Vec::new() };
        let first = if rewrite { 0 } else { self.last + 1 };
        for entry in table.log.range(first..).map(|(_, entry)| entry) {
            write(&mut bytes, entry)?;
        }
        let writing = |error| file_error("writing the log", error);
        if rewrite {
            write_new(&**files, directory, NAME, &bytes)?;
            (self.length, self.lines) = (bytes.len() as u64, kept);
        } else {
            let file = files.open(&super::join(directory, NAME), OpenMode::Write).map_err(writing)?;
            file.set_length(self.length).map_err(writing)?;
            file.write_at(&bytes, self.length).map_err(writing)?;
            file.sync().map_err(writing)?;
            self.length += bytes.len() as u64;
            self.lines += new;
        }
        self.last = table.sequence;
        Ok(())
    }
}

fn header(line: &[u8]) -> Result<()> {
    match super::probe(line) {
        Some((kind, format)) if kind == "log" && format > FORMAT => Err(super::newer(NAME, format)),
        Some((kind, FORMAT)) if kind == "log" => Ok(()),
        _ if line.starts_with(b"{\"mnemora\"") => Err(Error::corrupt(format!(
            "{NAME}:1: the line is damaged; write it as {}",
            HEADER.escape_ascii()
        ))),
        _ => Err(Error::invalid(format!("{NAME}:1: this is no log of ours; choose another directory"))),
    }
}

fn write(bytes: &mut Vec<u8>, entry: &LogEntry) -> Result<()> {
    let mut head = Vec::new();
    super::write_json(&mut head, &Entry { entry, writes: None })?;
    let check = super::hash(&head[..head.len() - 1]);
    super::close_with_check(bytes, &head, &format!("{check:016x}"));
    Ok(())
}

fn read(line: &[u8]) -> Option<LogEntry> {
    let (head, check) = super::split_check(line)?;
    if check != format!("{:016x}", super::hash(head)).as_bytes() {
        return None;
    }
    let read: ReadEntry = super::parse(line).ok()?;
    Some(read.read().ok()?.0)
}
