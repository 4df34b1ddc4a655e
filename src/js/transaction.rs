//! The handle of a transaction.

use std::rc::Rc;

use futures_util::lock::Mutex;
use wasm_bindgen::prelude::*;

use super::answer::answer;
use super::store::{CoreStore, ttl};
use super::{Withdrawal, promise, ticket, wire};
use crate::stores::Transaction;
use crate::{Error, Result};

/// A transaction. Its calls run one after the other, in the order they were made.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreTransaction(Rc<Mutex<Option<Transaction>>>);

impl CoreTransaction {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self(Rc::new(Mutex::new(Some(transaction))))
    }
}

fn running(transaction: &mut Option<Transaction>) -> Result<&mut Transaction> {
    transaction.as_mut().ok_or_else(|| Error::closed("the transaction is over; use a new one"))
}

#[wasm_bindgen]
impl CoreTransaction {
    /// The payload, or undefined.
    pub fn get(&self, store: &CoreStore, id: String) -> Result<JsValue, JsValue> {
        let (shared, store) = (Rc::clone(&self.0), store.0.clone());
        answer(async move {
            let mut transaction = shared.lock().await;
            running(&mut transaction)?.get(&store, &id).await
        })
    }

    /// Packed `[(id, payload)]` of the range.
    pub fn list(&self, store: &CoreStore, prefix: String) -> Result<JsValue, JsValue> {
        let (shared, store) = (Rc::clone(&self.0), store.0.clone());
        answer(async move {
            let mut transaction = shared.lock().await;
            wire::listed(&running(&mut transaction)?.list(&store, &prefix).await?)
        })
    }

    /// Saves a record at the end.
    pub fn save(
        &self,
        store: &CoreStore,
        id: String,
        payload: Vec<u8>,
        ttl_ms: f64,
    ) -> Result<JsValue, JsValue> {
        let (shared, store) = (Rc::clone(&self.0), store.0.clone());
        promise(async move {
            let mut transaction = shared.lock().await;
            running(&mut transaction)?.save(&store, &id, payload, ttl(ttl_ms)).map(|()| JsValue::UNDEFINED)
        })
    }

    /// Deletes a record at the end.
    pub fn delete(&self, store: &CoreStore, id: String) -> Result<JsValue, JsValue> {
        let (shared, store) = (Rc::clone(&self.0), store.0.clone());
        promise(async move {
            let mut transaction = shared.lock().await;
            running(&mut transaction)?.delete(&store, &id).map(|()| JsValue::UNDEFINED)
        })
    }

    /// Whether everything that was read still holds.
    #[wasm_bindgen(js_name = stillHolds)]
    pub fn still_holds(&self) -> Result<JsValue, JsValue> {
        let shared = Rc::clone(&self.0);
        promise(async move {
            let mut transaction = shared.lock().await;
            running(&mut transaction)?.still_holds().await
        })
    }

    /// Writes everything; gives the version.
    pub fn commit(&self, withdrawal: Option<Withdrawal>) -> Result<JsValue, JsValue> {
        let (shared, ticket) = (Rc::clone(&self.0), ticket(withdrawal.as_ref()));
        promise(async move {
            let transaction = shared.lock().await.take();
            let transaction =
                transaction.ok_or_else(|| Error::closed("the transaction is over; use a new one"))?;
            transaction.commit(ticket).await.map(|version| version as f64)
        })
    }
}
