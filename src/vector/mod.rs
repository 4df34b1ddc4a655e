//! Vector search: distance kernels, the exact and the approximate index, and filters over metadata.
//!
//! **Invariants**
//! - A score is a similarity: larger is better, under every metric.
//! - Vectors are checked once, by [`check_vector`], before anything is changed: what an index holds
//!   is finite, of the right dimension and, under cosine, not zero.
//! - Results are deterministic and the same natively and in wasm: ranks are computed in double
//!   precision in a fixed order of summation, and equal ranks are ordered by the smaller label.
//! - An index follows the records and can be dropped at any time: it owns no durable state.
//! - Unsafe code lives in [`distance`] only.
//!
//! Deliberately absent: ids and metadata. An index knows vectors by a `u32` label; the collection
//! maps ids to labels and answers the `accept` callback.

mod codes;
pub mod distance;
mod filter;
mod flat;
#[cfg(feature = "instant-distance")]
mod frozen;
mod hnsw;
mod labels;
mod metric;
#[cfg(test)]
pub(crate) mod seeded;
pub(crate) mod top_k;

pub use codes::Keep;
pub use filter::{FieldPath, Filter, MAX_FILTER_CONDITIONS, MAX_FILTER_DEPTH, equal as values_equal};
pub use flat::FlatIndex;
#[cfg(feature = "instant-distance")]
pub use frozen::{FrozenIndex, FrozenOptions};
pub use hnsw::{Candidate, Explain, Found, HnswIndex, HnswLoader, HnswOptions, Path, Request};
pub use metric::{Metric, similarity};

use std::fmt;

use crate::platform::{MaybeSend, MaybeSync};
use crate::{Error, Result};

/// Most numbers in a vector.
pub const MAX_DIMENSIONS: usize = 4096;

/// One result of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The label that the vector was inserted under.
    pub label: u32,
    /// Similarity to the query, larger is better; its range is that of the [`Metric`].
    pub score: f32,
}

/// An index of vectors under labels.
///
/// # Contract
/// - `insert` changes nothing when it fails, and replaces the vector of a label that is present.
/// - `search` returns at most `k` distinct labels, best first, equal ranks by the smaller label.
///   No label that `accept` refuses is returned. `k = 0` and an empty index give an empty result;
///   the query is checked all the same.
pub trait VectorIndex: fmt::Debug + MaybeSend + MaybeSync {
    /// Inserts or replaces the vector of `label`.
    ///
    /// # Errors
    /// - [`Invalid`](crate::ErrorKind::Invalid) as [`check_vector`] says.
    /// - [`Quota`](crate::ErrorKind::Quota) if there is no memory for it.
    fn insert(&mut self, label: u32, vector: &[f32]) -> Result<()>;

    /// Removes `label`. Returns whether it was there.
    fn remove(&mut self, label: u32) -> bool;

    /// The `k` nearest vectors to `query`, best first.
    ///
    /// `ef` is how many candidates an approximate index keeps in view: more is slower and finds
    /// more of the true neighbours. An exact index ignores it. `accept` decides which labels may be
    /// returned; it is called at most once per label, in no particular order, and not for labels
    /// that are known to be too far away.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) as [`check_vector`] says.
    fn search(
        &self,
        query: &[f32],
        k: usize,
        ef: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
    ) -> Result<Vec<Neighbour>>;

    /// Number of vectors.
    fn len(&self) -> usize;

    /// Whether there is no vector.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What similarity means here.
    fn metric(&self) -> Metric;

    /// Numbers in each vector.
    fn dimensions(&self) -> usize;
}

/// Checks that a vector length is one that an index can be made for.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) unless `dimensions` is 1 to [`MAX_DIMENSIONS`].
pub fn check_dimensions(dimensions: usize) -> Result<()> {
    if (1..=MAX_DIMENSIONS).contains(&dimensions) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "dimensions is {dimensions}: give the length of the vectors, 1 to {MAX_DIMENSIONS}"
    )))
}

/// Checks that `vector` can be stored or searched for in an index of `dimensions` under `metric`.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) naming the position, for: dimensions out of range, a
/// vector of another length, NaN, an infinity (also a double too large for 32 bits, which arrives as
/// one), and a zero vector under [`Metric::Cosine`].
pub fn check_vector(vector: &[f32], dimensions: usize, metric: Metric) -> Result<()> {
    check_dimensions(dimensions)?;
    if vector.len() != dimensions {
        return Err(Error::invalid(format!(
            "vector has {} numbers, this index takes {dimensions}: use the model that its other vectors come from",
            vector.len()
        )));
    }
    if let Some(position) = vector.iter().position(|x| !x.is_finite()) {
        return Err(Error::invalid(format!(
            "vector[{position}] is {}: every number must be finite in 32 bits (magnitude at most 3.4e38)",
            vector[position]
        )));
    }
    // In double precision the norm of finite f32 numbers neither overflows nor underflows, so this
    // is the only vector that has no direction.
    if metric == Metric::Cosine && vector.iter().all(|x| *x == 0.0) {
        return Err(Error::invalid(format!(
            "vector[0] to vector[{}] are all zero: a zero vector has no direction, so cosine is undefined. \
             Leave it out, or use metric \"dot\" or \"l2\"",
            dimensions - 1
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
