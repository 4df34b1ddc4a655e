//! One look into the index of a collection, which is held still meanwhile.
//!
//! **Invariants**
//! - A list is best first, equal scores in the order of the ids, and its end does not depend on the order in
//!   which an index gives equal ones (up to [`TIED`] of them). So the pages of a search fit together.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::index::Index;
use super::fusion::{Fused, beyond, fuse};
use super::groups::Groups;
use super::plan::Plan;
use super::records::Records;
use super::request::SearchMode;
use crate::Result;
use crate::text::{TextExplain, TextQuery};
use crate::vector::{Candidate, Explain, Request, VectorIndex};

/// Most candidates that are asked for to find the end of equal scores.
const TIED: usize = 10_000;

/// A look for a plan.
#[derive(Debug)]
pub(super) struct Look<'a> {
    plan: &'a Plan<'a>,
    pub(super) index: &'a mut Index,
    words: Option<TextQuery>,
    /// What was done in the index of vectors so far.
    pub(super) vectors_explain: Option<Explain>,
    /// The same of words.
    pub(super) words_explain: Option<TextExplain>,
    /// What was asked for and could not be done.
    pub(super) note: Option<&'static str>,
}

/// Documents that are not wanted again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed<'a> {
    pub(super) groups: &'a Groups<'a>,
    pub(super) labels: &'a HashSet<u32>,
}

/// What one round of asking gave.
#[derive(Debug)]
pub(super) struct Round {
    /// In no particular order.
    pub(super) found: Vec<Fused>,
    /// The best score that what was not found can have; `None` if there is nothing more.
    pub(super) beyond: Option<f64>,
}

/// The best of one index, and whether there are more.
#[derive(Debug)]
struct List {
    best: Vec<(u32, f32)>,
    more: bool,
}

impl List {
    /// The list alone, of which `parts` are the similarity and the BM25 score.
    fn into_round(self, parts: impl Fn(f32) -> (Option<f32>, Option<f32>)) -> Round {
        let beyond = self.best.last().filter(|_| self.more).map(|(_, score)| f64::from(*score));
        let found = |(label, score)| {
            let (vector, text) = parts(score);
            Fused { label, vector, text, score: f64::from(score) }
        };
        Round { found: self.best.into_iter().map(found).collect(), beyond }
    }
}

