//! The cache over the memory backend.
//!
//! **Invariants**
//! - No test waits for real time: clocks are set by hand, and races are made with gates.
//! - What is right is always asked of the truth itself, behind the cache's back.

mod first_level;
mod gate;
mod model;
mod races;
mod second_level;
mod stores;

use std::sync::Arc;

use super::*;
use crate::backends::MemoryBackend;
use crate::platform::{ManualClock, SystemClock};
use crate::testing::{block_on, commit, get, key};
use gate::Gate;

mod over_memory {
    use super::*;
    crate::testing::conformance!(native, open(Arc::new(MemoryBackend::new()), CacheOptions::default()));
}

mod over_memory_with_hardly_any_room {
    use super::*;
    crate::testing::conformance!(native, open(Arc::new(MemoryBackend::new()), small(4_096)));
}

mod over_memory_with_a_second_level {
    use super::*;
    crate::testing::conformance!(
        native,
        open(Arc::new(MemoryBackend::new()), with_second(4_096, &Arc::new(MemoryBackend::new())))
    );
}

fn small(max_bytes: u64) -> CacheOptions {
    CacheOptions { max_bytes, ..CacheOptions::default() }
}

fn with_second<B: Backend>(max_bytes: u64, second: &Arc<B>) -> CacheOptions {
    let second: Arc<dyn Backend> = Arc::<B>::clone(second);
    CacheOptions { second: Some(second), ..small(max_bytes) }
}

async fn open<B: Backend>(truth: Arc<B>, options: CacheOptions) -> Cached {
    Cached::open(truth, &options, Arc::new(SystemClock)).await.expect("opens")
}

fn put(id: &str, value: &[u8]) -> Batch {
    Batch::new(1).put(key(id), value.to_vec())
}

/// What the cache says of `id`, which is checked against the truth.
async fn value(cached: &Cached, truth: &dyn Backend, id: &str) -> Option<Vec<u8>> {
    let found = get(cached, &key(id)).await;
    assert_eq!(found, get(truth, &key(id)).await, "{id}");
    found.map(|record| record.value)
}

fn hits(cached: &Cached) -> (u64, u64) {
    let counters = cached.counters().first;
    (counters.hits, counters.misses)
}
