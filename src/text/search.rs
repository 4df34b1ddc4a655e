//! Which documents a query finds, and their rank.
//!
//! The rank is BM25F with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza, "The Probabilistic Relevance
//! Framework: BM25 and Beyond", 2009): the frequencies of a term in the fields are summed up by weight, each
//! normalised by the length of its field, and saturated together:
//!
//! ```text
//! tf   = sum over fields of  weight * count / (1 - b + b * words / mean words)
//! rank = sum over terms of   idf * tf * (k1 + 1) / (tf + k1)
//! idf  = ln(1 + (N - n + 0.5) / (n + 0.5))
//! ```
//!
//! With one field of weight 1 that is plain BM25. A phrase counts as a term whose idf is the sum of those of
//! its words, a prefix as a term that stands wherever one that begins so stands.
//!
//! Term at a time within windows of ordinals: the sums of a window stay in the nearest cache, each list of
//! postings is read once, in order, and nothing is as large as the index.
//!
//! **Invariants**
//! - Sums are in double precision, in the order of the query's clauses: equal documents rank equally.
//! - Work is linear in the postings of the terms, of which there is a bounded number.

use super::analysis::STOP;
use super::index::MAX_FIELDS;
use super::phrase::Phrase;
use super::postings::Cursor;
use super::query::{Asked, Clause, Slot, TextQuery, Want};
use super::segment::{DEAD, Segment};
use super::{Match, TextExplain, TextFound};
use crate::vector::top_k::TopK;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Terms that a prefix stands for, at most: those in most documents.
pub const MAX_EXPANSIONS: usize = 64;

/// Ordinals that are ranked together.
const WINDOW: usize = 1024;

/// The documents that a clause is about.
enum Source<'a> {
    /// Any of these terms.
    Terms(Vec<Cursor<'a>>),
    Phrase(Phrase<'a>),
}

/// A clause that is being looked for.
struct Active<'a> {
    source: Source<'a>,
    /// The idf, as often as the query names it, times k1 + 1.
    gain: f64,
    required: bool,
}

/// How counts are weighed in each document.
struct Weigher<'a> {
    segment: &'a Segment,
    weights: &'a [f32],
    /// b by mean words, by field.
    slopes: [f64; MAX_FIELDS],
}

impl<'a> Weigher<'a> {
    fn new(segment: &'a Segment, weights: &'a [f32]) -> Self {
        let mut slopes = [0.0; MAX_FIELDS];
        for (slope, total) in slopes.iter_mut().zip(segment.totals()) {
            if total.words > 0 {
                *slope = B * f64::from(total.documents) / total.words as f64;
            }
        }
        Self { segment, weights, slopes }
    }

    fn one(&self, ordinal: u32, field: usize, count: u32) -> f64 {
        let words = self.segment.words(ordinal)[field];
        f64::from(self.weights[field]) * f64::from(count) / (1.0 - B + self.slopes[field] * f64::from(words))
    }

    /// The weighted frequency of a term in a document, of which a cursor stands at its postings.
    fn term(&self, cursor: &Cursor<'_>) -> f64 {
        if self.weights.len() == 1 {
            return self.one(cursor.ordinal(), 0, cursor.count());
        }
        self.positions(cursor.ordinal(), |visit| cursor.positions(visit))
    }

    /// The weighted frequency of what stands at the positions that `walk` visits, in order.
    fn positions(&self, ordinal: u32, walk: impl FnOnce(&mut dyn FnMut(u32))) -> f64 {
        let starts = self.segment.starts(ordinal);
        let mut counts = [0u32; MAX_FIELDS];
        walk(&mut |position| {
            let field = starts.iter().rposition(|start| *start <= position).unwrap_or_default();
            counts[field] += 1;
        });
        let counted = (0..self.weights.len()).filter(|field| counts[*field] > 0);
        counted.map(|field| self.one(ordinal, field, counts[field])).sum()
    }
}

fn idf(segment: &Segment, documents: u32) -> f64 {
    let all = segment.len() as f64;
    let documents = f64::from(documents).min(all);
    (1.0 + (all - documents + 0.5) / (documents + 0.5)).ln()
}