impl<'a> Look<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, index: &'a mut Index) -> Self {
        let words = plan.text.map(|text| index.words.parse(text));
        Self { plan, index, words, vectors_explain: None, words_explain: None, note: None }
    }

    /// The best `count` of each index that the plan asks, `ranked` of which were asked for before.
    pub(super) async fn round(
        &mut self,
        records: &mut Records<'_>,
        count: usize,
        ranked: usize,
        passed: Option<Passed<'_>>,
    ) -> Result<Round> {
        match self.plan.mode {
            SearchMode::Vector => {
                let list = self.nearest(records, count, passed).await?;
                Ok(list.into_round(|score| (Some(score), None)))
            }
            SearchMode::Text => Ok(self.matching(count, passed).into_round(|score| (None, Some(score)))),
            SearchMode::Hybrid => {
                let vectors = self.nearest(records, count, passed).await?;
                let words = self.matching(count, passed);
                let beyond = (vectors.more || words.more).then(|| beyond(ranked + count));
                Ok(Round { found: fuse(&vectors.best, &words.best, ranked), beyond })
            }
        }
    }

    /// The `count` documents with the nearest vectors.
    async fn nearest(
        &mut self,
        records: &mut Records<'_>,
        count: usize,
        passed: Option<Passed<'_>>,
    ) -> Result<List> {
        // One more tells whether the last place is shared.
        let mut asked = count + 1;
        loop {
            let Some((candidates, explain)) = self.find(asked, passed)? else {
                return Ok(List { best: Vec::new(), more: false });
            };
            self.vectors_explain = Some(match self.vectors_explain.take() {
                None => explain,
                Some(before) => Explain {
                    distances: before.distances + explain.distances,
                    rounds: before.rounds + explain.rounds,
                    ..explain
                },
            });
            let mut best = records.score(self.index, &candidates).await?;
            if settle(self.index, &mut best, count, asked) {
                let more = best.len() > count;
                best.truncate(count);
                return Ok(List { best, more });
            }
            asked = asked.saturating_mul(4);
        }
    }

    /// Asks the index of vectors for `count`; `None` if there is none.
    fn find(&self, count: usize, passed: Option<Passed<'_>>) -> Result<Option<(Vec<Candidate>, Explain)>> {
        let (Some(vectors), Some(query)) = (&self.index.vectors, self.plan.vector) else { return Ok(None) };
        let accept = |label| self.accepts(label, passed);
        let asks = passed.is_some() || self.plan.request.filter.is_some();
        let request = Request {
            k: count.min(vectors.len()),
            ef: self.plan.request.ef,
            accept: asks.then_some(&accept as &dyn Fn(u32) -> bool),
            exact: self.plan.request.exact,
        };
        let mut found = vectors.find(query, &request)?;
        if !request.exact && self.plan.is_pooled() {
            // The pool is the margin; what is behind it needs no exact score.
            found.candidates.truncate(count);
        }
        Ok(Some((found.candidates, found.explain)))
    }

    /// The `count` documents that the words fit best.
    fn matching(&mut self, count: usize, passed: Option<Passed<'_>>) -> List {
        let Some(query) = &self.words else { return List { best: Vec::new(), more: false } };
        let mut asked = count + 1;
        loop {
            let accept = |label| self.accepts(label, passed);
            let asks = passed.is_some() || self.plan.request.filter.is_some();
            let accept = asks.then_some(&accept as &dyn Fn(u32) -> bool);
            let found = self.index.words.search(query, asked, accept);
            let mut best: Vec<(u32, f32)> =
                found.matches.into_iter().map(|found| (found.label, found.score)).collect();
            let settled = settle(self.index, &mut best, count, asked);
            self.words_explain = Some(match self.words_explain.take() {
                None => found.explain,
                Some(before) => TextExplain { postings: before.postings + found.explain.postings, ..before },
            });
            if settled {
                let more = best.len() > count;
                best.truncate(count);
                return List { best, more };
            }
            asked = asked.saturating_mul(4);
        }
    }

    /// Documents that have no vector yet because the vectors are being made anew.
    pub(super) fn pending(&self) -> u64 {
        if self.index.options.reembedding.is_some() { self.index.pending() } else { 0 }
    }

    fn accepts(&self, label: u32, passed: Option<Passed<'_>>) -> bool {
        let Some(entry) = self.index.directory.entry(label) else { return false };
        self.plan.request.filter.as_ref().is_none_or(|filter| filter.matches(&entry.metadata))
            && passed.is_none_or(|passed| {
                !passed.labels.contains(&label) && !passed.groups.contain(&entry.metadata)
            })
    }
}

/// Orders a list of which `asked` were asked for; `false` if the place `count` is shared with some that were
/// not asked for.
fn settle(index: &Index, list: &mut [(u32, f32)], count: usize, asked: usize) -> bool {
    // Minus zero is zero.
    list.iter_mut().for_each(|(_, score)| *score += 0.0);
    list.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| by_id(index, a.0, b.0)));
    let shared = match (count.checked_sub(1).and_then(|last| list.get(last)), list.last()) {
        (Some(at), Some(last)) if list.len() >= asked => at.1 == last.1,
        _ => false,
    };
    !shared || asked > TIED
}

/// The order of two labels' ids.
pub(super) fn by_id(index: &Index, a: u32, b: u32) -> Ordering {
    let id = |label| index.directory.entry(label).map(|entry| entry.id.as_str());
    id(a).cmp(&id(b))
}
