//! Text search: the words of documents, ranked by BM25.
//!
//! A text becomes terms (`analysis`: words by UAX #29, folded, without stop words, stemmed), a document the
//! list of its terms with their positions (`forward`), and a term the list of its documents (`postings`).
//! Queries are read by the same analysis (`query`) and ranked by BM25F (`search`).
//!
//! **Invariants**
//! - A text and a query go through the same analysis; another analysis is another [header](crate::paged)
//!   and a new index.
//! - Results are deterministic: ranks are sums of doubles in a fixed order, and equal ranks are ordered by the
//!   smaller label.
//! - Frequencies, lengths and counts are exact after any number of changes.
//! - An index follows the records and can be dropped at any time: it owns no durable state.
//! - Any text can be indexed and any text is a query: work and memory are linear in the text.
//!
//! Deliberately absent: ids, metadata and the texts themselves. The collection maps ids to labels and
//! answers the `accept` callback.

mod analysis;
mod case;
mod compaction;
mod dictionary;
mod fold;
mod forward;
mod highlight;
mod index;
mod language;
mod occurrences;
mod pages;
mod phrase;
mod postings;
mod query;
mod script;
mod search;
mod segment;
mod stem;
mod stop_words;
#[cfg(test)]
mod tests;
mod varint;

pub use index::{MAX_FIELDS, TextIndex, TextOptions};
pub use language::Language;
pub use pages::TextLoader;
pub use query::{MAX_CLAUSES, MAX_QUERY_BYTES, MAX_SLOTS, TextQuery};
pub use search::MAX_EXPANSIONS;

/// One result of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// The label that the document was inserted under.
    pub label: u32,
    /// Its rank by BM25: larger is better, above zero.
    pub score: f32,
}

/// The results of a search, and how they were found.
#[derive(Debug, Clone, Default)]
pub struct TextFound {
    /// The best matches, best first, equal ranks by the smaller label.
    pub matches: Vec<Match>,
    /// How they were found.
    pub explain: TextExplain,
}

/// How a search went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextExplain {
    /// What was looked for, after folding and stemming: terms, `prefix*`, `"a phrase"`.
    pub terms: Vec<String>,
    /// Entries of the inverted index that were read.
    pub postings: u64,
    /// Documents that matched, before `accept` and the cut at `k`.
    pub candidates: usize,
}
