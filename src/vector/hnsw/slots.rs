//! Which slot a label is in, and the other way round.
//!
//! **Invariants**
//! - A slot is live (it has a label), dead (its label was removed, links may still lead to it) or free.
//! - `labels[slot]` is the label of a live slot, and `slot_of` leads back, one to one.
//! - A label is in `dense` or in `sparse`, never in both.
//! - Memory is linear in the most slots ever held, whatever the labels are.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// No slot, no label.
pub(super) const NONE: u32 = u32::MAX;

/// Slots there can be: a link keeps one bit for itself, and the last number means none.
pub(super) const MOST: u32 = (1 << 31) - 1;

/// The slots of an index and their labels.
#[derive(Debug, Default)]
pub(super) struct Slots {
    labels: Vec<u32>,
    /// The slots of labels: a collection numbers its vectors from zero.
    dense: Vec<u32>,
    /// Those of labels far beyond the number of slots, for which the table would be too large.
    sparse: BTreeMap<u32, u32>,
    dead: Vec<u32>,
    /// In descending order, so that the smallest is taken first, whatever happened before.
    free: Vec<u32>,
    live: u32,
}

impl Slots {
    /// Slots as they were stored: `labels[slot]`, or [`NONE`]. Of two slots with one label the second is
    /// lost. All that have none are dead.
    pub(super) fn of_labels(labels: Vec<u32>) -> Self {
        let mut slots = Self { labels: vec![NONE; labels.len()], ..Self::default() };
        for (slot, label) in (0..).zip(labels) {
            if label == NONE || slots.slot_of(label).is_some() {
                slots.dead.push(slot);
            } else {
                slots.put(label, slot);
            }
        }
        slots
    }

    /// Slots that exist, whatever they hold.
    pub(super) fn count(&self) -> u32 {
        self.labels.len() as u32
    }

    /// Slots that hold a vector under a label.
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    pub(super) fn dead(&self) -> &[u32] {
        &self.dead
    }

    pub(super) fn slot_of(&self, label: u32) -> Option<u32> {
        match self.dense.get(label as usize) {
            Some(slot) if *slot != NONE => Some(*slot),
            _ if self.sparse.is_empty() => None,
            _ => self.sparse.get(&label).copied(),
        }
    }

    /// The label of a slot that exists, [`NONE`] if it is dead or free.
    #[inline(always)]
    pub(super) fn label_of(&self, slot: u32) -> u32 {
        self.labels[slot as usize]
    }

    #[inline(always)]
    pub(super) fn is_live(&self, slot: u32) -> bool {
        self.label_of(slot) != NONE
    }

    /// Makes room for a vector under `label` and says which slot it will have.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for the one label that means none,
    /// [`Quota`](crate::ErrorKind::Quota) without memory.
    pub(super) fn reserve(&mut self, label: u32) -> Result<u32> {
        if label == NONE {
            return Err(Error::invalid(format!("label {label} can not be used: give one below it")));
        }
        let slot = self.free.last().copied().unwrap_or(self.count());
        let missing = self.missing(label).unwrap_or_default();
        let room = self.labels.try_reserve(1).and_then(|()| self.dense.try_reserve(missing));
        if slot >= MOST || room.is_err() {
            return Err(Error::quota(format!(
                "no memory for another vector beside {}: delete some",
                self.live
            )));
        }
        Ok(slot)
    }

    /// By how much the table must grow to hold `label`; `None` if it is too far out.
    fn missing(&self, label: u32) -> Option<usize> {
        let index = label as usize;
        (index <= 4 * self.labels.len() + 1024).then(|| (index + 1).saturating_sub(self.dense.len()))
    }

    /// Takes the slot that [`reserve`](Self::reserve) said. It is neither live, dead nor free until it is
    /// [`put`](Self::put).
    pub(super) fn claim(&mut self, slot: u32) {
        if slot == self.count() {
            self.labels.push(NONE);
        } else {
            self.free.pop();
        }
    }

    /// Puts `label`, which has no slot, on a slot that was claimed.
    pub(super) fn put(&mut self, label: u32, slot: u32) {
        if let Some(missing) = self.missing(label) {
            self.dense.resize(self.dense.len() + missing, NONE);
        }
        match self.dense.get_mut(label as usize) {
            Some(place) => *place = slot,
            None => drop(self.sparse.insert(label, slot)),
        }
        self.labels[slot as usize] = label;
        self.live += 1;
    }

    /// Takes a label away. Its slot, which is returned, is dead now.
    pub(super) fn kill(&mut self, label: u32) -> Option<u32> {
        let slot = self.slot_of(label)?;
        match self.dense.get_mut(label as usize) {
            Some(place) if *place != NONE => *place = NONE,
            _ => drop(self.sparse.remove(&label)),
        }
        self.labels[slot as usize] = NONE;
        self.dead.push(slot);
        self.live -= 1;
        Some(slot)
    }

    /// No link leads to the dead any more: they are free. Returns them.
    pub(super) fn bury(&mut self) -> Vec<u32> {
        let dead = std::mem::take(&mut self.dead);
        self.free.extend_from_slice(&dead);
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        dead
    }

    /// Slots that are live, in order.
    pub(super) fn iter_live(&self) -> impl Iterator<Item = u32> {
        (0..self.count()).filter(|slot| self.is_live(*slot))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::seeded::Seeded;
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn follow_a_model_and_come_back_from_their_labels() {
        let (mut random, seed) = Seeded::new(0x5eed_0101);
        let mut slots = Slots::default();
        let mut model = std::collections::BTreeMap::new();
        for step in 0..5_000 {
            let label = [random.below(300) as u32, u32::MAX - 1 - random.below(50) as u32][random.below(2)];
            if random.below(3) == 0 {
                assert_eq!(slots.kill(label), model.remove(&label), "step {step}, seed {seed}");
            } else {
                let slot = slots.reserve(label).unwrap();
                assert!(
                    !slots.dead().contains(&slot) && !model.values().any(|other| *other == slot),
                    "step {step}, seed {seed}"
                );
                slots.claim(slot);
                assert_eq!(slots.kill(label), model.insert(label, slot), "step {step}, seed {seed}");
                slots.put(label, slot);
            }
            if random.below(40) == 0 {
                slots.bury();
            }
            assert_eq!(slots.live() as usize, model.len());
        }
        assert!(slots.count() < 500, "slots are used again");
        let labels: Vec<u32> = (0..slots.count()).map(|slot| slots.label_of(slot)).collect();
        let back = Slots::of_labels(labels);
        for (label, slot) in &model {
            assert_eq!((slots.slot_of(*label), back.slot_of(*label)), (Some(*slot), Some(*slot)));
        }
        assert_eq!(back.live() + back.dead().len() as u32, back.count());
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn labels_far_out_cost_no_table_and_one_is_refused() {
        let mut slots = Slots::default();
        assert_eq!(slots.reserve(NONE).unwrap_err().kind(), crate::ErrorKind::Invalid);
        let slot = slots.reserve(u32::MAX - 1).unwrap();
        slots.claim(slot);
        slots.put(u32::MAX - 1, slot);
        assert!(slots.dense.is_empty());
        let slots = Slots::of_labels(vec![5, NONE, 5, u32::MAX - 1, 0]);
        assert_eq!(
            (slots.slot_of(5), slots.slot_of(0), slots.slot_of(u32::MAX - 1)),
            (Some(0), Some(4), Some(3))
        );
        assert_eq!((slots.dead(), slots.live()), ([1, 2].as_slice(), 3));
    }
}
