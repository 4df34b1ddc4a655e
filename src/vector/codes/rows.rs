//! The f32 rows that are at hand, block by block.
//!
//! **Invariants**
//! - A row is there as it was given, bit for bit, or not at all.
//! - A block without any row holds no memory.

use std::collections::TryReserveError;

/// The rows of one block of slots.
#[derive(Debug, Default)]
pub(super) struct Rows {
    numbers: Vec<f32>,
    present: Vec<bool>,
    count: usize,
}

impl Rows {
    pub(super) fn get(&self, at: usize, dimensions: usize) -> Option<&[f32]> {
        let there = self.present.get(at).is_some_and(|present| *present);
        there.then(|| &self.numbers[at * dimensions..][..dimensions])
    }

    /// Makes room for the `slots` rows of a block.
    pub(super) fn reserve(&mut self, slots: usize, dimensions: usize) -> Result<(), TryReserveError> {
        if self.present.is_empty() {
            let mut numbers = Vec::new();
            numbers.try_reserve_exact(slots * dimensions)?;
            self.present.try_reserve_exact(slots)?;
            numbers.resize(slots * dimensions, 0.0);
            self.numbers = numbers;
            self.present.resize(slots, false);
        }
        Ok(())
    }

    /// Puts a row into a block that has room.
    pub(super) fn put(&mut self, at: usize, row: &[f32]) {
        self.numbers[at * row.len()..][..row.len()].copy_from_slice(row);
        self.count += usize::from(!std::mem::replace(&mut self.present[at], true));
    }

    pub(super) fn free(&mut self, at: usize) {
        if self.present.get_mut(at).is_some_and(|present| std::mem::replace(present, false)) {
            self.count -= 1;
            if self.count == 0 {
                *self = Self::default();
            }
        }
    }
}
