//! The approximate index: a hierarchical navigable small world.
//!
//! Yu. A. Malkov and D. A. Yashunin, "Efficient and robust approximate nearest neighbor search using
//! hierarchical navigable small world graphs", IEEE TPAMI 42 (2018). Every vector has links to some near
//! ones in all directions; one in `m` of them also stands on a next level with longer links, and so on. A
//! search goes down the levels, each time to the nearest, and looks around on the lowest. Distances are of
//! codes ([`codes`](super::codes)); the best are ranked again by the vectors themselves.
//!
//! | file | what |
//! |---|---|
//! | `request` | what is asked and answered |
//! | `slots` | labels, and where their vectors are |
//! | `links`, `towers`, `graph` | the links of the lowest and of the upper levels; both |
//! | `scratch`, `walk` | looking around on a level, without allocating |
//! | `select`, `insert` | choosing links; linking a new vector |
//! | `span` | the links that keep the graph in one piece |
//! | `remove` | taking removed vectors out |
//! | `find`, `plan`, `scan` | a search, the choice of its way, and the way without the graph |
//! | `pages`, `load` | the index as pages, and back |
//! | `check` | whether the links are sound |
//!
//! **Invariants**
//! - A label that was removed, or that a filter refuses, is never returned.
//! - An insert or update takes a slot that nothing leads to. A removed vector's slot is used again only
//!   when no link leads to it any more.
//! - Every vector can be reached from every other on the lowest level (`span`).
//! - The same calls give the same index, bit for bit, on every target.

mod check;
mod find;
mod graph;
mod insert;
mod links;
mod load;
mod pages;
mod plan;
mod remove;
mod request;
mod scan;
mod scratch;
mod select;
mod slots;
mod span;
#[cfg(test)]
mod tests;
mod towers;
mod walk;

pub use load::HnswLoader;
pub use request::{Candidate, Explain, Found, Path, Request};

use super::codes::Codes;
use super::{Keep, Metric, Neighbour, VectorIndex, check_dimensions, check_vector};
use crate::paged::Progress;
use crate::{Error, Result};
use graph::Graph;
use scratch::Pool;
use slots::Slots;

/// How an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HnswOptions {
    /// Links of a vector in the upper levels, 2 to 64; twice as many in the lowest. More find more, and
    /// take more memory and time.
    pub m: usize,
    /// Candidates that are looked at to link a new vector, 8 to 2,000. More make better links, slower.
    pub ef_construction: usize,
    /// What is kept in memory of each vector.
    pub keep: Keep,
    /// Decides the levels: the same seed and the same calls give the same index.
    pub seed: u64,
}

impl Default for HnswOptions {
    fn default() -> Self {
        Self { m: 16, ef_construction: 200, keep: Keep::F32, seed: 0 }
    }
}

impl HnswOptions {
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if a number is outside of its bounds.
    fn check(&self) -> Result<()> {
        if !(2..=64).contains(&self.m) {
            return Err(Error::invalid(format!("m is {}: give a number of links, 2 to 64", self.m)));
        }
        if !(8..=2000).contains(&self.ef_construction) {
            return Err(Error::invalid(format!(
                "ef_construction is {}: give a number of candidates, 8 to 2000",
                self.ef_construction
            )));
        }
        Ok(())
    }
}

/// The approximate index. Searching takes time that grows with the logarithm of the number of vectors.
#[derive(Debug)]
pub struct HnswIndex {
    dimensions: usize,
    metric: Metric,
    options: HnswOptions,
    codes: Codes,
    slots: Slots,
    graph: Graph,
    /// Vectors inserted so far: decides the height of the next.
    inserted: u64,
    pool: Pool,
}

impl HnswIndex {
    /// An empty index of vectors of `dimensions` numbers.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if a number is outside of its bounds.
    pub fn new(dimensions: usize, metric: Metric, options: HnswOptions) -> Result<Self> {
        check_dimensions(dimensions)?;
        options.check()?;
        Ok(Self {
            dimensions,
            metric,
            options,
            codes: Codes::new(dimensions, metric, options.keep),
            slots: Slots::default(),
            graph: Graph::new(options.m),
            inserted: 0,
            pool: Pool::default(),
        })
    }

    /// Whether there is a vector under `label`.
    #[must_use]
    pub fn contains(&self, label: u32) -> bool {
        self.slots.slot_of(label).is_some()
    }

