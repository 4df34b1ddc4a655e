//! Collections over the memory backend.

mod damage;
mod kept;
mod reembedding;
mod shelf;

use std::sync::Arc;

use super::*;
use crate::ErrorKind;
use crate::backends::MemoryBackend;
use crate::model::{Value, encode_value};
use crate::platform::SystemClock;
use crate::testing::block_on;
use crate::testing::rng::SplitMix64;
use crate::vector::Metric;

fn options() -> Wanted {
    Wanted::vectors(3, Metric::Cosine)
}

fn document(id: &str, vector: [f32; 3], year: i64) -> NewDocument {
    let metadata = Value::Object(vec![("year".into(), Value::Int(year))]);
    NewDocument {
        id: id.into(),
        text: Some(format!("text of {id}")),
        vector: Some(vector.to_vec()),
        metadata: Some(encode_value(&metadata).unwrap()),
        importance: 0.5,
    }
}

async fn over(backend: &Arc<MemoryBackend>) -> Memory {
    let backend: Arc<dyn crate::backends::Backend> = Arc::<MemoryBackend>::clone(backend);
    Memory::over(backend, true, Arc::new(SystemClock)).await.unwrap()
}

async fn ids(collection: &Collection, query: [f32; 3], limit: usize) -> Vec<String> {
    let hits = collection.nearest(&query, limit, None).await.unwrap();
    hits.into_iter().map(|hit| hit.id).collect()
}

#[test]
fn what_is_added_is_found_best_first_also_by_another_memory() {
    block_on(async {
        let backend = Arc::new(MemoryBackend::new());
        let notes = over(&backend).await.collection("notes", options()).unwrap();
        let added = [
            document("x", [1.0, 0.0, 0.0], 2023),
            document("xy", [1.0, 1.0, 0.0], 2024),
            document("z", [0.0, 0.0, 2.0], 2025),
        ];
        notes.add(&added, None).await.unwrap();
        let other = over(&backend).await.collection("notes", Wanted::default()).unwrap();
        for collection in [&notes, &other] {
            let hits = collection.nearest(&[2.0, 0.1, 0.0], 2, None).await.unwrap();
            assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["x", "xy"]);
            assert!(hits[0].score > hits[1].score && hits[0].score <= 1.0);
            assert_eq!(hits[0].text.as_deref(), Some("text of x"));
            assert_eq!(collection.count().await.unwrap(), 3);
        }
        let query =
            Value::Object(vec![("year".into(), Value::Object(vec![("$gte".into(), Value::Int(2024))]))]);
        let filter = Filter::parse(&query).unwrap();
        let hits = notes.nearest(&[1.0, 0.0, 0.0], 10, Some(&filter)).await.unwrap();
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["xy", "z"]);
        assert_eq!(notes.get("z").await.unwrap().unwrap().vector.unwrap(), [0.0, 0.0, 2.0]);
    });
}

#[test]
fn the_index_follows_what_others_write() {
    block_on(async {
        let backend = Arc::new(MemoryBackend::new());
        let (here, there) = (over(&backend).await, over(&backend).await);
        let (mine, theirs) =
            (here.collection("notes", options()).unwrap(), there.collection("notes", options()).unwrap());
        mine.add(&[document("a", [1.0, 0.0, 0.0], 1), document("b", [0.0, 1.0, 0.0], 1)], None)
            .await
            .unwrap();
        assert_eq!(ids(&mine, [1.0, 0.0, 0.0], 1).await, ["a"]);
        theirs.delete("a", None).await.unwrap();
        theirs
            .add(&[document("c", [0.9, 0.1, 0.0], 1), document("b", [1.0, 0.0, 0.1], 1)], None)
            .await
            .unwrap();
        here.announce(there.head());
        assert_eq!(ids(&mine, [1.0, 0.0, 0.0], 9).await, ["b", "c"]);
        // Also when nobody told: a hit that is gone is noticed.
        theirs.delete("b", None).await.unwrap();
        assert_eq!(ids(&mine, [1.0, 0.0, 0.0], 9).await, ["c"]);
    });
}

#[test]
fn hostile_documents_are_refused_whole() {
    block_on(async {
        let memory = over(&Arc::new(MemoryBackend::new())).await;
        let notes = memory.collection("notes", options()).unwrap();
        let good = document("good", [1.0; 3], 1);
        let bad = [
            NewDocument { vector: Some(vec![1.0; 2]), ..good.clone() },
            NewDocument { vector: Some(vec![1.0, f32::NAN, 1.0]), ..good.clone() },
            NewDocument { vector: Some(vec![1.0, 1.0, f32::INFINITY]), ..good.clone() },
            NewDocument { vector: Some(vec![0.0; 3]), ..good.clone() },
            NewDocument { id: String::new(), ..good.clone() },
            NewDocument { id: "first".into(), ..good.clone() },
            NewDocument { importance: 1.5, ..good.clone() },
            NewDocument { metadata: Some(encode_value(&Value::Int(1)).unwrap()), ..good.clone() },
            NewDocument { metadata: Some(vec![0xFF]), ..good.clone() },
        ];
        for bad in bad {
            let error = notes.add(&[document("first", [1.0; 3], 1), bad], None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().starts_with("documents[1]"), "{error}");
        }
        assert_eq!(notes.count().await.unwrap(), 0, "nothing of them was written");
        for (query, limit) in
            [(vec![1.0; 2], 1), (vec![f32::NAN; 3], 1), (vec![1.0; 3], 0), (vec![1.0; 3], 10_001)]
        {
            notes.add(std::slice::from_ref(&good), None).await.unwrap();
            assert_eq!(notes.nearest(&query, limit, None).await.unwrap_err().kind(), ErrorKind::Invalid);
        }
        let other = Wanted { dimensions: Some(4), ..options() };
        let error = memory.collection("notes", other).unwrap().nearest(&[1.0; 4], 1, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    });
}

#[test]
fn a_thousand_changes_match_a_plain_list() {
    const SEED: u64 = 0x0c01_1ec7;
    println!("seed {SEED:#x}");
    block_on(async {
        let memory = over(&Arc::new(MemoryBackend::new())).await;
        let options = Wanted { metric: Some(Metric::L2), ..options() };
        let notes = memory.collection("notes", options).unwrap();
        let mut rng = SplitMix64::new(SEED);
        let mut model = std::collections::BTreeMap::new();
        for _ in 0..1_000 {
            let id = rng.below(50).to_string();
            let vector = [0; 3].map(|_| (rng.below(2_000) as f32 - 1_000.0) / 7.0);
            if rng.below(3) == 0 {
                assert_eq!(notes.delete(&id, None).await.unwrap(), model.remove(&id).is_some());
            } else {
                notes.add(&[document(&id, vector, 1)], None).await.unwrap();
                model.insert(id, vector);
            }
            if rng.below(10) == 0 {
                let distance = |other: &[f32; 3]| -> f64 {
                    vector.iter().zip(other).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
                };
                let mut expected: Vec<f64> = model.values().map(distance).collect();
                expected.sort_by(f64::total_cmp);
                expected.truncate(5);
                let found = ids(&notes, vector, 5).await;
                let found: Vec<f64> = found.iter().map(|id| distance(&model[id])).collect();
                assert_eq!(found, expected);
            }
        }
        assert_eq!(notes.count().await.unwrap(), model.len());
    });
}
