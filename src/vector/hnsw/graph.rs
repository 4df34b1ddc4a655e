//! The graph: links of all levels, where a walk begins, and what of it changed.
//!
//! **Invariants**
//! - `entry` is the highest tower if there is one, else a slot of the lowest level; `None` only if no slot
//!   has links or is live.
//! - Whatever changes a list says so to `dirty`.

use super::links::{BLOCK, EMPTY, Links, TREE, target};
use super::scratch::{Key, Scratch};
use super::select::Choice;
use super::towers::Towers;
use super::walk::{Base, Upper, descend};
use crate::paged::Dirty;
use crate::vector::codes::Codes;

/// The region of pages that hold lists of the lowest level.
pub(super) const LINKS: u8 = 17;

/// The region of pages that hold towers.
pub(super) const UPPER: u8 = 18;

/// Slots whose towers are in one page: some 64 towers.
pub(super) const UPPER_BLOCK: u32 = 1024;

/// Where walks begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// No tower stands: a slot.
    Slot(u32),
    /// The highest tower.
    Tower(u32),
}

/// Links of all levels.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) links: Links,
    pub(super) towers: Towers,
    pub(super) entry: Option<Entry>,
    pub(super) dirty: Dirty,
    pub(super) choice: Choice,
}

impl Graph {
    pub(super) fn new(m: usize) -> Self {
        Self {
            links: Links::new(2 * m),
            towers: Towers::new(m),
            entry: None,
            dirty: Dirty::default(),
            choice: Choice::default(),
        }
    }

    /// Forgets all links of `count` slots.
    pub(super) fn clear(&mut self, count: u32) {
        for slot in 0..count {
            self.links.set(slot, []);
            self.touch(slot);
            self.touch_tower(slot);
        }
        self.towers = Towers::new(self.towers.m());
        self.entry = None;
    }

    /// The slot where walks begin.
    pub(super) fn entry_slot(&self) -> Option<u32> {
        self.entry.map(|entry| match entry {
            Entry::Slot(slot) => slot,
            Entry::Tower(tower) => self.towers.slot_of(tower),
        })
    }

    /// Goes down from the entry to the level above `until`, always to the nearest. Says the slot from
    /// which a walk of level `until` begins, and the tower if that is an upper one.
    pub(super) fn approach(&self, codes: &Codes, until: usize, scratch: &mut Scratch) -> Option<u32> {
        let mut tower = match self.entry? {
            Entry::Slot(slot) => return Some(slot),
            Entry::Tower(tower) => tower,
        };
        let score = codes.score(&scratch.probe, self.towers.slot_of(tower));
        scratch.distances += 1;
        let mut best = Key::new(score, tower);
        for level in (until + 1..=self.towers.height(tower)).rev() {
            best = descend(&Upper { towers: &self.towers, level }, codes, best, scratch);
        }
        tower = best.node();
        Some(if until == 0 { self.towers.slot_of(tower) } else { tower })
    }

    /// The lowest level of `count` slots.
    pub(super) fn base(&self, count: u32) -> Base<'_> {
        Base { links: &self.links, count }
    }

    /// The list of a slot changed.
    pub(super) fn touch(&mut self, slot: u32) {
        self.dirty.add(LINKS, slot / BLOCK);
    }

    /// A tower on a slot changed.
    pub(super) fn touch_tower(&mut self, slot: u32) {
        self.dirty.add(UPPER, slot / UPPER_BLOCK);
    }

    /// Links `from` to the slot of `word`, if it is not. A full list is chosen anew, so that the link may
    /// not be there afterwards, unless it is one of the spanning tree.
    pub(super) fn link(&mut self, codes: &Codes, from: u32, word: u32) {
        if !self.links.mark(from, word) && !self.links.push(from, word) {
            let width = self.links.width();
            let words = self.links.of(from).chain([word]);
            self.choice.gather(codes, from, words, |slot| slot);
            self.choice.choose(codes, from, width, 0);
            self.links.set(from, self.choice.chosen.iter().copied());
        }
        self.touch(from);
    }

    /// The same for two towers at an upper level.
    pub(super) fn link_towers(&mut self, codes: &Codes, level: usize, from: u32, to: u32) {
        let Self { towers, choice, .. } = self;
        let slot = towers.slot_of(from);
        if towers.words(from, level).last() == Some(&EMPTY) {
            let links: Vec<u32> = towers.of(from, level).chain([to]).collect();
            towers.set(from, level, links);
        } else {
            choice.gather(codes, slot, towers.of(from, level).chain([to]), |tower| towers.slot_of(tower));
            choice.choose(codes, slot, towers.m(), 0);
            towers.set(from, level, choice.chosen.iter().copied());
        }
        self.touch_tower(slot);
    }

    /// Whether there is room for a further link of the spanning tree in a list. Some of each list is left
    /// to the links that are chosen.
    pub(super) fn has_room(&self, slot: u32) -> bool {
        let width = self.links.width();
        self.links.tree(slot).count() < (width * 3 / 4).max(3)
    }

    /// Makes the link between two slots, both ways, part of the spanning tree.
    pub(super) fn tie(&mut self, codes: &Codes, a: u32, b: u32) {
        for (from, to) in [(a, b), (b, a)] {
            self.link(codes, from, to | TREE);
        }
    }

    /// The slots that a slot's links lead to.
    pub(super) fn neighbours(&self, slot: u32) -> impl Iterator<Item = u32> {
        self.links.of(slot).map(target)
    }
}