/// The terms of the index that a word stands for, each once, in an order that does not depend on numbers.
fn terms(segment: &Segment, want: &Want) -> Vec<u32> {
    let alive = |term: &u32| segment.frequency(*term) > 0;
    let known = |text: &str| segment.dictionary().find(text).filter(alive);
    match want {
        Want::Term(text) => known(text).into_iter().collect(),
        Want::Prefix { prefix, whole } => {
            let mut found: Vec<u32> = segment.dictionary().with_prefix(prefix).filter(alive).collect();
            segment.dictionary().sort(&mut found);
            if found.len() > MAX_EXPANSIONS {
                let mut top = TopK::new(MAX_EXPANSIONS, found.len());
                for (place, term) in found.iter().enumerate() {
                    top.offer(segment.frequency(*term).into(), place as u32);
                }
                found = top.into_sorted().iter().map(|best| found[best.label as usize]).collect();
            }
            // The word may have ended here, and its stem be shorter.
            found.extend(known(whole).filter(|term| !found.contains(term)));
            found
        }
    }
}

/// Whether a word of several parts is in the index as it stands.
pub(super) fn knows(segment: &Segment, whole: &str) -> bool {
    segment.dictionary().find(whole).is_some_and(|term| segment.frequency(term) > 0)
}

fn show(want: &Want) -> String {
    match want {
        Want::Term(term) => term.trim_start_matches(STOP).to_owned(),
        Want::Prefix { prefix, .. } => format!("{prefix}*"),
    }
}

/// What a query comes to in this index.
struct Plan<'a> {
    segment: &'a Segment,
    active: Vec<Active<'a>>,
    names: Vec<String>,
    /// A phrase is wanted that has a word that no document has.
    impossible: bool,
}

impl<'a> Plan<'a> {
    fn new(segment: &'a Segment, query: &TextQuery) -> Self {
        let mut plan = Self { segment, active: Vec::new(), names: Vec::new(), impossible: false };
        for Clause { asked, times } in &query.clauses {
            match asked {
                Asked::Word(want) => plan.word(want, *times),
                Asked::Compound { whole, parts } => {
                    if parts.is_empty() || knows(segment, whole) {
                        plan.word(&Want::Term(whole.clone()), *times);
                    } else {
                        for part in parts {
                            plan.word(&Want::Term(part.clone()), *times);
                        }
                    }
                }
                Asked::Phrase(slots) => plan.phrase(slots, *times),
            }
        }
        plan
    }

    /// The cursors of a word, and its idf.
    fn cursors(&self, want: &Want) -> (Vec<Cursor<'a>>, f64) {
        let terms = terms(self.segment, want);
        let documents = terms.iter().map(|term| self.segment.frequency(*term)).fold(0, u32::saturating_add);
        (
            terms.iter().map(|term| self.segment.postings(*term).cursor()).collect(),
            idf(self.segment, documents),
        )
    }

    fn add(&mut self, source: Source<'a>, idf: f64, times: u32, required: bool) {
        self.active.push(Active { source, gain: idf * f64::from(times) * (K1 + 1.0), required });
    }

    fn word(&mut self, want: &Want, times: u32) {
        self.names.push(show(want));
        let (cursors, idf) = self.cursors(want);
        if !cursors.is_empty() {
            self.add(Source::Terms(cursors), idf, times, false);
        }
    }

    fn phrase(&mut self, slots: &[Slot], times: u32) {
        let words: Vec<String> = slots.iter().map(|slot| show(&slot.want)).collect();
        self.names.push(format!("\"{}\"", words.join(" ")));
        let found: Vec<_> = slots.iter().map(|slot| (slot.offset, self.cursors(&slot.want))).collect();
        self.impossible |= found.iter().any(|(_, (cursors, _))| cursors.is_empty());
        let sum = found.iter().map(|(_, (_, idf))| idf).sum();
        let slots: Vec<_> = found.into_iter().map(|(offset, (cursors, _))| (offset, cursors)).collect();
        self.add(Source::Phrase(Phrase::new(slots)), sum, times, true);
    }
}

