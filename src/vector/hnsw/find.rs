//! A search: planned, walked or scanned, and ranked.
//!
//! **Invariants**
//! - What is returned is live, and accepted; the filter is asked once for each label at most.
//! - Results are in one order whatever the way: by rank in double precision, then by the smaller label.

use super::plan::{EF, Plan, SAMPLE};
use super::scratch::{Key, Scratch};
use super::slots::NONE;
use super::walk::{walk, wider};
use super::{Candidate, Explain, Found, HnswIndex, Path, Request};
use crate::Result;
use crate::vector::distance::exact;
use crate::vector::{check_vector, metric};

/// How many candidates are ranked by their vectors, to get the best `k` of them right: codes order near
/// ones almost as their vectors do.
fn to_rank(k: usize) -> usize {
    k.saturating_mul(2).saturating_add(10)
}

/// What a search asks the index and its filter.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) index: &'a HnswIndex,
    pub(super) query: &'a [f32],
    pub(super) request: Request<'a>,
}

impl HnswIndex {
    /// The neighbours of `query`, approximately unless [`Request::exact`] asks for all.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) as [`check_vector`] says.
    pub fn find(&self, query: &[f32], request: &Request<'_>) -> Result<Found> {
        check_vector(query, self.dimensions, self.metric)?;
        if request.k == 0 || self.slots.live() == 0 {
            return Ok(Found { candidates: Vec::new(), explain: Explain::default() });
        }
        Ok(self.pool.with(|scratch| {
            scratch.distances = 0;
            self.codes.probe(query, &mut scratch.probe);
            if request.accept.is_some() {
                scratch.memo.begin(self.slots.count());
            }
            Search { index: self, query, request: *request }.run(scratch)
        }))
    }
}

impl Search<'_> {
    fn run(&self, scratch: &mut Scratch) -> Found {
        let mut explain = Explain { rounds: 1, ..Explain::default() };
        if self.request.exact {
            explain.path = Path::Scan;
            self.scan_exact(scratch);
        } else {
            self.nearest(scratch, &mut explain);
        }
        explain.candidates = scratch.found.len();
        let candidates = self.rank(&scratch.found);
        explain.distances = scratch.distances + candidates.iter().filter(|c| c.exact).count() as u64;
        Found { candidates, explain }
    }

    /// Whether what is in a slot may be returned.
    #[inline]
    pub(super) fn accepts(&self, slot: u32, memo: &mut super::scratch::Memo) -> bool {
        let label = self.index.slots.label_of(slot);
        label != NONE && self.request.accept.is_none_or(|accept| memo.get(slot, || accept(label)))
    }

    /// Leaves the best by their codes in `scratch.found`, best first.
    fn nearest(&self, scratch: &mut Scratch, explain: &mut Explain) {
        let live = self.index.slots.live() as usize;
        let k = self.request.k.min(live);
        let ef = if self.request.ef == 0 { EF } else { self.request.ef };
        let selectivity = self.request.accept.is_some().then(|| self.sample(scratch));
        explain.selectivity = selectivity.map(|share| share as f32);
        let plan = Plan { slots: self.index.slots.count(), k, ef: ef.max(k), selectivity };
        let mut width = plan.first();
        while let Some(ef) = width {
            explain.ef = ef;
            explain.path = Path::Graph;
            let inside = self.walk(ef, to_rank(k).min(live), scratch);
            match inside {
                Some(inside) if inside < plan.enough() => width = plan.next(ef, inside),
                _ => return,
            }
            explain.rounds += 1;
        }
        explain.path = Path::Scan;
        self.scan(to_rank(k).min(live), selectivity, scratch);
    }

    /// The share of the slots that the filter accepts, as some of them have it.
    fn sample(&self, scratch: &mut Scratch) -> f64 {
        let count = self.index.slots.count();
        // A step that is odd and not a round number: labels that follow a pattern are hit evenly.
        let step = (count / SAMPLE) | 1;
        let (mut asked, mut yes) = (0, 0);
        for slot in (0..count).step_by(step as usize) {
            if self.index.slots.is_live(slot) {
                asked += 1;
                yes += u32::from(self.accepts(slot, &mut scratch.memo));
            }
        }
        // As if one more had been asked and half accepted: none of a sample is not none of all.
        (f64::from(yes) + 0.5) / (f64::from(asked) + 1.0)
    }

    /// Walks with `ef` candidates in view and leaves the best `keep` that may be returned in
    /// `scratch.found`. Says how many of these are in view; `None`: there is nothing more to be found.
    fn walk(&self, ef: usize, keep: usize, scratch: &mut Scratch) -> Option<usize> {
        let HnswIndex { graph, codes, slots, .. } = self.index;
        let Some(start) = graph.approach(codes, 0, scratch) else {
            scratch.found.clear();
            return None;
        };
        let base = graph.base(slots.count());
        if self.request.accept.is_none() && slots.dead().is_empty() {
            let mut width = Some(ef);
            while let Some(now) = width {
                walk(&base, codes, start, now, scratch, |_| ());
                width = wider(&scratch.found, now, ef);
            }
            scratch.found.truncate(keep);
            return None;
        }
        let (mut accepted, mut memo) =
            (std::mem::take(&mut scratch.accepted), std::mem::take(&mut scratch.memo));
        let (mut width, mut inside) = (Some(ef), None);
        while let Some(now) = width {
            accepted.begin(keep);
            walk(&base, codes, start, now, scratch, |key| {
                if key > accepted.bar() && self.accepts(key.node(), &mut memo) {
                    accepted.keep(key);
                }
            });
            let last = scratch.found.last().copied().filter(|_| scratch.found.len() >= now);
            inside = last.map(|last| accepted.iter().filter(|key| *key >= last).count());
            width = wider(&scratch.found, now, ef);
        }
        accepted.drain(&mut scratch.found);
        (scratch.accepted, scratch.memo) = (accepted, memo);
        inside
    }

    /// Ranks by the vectors that are in memory. If all are, the best `k` are left.
    fn rank(&self, found: &[Key]) -> Vec<Candidate> {
        let HnswIndex { codes, slots, metric, .. } = self.index;
        let norm = exact::norm(self.query);
        let mut ranked: Vec<(f64, Candidate)> = Vec::with_capacity(found.len());
        let mut all = true;
        for key in found {
            let label = slots.label_of(key.node());
            ranked.push(match codes.row(key.node()) {
                Some(row) => {
                    let rank = metric::rank(*metric, self.query, row, || (norm, exact::norm(row)));
                    (rank, Candidate { label, score: metric::score(*metric, rank), exact: true })
                }
                None => {
                    all = false;
                    let score = codes.similarity(key.score());
                    (f64::from(score), Candidate { label, score, exact: false })
                }
            });
        }
        if all {
            // Minus zero would rank below zero; they are equal numbers.
            ranked
                .sort_unstable_by(|a, b| (b.0 + 0.0).total_cmp(&(a.0 + 0.0)).then(a.1.label.cmp(&b.1.label)));
            ranked.truncate(self.request.k);
        } else {
            ranked.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
        }
        ranked.into_iter().map(|(_, candidate)| candidate).collect()
    }
}
