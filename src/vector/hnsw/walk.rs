//! Walking a level: from the best node that is known to its links, until nothing better comes.
//!
//! The neighbours of a node that were not met yet are gathered first and scored together. Everything that
//! is scored is also offered to the caller, who may be looking for something else than the nearest.
//!
//! **Invariants**
//! - A walk ends: each node is met once.

use super::links::{EMPTY, Links, target};
use super::scratch::{Key, Scratch};
use super::towers::Towers;
use crate::vector::codes::Codes;

/// One level of the graph. Nodes of the lowest are slots, those of the upper ones towers.
pub(super) trait Level {
    /// The links of a node, up to the first [`EMPTY`].
    fn words(&self, node: u32) -> &[u32];
    /// All nodes are below this.
    fn count(&self) -> u32;
    /// The slots of `nodes`; `room` may be used for them.
    fn slots<'a>(&self, nodes: &'a [u32], room: &'a mut Vec<u32>) -> &'a [u32];
}

/// The lowest level.
#[derive(Debug)]
pub(super) struct Base<'a> {
    pub(super) links: &'a Links,
    pub(super) count: u32,
}

impl Level for Base<'_> {
    #[inline(always)]
    fn words(&self, node: u32) -> &[u32] {
        self.links.words(node)
    }

    fn count(&self) -> u32 {
        self.count
    }

    #[inline(always)]
    fn slots<'a>(&self, nodes: &'a [u32], _room: &'a mut Vec<u32>) -> &'a [u32] {
        nodes
    }
}

/// An upper level, from 1 on.
#[derive(Debug)]
pub(super) struct Upper<'a> {
    pub(super) towers: &'a Towers,
    pub(super) level: usize,
}

impl Level for Upper<'_> {
    #[inline(always)]
    fn words(&self, node: u32) -> &[u32] {
        self.towers.words(node, self.level)
    }

    fn count(&self) -> u32 {
        self.towers.count()
    }

    fn slots<'a>(&self, nodes: &'a [u32], room: &'a mut Vec<u32>) -> &'a [u32] {
        room.clear();
        room.extend(nodes.iter().map(|tower| self.towers.slot_of(*tower)));
        room
    }
}

/// Different vectors in view that are enough to go on from. Where there are fewer, many are copies of one
/// another, and who sees nothing else finds no way out of them.
const DISTINCT: usize = 16;

/// How many times as wide a walk may become to see them.
const WIDEST: usize = 16;

/// How wide to walk again, after a walk of `width`, where `ef` was wanted, found hardly anything but copies;
/// `None`: well enough. Copies have the same score.
pub(super) fn wider(found: &[Key], width: usize, ef: usize) -> Option<usize> {
    let enough = DISTINCT.min(ef / 4);
    let copies =
        found.len() == width && found.chunk_by(|a, b| a.score() == b.score()).take(enough).count() < enough;
    (copies && width < WIDEST * ef).then(|| width * 4)
}

/// Finds the `ef` nodes nearest to `scratch.probe` that can be reached from `start`, and leaves them in
/// `scratch.found`, best first. `offer` sees each node that is scored, once.
pub(super) fn walk<L: Level>(
    level: &L,
    codes: &Codes,
    start: u32,
    ef: usize,
    scratch: &mut Scratch,
    mut offer: impl FnMut(Key),
) {
    let Scratch { probe, visited, frontier, nearest, batch, slots, scores, found, distances, .. } = scratch;
    visited.begin(level.count());
    frontier.clear();
    nearest.begin(ef);
    batch.clear();
    visited.insert(start);
    batch.push(start);
    loop {
        scores.resize(batch.len(), 0.0);
        codes.scores(probe, level.slots(batch, slots), scores);
        *distances += batch.len() as u64;
        for (node, score) in batch.iter().zip(scores.iter()) {
            let key = Key::new(*score, *node);
            offer(key);
            if key > nearest.bar() {
                nearest.keep(key);
                frontier.push(key);
            }
        }
        // The next node that has neighbours which nobody has met.
        loop {
            let Some(next) = frontier.pop().filter(|next| *next >= nearest.bar()) else {
                nearest.drain(found);
                return;
            };
            batch.clear();
            for word in level.words(next.node()) {
                if *word == EMPTY {
                    break;
                }
                let node = target(*word);
                if visited.insert(node) {
                    batch.push(node);
                }
            }
            if !batch.is_empty() {
                break;
            }
        }
    }
}

/// The node that a walk which only ever goes to the best neighbour ends at.
pub(super) fn descend<L: Level>(level: &L, codes: &Codes, start: Key, scratch: &mut Scratch) -> Key {
    let Scratch { probe, batch, slots, scores, distances, .. } = scratch;
    let mut best = start;
    loop {
        batch.clear();
        batch.extend(level.words(best.node()).iter().take_while(|word| **word != EMPTY));
        scores.resize(batch.len(), 0.0);
        codes.scores(probe, level.slots(batch, slots), scores);
        *distances += batch.len() as u64;
        let keys = batch.iter().zip(scores.iter()).map(|(node, score)| Key::new(*score, *node));
        match keys.max() {
            Some(key) if key > best => best = key,
            _ => return best,
        }
    }
}
