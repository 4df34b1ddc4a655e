//! The words of documents, both ways: by document and by term.
//!
//! A document gets the next ordinal. One that goes leaves its ordinal dead; its entries in the postings are
//! passed over until the segment is [copied](super::compaction).
//!
//! The postings are made from the documents when they are first asked for, and kept up from then on: who
//! opens an index and does not search for words does not pay for them.
//!
//! **Invariants**
//! - Ordinals go up; pages hold documents of consecutive ordinals; a page that is full gets no more.
//! - Document frequencies, lengths and counts are those of the living documents, exactly.
//! - Once there are postings, each term has them, be they empty.
//! - Each living document has one label, and each label one living document.

use std::ops::Range;
use std::sync::OnceLock;

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
    /// Living documents, by term.
    frequencies: Vec<u32>,
    /// By term; made when they are first asked for.
    postings: OnceLock<Vec<Postings>>,
    documents: Vec<Document>,
    /// Counted words by ordinal and field, and where each field begins. That of the only field begins at 0,
    /// and `starts` is empty then.
    words: Vec<u32>,
    starts: Vec<u32>,
    ordinals: HashTable<u32>,
    pages: Vec<Page>,
    totals: Vec<Total>,
    /// As many as there are fields, for reading a document.
    extents: Vec<Extent>,
    /// The terms of the document that is being added.
    terms: Vec<u32>,
}

fn hash(label: u32) -> u64 {
    // Fibonacci hashing spreads numbers that follow one another (Knuth, TAOCP 3, 6.4).
    u64::from(label).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// What a hash table of ordinals goes by: the labels.
fn hasher(documents: &[Document]) -> impl Fn(&u32) -> u64 {
    |ordinal| hash(documents[*ordinal as usize].label)
}

impl Segment {
    pub(super) fn new(fields: usize) -> Self {
        Self {
            dictionary: Dictionary::default(),
            frequencies: Vec::new(),
            postings: OnceLock::new(),
            documents: Vec::new(),
            words: Vec::new(),
            starts: Vec::new(),
            ordinals: HashTable::new(),
            pages: Vec::new(),
            totals: vec![Total::default(); fields],
            extents: vec![Extent::default(); fields],
            terms: Vec::new(),
        }
    }

    /// One that makes its postings as documents come.
    pub(super) fn inverted(fields: usize) -> Self {
        Self { postings: OnceLock::from(Vec::new()), ..Self::new(fields) }
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
        self.make_room();
        term
    }

    /// Gives out the next number, to a term that was stored: to none if it is empty or has one.
    pub(super) fn push_term(&mut self, text: Box<str>) {
        self.dictionary.push(text);
        self.make_room();
    }

    fn make_room(&mut self) {
        let terms = self.dictionary.len();
        if terms > self.frequencies.len() {
            self.frequencies.resize(terms, 0);
            if let Some(postings) = self.postings.get_mut() {
                postings.resize(terms, Postings::default());
            }
        }
    }

    /// Living documents with a term.
    pub(super) fn frequency(&self, term: u32) -> u32 {
        self.frequencies[term as usize]
    }

    pub(super) fn postings(&self, term: u32) -> &Postings {
        &self.postings.get_or_init(|| self.invert())[term as usize]
    }

    /// The postings of the living documents.
    fn invert(&self) -> Vec<Postings> {
        let all = self.ordinals();
        let mut postings: Vec<_> =
            self.frequencies.iter().map(|documents| Postings::for_some_of(*documents, all)).collect();
        let mut extents = self.extents.clone();
        for ordinal in (0..all).filter(|ordinal| self.label(*ordinal) != DEAD) {
            invert_one(ordinal, self.document(ordinal), &mut extents, &mut postings);
        }
        postings
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

    fn push_page(&mut self) {
        self.take_page(Vec::new());
    }

    /// Begins a page with bytes in which there are documents that have yet to be [let in](Self::admit).
    pub(super) fn take_page(&mut self, bytes: Vec<u8>) {
        self.pages.push(Page { first: self.ordinals(), bytes });
    }

    /// Sets room aside for so many documents and terms more.
    pub(super) fn reserve(&mut self, documents: usize, terms: usize) {
        self.dictionary.reserve(terms);
        self.frequencies.reserve(terms);
        self.documents.reserve(documents);
        self.words.reserve(documents * self.fields());
        self.ordinals.reserve(documents, hasher(&self.documents));
    }

    /// Adds a document to the last page. `label` must be new, and the bytes sound.
    pub(super) fn push(&mut self, label: u32, bytes: &[u8]) {
        let Some(page) = self.pages.last_mut() else { return };
        let from = page.bytes.len() as u32;
        page.bytes.extend_from_slice(bytes);
        let to = page.bytes.len() as u32;
        let sound = self.admit(label, from..to);
        debug_assert!(sound);
    }

    /// Adds the document whose bytes lie at `range` of the last page. `label` must be new. Returns whether
    /// they are a document whose terms are all known; nothing is changed if not.
    pub(super) fn admit(&mut self, label: u32, range: Range<u32>) -> bool {
        let page = self.pages.len() - 1;
        let bytes = &self.pages[page].bytes[range.start as usize..range.end as usize];
        let Some(mut reader) = Reader::new(bytes, &mut self.extents) else { return false };
        self.terms.clear();
        while let Some((term, _)) = reader.next() {
            if !self.dictionary.knows(term) {
                return false;
            }
            self.terms.push(term);
        }
        if !reader.is_at_end() {
            return false;
        }
        for term in &self.terms {
            self.frequencies[*term as usize] += 1;
        }
        let ordinal = self.documents.len() as u32;
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
        if let Some(postings) = self.postings.get_mut() {
            invert_one(ordinal, bytes, &mut self.extents, postings);
        }
        self.documents.push(Document { label, page: page as u32, from: range.start, to: range.end });
        self.ordinals.insert_unique(hash(label), ordinal, hasher(&self.documents));
        true
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
            let frequency = &mut self.frequencies[term as usize];
            *frequency -= 1;
            if *frequency == 0
                && let Some(postings) = self.postings.get_mut()
            {
                postings[term as usize] = Postings::default();
            }
        }
        for (total, extent) in self.totals.iter_mut().zip(&self.extents) {
            total.words -= u64::from(extent.words);
            total.documents -= u32::from(extent.positions > 0);
        }
        Some(page)
    }
}

/// Adds a document to the postings of its terms.
fn invert_one(ordinal: u32, bytes: &[u8], extents: &mut [Extent], postings: &mut [Postings]) {
    let Some(mut reader) = Reader::new(bytes, extents) else { return };
    while let Some((term, occurrences)) = reader.next() {
        postings[term as usize].push(ordinal, occurrences);
    }
}
