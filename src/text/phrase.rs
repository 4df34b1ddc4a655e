//! Words that stand one behind the other.
//!
//! **Invariants**
//! - Stands at a document that holds the phrase, or at the end.
//! - Dead documents are found too: they are told apart by who asks.

use super::postings::Cursor;

/// One word of the phrase: the terms that it may be.
struct Place<'a> {
    offset: u32,
    cursors: Vec<Cursor<'a>>,
}

impl Place<'_> {
    fn ordinal(&self) -> u32 {
        self.cursors.iter().map(Cursor::ordinal).min().unwrap_or(Cursor::END)
    }

    /// Goes on to `ordinal` or behind it. Returns where it comes to.
    fn seek(&mut self, ordinal: u32) -> u32 {
        self.cursors.iter_mut().for_each(|cursor| cursor.seek(ordinal));
        self.ordinal()
    }

    /// Where the phrase would have to begin, for each place of the word in the document.
    fn starts(&self, ordinal: u32, into: &mut Vec<u64>) {
        into.clear();
        for cursor in self.cursors.iter().filter(|cursor| cursor.ordinal() == ordinal) {
            cursor.positions(|position| into.extend(position.checked_sub(self.offset).map(u64::from)));
        }
        if self.cursors.len() > 1 {
            into.sort_unstable();
            into.dedup();
        }
    }
}

/// A place in the documents that hold a phrase.
pub(super) struct Phrase<'a> {
    places: Vec<Place<'a>>,
    ordinal: u32,
    /// In the type of [words](super::forward::word), so that they are sorted by the same code.
    starts: Vec<u64>,
    others: Vec<u64>,
}

impl<'a> Phrase<'a> {
    /// At the first document with it. `slots` are the words: how far behind the first one each stands, and
    /// the terms that it may be.
    pub(super) fn new(slots: Vec<(u32, Vec<Cursor<'a>>)>) -> Self {
        let places = slots.into_iter().map(|(offset, cursors)| Place { offset, cursors }).collect();
        let mut phrase = Self { places, ordinal: 0, starts: Vec::new(), others: Vec::new() };
        phrase.find(0);
        phrase
    }

    /// The document at this place, [`Cursor::END`] at the end.
    pub(super) fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// Where it begins in that document, ascending.
    pub(super) fn positions(&self) -> impl Iterator<Item = u32> {
        self.starts.iter().map(|start| *start as u32)
    }

    /// Entries read up to here.
    pub(super) fn read(&self) -> u64 {
        self.places.iter().flat_map(|place| &place.cursors).map(Cursor::read).sum()
    }

    /// Goes on to the next document.
    pub(super) fn advance(&mut self) {
        self.find(self.ordinal + 1);
    }

    /// Goes on to the first document from `target` on.
    fn find(&mut self, mut target: u32) {
        loop {
            // Whoever comes to a document behind the target sets a new one, until all agree.
            let furthest =
                self.places.iter_mut().map(|place| place.seek(target)).max().unwrap_or(Cursor::END);
            self.ordinal = furthest;
            if furthest == Cursor::END {
                return;
            }
            if furthest == target || self.places.iter().all(|place| place.ordinal() == furthest) {
                if self.intersect(furthest) {
                    return;
                }
                target = furthest + 1;
            } else {
                target = furthest;
            }
        }
    }

    /// Whether the document holds the words one behind the other: fills in where.
    fn intersect(&mut self, ordinal: u32) -> bool {
        let Self { places, starts, others, .. } = self;
        let Some((first, rest)) = places.split_first() else { return false };
        first.starts(ordinal, starts);
        for place in rest {
            if starts.is_empty() {
                return false;
            }
            place.starts(ordinal, others);
            let mut others = others.iter().peekable();
            starts.retain(|start| {
                while others.next_if(|other| *other < start).is_some() {}
                others.peek() == Some(&start)
            });
        }
        !starts.is_empty()
    }
}
