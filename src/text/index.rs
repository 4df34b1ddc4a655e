//! The index of words: what it takes in and gives out.
//!
//! **Invariants**
//! - `dirty` names every page that changed, also those that a copy of the segment made superfluous.
//! - While a copy of the segment is under way, what is removed is removed from both.

use super::analysis::{Analyzer, Kind};
use super::compaction::{self, Compaction};
use super::forward::{self, Extent};
use super::occurrences::MAX_POSITIONS;
use super::pages::{FORWARD, TERMS, page_of_term};
use super::segment::{DEAD, Segment};
use super::{Language, TextFound, TextQuery, highlight, search};
use crate::paged::{Dirty, Progress};
use crate::{Error, Result};

/// Most fields of a document.
pub const MAX_FIELDS: usize = 16;

/// How texts are read and weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct TextOptions {
    /// Decides about stop words and stemming.
    pub language: Language,
    /// The weight of each field, above zero; field 0 is the text.
    pub weights: Vec<f32>,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { language: Language::default(), weights: vec![1.0] }
    }
}

/// Documents under labels, found by their words and ranked by BM25.
#[derive(Debug)]
pub struct TextIndex {
    options: TextOptions,
    analyzer: Analyzer,
    pub(super) segment: Segment,
    compaction: Option<Box<Compaction>>,
    pub(super) dirty: Dirty,
    scratch: Scratch,
}

/// A document that is being read; kept for the next one.
#[derive(Debug, Default)]
struct Scratch {
    words: Vec<u64>,
    extents: Vec<Extent>,
    bytes: Vec<u8>,
}

impl TextIndex {
    /// An empty index.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) unless there are 1 to [`MAX_FIELDS`] weights, each finite and
    /// above zero.
    pub fn new(options: TextOptions) -> Result<Self> {
        let fields = options.weights.len();
        if !(1..=MAX_FIELDS).contains(&fields) {
            return Err(Error::invalid(format!("weights has {fields} fields: give 1 to {MAX_FIELDS}")));
        }
        if let Some(field) = options.weights.iter().position(|weight| !weight.is_finite() || *weight <= 0.0) {
            return Err(Error::invalid(format!(
                "weights[{field}] is {}: every weight must be finite and above 0",
                options.weights[field]
            )));
        }
        Ok(Self {
            analyzer: Analyzer::new(options.language),
            segment: Segment::new(fields),
            options,
            compaction: None,
            dirty: Dirty::default(),
            scratch: Scratch::default(),
        })
    }

    /// How texts are read and weighed.
    #[must_use]
    pub fn options(&self) -> &TextOptions {
        &self.options
    }

    /// Inserts the document `label`, or replaces it. `fields` are the texts of its fields; those that are
    /// missing or `""` are empty, and a document that is empty altogether is removed.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for more fields than there are weights, and for the label
    /// `u32::MAX`. Nothing is changed then.
    pub fn insert(&mut self, label: u32, fields: &[&str]) -> Result<()> {
        let weights = self.options.weights.len();
        if fields.len() > weights {
            return Err(Error::invalid(format!(
                "the document has {} fields, this index takes {weights}: give a weight for each",
                fields.len()
            )));
        }
        if label == DEAD {
            return Err(Error::invalid(format!(
                "label {label} is not to be had: the largest is {}",
                DEAD - 1
            )));
        }
        if fields.iter().all(|field| field.is_empty()) {
            self.remove(label);
            return Ok(());
        }
        self.take_out(label);
        self.read(fields);
        let page = self.segment.page_for_next();
        self.segment.push(label, &self.scratch.bytes);
        self.dirty.add(FORWARD, page);
        self.compact_some();
        Ok(())
    }

    /// Brings the texts to bytes, in the scratch.
    fn read(&mut self, fields: &[&str]) {
        let Scratch { words: list, extents, bytes } = &mut self.scratch;
        list.clear();
        extents.clear();
        bytes.clear();
        let segment = &mut self.segment;
        let known = segment.dictionary().len() as u32;
        let mut start = 0;
        for field in 0..self.options.weights.len() {
            let mut words = 0;
            let mut positions =
                self.analyzer.read(fields.get(field).copied().unwrap_or_default(), &mut |token| {
                    let position = start + token.position;
                    // What lies behind is more than a stored text can hold.
                    if position < MAX_POSITIONS - MAX_FIELDS as u32 {
                        list.push(forward::word(segment.intern(token.term), position));
                        words += u32::from(!matches!(token.kind, Kind::Stop | Kind::Part));
                    }
                });
            positions = positions.min(MAX_POSITIONS - MAX_FIELDS as u32 - start);
            extents.push(Extent { words, positions });
            start += positions + 1;
        }
        list.sort_unstable();
        list.dedup();
        forward::write(extents, list, bytes);
        let now = segment.dictionary().len() as u32;
        if now > known {
            (page_of_term(known)..=page_of_term(now - 1)).for_each(|page| self.dirty.add(TERMS, page));
        }
    }

