//! The level in memory, bounded in bytes, and who may put what into it.
//!
//! A value that was read from below is put in under the [`Claim`] that was taken before the read
//! began. Whatever drops the key in between, for a write or for an entry of the log, voids the claim;
//! so a read that was under way during a write can not bring the old value back.
//!
//! **Invariants**
//! - What it weighs never passes the bound, and no entry takes more than an eighth of it.
//! - Checking a claim and putting the value in are one step under the lock of the key's stripe, as are
//!   voiding claims and dropping the value.
//! - A stripe in doubt gives no claims and holds nothing.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::counters::{LevelCounters, Tally};
use crate::model::{Key, Record};
use crate::{Error, Result};

/// What an entry weighs besides its key and value: the slot, its place in the table and in the queue,
/// and what the allocator adds.
const OVERHEAD: u64 = 144;

/// The share of the bound that one entry may take at most: one part of so many.
const LARGEST_SHARE: u64 = 8;

/// Parts with a lock of their own. Each has its share of the bound, which must hold the largest entry.
const SHARDS: u64 = 4;

/// Locks for claims.
const STRIPES: usize = 256;

/// A value that was found below, or that there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// The record's version; 0 if there is none.
    pub(super) version: u64,
    /// When it was read from the truth, in milliseconds since the Unix epoch.
    pub(super) since: u64,
    /// Its bytes; `None` if there is no record.
    pub(super) value: Option<Box<[u8]>>,
}

impl Slot {
    pub(super) fn of(record: Option<&Record>, since: u64) -> Self {
        Self {
            version: record.map_or(0, |record| record.version),
            since,
            value: record.map(|record| record.value.as_slice().into()),
        }
    }

    /// A copy of the reader's own.
    pub(super) fn record(&self) -> Option<Record> {
        self.value.as_deref().map(|value| Record { version: self.version, value: value.to_vec() })
    }

    /// Whether it is younger than `ttl_ms`. A clock that jumped, either way, ages it.
    pub(super) fn fresh(&self, now: u64, ttl_ms: Option<u64>) -> bool {
        ttl_ms.is_none_or(|ttl_ms| now.abs_diff(self.since) < ttl_ms)
    }
}

/// The right to put in what a read finds, as long as the key is not dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim(u64);

#[derive(Debug, Default)]
struct Stripe {
    /// How often keys of the stripe were dropped.
    drops: u64,
    /// The number of the latest doubt about them; 0 if there is none.
    doubt: u64,
}

/// The level: see the top of this file.
#[derive(Debug)]
pub(super) struct First {
    cache: Cache<Key, Arc<Slot>, ByBytes, Seeded, Evictions>,
    stripes: Box<[Mutex<Stripe>]>,
    /// Drops that began, and those that ended: equal while none is under way.
    began: AtomicU64,
    ended: AtomicU64,
    doubts: AtomicU64,
    in_doubt: AtomicBool,
    evictions: Arc<AtomicU64>,
    tally: Tally,
    ttl_ms: Option<u64>,
    largest: u64,
    seeded: Seeded,
}

impl First {
    /// A level that holds at most `max_bytes`. `seed` keeps users from choosing keys that collide.
    pub(super) fn new(max_bytes: u64, ttl_ms: Option<u64>, seed: u64) -> Result<Self> {
        let evictions = Arc::new(AtomicU64::new(0));
        let seeded = Seeded(seed);
        let options = OptionsBuilder::new()
            .shards(SHARDS as usize)
            // Only sizes the memory of what was evicted lately.
            .estimated_items_capacity(
                usize::try_from(max_bytes / 1024).unwrap_or(usize::MAX).clamp(8, 1 << 16),
            )
            // A multiple of the parts: each would round up.
            .weight_capacity(max_bytes - max_bytes % SHARDS)
            .build()
            .map_err(|cause| Error::internal("the cache could not be set up").with_source(cause))?;
        let cache = Cache::with_options(options, ByBytes, seeded, Evictions(Arc::clone(&evictions)));
        Ok(Self {
            cache,
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            began: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            doubts: AtomicU64::new(0),
            in_doubt: AtomicBool::new(false),
            evictions,
            tally: Tally::default(),
            ttl_ms,
            largest: max_bytes / LARGEST_SHARE,
            seeded,
        })
    }

