//! Searches against the plainest implementation of what is documented.

use std::collections::BTreeMap;

use super::*;
use crate::testing::rng::SplitMix64;
use crate::vector::{Keep, Metric};

const SEED: u64 = 0x5ea2c4;
const WORDS: [&str; 8] = ["cat", "dog", "fish", "bird", "stone", "river", "cloud", "tree"];

struct Model {
    rng: SplitMix64,
    documents: BTreeMap<String, NewDocument>,
    /// When each was added.
    added: BTreeMap<String, u64>,
}

impl Model {
    fn vector(&mut self) -> Vec<f32> {
        // Coarse, so that equal similarities are common; never all zero.
        (0..4).map(|_| self.rng.below(5) as f32 - 1.5).collect()
    }

    fn words(&mut self) -> String {
        let count = 1 + self.rng.below(6);
        (0..count).map(|_| WORDS[self.rng.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }

    fn document(&mut self, id: String) -> NewDocument {
        let text = if self.rng.below(5) == 0 { String::new() } else { self.words() };
        let vector = if self.rng.below(5) == 0 { Vec::new() } else { self.vector() };
        let fields: Vec<(&str, Value)> = match self.rng.below(4) {
            0 => vec![],
            n => vec![("group", Value::Int(n as i64)), ("year", Value::Int(self.rng.below(3) as i64))],
        };
        document(&id, &text, &vector).with(&fields).important(self.rng.below(5) as f64 / 4.0)
    }

    fn request(&mut self) -> SearchRequest {
        let mut maybe = |of| self.rng.below(of) == 0;
        let (vector, text) = if maybe(2) {
            (true, true)
        } else if maybe(2) {
            (true, false)
        } else {
            (false, true)
        };
        let (filtered, least, grouped, recent, important) =
            (maybe(3), maybe(4), maybe(4), maybe(4), maybe(4));
        let exact = maybe(3);
        SearchRequest {
            vector: vector.then(|| self.vector()),
            text: text.then(|| self.words()),
            limit: 1 + self.rng.below(12),
            offset: self.rng.below(4),
            filter: if filtered { filter(&[("year", Value::Int(1))]) } else { None },
            min_score: least.then(|| self.rng.below(10) as f64 / 10.0),
            group_by: grouped.then(|| "group".into()),
            recency: recent.then_some(Recency { half_life_ms: 500.0, weight: 0.5 }),
            importance: if important { 0.7 } else { 0.0 },
            exact,
            ..SearchRequest::default()
        }
    }

    /// Ids and scores as they should be. `words` are BM25 scores.
    fn expected(
        &self,
        request: &SearchRequest,
        metric: Metric,
        words: &[Hit],
        now: u64,
    ) -> Vec<(String, f64)> {
        let matches = |id: &str| {
            let metadata = self.documents[id].metadata.as_deref().unwrap();
            let metadata = crate::model::decode_value(metadata).unwrap();
            request.filter.as_ref().is_none_or(|filter| filter.matches(&metadata))
        };
        let vectors = ranking(self.documents.iter().filter_map(|(id, document)| {
            let score = similarity(metric, request.vector.as_deref()?, document.vector.as_deref()?);
            matches(id).then(|| (id.clone(), f64::from(score)))
        }));
        let words =
            ranking(words.iter().filter(|hit| matches(&hit.id)).map(|hit| (hit.id.clone(), hit.score)));
        let raw = match (&request.vector, &request.text) {
            (Some(_), None) => vectors,
            (None, _) => words,
            _ => {
                let mut fused = BTreeMap::new();
                for list in [vectors, words] {
                    for (place, (id, _)) in list.into_iter().enumerate() {
                        *fused.entry(id).or_default() += 1.0 / (61.0 + place as f64);
                    }
                }
                fused.into_iter().collect()
            }
        };
        let mut weighed = ranking(raw.into_iter().map(|(id, score)| {
            let mut factor = 1.0;
            if let Some(Recency { half_life_ms, weight }) = request.recency {
                factor *= 1.0 - weight + weight * 0.5f64.powf((now - self.added[&id]) as f64 / half_life_ms);
            }
            factor *= 1.0 - request.importance + request.importance * self.documents[&id].importance;
            (id, if score < 0.0 { score / factor } else { score * factor })
        }));
        weighed.retain(|(_, score)| request.min_score.is_none_or(|least| *score >= least));
        if request.group_by.is_some() {
            let mut seen = Vec::new();
            weighed.retain(|(id, _)| {
                let metadata = self.documents[id].metadata.as_deref().unwrap();
                let group = crate::model::decode_value(metadata).unwrap().field("group").cloned();
                let first = group.is_none() || !seen.contains(&group);
                seen.push(group);
                first
            });
        }
        weighed.into_iter().skip(request.offset).take(request.limit).collect()
    }
}

fn ranking(scored: impl Iterator<Item = (String, f64)>) -> Vec<(String, f64)> {
    let mut scored: Vec<(String, f64)> = scored.collect();
    scored.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap().then_with(|| a.0.cmp(&b.0)));
    scored
}

#[test]
fn searches_agree_with_the_plainest_implementation() {
    println!("seed {SEED:#x}");
    block_on(async {
        for (metric, keep) in [
            (Metric::Cosine, Keep::F32),
            (Metric::Dot, Keep::F32),
            (Metric::L2, Keep::F32),
            (Metric::Cosine, Keep::Codes),
        ] {
            let world = World::new();
            let wanted = Wanted { keep: Some(keep), ..Wanted::vectors(4, metric) };
            let notes = world.memory().await.collection("notes", wanted).unwrap();
            let mut model =
                Model { rng: SplitMix64::new(SEED), documents: BTreeMap::new(), added: BTreeMap::new() };
            for step in 0..300 {
                let id = format!("{:02}", model.rng.below(80));
                if model.rng.below(4) == 0 {
                    notes.delete(&id, None).await.unwrap();
                    model.documents.remove(&id);
                } else {
                    let document = model.document(id.clone());
                    notes.add(std::slice::from_ref(&document), None).await.unwrap();
                    model.added.insert(id.clone(), 1_000_000 + step * 10);
                    model.documents.insert(id, document);
                }
                world.clock.advance(10);
                let request = model.request();
                let words = match &request.text {
                    Some(text) => found(&notes, &SearchRequest { limit: 100, ..by_text(text) }).await,
                    None => Vec::new(),
                };
                let expected = model.expected(&request, metric, &words, 1_000_000 + step * 10 + 10);
                let hits = found(&notes, &request).await;
                let context = format!("{metric}, {keep:?}, step {step}: {request:?}");
                assert_eq!(hits.len(), expected.len(), "{context}\n{hits:?}\n{expected:?}");
                for (hit, (id, score)) in hits.iter().zip(&expected) {
                    assert_eq!(hit.id, *id, "{context}\n{hits:?}\n{expected:?}");
                    assert!(
                        (hit.score - score).abs() <= 1e-6 * score.abs().max(1.0),
                        "{context}\n{hit:?} {score}"
                    );
                }
            }
        }
    });
}

#[test]
fn exact_is_exact_whatever_is_kept() {
    println!("seed {SEED:#x}");
    block_on(async {
        for metric in Metric::ALL {
            let memory = World::new().memory().await;
            let wanted = Wanted { keep: Some(Keep::Codes), ..Wanted::vectors(16, metric) };
            let notes = memory.collection("notes", wanted).unwrap();
            let mut rng = SplitMix64::new(SEED);
            let mut vector =
                || -> Vec<f32> { (0..16).map(|_| rng.below(2_001) as f32 / 1_000.0 - 1.0).collect() };
            let year = |n: usize| [("year", Value::Int((n % 10) as i64))];
            let added: Vec<NewDocument> =
                (0..700).map(|n| document(&format!("{n:03}"), "", &vector()).with(&year(n))).collect();
            notes.add(&added, None).await.unwrap();
            for round in 0..20 {
                let query = vector();
                let narrow = round % 2 == 0;
                let request = SearchRequest {
                    exact: true,
                    filter: if narrow { filter(&year(3)) } else { None },
                    ..by_vector(&query)
                };
                let matching = added.iter().enumerate().filter(|(n, _)| !narrow || n % 10 == 3);
                let scored = matching.map(|(_, document)| {
                    let score = similarity(metric, &query, document.vector.as_deref().unwrap());
                    (document.id.clone(), f64::from(score))
                });
                let mut expected = ranking(scored);
                expected.truncate(10);
                let hits = found(&notes, &request).await;
                let hits: Vec<(String, f64)> = hits.into_iter().map(|hit| (hit.id, hit.score)).collect();
                assert_eq!(hits, expected, "{metric}, round {round}");
            }
        }
    });
}
