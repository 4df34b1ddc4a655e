//! What a verdict rests on, read ahead of it: for backends that can not read in the middle of judging.
//!
//! **Invariant**: a [`Snapshot`] answers what [`judge`](super::judge::judge) asks of the batches that
//! its keys were taken from, and only that.

use std::collections::HashMap;

use super::judge::{Known, View, first_touch_in};
use crate::model::{Batch, Key, LogEntry, Precondition, Range, Record, heap_sort_by};

/// The keys whose stored record a verdict depends on; some more than once.
pub(super) fn judged_keys(batches: &[Batch]) -> impl Iterator<Item = &Key> {
    batches.iter().flat_map(|batch| {
        let required = batch.preconditions.iter().filter(|(_, what)| *what != Precondition::Any);
        let inherited = batch.puts.iter().filter(|put| put.keep_created).map(|put| &put.key);
        required.map(|(key, _)| key).chain(&batch.deletes).chain(inherited)
    })
}

/// The keys to read for a [`Snapshot`], in their order, each once.
pub(super) fn keys_to_read(batches: &[Batch]) -> Vec<Key> {
    let mut keys: Vec<&Key> = judged_keys(batches).collect();
    heap_sort_by(&mut keys, Ord::cmp);
    keys.dedup();
    keys.into_iter().cloned().collect()
}

/// The number after which the log is to be read for a [`Snapshot`], if it is to be read at all.
pub(super) fn log_to_read(batches: &[Batch]) -> Option<u64> {
    batches.iter().flat_map(|batch| &batch.unchanged).map(|(_, since)| *since).min()
}

/// What was read for a verdict.
pub(super) struct Snapshot {
    known: HashMap<Key, Known>,
    /// Every entry of the log after `floor` that the batches ask for.
    entries: Vec<LogEntry>,
    /// Up to where the log is not known.
    floor: u64,
}

impl Snapshot {
    /// Of the records that were `found` at `keys`, and of the log as it was read. Where no entry is left to
    /// read, nothing up to `head` is known of it.
    pub(super) fn new(keys: Vec<Key>, found: Vec<Option<Record>>, entries: Vec<LogEntry>, head: u64) -> Self {
        let known = keys.into_iter().zip(found).filter_map(|(key, record)| {
            let known = record.map(|record| Known::of(&key, record.version, &record.value))?;
            Some((key, known))
        });
        let floor = entries.first().map_or(head, |first| first.sequence.saturating_sub(1));
        Self { known: known.collect(), entries, floor }
    }
}

impl View for Snapshot {
    fn known(&self, key: &Key) -> Option<Known> {
        self.known.get(key).copied()
    }

    fn log_floor(&self) -> u64 {
        self.floor
    }

    fn touched_since(&self, range: &Range, sequence: u64) -> Option<(Key, u64)> {
        self.entries.iter().find_map(|entry| first_touch_in(entry, range, sequence))
    }
}
