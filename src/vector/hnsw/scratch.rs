//! What a walk needs besides the index: buffers that are kept from search to search, so that a search
//! allocates nothing but its answer.
//!
//! **Invariants**
//! - Keys order by score, larger first, then by the smaller node: a total order, the same on every target.
//! - A pool hands a scratch to one search at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};

use crate::vector::codes::Probe;

/// A score and the node that has it, in one number: comparing keys is comparing integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    /// Below every key of a node.
    pub(super) const LOWEST: Self = Self(0);

    #[inline(always)]
    pub(super) fn new(score: f32, node: u32) -> Self {
        let bits = score.to_bits();
        // Floats as integers in the same order: of negative ones all bits turn, of others the sign.
        let turn = ((bits as i32 >> 31) as u32) | 0x8000_0000;
        Self((u64::from(bits ^ turn) << 32) | u64::from(!node))
    }

    #[inline(always)]
    pub(super) fn node(self) -> u32 {
        !(self.0 as u32)
    }

    #[inline(always)]
    pub(super) fn score(self) -> f32 {
        let bits = (self.0 >> 32) as u32;
        let turn = (!((bits as i32 >> 31) as u32)) | 0x8000_0000;
        f32::from_bits(bits ^ turn)
    }
}

/// Nodes that a walk has met. A round of marks takes no clearing: marks of earlier rounds do not count.
#[derive(Debug, Default)]
pub(super) struct Visited {
    marks: Vec<u8>,
    round: u8,
}

impl Visited {
    /// Forgets all, and makes room for nodes below `count`.
    pub(super) fn begin(&mut self, count: u32) {
        if self.marks.len() < count as usize {
            self.marks.resize(count as usize, 0);
        }
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.marks.fill(0);
            self.round = 1;
        }
    }

    /// Marks a node. True if it was not marked before.
    #[inline(always)]
    pub(super) fn insert(&mut self, node: u32) -> bool {
        let mark = &mut self.marks[node as usize];
        let new = *mark != self.round;
        *mark = self.round;
        new
    }
}

/// The best of what was offered, up to a number.
#[derive(Debug, Default)]
pub(super) struct Best {
    heap: BinaryHeap<Reverse<Key>>,
    room: usize,
}

impl Best {
    /// Forgets all, and holds the best `room` from now on.
    pub(super) fn begin(&mut self, room: usize) {
        self.heap.clear();
        self.room = room;
    }

    pub(super) fn is_full(&self) -> bool {
        self.heap.len() >= self.room
    }

    /// What a key must be above to be kept.
    #[inline(always)]
    pub(super) fn bar(&self) -> Key {
        if self.is_full() { self.heap.peek().map_or(Key::LOWEST, |worst| worst.0) } else { Key::LOWEST }
    }

    /// Keeps a key that is above the bar.
    #[inline(always)]
    pub(super) fn keep(&mut self, key: Key) {
        if self.heap.len() < self.room {
            self.heap.push(Reverse(key));
        } else if let Some(mut worst) = self.heap.peek_mut() {
            *worst = Reverse(key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Key> {
        self.heap.iter().map(|key| key.0)
    }

    /// Moves the keys to `into`, best first.
    pub(super) fn drain(&mut self, into: &mut Vec<Key>) {
        into.clear();
        into.extend(self.heap.drain().map(|key| key.0));
        into.sort_unstable_by(|a, b| b.cmp(a));
    }
}

/// The answers of a filter, so that it is asked once for each slot.
#[derive(Debug, Default)]
pub(super) struct Memo {
    asked: Vec<u64>,
    yes: Vec<u64>,
}

impl Memo {
    /// Forgets all, and makes room for slots below `count`.
    pub(super) fn begin(&mut self, count: u32) {
        for bits in [&mut self.asked, &mut self.yes] {
            bits.clear();
            bits.resize(count.div_ceil(64) as usize, 0);
        }
    }

    /// The answer for a slot, which `ask` gives the first time.
    #[inline]
    pub(super) fn get(&mut self, slot: u32, ask: impl FnOnce() -> bool) -> bool {
        let (word, bit) = ((slot / 64) as usize, 1u64 << (slot % 64));
        if self.asked[word] & bit == 0 {
            self.asked[word] |= bit;
            if ask() {
                self.yes[word] |= bit;
            }
        }
        self.yes[word] & bit != 0
    }
}

/// The buffers of a walk.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The side that everything is compared with.
    pub(super) probe: Probe,
    pub(super) visited: Visited,
    /// Nodes to go on from, best on top.
    pub(super) frontier: BinaryHeap<Key>,
    /// The nearest nodes so far.
    pub(super) nearest: Best,
    /// Nodes to be scored together, the slots they stand for, and their scores.
    pub(super) batch: Vec<u32>,
    pub(super) slots: Vec<u32>,
    pub(super) scores: Vec<f32>,
    /// What the walk found, best first.
    pub(super) found: Vec<Key>,
    /// Of what was met, the best that may be returned.
    pub(super) accepted: Best,
    pub(super) memo: Memo,
    /// Distances that were computed.
    pub(super) distances: u64,
}

/// Scratches that are not in use.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Scratch>>);

impl Pool {
    /// Runs `work` with a scratch. Searches on several threads have one each.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        // What a panicking thread left behind is a list of buffers, sound as it is.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = lock().pop().unwrap_or_default();
        let result = work(&mut scratch);
        lock().push(scratch);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn keys_order_as_their_scores_and_come_back() {
        let scores = [f32::MIN, -1.5, -f32::MIN_POSITIVE, -0.0, 0.0, 1e-30, 2.0, f32::MAX];
        let keys: Vec<Key> = scores.iter().map(|score| Key::new(*score, 7)).collect();
        assert!(keys.is_sorted() && keys.iter().all(|key| *key > Key::LOWEST));
        for (key, score) in keys.iter().zip(scores) {
            assert_eq!((key.score().to_bits(), key.node()), (score.to_bits(), 7));
        }
        assert!(Key::new(1.0, 3) > Key::new(1.0, 4), "of equals the smaller node is better");
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn marks_of_earlier_rounds_do_not_count() {
        let mut visited = Visited::default();
        for round in 0..600 {
            visited.begin(4);
            assert!(visited.insert(round % 4) && !visited.insert(round % 4));
        }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn a_filter_is_asked_once() {
        let mut memo = Memo::default();
        for _ in 0..2 {
            memo.begin(130);
            let mut asked = 0;
            for slot in [129, 0, 129, 64, 0] {
                assert_eq!(
                    memo.get(slot, || {
                        asked += 1;
                        slot == 129
                    }),
                    slot == 129
                );
            }
            assert_eq!(asked, 3);
        }
    }
}
