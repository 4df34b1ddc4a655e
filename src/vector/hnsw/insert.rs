//! Linking a new vector.
//!
//! **Invariants**
//! - Before and after, the links of the spanning tree connect all slots that are live or dead, both ways:
//!   a new slot is tied to one near it. So the walk can reach every vector, whatever the heuristic drops.

use super::graph::{Entry, Graph};
use super::links::TREE;
use super::scratch::{Key, Scratch};
use super::slots::Slots;
use super::towers::MOST_LEVELS;
use super::walk::{Upper, walk, wider};
use crate::vector::codes::Codes;

/// The height of the tower of the `count`-th vector: 0 for all but one in `m`.
///
/// A hash of a counter (SplitMix64), so that the same calls give the same graph everywhere, also after
/// the index was stored and loaded.
pub(super) fn height(seed: u64, count: u64, m: usize) -> usize {
    let mut z = seed.wrapping_add(count.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    let mut height = 0;
    // Each level has one in `m` of the one below. Digits of the hash to the base `m` decide.
    while height < MOST_LEVELS && z.is_multiple_of(m as u64) {
        z /= m as u64;
        height += 1;
    }
    height
}

impl Graph {
    /// Links a slot that has codes and no links, under a label already, into the graph, with a tower of
    /// `height` levels. False if nothing but dead slots was found: repair, and try again.
    pub(super) fn insert(
        &mut self,
        codes: &Codes,
        slots: &Slots,
        slot: u32,
        height: usize,
        ef: usize,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(entry) = self.entry else {
            self.begin(slot, height);
            return true;
        };
        codes.probe_slot(slot, &mut scratch.probe);
        let top = match entry {
            Entry::Slot(_) => 0,
            Entry::Tower(tower) => self.towers.height(tower),
        };
        // The lowest level first: it is the one that can fail.
        let Some(start) = self.approach(codes, 0, scratch) else { return false };
        let mut width = Some(ef);
        while let Some(now) = width {
            walk(&self.base(slots.count()), codes, start, now, scratch, |_| ());
            width = wider(&scratch.found, now, ef);
        }
        scratch.found.retain(|key| slots.is_live(key.node()) && key.node() != slot);
        if scratch.found.is_empty() {
            return false;
        }
        self.link_base(codes, slot, &scratch.found);
        if height > 0 {
            let tower = self.towers.raise(slot, height);
            self.touch_tower(slot);
            for level in (1..=height.min(top)).rev() {
                self.link_upper(codes, slots, tower, level, ef, scratch);
            }
            if height > top {
                self.entry = Some(Entry::Tower(tower));
            }
        }
        true
    }

    /// The first slot.
    fn begin(&mut self, slot: u32, height: usize) {
        self.entry = Some(Entry::Slot(slot));
        self.touch(slot);
        if height > 0 {
            self.entry = Some(Entry::Tower(self.towers.raise(slot, height)));
            self.touch_tower(slot);
        }
    }

    /// Links a slot with the best of `found`, which are live and best first.
    pub(super) fn link_base(&mut self, codes: &Codes, slot: u32, found: &[Key]) {
        self.choice.candidates.clear();
        self.choice.candidates.extend(found.iter().map(|key| (*key, key.node())));
        // As many as the heuristic takes, where the paper has a limit of m: on sentence embeddings (10,000 x
        // 384) a walk then computes a tenth fewer distances for the same recall, and building takes as long.
        let (width, m) = (self.links.width(), self.towers.m());
        self.choice.choose(codes, slot, width - 1, m / 2);
        let chosen = std::mem::take(&mut self.choice.chosen);
        self.links.set(slot, chosen.iter().copied());
        self.touch(slot);
        let parent = self.parent(&chosen, found);
        for near in &chosen {
            self.link(codes, *near, if *near == parent { slot | TREE } else { slot });
        }
        self.choice.chosen = chosen;
        self.tie(codes, slot, parent);
    }

    /// The nearest slot that can take another link of the spanning tree: one of the chosen, else of those
    /// found, else one that the tree leads to from there. Each slot has two such links on average, so one
    /// with room is never far.
    fn parent(&self, chosen: &[u32], found: &[Key]) -> u32 {
        let near = chosen.iter().copied().chain(found.iter().map(|key| key.node()));
        let first = chosen.first().copied().unwrap_or_default();
        near.into_iter().find(|slot| self.has_room(*slot)).unwrap_or_else(|| self.with_room(first))
    }

    /// Links a tower at a level that others have too.
    fn link_upper(
        &mut self,
        codes: &Codes,
        slots: &Slots,
        tower: u32,
        level: usize,
        ef: usize,
        scratch: &mut Scratch,
    ) {
        let Some(start) = self.approach(codes, level, scratch) else { return };
        walk(&Upper { towers: &self.towers, level }, codes, start, ef, scratch, |_| ());
        let Self { choice, towers, .. } = self;
        choice.candidates.clear();
        for key in &scratch.found {
            let slot = towers.slot_of(key.node());
            if slots.is_live(slot) && key.node() != tower {
                choice.candidates.push((Key::new(key.score(), slot), key.node()));
            }
        }
        choice.choose(codes, towers.slot_of(tower), towers.m(), towers.m() / 2);
        let chosen = std::mem::take(&mut choice.chosen);
        towers.set(tower, level, chosen.iter().copied());
        for near in &chosen {
            self.link_towers(codes, level, *near, tower);
        }
        self.choice.chosen = chosen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn each_level_has_one_in_m_of_the_one_below() {
        for m in [2usize, 16, 64] {
            let heights: Vec<usize> = (0..100_000).map(|count| height(7, count, m)).collect();
            let share = |level| heights.iter().filter(|height| **height >= level).count() as f64 / 1e5;
            assert!((share(1) * m as f64 - 1.0).abs() < 0.1, "{m}");
            assert!((share(2) * (m * m) as f64 - 1.0).abs() < 0.4, "{m}");
        }
        // Stored indexes count on these.
        assert_eq!((0..8).map(|count| height(1, count, 2)).collect::<Vec<_>>(), [0, 0, 1, 0, 0, 7, 0, 0]);
    }
}
