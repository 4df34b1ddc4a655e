//! What a store has to hold after each of its commits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_executor::block_on;
use mnemora::backends::{Backend, MemoryBackend};
use mnemora::model::{Batch, Committed, Conflict, Key, LogEntry, Page, Range, Record, Space};

type Records = BTreeMap<Key, Record>;

/// Every state of a store, by the sequence number of the commit that led to it.
#[derive(Debug)]
pub(crate) struct History {
    oracle: MemoryBackend,
    states: Vec<Arc<Records>>,
    log: Vec<LogEntry>,
    /// The sequence numbers between two calls of `commit`: each call is one physical transaction.
    boundaries: BTreeSet<u64>,
}

/// What is to be found in a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// The first and last of the sequence numbers that it may be at.
    pub(crate) sequences: (u64, u64),
    /// Up to where its log may have been trimmed.
    pub(crate) trimmed: u64,
}

impl History {
    /// Nothing is stored.
    pub(crate) fn new() -> Self {
        Self {
            oracle: MemoryBackend::new(),
            states: vec![Arc::default()],
            log: Vec::new(),
            boundaries: BTreeSet::from([0]),
        }
    }

    /// The latest sequence number.
    pub(crate) fn sequence(&self) -> u64 {
        self.log.len() as u64
    }

    /// One call of `commit`.
    pub(crate) fn commit(&mut self, batches: &[Batch]) -> Vec<Result<Committed, Conflict>> {
        let verdicts = batches.iter().map(|batch| self.commit_one(batch)).collect();
        self.boundaries.insert(self.sequence());
        verdicts
    }

    fn commit_one(&mut self, batch: &Batch) -> Result<Committed, Conflict> {
        let batch = Batch { trim_log: None, ..batch.clone() };
        let verdict = block_on(self.oracle.commit(&[batch])).unwrap().remove(0);
        let new = scan(&self.oracle, &Range::log_after(self.sequence())).unwrap();
        self.log.extend(new.iter().map(|(_, record)| LogEntry::decode(&record.value).unwrap()));
        if new.len() == 1 {
            self.states.push(Arc::new(records(&self.oracle).unwrap()));
        }
        verdict
    }

    /// Holds a store against the history. Gives the sequence number that it is at, or what is wrong.
    pub(crate) fn compare(&self, store: &dyn Backend, expected: Expected) -> Result<u64, String> {
        let found = self.look(store)?;
        found.is_within(expected)?;
        Ok(found.at)
    }

    /// Finds the state of the history that a store is in; or what is wrong with it.
    pub(crate) fn look(&self, store: &dyn Backend) -> Result<Found, String> {
        let failed = |what: &str, error| format!("{what}: {error}");
        let stats = block_on(store.stats()).map_err(|error| failed("stats", error))?;
        let at = stats.sequence;
        if !self.boundaries.contains(&at) {
            return Err(format!("it is at commit {at}, which is no end of a physical transaction"));
        }
        let found = records(store).map_err(|error| failed("scan", error))?;
        same_records(&self.states[at as usize], &found).map_err(|what| format!("at commit {at}: {what}"))?;
        if stats.keys != found.len() as u64 {
            return Err(format!("stats tell of {} keys, there are {}", stats.keys, found.len()));
        }
        let oldest = self.compare_log(store, at)?;
        let problems = block_on(store.check()).map_err(|error| failed("check", error))?;
        if !problems.is_empty() {
            return Err(format!("check finds {problems:?}"));
        }
        Ok(Found { at, oldest })
    }

    /// Gives the number of the oldest entry of the log.
    fn compare_log(&self, store: &dyn Backend, at: u64) -> Result<u64, String> {
        let found = scan(store, &Range::log_after(0)).map_err(|error| format!("log: {error}"))?;
        let oldest = at + 1 - found.len() as u64;
        for ((key, record), sequence) in found.iter().zip(oldest..) {
            let entry =
                LogEntry::decode(&record.value).map_err(|error| format!("log {sequence}: {error}"))?;
            let right = *key == Key::log(sequence) && record.version == sequence;
            if !right || entry != self.log[sequence as usize - 1] {
                return Err(format!("log entry {sequence} differs: {entry:?}"));
            }
        }
        Ok(oldest)
    }
}

/// A state of the history, as it was found in a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Its sequence number.
    pub(crate) at: u64,
    /// The oldest entry of its log.
    oldest: u64,
}

impl Found {
    /// Whether it may be that one.
    pub(crate) fn is_within(self, expected: Expected) -> Result<(), String> {
        let Self { at, oldest } = self;
        let Expected { sequences: (first, last), trimmed } = expected;
        if !(first..=last).contains(&at) {
            return Err(format!("it is at commit {at}; {first} was acknowledged, {last} was asked for"));
        }
        if oldest > trimmed.min(at) + 1 {
            return Err(format!("the log begins at {oldest}, but was trimmed up to {trimmed} only"));
        }
        Ok(())
    }
}

fn same_records(expected: &Records, found: &Records) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let keys: BTreeSet<&Key> = expected.keys().chain(found.keys()).collect();
    let differs = |key: &&&Key| expected.get(**key) != found.get(**key);
    let key = keys.iter().find(differs).expect("the maps differ");
    let shown = |records: &Records| {
        records.get(*key).map(|record| (record.version, record.value.len(), record.value.first().copied()))
    };
    Err(format!(
        "{key:?} differs: (version, length, first byte) should be {:?}, is {:?}",
        shown(expected),
        shown(found)
    ))
}

/// Every record outside of the log.
pub(crate) fn records(store: &dyn Backend) -> mnemora::Result<Records> {
    let everything = Range::new(Vec::new(), Some(vec![Space::Log as u8]));
    Ok(scan(store, &everything)?.into_iter().collect())
}

fn scan(store: &dyn Backend, range: &Range) -> mnemora::Result<Vec<(Key, Record)>> {
    Ok(block_on(store.scan(range, Page::first(10_000)))?.records)
}
