//! Searching a collection.

use super::{Collection, Document};
use crate::log;
use crate::model::Key;
use crate::stores::store::open_envelope;
use crate::vector::{Filter, check_vector};
use crate::{Error, Result};

/// Most hits of one search.
const MAX_HITS: usize = 10_000;

/// How often a search looks again because hits were changed under it.
const ATTEMPTS: usize = 3;

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// How similar it is: larger is better, for every metric.
    pub score: f32,
    /// Its text.
    pub text: Option<String>,
    /// Its metadata, encoded.
    pub metadata: Option<Vec<u8>>,
}

impl Collection {
    /// The `limit` documents nearest to `query` of those that match `filter`, best first. Equal
    /// scores are in a stable order.
    ///
    /// # Errors
    /// `Invalid` for a limit or a query vector that breaks the rules; what the backend's reads give.
    pub async fn search(&self, query: &[f32], limit: usize, filter: Option<&Filter>) -> Result<Vec<Hit>> {
        if !(1..=MAX_HITS).contains(&limit) {
            return Err(Error::invalid(format!("limit: {limit} is not in 1 to {MAX_HITS}")));
        }
        let known = self.known_options().await?;
        let Some(options) = known.or(self.wanted) else { return Ok(Vec::new()) };
        check_vector(query, options.dimensions as usize, options.metric)
            .map_err(|error| error.at("query"))?;
        if known.is_none() {
            return Ok(Vec::new());
        }
        let mut hits = Vec::new();
        for _ in 0..ATTEMPTS {
            let found = {
                let mut follower = self.shared.follower.lock().await;
                let index = follower.up_to_date(&self.memory, &self.shared.name, options).await?;
                index.search(query, limit, filter)?
            };
            let expected = found.len();
            hits = self.read_hits(found).await?;
            if hits.len() == expected {
                break;
            }
            // Some went in the meantime, by another tab that has not told us yet.
            self.memory.confirm(log::head(self.memory.backend()).await?.sequence);
        }
        Ok(hits)
    }

    async fn read_hits(&self, found: Vec<(String, f32)>) -> Result<Vec<Hit>> {
        let keys: Vec<Key> = found.iter().map(|(id, _)| self.key(id)).collect::<Result<_>>()?;
        let records = self.memory.backend().get(&keys).await?;
        let mut hits = Vec::with_capacity(found.len());
        for (((id, score), key), record) in found.into_iter().zip(&keys).zip(records) {
            let Some(record) = record else { continue };
            let Document { text, metadata, .. } = Document::of(open_envelope(&id, key, record)?)?;
            hits.push(Hit { id, score, text, metadata });
        }
        Ok(hits)
    }
}
