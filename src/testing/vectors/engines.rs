//! The engines of this crate, for the suite.

use std::collections::BTreeMap;

use super::Engine;
use crate::Result;
use crate::vector::{
    Candidate, FlatIndex, HnswIndex, HnswOptions, Keep, Metric, Neighbour, Path, Request, VectorIndex,
    similarity,
};

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

/// Codes alone in memory and the vectors beside, by which what is found is ranked, as a collection does
/// with its records.
#[derive(Debug)]
pub struct HnswRecords;

/// See [`HnswRecords`].
#[derive(Debug)]
pub struct Recorded {
    index: HnswIndex,
    records: BTreeMap<u32, Vec<f32>>,
}

impl Engine for HnswRecords {
    type Index = Recorded;

    fn of(dimensions: usize, metric: Metric, rows: &[(u32, Vec<f32>)]) -> Recorded {
        let index = hnsw(dimensions, metric, Keep::Codes, &[]);
        filled(Recorded { index, records: BTreeMap::new() }, rows)
    }

    fn walks(index: &Recorded, query: &[f32]) -> bool {
        walks(&index.index, query)
    }

    fn problems(index: &Recorded) -> Vec<String> {
        index.index.check()
    }
}

impl VectorIndex for Recorded {
    fn insert(&mut self, label: u32, vector: &[f32]) -> Result<()> {
        self.index.insert(label, vector)?;
        self.records.insert(label, vector.to_vec());
        Ok(())
    }

    fn remove(&mut self, label: u32) -> bool {
        let had_record = self.records.remove(&label).is_some();
        assert_eq!(self.index.remove(label), had_record, "label {label}");
        had_record
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        ef: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
    ) -> Result<Vec<Neighbour>> {
        let found = self.index.find(query, &Request { k, ef, accept, exact: false })?;
        let ranked = |candidate: &Candidate| {
            let score = similarity(self.metric(), query, &self.records[&candidate.label]);
            Neighbour { label: candidate.label, score }
        };
        let mut best: Vec<Neighbour> = found.candidates.iter().map(ranked).collect();
        best.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.label.cmp(&b.label)));
        best.truncate(k);
        Ok(best)
    }

    fn len(&self) -> usize {
        self.index.len()
    }

    fn metric(&self) -> Metric {
        self.index.metric()
    }

    fn dimensions(&self) -> usize {
        self.index.dimensions()
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
