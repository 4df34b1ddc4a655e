//! The handle of an opened memory.

use std::sync::Arc;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use super::collection::CoreCollection;
use super::store::CoreStore;
use super::transaction::CoreTransaction;
use super::{error, promise, wire};
use crate::backends::{Durability, OpenOptions};
use crate::model::Key;
use crate::platform::{Clock, ManualClock, SystemClock};
use crate::stores::{CollectionOptions, Memory, MemoryOptions, StoreOptions};
use crate::{Error, Result};

/// An opened memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreMemory {
    memory: Memory,
    injected: Option<ManualClock>,
}

/// Opens `url`. `now` is the time by the user's clock, or NaN for the host's.
#[wasm_bindgen(js_name = openMemory)]
pub fn open_memory(
    url: String,
    strict: bool,
    group_commit: bool,
    timeout_ms: u32,
    now: f64,
) -> Result<JsValue, JsValue> {
    promise(async move {
        let injected = (!now.is_nan()).then(|| ManualClock::at(now as u64));
        let clock: Arc<dyn Clock> = match &injected {
            Some(clock) => Arc::new(clock.clone()),
            None => Arc::new(SystemClock),
        };
        let durability = if strict { Durability::Strict } else { Durability::Relaxed };
        let backend = OpenOptions { durability, timeout_ms, ..OpenOptions::default() };
        let memory = Memory::open(&url, &MemoryOptions { backend, group_commit, clock }).await?;
        Ok(CoreMemory { memory, injected })
    })
}

#[wasm_bindgen]
impl CoreMemory {
    /// `{ backend, durability, shared, dataLoss }`
    #[must_use]
    pub fn info(&self) -> Object {
        let info = self.memory.info();
        let object = Object::new();
        let set = |field: &str, value: JsValue| {
            // Setting a field of a fresh, extensible object does not fail.
            let _ = Reflect::set(&object, &JsValue::from_str(field), &value);
        };
        set("backend", info.name.into());
        set("durability", info.durability.name().into());
        set("shared", info.shared.into());
        set("dataLoss", info.data_loss.map_or(JsValue::NULL, JsValue::from));
        object
    }

    /// Sets the injected clock, in milliseconds since the Unix epoch.
    #[wasm_bindgen(js_name = setNow)]
    pub fn set_now(&self, now: f64) {
        if let Some(clock) = &self.injected {
            clock.set(now as u64);
        }
    }

    /// The latest sequence number that is known.
    #[must_use]
    pub fn head(&self) -> f64 {
        self.memory.head() as f64
    }

    /// Another context says that the log has reached `sequence`.
    pub fn announce(&self, sequence: f64) {
        self.memory.announce(sequence as u64);
    }

    /// The store `name`; `ttl_ms` 0 = for ever.
    ///
    /// # Errors
    /// `ERR_INVALID` for a name or options that break the rules.
    pub fn store(&self, name: &str, history: u32, ttl_ms: f64) -> Result<CoreStore, JsValue> {
        let ttl_ms = Some(ttl_ms as u64).filter(|&ms| ms != 0);
        let options = StoreOptions { history: history as usize, ttl_ms };
        self.memory.store(name, options).map(CoreStore).map_err(|error| error::thrown(&error))
    }

    /// The collection `name`; `dimensions` 0 = as it is stored.
    ///
    /// # Errors
    /// `ERR_INVALID` for a name or options that break the rules.
    pub fn collection(&self, name: &str, dimensions: u32, metric: &str) -> Result<CoreCollection, JsValue> {
        let made = || {
            let options = match dimensions {
                0 => None,
                dimensions => Some(CollectionOptions { dimensions, metric: metric.parse()? }),
            };
            self.memory.collection(name, options)
        };
        made().map(CoreCollection).map_err(|error: Error| error::thrown(&error))
    }

    /// Begins a transaction.
    #[must_use]
    pub fn begin(&self) -> CoreTransaction {
        CoreTransaction::new(self.memory.begin())
    }

    /// `[expired, more]`
    pub fn maintain(&self, budget_ms: f64) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move {
            let done = memory.maintain(budget_ms).await?;
            Ok(js_sys::Array::of2(&(done.expired as f64).into(), &done.more.into()))
        })
    }

    /// A piece of verification after the packed `cursor`, empty at the beginning: packed
    /// `(checked, problems, cursor)`.
    pub fn verify(&self, cursor: Vec<u8>) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move {
            let cursor = if cursor.is_empty() { None } else { Some(Key::decode(&cursor)?) };
            wire::verified(&memory.verify(cursor).await?)
        })
    }

    /// Ends what is in flight and closes.
    pub fn close(&self) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move { memory.close().await.map(|()| JsValue::UNDEFINED) })
    }
}