    fn stripe(&self, key: &Key) -> MutexGuard<'_, Stripe> {
        // The upper bits: the lower ones choose the shard.
        let stripe = (self.seeded.hash_one(key) >> 48) as usize % STRIPES;
        lock(&self.stripes[stripe])
    }

    fn slot(&self, key: &Key, now: u64) -> Option<Arc<Slot>> {
        self.cache.get(key).filter(|slot| slot.fresh(now, self.ttl_ms))
    }

    /// Whether slots have an age at all.
    pub(super) fn ages(&self) -> bool {
        self.ttl_ms.is_some()
    }

    /// What is known of `key`.
    pub(super) fn get(&self, key: &Key, now: u64) -> Option<Option<Record>> {
        let Some(slot) = self.slot(key, now) else {
            self.tally.missed(1);
            return None;
        };
        self.tally.hit(slot.value.is_none());
        Some(slot.record())
    }

    /// What is known of all of `keys`, if it is known to be of one snapshot: that of the log at `cursor`.
    /// A record that was written by then and not touched since stood there at that time. Of one that is
    /// not there nobody knows since when, so it is no hit here.
    pub(super) fn get_all(&self, keys: &[Key], cursor: u64, now: u64) -> Option<Vec<Option<Record>>> {
        let moment = self.moment();
        let of_snapshot =
            |key| self.slot(key, now).filter(|slot| slot.value.is_some() && slot.version <= cursor);
        let found: Option<Vec<_>> = keys.iter().map(of_snapshot).collect();
        let Some(found) = found.filter(|_| self.still(moment)) else {
            self.tally.missed(keys.len());
            return None;
        };
        found.iter().for_each(|_| self.tally.hit(false));
        Some(found.iter().map(|slot| slot.record()).collect())
    }

    /// A point in the order of drops, for [`First::still`]; `None` while one is under way.
    pub(super) fn moment(&self) -> Option<u64> {
        let ended = self.ended.load(Ordering::SeqCst);
        (self.began.load(Ordering::SeqCst) == ended).then_some(ended)
    }

    /// Whether nothing was dropped since.
    pub(super) fn still(&self, moment: Option<u64>) -> bool {
        moment == Some(self.began.load(Ordering::SeqCst))
    }

    /// The right to put in what a read that begins now will find; `None` if the key is in doubt.
    pub(super) fn claim(&self, key: &Key) -> Option<Claim> {
        let stripe = self.stripe(key);
        (stripe.doubt == 0).then_some(Claim(stripe.drops))
    }

    /// Puts in what was found, unless the claim is void or the entry too large.
    pub(super) fn fill(&self, key: &Key, claim: Claim, slot: Slot) {
        if weight(key, &slot) > self.largest {
            return;
        }
        let stripe = self.stripe(key);
        if stripe.drops == claim.0 && stripe.doubt == 0 {
            self.cache.insert(key.clone(), Arc::new(slot));
        }
    }

    /// Drops `keys`, whatever is known of them.
    pub(super) fn drop_keys<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        self.dropping(|| {
            for key in keys {
                self.stripe(key).drops += 1;
                self.cache.remove(key);
            }
        });
    }

    /// Drops what is older than the commit `sequence`, which touched `key`.
    pub(super) fn drop_older(&self, key: &Key, sequence: u64) {
        self.dropping(|| {
            let mut stripe = self.stripe(key);
            stripe.drops += 1;
            self.cache.remove_if(key, |slot| slot.version < sequence);
        });
    }

    /// Drops everything.
    pub(super) fn clear(&self) {
        self.dropping(|| {
            self.stripes.iter().for_each(|stripe| lock(stripe).drops += 1);
            self.cache.clear();
        });
    }

    fn dropping(&self, drop: impl FnOnce()) {
        self.began.fetch_add(1, Ordering::SeqCst);
        drop();
        self.ended.fetch_add(1, Ordering::SeqCst);
    }

    /// A mark in the order of doubts, for [`First::settle`].
    pub(super) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::SeqCst)
    }

    /// What is stored at `keys` may change at any moment until it is settled: nothing is known of them.
    pub(super) fn doubt<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        let number = self.doubts.fetch_add(1, Ordering::SeqCst) + 1;
        self.in_doubt.store(true, Ordering::SeqCst);
        self.dropping(|| {
            for key in keys {
                let mut stripe = self.stripe(key);
                *stripe = Stripe { drops: stripe.drops + 1, doubt: number };
                self.cache.remove(key);
            }
        });
    }

    /// Whether there is a doubt about any key.
    pub(super) fn in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::SeqCst)
    }

    /// The doubts up to `mark` have become certainty, one way or the other.
    pub(super) fn settle(&self, mark: u64) {
        self.in_doubt.store(false, Ordering::SeqCst);
        let mut left = false;
        for stripe in &self.stripes {
            let mut stripe = lock(stripe);
            if stripe.doubt <= mark {
                stripe.doubt = 0;
            }
            left |= stripe.doubt != 0;
        }
        if left {
            self.in_doubt.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn counters(&self) -> LevelCounters {
        LevelCounters {
            evictions: self.evictions.load(Ordering::Relaxed),
            entries: self.cache.len() as u64,
            bytes: self.cache.weight(),
            ..self.tally.counters()
        }
    }
}

fn lock(stripe: &Mutex<Stripe>) -> MutexGuard<'_, Stripe> {
    // Nothing that runs under the lock can leave a stripe half-changed.
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

fn weight(key: &Key, slot: &Slot) -> u64 {
    let value = slot.value.as_ref().map_or(0, |value| value.len());
    (key.as_bytes().len() + value) as u64 + OVERHEAD
}

#[derive(Debug, Clone, Copy)]
struct ByBytes;

impl Weighter<Key, Arc<Slot>> for ByBytes {
    fn weight(&self, key: &Key, slot: &Arc<Slot>) -> u64 {
        weight(key, slot)
    }
}

#[derive(Debug, Clone)]
struct Evictions(Arc<AtomicU64>);

impl Lifecycle<Key, Arc<Slot>> for Evictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Key, _: Arc<Slot>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// xxh3-64 in one go over each piece, from a seed that nobody knows.
#[derive(Debug, Clone, Copy)]
struct Seeded(u64);

impl BuildHasher for Seeded {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Seeded {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_usize(&mut self, length: usize) {
        // The length that a slice puts before its bytes; they follow, and mix it.
        self.0 = self.0.wrapping_add(length as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
