//! What a search gives.

use super::request::SearchMode;
use crate::text::TextExplain;
use crate::vector::Explain;

/// The hits of a search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResult {
    /// Best first, equal scores in the order of the ids; with `diversity` in the order of being chosen.
    pub hits: Vec<Hit>,
    /// How they were found, if that was asked for.
    pub explain: Option<SearchExplain>,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// What it is ordered by: larger is better, in every mode.
    pub score: f64,
    /// Its text.
    pub text: Option<String>,
    /// Its metadata, encoded.
    pub metadata: Option<Vec<u8>>,
    /// What the score is made of.
    pub parts: Parts,
    /// Where in the text the query was found: ranges in UTF-16 units, in order. Empty unless asked for.
    pub highlights: Vec<(u32, u32)>,
}

/// What a score is made of: what is found by one of vectors and words has its score there, what is found by
/// both the fused one; the factors of age and importance are applied to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// Similarity of the vectors.
    pub vector: Option<f64>,
    /// BM25 of the words.
    pub text: Option<f64>,
    /// Reciprocal rank fusion of the two.
    pub fused: Option<f64>,
    /// The factor of its age, 0 to 1.
    pub recency: Option<f64>,
    /// The factor of its importance, 0 to 1.
    pub importance: Option<f64>,
}

/// How a search was done.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchExplain {
    /// By what it searched.
    pub mode: SearchMode,
    /// Why not as it was asked to, if so.
    pub reason: Option<String>,
    /// What was done in the index of vectors.
    pub vectors: Option<Explain>,
    /// What was done in the index of words.
    pub words: Option<TextExplain>,
    /// Documents that can not be found by vector yet, because the collection is being embedded anew.
    pub pending: u64,
}
