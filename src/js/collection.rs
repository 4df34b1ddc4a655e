//! The handle of a collection.

use wasm_bindgen::prelude::*;

use super::answer::answer;
use super::wire::collection as packed;
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
            let documents = packed::documents(&documents)?;
            collection.add(&documents, ticket).await.map(|version| version as f64)
        })
    }

    /// The packed document, or undefined.
    pub fn get(&self, id: String) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(
            async move { collection.get(&id).await?.map_or(Ok(None), |document| packed::document(&document)) },
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
            packed::document_page(&collection.page(&request, filter.as_ref()).await?)
        })
    }

    /// What a packed request finds: packed `(hits, explain)`.
    pub fn search(&self, request: Vec<u8>) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(async move { packed::result(&collection.search(&packed::request(&request)?).await?) })
    }

    /// Which of the packed documents are stored already just so: packed flags.
    pub fn stored(&self, documents: Vec<u8>) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(async move { packed::flags(&collection.stored(&packed::documents(&documents)?).await?) })
    }

    /// Puts the index in order for about 8 milliseconds: packed `(done, total)`.
    pub fn optimize(&self) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(async move { packed::progress(collection.optimize().await?) })
    }

    /// Begins to make the vectors anew with another model, or goes on with it.
    #[wasm_bindgen(js_name = reembedBegin)]
    pub fn reembed_begin(&self, model: String, dimensions: u32) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        promise(
            async move { collection.reembed_begin(&model, dimensions).await.map(|()| JsValue::UNDEFINED) },
        )
    }

    /// The next documents that need vectors: packed `(documents, total, done)`.
    #[wasm_bindgen(js_name = reembedPage)]
    pub fn reembed_page(&self, limit: u32) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        answer(async move { packed::reembed_page(&collection.reembed_page(limit as usize).await?) })
    }

    /// Stores packed vectors; gives how many documents were left over because somebody wrote them meanwhile.
    #[wasm_bindgen(js_name = reembedStore)]
    pub fn reembed_store(&self, items: Vec<u8>) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        promise(async move {
            let left = collection.reembed_store(&packed::reembedded(&items)?).await?;
            Ok(left as f64)
        })
    }

    /// All vectors are made anew.
    #[wasm_bindgen(js_name = reembedEnd)]
    pub fn reembed_end(&self) -> Result<JsValue, JsValue> {
        let collection = self.0.clone();
        promise(async move { collection.reembed_end().await.map(|()| JsValue::UNDEFINED) })
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
