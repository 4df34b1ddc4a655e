//! The index as pages.
//!
//! | region | number | bytes |
//! |---|---|---|
//! | [`CODES`] | a block of the codes | for each slot its label (u32), then the block's codes |
//! | [`LINKS`] | 64 slots | for each how many links it has (u8), then all of them (u32) |
//! | [`UPPER`] | 1,024 slots | postcard: towers by slot, links by slot |
//!
//! Numbers are little-endian. How many slots there are is in the header.
//!
//! **Invariants**
//! - What a removed vector left is in the pages until it is taken out of the graph: a slot without a label,
//!   but with links.

use serde::{Deserialize, Serialize};

use super::graph::{LINKS, UPPER, UPPER_BLOCK};
use super::links::BLOCK;
use super::{HnswIndex, Metric};
use crate::paged::{PageId, Paged};
use crate::vector::codes::CodesHeader;

/// The region of pages that hold labels and codes.
pub(super) const CODES: u8 = 16;

/// The version of the pages' form.
pub(super) const FORM: u8 = 1;

/// What the pages are read by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) form: u8,
    pub(super) dimensions: u32,
    pub(super) metric: Metric,
    pub(super) m: u32,
    pub(super) ef_construction: u32,
    pub(super) seed: u64,
    pub(super) inserted: u64,
    pub(super) slots: u32,
    pub(super) entry: Option<u32>,
    pub(super) codes: CodesHeader,
}

/// A tower on a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredTower {
    pub(super) slot: u32,
    /// For each level from the first on, the slots of the towers that it is linked to.
    pub(super) levels: Vec<Vec<u32>>,
}

impl HnswIndex {
    /// A slot's label or codes changed.
    pub(super) fn touch_codes(&mut self, slot: u32) {
        self.graph.dirty.add(CODES, slot / self.codes.block_slots());
    }

    /// All codes changed.
    pub(super) fn touch_all_codes(&mut self) {
        for block in 0..self.slots.count().div_ceil(self.codes.block_slots()) {
            self.graph.dirty.add(CODES, block);
        }
    }

    /// The slots of page `number`, if they are a whole number of `slots` each; empty beyond the last.
    fn slots_of(&self, number: u32, slots: u32) -> std::ops::Range<u32> {
        let count = self.slots.count();
        let from = number.saturating_mul(slots).min(count);
        from..from.saturating_add(slots).min(count)
    }

    fn codes_page(&self, number: u32) -> Option<Vec<u8>> {
        let slots = self.slots_of(number, self.codes.block_slots());
        if slots.is_empty() {
            return None;
        }
        let mut bytes = Vec::new();
        for slot in slots {
            bytes.extend_from_slice(&self.slots.label_of(slot).to_le_bytes());
        }
        self.codes.write_block(number, &mut bytes);
        Some(bytes)
    }

    fn links_page(&self, number: u32) -> Option<Vec<u8>> {
        let slots = self.slots_of(number, BLOCK);
        if slots.is_empty() {
            return None;
        }
        let links = &self.graph.links;
        let mut bytes: Vec<u8> = slots.clone().map(|slot| links.of(slot).count() as u8).collect();
        for word in slots.flat_map(|slot| links.of(slot)) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        Some(bytes)
    }

    fn upper_page(&self, number: u32) -> Option<Vec<u8>> {
        let towers = &self.graph.towers;
        let stored: Vec<StoredTower> = towers
            .within(self.slots_of(number, UPPER_BLOCK))
            .map(|(slot, tower)| {
                let levels = (1..=towers.height(tower))
                    .map(|level| towers.of(tower, level).map(|to| towers.slot_of(to)).collect())
                    .collect();
                StoredTower { slot, levels }
            })
            .collect();
        if stored.is_empty() { None } else { Some(encode(&stored)) }
    }
}

/// Plain numbers in sequences: postcard can not fail on them.
fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    #[allow(clippy::expect_used)] // only a Serialize of our own that fails could make it fail
    postcard::to_stdvec(value).expect("numbers are always encoded")
}

impl Paged for HnswIndex {
    fn header(&self) -> Vec<u8> {
        encode(&Header {
            form: FORM,
            dimensions: self.dimensions as u32,
            metric: self.metric,
            m: self.options.m as u32,
            ef_construction: self.options.ef_construction as u32,
            seed: self.options.seed,
            inserted: self.inserted,
            slots: self.slots.count(),
            entry: self.graph.entry_slot(),
            codes: self.codes.header(),
        })
    }

    fn dirty(&self) -> Vec<PageId> {
        self.graph.dirty.pages()
    }

    fn page(&self, page: PageId) -> Option<Vec<u8>> {
        match page.region {
            CODES => self.codes_page(page.number),
            LINKS => self.links_page(page.number),
            UPPER => self.upper_page(page.number),
            _ => None,
        }
    }

    fn set_clean(&mut self) {
        self.graph.dirty.clear();
    }

    fn set_dirty(&mut self) {
        self.touch_all_codes();
        for (region, slots) in [(LINKS, BLOCK), (UPPER, UPPER_BLOCK)] {
            for number in 0..self.slots.count().div_ceil(slots) {
                self.graph.dirty.add(region, number);
            }
        }
    }
}
