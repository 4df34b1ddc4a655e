//! The frozen engine: a graph that is built of all vectors at once, by the crate instant-distance.
//!
//! For sets that never change. Nothing can be added; what is removed is only left out of results. How
//! widely a search looks is decided when it is built. Against [`HnswIndex`](super::HnswIndex) it keeps
//! every vector at full precision and has 64 links a vector, not 32: more memory, more time to build.
//!
//! **Invariants**
//! - Results are ranked in double precision, as those of every engine.
//! - Where the graph yields fewer results than were asked for (a filter, or `k` beyond `ef_search`),
//!   the vectors that it passed over are ranked as well: a filter never shortens a result.
//! - The same vectors, options and seed give the same graph in wasm, where one thread builds it. Natively
//!   all cores do, and graphs differ in the order in which vectors were linked.

mod point;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Mutex;

use instant_distance::{Builder, HnswMap, Search};

use super::top_k::TopK;
use super::{Metric, Neighbour, VectorIndex, check_dimensions, check_vector, metric};
use crate::{Error, Result};
use point::Row;

/// How a [`FrozenIndex`] is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrozenOptions {
    /// Candidates that a search keeps in view.
    pub ef_search: usize,
    /// Candidates that are looked at to link a vector.
    pub ef_construction: usize,
    /// Decides the levels.
    pub seed: u64,
}

impl Default for FrozenOptions {
    fn default() -> Self {
        Self { ef_search: 100, ef_construction: 100, seed: 0 }
    }
}

/// An index of vectors that do not change.
pub struct FrozenIndex {
    dimensions: usize,
    metric: Metric,
    map: HnswMap<Row, u32>,
    labels: HashSet<u32>,
    removed: BTreeSet<u32>,
    /// The room of the last search, for the next.
    room: Mutex<Option<Search>>,
}

/// Without the numbers.
impl fmt::Debug for FrozenIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dimensions, metric) = (self.dimensions, self.metric);
        write!(f, "FrozenIndex({} vectors of {dimensions} under {metric})", self.len())
    }
}

impl FrozenIndex {
    /// The index of `vectors`, given as labels and their vectors.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) as [`check_dimensions`] and [`check_vector`] say, for a
    /// label that comes twice, and for an `ef` of zero.
    pub fn build<'a>(
        dimensions: usize,
        metric: Metric,
        options: FrozenOptions,
        vectors: impl IntoIterator<Item = (u32, &'a [f32])>,
    ) -> Result<Self> {
        check_dimensions(dimensions)?;
        if options.ef_search == 0 || options.ef_construction == 0 {
            return Err(Error::invalid("ef_search and ef_construction must be at least 1"));
        }
        let (mut labels, mut in_order, mut rows) = (HashSet::new(), Vec::new(), Vec::new());
        for (label, vector) in vectors {
            check_vector(vector, dimensions, metric).map_err(|error| error.at(format!("label {label}")))?;
            if !labels.insert(label) {
                return Err(Error::invalid(format!("label {label} comes twice: give each vector its own")));
            }
            in_order.push(label);
            rows.push(Row::new(vector, metric));
        }
        let builder = Builder::default().ef_search(options.ef_search);
        let builder = builder.ef_construction(options.ef_construction).seed(options.seed);
        let (map, removed) = (builder.build(rows, in_order), BTreeSet::new());
        Ok(Self { dimensions, metric, map, labels, removed, room: Mutex::new(None) })
    }

    fn search_room(&self) -> Search {
        // A lock that a panic left behind protects nothing but room.
        let mut room = self.room.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        room.take().unwrap_or_default()
    }

    fn keep_room(&self, search: Search) {
        let mut room = self.room.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *room = Some(search);
    }
}

impl VectorIndex for FrozenIndex {
    /// Fails with [`Unsupported`](crate::ErrorKind::Unsupported), after the vector was checked.
    fn insert(&mut self, _label: u32, vector: &[f32]) -> Result<()> {
        check_vector(vector, self.dimensions, self.metric)?;
        Err(Error::unsupported(
            "a frozen index takes no vectors: build it anew of all of them, or use an HnswIndex",
        ))
    }

    /// The label is in no result from now on. Its memory is held until the index is built anew.
    fn remove(&mut self, label: u32) -> bool {
        self.labels.contains(&label) && self.removed.insert(label)
    }

    /// `ef` has no meaning here: it was decided by [`FrozenOptions::ef_search`].
    fn search(
        &self,
        query: &[f32],
        k: usize,
        _ef: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
    ) -> Result<Vec<Neighbour>> {
        check_vector(query, self.dimensions, self.metric)?;
        let k = k.min(self.len());
        if k == 0 {
            return Ok(Vec::new());
        }
        let query = Row::new(query, self.metric);
        let accepted =
            |label: u32| !self.removed.contains(&label) && accept.is_none_or(|accept| accept(label));
        let mut top = TopK::new(k, self.len());
        let mut asked = HashSet::new();
        let mut search = self.search_room();
        let mut taken = 0;
        for item in self.map.search(&query, &mut search) {
            asked.insert(*item.value);
            if accepted(*item.value) {
                top.offer(query.rank(item.point), *item.value);
                taken += 1;
            }
        }
        self.keep_room(search);
        if taken < k {
            for ((_, row), label) in self.map.iter().zip(&self.map.values) {
                if !asked.contains(label) && accepted(*label) {
                    top.offer(query.rank(row), *label);
                }
            }
        }
        let found = top.into_sorted().into_iter();
        Ok(found.map(|c| Neighbour { label: c.label, score: metric::score(self.metric, c.rank) }).collect())
    }

    fn len(&self) -> usize {
        self.labels.len() - self.removed.len()
    }

    fn metric(&self) -> Metric {
        self.metric
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }
}

#[cfg(test)]
mod tests;
