//! The engines of this crate, for the suite.

use super::Engine;
use crate::vector::{FlatIndex, HnswIndex, HnswOptions, Keep, Metric, Path, Request, VectorIndex};

fn filled<I: VectorIndex>(mut index: I, rows: &[(u32, Vec<f32>)]) -> I {
    for (label, row) in rows {
        index.insert(*label, row).expect("a sound vector goes in");
    }
    index
}

/// The exact index: against itself, it shows that the suite holds.
#[derive(Debug)]
pub struct Flat;

impl Engine for Flat {
    type Index = FlatIndex;
    const RECALL: f64 = 1.0;
    const SIZE: usize = 1_000;

    fn of(dimensions: usize, metric: Metric, rows: &[(u32, Vec<f32>)]) -> FlatIndex {
        filled(FlatIndex::new(dimensions, metric).expect("sound dimensions"), rows)
    }
}

fn hnsw(dimensions: usize, metric: Metric, keep: Keep, rows: &[(u32, Vec<f32>)]) -> HnswIndex {
    // Fewer candidates than by default: the suite runs in builds that are not optimised.
    let options = HnswOptions { keep, ef_construction: 64, ..HnswOptions::default() };
    filled(HnswIndex::new(dimensions, metric, options).expect("sound options"), rows)
}

fn walks(index: &HnswIndex, query: &[f32]) -> bool {
    let request = Request { k: 10, ef: 0, accept: None, exact: false };
    let found = index.find(query, &request).expect("a sound query");
    found.explain.path == Path::Graph
}

/// The default engine.
#[derive(Debug)]
pub struct Hnsw;

impl Engine for Hnsw {
    type Index = HnswIndex;

    fn of(dimensions: usize, metric: Metric, rows: &[(u32, Vec<f32>)]) -> HnswIndex {
        hnsw(dimensions, metric, Keep::F32, rows)
    }

    fn walks(index: &HnswIndex, query: &[f32]) -> bool {
        walks(index, query)
    }

    fn problems(index: &HnswIndex) -> Vec<String> {
        index.check()
    }
}

/// The default engine with codes alone in memory, ranked by them: whoever has the records ranks better.
#[derive(Debug)]
pub struct HnswCodes;

impl Engine for HnswCodes {
    type Index = HnswIndex;
    const EXACT_SCORES: bool = false;
    const RECALL: f64 = 0.9;

    fn of(dimensions: usize, metric: Metric, rows: &[(u32, Vec<f32>)]) -> HnswIndex {
        hnsw(dimensions, metric, Keep::Codes, rows)
    }

    fn walks(index: &HnswIndex, query: &[f32]) -> bool {
        walks(index, query)
    }

    fn problems(index: &HnswIndex) -> Vec<String> {
        index.check()
    }
}

/// The engine that is built at once.
#[cfg(feature = "instant-distance")]
#[derive(Debug)]
pub struct Frozen;

#[cfg(feature = "instant-distance")]
impl Engine for Frozen {
    type Index = crate::vector::FrozenIndex;
    const FROZEN: bool = true;
    // Building takes it some twenty times as long as the others.
    const SIZE: usize = 160;

    fn of(dimensions: usize, metric: Metric, rows: &[(u32, Vec<f32>)]) -> Self::Index {
        use crate::vector::{FrozenIndex, FrozenOptions};
        let options = FrozenOptions { ef_search: 30, ef_construction: 30, seed: 1 };
        let vectors = rows.iter().map(|(label, row)| (*label, &row[..]));
        FrozenIndex::build(dimensions, metric, options, vectors).expect("sound vectors")
    }
}
