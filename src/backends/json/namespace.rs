//! One file a namespace: a header, then one record a line.
//!
//! The header is `{"mnemora":"namespace","format":1,"space":...,"namespace":...,"records":n,"sequence":s,"check":...}`:
//! the file holds what its namespace held after the commit *s*. Its check has two halves of 16 digits,
//! both over the fields before it: one with the checks of the keys, one with those of the records.
//!
//! **Invariants**
//! - Nothing that a file once held is silently absent: [`load`] gives each line as a record, an edit, a
//!   damaged record with its key, or says that the whole is broken.
//! - A line that an editor wrote (one without `check`) is taken or refused, with file and line.

use std::fmt::Write as _;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::record::{Check, Line, Place, ReadLine, key_of_damaged, space_name, space_of};
use super::{FORMAT, name};
use crate::model::{Key, Record};
use crate::{Error, ErrorKind, Result};

const KIND: &str = "namespace";

/// How an edit is made so that it is taken.
const REMEDY: &str = "to edit by hand, remove the \"check\" field of that line, and the one in the first line if you add, \
                      remove or rename lines";

/// What a line holds that is to be written.
pub(super) enum Content<'a> {
    /// A record.
    Record(&'a Record),
    /// A line that could not be read, as it was.
    Damaged(&'a [u8]),
}

#[derive(Serialize)]
struct Header<'a> {
    mnemora: &'static str,
    format: u64,
    space: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    records: u64,
    sequence: u64,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadHeader {
    #[serde(rename = "mnemora")]
    _mnemora: String,
    #[serde(rename = "format")]
    _format: u64,
    space: String,
    namespace: Option<String>,
    records: Option<u64>,
    sequence: Option<u64>,
    check: Option<String>,
}

/// The bytes of the file of `place` as of the commit `sequence`, and its check.
///
/// # Errors
/// None in practice: serialising to memory does not fail.
pub(super) fn write<'a>(
    place: &Place,
    sequence: u64,
    lines: impl Iterator<Item = (&'a Key, Content<'a>)>,
) -> Result<(Vec<u8>, String)> {
    let mut body = Vec::new();
    let mut hashes = Hashes::default();
    for (key, content) in lines {
        match content {
            Content::Record(record) => {
                super::write_json(&mut body, &Line { key, record: Some(record), placed: false })?;
                hashes.add(Check::of(key, record));
            }
            Content::Damaged(line) => {
                body.extend_from_slice(line);
                hashes.add(Check::of(key, &Record { version: 0, value: Vec::new() }));
            }
        }
        body.push(b'\n');
    }
    let mut bytes = Vec::with_capacity(body.len() + 256);
    let head = head(place, hashes.count(), sequence)?;
    let check = hashes.text(&head);
    super::close_with_check(&mut bytes, &head, &check);
    bytes.append(&mut body);
    Ok((bytes, check))
}

fn head(place: &Place, records: u64, sequence: u64) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let namespace = place.namespace.as_deref();
    let space = space_name(place.space);
    super::write_json(
        &mut head,
        &Header { mnemora: KIND, format: FORMAT, space, namespace, records, sequence },
    )?;
    Ok(head)
}

/// The checks of the lines, on their way into that of the header.
#[derive(Default)]
struct Hashes {
    keys: Vec<u8>,
    records: Vec<u8>,
}

impl Hashes {
    fn add(&mut self, check: Check) {
        self.keys.extend_from_slice(&check.key.to_le_bytes());
        self.records.extend_from_slice(&check.record.to_le_bytes());
    }

    fn count(&self) -> u64 {
        self.keys.len() as u64 / 8
    }

    fn text(&self, head: &[u8]) -> String {
        let seed = super::hash(head);
        let half = |hashes: &[u8]| xxh3_64_with_seed(hashes, seed);
        format!("{:016x}-{:016x}", half(&self.keys), half(&self.records))
    }
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Of which place.
    pub(super) place: Place,
    /// Up to which commit, if it says so.
    pub(super) sequence: Option<u64>,
    /// The check of its header; empty if that was removed or is damaged.
    pub(super) check: String,
    /// The records that are whole.
    pub(super) records: Vec<(Key, Record)>,
    /// Lines that are damaged, but still say their key, and what is wrong with each.
    pub(super) damaged: Vec<(Key, Damaged)>,
    /// What was edited by hand: key, stored bytes, and where it stands.
    pub(super) edits: Vec<(Key, Vec<u8>, String)>,
    /// Whether lines may have been added, removed or renamed by hand.
    pub(super) restructured: bool,
    /// If records may be missing: what is wrong.
    pub(super) broken: Option<String>,
}

/// A line that is damaged.
#[derive(Debug)]
pub(super) struct Damaged {
    /// The line, as it is.
    pub(super) line: Vec<u8>,
    /// What is wrong and where, for people.
    pub(super) problem: String,
}

impl Loaded {
    fn of(place: Place) -> Self {
        Self {
            place,
            sequence: None,
            check: String::new(),
            records: Vec::new(),
            damaged: Vec::new(),
            edits: Vec::new(),
            restructured: false,
            broken: None,
        }
    }

    fn breaks(&mut self, problem: String) {
        // The first is named; whoever mends it is told of the next.
        self.broken.get_or_insert(problem);
    }
}

