//! Batches: the unit of atomicity, and what becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::{Key, Range};

/// A stored value and the version it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The sequence number of the commit that wrote it.
    pub version: u64,
    /// The stored bytes.
    pub value: Vec<u8>,
}

/// What must hold of a key for a batch to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    Any,
    /// There is no record.
    Absent,
    /// There is a record, and it has this version.
    Version(u64),
}

/// One record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Where.
    pub key: Key,
    /// The bytes.
    pub value: Vec<u8>,
    /// Whether the envelope in `value` takes over the creation time of the record it replaces (see
    /// [`Lineage`](super::Lineage)).
    pub keep_created: bool,
}

/// Why a batch was made; kept in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CommitKind {
    /// Somebody wrote or deleted.
    Write,
    /// Records had outlived their time.
    Expire,
}

/// Writes that happen together or not at all, and what must hold for them.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Why it is made.
    pub kind: CommitKind,
    /// When it is made, in milliseconds since the Unix epoch.
    pub time: u64,
    /// Keys to delete. Applied before the puts.
    pub deletes: Vec<Key>,
    /// Records to write. Of two puts to one key the later holds.
    pub puts: Vec<Put>,
    /// What must hold of single keys, also of keys that are only read.
    pub preconditions: Vec<(Key, Precondition)>,
    /// Ranges in which nothing may have changed since a sequence number: what a transaction that
    /// listed a range needs so that no record can appear in it unseen.
    pub unchanged: Vec<(Range, u64)>,
    /// Drop log entries up to this sequence number. A backend may keep more of them.
    pub trim_log: Option<u64>,
    /// Lets the caller take the batch back while it waits.
    pub ticket: Option<Ticket>,
}

impl Batch {
    /// An empty batch, made at `time`.
    #[must_use]
    pub fn new(time: u64) -> Self {
        Self {
            kind: CommitKind::Write,
            time,
            deletes: Vec::new(),
            puts: Vec::new(),
            preconditions: Vec::new(),
            unchanged: Vec::new(),
            trim_log: None,
            ticket: None,
        }
    }

    /// Adds a put of raw bytes.
    #[must_use]
    pub fn put(mut self, key: Key, value: Vec<u8>) -> Self {
        self.puts.push(Put { key, value, keep_created: false });
        self
    }

    /// Adds a delete.
    #[must_use]
    pub fn delete(mut self, key: Key) -> Self {
        self.deletes.push(key);
        self
    }

    /// Adds a precondition.
    #[must_use]
    pub fn require(mut self, key: Key, precondition: Precondition) -> Self {
        self.preconditions.push((key, precondition));
        self
    }

    /// Requires that nothing in `range` changed after the sequence number `since`.
    #[must_use]
    pub fn require_unchanged(mut self, range: Range, since: u64) -> Self {
        self.unchanged.push((range, since));
        self
    }
}

/// A batch that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Its sequence number, which is the version of every record it put. A batch that changed
    /// nothing takes no number and reports the latest one.
    pub sequence: u64,
}

/// A batch that did not pass: the first key that stood in the way, and what was found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The key.
    pub key: Key,
    /// Its version; `None` if there is no record.
    pub found: Option<u64>,
}

/// A claim to a batch that waits: whoever is first either starts the batch or takes it back.
///
/// **Invariant**: of [`Ticket::start`] and [`Ticket::withdraw`], exactly one succeeds.
#[derive(Debug, Clone, Default)]
pub struct Ticket(Arc<AtomicU8>);

const WAITING: u8 = 0;
const STARTED: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Ticket {
    /// Claims the batch for writing. `false` if it was taken back: it must not be written.
    #[must_use]
    pub fn start(&self) -> bool {
        let before = self.0.compare_exchange(WAITING, STARTED, Ordering::AcqRel, Ordering::Acquire);
        before != Err(WITHDRAWN)
    }

    /// Takes the batch back. `true` if nothing of it was or will be written.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        let before = self.0.compare_exchange(WAITING, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire);
        before != Err(STARTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_goes_to_the_first() {
        let ticket = Ticket::default();
        assert!(ticket.start() && !ticket.withdraw() && ticket.start());
        let ticket = Ticket::default();
        assert!(ticket.withdraw() && !ticket.start() && ticket.withdraw());
    }
}
