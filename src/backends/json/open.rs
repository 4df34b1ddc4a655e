//! Opening a directory: lock, journal, files, log, edits.
//!
//! **Invariant**: the table that comes out is that of the commits that were acknowledged, with the edits
//! of people as the newest commit; or the directory is left as it was and the error says what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::journal::{self, Commit, Header, Journal, Opened};
use super::log::{self, Log};
use super::namespace::{self, Loaded};
use super::record::Place;
use super::{Content, JsonFiles, Kept, join, name, read_all};
use crate::backends::lock::Lock;
use crate::backends::table::{Changes, Table};
use crate::backends::{Durability, file_error};
use crate::model::{CommitKind, Key, LogEntry, Record, Touch, gather, heap_sort_by};
use crate::platform::files::{FileErrorKind, FileSystem, OpenMode};
use crate::platform::{Clock, SystemClock};
use crate::{Error, Result};

const TEMPORARY: &str = ".tmp";

/// An edit by hand that is to be committed.
struct Edit {
    key: Key,
    value: Vec<u8>,
    /// File and line.
    at: String,
    /// The journal's commits after this one are not in the file.
    since: u64,
}

impl JsonFiles {
    /// Opens `directory`; see [`open`](super::open).
    pub(super) fn open(files: Arc<dyn FileSystem>, directory: &str, durability: Durability) -> Result<Self> {
        let opening = |error| file_error("opening the directory", error);
        files.create_directory(directory).map_err(opening)?;
        let directory = files.absolute(directory).map_err(opening)?;
        let lock = Lock::take(&files, &join(&directory, "lock"), &directory)?;
        let names = files.list(&directory).map_err(opening)?;
        let is_ours = |name: &str| name == journal::NAME || name == log::NAME || name::is_ours(name);
        for name in &names {
            if name.strip_suffix(TEMPORARY).is_some_and(is_ours) {
                files.remove(&join(&directory, name)).map_err(opening)?;
            }
        }
        // A process that was killed may have left names that are not durable. What is committed from now on
        // rests on them.
        files
            .sync_directory(&directory)
            .map_err(|error| file_error("making the directory durable", error))?;
        let strict = durability == Durability::Strict;
        let opened = if names.iter().any(|name| name == journal::NAME) {
            Journal::open(&files, &join(&directory, journal::NAME), strict)?
        } else {
            sync_names_above(&*files, &directory)?;
            begin(&files, &directory, &names, strict)?
        };
        let base = opened.header.sequence;
        // A checkpoint that was broken off may have left out what the journal's commits trim.
        let trims = opened.commits.iter().filter_map(|commit| commit.trimmed);
        let trimmed = trims.fold(opened.header.trimmed, u64::max).min(base);
        let (log, entries, log_damage) = Log::open(&files, &join(&directory, log::NAME), trimmed, base)?;
        // A log that does not reach back as far as it should has been trimmed, for whoever follows it.
        let trimmed = entries.first().map_or(base, |first| first.sequence - 1);
        let table = Table {
            records: BTreeMap::new(),
            log: entries.into_iter().map(|entry| (entry.sequence, entry)).collect(),
            sequence: base,
            trimmed,
        };
        let mut open = Self {
            files,
            directory,
            durability,
            lock,
            table,
            journal: opened.journal,
            log,
            kept: BTreeMap::new(),
            dirty: BTreeSet::new(),
            damaged: BTreeMap::new(),
            log_damage,
            trouble: None,
            patience: 0,
            data_loss: opened.lost,
        };
        open.load(&names, &opened.header, opened.commits)?;
        Ok(open)
    }

