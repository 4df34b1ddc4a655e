//! A segment copied without what is dead, in pieces.
//!
//! **Invariants**
//! - The copy holds just the living documents of the ordinals below `next`; a document that is removed
//!   meanwhile is removed from both, and one that is added comes behind `next` and is copied in its turn.
//! - Each step copies more than a change adds, so that it comes to an end.

use super::forward;
use super::occurrences;
use super::segment::{DEAD, Segment};

/// No number yet.
const NONE: u32 = u32::MAX;

/// Dead documents that are always borne with.
const BORNE: u32 = 1024;

/// Documents that are copied with each change while a copy is under way.
pub(super) const STEP: u32 = 16;

/// A copy that is under way.
#[derive(Debug)]
pub(super) struct Compaction {
    into: Segment,
    next: u32,
    /// The new numbers of terms.
    terms: Vec<u32>,
    /// The words of one document.
    list: Vec<u64>,
    bytes: Vec<u8>,
}

/// Whether so many are dead that they must go.
pub(super) fn is_due(segment: &Segment) -> bool {
    dead(segment) > segment.len() as u32 + BORNE
}

/// Whether it is worth it when there is time.
pub(super) fn is_worth(segment: &Segment) -> bool {
    dead(segment) > segment.len() as u32 / 4
}

fn dead(segment: &Segment) -> u32 {
    segment.ordinals() - segment.len() as u32
}

impl Compaction {
    pub(super) fn new(segment: &Segment) -> Self {
        Self {
            into: Segment::inverted(segment.fields()),
            next: 0,
            terms: Vec::new(),
            list: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Documents that were passed.
    pub(super) fn done(&self) -> u32 {
        self.next
    }

    /// A document of the segment is no more.
    pub(super) fn remove(&mut self, label: u32) {
        self.into.remove(label);
    }

    /// Copies up to `count` documents. Returns whether all are copied.
    pub(super) fn step(&mut self, segment: &Segment, count: u32) -> bool {
        let end = segment.ordinals().min(self.next.saturating_add(count));
        while self.next < end {
            let (ordinal, label) = (self.next, segment.label(self.next));
            self.next += 1;
            if label != DEAD {
                self.copy(segment, ordinal, label);
            }
        }
        self.next == segment.ordinals()
    }

    fn copy(&mut self, segment: &Segment, ordinal: u32, label: u32) {
        let mut extents = vec![forward::Extent::default(); segment.fields()];
        let Some(mut reader) = forward::Reader::new(segment.document(ordinal), &mut extents) else { return };
        self.terms.resize(segment.dictionary().len(), NONE);
        self.list.clear();
        while let Some((term, mut places)) = reader.next() {
            let new = &mut self.terms[term as usize];
            if *new == NONE {
                *new = self.into.intern(segment.dictionary().text(term));
            }
            let _whole =
                occurrences::read(&mut places, |position| self.list.push(forward::word(*new, position)));
        }
        self.list.sort_unstable();
        self.bytes.clear();
        forward::write(&extents, &self.list, &mut self.bytes);
        self.into.page_for_next();
        self.into.push(label, &self.bytes);
    }

    /// The copy, when all are copied.
    pub(super) fn into_segment(self) -> Segment {
        self.into
    }
}
