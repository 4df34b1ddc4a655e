//! The documents that hold one term, by ascending ordinal.
//!
//! **Invariants**
//! - Only appended to. Each entry is the distance of the ordinal from the one before, then the
//!   [occurrences](super::occurrences).
//! - Entries of documents that are no more stay until the list is made anew; a list without living
//!   documents is empty.

use super::{occurrences, varint};

/// The postings of one term.
#[derive(Debug, Clone, Default)]
pub(super) struct Postings {
    bytes: Vec<u8>,
    last: u32,
}

impl Postings {
    /// An empty list with room for `documents` of `all`, if they are spread evenly and hold the term once.
    pub(super) fn for_some_of(documents: u32, all: u32) -> Self {
        let distance = all / documents.max(1);
        let entry = 2 + usize::from(distance >= 0x80) + usize::from(distance >= 0x4000);
        Self { bytes: Vec::with_capacity(documents as usize * entry), last: 0 }
    }

    /// Adds a document: its ordinal, above all that are in, and its occurrences in bytes.
    #[inline]
    pub(super) fn push(&mut self, ordinal: u32, occurrences: &[u8]) {
        varint::write(ordinal - self.last, &mut self.bytes);
        // A call to copy a byte or two would cost more than they do.
        match *occurrences {
            [one] => self.bytes.push(one),
            _ => self.bytes.extend_from_slice(occurrences),
        }
        self.last = ordinal;
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
