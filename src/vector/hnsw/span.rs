//! The spanning tree of the lowest level.
//!
//! The heuristic drops links, and nothing in it keeps a vector, or a cluster far from all others, from
//! being left without a way to it. So some links are kept whatever it says: those of a tree that connects
//! all slots, each both ways. It costs two links a slot on average, most of which are to a nearest
//! neighbour and would be there anyhow.
//!
//! **Invariants**
//! - Links of the tree are in both lists or in none.
//! - Between calls they connect all slots that are live or dead, without a circle.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::links::{TREE, target};
use crate::vector::codes::Codes;

/// Sets that are merged (union and find, by size, with halving of paths).
#[derive(Debug)]
pub(super) struct Sets {
    parents: Vec<u32>,
    sizes: Vec<u32>,
}

impl Sets {
    /// `count` sets of one.
    pub(super) fn new(count: u32) -> Self {
        Self { parents: (0..count).collect(), sizes: vec![1; count as usize] }
    }

    /// What stands for the set of `a`.
    pub(super) fn find(&mut self, mut a: u32) -> u32 {
        while self.parents[a as usize] != a {
            let above = self.parents[self.parents[a as usize] as usize];
            self.parents[a as usize] = above;
            a = above;
        }
        a
    }

    /// Merges two sets. False if they are one already.
    pub(super) fn merge(&mut self, a: u32, b: u32) -> bool {
        let (mut a, mut b) = (self.find(a), self.find(b));
        if a == b {
            return false;
        }
        if self.sizes[a as usize] < self.sizes[b as usize] {
            (a, b) = (b, a);
        }
        self.parents[b as usize] = a;
        self.sizes[a as usize] += self.sizes[b as usize];
        true
    }

    /// How many are in the set of `a`.
    pub(super) fn size(&mut self, a: u32) -> u32 {
        let root = self.find(a);
        self.sizes[root as usize]
    }
}

impl Graph {
    /// The slot nearest to `from` along the tree that has room for another link of it. There always is
    /// one: a tree has ends.
    pub(super) fn with_room(&self, from: u32) -> u32 {
        let mut met = BTreeSet::from([from]);
        let mut next = vec![from];
        let mut at = 0;
        while let Some(slot) = next.get(at).copied() {
            if self.has_room(slot) {
                return slot;
            }
            next.extend(self.links.tree(slot).filter(|slot| met.insert(*slot)));
            at += 1;
        }
        from
    }

    /// Connects two parts of the tree, at `a` and `b` or as near to them as there is room.
    pub(super) fn join(&mut self, codes: &Codes, a: u32, b: u32) {
        let (a, b) = (self.with_room(a), self.with_room(b));
        self.tie(codes, a, b);
    }

    /// Takes `dead` slots, whose lists are still there, out of the tree, and connects again what hung on
    /// them. `is_dead` is true for them and for no other slot of the tree.
    pub(super) fn bridge(&mut self, codes: &Codes, dead: &[u32], is_dead: impl Fn(u32) -> bool) {
        let mut met = BTreeSet::new();
        let mut gaps = Vec::new();
        for first in dead {
            if !met.insert(*first) {
                continue;
            }
            // All that hangs on this one, and on those dead that hang on it.
            let (mut next, mut around) = (vec![*first], Vec::new());
            while let Some(slot) = next.pop() {
                for near in self.links.tree(slot) {
                    if !is_dead(near) {
                        around.push(near);
                    } else if met.insert(near) {
                        next.push(near);
                    }
                }
            }
            gaps.push(around);
        }
        // Only then can the tree be followed without coming to a dead one.
        for slot in gaps.iter().flatten() {
            self.links.unmark(*slot, &is_dead);
        }
        for around in gaps {
            self.chain(codes, around);
        }
    }

    /// Joins slots of separate parts, each with the one most similar to it of those that are left.
    fn chain(&mut self, codes: &Codes, mut parts: Vec<u32>) {
        let Some(mut last) = parts.pop() else { return };
        let mut probe = Default::default();
        while !parts.is_empty() {
            codes.probe_slot(last, &mut probe);
            let scored = parts.iter().enumerate().map(|(at, slot)| (codes.score(&probe, *slot), at));
            let nearest = scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, at)| at);
            let next = parts.swap_remove(nearest);
            self.join(codes, last, next);
            last = next;
        }
    }

    /// Removes from the tree, not from the lists, what can not be in it: links that are there one way
    /// only, and those that close a circle. `slots` are those with lists. Returns the parts that it is in.
    pub(super) fn prune_tree(&mut self, count: u32, slots: impl Iterator<Item = u32>) -> Sets {
        let mut sets = Sets::new(count);
        for slot in slots {
            let words: Vec<u32> = self.links.of(slot).collect();
            let mut changed = false;
            let kept: Vec<u32> = words
                .into_iter()
                .map(|word| {
                    let to = target(word);
                    // A pair is judged once, from its smaller side, and the other side follows it.
                    let back = |graph: &Self| graph.links.tree(to).any(|back| back == slot);
                    let sound = word & TREE == 0
                        || (slot < to && back(self) && sets.merge(slot, to))
                        || (slot > to && back(self));
                    changed |= !sound;
                    if sound { word } else { to }
                })
                .collect();
            if changed {
                self.links.set(slot, kept);
                self.touch(slot);
            }
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn sets_merge_once() {
        let mut sets = Sets::new(6);
        assert!(sets.merge(0, 1) && sets.merge(2, 3) && sets.merge(1, 3));
        assert!(!sets.merge(0, 2));
        assert_eq!((sets.size(3), sets.size(4)), (4, 1));
        assert_eq!(sets.find(0), sets.find(3));
    }
}
