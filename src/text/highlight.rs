//! Where a text holds what a query found.
//!
//! **Invariants**
//! - Ranges are in order, apart from one another, not empty, and on borders of characters.
//! - The work is linear in the text, times the phrases and prefixes of the query.

use super::analysis::{Analyzer, Token, first_letter};
use super::query::{Asked, Slot, TextQuery, Want};
use super::search::knows;
use super::segment::Segment;

/// A phrase that has begun.
struct Begun {
    phrase: usize,
    /// The word that comes next, and at which position.
    next: usize,
    position: u32,
    from: usize,
}

/// What is looked for.
#[derive(Default)]
struct Marker<'a> {
    /// In order, each once.
    terms: Vec<&'a str>,
    prefixes: Vec<&'a str>,
    phrases: Vec<&'a [Slot]>,
    begun: Vec<Begun>,
    /// In order, apart from one another.
    ranges: Vec<(usize, usize)>,
}

impl<'a> Marker<'a> {
    fn new(segment: &Segment, query: &'a TextQuery) -> Self {
        let mut marker = Self::default();
        for clause in &query.clauses {
            match &clause.asked {
                Asked::Word(Want::Term(term)) => marker.want(term),
                Asked::Word(Want::Prefix { prefix, whole }) => {
                    marker.prefixes.push(prefix);
                    marker.want(whole);
                }
                Asked::Compound { whole, parts } if parts.is_empty() || knows(segment, whole) => {
                    marker.want(whole);
                }
                Asked::Compound { parts, .. } => parts.iter().for_each(|part| marker.want(part)),
                Asked::Phrase(slots) => marker.phrases.push(slots),
            }
        }
        marker
    }

    fn want(&mut self, term: &'a str) {
        if let Err(place) = self.terms.binary_search(&term) {
            self.terms.insert(place, term);
        }
    }

    /// Adds a range that ends in the token that is being read.
    fn mark(&mut self, mut from: usize, mut to: usize) {
        // Those before begin before this token ends, so they are one with it unless they end before it begins.
        while let Some((start, end)) = self.ranges.pop_if(|(_, end)| *end >= from) {
            from = from.min(start);
            to = to.max(end);
        }
        self.ranges.push((from, to));
    }

    fn see(&mut self, token: &Token<'_>, text: &str) {
        if self.terms.binary_search(&token.term).is_ok() {
            self.mark(token.from, token.to);
        } else if self.prefixes.iter().any(|prefix| token.term.starts_with(prefix)) {
            // Of two letters without spaces it was the first that was asked for.
            let letter = first_letter(&text[token.from..token.to]);
            self.mark(token.from, letter.map_or(token.to, |length| token.from + length));
        }
        if self.phrases.is_empty() {
            return;
        }
        self.begun.retain(|begun| begun.position >= token.position);
        let begun = (0..self.phrases.len()).map(|phrase| Begun {
            phrase,
            next: 0,
            position: token.position,
            from: token.from,
        });
        self.begun.extend(begun);
        for at in 0..self.begun.len() {
            let Begun { phrase, next, position, from } = self.begun[at];
            let slots = self.phrases[phrase];
            if position != token.position || !is_it(&slots[next].want, token.term) {
                continue;
            }
            match slots.get(next + 1) {
                Some(slot) => {
                    let position = position + (slot.offset - slots[next].offset);
                    self.begun[at] = Begun { phrase, next: next + 1, position, from };
                }
                None => {
                    self.mark(from, token.to);
                    self.begun[at].position = 0;
                }
            }
        }
        self.begun.retain(|begun| begun.next > 0 && begun.position >= token.position);
    }
}

fn is_it(want: &Want, term: &str) -> bool {
    match want {
        Want::Term(text) => text == term,
        Want::Prefix { prefix, whole } => term == whole || term.starts_with(prefix.as_str()),
    }
}

/// The ranges of `text` in UTF-16 units.
pub(super) fn highlight(
    segment: &Segment,
    analyzer: &Analyzer,
    query: &TextQuery,
    text: &str,
) -> Vec<(u32, u32)> {
    let mut marker = Marker::new(segment, query);
    analyzer.read(text, &mut |token| marker.see(&token, text));
    // Ranges are in order, so the text is walked over once.
    let (mut at, mut units) = (0, 0);
    let mut unit = |byte: usize| {
        units += text[at..byte].chars().map(char::len_utf16).sum::<usize>() as u32;
        at = byte;
        units
    };
    marker.ranges.into_iter().map(|(from, to)| (unit(from), unit(to))).collect()
}
