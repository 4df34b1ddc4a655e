//! JSON files: a directory that people can read, and edit while it is closed.
//!
//! All records are held in memory; the files are what survives. So memory bounds what can be kept: for
//! more than some hundred megabytes use `sqlite:`.
//!
//! | file | what |
//! |---|---|
//! | `<namespace>.<space>.jsonl` | the records of one namespace, as of a commit; see `namespace.rs`, `record.rs`, `value.rs`, `name.rs` |
//! | `journal.jsonl` | the commits since then, one line each; see `journal.rs` |
//! | `log.jsonl` | the commit log up to the journal: what each commit touched; see `log.rs` |
//! | `lock` | who has it open |
//! | `*.tmp` of these names | a file that was being written; removed at the next opening |
//!
//! Every other file is left alone. Each line is one JSON object in UTF-8, ended by a line feed; the first
//! of a file says what it is: `{"mnemora":kind,"format":1,...}`.
//!
//! A commit is one append to the journal, with one fsync if it is strict. When the journal is larger than
//! 1 MiB and than the files that it would change, and at close, there is a checkpoint.
//!
//! **Edits by hand** are taken up at the next opening: a record's line without `check` gets the next
//! number as its version, through a commit, so that followers see it; a first line without `check`
//! allows lines to be added, removed and renamed, and makes followers read everything anew. Whatever
//! makes no sense is refused with file and line.
//!
//! **Damage** is never silent and stops as little as it can. A damaged line that still tells its key is
//! given as version 0 of nothing: who reads it finds it damaged, who writes or deletes it mends it.
//! Where the key is not to be told, or lines are missing, records of that namespace that are not found
//! give `Corrupt`, as do listings that come to it and writes to it; the others are read as ever.
//!
//! **Invariants**
//! - The end of a journal line's write (strict: of its sync) is the commit point; the table changes after it.
//! - A file of a namespace says up to which commit it goes. Replaying the journal leaves out what is in
//!   it already, so an opening gives the same state wherever a checkpoint was broken off.
//! - In a checkpoint the journal is durable before what comes of it is, and is replaced last.
//! - No file is replaced that is not the one that was read or written last.
//! - The table holds a damaged key as version 0; `damaged` has its line, which a checkpoint writes as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use self::journal::Journal;
use self::log::Log;
use self::namespace::Damaged;
use self::record::Place;
use super::judge::{check, judge};
use super::lock::Lock;
use super::offload::{Blocking, Offloaded};
use super::table::{Changes, Table};
use super::{Backend, BackendInfo, Durability, MAX_RECORD_BYTES, OpenOptions, ScanPage, Stats, file_error};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record};
use crate::platform::files::{File, FileResult, FileSystem, OpenMode};
use crate::{Error, Result};

mod checkpoint;
mod entry;
mod journal;
mod log;
mod name;
mod namespace;
mod open;
mod record;
mod text;
mod value;

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;

/// The format of every file.
const FORMAT: u64 = 1;

/// The journal is folded into the files when it is larger than this and than what it changes.
const CHECKPOINT_BYTES: u64 = 1 << 20;

/// Opens the JSON files in `directory`, which is made if it is not there.
///
/// # Errors
/// `Blocked` if somebody has it open beyond the time limit, `Version` for a newer format, `Invalid` with
/// file and line for an edit that makes no sense and for foreign files, `Corrupt` with file and line,
/// `Quota`, `Unavailable`.
pub async fn open(
    directory: &str,
    files: Arc<dyn FileSystem>,
    options: &OpenOptions,
) -> Result<Arc<dyn Backend>> {
    let directory = directory.to_owned();
    let durability = options.durability.max(Durability::Relaxed);
    let open = move || JsonFiles::open(Arc::clone(&files), &directory, durability);
    Ok(Arc::new(Offloaded::open(options.timeout_ms, open).await?))
}

/// An open directory: see the top of this file.
#[derive(Debug)]
struct JsonFiles {
    files: Arc<dyn FileSystem>,
    directory: String,
    durability: Durability,
    lock: Lock,
    table: Table,
    journal: Journal,
    log: Log,
    /// The files of namespaces.
    kept: BTreeMap<Place, Kept>,
    /// The places that the journal changes.
    dirty: BTreeSet<Place>,
    damaged: BTreeMap<Key, Damaged>,
    /// What is wrong with the log.
    log_damage: Option<String>,
    /// What the latest checkpoint failed of, and from which length of the journal on to try again.
    trouble: Option<Error>,
    patience: u64,
    data_loss: Option<String>,
}

