//! Choosing the links of a node: near ones, in all directions.
//!
//! The heuristic of Malkov and Yashunin (2018, algorithm 4): going from the nearest candidate on, one is
//! taken if it is nearer to the node than to every one taken before. What is behind another is reached
//! through it.
//!
//! **Invariants**
//! - Links of the spanning tree stay, whatever else is chosen.
//! - Of equal candidates one is taken: vectors that are all the same do not fill a list.
//! - A copy of the node hides only further copies: what is as near to the copy is as near to the node, and
//!   one of them must lead there.

use super::links::{TREE, target};
use super::scratch::Key;
use crate::vector::codes::{Codes, Probe};

/// Taken candidates that one is compared with at once, nearest first. Most that are passed over are
/// behind one of the first.
const AT_ONCE: usize = 4;

/// The buffers of a choice, and its result.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Whose links are chosen.
    pub(super) owner: Probe,
    /// Candidates, best first: for each its key and its word (slot or tower, with the tree's bit).
    pub(super) candidates: Vec<(Key, u32)>,
    /// The words that were chosen.
    pub(super) chosen: Vec<u32>,
    taken: Vec<u32>,
    passed: Vec<u32>,
    other: Probe,
    scores: Vec<f32>,
    words: Vec<u32>,
    slots: Vec<u32>,
}

impl Choice {
    /// Makes `words` the candidates for the links of `owner`; `slot_of` says the slot of a word's target.
    pub(super) fn gather(
        &mut self,
        codes: &Codes,
        owner: u32,
        words: impl Iterator<Item = u32>,
        slot_of: impl Fn(u32) -> u32,
    ) {
        self.words.clear();
        self.words.extend(words);
        self.slots.clear();
        self.slots.extend(self.words.iter().map(|word| slot_of(target(*word))));
        self.scores.resize(self.slots.len(), 0.0);
        codes.probe_slot(owner, &mut self.owner);
        codes.scores(&self.owner, &self.slots, &mut self.scores);
        self.candidates.clear();
        let keys = self.slots.iter().zip(&self.scores).map(|(slot, score)| Key::new(*score, *slot));
        self.candidates.extend(keys.zip(self.words.iter().copied()));
        self.candidates.sort_unstable_by_key(|(key, _)| std::cmp::Reverse(*key));
    }

    /// Chooses at most `limit` of the candidates for the links of `owner`, which are there best first. If
    /// the heuristic takes fewer than `fill`, the nearest of the others are added.
    pub(super) fn choose(&mut self, codes: &Codes, owner: u32, limit: usize, fill: usize) {
        self.choose_beside(codes, owner, std::iter::empty(), limit, fill);
    }

    /// The same on the lowest level beside links that `stay`, which candidates may be behind, too. They
    /// count.
    pub(super) fn choose_beside(
        &mut self,
        codes: &Codes,
        owner: u32,
        stay: impl Iterator<Item = u32>,
        limit: usize,
        fill: usize,
    ) {
        let Self { candidates, chosen, taken, passed, other, scores, .. } = self;
        chosen.clear();
        chosen.extend(stay);
        taken.clear();
        taken.extend(chosen.iter().map(|word| target(*word)));
        passed.clear();
        let tied = candidates.iter().filter(|(_, word)| word & TREE != 0).count();
        let mut kept = chosen.len() + tied;
        for (key, word) in candidates.iter() {
            if word & TREE == 0 {
                if kept >= limit {
                    continue;
                }
                if is_behind(codes, owner, *key, taken, other, scores) {
                    passed.push(*word);
                    continue;
                }
                kept += 1;
            }
            chosen.push(*word);
            taken.push(key.node());
        }
        let missing = fill.min(limit).saturating_sub(chosen.len());
        chosen.extend(passed.iter().take(missing));
    }
}

/// Whether one of `taken` is as near to the candidate as `owner` is, or nearer.
fn is_behind(
    codes: &Codes,
    owner: u32,
    key: Key,
    taken: &[u32],
    probe: &mut Probe,
    scores: &mut Vec<f32>,
) -> bool {
    if taken.is_empty() {
        return false;
    }
    codes.probe_slot(key.node(), probe);
    let bar = key.score();
    taken.chunks(AT_ONCE).any(|some| {
        scores.resize(some.len(), 0.0);
        codes.scores(probe, some, scores);
        let hides = |(slot, score): (&u32, &f32)| {
            let is_copy = || codes.same(*slot, owner) && !codes.same(key.node(), owner);
            *score > bar || (*score == bar && !is_copy())
        };
        some.iter().zip(scores.iter()).any(hides)
    })
}