    /// Reads the files of the namespaces, replays the journal over them, and commits the edits.
    fn load(&mut self, names: &[String], header: &Header, commits: Vec<Commit>) -> Result<()> {
        let now = SystemClock.now();
        let entries = || commits.iter().flat_map(|commit| &commit.batches).map(|(entry, _)| entry);
        let last = entries().next_back().map_or(header.sequence, |entry| entry.sequence);
        let mut reach = BTreeMap::new();
        let mut edits = Vec::new();
        let mut edited = BTreeMap::new();
        let mut restructured = false;
        let missing = header.files.keys().find(|name| !names.contains(name));
        if let Some(name) = missing {
            return Err(Error::corrupt(format!(
                "{name} is missing: restore it; or, to go on without its records, write in its place one line that says \
                 {{\"mnemora\":\"namespace\",\"format\":1,\"space\":...,\"namespace\":...}}"
            )));
        }
        for name in names.iter().filter(|name| name::is_ours(name)) {
            let known = header.files.get(name);
            let bytes = self.read(name)?;
            let content = Content::of(&bytes);
            let mut loaded = namespace::load(name, &bytes, known.is_some(), now)?;
            let sequence = loaded.sequence.unwrap_or(header.sequence);
            let place = loaded.place.clone();
            if self.kept.contains_key(&place) {
                return Err(Error::invalid(format!(
                    "{name}:1: another file is of the same namespace; keep one"
                )));
            }
            let taken = commits
                .iter()
                .any(|commit| commit.edited.get(name) == Some(&format!("{:016x}", content.hash)));
            if !taken && (loaded.restructured || !loaded.edits.is_empty()) {
                edited.insert(name.clone(), format!("{:016x}", content.hash));
                restructured |= loaded.restructured;
            }
            if loaded.restructured {
                // A record that was never here, or a number that is not reached yet: it comes as an edit.
                let foreign = |version: u64| known.is_none() || version > sequence.min(last);
                let (own, other) =
                    loaded.records.into_iter().partition(|(_, record)| !foreign(record.version));
                loaded.records = own;
                let other: Vec<(Key, Record)> = other;
                loaded.edits.extend(other.into_iter().map(|(key, record)| (key, record.value, name.clone())));
            } else if loaded.broken.is_none() {
                loaded.broken = self.out_of_place(name, &loaded, known, header.sequence, last);
            }
            if !taken {
                let edit = |(key, value, at)| Edit { key, value, at, since: sequence };
                edits.extend(loaded.edits.into_iter().map(edit));
            }
            if taken || edited.contains_key(name) || known.is_none() {
                self.dirty.insert(place.clone());
            }
            reach.insert(place.clone(), sequence);
            self.table.records.extend(loaded.records);
            for (key, damaged) in loaded.damaged {
                self.table.records.insert(key.clone(), Record { version: 0, value: Vec::new() });
                self.damaged.insert(key, damaged);
            }
            let kept = Kept {
                name: name.clone(),
                check: loaded.check,
                content: Some(content),
                broken: loaded.broken,
            };
            self.kept.insert(place, kept);
        }
        for edit in &edits {
            let touches = |entry: &&LogEntry| entry.touched.iter().any(|(key, _)| *key == edit.key);
            if entries().filter(|entry| entry.sequence > edit.since).any(|entry| touches(&entry)) {
                return Err(Error::invalid(format!(
                    "{}: the record was edited by hand, and also saved since the file was written; keep the edit elsewhere, \
                     remove the line here and the check in the first line, open, and save it again",
                    edit.at
                ))
                .with_key(edit.key.clone()));
            }
        }
        self.replay(commits, &reach);
        self.take_up(edits, &edited, restructured, now)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let file = self.files.open(&join(&self.directory, name), OpenMode::Read);
        file.and_then(|file| read_all(&*file)).map_err(|error| file_error("reading a file", error))
    }

    /// What is wrong with a file that is whole, but not the one that was written last.
    fn out_of_place(
        &self,
        name: &str,
        loaded: &Loaded,
        known: Option<&String>,
        base: u64,
        last: u64,
    ) -> Option<String> {
        let sequence = loaded.sequence.unwrap_or(0);
        let current = known == Some(&loaded.check);
        let of_checkpoint = sequence > base && sequence <= last;
        let left_over = known.is_none() && loaded.records.is_empty() && loaded.edits.is_empty();
        (!current && !of_checkpoint && !left_over).then(|| {
            format!(
                "{name}:1: this is not the file that was written last (it is of commit {sequence}, the journal begins after \
                 {base}); restore that, or remove the check in this line to take it as an edit"
            )
        })
    }

