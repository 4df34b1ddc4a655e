//! The terms of an index and their numbers.
//!
//! **Invariants**
//! - Numbers go up by one in the order of arrival and never change. A number without a term (its page was
//!   lost) is a hole, which is never given out.
//! - `found` holds the number of every term, under the hash of its text.

use std::sync::OnceLock;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Terms that are not in the order for prefixes yet, at most, besides an eighth of those that are.
const UNORDERED: usize = 1024;

/// Terms by number, by text and by prefix.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    texts: Vec<Box<str>>,
    found: HashTable<u32>,
    /// The numbers of the first terms in the order of their texts, made when a prefix is first asked for.
    ordered: OnceLock<Vec<u32>>,
}

fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// What a hash table of numbers goes by: the texts.
fn hasher(texts: &[Box<str>]) -> impl Fn(&u32) -> u64 {
    |term| hash(&texts[*term as usize])
}

impl Dictionary {
    /// Numbers that were given out.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The term of a number; empty for a hole.
    pub(super) fn text(&self, term: u32) -> &str {
        self.texts.get(term as usize).map_or("", |text| text)
    }

    /// The number of a term that is known.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.found.find(hash(text), |term| *self.texts[*term as usize] == *text).copied()
    }

    /// Whether the number stands for a term.
    #[inline]
    pub(super) fn knows(&self, term: u32) -> bool {
        self.texts.get(term as usize).is_some_and(|text| !text.is_empty())
    }

    /// The number of a term, a new one if it is not known.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        match self.find(text) {
            Some(term) => term,
            None => self.insert(text.into()),
        }
    }

    /// Gives out the next number, to no term if `text` is empty or known.
    pub(super) fn push(&mut self, text: Box<str>) {
        if text.is_empty() || self.find(&text).is_some() {
            self.texts.push(Box::default());
        } else {
            self.insert(text);
        }
    }

    /// Sets room aside for so many terms more.
    pub(super) fn reserve(&mut self, terms: usize) {
        self.texts.reserve(terms);
        self.found.reserve(terms, hasher(&self.texts));
    }

    fn insert(&mut self, text: Box<str>) -> u32 {
        let term = self.texts.len() as u32;
        let hash_of = hash(&text);
        self.texts.push(text);
        self.found.insert_unique(hash_of, term, hasher(&self.texts));
        if let Some(ordered) = self.ordered.get()
            && self.texts.len() - ordered.len() > UNORDERED + ordered.len() / 8
        {
            self.ordered.take();
        }
        term
    }

    /// Brings terms into the order of their texts.
    pub(super) fn sort(&self, terms: &mut [u32]) {
        terms.sort_unstable_by(|a, b| self.text(*a).cmp(self.text(*b)));
    }

    /// The terms that begin with `prefix`, those in order first.
    pub(super) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = u32> {
        let ordered = self.ordered.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.texts.len() as u32).collect();
            self.sort(&mut order);
            order
        });
        let start = ordered.partition_point(|term| self.text(*term) < prefix);
        let in_order =
            ordered[start..].iter().copied().take_while(move |term| self.text(*term).starts_with(prefix));
        let others = ordered.len() as u32..self.texts.len() as u32;
        in_order.chain(others.filter(move |term| self.text(*term).starts_with(prefix)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn terms_are_found_by_text_number_and_prefix() {
        let mut dictionary = Dictionary::default();
        for number in 0..5_000u32 {
            if number == 77 {
                dictionary.push(Box::default());
                continue;
            }
            let text = format!("t{number}");
            assert_eq!(dictionary.find(&text), None);
            assert_eq!(dictionary.intern(&text), number);
            assert_eq!(dictionary.intern(&text), number);
            // Some are asked for in between, so that both the ordered and the new terms are looked at.
            if number % 700 == 0 {
                let mut found: Vec<u32> = dictionary.with_prefix("t3").collect();
                found.sort_unstable();
                let want: Vec<u32> =
                    (0..=number).filter(|n| *n != 77 && format!("t{n}").starts_with("t3")).collect();
                assert_eq!(found, want, "at {number}");
            }
        }
        assert_eq!((dictionary.text(77), dictionary.find("t77"), dictionary.find("")), ("", None, None));
        assert_eq!(dictionary.text(4_999), "t4999");
    }
}
