//! What is asked of a search.
//!
//! **Invariants**
//! - A request that was accepted holds only numbers in their ranges; errors name the option as it is
//!   written by users.

use crate::vector::Filter;
use crate::{Error, Result};

/// Most hits of one search.
const MAX_HITS: usize = 10_000;

/// How far down the ranking a search reaches: the most that `offset` and `limit` come to together.
const MAX_DEPTH: usize = 100_000;

/// The same where hits are chosen for being diverse: each is compared with all that were chosen before.
const MAX_DIVERSE: usize = 1_000;

/// Most candidates that the index of vectors may be told to keep in view.
const MAX_EF: usize = 100_000;

/// What a search asks for. What is not given is as by default:
///
/// ```
/// # use mnemora::stores::SearchRequest;
/// let request = SearchRequest { text: Some("pricing".into()), ..SearchRequest::default() };
/// assert_eq!(request.limit, 10);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// Search by vector: one of the collection's dimensions.
    pub vector: Option<Vec<f32>>,
    /// Search by text: words, `"phrases"`, `prefix*`.
    pub text: Option<String>,
    /// By which of the two; by both where both are given, unless said otherwise.
    pub mode: Option<SearchMode>,
    /// Most hits, 1 to 10,000.
    pub limit: usize,
    /// Hits to pass over; with `limit` at most 100,000.
    pub offset: usize,
    /// Candidates that the index of vectors keeps in view, up to 100,000: more is slower and finds more of
    /// the true neighbours. 0 is its default.
    pub ef: usize,
    /// Whether the nearest vectors must be found without exception, and weights applied to all of them.
    pub exact: bool,
    /// What metadata must match.
    pub filter: Option<Filter>,
    /// What a score must reach.
    pub min_score: Option<f64>,
    /// A path into metadata, as in filters: of the documents with one value there only the best is a hit. A
    /// document without the field stands for itself.
    pub group_by: Option<String>,
    /// Prefers what was added lately.
    pub recency: Option<Recency>,
    /// How much the importance of documents weighs, 0 to 1.
    pub importance: f64,
    /// How much hits should differ from one another, 0 to 1; with it `offset` and `limit` come to 1,000 at
    /// most.
    pub diversity: Option<f64>,
    /// Whether hits tell where in their text the query was found.
    pub highlight: bool,
    /// Whether the result tells how it was found.
    pub explain: bool,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            vector: None,
            text: None,
            mode: None,
            limit: 10,
            offset: 0,
            ef: 0,
            exact: false,
            filter: None,
            min_score: None,
            group_by: None,
            recency: None,
            importance: 0.0,
            diversity: None,
            highlight: false,
            explain: false,
        }
    }
}

/// By what documents are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchMode {
    /// By the similarity of vectors.
    Vector,
    /// By the words of texts.
    Text,
    /// By both, fused.
    Hybrid,
}

/// How the age of a document weighs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recency {
    /// After how many milliseconds a document counts half.
    pub half_life_ms: f64,
    /// How much it weighs, 0 to 1.
    pub weight: f64,
}

impl SearchRequest {
    /// Checks what does not depend on the collection.
    pub(super) fn check(&self) -> Result<()> {
        let Self { limit, offset, ef, min_score, recency, importance, diversity, .. } = self;
        if !(1..=MAX_HITS).contains(limit) {
            return Err(Error::invalid(format!("limit: {limit} is not in 1 to {MAX_HITS}")));
        }
        if offset.saturating_add(*limit) > MAX_DEPTH {
            return Err(Error::invalid(format!(
                "offset: {offset} and limit {limit} are more than {MAX_DEPTH} together; narrow the search by a filter, or list documents by pages"
            )));
        }
        if *ef > MAX_EF {
            return Err(Error::invalid(format!(
                "ef: {ef} is not in 1 to {MAX_EF}; use exact: true to compare all vectors"
            )));
        }
        if let Some(min_score) = min_score.filter(|score| !score.is_finite()) {
            return Err(Error::invalid(format!("minScore: {min_score} is not a finite number")));
        }
        if let Some(Recency { half_life_ms, weight }) = recency {
            if !(half_life_ms.is_finite() && *half_life_ms > 0.0) {
                return Err(Error::invalid(format!(
                    "recency.halfLifeMs: {half_life_ms} is not a number of milliseconds above 0"
                )));
            }
            check_share("recency.weight", *weight)?;
        }
        check_share("importance", *importance)?;
        if let Some(diversity) = diversity {
            check_share("diversity", *diversity)?;
            if offset + limit > MAX_DIVERSE {
                return Err(Error::invalid(format!(
                    "diversity: offset {offset} and limit {limit} are more than {MAX_DIVERSE} together; ask for fewer hits, or leave it out"
                )));
            }
        }
        Ok(())
    }
}

fn check_share(name: &str, share: f64) -> Result<()> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err(Error::invalid(format!("{name}: {share} is not in 0 to 1")))
}
