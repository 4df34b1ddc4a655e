//! The handle of a store.

use wasm_bindgen::prelude::*;

use super::answer::answer;
use super::{Withdrawal, error, given, promise, ticket, wire};
use crate::model::Ticket;
use crate::stores::{Entry, PageRequest, SaveItem, Store, TimeToLive};

/// A store.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreStore(pub(super) Store);

#[wasm_bindgen]
impl CoreStore {
    /// Saves one record; gives its version. `expected` NaN = whatever is there; `ttl_ms` NaN = as
    /// the store says, infinity = for ever.
    pub fn save(
        &self,
        id: String,
        payload: Vec<u8>,
        expected: f64,
        ttl_ms: f64,
        withdrawal: Option<Withdrawal>,
    ) -> Result<JsValue, JsValue> {
        let (store, ticket) = (self.0.clone(), ticket(withdrawal.as_ref()));
        let item = SaveItem { id, payload, expected: given(expected), ttl: ttl(ttl_ms) };
        saved(store, vec![item], ticket)
    }

    /// Saves packed `[(id, expected, ttl, payload)]`, all or none; gives their version.
    #[wasm_bindgen(js_name = saveMany)]
    pub fn save_many(&self, items: Vec<u8>, withdrawal: Option<Withdrawal>) -> Result<JsValue, JsValue> {
        let (store, ticket) = (self.0.clone(), ticket(withdrawal.as_ref()));
        let items = wire::save_items(&items).map_err(|error| error::thrown(&error))?;
        saved(store, items, ticket)
    }

    /// The payload, or undefined.
    pub fn get(&self, id: String) -> Result<JsValue, JsValue> {
        found(self.0.clone(), id, |entry| Ok(Some(entry.payload)))
    }

    /// The packed record, or undefined.
    pub fn entry(&self, id: String) -> Result<JsValue, JsValue> {
        found(self.0.clone(), id, |entry| wire::entry(&entry))
    }

    /// The packed payloads of packed ids.
    #[wasm_bindgen(js_name = getMany)]
    pub fn get_many(&self, ids: Vec<u8>) -> Result<JsValue, JsValue> {
        let store = self.0.clone();
        answer(async move { wire::payloads(&store.get_many(&wire::ids(&ids)?).await?) })
    }

    /// Deletes the record; gives whether it was there.
    pub fn delete(
        &self,
        id: String,
        expected: f64,
        withdrawal: Option<Withdrawal>,
    ) -> Result<JsValue, JsValue> {
        let (store, ticket) = (self.0.clone(), ticket(withdrawal.as_ref()));
        promise(async move { store.delete(&id, given(expected), ticket).await })
    }

    /// How many records there are.
    pub fn count(&self, prefix: String) -> Result<JsValue, JsValue> {
        let store = self.0.clone();
        promise(async move { store.count(&prefix).await.map(|count| count as f64) })
    }

    /// A packed page.
    pub fn page(
        &self,
        prefix: String,
        pattern: Option<String>,
        limit: u32,
        reverse: bool,
        after: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let store = self.0.clone();
        let request = PageRequest { prefix, pattern, limit: limit as usize, reverse, after };
        answer(async move { wire::page(&store.page(&request).await?) })
    }

    /// Packed earlier versions, newest first.
    pub fn history(&self, id: String, limit: u32) -> Result<JsValue, JsValue> {
        let store = self.0.clone();
        answer(async move { wire::entries(&store.history(&id, limit as usize).await?) })
    }

    /// Packed changes after a sequence number.
    pub fn changes(&self, after: f64, prefix: String) -> Result<JsValue, JsValue> {
        let store = self.0.clone();
        answer(async move { wire::changes(&store.changes(after as u64, &prefix).await?) })
    }
}

/// What saving `items` gives: the same for one as for many.
fn saved(store: Store, items: Vec<SaveItem>, ticket: Option<Ticket>) -> Result<JsValue, JsValue> {
    promise(async move { store.save(&items, ticket).await.map(|version| version as f64) })
}

/// What `pack` makes of the record `id`, or undefined.
fn found(
    store: Store,
    id: String,
    pack: fn(Entry) -> crate::Result<Option<Vec<u8>>>,
) -> Result<JsValue, JsValue> {
    answer(async move { store.get(&id).await?.map_or(Ok(None), pack) })
}

/// A time to live as JavaScript gives it: NaN = as the store says, infinity = for ever.
pub(super) fn ttl(ms: f64) -> TimeToLive {
    if ms.is_nan() {
        TimeToLive::Default
    } else if ms.is_infinite() {
        TimeToLive::Forever
    } else {
        TimeToLive::Milliseconds(ms as u64)
    }
}
