//! What is asked of an approximate index, and what it answers.

use std::fmt;

/// A search.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// How many neighbours are wanted.
    pub k: usize,
    /// How many candidates the walk keeps in view: more is slower and finds more of the true neighbours.
    /// 0 takes the default, 64. It is never taken as less than `k`.
    pub ef: usize,
    /// Which labels may be returned. Asked at most once for each label, in no particular order, and not
    /// for labels that are known to be too far away.
    pub accept: Option<&'a dyn Fn(u32) -> bool>,
    /// Nothing may be missed: every vector is looked at.
    pub exact: bool,
}

impl Request<'_> {
    /// The `k` nearest, found as well as by default.
    #[must_use]
    pub fn new(k: usize) -> Self {
        Self { k, ef: 0, accept: None, exact: false }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("k", &self.k)
            .field("ef", &self.ef)
            .field("accept", &self.accept.is_some())
            .field("exact", &self.exact)
            .finish()
    }
}

/// A vector that may be among the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The label that it was inserted under.
    pub label: u32,
    /// Similarity to the query, larger is better; its range is that of the [`Metric`](crate::vector::Metric).
    pub score: f32,
    /// Whether the score was computed from the vector itself, in double precision. If not it is an
    /// estimate: rank by [`similarity`](crate::vector::similarity) with the stored vector.
    pub exact: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Best first, equal ranks by the smaller label. If all are exact: the best `k`. Otherwise more, of
    /// which the best `k` are to be chosen by their vectors; those that are not exact are in the order of
    /// the estimate.
    pub candidates: Vec<Candidate>,
    /// How they were found.
    pub explain: Explain,
}

/// The way that a search took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Path {
    /// There was nothing to search, or nothing was wanted.
    #[default]
    Empty,
    /// All vectors were compared.
    Scan,
    /// The graph was walked.
    Graph,
}

/// How a search was done.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Explain {
    /// The way that gave the result.
    pub path: Path,
    /// Distances that were computed, of codes and of vectors.
    pub distances: u64,
    /// Candidates that were looked at closely.
    pub candidates: usize,
    /// Candidates that the last walk kept in view.
    pub ef: usize,
    /// Walks, and scans after them: more than one if a filter left too few of the first.
    pub rounds: u32,
    /// The share of the labels that the filter accepts, as a sample has it; `None` without a filter.
    pub selectivity: Option<f32>,
}
