//! The stores over the memory backend: rules, races, damage.
//!
//! **Invariants**
//! - Damage is done through the backend itself, as a disk would do it; never through the stores.
//! - No test waits for real time: clocks are set by hand, and races are made by polling.

mod changes;
mod damage;
mod lifetime;
mod races;
mod rules;
mod transactions;

use std::sync::Arc;

use super::{Entry, Listing, Memory, PageRequest, SaveItem, Store, StoreOptions, TimeToLive};
use crate::backends::{Backend, MemoryBackend};
use crate::model::{Batch, Key, Page, Range, Record, Space};
use crate::platform::ManualClock;
use crate::{Error, ErrorKind, Result};

pub(crate) use crate::testing::block_on;

/// A backend that several memories share, and the clock that all of them read.
#[derive(Debug, Clone)]
struct World {
    backend: Arc<MemoryBackend>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self { backend: Arc::new(MemoryBackend::new()), clock: ManualClock::at(1_000) }
    }

    /// One more memory over the same backend, as another tab would open it.
    async fn memory(&self, group_commit: bool) -> Memory {
        let backend: Arc<dyn Backend> = Arc::<MemoryBackend>::clone(&self.backend);
        Memory::over(backend, group_commit, Arc::new(self.clock.clone())).await.unwrap()
    }

    /// A store of a memory of its own.
    async fn store(&self, options: StoreOptions) -> Store {
        self.memory(true).await.store("s", options).unwrap()
    }

    /// What lies at `key`, raw.
    async fn raw(&self, key: &Key) -> Record {
        crate::testing::get(&*self.backend, key).await.expect("a record")
    }

    /// Puts raw bytes at `key`.
    async fn overwrite(&self, key: &Key, value: Vec<u8>) {
        crate::testing::commit(&*self.backend, Batch::new(1).put(key.clone(), value)).await.expect("passes");
    }

    /// How many keys there are in `space`.
    async fn keys(&self, space: Space) -> usize {
        self.backend.scan(&Range::space(space), Page::first(100_000)).await.unwrap().records.len()
    }
}

fn plain() -> StoreOptions {
    StoreOptions::default()
}

fn with_history(history: usize) -> StoreOptions {
    StoreOptions { history, ..StoreOptions::default() }
}

/// A record to save: `value` is a small integer, encoded.
fn item(id: &str, value: u8) -> SaveItem {
    SaveItem::new(id, encoded(value))
}

fn encoded(value: u8) -> Vec<u8> {
    crate::model::encode_value(&crate::model::Value::Int(i64::from(value))).unwrap()
}

fn expecting(id: &str, value: u8, expected: u64) -> SaveItem {
    SaveItem { expected: Some(expected), ..item(id, value) }
}

fn living(id: &str, value: u8, ms: u64) -> SaveItem {
    SaveItem { ttl: TimeToLive::Milliseconds(ms), ..item(id, value) }
}

async fn save(store: &Store, id: &str, value: u8) -> u64 {
    store.save(&[item(id, value)], None).await.unwrap()
}

/// The number that is stored under `id`.
async fn value(store: &Store, id: &str) -> Option<u8> {
    store.get(id).await.unwrap().map(|entry| number(&entry))
}

fn number(entry: &Entry) -> u8 {
    match crate::model::decode_value(&entry.payload).unwrap() {
        crate::model::Value::Int(number) => u8::try_from(number).unwrap(),
        other => panic!("not a number: {other:?}"),
    }
}

/// The numbers of the history of `id`, newest first.
async fn past(store: &Store, id: &str) -> Vec<u8> {
    store.history(id, 10_000).await.unwrap().iter().map(number).collect()
}

async fn everything(store: &Store) -> Listing<Entry> {
    store.page(&PageRequest { limit: 1_000, ..PageRequest::default() }).await.unwrap()
}

async fn ids(store: &Store) -> Vec<String> {
    everything(store).await.entries.into_iter().map(|entry| entry.id).collect()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T>, kind: ErrorKind) -> Error {
    let error = outcome.expect_err("it should have been refused");
    assert_eq!(error.kind(), kind, "{error}");
    error
}