/// A file of a namespace.
#[derive(Debug)]
struct Kept {
    name: String,
    /// The check of its header.
    check: String,
    /// Its content when it was read or written last; `None` if it was never written.
    content: Option<Content>,
    /// If records of it may be missing: what is wrong.
    broken: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Content {
    length: u64,
    hash: u64,
}

impl Content {
    fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len() as u64, hash: xxh3_64(bytes) }
    }
}

impl JsonFiles {
    /// `Corrupt` if `key` may be missing because its file is broken.
    fn known_absent(&self, key: &Key) -> Result<()> {
        match self.kept.get(&Place::of(key)) {
            Some(Kept { broken: Some(problem), .. }) => {
                Err(Error::corrupt(format!("the record may be there: {problem}")).with_key(key.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The places in `range` of which records may be missing, and what is wrong with each.
    fn broken_in(&self, range: &Range) -> impl Iterator<Item = (Range, &str)> {
        let meet = |one: &Range, other: &Range| other.end().is_none_or(|end| one.start() < end);
        self.kept.iter().filter_map(move |(place, kept)| {
            let problem = kept.broken.as_deref()?;
            let own = place.range();
            (meet(range, &own) && meet(&own, range)).then_some((own, problem))
        })
    }

    /// `Corrupt` if records in `range` may be missing because a file is broken.
    fn known_whole(&self, range: &Range) -> Result<()> {
        self.broken_in(range).next().map_or(Ok(()), |(_, problem)| Err(may_be_missing(problem)))
    }

    /// Cuts a page off where it comes to records that may be missing: what lies before them is given, and
    /// the page after it is the error.
    fn cut(&self, mut found: ScanPage, range: &Range, page: &Page) -> Result<ScanPage> {
        let rest = range.rest(page);
        let broken = self.broken_in(&rest);
        let nearest = if page.reverse {
            broken.max_by(|(one, _), (other, _)| one.end().cmp(&other.end()))
        } else {
            broken.min_by(|(one, _), (other, _)| one.start().cmp(other.start()))
        };
        let Some((own, problem)) = nearest else { return Ok(found) };
        let is_before = |(key, _): &(Key, Record)| {
            let key = key.as_bytes();
            if page.reverse { own.end().is_some_and(|end| key >= end) } else { key < own.start() }
        };
        let before = found.records.partition_point(is_before);
        if before == found.records.len() && found.cursor.is_some() {
            return Ok(found);
        }
        found.records.truncate(before);
        found.cursor = found.records.last().map(|(key, _)| key.clone());
        if before == 0 { Err(may_be_missing(problem)) } else { Ok(found) }
    }

    /// `Corrupt` if a batch depends on what a broken file may hold.
    fn judgeable(&self, batches: &[Batch]) -> Result<()> {
        if self.kept.values().all(|kept| kept.broken.is_none()) {
            return Ok(());
        }
        for batch in batches {
            let puts = batch.puts.iter().map(|put| &put.key);
            let required = batch.preconditions.iter().map(|(key, _)| key);
            puts.chain(&batch.deletes).chain(required).try_for_each(|key| self.known_absent(key))?;
            batch.unchanged.iter().try_for_each(|(range, _)| self.known_whole(range))?;
        }
        Ok(())
    }

    /// Makes a commit durable, carries it out, and folds the journal if that is due.
    fn carry_out(
        &mut self,
        mut changes: Changes,
        edited: &BTreeMap<String, String>,
    ) -> Result<Vec<Result<Committed, Conflict>>> {
        let last = changes.entries.last().map_or(self.table.sequence, |entry| entry.sequence);
        changes.trim_log = changes.trim_log.map(|to| to.min(last)).filter(|&to| to > self.table.trimmed);
        if !changes.entries.is_empty() || changes.trim_log.is_some() || !edited.is_empty() {
            self.journal.append(&changes, edited)?;
        }
        for key in changes.writes.keys() {
            self.damaged.remove(key);
            self.dirty.insert(Place::of(key));
        }
        Ok(self.table.apply(changes))
    }
}

impl Blocking for JsonFiles {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            name: "json",
            durability: self.durability,
            shared: false,
            data_loss: self.data_loss.clone(),
            max_value_bytes: MAX_RECORD_BYTES,
        }
    }

    fn get(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.table.get(keys);
        for (key, _) in keys.iter().zip(&found).filter(|(_, record)| record.is_none()) {
            self.known_absent(key)?;
        }
        Ok(found)
    }

    fn scan(&mut self, range: &Range, page: &Page) -> Result<ScanPage> {
        let found = self.table.scan(range, page)?;
        self.cut(found, range, page)
    }

    fn commit(&mut self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        check(batches, MAX_RECORD_BYTES)?;
        self.journal.usable()?;
        self.judgeable(batches)?;
        let changes = Changes::of(judge(batches, self.table.sequence, &self.table));
        let verdicts = self.carry_out(changes, &BTreeMap::new())?;
        self.checkpoint_if_due();
        Ok(verdicts)
    }

    fn stats(&mut self) -> Result<Stats> {
        Ok(self.table.stats())
    }

    fn check(&mut self) -> Result<Vec<String>> {
        let mut problems: Vec<String> =
            self.damaged.values().map(|damaged| damaged.problem.clone()).collect();
        problems.extend(self.kept.values().filter_map(|kept| kept.broken.clone()));
        problems.extend(self.log_damage.clone());
        problems.extend(self.trouble.as_ref().map(|error| error.message().to_owned()));
        for kept in self.kept.values() {
            match self.unchanged(kept) {
                Ok(()) => {}
                Err(error) => problems.push(error.message().to_owned()),
            }
        }
        Ok(problems)
    }

    fn close(mut self) -> Result<()> {
        let usable = self.journal.usable();
        let folded = if usable.is_ok() && self.journal.has_commits() { self.checkpoint() } else { usable };
        let released = self.lock.release();
        folded.and(released)
    }
}

fn may_be_missing(problem: &str) -> Error {
    Error::corrupt(format!("records may be missing: {problem}"))
}

fn join(directory: &str, name: &str) -> String {
    format!("{directory}/{name}")
}

/// Reads a JSON text that is one `T` and nothing else. The types bound the depth themselves.
fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    reader.disable_recursion_limit();
    let read = T::deserialize(&mut reader).and_then(|read| reader.end().map(|()| read));
    read.map_err(|error| Error::invalid(error.to_string()))
}

fn write_json<T: Serialize>(output: &mut Vec<u8>, what: &T) -> Result<()> {
    serde_json::to_writer(output, what)
        .map_err(|error| Error::internal(format!("a line could not be written: {error}")))
}

/// Kind and format of a file, from its first line.
fn probe(line: &[u8]) -> Option<(String, u64)> {
    #[derive(serde::Deserialize)]
    struct Probe {
        mnemora: String,
        format: u64,
    }
    let probe: Probe = parse(line).ok()?;
    Some((probe.mnemora, probe.format))
}

fn newer(name: &str, format: u64) -> Error {
    Error::version(format!(
        "{name} has format {format}, this release reads up to {FORMAT}; upgrade the package"
    ))
}

const CHECK: &[u8] = b",\"check\":\"";

/// Writes the object `head` as a line, with `check` as its last field.
fn close_with_check(output: &mut Vec<u8>, head: &[u8], check: &str) {
    output.extend_from_slice(&head[..head.len() - 1]);
    output.extend_from_slice(CHECK);
    output.extend_from_slice(check.as_bytes());
    output.extend_from_slice(b"\"}\n");
}

/// The text before a check of 16 digits at the end of `line`, and the check.
fn split_check(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_suffix(b"\"}")?;
    let (rest, check) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
    Some((rest.strip_suffix(CHECK)?, check))
}

fn hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

fn read_all(file: &dyn File) -> FileResult<Vec<u8>> {
    let length = usize::try_from(file.length()?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Puts a file with these bytes in the place of what has that name, durably but for the name.
fn write_new(files: &dyn FileSystem, directory: &str, name: &str, bytes: &[u8]) -> Result<Box<dyn File>> {
    let (path, temporary) = (join(directory, name), join(directory, &format!("{name}.tmp")));
    let written = files.open(&temporary, OpenMode::Create).and_then(|file| {
        file.set_length(0)?;
        file.write_at(bytes, 0)?;
        file.sync()?;
        files.rename(&temporary, &path)?;
        Ok(file)
    });
    written.map_err(|error| {
        // It is in nobody's way, and the next opening tries again.
        let _ = files.remove(&temporary);
        file_error("writing a file", error)
    })
}
