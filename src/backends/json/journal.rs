//! The journal: commits that the files of the namespaces may not hold yet.
//!
//! The first line says after which commit it begins, up to where the log was trimmed, and which files of
//! namespaces there are, each with its check. Then a line a physical commit:
//! `{"batches":[entries with their records],"trimmed":n,"edited":{...},"synced":offset,"check":"..."}`.
//! The check is the xxh3-64 of the text before it, seeded with the check of the first line and the
//! offset of its own.
//!
//! **Invariants**
//! - A commit is one line, written by one call: it is there whole or not at all.
//! - `synced` is how much of the file was durable when the line was written. So a line that is not whole
//!   is known to be damaged if a later one says that it was durable; else it was never acknowledged, or
//!   not as strict, and is cut off with what follows it.
//! - A line that failed is made unreadable before the error is given. Where that fails too, and after a
//!   failed sync, the outcome is unknown, and nothing more is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::entry::{Entry, ReadEntry};
use super::{FORMAT, write_new};
use crate::backends::file_error;
use crate::backends::table::Changes;
use crate::model::{Key, LogEntry, Record};
use crate::platform::files::{File, FileErrorKind, FileSystem, OpenMode};
use crate::{Error, Result};

/// The name of its file.
pub(super) const NAME: &str = "journal.jsonl";

const KIND: &str = "journal";

/// The first line.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    mnemora: String,
    format: u64,
    /// The commit that it begins after.
    pub(super) sequence: u64,
    /// Up to where the log is trimmed.
    pub(super) trimmed: u64,
    /// The files of namespaces that there are, and the check of each.
    pub(super) files: BTreeMap<String, String>,
    #[serde(default, skip_serializing)]
    check: String,
}

impl Header {
    /// A header.
    pub(super) fn new(sequence: u64, trimmed: u64, files: BTreeMap<String, String>) -> Self {
        Self { mnemora: KIND.to_owned(), format: FORMAT, sequence, trimmed, files, check: String::new() }
    }

    /// The line, and the seed of those that follow.
    fn line(&self) -> Result<(Vec<u8>, u64)> {
        let mut head = Vec::new();
        super::write_json(&mut head, self)?;
        let seed = super::hash(&head);
        let mut line = Vec::with_capacity(head.len() + 32);
        super::close_with_check(&mut line, &head, &format!("{seed:016x}"));
        Ok((line, seed))
    }

    fn read(line: &[u8]) -> Result<(Self, u64)> {
        match super::probe(line) {
            Some((kind, format)) if kind == KIND && format > FORMAT => {
                return Err(super::newer(NAME, format));
            }
            None if !line.starts_with(b"{\"mnemora\":") && !line.is_empty() => {
                return Err(Error::invalid(format!(
                    "{NAME}:1: this is no journal of ours; choose another directory"
                )));
            }
            _ => {}
        }
        let damaged =
            || Error::corrupt(format!("{NAME}:1: the line is damaged; restore the directory from a copy"));
        let header: Self = super::parse(line).map_err(|error| damaged().with_source(error))?;
        let (_, seed) = header.line()?;
        let whole =
            header.mnemora == KIND && header.format == FORMAT && header.check == format!("{seed:016x}");
        if whole { Ok((header, seed)) } else { Err(damaged()) }
    }
}

/// A commit as the journal has it.
#[derive(Debug)]
pub(super) struct Commit {
    /// Its entries, each with the records that it put and that no later one of the same commit changed.
    pub(super) batches: Vec<(LogEntry, Vec<(Key, Record)>)>,
    /// Up to where it trimmed the log.
    pub(super) trimmed: Option<u64>,
    /// The files whose edits it took up, and the hash of their content.
    pub(super) edited: BTreeMap<String, String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadCommit {
    batches: Vec<ReadEntry>,
    trimmed: Option<u64>,
    #[serde(default)]
    edited: BTreeMap<String, String>,
    synced: u64,
    #[serde(rename = "check")]
    _check: String,
}

struct Line<'a> {
    changes: &'a Changes,
    edited: &'a BTreeMap<String, String>,
    synced: u64,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let writes = Some(&self.changes.writes);
        let batches: Vec<_> = self.changes.entries.iter().map(|entry| Entry { entry, writes }).collect();
        map.serialize_entry("batches", &batches)?;
        if let Some(trimmed) = self.changes.trim_log {
            map.serialize_entry("trimmed", &trimmed)?;
        }
        if !self.edited.is_empty() {
            map.serialize_entry("edited", self.edited)?;
        }
        map.serialize_entry("synced", &self.synced)?;
        map.end()
    }
}

/// What a journal held when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// The journal, to go on with.
    pub(super) journal: Journal,
    /// Its first line.
    pub(super) header: Header,
    /// Its commits.
    pub(super) commits: Vec<Commit>,
    /// What was cut off its end, if that may have been acknowledged.
    pub(super) lost: Option<String>,
}

