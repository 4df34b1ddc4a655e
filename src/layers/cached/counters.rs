//! What the cache did, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one level of the cache did, and what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LevelCounters {
    /// Keys that it answered for.
    pub hits: u64,
    /// Those of the hits that said that there is no record.
    pub negative_hits: u64,
    /// Keys that it was asked for and could not answer.
    pub misses: u64,
    /// Records that had to make room for others. The second level does not evict: always 0 there.
    pub evictions: u64,
    /// Keys that it holds. Not counted in the second level: 0 there.
    pub entries: u64,
    /// What they weigh, in bytes: keys, values and upkeep. Not counted in the second level: 0 there.
    pub bytes: u64,
}

/// What the second level did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondCounters {
    /// Its hits and misses.
    pub level: LevelCounters,
    /// How often it failed and was put out of use.
    pub failures: u64,
    /// Whether it answers at the moment.
    pub in_use: bool,
}

/// What the whole cache did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheCounters {
    /// The level in memory.
    pub first: LevelCounters,
    /// The level behind it, if there is one.
    pub second: Option<SecondCounters>,
}

/// Hits and misses of a level, while they are counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    negative_hits: AtomicU64,
    misses: AtomicU64,
}

impl Tally {
    pub(super) fn hit(&self, negative: bool) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        if negative {
            self.negative_hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn missed(&self, keys: usize) {
        self.misses.fetch_add(keys as u64, Ordering::Relaxed);
    }

    pub(super) fn counters(&self) -> LevelCounters {
        LevelCounters {
            hits: self.hits.load(Ordering::Relaxed),
            negative_hits: self.negative_hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            ..LevelCounters::default()
        }
    }
}
