//! A search: planned, walked or scanned, and ranked.
//!
//! **Invariants**
//! - What is returned is live, and accepted; the filter is asked once for each label at most.
//! - Results are in one order whatever the way: by rank in double precision, then by the smaller label.

use super::plan::{EF, Plan, sample_of, share, share_near};
use super::scratch::{Key, Scratch};
use super::slots::NONE;
use super::walk::{walk, wider};
use super::{Candidate, Explain, Found, HnswIndex, Path, Request};
use crate::Result;
use crate::vector::distance::exact;
use crate::vector::{check_vector, metric};

/// The most candidates that are ranked by their vectors, to get the best `k` of them right. Codes order
/// near ones almost as their vectors do; of many that are as near as one another, as copies are, more must
/// be looked at.
fn to_rank(k: usize) -> usize {
    k.saturating_mul(4).saturating_add(40)
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
            self.cut(scratch);
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
        let slots = self.index.slots.count();
        let mut plan = Plan { slots, k, ef: ef.max(k), selectivity, near: selectivity.unwrap_or(1.0) };
        if selectivity.is_some() && plan.first().is_some() {
            plan.near = self.share_near(plan.near, scratch);
        }
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

    /// Leaves out what will not be among the best `k`, whatever its codes hide. Some are kept in any case:
    /// of vectors of few different numbers, roundings do not go both ways as those of others.
    fn cut(&self, scratch: &mut Scratch) {
        let Scratch { probe, found, .. } = scratch;
        let k = self.request.k;
        if let Some(last) = found.get(k - 1).filter(|_| found.len() > k) {
            let may_be_nearer = self.index.codes.may_be_nearer(probe, (last.node(), last.score()));
            let (mut rank, sure) = (0, k + k / 4 + 4);
            found.retain(|key| {
                rank += 1;
                rank <= sure || may_be_nearer(key.node(), key.score())
            });
        }
    }

    /// The share of the vectors that the filter accepts, as some of them have it, which are left in
    /// `scratch.batch`.
    fn sample(&self, scratch: &mut Scratch) -> f64 {
        let Scratch { batch, memo, .. } = scratch;
        let count = self.index.slots.count();
        // A step that is odd and not a round number: labels that follow a pattern are hit evenly.
        let step = (count / sample_of(count)) | 1;
        batch.clear();
        batch.extend((0..count).step_by(step as usize).filter(|slot| self.index.slots.is_live(*slot)));
        let yes = batch.iter().filter(|slot| self.accepts(**slot, memo)).count();
        share(yes as u32, batch.len() as u32)
    }

    /// The share that counts for a walk, given that of `all`: as the sample in `scratch.batch` has it for
    /// the quarter of it that is nearest to the query.
    fn share_near(&self, all: f64, scratch: &mut Scratch) -> f64 {
        let Scratch { probe, batch, scores, found, memo, distances, .. } = scratch;
        scores.resize(batch.len(), 0.0);
        self.index.codes.scores(probe, batch, scores);
        *distances += batch.len() as u64;
        found.clear();
        found.extend(batch.iter().zip(scores.iter()).map(|(slot, score)| Key::new(*score, *slot)));
        let near = found.len() / 4;
        if near == 0 {
            return all;
        }
        found.select_nth_unstable_by(near, |a, b| b.cmp(a));
        let yes = found[..near].iter().filter(|key| self.accepts(key.node(), memo)).count();
        share_near(all, yes as u32, near as u32)
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
                    let rank = metric::rank_by_norm(*metric, self.query, norm, row);
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
            ranked.sort_unstable_by(|a, b| {
                (b.1.score + 0.0).total_cmp(&(a.1.score + 0.0)).then(a.1.label.cmp(&b.1.label))
            });
        }
        ranked.into_iter().map(|(_, candidate)| candidate).collect()
    }
}