/// Whether more can be written.
#[derive(Debug)]
enum State {
    Sound,
    /// A failed line still stands, unreadable, behind the good ones.
    Torn,
    /// What is stored is unknown; why.
    Unknown(Error),
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: Box<dyn File>,
    strict: bool,
    seed: u64,
    /// The end of the last good line.
    length: u64,
    /// Up to where it is durable.
    synced: u64,
    /// The end of the first line.
    start: u64,
    state: State,
    line: Vec<u8>,
    head: Vec<u8>,
}

impl Journal {
    /// Puts a journal without commits in the place of what there is.
    ///
    /// # Errors
    /// `Quota`, `Unavailable`; then the old journal stands. The flag says that the new one stands, but
    /// may not survive a loss of power.
    pub(super) fn begin(
        files: &Arc<dyn FileSystem>,
        directory: &str,
        header: &Header,
        strict: bool,
    ) -> Result<Self, (Error, bool)> {
        let (line, seed) = header.line().map_err(|error| (error, false))?;
        let file = write_new(&**files, directory, NAME, &line).map_err(|error| (error, false))?;
        files
            .sync_directory(directory)
            .map_err(|error| (file_error("making the journal durable", error), true))?;
        Ok(Self::at(file, strict, seed, line.len() as u64))
    }

    fn at(file: Box<dyn File>, strict: bool, seed: u64, start: u64) -> Self {
        let (length, synced, state) = (start, start, State::Sound);
        Self { file, strict, seed, length, synced, start, state, line: Vec::new(), head: Vec::new() }
    }

    /// Opens the journal that is there.
    ///
    /// # Errors
    /// `Corrupt` with file and line, `Version`, `Invalid`, `Unavailable`.
    pub(super) fn open(files: &Arc<dyn FileSystem>, path: &str, strict: bool) -> Result<Opened> {
        let reading = |error| file_error("reading the journal", error);
        let file = files.open(path, OpenMode::Write).map_err(reading)?;
        let bytes = super::read_all(&*file).map_err(reading)?;
        let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let (header, seed) = Header::read(first)?;
        let start = first.len() as u64 + 1;
        if bytes.len() < first.len() + 1 {
            return Err(Error::corrupt(format!(
                "{NAME}:1: the line is cut off; restore the directory from a copy"
            )));
        }
        let mut journal = Self::at(file, strict, seed, start);
        let (commits, lost) = journal.replay(&bytes, header.sequence)?;
        journal.settle(&bytes)?;
        Ok(Opened { journal, header, commits, lost })
    }

    /// Makes durable what was read, which must not vanish again, and nothing else.
    fn settle(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.len() as u64 == self.start {
            return Ok(());
        }
        if self.length < bytes.len() as u64 {
            self.file.set_length(self.length).map_err(|error| file_error("cutting the journal", error))?;
        }
        // The same bytes once more: after a sync that failed, they may be what the system remembers and the
        // disk does not have, and no later sync alone writes them.
        let good = &bytes[self.start as usize..self.length as usize];
        match self.file.write_at(good, self.start) {
            // Where there is no room even for that, it is still to be read.
            Err(error) if error.kind != FileErrorKind::NoSpace => {
                return Err(file_error("writing the journal", error));
            }
            _ => {}
        }
        self.synced = 0;
        self.sync()
    }

    /// Reads the lines after the first and finds the end of the good ones.
    fn replay(&mut self, bytes: &[u8], sequence: u64) -> Result<(Vec<Commit>, Option<String>)> {
        let mut commits = Vec::new();
        let mut last = sequence;
        let mut number = 1;
        while self.length < bytes.len() as u64 {
            number += 1;
            let rest = &bytes[self.length as usize..];
            let Some((line, length)) = self.whole(rest, self.length) else {
                return Ok((commits, self.judge_tail(bytes, number)?));
            };
            let damaged = |what: &str| {
                Error::corrupt(format!("{NAME}:{number}: {what}; restore the directory from a copy"))
            };
            let commit =
                read_commit(line).map_err(|error| damaged("the line makes no sense").with_source(error))?;
            for (entry, _) in &commit.batches {
                if entry.sequence != last + 1 {
                    return Err(damaged("commits before it are missing"));
                }
                last = entry.sequence;
            }
            commits.push(commit);
            self.length += length;
        }
        Ok((commits, None))
    }

