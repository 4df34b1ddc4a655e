//! Pages of indexes, damaged: what is loaded is refused, or sound.

use std::collections::HashSet;

use mnemora::paged::{Loading, PageId, Paged};
use mnemora::text::{TextIndex, TextOptions};
use mnemora::vector::{HnswIndex, HnswOptions, Keep, Metric, Request, VectorIndex};
use mnemora::{ErrorKind, Result};

use super::choices::Choices;

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::L2];

/// What a store kept of an index.
struct Kept {
    header: Vec<u8>,
    pages: Vec<(PageId, Vec<u8>)>,
}

impl Kept {
    fn of(index: &mut impl Paged) -> Self {
        index.set_dirty();
        let pages = index.dirty().into_iter().filter_map(|page| Some((page, index.page(page)?))).collect();
        Self { header: index.header(), pages }
    }

    /// Some bytes changed, cut off or added; some pages lost, given twice or under another number.
    fn damage(&mut self, choices: &mut Choices<'_>) {
        for _ in 0..choices.below(6) {
            let page = choices.below(256) % (self.pages.len() + 1);
            let kind = choices.below(8);
            match self.pages.get_mut(page) {
                None => alter(&mut self.header, choices),
                Some((id, _)) if kind == 0 => id.number = id.number.wrapping_add(u32::from(choices.byte())),
                Some((id, _)) if kind == 1 => id.region = choices.byte(),
                Some(_) if kind == 2 => drop(self.pages.swap_remove(page)),
                Some((_, bytes)) => alter(bytes, choices),
            }
        }
    }

    /// Loads what is left. Whatever is refused is called damage, and nothing else.
    fn load<L: Loading>(&self, loader: Result<L>) -> Option<L::Index> {
        let load = || {
            let mut loader = loader?;
            let mut seen = HashSet::new();
            for (id, bytes) in self.pages.iter().filter(|(id, _)| seen.insert(*id)) {
                // A page that is refused is lost, and the others go on.
                if let Err(error) = loader.page(*id, bytes) {
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                }
            }
            loader.finish()
        };
        match load() {
            Ok(index) => Some(index),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Version), "{error}");
                None
            }
        }
    }
}

fn alter(bytes: &mut Vec<u8>, choices: &mut Choices<'_>) {
    let at = usize::from(choices.byte()) << 8 | usize::from(choices.byte());
    let at = at % (bytes.len() + 1);
    match choices.below(4) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, choices.byte()),
        _ if at < bytes.len() => bytes[at] = choices.byte(),
        _ => bytes.push(choices.byte()),
    }
}

fn vector(choices: &mut Choices<'_>, dimensions: usize, label: u32) -> Vec<f32> {
    // Never zero, which has no direction.
    let mut vector: Vec<f32> = (0..dimensions).map(|_| f32::from(choices.byte()) - 128.0).collect();
    vector[0] = label as f32 + 0.5;
    vector
}

/// An index of vectors.
pub(crate) fn vectors(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let (dimensions, metric) = (1 + choices.below(9), METRICS[choices.below(3)]);
    let keep = if choices.byte() & 1 == 0 { Keep::F32 } else { Keep::Codes };
    let options =
        HnswOptions { m: 2 + choices.below(3), ef_construction: 8 + choices.below(20), keep, seed: 7 };
    let mut index = HnswIndex::new(dimensions, metric, options).unwrap();
    let count = choices.byte() as u32;
    for label in 0..count {
        index.insert(label, &vector(&mut choices, dimensions, label)).unwrap();
        if choices.below(8) == 0 {
            index.remove(label / 2);
        }
    }
    let mut kept = Kept::of(&mut index);
    kept.damage(&mut choices);
    let Some(mut loaded) = kept.load(HnswIndex::loader(&kept.header, keep)) else { return };
    check_vectors(&loaded, &mut choices);
    // What was lost is added again, and the graph holds.
    let (dimensions, metric) = (loaded.dimensions(), loaded.metric());
    for label in 0..count.min(40) {
        let mut given = vector(&mut choices, dimensions, label);
        if metric == Metric::Cosine && given.iter().all(|x| *x == 0.0) {
            given[0] = 1.0;
        }
        loaded.insert(label, &given).unwrap();
    }
    check_vectors(&loaded, &mut choices);
}

fn check_vectors(index: &HnswIndex, choices: &mut Choices<'_>) {
    assert_eq!(index.check(), Vec::<String>::new());
    let query = vector(choices, index.dimensions(), 1);
    for (k, exact) in [(1, false), (10, false), (10, true), (1000, false)] {
        let request = Request { k, ef: 0, accept: None, exact };
        let found = index.find(&query, &request).unwrap().candidates;
        let labels: HashSet<u32> = found.iter().map(|candidate| candidate.label).collect();
        assert_eq!(labels.len(), found.len(), "a label twice");
        assert!(found.iter().all(|candidate| candidate.score.is_finite() && index.contains(candidate.label)));
        if k >= index.len() {
            assert_eq!(found.len(), index.len(), "all that there are");
        }
    }
}

/// An index of words.
pub(crate) fn words(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let mut index =
        TextIndex::new(TextOptions { weights: vec![1.0, 2.0], ..TextOptions::default() }).unwrap();
    let count = u32::from(choices.byte());
    for label in 0..count {
        let texts = [super::words::text(&mut choices), super::words::text(&mut choices)];
        index.insert(label, &[&texts[0], &texts[1]]).unwrap();
        if choices.below(8) == 0 {
            index.remove(label / 2);
        }
    }
    let mut kept = Kept::of(&mut index);
    kept.damage(&mut choices);
    let Some(mut loaded) = kept.load(TextIndex::loader(&kept.header)) else { return };
    for label in 0..count.min(20) {
        loaded.insert(label, &["once more", ""]).unwrap();
    }
    let query = loaded.parse("once more");
    let found = loaded.search(&query, 1000, None).matches;
    assert!(found.iter().all(|found| found.score.is_finite() && loaded.contains(found.label)));
    let labels: HashSet<u32> = found.iter().map(|found| found.label).collect();
    assert_eq!(labels.len(), found.len(), "a label twice");
    assert!((0..count.min(20)).all(|label| labels.contains(&label)), "what was added is found");
}
