//! The records and the log in memory: what the backends that hold everything there share.
//!
//! **Invariants**
//! - The log holds every entry after `trimmed` and up to `sequence`, without a gap.
//! - [`Table::apply`] takes what [`Changes::of`] made of a judgement on this very table.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::judge::{Judgement, Known, View, Write, first_touch_in, push_value};
use super::{ScanPage, Stats};
use crate::Result;
use crate::model::{Committed, Conflict, Key, LogEntry, Page, Range, Record, Space, gather};

/// Everything that is stored.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The records.
    pub(super) records: BTreeMap<Key, Record>,
    /// The log, by sequence number.
    pub(super) log: BTreeMap<u64, LogEntry>,
    /// The latest sequence number.
    pub(super) sequence: u64,
    /// Up to where the log was trimmed.
    pub(super) trimmed: u64,
}

/// What a commit changes, in the bytes that are stored.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// One verdict a batch.
    pub(super) verdicts: Vec<Result<Committed, Conflict>>,
    /// What each key holds afterwards, `None` for nothing, in key order.
    pub(super) writes: BTreeMap<Key, Option<Record>>,
    /// The entries for the log.
    pub(super) entries: Vec<LogEntry>,
    /// Up to where the log may be trimmed.
    pub(super) trim_log: Option<u64>,
}

impl Changes {
    /// What `judgement` comes to.
    pub(super) fn of(judgement: Judgement<'_>) -> Self {
        let settle = |(key, write): (&Key, Write<'_>)| match write {
            Write::Put { value, version, created } => {
                let mut bytes = Vec::with_capacity(value.len());
                push_value(&mut bytes, key, value, created);
                (key.clone(), Some(Record { version, value: bytes }))
            }
            Write::Delete => (key.clone(), None),
        };
        Self {
            verdicts: judgement.verdicts,
            writes: gather(judgement.writes.into_iter().map(settle)),
            entries: judgement.entries,
            trim_log: judgement.trim_log,
        }
    }
}

impl View for Table {
    fn known(&self, key: &Key) -> Option<Known> {
        self.records.get(key).map(|record| Known::of(key, record.version, &record.value))
    }

    fn log_floor(&self) -> u64 {
        self.trimmed
    }

    fn touched_since(&self, range: &Range, sequence: u64) -> Option<(Key, u64)> {
        let later = (Bound::Excluded(sequence), Bound::Unbounded);
        self.log.range(later).find_map(|(_, entry)| first_touch_in(entry, range, sequence))
    }
}

impl Table {
    /// Carries out a commit and gives its verdicts.
    pub(super) fn apply(&mut self, changes: Changes) -> Vec<Result<Committed, Conflict>> {
        for (key, record) in changes.writes {
            match record {
                Some(record) => self.records.insert(key, record),
                None => self.records.remove(&key),
            };
        }
        for entry in changes.entries {
            self.append(entry);
        }
        if let Some(trim) = changes.trim_log {
            self.trim(trim);
        }
        changes.verdicts
    }

    /// Adds an entry to the log.
    pub(super) fn append(&mut self, entry: LogEntry) {
        self.sequence = entry.sequence;
        self.log.insert(entry.sequence, entry);
    }

    /// Drops log entries up to `to`.
    pub(super) fn trim(&mut self, to: u64) {
        if to > self.trimmed {
            self.trimmed = to.min(self.sequence);
            self.log = self.log.split_off(&(self.trimmed + 1));
        }
    }

    /// The records at `keys`.
    pub(super) fn get(&self, keys: &[Key]) -> Vec<Option<Record>> {
        keys.iter().map(|key| self.records.get(key).cloned()).collect()
    }

    /// One page of `range`.
    ///
    /// # Errors
    /// `Invalid` if the limit is 0.
    pub(super) fn scan(&self, range: &Range, page: &Page) -> Result<ScanPage> {
        let rest = super::rest_of(range, page)?;
        // An empty range would be a panic in BTreeMap.
        if rest.is_empty() {
            return Ok(ScanPage { records: Vec::new(), cursor: None });
        }
        let records = if rest.start().first() == Some(&(Space::Log as u8)) {
            self.scan_log(&rest, page)?
        } else {
            let wanted = page.limit.saturating_add(1);
            let found = self.records.range::<[u8], _>(bounds(&rest));
            let copy = |(key, record): (&Key, &Record)| (key.clone(), record.clone());
            if page.reverse {
                found.rev().take(wanted).map(copy).collect()
            } else {
                found.take(wanted).map(copy).collect::<Vec<_>>()
            }
        };
        Ok(ScanPage::first(records, page.limit))
    }

    fn scan_log(&self, rest: &Range, page: &Page) -> Result<Vec<(Key, Record)>> {
        let encode = |entry: &LogEntry| {
            Ok((Key::log(entry.sequence), Record { version: entry.sequence, value: entry.encode()? }))
        };
        let (first, last) = rest.log_sequences();
        if first > last {
            return Ok(Vec::new());
        }
        let wanted = page.limit.saturating_add(1);
        if page.reverse {
            return self.log.range(first..=last).rev().map(|(_, entry)| encode(entry)).take(wanted).collect();
        }
        self.log.range(first..=last).map(|(_, entry)| encode(entry)).take(wanted).collect()
    }

    /// The figures of a backend.
    pub(super) fn stats(&self) -> Stats {
        Stats { sequence: self.sequence, keys: self.records.len() as u64 }
    }
}

fn bounds(range: &Range) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(range.start()), range.end().map_or(Bound::Unbounded, Bound::Excluded))
}
