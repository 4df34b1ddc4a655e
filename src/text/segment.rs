//! The words of documents, both ways: by document and by term.
//!
//! A document gets the next ordinal. One that goes leaves its ordinal dead; its entries in the postings are
//! passed over until the segment is [copied](super::compaction).
//!
//! **Invariants**
//! - Ordinals go up; pages hold documents of consecutive ordinals; a page that is full gets no more.
//! - Document frequencies, lengths and counts are those of the living documents, exactly.
//! - Each term has its postings, be they empty.
//! - Each living document has one label, and each label one living document.

use hashbrown::HashTable;

use super::dictionary::Dictionary;
use super::forward::{Extent, Reader};
use super::postings::Postings;

/// Bytes after which a page gets no more documents.
const PAGE_BYTES: usize = 32 << 10;

/// The label of a document that is no more. No living document has it.
pub(super) const DEAD: u32 = u32::MAX;

/// Where a document is.
#[derive(Debug, Clone, Copy)]
struct Document {
    label: u32,
    page: u32,
    from: u32,
    to: u32,
}

/// Documents of consecutive ordinals, in bytes.
#[derive(Debug, Default)]
struct Page {
    first: u32,
    bytes: Vec<u8>,
}

/// Sums over a field of the living documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) words: u64,
    /// Documents in which the field is not empty.
    pub(super) documents: u32,
}

/// Documents and their words.
#[derive(Debug)]
pub(super) struct Segment {
    dictionary: Dictionary,
    /// By term.
    postings: Vec<Postings>,
    documents: Vec<Document>,
    /// Counted words by ordinal and field, and with several fields where each begins.
    words: Vec<u32>,
    starts: Vec<u32>,
    ordinals: HashTable<u32>,
    pages: Vec<Page>,
    totals: Vec<Total>,
    /// As many as there are fields, for reading a document.
    extents: Vec<Extent>,
}

fn hash(label: u32) -> u64 {
    // Fibonacci hashing spreads numbers that follow one another (Knuth, TAOCP 3, 6.4).
    u64::from(label).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Segment {
    pub(super) fn new(fields: usize) -> Self {
        Self {
            dictionary: Dictionary::default(),
            postings: Vec::new(),
            documents: Vec::new(),
            words: Vec::new(),
            starts: Vec::new(),
            ordinals: HashTable::new(),
            pages: Vec::new(),
            totals: vec![Total::default(); fields],
            extents: vec![Extent::default(); fields],
        }
    }

    pub(super) fn fields(&self) -> usize {
        self.totals.len()
    }

    /// Living documents.
    pub(super) fn len(&self) -> usize {
        self.ordinals.len()
    }

    /// All documents, dead ones too: the next ordinal.
    pub(super) fn ordinals(&self) -> u32 {
        self.documents.len() as u32
    }

    pub(super) fn pages(&self) -> u32 {
        self.pages.len() as u32
    }

    pub(super) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// By field.
    pub(super) fn totals(&self) -> &[Total] {
        &self.totals
    }

    /// The label of a document, [`DEAD`] if it is no more.
    #[inline]
    pub(super) fn label(&self, ordinal: u32) -> u32 {
        self.documents[ordinal as usize].label
    }

    /// Words that count, by field.
    #[inline]
    pub(super) fn words(&self, ordinal: u32) -> &[u32] {
        let fields = self.totals.len();
        &self.words[ordinal as usize * fields..][..fields]
    }

    /// The first position of each field.
    pub(super) fn starts(&self, ordinal: u32) -> &[u32] {
        let fields = self.totals.len();
        self.starts.get(ordinal as usize * fields..).and_then(|rest| rest.get(..fields)).unwrap_or(&[0])
    }

    /// The number of a term, a new one if it is not known.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        let term = self.dictionary.intern(text);
        if term as usize == self.postings.len() {
            self.postings.push(Postings::default());
        }
        term
    }

    /// Gives out a number that stands for no term.
    pub(super) fn push_hole(&mut self) {
        self.dictionary.push_hole();
        self.postings.push(Postings::default());
    }

    pub(super) fn postings(&self, term: u32) -> &Postings {
        &self.postings[term as usize]
    }

    pub(super) fn contains(&self, label: u32) -> bool {
        self.ordinal_of(label).is_some()
    }

    fn ordinal_of(&self, label: u32) -> Option<u32> {
        self.ordinals.find(hash(label), |ordinal| self.label(*ordinal) == label).copied()
    }

    /// The bytes of a document.
    pub(super) fn document(&self, ordinal: u32) -> &[u8] {
        let document = &self.documents[ordinal as usize];
        &self.pages[document.page as usize].bytes[document.from as usize..document.to as usize]
    }

    /// The living documents of a page: label and bytes.
    pub(super) fn page(&self, page: u32) -> impl Iterator<Item = (u32, &[u8])> + Clone {
        let first = self.pages.get(page as usize).map_or(self.ordinals(), |page| page.first);
        let end = self.pages.get(page as usize + 1).map_or(self.ordinals(), |page| page.first);
        let living = (first..end).filter(|ordinal| self.label(*ordinal) != DEAD);
        living.map(|ordinal| (self.label(ordinal), self.document(ordinal)))
    }

    /// The page that the next document comes into.
    pub(super) fn page_for_next(&mut self) -> u32 {
        if self.pages.last().is_none_or(|page| page.bytes.len() >= PAGE_BYTES) {
            self.push_page();
        }
        self.pages() - 1
    }

    /// Begins a page, empty at first.
    pub(super) fn push_page(&mut self) {
        self.pages.push(Page { first: self.ordinals(), bytes: Vec::new() });
    }

    /// Adds a document to the last page. `label` must be new, and the bytes sound.
    pub(super) fn push(&mut self, label: u32, bytes: &[u8]) {
        let ordinal = self.ordinals();
        let number = self.pages.len() - 1;
        let page = &mut self.pages[number];
        let from = page.bytes.len() as u32;
        page.bytes.extend_from_slice(bytes);
        let to = page.bytes.len() as u32;
        self.documents.push(Document { label, page: number as u32, from, to });
        let documents = &self.documents;
        self.ordinals.insert_unique(hash(label), ordinal, |o| hash(documents[*o as usize].label));
        let Some(mut reader) = Reader::new(bytes, &mut self.extents) else { return };
        while let Some((term, occurrences)) = reader.next() {
            self.postings[term as usize].push(ordinal, occurrences);
        }
        let several = self.extents.len() > 1;
        let mut start = 0;
        for (total, extent) in self.totals.iter_mut().zip(&self.extents) {
            total.words += u64::from(extent.words);
            total.documents += u32::from(extent.positions > 0);
            self.words.push(extent.words);
            if several {
                self.starts.push(start);
                start += extent.positions + 1;
            }
        }
    }

    /// Takes a document out. Returns the page that it was in.
    pub(super) fn remove(&mut self, label: u32) -> Option<u32> {
        let documents = &self.documents;
        let entry = self.ordinals.find_entry(hash(label), |o| documents[*o as usize].label == label).ok()?;
        let (ordinal, _) = entry.remove();
        let document = &mut self.documents[ordinal as usize];
        document.label = DEAD;
        let page = document.page;
        let bytes = &self.pages[page as usize].bytes[document.from as usize..document.to as usize];
        let mut reader = Reader::new(bytes, &mut self.extents)?;
        while let Some((term, _)) = reader.next() {
            self.postings[term as usize].forget_one();
        }
        for (total, extent) in self.totals.iter_mut().zip(&self.extents) {
            total.words -= u64::from(extent.words);
            total.documents -= u32::from(extent.positions > 0);
        }
        Some(page)
    }
}