    /// Removes `label`. Returns whether it was there.
    pub fn remove(&mut self, label: u32) -> bool {
        let found = self.take_out(label);
        if found {
            self.compact_some();
        }
        found
    }

    fn take_out(&mut self, label: u32) -> bool {
        let Some(page) = self.segment.remove(label) else { return false };
        self.dirty.add(FORWARD, page);
        if let Some(compaction) = &mut self.compaction {
            compaction.remove(label);
        }
        true
    }

    /// Whether `label` is in the index.
    #[must_use]
    pub fn contains(&self, label: u32) -> bool {
        self.segment.contains(label)
    }

    /// Number of documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segment.len()
    }

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Understands a query: words, `"phrases in quotes"`, `prefix*`. Any text is a query; what is beyond
    /// [`MAX_QUERY_BYTES`](super::MAX_QUERY_BYTES), [`MAX_CLAUSES`](super::MAX_CLAUSES) or
    /// [`MAX_SLOTS`](super::MAX_SLOTS) does not count.
    #[must_use]
    pub fn parse(&self, query: &str) -> TextQuery {
        TextQuery::parse(query, &self.analyzer)
    }

    /// The best `k` documents for a query that [`parse`](Self::parse) of an index of the same language
    /// understood. `accept` decides which labels may be found; it is called at most once a label, in no
    /// particular order, and not for labels that rank too low in any case.
    #[must_use]
    pub fn search(&self, query: &TextQuery, k: usize, accept: Option<&dyn Fn(u32) -> bool>) -> TextFound {
        search::search(&self.segment, &self.options.weights, query, k, accept)
    }

    /// Where `text` holds what the query found: ranges in UTF-16 units, in order, apart from one another. A
    /// phrase is one range, from its first word to its last.
    #[must_use]
    pub fn highlight(&self, query: &TextQuery, text: &str) -> Vec<(u32, u32)> {
        highlight::highlight(&self.segment, &self.analyzer, query, text)
    }

    /// Clears away what deleted documents left, while `budget` says true. Call again until all is done.
    pub fn optimize(&mut self, budget: &mut dyn FnMut() -> bool) -> Progress {
        if self.compaction.is_none() && compaction::is_worth(&self.segment) {
            self.compaction = Some(Box::new(Compaction::new(&self.segment)));
        }
        let total = u64::from(self.segment.ordinals());
        while self.compaction.is_some() {
            if !budget() {
                let done = self.compaction.as_ref().map_or(total, |compaction| compaction.done().into());
                return Progress { done, total: total.max(done + 1) };
            }
            self.step();
        }
        Progress { done: total, total }
    }

    /// Copies on, or begins to, with a change.
    fn compact_some(&mut self) {
        if self.compaction.is_none() && compaction::is_due(&self.segment) {
            self.compaction = Some(Box::new(Compaction::new(&self.segment)));
        }
        self.step();
    }

    fn step(&mut self) {
        let Some(mut compaction) = self.compaction.take() else { return };
        if !compaction.step(&self.segment, compaction::STEP) {
            self.compaction = Some(compaction);
            return;
        }
        let old = std::mem::replace(&mut self.segment, compaction.into_segment());
        self.add_all_dirty(old.pages(), old.dictionary().len() as u32);
    }

    /// All pages are dirty, and all of an earlier segment of so many pages and terms.
    pub(super) fn add_all_dirty(&mut self, pages: u32, terms: u32) {
        for page in 0..self.segment.pages().max(pages) {
            self.dirty.add(FORWARD, page);
        }
        let terms = terms.max(self.segment.dictionary().len() as u32);
        for page in 0..page_of_term(terms.saturating_sub(1)) + u32::from(terms > 0) {
            self.dirty.add(TERMS, page);
        }
    }
}
