//! Taking removed vectors out of the graph.
//!
//! A removed vector is dead at once: it is never returned, but walked through. When some have gathered, one
//! pass over all lists finds the links to them. In each list they are replaced by what the dead ones linked
//! to, as far as it is not behind what the list has; then their slots are free. There are no lists of incoming links, which would double the memory.
//!
//! **Invariants**
//! - After a repair no link leads to a dead or free slot, and the spanning tree connects the live ones.

use super::graph::{Entry, Graph};
use super::links::target;
use super::scratch::Visited;
use super::slots::Slots;
use crate::vector::codes::Codes;

/// Dead vectors that one pass is worth.
const BATCH: usize = 64;

impl Slots {
    /// Whether so many are dead that they should be taken out of the graph: with few vectors left, a
    /// walk would meet little else.
    pub(super) fn want_repair(&self) -> bool {
        let dead = self.dead().len();
        dead >= BATCH || dead * 8 > self.live() as usize
    }
}

impl Graph {
    /// Takes the dead out of the graph. The caller frees their slots.
    pub(super) fn repair(&mut self, codes: &Codes, slots: &Slots, visited: &mut Visited) {
        let dead = slots.dead();
        if dead.is_empty() {
            return;
        }
        self.bridge(codes, dead, |slot| !slots.is_live(slot));
        for slot in slots.iter_live() {
            if self.neighbours(slot).any(|near| !slots.is_live(near)) {
                self.relink(codes, slots, slot, visited);
            }
        }
        self.repair_towers(codes, slots, visited);
        let lost = self.entry_slot().is_none_or(|slot| !slots.is_live(slot));
        for slot in dead {
            self.links.set(*slot, []);
            self.touch(*slot);
            if let Some(tower) = self.towers.of_slot(*slot) {
                self.towers.raze(tower);
                self.touch_tower(*slot);
            }
        }
        if lost {
            self.entry = self.best_entry(slots);
        }
    }

    /// Where walks should begin: at the highest tower.
    pub(super) fn best_entry(&self, slots: &Slots) -> Option<Entry> {
        self.towers.highest().map(Entry::Tower).or_else(|| slots.iter_live().next().map(Entry::Slot))
    }

    /// Replaces the links of a live slot to dead ones by links to what is behind those.
    fn relink(&mut self, codes: &Codes, slots: &Slots, slot: u32, visited: &mut Visited) {
        visited.begin(slots.count());
        visited.insert(slot);
        let (mut stay, mut behind) = (Vec::new(), Vec::new());
        let mut dead: Vec<u32> = Vec::new();
        for word in self.links.of(slot) {
            visited.insert(target(word));
            if slots.is_live(target(word)) { stay.push(word) } else { dead.push(target(word)) }
        }
        let degree = stay.len() + dead.len();
        while let Some(gone) = dead.pop() {
            for near in self.neighbours(gone).filter(|near| visited.insert(*near)) {
                if slots.is_live(near) { behind.push(near) } else { dead.push(near) }
            }
        }
        let Self { choice, links, towers, .. } = self;
        choice.gather(codes, slot, behind.into_iter(), |slot| slot);
        choice.choose_beside(codes, slot, stay.into_iter(), degree, towers.m());
        links.set(slot, choice.chosen.iter().copied());
        self.touch(slot);
    }

    /// The same at the upper levels.
    fn repair_towers(&mut self, codes: &Codes, slots: &Slots, visited: &mut Visited) {
        let is_live = |graph: &Self, tower| slots.is_live(graph.towers.slot_of(tower));
        let all: Vec<u32> = self.towers.iter().filter(|tower| is_live(self, *tower)).collect();
        for tower in all {
            for level in 1..=self.towers.height(tower) {
                if self.towers.of(tower, level).all(|near| is_live(self, near)) {
                    continue;
                }
                visited.begin(self.towers.count());
                visited.insert(tower);
                let (mut words, mut next) = (Vec::new(), vec![tower]);
                while let Some(from) = next.pop() {
                    for near in self.towers.of(from, level) {
                        if !visited.insert(near) {
                            continue;
                        } else if is_live(self, near) {
                            words.push(near);
                        } else {
                            next.push(near);
                        }
                    }
                }
                let Self { choice, towers, .. } = self;
                let slot = towers.slot_of(tower);
                choice.gather(codes, slot, words.into_iter(), |tower| towers.slot_of(tower));
                choice.choose(codes, slot, towers.m(), towers.m() / 2);
                towers.set(tower, level, choice.chosen.iter().copied());
                self.touch_tower(slot);
            }
        }
    }
}
