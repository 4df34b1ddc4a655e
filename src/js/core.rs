//! The handle of an opened memory.

use std::sync::Arc;

use js_sys::{Object, Reflect};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::answer::answer;
use super::backend::CoreBackend;
use super::collection::CoreCollection;
use super::store::CoreStore;
use super::transaction::CoreTransaction;
use super::{error, given, promise, wire};
use crate::layers::CacheOptions;
use crate::model::Key;
use crate::platform::{Clock, ManualClock, SystemClock};
use crate::stores::{Memory, MemoryOptions, StoreOptions, Wanted};
use crate::vector::{Keep, Metric};
use crate::{Error, Result};

/// An opened memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CoreMemory {
    pub(super) memory: Memory,
    url: String,
    injected: Option<ManualClock>,
}

/// A memory over `backend`, which it takes over: also when it fails, by closing it. `cache_bytes` NaN = no
/// cache, and `second` its second level; the times NaN = without end. `now` is the time by the user's
/// clock, or NaN for the host's.
#[wasm_bindgen(js_name = openMemory)]
pub fn open_memory(
    backend: CoreBackend,
    group_commit: bool,
    cache_bytes: f64,
    cache_ttl_ms: f64,
    second: Option<CoreBackend>,
    second_ttl_ms: f64,
    now: f64,
) -> Result<JsValue, JsValue> {
    promise(async move {
        let injected = (!now.is_nan()).then(|| ManualClock::at(now as u64));
        let clock: Arc<dyn Clock> = match &injected {
            Some(clock) => Arc::new(clock.clone()),
            None => Arc::new(SystemClock),
        };
        let (truth, second) = (backend.backend(), second.map(|second| second.backend()));
        let cache = given(cache_bytes).map(|max_bytes| CacheOptions {
            max_bytes,
            ttl_ms: given(cache_ttl_ms),
            second: second.clone(),
            second_ttl_ms: given(second_ttl_ms),
        });
        let options = MemoryOptions { group_commit, clock, cache, ..MemoryOptions::default() };
        match Memory::with(Arc::clone(&truth), &options).await {
            Ok(memory) => Ok(CoreMemory { memory, url: backend.url(), injected }),
            Err(error) => {
                // Nobody else could; why it can not be used says more than what closing it may say.
                for backend in [Some(truth), second].into_iter().flatten() {
                    let _ = backend.close().await;
                }
                Err(error)
            }
        }
    })
}

#[wasm_bindgen]
impl CoreMemory {
    /// `{ url, backend, durability, shared, dataLoss }`
    #[must_use]
    pub fn info(&self) -> Object {
        let info = self.memory.info();
        object([
            ("url", self.url.clone().into()),
            ("backend", info.name.into()),
            ("durability", info.durability.name().into()),
            ("shared", info.shared.into()),
            ("dataLoss", info.data_loss.map_or(JsValue::NULL, JsValue::from)),
        ])
    }

    /// The counters of the cache, or null if there is none.
    #[wasm_bindgen(js_name = cacheStats)]
    #[must_use]
    pub fn cache_stats(&self) -> JsValue {
        let Some(counters) = self.memory.cache_counters() else { return JsValue::NULL };
        let second = counters.second.map_or(JsValue::NULL, |second| {
            object([
                ("hits", JsValue::from(second.level.hits as f64)),
                ("negativeHits", JsValue::from(second.level.negative_hits as f64)),
                ("misses", JsValue::from(second.level.misses as f64)),
                ("failures", JsValue::from(second.failures as f64)),
                ("inUse", JsValue::from(second.in_use)),
            ])
            .into()
        });
        let first = counters.first;
        object([
            ("hits", JsValue::from(first.hits as f64)),
            ("negativeHits", JsValue::from(first.negative_hits as f64)),
            ("misses", JsValue::from(first.misses as f64)),
            ("evictions", JsValue::from(first.evictions as f64)),
            ("entries", JsValue::from(first.entries as f64)),
            ("bytes", JsValue::from(first.bytes as f64)),
            ("second", second),
        ])
        .into()
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

    /// The collection `name`; `options` are packed as `PackedOptions`, empty for none.
    ///
    /// # Errors
    /// `ERR_INVALID` for a name or options that break the rules.
    pub fn collection(&self, name: &str, options: &[u8]) -> Result<CoreCollection, JsValue> {
        let made = wanted(options).and_then(|wanted| self.memory.collection(name, wanted));
        made.map(CoreCollection).map_err(|error| error::thrown(&error))
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
        answer(async move {
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

/// The options of a collection, as they cross: what is not given is as it is stored.
#[derive(Deserialize)]
struct PackedOptions<'a> {
    dimensions: Option<u32>,
    metric: Option<Metric>,
    language: Option<&'a str>,
    fields: Option<Vec<(String, f64)>>,
    /// 0 = f32, 1 = codes.
    keep: Option<u8>,
    m: Option<u32>,
    ef_construction: Option<u32>,
    model: Option<String>,
}

fn wanted(options: &[u8]) -> Result<Wanted> {
    if options.is_empty() {
        return Ok(Wanted::default());
    }
    let packed: PackedOptions<'_> = wire::unpacked(options)?;
    let keep = |number| match number {
        0 => Ok(Keep::F32),
        1 => Ok(Keep::Codes),
        other => Err(Error::invalid(format!("keep: there is no kind {other}; use \"f32\" or \"codes\""))),
    };
    Ok(Wanted {
        dimensions: packed.dimensions,
        metric: packed.metric,
        language: packed.language.map(str::parse).transpose()?,
        fields: packed
            .fields
            .map(|fields| fields.into_iter().map(|(path, weight)| (path, weight as f32)).collect()),
        keep: packed.keep.map(keep).transpose()?,
        m: packed.m,
        ef_construction: packed.ef_construction,
        model: packed.model,
    })
}

/// A fresh object with these fields.
fn object<const N: usize>(fields: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (field, value) in fields {
        // Setting a field of a fresh, extensible object does not fail.
        let _ = Reflect::set(&object, &JsValue::from_str(field), &value);
    }
    object
}
