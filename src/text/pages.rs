//! How the index is kept.
//!
//! Documents by page, with their terms by number; terms by number, in pages of [`TERMS_A_PAGE`]. The
//! postings are not kept: they follow from the documents, and are made anew in one pass.
//!
//! **Invariants**
//! - A header of another format or another analysis is refused: terms would not meet those of queries.
//! - A document is believed only if all of its terms are known. One that is not believed is not in the
//!   index that comes out, and its page is dirty.
//! - What is set aside for a page is bounded by its bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::forward::{self, Extent};
use super::segment::{DEAD, Segment};
use super::{Language, TextIndex, TextOptions, varint};
use crate::paged::{Loading, PageId, Paged};
use crate::{Error, Result};

/// The pages of documents.
pub(super) const FORWARD: u8 = 32;
/// The pages of terms.
pub(super) const TERMS: u8 = 33;

/// How the header and the pages are laid out.
const FORMAT: u8 = 1;
/// How texts become terms. It goes up with any change of that, also by a library.
const ANALYSIS: u8 = 1;

/// Terms of a page.
const TERMS_A_PAGE: u32 = 2048;
/// Most pages of documents: some 32 GB.
const MAX_PAGES: u32 = 1 << 20;

/// The page that a term is on.
pub(super) fn page_of_term(term: u32) -> u32 {
    term / TERMS_A_PAGE
}

impl Paged for TextIndex {
    fn header(&self) -> Vec<u8> {
        let options = self.options();
        let name = options.language.name();
        let mut out = vec![FORMAT, ANALYSIS, name.len() as u8];
        out.extend_from_slice(name.as_bytes());
        varint::write(options.weights.len() as u32, &mut out);
        for weight in &options.weights {
            out.extend_from_slice(&weight.to_le_bytes());
        }
        varint::write(self.segment.dictionary().len() as u32, &mut out);
        varint::write(self.segment.pages(), &mut out);
        out
    }

    fn dirty(&self) -> Vec<PageId> {
        self.dirty.pages()
    }

    fn page(&self, page: PageId) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match page.region {
            FORWARD if page.number < self.segment.pages() => {
                let documents = self.segment.page(page.number);
                varint::write(documents.clone().count() as u32, &mut out);
                for (label, bytes) in documents {
                    varint::write(label, &mut out);
                    varint::write(bytes.len() as u32, &mut out);
                    out.extend_from_slice(bytes);
                }
            }
            TERMS => {
                let dictionary = self.segment.dictionary();
                let range = terms_of(page.number, dictionary.len() as u32)?;
                for term in range {
                    let text = dictionary.text(term);
                    varint::write(text.len() as u32, &mut out);
                    out.extend_from_slice(text.as_bytes());
                }
            }
            _ => return None,
        }
        Some(out)
    }

    fn set_clean(&mut self) {
        self.dirty.clear();
    }

    fn set_dirty(&mut self) {
        self.dirty.clear();
        self.add_all_dirty(0, 0);
    }
}

/// The terms of a page, if there is one, when there are so many in all.
fn terms_of(page: u32, terms: u32) -> Option<std::ops::Range<u32>> {
    let first = page.checked_mul(TERMS_A_PAGE).filter(|first| *first < terms)?;
    Some(first..terms.min(first.saturating_add(TERMS_A_PAGE)))
}

/// Builds an index from its pages.
#[derive(Debug)]
pub struct TextLoader {
    options: TextOptions,
    terms: u32,
    pages: u32,
    texts: BTreeMap<u32, Vec<Box<str>>>,
    documents: BTreeMap<u32, Box<[u8]>>,
}

fn corrupt(what: &str) -> Error {
    Error::corrupt(format!("text index: {what}: it is made anew from the records"))
}

/// Takes `count` bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// Takes a number of bytes and that many bytes.
fn take_counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = varint::read(bytes)?;
    take(bytes, count as usize)
}

fn read_header(mut header: &[u8]) -> Option<(TextOptions, u32, u32)> {
    let rest = &mut header;
    if take(rest, 2)? != [FORMAT, ANALYSIS] {
        return None;
    }
    let name = take(rest, 1)?[0];
    let language: Language = std::str::from_utf8(take(rest, name.into())?).ok()?.parse().ok()?;
    let fields = varint::read(rest)? as usize;
    let weights = take(rest, fields.checked_mul(4)?)?.as_chunks::<4>().0;
    let weights = weights.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let (terms, pages) = (varint::read(rest)?, varint::read(rest)?);
    (rest.is_empty() && pages <= MAX_PAGES).then_some((TextOptions { language, weights }, terms, pages))
}

