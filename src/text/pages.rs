//! How the index is kept.
//!
//! Documents by page, with their terms by number; terms by number, in pages of [`TERMS_A_PAGE`]. The
//! postings are not kept: they follow from the documents.
//!
//! **Invariants**
//! - A header of another format or another analysis is refused: terms would not meet those of queries.
//! - A document is believed only if all of its terms are known. One that is not believed is not in the
//!   index that comes out, and its page is dirty.
//! - What is set aside for a page is bounded by its bytes.

use std::ops::Range;

use super::segment::DEAD;
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
                out.reserve(documents.clone().map(|(_, bytes)| bytes.len() + 2 * varint::MOST).sum());
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
fn terms_of(page: u32, terms: u32) -> Option<Range<u32>> {
    let first = page.checked_mul(TERMS_A_PAGE).filter(|first| *first < terms)?;
    Some(first..terms.min(first.saturating_add(TERMS_A_PAGE)))
}

/// Builds an index from its pages.
#[derive(Debug)]
pub struct TextLoader {
    options: TextOptions,
    terms: u32,
    pages: u32,
    texts: ByPage<Vec<Box<str>>>,
    documents: ByPage<(Vec<u8>, Vec<Place>)>,
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

/// What the pages hold, by number, in order.
type ByPage<T> = Vec<(u32, T)>;

/// Pages come in order mostly.
fn put<T>(pages: &mut ByPage<T>, page: u32, holds: T) {
    let place = pages.partition_point(|(number, _)| *number < page);
    match pages.get_mut(place) {
        Some((number, held)) if *number == page => *held = holds,
        _ => pages.insert(place, (page, holds)),
    }
}

/// The label of a document, and where its bytes are in the page.
type Place = (u32, Range<u32>);

/// The documents of a page.
fn read_documents(bytes: &[u8]) -> Option<Vec<Place>> {
    let mut rest = bytes;
    let count = varint::read(&mut rest)?;
    let mut documents = Vec::new();
    for _ in 0..count {
        let label = varint::read(&mut rest)?;
        let length = take_counted(&mut rest)?.len();
        let to = bytes.len() - rest.len();
        documents.push((label, u32::try_from(to - length).ok()?..u32::try_from(to).ok()?));
    }
    rest.is_empty().then_some(documents)
}

/// Labels that several documents claim, in order: which of them is right only the records know. In the
/// type of [words](super::forward::word), so that they are sorted by the same code.
fn labels_given_twice(pages: &ByPage<(Vec<u8>, Vec<Place>)>) -> Vec<u64> {
    let documents = pages.iter().flat_map(|(_, (_, documents))| documents);
    let mut labels: Vec<u64> = documents.map(|(label, _)| u64::from(*label)).collect();
    labels.sort_unstable();
    labels.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect()
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
        Ok(TextLoader { options, terms, pages, texts: Vec::new(), documents: Vec::new() })
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
        let needed = self.terms.div_ceil(TERMS_A_PAGE);
        if self.texts.len() * 2 < needed as usize {
            return Err(corrupt("most of its terms are lost"));
        }
        let mut index = TextIndex::new(self.options)?;
        let TextIndex { segment, dirty, .. } = &mut index;
        let documents = self.documents.iter().map(|(_, (_, documents))| documents.len()).sum();
        segment.reserve(documents, self.terms as usize);
        let mut texts = self.texts.into_iter().peekable();
        for page in 0..needed {
            match texts.next_if(|(number, _)| *number == page) {
                Some((_, texts)) => texts.into_iter().for_each(|text| segment.push_term(text)),
                None => {
                    dirty.add(TERMS, page);
                    terms_of(page, self.terms)
                        .into_iter()
                        .flatten()
                        .for_each(|_| segment.push_term(Box::default()));
                }
            }
        }
        let twice = labels_given_twice(&self.documents);
        let mut pages = self.documents.into_iter().peekable();
        for page in 0..self.pages {
            let Some((_, (bytes, documents))) = pages.next_if(|(number, _)| *number == page) else {
                segment.take_page(Vec::new());
                dirty.add(FORWARD, page);
                continue;
            };
            segment.take_page(bytes);
            for (label, range) in documents {
                let is_twice = twice.binary_search(&label.into()).is_ok();
                if label == DEAD || is_twice || !segment.admit(label, range) {
                    dirty.add(FORWARD, page);
                }
            }
        }
        Ok(index)
    }
}

impl TextLoader {
    fn take_documents(&mut self, page: u32, bytes: &[u8]) -> Option<()> {
        let documents = read_documents(bytes)?;
        put(&mut self.documents, page, (bytes.to_vec(), documents));
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
        put(&mut self.texts, page, texts);
        Some(())
    }
}