/// What is summed up for each document of a window.
struct Window {
    ranks: [f64; WINDOW],
    frequencies: [f64; WINDOW],
    required: [u8; WINDOW],
}

/// The best `k` documents.
pub(super) fn search(
    segment: &Segment,
    weights: &[f32],
    query: &TextQuery,
    k: usize,
    accept: Option<&dyn Fn(u32) -> bool>,
) -> TextFound {
    let mut plan = Plan::new(segment, query);
    let mut explain = TextExplain { terms: std::mem::take(&mut plan.names), ..TextExplain::default() };
    if plan.impossible {
        return TextFound { matches: Vec::new(), explain };
    }
    let weigher = Weigher::new(segment, weights);
    let mut top = TopK::new(k, segment.len());
    let required = plan.active.iter().filter(|active| active.required).count();
    let mut window = Window { ranks: [0.0; WINDOW], frequencies: [0.0; WINDOW], required: [0; WINDOW] };
    while let Some(base) = plan.active.iter().map(|active| active.source.ordinal()).min() {
        if base == Cursor::END {
            break;
        }
        let end = base.saturating_add(WINDOW as u32).min(segment.ordinals());
        for active in &mut plan.active {
            active.sum_up(&weigher, base, end, &mut window);
        }
        for ordinal in base..end {
            let at = (ordinal - base) as usize;
            let rank = std::mem::take(&mut window.ranks[at]);
            let phrases = std::mem::take(&mut window.required[at]);
            let label = segment.label(ordinal);
            if rank <= 0.0 || usize::from(phrases) < required || label == DEAD {
                continue;
            }
            explain.candidates += 1;
            let late = k == 0 || top.bar().is_some_and(|bar| rank < bar);
            if !late && accept.is_none_or(|accept| accept(label)) {
                top.offer(rank, label);
            }
        }
    }
    explain.postings = plan.active.iter().map(|active| active.source.read()).sum();
    let matches = top.into_sorted().into_iter();
    TextFound { matches: matches.map(|c| Match { label: c.label, score: c.rank as f32 }).collect(), explain }
}

impl Source<'_> {
    /// The document that it comes to next.
    fn ordinal(&self) -> u32 {
        match self {
            Self::Terms(cursors) => cursors.iter().map(Cursor::ordinal).min().unwrap_or(Cursor::END),
            Self::Phrase(phrase) => phrase.ordinal(),
        }
    }

    fn read(&self) -> u64 {
        match self {
            Self::Terms(cursors) => cursors.iter().map(Cursor::read).sum(),
            Self::Phrase(phrase) => phrase.read(),
        }
    }
}

impl Active<'_> {
    /// Adds what this clause gives to the ranks of the documents from `base` to `end`.
    fn sum_up(&mut self, weigher: &Weigher<'_>, base: u32, end: u32, window: &mut Window) {
        let gain = self.gain;
        let saturated = |frequency: f64| gain * frequency / (frequency + K1);
        match &mut self.source {
            Source::Terms(cursors) if cursors.len() == 1 => {
                let cursor = &mut cursors[0];
                while cursor.ordinal() < end {
                    window.ranks[(cursor.ordinal() - base) as usize] += saturated(weigher.term(cursor));
                    cursor.advance();
                }
            }
            Source::Terms(cursors) => {
                for cursor in cursors {
                    while cursor.ordinal() < end {
                        window.frequencies[(cursor.ordinal() - base) as usize] += weigher.term(cursor);
                        cursor.advance();
                    }
                }
                for at in 0..(end - base) as usize {
                    let frequency = std::mem::take(&mut window.frequencies[at]);
                    window.ranks[at] += saturated(frequency);
                }
            }
            Source::Phrase(phrase) => {
                while phrase.ordinal() < end {
                    let at = (phrase.ordinal() - base) as usize;
                    let starts = phrase.positions();
                    let frequency = weigher.positions(phrase.ordinal(), |visit| starts.for_each(visit));
                    window.ranks[at] += saturated(frequency);
                    window.required[at] += u8::from(self.required);
                    phrase.advance();
                }
            }
        }
    }
}
