//! Who passes: the verdict on each batch of a commit, shared by every backend.
//!
//! **Invariants**
//! - Pure: given the same batches and the same view of what is stored, the same outcome.
//! - A batch sees the effects of those that passed before it in the same commit.
//! - Sequence numbers are given without a gap, and only to batches that change something.

use std::collections::BTreeMap;

use crate::model::{
    Batch, Committed, Conflict, Key, Lineage, LogEntry, Precondition, Range, Space, Touch, set_created,
};
use crate::{Error, Result};

/// What a verdict needs to know of a stored record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its version.
    pub(crate) version: u64,
    /// Its times, if its value is an envelope.
    pub(crate) lineage: Option<Lineage>,
}

impl Known {
    /// What is to be known of a record with this version and these bytes.
    pub(crate) fn of(key: &Key, version: u64, value: &[u8]) -> Self {
        Self { version, lineage: Lineage::of(key, value) }
    }
}

/// What is stored, as far as the batches ask for it: the keys of their preconditions, of
/// their deletes, and of the puts that keep a creation time.
pub(crate) trait View {
    /// The record at `key`, if there is one.
    fn known(&self, key: &Key) -> Option<Known>;

    /// The number of the latest commit that the log no longer tells of.
    fn log_floor(&self) -> u64;

    /// The first key in `range` that a commit after `sequence` touched, and that commit's number. Not
    /// asked for a `sequence` below [`log_floor`](Self::log_floor).
    fn touched_since(&self, range: &Range, sequence: u64) -> Option<(Key, u64)>;
}

/// What happens to a key in the end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Write<'a> {
    /// It gets these bytes. `created` replaces the creation time in the envelope, if given.
    Put { value: &'a [u8], version: u64, created: Option<u64> },
    /// It goes.
    Delete,
}

/// Appends the bytes that a [`Write::Put`] stores.
pub(crate) fn push_value(bytes: &mut Vec<u8>, key: &Key, value: &[u8], created: Option<u64>) {
    let at = bytes.len();
    bytes.extend_from_slice(value);
    if let Some(created) = created {
        set_created(key, &mut bytes[at..], created);
    }
}

/// The outcome of a commit, to be carried out by the backend.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    /// One verdict a batch, in their order.
    pub(crate) verdicts: Vec<std::result::Result<Committed, Conflict>>,
    /// The final write of each key that changes, in key order.
    pub(crate) writes: Vec<(&'a Key, Write<'a>)>,
    /// The entries to append to the log.
    pub(crate) entries: Vec<LogEntry>,
    /// Up to where the log may be trimmed.
    pub(crate) trim_log: Option<u64>,
}

/// Checks what every backend refuses alike.
///
/// # Errors
/// `Invalid`, naming the key.
pub(crate) fn check(batches: &[Batch], max_value_bytes: usize) -> Result<()> {
    for batch in batches {
        for key in batch.deletes.iter().chain(batch.puts.iter().map(|put| &put.key)) {
            if key.space().is_none_or(|space| space == Space::Log) {
                return Err(Error::invalid("only commits write to the log").with_key(key.clone()));
            }
        }
        for put in &batch.puts {
            if put.value.len() > max_value_bytes {
                let message = format!(
                    "the record has {} bytes, the limit is {max_value_bytes}; split it",
                    put.value.len()
                );
                return Err(Error::invalid(message).with_key(put.key.clone()));
            }
        }
    }
    Ok(())
}

/// Judges `batches` after the commit with the number `head`.
pub(crate) fn judge<'a>(batches: &'a [Batch], head: u64, view: &dyn View) -> Judgement<'a> {
    let mut judge = Judge { view, head, overlay: BTreeMap::new(), entries: Vec::new() };
    let verdicts = batches.iter().map(|batch| judge.batch(batch)).collect();
    let trim_log = batches.iter().filter_map(|batch| batch.trim_log).max();
    let writes = judge.overlay.into_iter().map(|(key, (write, _))| (key, write)).collect();
    Judgement { verdicts, writes, entries: judge.entries, trim_log }
}

struct Judge<'a, 'v> {
    view: &'v dyn View,
    head: u64,
    /// What this commit has written so far, and what is to be known of it.
    overlay: BTreeMap<&'a Key, (Write<'a>, Option<Known>)>,
    entries: Vec<LogEntry>,
}

