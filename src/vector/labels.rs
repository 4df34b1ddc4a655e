//! Which row a label is in, and the other way round.
//!
//! **Invariants**
//! - `label_of(row_of(label)) == label`, and rows are `0..len` without gaps.
//! - A label is in `dense` or in `sparse`, never in both.
//! - Memory is linear in the most rows ever held, whatever the labels are.

use std::collections::{BTreeMap, TryReserveError};

/// No row: an index holds fewer rows than this.
const ABSENT: u32 = u32::MAX;

/// Labels and rows, one to one.
///
/// A collection numbers its vectors from zero, so a label indexes a table. A label far beyond the
/// number of rows goes to a tree instead of growing the table to it.
#[derive(Debug, Default)]
pub(super) struct Labels {
    by_row: Vec<u32>,
    dense: Vec<u32>,
    sparse: BTreeMap<u32, u32>,
}

impl Labels {
    pub(super) fn len(&self) -> usize {
        self.by_row.len()
    }

    /// Whether no further row can be numbered.
    pub(super) fn is_full(&self) -> bool {
        self.by_row.len() >= ABSENT as usize
    }

    pub(super) fn row_of(&self, label: u32) -> Option<usize> {
        let row = match self.dense.get(label as usize) {
            Some(&row) if row != ABSENT => row,
            _ if self.sparse.is_empty() => return None,
            _ => *self.sparse.get(&label)?,
        };
        Some(row as usize)
    }

    /// The label of `row`, which must be below `len`.
    pub(super) fn label_of(&self, row: usize) -> u32 {
        self.by_row[row]
    }

    /// Makes room for `additional` rows.
    pub(super) fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError> {
        self.by_row.try_reserve(additional)
    }

    /// Gives `label`, which must be absent, the next row. The caller has checked `is_full`. Nothing
    /// is changed if there is no memory.
    pub(super) fn push(&mut self, label: u32) -> Result<(), TryReserveError> {
        self.by_row.try_reserve(1)?;
        let (row, index) = (self.by_row.len() as u32, label as usize);
        if index >= self.dense.len() && index <= 4 * self.by_row.len() + 1024 {
            self.dense.try_reserve(index + 1 - self.dense.len())?;
            self.dense.resize(index + 1, ABSENT);
        }
        self.by_row.push(label);
        match self.dense.get_mut(index) {
            Some(slot) => *slot = row,
            None => drop(self.sparse.insert(label, row)),
        }
        Ok(())
    }

    /// Removes `label`, whose place is taken by the last row. Returns the row that became free.
    pub(super) fn swap_remove(&mut self, label: u32) -> Option<usize> {
        let row = self.row_of(label)?;
        self.by_row.swap_remove(row);
        match self.dense.get_mut(label as usize) {
            Some(slot) if *slot != ABSENT => *slot = ABSENT,
            _ => drop(self.sparse.remove(&label)),
        }
        if let Some(&moved) = self.by_row.get(row) {
            // A label stays where it was put, also when the table has grown past it since.
            match self.dense.get_mut(moved as usize) {
                Some(slot) if *slot != ABSENT => *slot = row as u32,
                _ => drop(self.sparse.insert(moved, row as u32)),
            }
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::super::seeded::Seeded;
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn follows_a_model_for_dense_and_sparse_labels() {
        let (mut random, seed) = Seeded::new(0x5eed_0002);
        let mut labels = Labels::default();
        let mut model: Vec<u32> = Vec::new();
        for step in 0..20_000 {
            let label = match random.below(4) {
                0 => random.next() as u32 | 0xffff_ff00,
                1 => random.below(60_000) as u32,
                _ => random.below(500) as u32,
            };
            match model.iter().position(|l| *l == label) {
                Some(row) if random.below(2) == 0 => {
                    assert_eq!(labels.swap_remove(label), Some(row), "step {step}, seed {seed}");
                    model.swap_remove(row);
                }
                Some(row) => assert_eq!(labels.row_of(label), Some(row), "step {step}, seed {seed}"),
                None => {
                    assert_eq!(labels.row_of(label), None, "step {step}, seed {seed}");
                    assert_eq!(labels.swap_remove(label), None);
                    labels.push(label).unwrap();
                    model.push(label);
                }
            }
        }
        assert_eq!(labels.by_row, model, "seed {seed}");
        for (row, label) in model.iter().enumerate() {
            assert_eq!((labels.row_of(*label), labels.label_of(row)), (Some(row), *label), "seed {seed}");
        }
        assert!(!labels.sparse.is_empty() && labels.sparse.len() < model.len(), "seed {seed}");
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn a_far_label_does_not_grow_the_table() {
        let mut labels = Labels::default();
        labels.push(u32::MAX).unwrap();
        labels.push(0).unwrap();
        labels.push(u32::MAX - 1).unwrap();
        assert!(labels.dense.len() <= 2048);
        assert_eq!(labels.swap_remove(u32::MAX), Some(0));
        assert_eq!((labels.row_of(u32::MAX - 1), labels.row_of(0)), (Some(0), Some(1)));
    }
}
