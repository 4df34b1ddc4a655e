//! Entries of the commit log as JSON objects, alone and with the records they put.
//!
//! `{"sequence":18,"time":"...","kind":"write","put":[...],"delete":[...]}`. In the log, `put` holds keys; in
//! the journal it holds records, and a key alone where a later batch of the same commit wrote it again.
//!
//! **Invariant**: the keys of an entry are in key order, as they are in every entry that was judged.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::record::{Line, ReadLine};
use super::text::Time;
use crate::model::{CommitKind, Key, LogEntry, Record, Touch, heap_sort_by};
use crate::{Error, Result};

/// An entry on its way into a file.
pub(super) struct Entry<'a> {
    /// The entry.
    pub(super) entry: &'a LogEntry,
    /// What its commit wrote, where the records are to be written with it.
    pub(super) writes: Option<&'a BTreeMap<Key, Option<Record>>>,
}

impl<'a> Entry<'a> {
    fn lines(&self, touch: Touch) -> Vec<Line<'a>> {
        let touched = self.entry.touched.iter().filter(|(_, what)| *what == touch);
        let line = |(key, _): &'a (Key, Touch)| Line { key, record: self.record(key, touch), placed: true };
        touched.map(line).collect()
    }

    fn record(&self, key: &Key, touch: Touch) -> Option<&'a Record> {
        let record = self.writes?.get(key)?.as_ref()?;
        (touch == Touch::Put && record.version == self.entry.sequence).then_some(record)
    }
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sequence", &self.entry.sequence)?;
        map.serialize_entry("time", &Time(self.entry.time))?;
        map.serialize_entry("kind", kind_name(self.entry.kind))?;
        for (field, touch) in [("put", Touch::Put), ("delete", Touch::Delete)] {
            let lines = self.lines(touch);
            if !lines.is_empty() {
                map.serialize_entry(field, &lines)?;
            }
        }
        map.end()
    }
}

fn kind_name(kind: CommitKind) -> &'static str {
    match kind {
        CommitKind::Write => "write",
        CommitKind::Expire => "expire",
    }
}

/// An entry as it stands in a file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadEntry {
    sequence: u64,
    time: Time,
    kind: String,
    #[serde(default)]
    put: Vec<ReadLine>,
    #[serde(default)]
    delete: Vec<ReadLine>,
    #[serde(default, rename = "check")]
    _check: Option<String>,
}

impl ReadEntry {
    /// The entry, and the records that stand in it.
    ///
    /// # Errors
    /// `Invalid` or `Corrupt` if it is none that was ever written.
    pub(super) fn read(self) -> Result<(LogEntry, Vec<(Key, Record)>)> {
        let kind =
            [CommitKind::Write, CommitKind::Expire].into_iter().find(|&kind| kind_name(kind) == self.kind);
        let kind = kind.ok_or_else(|| Error::invalid(format!("{:?} is no kind of commit", self.kind)))?;
        let mut touched = Vec::with_capacity(self.put.len() + self.delete.len());
        let mut records = Vec::new();
        for mut line in self.put {
            let key = line.key(None)?;
            if line.has_content() {
                records.push((key.clone(), line.checked(&key)?.0));
            }
            touched.push((key, Touch::Put));
        }
        for mut line in self.delete {
            touched.push((line.key(None)?, Touch::Delete));
        }
        heap_sort_by(&mut touched, |(one, _), (other, _)| one.cmp(other));
        Ok((LogEntry { sequence: self.sequence, time: self.time.0, kind, touched }, records))
    }
}
