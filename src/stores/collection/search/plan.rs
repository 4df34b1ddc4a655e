//! How a request is answered.
//!
//! **Invariants**
//! - What is in a plan can be done with the collection that it was made for, as it was then.

use super::request::{SearchMode, SearchRequest};
use crate::stores::collection::CollectionOptions;
use crate::vector::{FieldPath, Metric, check_vector};
use crate::{Error, Result};

/// Where hits are looked at that may change places: at least so many, and in steps of this times a power
/// of two, so that the pages of one search are cut from one ranking.
const POOL: usize = 100;

/// A request that was understood.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) request: &'a SearchRequest,
    pub(super) metric: Metric,
    pub(super) mode: SearchMode,
    /// Why the mode is not the one that was asked for.
    pub(super) reason: Option<String>,
    /// The vector, unless it is of no use in this mode.
    pub(super) vector: Option<&'a [f32]>,
    /// The same of the text.
    pub(super) text: Option<&'a str>,
    pub(super) group_by: Option<FieldPath>,
}

impl<'a> Plan<'a> {
    /// Understands `request`, to a collection with these options.
    pub(super) fn of(request: &'a SearchRequest, options: &CollectionOptions) -> Result<Self> {
        let path = |path: &String| FieldPath::parse(path).map_err(|error| error.at("groupBy"));
        let group_by = request.group_by.as_ref().map(path).transpose()?;
        let vector = request.vector.as_deref();
        let text = request.text.as_deref().filter(|text| !text.trim().is_empty());
        let mut reason = None;
        let mode = match (request.mode, vector, text) {
            (_, None, None) => return Err(Error::invalid("query: is empty; give a text or a vector")),
            (Some(SearchMode::Vector), None, _) => {
                return Err(Error::invalid(
                    "mode: \"vector\" needs a vector; give one in the query, open the memory with `embed`, or use \"text\"",
                ));
            }
            (Some(SearchMode::Text), _, None) => {
                return Err(Error::invalid(
                    "mode: \"text\" needs a text; give one in the query, or use \"vector\"",
                ));
            }
            (Some(SearchMode::Vector), Some(_), _) => SearchMode::Vector,
            (Some(SearchMode::Text), _, Some(_)) => SearchMode::Text,
            (_, Some(_), Some(_)) => SearchMode::Hybrid,
            (_, None, Some(_)) => {
                reason = Some(
                    "searched by text alone: the query has no vector, and there is no `embed` to make one",
                );
                SearchMode::Text
            }
            (hybrid, Some(_), None) => {
                reason = hybrid.map(|_| "searched by vector alone: the query has no text");
                SearchMode::Vector
            }
        };
        let vector = vector.filter(|_| mode != SearchMode::Text);
        if let Some(vector) = vector {
            // Without a first vector there is nothing to compare its length with.
            let dimensions = options.dimensions.map_or(vector.len(), |dimensions| dimensions as usize);
            check_vector(vector, dimensions, options.metric).map_err(|error| error.at("query"))?;
        }
        let reason = reason.map(str::to_owned);
        let text = text.filter(|_| mode != SearchMode::Vector);
        Ok(Self { request, metric: options.metric, mode, reason, vector, text, group_by })
    }

    /// Vectors can not be had, so the rest of the query has to do.
    ///
    /// # Errors
    /// `Invalid` if vectors are all there is.
    pub(super) fn without_vectors(mut self, collection: &str) -> Result<Self> {
        if self.text.is_none() {
            return Err(Error::invalid(format!(
                "query: the collection {collection:?} holds no vectors; search it by text, or add documents with vectors"
            )));
        }
        if self.vector.take().is_some() {
            self.mode = SearchMode::Text;
            self.reason = Some("searched by text alone: no document has a vector".to_owned());
        }
        Ok(self)
    }

    /// The hits from the best one to the last that was asked for.
    pub(super) fn depth(&self) -> usize {
        self.request.offset + self.request.limit
    }

    /// Whether age or importance change scores.
    pub(super) fn is_weighed(&self) -> bool {
        self.request.importance > 0.0 || self.request.recency.is_some_and(|recency| recency.weight > 0.0)
    }

    /// Whether the order of an index is not yet that of the hits, so that more is asked for.
    pub(super) fn is_pooled(&self) -> bool {
        self.mode == SearchMode::Hybrid
            || self.is_weighed()
            || self.request.diversity.is_some()
            || self.group_by.is_some()
    }