impl<'a> Judge<'a, '_> {
    fn batch(&mut self, batch: &'a Batch) -> std::result::Result<Committed, Conflict> {
        self.hold(batch)?;
        let sequence = self.head + 1;
        let mut touched = BTreeMap::new();
        for key in &batch.deletes {
            if self.known(key).is_some() {
                self.overlay.insert(key, (Write::Delete, None));
                touched.insert(key, Touch::Delete);
            }
        }
        for put in &batch.puts {
            let before = if put.keep_created { self.known(&put.key) } else { None };
            let created = before.and_then(|known| known.lineage?.inheritable(batch.time));
            let write = Write::Put { value: &put.value, version: sequence, created };
            let lineage = Lineage::of(&put.key, &put.value).map(|lineage| match created {
                Some(created) => lineage.with_created(created),
                None => lineage,
            });
            self.overlay.insert(&put.key, (write, Some(Known { version: sequence, lineage })));
            touched.insert(&put.key, Touch::Put);
        }
        if touched.is_empty() {
            return Ok(Committed { sequence: self.head });
        }
        self.head = sequence;
        let touched = touched.into_iter().map(|(key, touch)| (key.clone(), touch)).collect();
        self.entries.push(LogEntry { sequence, time: batch.time, kind: batch.kind, touched });
        Ok(Committed { sequence })
    }

    /// Whether everything holds that the batch asks for.
    fn hold(&self, batch: &Batch) -> std::result::Result<(), Conflict> {
        for (key, what) in &batch.preconditions {
            let holds = match what {
                Precondition::Any => true,
                Precondition::Absent => self.known(key).is_none(),
                Precondition::Version(version) => {
                    self.known(key).is_some_and(|known| known.version == *version)
                }
            };
            if !holds {
                let found = self.known(key).map(|known| known.version);
                return Err(Conflict { key: key.clone(), found });
            }
        }
        for (range, since) in &batch.unchanged {
            let here = self.entries.iter().find_map(|entry| first_touch_in(entry, range, *since));
            let before = || {
                let floor = self.view.log_floor();
                // What the log does not tell may have touched anything.
                if *since < floor {
                    Some((Key::log(floor), floor))
                } else {
                    self.view.touched_since(range, *since)
                }
            };
            if let Some((key, sequence)) = here.or_else(before) {
                return Err(Conflict { key, found: Some(sequence) });
            }
        }
        Ok(())
    }

    fn known(&self, key: &Key) -> Option<Known> {
        self.overlay.get(key).map_or_else(|| self.view.known(key), |(_, known)| *known)
    }
}

/// The first key of `entry` in `range`, if the entry is later than `since`.
pub(crate) fn first_touch_in(entry: &LogEntry, range: &Range, since: u64) -> Option<(Key, u64)> {
    if entry.sequence <= since {
        return None;
    }
    let (key, _) = entry.touched.iter().find(|(key, _)| range.contains(key))?;
    Some((key.clone(), entry.sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Stored(BTreeMap<Key, Known>);

    impl View for Stored {
        fn known(&self, key: &Key) -> Option<Known> {
            self.0.get(key).copied()
        }
        fn log_floor(&self) -> u64 {
            0
        }
        fn touched_since(&self, _: &Range, _: u64) -> Option<(Key, u64)> {
            None
        }
    }

    fn key(id: &str) -> Key {
        Key::record("s", id).expect("valid key")
    }

    #[test]
    fn a_batch_sees_those_before_it_and_a_conflict_changes_nothing() {
        let first = Batch::new(1).put(key("a"), vec![1]).require(key("a"), Precondition::Absent);
        let late = Batch::new(2)
            .put(key("a"), vec![2])
            .put(key("b"), vec![2])
            .require(key("a"), Precondition::Absent);
        let third = Batch::new(3).put(key("a"), vec![3]).require(key("a"), Precondition::Version(11));
        let batches = [first, late, third];
        let outcome = judge(&batches, 10, &Stored::default());
        assert_eq!(outcome.verdicts[0], Ok(Committed { sequence: 11 }));
        assert_eq!(outcome.verdicts[1], Err(Conflict { key: key("a"), found: Some(11) }));
        assert_eq!(outcome.verdicts[2], Ok(Committed { sequence: 12 }));
        assert_eq!(outcome.writes.len(), 1);
        assert!(matches!(outcome.writes[0].1, Write::Put { value: [3], version: 12, .. }));
        assert_eq!(outcome.entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [11, 12]);
    }

    #[test]
    fn a_batch_that_changes_nothing_takes_no_number() {
        let batches = [Batch::new(1).delete(key("none")), Batch::new(1).put(key("a"), vec![])];
        let outcome = judge(&batches, 4, &Stored::default());
        assert_eq!(outcome.verdicts, [Ok(Committed { sequence: 4 }), Ok(Committed { sequence: 5 })]);
        assert_eq!(outcome.entries.len(), 1);
    }

    #[test]
    fn a_range_conflicts_with_an_earlier_batch_of_the_same_commit() {
        let range = Range::ids(Space::Record, "s", "");
        let batches = [
            Batch::new(1).put(key("new"), vec![]),
            Batch::new(1).put(key("sum"), vec![]).require_unchanged(range, 7),
        ];
        let outcome = judge(&batches, 7, &Stored::default());
        assert_eq!(outcome.verdicts[1], Err(Conflict { key: key("new"), found: Some(8) }));
    }
}
