//! The backend that keeps everything in memory: for tests, caches and hosts without storage.
//!
//! **Invariants**
//! - Every call takes the lock once, so each is one snapshot or one atomic change.
//! - The log holds every entry after `trimmed`, without a gap.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use super::judge::{Judgement, Known, View, Write, check, first_touch_in, judge};
use super::{Backend, BackendInfo, Durability, MAX_RECORD_BYTES, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, LogEntry, Page, Range, Record, Space, set_created};
use crate::{Error, Result};

/// A backend that lives as long as its handle.
#[derive(Debug, Default)]
pub struct MemoryBackend {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Key, Record>,
    log: BTreeMap<u64, LogEntry>,
    sequence: u64,
    trimmed: u64,
    closed: bool,
}

impl MemoryBackend {
    /// An empty backend.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn open_state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self
            .state
            .lock()
            .map_err(|_| Error::internal("a call on this memory backend ended half-way; open a new one"))?;
        if state.closed {
            return Err(Error::closed("the memory was closed; open it again"));
        }
        Ok(state)
    }
}

impl View for State {
    fn known(&self, key: &Key) -> Option<Known> {
        self.records.get(key).map(|record| Known::of(key, record.version, &record.value))
    }

    fn touched_since(&self, range: &Range, sequence: u64) -> Option<(Key, u64)> {
        if sequence < self.trimmed {
            return Some((Key::log(self.trimmed), self.trimmed));
        }
        let later = (Bound::Excluded(sequence), Bound::Unbounded);
        self.log.range(later).find_map(|(_, entry)| first_touch_in(entry, range, sequence))
    }
}

impl State {
    fn apply(&mut self, judgement: Judgement<'_>) -> Vec<Result<Committed, Conflict>> {
        for (key, write) in judgement.writes {
            match write {
                Write::Put { value, version, created } => {
                    let mut value = value.to_vec();
                    if let Some(created) = created {
                        set_created(key, &mut value, created);
                    }
                    self.records.insert(key.clone(), Record { version, value });
                }
                Write::Delete => {
                    self.records.remove(key);
                }
            }
        }
        for entry in judgement.entries {
            self.sequence = entry.sequence;
            self.log.insert(entry.sequence, entry);
        }
        if let Some(trim) = judgement.trim_log.filter(|&trim| trim > self.trimmed) {
            self.trimmed = trim.min(self.sequence);
            self.log = self.log.split_off(&(self.trimmed + 1));
        }
        judgement.verdicts
    }

    fn scan_log(&self, rest: &Range, page: &Page) -> Result<Vec<(Key, Record)>> {
        let encode = |entry: &LogEntry| {
            Ok((Key::log(entry.sequence), Record { version: entry.sequence, value: entry.encode()? }))
        };
        let (first, last) = rest.log_sequences();
        let wanted = page.limit.saturating_add(1);
        if page.reverse {
            return self.log.range(first..=last).rev().map(|(_, entry)| encode(entry)).take(wanted).collect();
        }
        self.log.range(first..=last).map(|(_, entry)| encode(entry)).take(wanted).collect()
    }
}

fn bounds(range: &Range) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(range.start()), range.end().map_or(Bound::Unbounded, Bound::Excluded))
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for MemoryBackend {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            name: "memory",
            durability: Durability::Volatile,
            shared: false,
            data_loss: None,
            max_value_bytes: MAX_RECORD_BYTES,
        }
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let state = self.open_state()?;
        Ok(keys.iter().map(|key| state.records.get(key).cloned()).collect())
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        let state = self.open_state()?;
        let rest = super::rest_of(range, &page)?;
        // An empty range would be a panic in BTreeMap.
        if rest.is_empty() {
            return Ok(ScanPage { records: Vec::new(), cursor: None });
        }
        let mut records = if rest.start().first() == Some(&(Space::Log as u8)) {
            state.scan_log(&rest, &page)?
        } else {
            let wanted = page.limit.saturating_add(1);
            let found = state.records.range::<[u8], _>(bounds(&rest));
            let copy = |(key, record): (&Key, &Record)| (key.clone(), record.clone());
            if page.reverse {
                found.rev().take(wanted).map(copy).collect()
            } else {
                found.take(wanted).map(copy).collect::<Vec<_>>()
            }
        };
        let more = records.len() > page.limit;
        records.truncate(page.limit);
        let cursor = if more { records.last().map(|(key, _)| key.clone()) } else { None };
        Ok(ScanPage { records, cursor })
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        check(batches, MAX_RECORD_BYTES)?;
        let mut state = self.open_state()?;
        let judgement = judge(batches, state.sequence, &*state);
        Ok(state.apply(judgement))
    }

    async fn stats(&self) -> Result<Stats> {
        let state = self.open_state()?;
        Ok(Stats { sequence: state.sequence, keys: state.records.len() as u64 })
    }

    async fn close(&self) -> Result<()> {
        if let Ok(mut state) = self.state.lock() {
            *state = State { closed: true, ..State::default() };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::testing::conformance!(native, async { MemoryBackend::new() });
}