    /// The vector of `label` bit for bit, if it is in memory.
    #[must_use]
    pub fn row(&self, label: u32) -> Option<&[f32]> {
        self.codes.row(self.slots.slot_of(label)?)
    }

    /// Hands in the vector of `label`, read from where it is stored: after loading, the index has none. It
    /// is kept if the index keeps vectors; a label or a length that is not of this index is passed over.
    pub fn supply(&mut self, label: u32, row: &[f32]) {
        if let Some(slot) = self.slots.slot_of(label)
            && row.len() == self.dimensions
        {
            self.codes.supply(slot, row);
        }
    }

    /// How similar two stored vectors are, as their codes have it: good to about a hundredth of the range.
    #[must_use]
    pub fn similarity(&self, a: u32, b: u32) -> Option<f32> {
        let (a, b) = (self.slots.slot_of(a)?, self.slots.slot_of(b)?);
        self.pool.with(|scratch| {
            self.codes.probe_slot(a, &mut scratch.probe);
            Some(self.codes.similarity(self.codes.score(&scratch.probe, b)))
        })
    }

    /// Puts the index in order: takes what was removed out of the graph, and fits the codes to the vectors
    /// that are there now. Goes on for as long as `budget`, which is asked before each piece of work, says
    /// true; the next call goes on from there.
    pub fn optimize(&mut self, budget: &mut dyn FnMut() -> bool) -> Progress {
        let total = 2;
        if !self.slots.dead().is_empty() {
            if !budget() {
                return Progress { done: 0, total };
            }
            self.repair();
        }
        if !budget() {
            return Progress { done: 1, total };
        }
        let epoch = self.codes.epoch();
        self.codes.recentre();
        self.note_codes(epoch);
        Progress { done: total, total }
    }

    /// Takes the dead out of the graph and frees their slots.
    fn repair(&mut self) {
        let Self { graph, codes, slots, pool, .. } = self;
        pool.with(|scratch| graph.repair(codes, slots, &mut scratch.visited));
        for slot in slots.bury() {
            codes.free(slot);
        }
    }

    /// All codes are new if they are of another epoch.
    fn note_codes(&mut self, before: u32) {
        if self.codes.epoch() != before {
            self.touch_all_codes();
        }
    }
}

impl VectorIndex for HnswIndex {
    /// Also [`Invalid`](crate::ErrorKind::Invalid) for the label [`u32::MAX`].
    fn insert(&mut self, label: u32, vector: &[f32]) -> Result<()> {
        check_vector(vector, self.dimensions, self.metric)?;
        let slot = self.slots.reserve(label)?;
        self.graph.links.reserve(slot + 1).map_err(|_| {
            Error::quota(format!(
                "no memory for the links of another vector beside {}: delete some",
                self.len()
            ))
        })?;
        // The last step that can fail comes before the first one that changes anything.
        let epoch = self.codes.epoch();
        self.codes.set(slot, vector)?;
        self.note_codes(epoch);
        self.slots.claim(slot);
        if let Some(before) = self.slots.kill(label) {
            self.touch_codes(before);
        }
        if self.slots.live() == 0 {
            self.repair();
        }
        let (ef, m) = (self.options.ef_construction, self.options.m);
        let height = insert::height(self.options.seed, self.inserted, m);
        self.inserted += 1;
        loop {
            let Self { graph, codes, slots, pool, .. } = self;
            if pool.with(|scratch| graph.insert(codes, slots, slot, height, ef, scratch)) {
                break;
            }
            self.repair();
        }
        self.slots.put(label, slot);
        self.touch_codes(slot);
        if self.slots.want_repair() {
            self.repair();
        }
        Ok(())
    }

    fn remove(&mut self, label: u32) -> bool {
        let Some(slot) = self.slots.kill(label) else { return false };
        self.touch_codes(slot);
        if self.slots.want_repair() {
            self.repair();
        }
        true
    }

    /// As [`find`](HnswIndex::find), ranked by the vectors where they are in memory, by their codes where
    /// they are not.
    fn search(
        &self,
        query: &[f32],
        k: usize,
        ef: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
    ) -> Result<Vec<Neighbour>> {
        let found = self.find(query, &Request { k, ef, accept, exact: false })?;
        let best = found.candidates.into_iter().take(k);
        Ok(best.map(|c| Neighbour { label: c.label, score: c.score }).collect())
    }

    fn len(&self) -> usize {
        self.slots.live() as usize
    }

    fn metric(&self) -> Metric {
        self.metric
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }
}