/// The documents of a page: label and bytes.
fn read_documents(mut bytes: &[u8], mut each: impl FnMut(u32, &[u8])) -> Option<()> {
    let count = varint::read(&mut bytes)?;
    for _ in 0..count {
        let label = varint::read(&mut bytes)?;
        each(label, take_counted(&mut bytes)?);
    }
    bytes.is_empty().then_some(())
}

impl TextIndex {
    /// Begins to build an index of which `header` was stored.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if it can not be one, or is of another format or analysis:
    /// build the index anew.
    pub fn loader(header: &[u8]) -> Result<TextLoader> {
        let (options, terms, pages) =
            read_header(header).ok_or_else(|| corrupt("its header is damaged or of another release"))?;
        Self::new(options.clone()).map_err(|error| corrupt(error.message()))?;
        Ok(TextLoader { options, terms, pages, texts: BTreeMap::new(), documents: BTreeMap::new() })
    }
}

impl Loading for TextLoader {
    type Index = TextIndex;

    fn page(&mut self, page: PageId, bytes: &[u8]) -> Result<()> {
        let taken = match page.region {
            FORWARD if page.number < self.pages => self.take_documents(page.number, bytes),
            TERMS => self.take_terms(page.number, bytes),
            _ => None,
        };
        taken.ok_or_else(|| corrupt(&format!("page {} of region {} is damaged", page.number, page.region)))
    }

    fn finish(self) -> Result<TextIndex> {
        // Holes are set aside for terms of lost pages; with most of them lost that is not worth it.
        let needed = self.terms.div_ceil(TERMS_A_PAGE) as usize;
        if self.texts.len() * 2 < needed {
            return Err(corrupt("most of its terms are lost"));
        }
        let mut index = TextIndex::new(self.options)?;
        for page in 0..needed as u32 {
            let Some(range) = terms_of(page, self.terms) else { break };
            let texts = self.texts.get(&page);
            if texts.is_none() {
                index.dirty.add(TERMS, page);
            }
            let segment = &mut index.segment;
            for at in 0..range.len() {
                match texts.and_then(|texts| texts.get(at)) {
                    Some(text) if !text.is_empty() && segment.dictionary().find(text).is_none() => {
                        segment.intern(text);
                    }
                    _ => segment.push_hole(),
                }
            }
        }
        let mut twice = BTreeSet::new();
        let mut extents = vec![Extent::default(); index.options().weights.len()];
        for number in 0..self.pages {
            index.segment.push_page();
            let Some(bytes) = self.documents.get(&number) else {
                index.dirty.add(FORWARD, number);
                continue;
            };
            let TextIndex { segment, dirty, .. } = &mut index;
            let known = |segment: &Segment, term| !segment.dictionary().text(term).is_empty();
            read_documents(bytes, |label, bytes| {
                if twice.contains(&label)
                    || label == DEAD
                    || !forward::is_sound(bytes, &mut extents, |t| known(segment, t))
                {
                    dirty.add(FORWARD, number);
                } else if let Some(other) = segment.remove(label) {
                    // Which of the two is right only the records know.
                    twice.insert(label);
                    dirty.add(FORWARD, other);
                    dirty.add(FORWARD, number);
                } else {
                    segment.push(label, bytes);
                }
            });
        }
        Ok(index)
    }
}

impl TextLoader {
    fn take_documents(&mut self, page: u32, bytes: &[u8]) -> Option<()> {
        read_documents(bytes, |_, _| ())?;
        self.documents.insert(page, bytes.into());
        Some(())
    }

    fn take_terms(&mut self, page: u32, mut bytes: &[u8]) -> Option<()> {
        let mut texts = Vec::new();
        for _ in terms_of(page, self.terms)? {
            texts.push(std::str::from_utf8(take_counted(&mut bytes)?).ok()?.into());
        }
        if !bytes.is_empty() {
            return None;
        }
        self.texts.insert(page, texts);
        Some(())
    }
}
