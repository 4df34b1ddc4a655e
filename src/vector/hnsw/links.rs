//! The links of the lowest level, where every vector is: a list of fixed width for each slot.
//!
//! A link is a word: the slot that it leads to, and one bit that says whether it is part of the spanning
//! tree (`span`).
//!
//! **Invariants**
//! - A list has no gap: after the first [`EMPTY`] all are empty.
//! - Blocks never move: growing copies nothing.

use std::collections::TryReserveError;

use super::slots::MOST;

/// No link.
pub(super) const EMPTY: u32 = u32::MAX;

/// Set in a link of the spanning tree.
pub(super) const TREE: u32 = 1 << 31;

/// Slots in a block, which is also a page: an insert touches some thirty lists all over, so pages are small.
pub(super) const BLOCK: u32 = 64;

/// The slot that a link leads to.
#[inline(always)]
pub(super) fn target(word: u32) -> u32 {
    word & !TREE
}

/// The lists of all slots.
#[derive(Debug)]
pub(super) struct Links {
    width: usize,
    blocks: Vec<Box<[u32]>>,
}

impl Links {
    /// Lists of at most `width` links.
    pub(super) fn new(width: usize) -> Self {
        Self { width, blocks: Vec::new() }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Makes room for `slots` of them, whose lists are empty.
    pub(super) fn reserve(&mut self, slots: u32) -> Result<(), TryReserveError> {
        let missing = (slots.div_ceil(BLOCK) as usize).saturating_sub(self.blocks.len());
        self.blocks.try_reserve(missing)?;
        for _ in 0..missing {
            let mut block = Vec::new();
            block.try_reserve_exact(self.width * BLOCK as usize)?;
            block.resize(self.width * BLOCK as usize, EMPTY);
            self.blocks.push(block.into_boxed_slice());
        }
        Ok(())
    }

    /// The whole list of a slot.
    #[inline(always)]
    pub(super) fn words(&self, slot: u32) -> &[u32] {
        &self.blocks[(slot / BLOCK) as usize][(slot % BLOCK) as usize * self.width..][..self.width]
    }

    fn words_mut(&mut self, slot: u32) -> &mut [u32] {
        &mut self.blocks[(slot / BLOCK) as usize][(slot % BLOCK) as usize * self.width..][..self.width]
    }

    /// The links of a slot.
    #[inline(always)]
    pub(super) fn of(&self, slot: u32) -> impl Iterator<Item = u32> {
        self.words(slot).iter().copied().take_while(|word| *word != EMPTY)
    }

    /// The slots that links of the spanning tree lead to.
    pub(super) fn tree(&self, slot: u32) -> impl Iterator<Item = u32> {
        self.of(slot).filter(|word| word & TREE != 0).map(target)
    }

    /// Replaces a list.
    pub(super) fn set(&mut self, slot: u32, words: impl IntoIterator<Item = u32>) {
        let list = self.words_mut(slot);
        list.fill(EMPTY);
        list.iter_mut().zip(words).for_each(|(place, word)| *place = word);
    }

    /// Appends a link. False if the list is full.
    pub(super) fn push(&mut self, slot: u32, word: u32) -> bool {
        debug_assert!(target(word) < MOST && target(word) != slot);
        match self.words_mut(slot).iter_mut().find(|place| **place == EMPTY) {
            Some(place) => {
                *place = word;
                true
            }
            None => false,
        }
    }

    /// Takes the links from `slot` to those that `is_gone` is true for out of the spanning tree.
    pub(super) fn unmark(&mut self, slot: u32, is_gone: impl Fn(u32) -> bool) {
        let list = self.words_mut(slot).iter_mut().take_while(|word| **word != EMPTY);
        list.filter(|word| is_gone(target(**word))).for_each(|word| *word &= !TREE);
    }

    /// If there is a link from `slot` to where `word` leads, it is part of the spanning tree if `word` is, or
    /// was it before. Returns whether there is.
    pub(super) fn mark(&mut self, slot: u32, word: u32) -> bool {
        let same = |link: &&mut u32| **link != EMPTY && target(**link) == target(word);
        let link = self.words_mut(slot).iter_mut().find(same);
        link.map(|link| *link |= word & TREE).is_some()
    }
}
