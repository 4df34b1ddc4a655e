//! Searching a collection.
//!
//! | file | what |
//! |---|---|
//! | `request` | what is asked |
//! | `plan` | whether it can be done, and how |
//! | `look` | asks the indexes of vectors and words |
//! | `records` | reads the documents that were found |
//! | `ranking` | puts them in order, by means of `fusion`, `weights`, `groups` and `diversity` |
//! | `result` | what comes out |
//!
//! **Invariants**
//! - The index is held still from the first look to the last decision; only the hits' records are read after.
//! - A hit is what its record says. Where the index knew another version, the search is done again, and in
//!   the end judged by the record: a document that is gone, does not match the filter any more or has lost its
//!   vector is no hit, and one whose vector was replaced has the score of the new one.
//! - What was not asked for is not evaluated.

mod diversity;
mod fusion;
mod groups;
mod look;
mod plan;
mod ranking;
mod records;
mod request;
mod result;
#[cfg(test)]
mod tests;
mod weights;

pub use self::request::{Recency, SearchMode, SearchRequest};
pub use self::result::{Hit, Parts, SearchExplain, SearchResult};

use self::look::Look;
use self::plan::Plan;
use self::ranking::{Ranked, rank};
use self::records::{Known, Records, known};
use self::weights::Factors;
use super::Collection;
use super::index::Index;
use crate::Result;
use crate::log;
use crate::model::heap_sort_by;
use crate::vector::{Filter, similarity};

/// How often a search looks again because hits were changed under it.
const ATTEMPTS: usize = 3;

impl Collection {
    /// The documents that fit `request` best. Before the first document was added there are none, whatever is
    /// asked for.
    ///
    /// # Errors
    /// `Invalid` for a request that breaks the rules, or that asks for vectors where there are none; what the
    /// backend's reads give.
    pub async fn search(&self, request: &SearchRequest) -> Result<SearchResult> {
        request.check()?;
        let mut damaged = Vec::new();
        let mut attempts = ATTEMPTS;
        loop {
            let (result, stale) = self.attempt(request, &mut damaged).await?;
            attempts -= 1;
            if !stale || attempts == 0 {
                return Ok(result);
            }
            // Some changed in the meantime, by another tab that has not told us yet.
            self.memory.confirm(log::head(self.memory.backend()).await?.sequence);
        }
    }

    /// The `limit` documents with the vectors nearest to `query` of those that match `filter`, best first.
    ///
    /// # Errors
    /// As [`Collection::search`].
    pub async fn nearest(&self, query: &[f32], limit: usize, filter: Option<&Filter>) -> Result<Vec<Hit>> {
        let request = SearchRequest {
            vector: Some(query.to_vec()),
            limit,
            filter: filter.cloned(),
            ..SearchRequest::default()
        };
        Ok(self.search(&request).await?.hits)
    }

    /// Searches once; tells whether anything was not as the index knew it. What could not be read goes to
    /// `damaged`, with the version that the index knew, and is left out by the next attempt.
    async fn attempt(
        &self,
        request: &SearchRequest,
        damaged: &mut Vec<(String, u64)>,
    ) -> Result<(SearchResult, bool)> {
        let mut follower = self.shared.follower.lock().await;
        let index = follower.up_to_date(&self.memory, &self.shared.name, &self.wanted).await?;
        let Some(index) = index else {
            let plan = Plan::of(request, &self.wanted.first())?;
            let explain = request.explain.then(|| SearchExplain::of(&plan, None));
            return Ok((SearchResult { hits: Vec::new(), explain }, false));
        };
        for (id, version) in damaged.drain(..) {
            let entry = index.directory.label(&id).and_then(|label| index.directory.entry(label));
            if entry.is_some_and(|entry| entry.version == version) {
                index.remove(&id);
            }
        }
        let mut plan = Plan::of(request, &index.options)?;
        if index.options.dimensions.is_none() && index.len() > 0 {
            plan = plan.without_vectors(&self.shared.name)?;
        }
        let plan = &plan;
        let mut records = Records::new(self, plan, index.options.epoch);
        let mut look = Look::new(plan, index);
        let ranked = rank(plan, &mut look, &mut records, self.memory.now()).await?;
        let explain = plan.request.explain.then(|| SearchExplain::of(plan, Some(&look)));
        let chosen: Vec<(Ranked, Known)> = ranked
            .into_iter()
            .filter_map(|hit| known(look.index, hit.label).map(|known| (hit, known)))
            .collect();
        let hits = if plan.request.highlight {
            hits(plan, chosen, &mut records, Some(look.index)).await?
        } else {
            // The rest needs the index no more.
            drop(follower);
            hits(plan, chosen, &mut records, None).await?
        };
        damaged.append(&mut records.damaged);
        Ok((SearchResult { hits, explain }, records.stale))
    }
}

/// The hits of what was chosen, as the records have them; with `index` to find the words again.
async fn hits(
    plan: &Plan<'_>,
    chosen: Vec<(Ranked, Known)>,
    records: &mut Records<'_>,
    index: Option<&Index>,
) -> Result<Vec<Hit>> {
    records.fetch(chosen.iter().map(|(_, known)| known)).await?;
    let words = index.zip(plan.request.text.as_deref()).map(|(index, text)| (index, index.words.parse(text)));
    let mut hits = Vec::with_capacity(chosen.len());
    let mut reordered = false;
    for (Ranked { label, mut score, mut parts }, Known { version, id, .. }) in chosen {
        let Some(document) = records.take(label) else { continue };
        if document.version != version && parts.vector.is_some() {
            let found = plan.vector.zip(records.vector_of(&document));
            parts.vector = found.map(|(query, vector)| f64::from(similarity(plan.metric, query, vector)));
            if plan.mode == SearchMode::Vector {
                let Some(similarity) = parts.vector else { continue };
                score = Factors { recency: parts.recency, importance: parts.importance }.apply(similarity);
                if plan.request.min_score.is_some_and(|least| score < least) {
                    continue;
                }
                reordered = true;
            }
        }
        let highlights = match (&words, &document.text) {
            (Some((index, query)), Some(text)) => index.words.highlight(query, text),
            _ => Vec::new(),
        };
        hits.push(Hit { id, score, text: document.text, metadata: document.metadata, parts, highlights });
    }
    if reordered && plan.request.diversity.is_none() {
        heap_sort_by(&mut hits, |a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    }
    Ok(hits)
}

impl SearchExplain {
    fn of(plan: &Plan<'_>, look: Option<&Look<'_>>) -> Self {
        let note = look.and_then(|look| look.note).map(str::to_owned);
        let reasons: Vec<String> = plan.reason.iter().cloned().chain(note).collect();
        Self {
            mode: plan.mode,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            vectors: look.and_then(|look| look.vectors_explain),
            words: look.and_then(|look| look.words_explain.clone()),
            pending: look.map_or(0, |look| look.pending()),
        }
    }
}
