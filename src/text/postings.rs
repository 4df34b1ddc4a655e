//! The documents that hold one term, by ascending ordinal.
//!
//! **Invariants**
//! - Only appended to. Each entry is the distance of the ordinal from the one before, then the
//!   [occurrences](super::occurrences).
//! - `documents` counts those that are alive; entries of others stay until the list is made anew, and a
//!   list without living documents is empty.

use super::{occurrences, varint};

/// The postings of one term.
#[derive(Debug, Clone, Default)]
pub(super) struct Postings {
    bytes: Vec<u8>,
    last: u32,
    documents: u32,
}

impl Postings {
    /// Living documents with the term.
    pub(super) fn documents(&self) -> u32 {
        self.documents
    }

    /// Adds a document: its ordinal, above all that are in, and its occurrences in bytes.
    pub(super) fn push(&mut self, ordinal: u32, occurrences: &[u8]) {
        varint::write(ordinal - self.last, &mut self.bytes);
        self.bytes.extend_from_slice(occurrences);
        self.last = ordinal;
        self.documents += 1;
    }

    /// One of the documents is no more.
    pub(super) fn forget_one(&mut self) {
        self.documents -= 1;
        if self.documents == 0 {
            *self = Self::default();
        }
    }

    /// Goes through the documents.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        let mut cursor = Cursor { rest: &self.bytes, ordinal: 0, occurrences: &[], count: 0, read: 0 };
        cursor.advance();
        cursor
    }
}

/// A place in a list of postings.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    ordinal: u32,
    occurrences: &'a [u8],
    count: u32,
    read: u64,
}

impl Cursor<'_> {
    /// What [`Cursor::ordinal`] is at the end.
    pub(super) const END: u32 = u32::MAX;

    /// The document at this place.
    #[inline]
    pub(super) fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// How often the term stands in it.
    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Entries read up to here.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Where the term stands in it.
    pub(super) fn positions(&self, visit: impl FnMut(u32)) {
        // The bytes were walked over when the cursor came here, so they are a list.
        let whole = occurrences::read(&mut { self.occurrences }, visit);
        debug_assert!(whole.is_some());
    }

    /// Goes on to the next document.
    #[inline]
    pub(super) fn advance(&mut self) {
        let next = (|| {
            let distance = varint::read(&mut self.rest)?;
            self.occurrences = self.rest;
            self.count = occurrences::read(&mut self.rest, |_| {})?;
            Some(self.ordinal + distance)
        })();
        match next {
            Some(ordinal) => {
                self.ordinal = ordinal;
                self.read += 1;
            }
            None => self.ordinal = Self::END,
        }
    }

    /// Goes on to the first document from `ordinal` on.
    pub(super) fn seek(&mut self, ordinal: u32) {
        while self.ordinal < ordinal {
            self.advance();
        }
    }
}
