//! From what the indexes find to the hits, in their order.
//!
//! **Invariants**
//! - Scores are compared after the weights, and equal ones ordered by id.
//! - Weights do not raise scores, so that what an index left behind can be judged by the score it has there.

use std::collections::HashSet;

use super::diversity::diversify;
use super::fusion::Fused;
use super::groups::Groups;
use super::look::{Look, Passed, Round, by_id};
use super::plan::Plan;
use super::records::Records;
use super::request::SearchMode;
use super::result::Parts;
use super::weights::{Factors, Weights};
use crate::Result;
use crate::model::heap_sort_by;
use crate::stores::collection::index::Index;
use crate::vector::{HnswIndex, Metric, VectorIndex};

/// A document with the score that it is ordered by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub(super) label: u32,
    pub(super) score: f64,
    pub(super) parts: Parts,
}

/// The hits that the plan asks for, in their order.
pub(super) async fn rank(
    plan: &Plan<'_>,
    look: &mut Look<'_>,
    records: &mut Records<'_>,
    now: u64,
) -> Result<Vec<Ranked>> {
    let weights = Weights::of(plan.request, now);
    let least = plan.request.min_score.unwrap_or(f64::NEG_INFINITY);
    let mut asked = plan.pool(look.index.directory.len());
    let mut groups = plan.group_by.as_ref().map(Groups::new);
    let mut labels = HashSet::new();
    let mut ranked = 0;
    let mut chosen: Vec<Ranked> = Vec::new();
    loop {
        let passed = groups.as_ref().filter(|_| ranked > 0).map(|groups| Passed { groups, labels: &labels });
        let Round { found, beyond } = look.round(records, asked, ranked, passed).await?;
        let mut round: Vec<Ranked> = found
            .into_iter()
            .filter_map(|found| weigh(look.index, plan, &weights, found))
            .filter(|ranked| ranked.score >= least)
            .collect();
        sort(look.index, &mut round);
        let Some(groups) = &mut groups else {
            chosen = round;
            break;
        };
        for hit in round {
            let metadata = look.index.directory.entry(hit.label).map(|entry| &entry.metadata);
            if metadata.is_some_and(|metadata| groups.admit(metadata)) {
                labels.insert(hit.label);
                chosen.push(hit);
            }
        }
        if groups.len() >= plan.depth() || beyond.is_none_or(|beyond| beyond < least) {
            break;
        }
        ranked += asked;
        asked = asked.saturating_mul(4);
    }
    if ranked > 0 {
        sort(look.index, &mut chosen);
    }
    if let Some(diversity) = plan.request.diversity {
        chosen = diverse(plan, look, &chosen, diversity);
    }
    chosen.drain(..plan.request.offset.min(chosen.len()));
    chosen.truncate(plan.request.limit);
    Ok(chosen)
}

/// The hits up to the last that was asked for, those first that say something new.
fn diverse(plan: &Plan<'_>, look: &mut Look<'_>, hits: &[Ranked], diversity: f64) -> Vec<Ranked> {
    let vectors = look.index.vectors.as_ref();
    let Some(vectors) = vectors.filter(|vectors| hits.iter().any(|hit| vectors.contains(hit.label))) else {
        look.note = Some("diversity changed nothing: no document that was found has a vector to compare");
        return hits.to_vec();
    };
    let scores: Vec<f64> = hits.iter().map(|hit| hit.score).collect();
    let likeness = Likeness::new(vectors, hits);
    let order = diversify(&scores, plan.depth(), diversity, |a, b| likeness.of(a, b));
    order.into_iter().map(|place| hits[place]).collect()
}

/// The score of a document after the weights; `None` if the directory does not know it.
fn weigh(index: &Index, plan: &Plan<'_>, weights: &Weights, found: Fused) -> Option<Ranked> {
    let factors = if plan.is_weighed() {
        let entry = index.directory.entry(found.label)?;
        weights.factors(entry.updated, f64::from(entry.importance))
    } else {
        Factors::NONE
    };
    let parts = Parts {
        vector: found.vector.map(f64::from),
        text: found.text.map(f64::from),
        fused: (plan.mode == SearchMode::Hybrid).then_some(found.score),
        recency: factors.recency,
        importance: factors.importance,
    };
    Some(Ranked { label: found.label, score: factors.apply(found.score), parts })
}

fn sort(index: &Index, hits: &mut [Ranked]) {
    heap_sort_by(hits, |a, b| b.score.total_cmp(&a.score).then_with(|| by_id(index, a.label, b.label)));
}

/// How alike documents are, 0 to 1, by their vectors. One without a vector is like no other.
struct Likeness<'a> {
    vectors: &'a HnswIndex,
    hits: &'a [Ranked],
    /// Squared lengths of the vectors, where similarity grows with them.
    squares: Option<Vec<f64>>,
}

impl<'a> Likeness<'a> {
    fn new(vectors: &'a HnswIndex, hits: &'a [Ranked]) -> Self {
        let square = |hit: &Ranked| vectors.similarity(hit.label, hit.label).map_or(0.0, f64::from);
        let squares = (vectors.metric() == Metric::Dot).then(|| hits.iter().map(square).collect());
        Self { vectors, hits, squares }
    }

    fn of(&self, a: usize, b: usize) -> f64 {
        let similarity = self.vectors.similarity(self.hits[a].label, self.hits[b].label);
        let similarity = similarity.map_or(0.0, f64::from);
        match &self.squares {
            None => similarity.clamp(0.0, 1.0),
            // The cosine: an inner product alone says more of lengths than of likeness.
            Some(squares) => {
                let product = squares[a].max(0.0).sqrt() * squares[b].max(0.0).sqrt();
                if product > 0.0 { (similarity / product).clamp(0.0, 1.0) } else { 0.0 }
            }
        }
    }
}
