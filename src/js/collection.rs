//! The handle of a collection.

use wasm_bindgen::prelude::*;

use super::answer::answer;
use super::{Withdrawal, promise, ticket, wire};
use crate::Result;
use crate::model::decode_value;
use crate::stores::{Collection, PageRequest};
use crate::vector::Filter;

/// A collection.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreCollection(pub(super) Collection);

#[wasm_bindgen]
impl CoreCollection {
    /// Adds packed documents, all or none; gives their version.
    pub fn add(&self, documents: Vec<u8>, withdrawal: Option<Withdrawal>) -> Result<JsValue, JsValue> {
        let (collection, ticket) = (self.0.clone(), ticket(withdrawal.as_ref()));
        promise(async move {
            let documents = wire::documents(&documents)?;
            collection.add(&documents, ticket).await.map(|version| version as f64)
        })
    }

    /// The packed document, or undefined.
    pub fn get(&self, id: String) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(
            async move { collection.get(&id).await?.map_or(Ok(None), |document| wire::document(&document)) },
        )
    }

    /// Deletes the document; gives whether it was there.
    pub fn delete(&self, id: String, withdrawal: Option<Withdrawal>) -> Result<JsValue, JsValue> {
        let (collection, ticket) = (self.0.clone(), ticket(withdrawal.as_ref()));
        promise(async move { collection.delete(&id, ticket).await })
    }

    /// How many documents there are.
    pub fn count(&self) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        promise(async move { collection.count().await.map(|count| count as f64) })
    }

    /// A packed page of documents; `filter` is an encoded value, empty for none.
    pub fn page(
        &self,
        prefix: String,
        pattern: Option<String>,
        limit: u32,
        reverse: bool,
        after: Option<String>,
        filter: Vec<u8>,
    ) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        let request = PageRequest { prefix, pattern, limit: limit as usize, reverse, after };
        answer(async move {
            let filter = parsed(&filter)?;
            wire::document_page(&collection.page(&request, filter.as_ref()).await?)
        })
    }

    /// Packed hits; `filter` is an encoded value, empty for none.
    pub fn search(&self, query: Vec<f32>, limit: u32, filter: Vec<u8>) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(async move {
            let filter = parsed(&filter)?;
            wire::hits(&collection.search(&query, limit as usize, filter.as_ref()).await?)
        })
    }

    /// Packed changes after a sequence number, without what was saved.
    pub fn changes(&self, after: f64, prefix: String) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(async move { wire::changes(&collection.changes(after as u64, &prefix).await?) })
    }
}

fn parsed(filter: &[u8]) -> Result<Option<Filter>> {
    if filter.is_empty() {
        return Ok(None);
    }
    Filter::parse(&decode_value(filter)?).map(Some)
}
