//! The words of one document, in bytes: what removing it and storing it need.
//!
//! For each field how many words count and how many positions they take; then how many terms, and for each
//! its number and its [occurrences](super::occurrences). The positions of a field begin one behind the end
//! of the field before, so that no phrase reaches from one into the other.
//!
//! **Invariants**
//! - Terms ascend, each once. Every position lies in the fields' positions.

use super::occurrences::{self, MAX_POSITIONS};
use super::varint;

/// How long a field is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Words that count: without stop words and parts.
    pub(super) words: u32,
    /// Positions.
    pub(super) positions: u32,
}

/// A term at a position, ordered by the term first. One number, so that lists of it are sorted by the same
/// code as other lists of numbers.
#[inline]
pub(super) fn word(term: u32, position: u32) -> u64 {
    u64::from(term) << 32 | u64::from(position)
}

/// Appends a document: its [words](word), sorted, none twice.
pub(super) fn write(extents: &[Extent], words: &[u64], out: &mut Vec<u8>) {
    for extent in extents {
        varint::write(extent.words, out);
        varint::write(extent.positions, out);
    }
    let lists = || words.chunk_by(|a, b| a >> 32 == b >> 32);
    varint::write(lists().count() as u32, out);
    for list in lists() {
        varint::write((list[0] >> 32) as u32, out);
        occurrences::write(list, out);
    }
}

/// Reads a document.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    left: u32,
    /// One above the term before.
    least: u32,
    end: u32,
}

impl<'a> Reader<'a> {
    /// Begins to read `bytes`, and fills in the `extents`. `None` if they can not be a document.
    pub(super) fn new(bytes: &'a [u8], extents: &mut [Extent]) -> Option<Self> {
        let mut rest = bytes;
        let mut end: u32 = 0;
        for extent in extents {
            extent.words = varint::read(&mut rest)?;
            extent.positions = varint::read(&mut rest)?;
            if extent.words > extent.positions {
                return None;
            }
            end = end.checked_add(extent.positions)?.checked_add(1).filter(|end| *end <= MAX_POSITIONS)?;
        }
        let left = varint::read(&mut rest)?;
        Some(Self { rest, left, least: 0, end })
    }

    /// The next term and its occurrences in bytes: `None` at the end, and where the bytes can not be right.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(u32, &'a [u8])> {
        if self.left == 0 {
            return None;
        }
        let term = varint::read(&mut self.rest)?;
        let (start, mut last) = (self.rest, 0);
        occurrences::read(&mut self.rest, |position| last = position)?;
        if last >= self.end || term < self.least {
            return None;
        }
        self.least = term.checked_add(1)?;
        self.left -= 1;
        Some((term, &start[..start.len() - self.rest.len()]))
    }

    /// Whether everything was read, and was right.
    pub(super) fn is_at_end(&self) -> bool {
        self.left == 0 && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Vec<u8> {
        let mut bytes = Vec::new();
        let extents = [Extent { words: 3, positions: 4 }, Extent { words: 1, positions: 1 }];
        write(&extents, &[word(1, 0), word(1, 2), word(7, 1), word(300, 5)], &mut bytes);
        bytes
    }

    fn is_sound(bytes: &[u8], extents: &mut [Extent]) -> bool {
        let Some(mut reader) = Reader::new(bytes, extents) else { return false };
        while reader.next().is_some() {}
        reader.is_at_end()
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn a_document_comes_back() {
        let bytes = document();
        let mut extents = [Extent::default(); 2];
        let mut reader = Reader::new(&bytes, &mut extents).unwrap();
        let mut found = Vec::new();
        while let Some((term, mut list)) = reader.next() {
            occurrences::read(&mut list, |position| found.push((term, position))).unwrap();
        }
        assert!(reader.is_at_end());
        assert_eq!(found, [(1, 0), (1, 2), (7, 1), (300, 5)]);
        assert_eq!(extents, [Extent { words: 3, positions: 4 }, Extent { words: 1, positions: 1 }]);
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn what_is_no_document_is_refused() {
        let (bytes, extents) = (document(), &mut [Extent::default(); 2]);
        assert!(is_sound(&bytes, extents));
        assert!((0..bytes.len()).all(|end| !is_sound(&bytes[..end], extents)), "cut");
        let positions = [Extent { words: 0, positions: 1 }];
        for terms in [
            &[word(2, 0), word(1, 0)][..],
            &[word(2, 0), word(3, 1), word(2, 0)],
            &[word(2, 2)],
            &[word(u32::MAX, 0)],
        ] {
            let mut bytes = Vec::new();
            write(&positions, terms, &mut bytes);
            assert!(!is_sound(&bytes, &mut extents[..1]), "{terms:?}");
        }
    }
}