    /// Carries out what the files do not hold yet.
    fn replay(&mut self, commits: Vec<Commit>, reach: &BTreeMap<Place, u64>) {
        for commit in commits {
            for (entry, records) in commit.batches {
                let mut fresh = |key: &Key| {
                    let place = Place::of(key);
                    let is_new = reach.get(&place).is_none_or(|&sequence| sequence < entry.sequence);
                    self.dirty.insert(place);
                    is_new
                };
                for (key, touch) in &entry.touched {
                    if fresh(key) && *touch == Touch::Delete {
                        self.table.records.remove(key);
                        self.damaged.remove(key);
                    }
                }
                for (key, record) in records {
                    if fresh(&key) {
                        self.damaged.remove(&key);
                        self.table.records.insert(key, record);
                    }
                }
                self.table.append(entry);
            }
            if let Some(trimmed) = commit.trimmed {
                self.table.trim(trimmed);
            }
        }
    }

    /// Commits what was edited by hand, and folds it into the files at once.
    fn take_up(
        &mut self,
        edits: Vec<Edit>,
        edited: &BTreeMap<String, String>,
        restructured: bool,
        time: u64,
    ) -> Result<()> {
        if edited.is_empty() {
            return Ok(());
        }
        let mut changes = Changes::default();
        let mut sequence = self.table.sequence;
        let mut next = |touched| {
            sequence += 1;
            LogEntry { sequence, time, kind: CommitKind::Write, touched }
        };
        if restructured {
            // Nobody knows what was removed: the log ends here, and its followers see that by the
            // entry behind.
            let end = next(Vec::new());
            changes.trim_log = Some(end.sequence);
            changes.entries.push(end);
        }
        let mut touched: Vec<(Key, Touch)> =
            edits.iter().map(|edit| (edit.key.clone(), Touch::Put)).collect();
        heap_sort_by(&mut touched, |(one, _), (other, _)| one.cmp(other));
        let entry = next(touched);
        let version = entry.sequence;
        let record = |edit: Edit| (edit.key, Some(Record { version, value: edit.value }));
        changes.writes = gather(edits.into_iter().map(record));
        changes.entries.push(entry);
        self.carry_out(changes, edited)?;
        self.trouble = self.checkpoint().err();
        Ok(())
    }
}

/// The journal of a new directory.
fn begin(files: &Arc<dyn FileSystem>, directory: &str, names: &[String], strict: bool) -> Result<Opened> {
    if let Some(name) = names.iter().find(|name| *name == log::NAME || name::is_ours(name)) {
        return Err(Error::corrupt(format!(
            "{} is missing, but {name} is there: commits may be lost; restore the directory from a copy, or choose another",
            journal::NAME
        )));
    }
    let header = Header::new(0, 0, BTreeMap::new());
    let journal = Journal::begin(files, directory, &header, strict).map_err(|(error, _)| error)?;
    Ok(Opened { journal, header, commits: Vec::new(), lost: None })
}

/// Makes the name of a new directory durable, and those of the directories above it, which may be as new:
/// what is stored in it is of no use without them.
fn sync_names_above(files: &dyn FileSystem, directory: &str) -> Result<()> {
    let mut path = directory;
    while let Some((above, _)) = path.rsplit_once('/') {
        match files.sync_directory(if above.is_empty() { "/" } else { above }) {
            Ok(()) => path = above,
            // What this process may not even read it has made nothing in, nor above it.
            Err(error) if error.kind == FileErrorKind::PermissionDenied => break,
            Err(error) => return Err(file_error("making the directory durable", error)),
        }
    }
    Ok(())
}
