//! Whether the links are sound, for tests and for `verify`.

use super::HnswIndex;
use super::links::{TREE, target};
use super::span::Sets;

/// Findings that are told; more of them say nothing new.
const MOST: usize = 20;

impl HnswIndex {
    /// What is wrong with the links, in words: at most 20 findings. Empty: they are sound.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut findings = Vec::new();
        self.check_base(&mut findings);
        self.check_tree(&mut findings);
        self.check_towers(&mut findings);
        self.check_reach(&mut findings);
        findings.truncate(MOST);
        findings
    }

    fn has_vector(&self, slot: u32) -> bool {
        slot < self.slots.count() && (self.slots.is_live(slot) || self.slots.dead().contains(&slot))
    }

    /// Slots that are live or dead.
    fn used(&self) -> impl Iterator<Item = u32> {
        (0..self.slots.count()).filter(|slot| self.has_vector(*slot))
    }

    fn check_base(&self, findings: &mut Vec<String>) {
        for slot in 0..self.slots.count() {
            let mut near: Vec<u32> = self.graph.neighbours(slot).collect();
            if !self.has_vector(slot) && !near.is_empty() {
                findings.push(format!("slot {slot} is free and has {} links", near.len()));
            }
            for to in &near {
                if !self.has_vector(*to) {
                    findings.push(format!("slot {slot} is linked to {to}, where no vector is"));
                } else if *to == slot {
                    findings.push(format!("slot {slot} is linked to itself"));
                }
            }
            near.sort_unstable();
            if near.windows(2).any(|pair| pair[0] == pair[1]) {
                findings.push(format!("slot {slot} has a link twice"));
            }
        }
    }

    fn check_tree(&self, findings: &mut Vec<String>) {
        let mut sets = Sets::new(self.slots.count());
        let (mut links, mut slots) = (0, 0);
        for slot in self.used() {
            slots += 1;
            for to in self.graph.links.tree(slot).filter(|to| self.has_vector(*to)) {
                links += 1;
                let back = self.graph.links.of(to).any(|word| word & TREE != 0 && target(word) == slot);
                if !back {
                    findings.push(format!("slot {slot} is tied to {to}, which is not tied to it"));
                }
                sets.merge(slot, to);
            }
        }
        if slots > 0 && links != 2 * (slots - 1) {
            findings.push(format!("the tree of {slots} slots has {links} links, not {}", 2 * (slots - 1)));
        }
        if let Some(first) = self.used().next()
            && sets.size(first) != slots
        {
            findings.push(format!("the tree connects {} of {slots} slots", sets.size(first)));
        }
    }

    fn check_towers(&self, findings: &mut Vec<String>) {
        let towers = &self.graph.towers;
        for tower in towers.iter() {
            let slot = towers.slot_of(tower);
            if !self.has_vector(slot) {
                findings.push(format!("slot {slot} has a tower and no vector"));
            }
            for level in 1..=towers.height(tower) {
                let mut near: Vec<u32> = towers.of(tower, level).collect();
                for to in &near {
                    let to_slot = towers.slot_of(*to);
                    if towers.of_slot(to_slot) != Some(*to) {
                        findings
                            .push(format!("level {level}: slot {slot} is linked to a tower that is gone"));
                    } else if towers.height(*to) < level {
                        findings.push(format!(
                            "level {level}: slot {slot} is linked to {to_slot}, which is lower"
                        ));
                    } else if *to == tower {
                        findings.push(format!("level {level}: slot {slot} is linked to itself"));
                    }
                }
                near.sort_unstable();
                if near.windows(2).any(|pair| pair[0] == pair[1]) {
                    findings.push(format!("level {level}: slot {slot} has a link twice"));
                }
            }
        }
        let top = towers.highest().map(|tower| towers.height(tower));
        let entry = self.graph.entry_slot();
        let entry_height = entry.and_then(|slot| towers.of_slot(slot)).map(|tower| towers.height(tower));
        if top != entry_height {
            findings.push(format!("the entry is {entry_height:?} levels high, the highest tower {top:?}"));
        }
    }

    /// Every vector can be reached from where walks begin.
    fn check_reach(&self, findings: &mut Vec<String>) {
        let Some(entry) = self.graph.entry_slot().filter(|slot| self.has_vector(*slot)) else {
            if self.slots.live() > 0 {
                findings.push("there is no entry, or no vector at it".into());
            }
            return;
        };
        let mut met = vec![false; self.slots.count() as usize];
        met[entry as usize] = true;
        let mut next = vec![entry];
        while let Some(slot) = next.pop() {
            for to in self.graph.neighbours(slot).filter(|to| self.has_vector(*to)) {
                if !std::mem::replace(&mut met[to as usize], true) {
                    next.push(to);
                }
            }
        }
        let lost: Vec<u32> = self.slots.iter_live().filter(|slot| !met[*slot as usize]).collect();
        if let Some(first) = lost.first() {
            findings.push(format!("{} vectors can not be reached, the first in slot {first}", lost.len()));
        }
    }
}
