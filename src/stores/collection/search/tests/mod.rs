//! Searches over the memory backend.
//!
//! **Invariants**
//! - Expected scores and orders are worked out by hand, or by the plainest means beside the code under test.

mod changes;
mod meddling;
mod modes;
mod order;
mod reference;
mod rules;

use std::sync::Arc;

use super::*;
use crate::ErrorKind;
use crate::backends::{Backend, MemoryBackend};
use crate::model::{Value, encode_value};
use crate::platform::ManualClock;
use crate::stores::{Memory, NewDocument, Wanted};
use crate::testing::block_on;

/// A storage that may be opened more than once, and the time in it.
struct World {
    backend: Arc<MemoryBackend>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self { backend: Arc::new(MemoryBackend::new()), clock: ManualClock::at(1_000_000) }
    }

    async fn memory(&self) -> Memory {
        let backend: Arc<dyn Backend> = Arc::<MemoryBackend>::clone(&self.backend);
        Memory::over(backend, true, Arc::new(self.clock.clone())).await.unwrap()
    }

    async fn notes(&self) -> Collection {
        self.memory().await.collection("notes", Wanted::default()).unwrap()
    }
}

fn object(fields: &[(&str, Value)]) -> Value {
    Value::Object(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

fn filter(fields: &[(&str, Value)]) -> Option<Filter> {
    Some(Filter::parse(&object(fields)).unwrap())
}

fn document(id: &str, text: &str, vector: &[f32]) -> NewDocument {
    NewDocument {
        id: id.into(),
        text: (!text.is_empty()).then(|| text.to_owned()),
        vector: (!vector.is_empty()).then(|| vector.to_vec()),
        metadata: None,
        importance: 0.5,
    }
}

trait With: Sized {
    fn with(self, fields: &[(&str, Value)]) -> Self;
    fn important(self, importance: f64) -> Self;
}

impl With for NewDocument {
    fn with(self, fields: &[(&str, Value)]) -> Self {
        Self { metadata: Some(encode_value(&object(fields)).unwrap()), ..self }
    }

    fn important(self, importance: f64) -> Self {
        Self { importance, ..self }
    }
}

fn by_text(text: &str) -> SearchRequest {
    SearchRequest { text: Some(text.into()), ..SearchRequest::default() }
}

fn by_vector(vector: &[f32]) -> SearchRequest {
    SearchRequest { vector: Some(vector.to_vec()), ..SearchRequest::default() }
}

fn by_both(text: &str, vector: &[f32]) -> SearchRequest {
    SearchRequest { text: Some(text.into()), ..by_vector(vector) }
}

async fn found(collection: &Collection, request: &SearchRequest) -> Vec<Hit> {
    collection.search(request).await.unwrap().hits
}

async fn ids(collection: &Collection, request: &SearchRequest) -> Vec<String> {
    found(collection, request).await.into_iter().map(|hit| hit.id).collect()
}

async fn refused(collection: &Collection, request: &SearchRequest) -> String {
    let error = collection.search(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    error.message().to_owned()
}