    /// How many of the best are ranked by each of vectors and words, of `documents`.
    pub(super) fn pool(&self, documents: usize) -> usize {
        if !self.is_pooled() {
            return self.depth();
        }
        if self.request.exact && self.is_weighed() && self.mode != SearchMode::Hybrid {
            // Any document may be moved to the top.
            return documents.max(1);
        }
        POOL * (4 * self.depth()).div_ceil(POOL).next_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Recency;
    use super::*;

    fn with(change: impl FnOnce(&mut SearchRequest)) -> SearchRequest {
        let mut request = SearchRequest { text: Some("words".into()), ..SearchRequest::default() };
        change(&mut request);
        request
    }

    fn planned(request: &SearchRequest) -> Result<(SearchMode, Option<String>)> {
        request.check()?;
        let options = CollectionOptions { dimensions: Some(2), ..CollectionOptions::default() };
        Plan::of(request, &options).map(|plan| (plan.mode, plan.reason))
    }

    #[test]
    fn the_mode_is_what_the_query_allows() {
        use SearchMode::{Hybrid, Text, Vector};
        let query = |vector: bool, text: bool, mode| {
            planned(&with(|request| {
                request.vector = vector.then(|| vec![1.0, 0.0]);
                request.text = text.then(|| "words".to_owned());
                request.mode = mode;
            }))
        };
        for (vector, text, mode, expected) in [
            (true, true, None, Hybrid),
            (true, true, Some(Vector), Vector),
            (true, true, Some(Text), Text),
            (true, true, Some(Hybrid), Hybrid),
            (true, false, None, Vector),
            (true, false, Some(Vector), Vector),
            (false, true, Some(Text), Text),
        ] {
            assert_eq!(query(vector, text, mode).unwrap(), (expected, None), "{vector} {text} {mode:?}");
        }
        for (vector, text, mode, expected) in [
            (false, true, None, Text),
            (false, true, Some(Hybrid), Text),
            (true, false, Some(Hybrid), Vector),
        ] {
            let (mode, reason) = query(vector, text, mode).unwrap();
            assert_eq!(mode, expected);
            assert!(reason.unwrap().contains("alone"));
        }
        for (vector, text, mode, word) in [
            (false, false, None, "query"),
            (false, false, Some(Hybrid), "query"),
            (false, true, Some(Vector), "mode"),
            (true, false, Some(Text), "mode"),
        ] {
            assert!(query(vector, text, mode).unwrap_err().message().starts_with(word));
        }
        assert!(planned(&with(|request| request.text = Some(" \n".into()))).is_err());
    }

    #[test]
    fn errors_name_the_option() {
        type Change = fn(&mut SearchRequest);
        let recency = |half_life_ms, weight| Some(Recency { half_life_ms, weight });
        let bad: [(&str, Change); 12] = [
            ("limit", |request| request.limit = 0),
            ("limit", |request| request.limit = 10_001),
            ("offset", |request| request.offset = usize::MAX),
            ("ef", |request| request.ef = 100_001),
            ("minScore", |request| request.min_score = Some(f64::NAN)),
            ("groupBy", |request| request.group_by = Some("a..b".into())),
            ("groupBy", |request| request.group_by = Some(String::new())),
            ("importance", |request| request.importance = -0.1),
            ("diversity", |request| request.diversity = Some(1.1)),
            ("diversity", |request| (request.diversity, request.offset) = (Some(0.5), 991)),
            ("query: vector has 3", |request| request.vector = Some(vec![1.0; 3])),
            ("query: vector[1]", |request| request.vector = Some(vec![1.0, f32::NAN])),
        ];
        for (name, change) in bad {
            let error = planned(&with(change)).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid);
            assert!(error.message().starts_with(name), "{name}: {error}");
        }
        for (half_life, weight, name) in [
            (0.0, 1.0, "recency.halfLifeMs"),
            (f64::NAN, 1.0, "recency.halfLifeMs"),
            (1.0, 2.0, "recency.weight"),
        ] {
            let error = planned(&with(|request| request.recency = recency(half_life, weight))).unwrap_err();
            assert!(error.message().starts_with(name), "{error}");
        }
        let unused = with(|request| {
            request.vector = Some(vec![f32::NAN]);
            request.mode = Some(SearchMode::Text);
        });
        assert!(planned(&unused).is_ok(), "what is not used is not judged");
    }

    #[test]
    fn pools_leave_room_for_what_moves() {
        let options = CollectionOptions::default();
        let pool = |request: &SearchRequest| Plan::of(request, &options).unwrap().pool(5_000);
        assert_eq!(pool(&with(|request| request.limit = 7)), 7);
        assert_eq!(pool(&with(|request| (request.limit, request.importance) = (25, 0.5))), 100);
        assert_eq!(pool(&with(|request| (request.limit, request.importance) = (26, 0.5))), 200);
        assert_eq!(pool(&with(|request| (request.offset, request.diversity) = (91, Some(0.1)))), 800);
        assert_eq!(pool(&with(|request| (request.exact, request.importance) = (true, 0.5))), 5_000);
        assert_eq!(pool(&with(|request| request.vector = Some(vec![1.0]))), 100);
    }
}