/// Reads the file called `file`; `known` says whether the journal knows it, `now` is when edits are taken.
///
/// # Errors
/// `Version` for a newer format; `Invalid` for a file that is none of ours and for an edit that makes
/// no sense; `Corrupt` for a header that is damaged where the name does not tell the namespace. All
/// name the file and the line.
pub(super) fn load(file: &str, bytes: &[u8], known: bool, now: u64) -> Result<Loaded> {
    let mut lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let (mut loaded, header) = match read_header(file, first, known)? {
        Ok(header) => {
            let place = place_in(&header).filter(|place| name::names(place).take(8).any(|name| name == file));
            let place = place.ok_or_else(|| {
                Error::invalid(format!(
                    "{file}:1: the file is named for another namespace; give it back its name"
                ))
            })?;
            (Loaded::of(place), Some(header))
        }
        Err(flaw) => {
            let place = name::place_of(file).ok_or_else(|| {
                Error::corrupt(format!(
                    "{file}:1: {flaw}, and its name is too long to tell the namespace; restore it"
                ))
            })?;
            let mut loaded = Loaded::of(place);
            loaded.breaks(format!("{file}:1: {flaw}; restore the line"));
            (loaded, None)
        }
    };
    let mut hashes = Hashes::default();
    let mut seen = std::collections::BTreeSet::new();
    for (index, line) in lines.enumerate().filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace)) {
        let place = format!("{file}:{}", index + 2);
        read_line(&mut loaded, line, &place, now, &mut hashes, &mut seen)?;
    }
    if let Some(header) = header {
        compare(&mut loaded, file, header, &hashes)?;
    }
    Ok(loaded)
}

fn place_in(header: &ReadHeader) -> Option<Place> {
    Some(Place { space: space_of(&header.space)?, namespace: header.namespace.clone() })
}

/// The header, or what is wrong with it.
fn read_header(file: &str, line: &[u8], known: bool) -> Result<std::result::Result<ReadHeader, String>> {
    match super::probe(line) {
        Some((kind, format)) if kind == KIND && format > FORMAT => Err(super::newer(file, format)),
        Some((kind, FORMAT)) if kind == KIND => {
            Ok(super::parse(line).map_err(|error| format!("the header makes no sense ({})", error.message())))
        }
        _ if known => Ok(Err("the header is damaged".to_owned())),
        _ => Err(Error::invalid(format!(
            "{file}:1: this is no file of a namespace, but has the name of one; move it elsewhere"
        ))),
    }
}

fn read_line(
    loaded: &mut Loaded,
    line: &[u8],
    place: &str,
    now: u64,
    hashes: &mut Hashes,
    seen: &mut std::collections::BTreeSet<Key>,
) -> Result<()> {
    let by_hand = !line.windows(8).any(|window| window == b"\"check\":");
    let refused = |error: Error| {
        Error::invalid(format!("{place}: {}; mend the line, or restore it with its check", error.message()))
    };
    let read = ReadLine::parse(line).and_then(|mut read| {
        let key = read.key(Some(&loaded.place))?;
        Ok((key, read))
    });
    let outcome = match read {
        Ok((key, _)) if seen.contains(&key) => {
            let twice = Error::invalid("its id is there twice");
            if by_hand { return Err(refused(twice)) } else { Err(twice) }
        }
        Ok((key, read)) if read.check.is_none() => {
            let value = read.edited(&key, now).map_err(refused)?;
            hashes.add(Check::of(&key, &Record { version: 0, value: Vec::new() }));
            seen.insert(key.clone());
            loaded.edits.push((key, value, place.to_owned()));
            return Ok(());
        }
        Ok((key, read)) => read.checked(&key).map(|(record, check)| (key, record, check)),
        Err(error) if by_hand => return Err(refused(error)),
        Err(error) => Err(error),
    };
    match outcome {
        Ok((key, record, check)) => {
            hashes.add(check);
            seen.insert(key.clone());
            loaded.records.push((key, record));
        }
        Err(error) => {
            let problem =
                format!("{place}: the line is damaged or was edited: {}; {REMEDY}", error.message());
            match key_of_damaged(line, &loaded.place).filter(|key| !seen.contains(key)) {
                Some(key) => {
                    hashes.add(Check::of(&key, &Record { version: 0, value: Vec::new() }));
                    seen.insert(key.clone());
                    loaded.damaged.push((key, Damaged { line: line.to_vec(), problem }));
                }
                None => loaded.breaks(problem),
            }
        }
    }
    Ok(())
}

/// Holds the lines against what the header says of them.
fn compare(loaded: &mut Loaded, file: &str, header: ReadHeader, hashes: &Hashes) -> Result<()> {
    loaded.sequence = header.sequence;
    let Some(check) = header.check else {
        loaded.restructured = true;
        return Ok(());
    };
    let (Some(records), Some(sequence)) = (header.records, header.sequence) else {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("{file}:1: the header has a check, but not \"records\" and \"sequence\"; {REMEDY}"),
        ));
    };
    let expected = hashes.text(&head(&loaded.place, records, sequence)?);
    let comparable = if loaded.edits.is_empty() && loaded.damaged.is_empty() { 33 } else { 16 };
    if records != hashes.count()
        || expected.as_bytes().get(..comparable) != check.as_bytes().get(..comparable)
    {
        let mut problem = format!("{file}:1: ");
        // Writing to a string does not fail.
        let _ = write!(
            problem,
            "the header speaks of {records} records, {} are there and readable",
            hashes.count()
        );
        if records == hashes.count() {
            problem.push_str(", but they are not those that were written");
        }
        problem.push_str("; ");
        problem.push_str(REMEDY);
        loaded.breaks(problem);
    }
    loaded.check = check;
    Ok(())
}
