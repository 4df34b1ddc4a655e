//! State that is kept in pages: what an index says of itself so that a store can keep it.
//!
//! An index (vectors, words, the directory of a collection) is in memory and follows the records. So that
//! opening it need not read all of them, it cuts what it holds into pages. Whoever keeps them writes the
//! pages that changed, and in the same commit a manifest with each index's header and the number up to
//! which the log is in them.
//!
//! **Invariants**
//! - Pages follow from the records and can be thrown away at any time. Nothing is only in them.
//! - A page is read as if a stranger had written it: its bytes are checked before they are believed, and
//!   what can not be is an error, never a panic and never a wrong answer.
//! - [`Paged::dirty`] names every page whose bytes differ from those that were last stored.
//! - A page keeps its [`PageId`] for as long as the index lives; what is in one page says nothing of how
//!   another is laid out.

use std::collections::BTreeSet;

use crate::Result;
use crate::model::{Key, KeyBuilder, Range, Space};

/// Names a page of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId {
    /// What kind of page: a number that the index has given it. Stored; never given a new meaning.
    pub region: u8,
    /// Which one, from zero.
    pub number: u32,
}

impl PageId {
    /// The key under which the page is stored, of the index `name` in its `generation`.
    #[must_use]
    pub fn key(self, name: &str, generation: u64) -> Key {
        let key = KeyBuilder::new(Space::Index).text(name).integer(generation);
        key.integer(self.region.into()).integer(self.number.into()).build()
    }

    /// The keys of all pages of a generation.
    #[must_use]
    pub fn range(name: &str, generation: u64) -> Range {
        let prefix = KeyBuilder::new(Space::Index).text(name).integer(generation).build();
        Range::starting_with(prefix.as_bytes().to_vec())
    }

    /// Generation and page of a key that [`PageId::key`] made for `name`.
    #[must_use]
    pub fn of_key(name: &str, key: &Key) -> Option<(u64, Self)> {
        use crate::model::Component::{Integer, Text};
        match key.components()?.as_slice() {
            [Text(found), Integer(generation), Integer(region), Integer(number)]
                if found == name && key.space() == Some(Space::Index) =>
            {
                let page = Self { region: u8::try_from(*region).ok()?, number: u32::try_from(*number).ok()? };
                Some((*generation, page))
            }
            _ => None,
        }
    }
}

/// How far a work is that is done in pieces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Pieces that are done.
    pub done: u64,
    /// All pieces, as far as is known now. Equal to `done`: nothing is left to do.
    pub total: u64,
}

/// An index that can be kept in pages.
pub trait Paged {
    /// What is needed to read the pages, besides them: small, and stored in the manifest.
    fn header(&self) -> Vec<u8>;

    /// The pages that changed since they were last stored, in order.
    fn dirty(&self) -> Vec<PageId>;

    /// The bytes of a page as it is now; `None` if there is no such page any more.
    fn page(&self, page: PageId) -> Option<Vec<u8>>;

    /// All that was dirty is stored.
    fn set_clean(&mut self);

    /// Nothing is stored: every page is dirty.
    fn set_dirty(&mut self);
}

/// Builds an index from what a store kept of it.
pub trait Loading {
    /// What is built.
    type Index;

    /// Takes a page over. Pages come in any order, each at most once; one that is missing was never
    /// stored, or is lost.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if it can not be what was stored: it counts as lost.
    fn page(&mut self, page: PageId, bytes: &[u8]) -> Result<()>;

    /// The index, of what could be believed. What was on lost pages is not in it: whoever loads compares
    /// what it holds with the records, and adds what is missing.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if nothing can be made of it: build it anew.
    fn finish(self) -> Result<Self::Index>;
}

/// The pages that changed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Dirty(BTreeSet<PageId>);

impl Dirty {
    /// A page changed.
    pub(crate) fn add(&mut self, region: u8, number: u32) {
        self.0.insert(PageId { region, number });
    }

    /// Everything is stored.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The pages, in order.
    pub(crate) fn pages(&self) -> Vec<PageId> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_pages_are_in_order_and_come_back() {
        let page = |region, number| PageId { region, number };
        let keys = [
            page(1, 7).key("n", 1),
            page(1, 256).key("n", 1),
            page(2, 0).key("n", 1),
            page(0, 0).key("n", 2),
            page(0, 0).key("notes", 0),
        ];
        assert!(keys.is_sorted());
        assert_eq!(PageId::of_key("n", &keys[1]), Some((1, page(1, 256))));
        assert_eq!(PageId::of_key("note", &keys[4]), None);
        let range = PageId::range("n", 1);
        assert_eq!(keys.iter().filter(|key| range.contains(key)).count(), 3);
    }
}