    /// The line that `rest` begins with, if its check is right, and its length with the line's end.
    fn whole<'a>(&self, rest: &'a [u8], offset: u64) -> Option<(&'a [u8], u64)> {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = &rest[..end];
        let (head, check) = super::split_check(line)?;
        let expected = format!("{:016x}", xxh3_64_with_seed(head, self.seed.wrapping_add(offset)));
        (check == expected.as_bytes()).then_some((line, end as u64 + 1))
    }

    /// Looks at what follows the good lines: `Corrupt` if a line after it tells that it was durable;
    /// otherwise what may have been lost.
    fn judge_tail(&self, bytes: &[u8], number: usize) -> Result<Option<String>> {
        let mut later = 0;
        let mut offset = self.length;
        for part in bytes[self.length as usize..].split_inclusive(|&byte| byte == b'\n') {
            if let Some((line, _)) = self.whole(part, offset) {
                let read: ReadCommit = super::parse(line)?;
                if read.synced > self.length {
                    return Err(Error::corrupt(format!(
                        "{NAME}:{number}: the line is damaged, and commits after it were acknowledged; restore the directory \
                         from a copy"
                    )));
                }
                later += 1;
            }
            offset += part.len() as u64;
        }
        let ended = bytes[self.length as usize..].iter().position(|&byte| byte == b'\n').is_some();
        let lost = bytes.len() as u64 - self.length;
        Ok((later > 0 || ended).then(|| {
            format!(
                "{NAME}:{number}: the journal was not whole from this line on; its last {lost} bytes, with {later} commits that \
                 were not yet durable, were cut off"
            )
        }))
    }

    /// Whether it holds commits.
    pub(super) fn has_commits(&self) -> bool {
        self.length > self.start
    }

    /// The length of its commits, in bytes.
    pub(super) fn commits_length(&self) -> u64 {
        self.length - self.start
    }

    /// Whether more can be written.
    ///
    /// # Errors
    /// `Unavailable` after a write whose outcome is unknown.
    pub(super) fn usable(&self) -> Result<()> {
        match &self.state {
            State::Unknown(cause) => Err(Error::unavailable(
                "an earlier write failed so that it is unknown what is stored, and nothing more is written; close and open \
                 again",
            )
            .with_source(cause.clone())),
            State::Sound | State::Torn => Ok(()),
        }
    }

    /// Nothing more is to be written, because of `cause`.
    pub(super) fn give_up(&mut self, cause: Error) {
        self.state = State::Unknown(cause);
    }

    /// Writes a commit.
    ///
    /// # Errors
    /// `Quota` or `Unavailable`: it is not stored. `Unavailable` that says so: whether it is stored is
    /// unknown.
    pub(super) fn append(&mut self, changes: &Changes, edited: &BTreeMap<String, String>) -> Result<()> {
        self.usable()?;
        if matches!(self.state, State::Torn) {
            self.file.set_length(self.length).map_err(|error| file_error("cutting the journal", error))?;
            self.state = State::Sound;
        }
        self.head.clear();
        self.line.clear();
        super::write_json(&mut self.head, &Line { changes, edited, synced: self.synced })?;
        let body = &self.head[..self.head.len() - 1];
        let check = xxh3_64_with_seed(body, self.seed.wrapping_add(self.length));
        super::close_with_check(&mut self.line, &self.head, &format!("{check:016x}"));
        if let Err(error) = self.file.write_at(&self.line, self.length) {
            let error = file_error("writing the journal", error);
            self.undo(&error)?;
            return Err(error);
        }
        self.length += self.line.len() as u64;
        if self.strict {
            self.sync()?;
        }
        shrink(&mut self.line);
        shrink(&mut self.head);
        Ok(())
    }

    /// Makes sure that a failed line is never read.
    fn undo(&mut self, cause: &Error) -> Result<()> {
        if self.file.set_length(self.length).is_err() {
            // Over what is there already, which needs no room; a line that begins so is none.
            if self.file.write_at(b"\0", self.length).is_err() {
                return self.unknown(cause);
            }
            self.state = State::Torn;
        }
        if self.strict && self.file.sync().is_err() {
            return self.unknown(cause);
        }
        Ok(())
    }

    fn unknown(&mut self, cause: &Error) -> Result<()> {
        self.give_up(cause.clone());
        Err(Error::unavailable(format!(
            "whether the commit is stored is unknown ({}); close, open again and read before you retry",
            cause.message()
        ))
        .with_source(cause.clone()))
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// `Unavailable`: what is durable is unknown, and nothing more is written.
    pub(super) fn sync(&mut self) -> Result<()> {
        if self.synced == self.length {
            return Ok(());
        }
        if let Err(error) = self.file.sync() {
            return self.unknown(&file_error("making the journal durable", error));
        }
        self.synced = self.length;
        Ok(())
    }
}

fn read_commit(line: &[u8]) -> Result<Commit> {
    let read: ReadCommit = super::parse(line)?;
    let batches = read.batches.into_iter().map(ReadEntry::read).collect::<Result<_>>()?;
    Ok(Commit { batches, trimmed: read.trimmed, edited: read.edited })
}

/// Gives back the memory of an unusually large commit.
fn shrink(buffer: &mut Vec<u8>) {
    const KEPT: usize = 1 << 20;
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    }
}
