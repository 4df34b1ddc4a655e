//! What a context knows of the database without looking.
//!
//! **Invariants**
//! - Everything held is true at the number `head`, provided that `head` is still the latest. Whether
//!   it is, the commit that relies on it finds out.
//! - The two generations hold at most 2 × [`GENERATION`] records: memory is bounded, and what was
//!   used lately stays.

use std::collections::{HashMap, VecDeque};

use super::super::judge::{Judgement, Known, Write};
use crate::model::{Key, Lineage};
use crate::platform::Monotonic;

const GENERATION: usize = 4_096;

/// How many commits read before they write after records that were taken to be new were not.
const CAUTION: u32 = 32;

#[derive(Debug)]
pub(super) struct Knowledge {
    lease_ms: f64,
    generation: u64,
    head: Option<(u64, Monotonic)>,
    young: HashMap<Key, Known>,
    old: HashMap<Key, Known>,
    caution: u32,
    suspect: Option<u64>,
    /// Numbers and when this context first saw them, oldest first, about one a lease.
    seen: VecDeque<(u64, Monotonic)>,
}

impl Knowledge {
    pub(super) fn new(lease_ms: f64) -> Self {
        Self {
            lease_ms,
            generation: 0,
            head: None,
            young: HashMap::new(),
            old: HashMap::new(),
            caution: 0,
            suspect: None,
            seen: VecDeque::new(),
        }
    }

    /// From here on the connection `generation` is used. Behind another one there may be another
    /// database: the old one may have been deleted.
    pub(super) fn of_connection(&mut self, generation: u64) {
        if self.generation != generation {
            self.generation = generation;
            self.seen.clear();
            self.forget();
        }
    }

    /// The latest number, if it may be trusted.
    pub(super) fn head(&self) -> Option<u64> {
        self.head.filter(|(_, since)| since.elapsed_ms() < self.lease_ms).map(|(head, _)| head)
    }

    /// The record at `key`, if it is known.
    pub(super) fn known(&self, key: &Key) -> Option<Known> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    /// Whether a record that is not known may be taken to be new.
    pub(super) fn may_assume_new(&self) -> bool {
        self.caution == 0
    }

    /// `head` was read just now.
    pub(super) fn adopt(&mut self, head: u64) {
        if self.head.is_some_and(|(known, _)| known != head) {
            self.forget();
        }
        if self.suspect.take() == Some(head) {
            self.caution = CAUTION;
        }
        self.confirm(head);
    }

    /// A commit of this context went through.
    pub(super) fn advance(&mut self, judgement: &Judgement<'_>) {
        self.caution = self.caution.saturating_sub(1);
        let head = judgement.entries.last().map(|entry| entry.sequence);
        if let Some(head) = head.or(self.head.map(|(head, _)| head)) {
            self.confirm(head);
        }
        for &(key, ref write) in &judgement.writes {
            self.old.remove(key);
            match write {
                Write::Delete => {
                    self.young.remove(key);
                }
                Write::Put { value, version, created } => {
                    let lineage = Lineage::of(key, value)
                        .map(|lineage| created.map_or(lineage, |created| lineage.with_created(created)));
                    self.young.insert(key.clone(), Known { version: *version, lineage });
                }
            }
        }
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// A commit that relied on `head` met a key that it took to be free. Whether that was the next
    /// number or a record, [`Knowledge::adopt`] will tell.
    pub(super) fn collided(&mut self, head: u64) {
        self.forget();
        self.suspect = Some(head);
    }

    /// Somebody read an entry with this number.
    pub(super) fn meet(&mut self, sequence: u64) {
        if self.head.is_some_and(|(head, _)| sequence > head) {
            self.forget();
        }
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.head = None;
        self.young.clear();
        self.old.clear();
    }

    /// The last number that every context has surely seen: see the invariants of the room.
    pub(super) fn trimmable(&self) -> u64 {
        let safe = self.seen.iter().rev().find(|(_, since)| since.elapsed_ms() > 2.0 * self.lease_ms);
        safe.map_or(0, |(head, _)| *head)
    }

    fn confirm(&mut self, head: u64) {
        let now = Monotonic::now();
        self.head = Some((head, now));
        if self.seen.back().is_none_or(|(_, since)| since.elapsed_ms() >= self.lease_ms) {
            self.seen.push_back((head, now));
            if self.seen.len() > 4 {
                self.seen.pop_front();
            }
        }
    }
}
