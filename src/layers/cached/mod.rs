//! A cache in front of a backend: a level in memory, and behind it, if wanted, any other backend.
//!
//! Reads of keys ask the first level, then the second, then the truth, and put what they found, also
//! that there was nothing, into the levels above. Writes go to the truth, and what they touched is
//! dropped from both levels before they return. What other contexts write is dropped when the log is
//! read: [`Cached::announce`] says that there is reason to, and so does every number beyond the cursor
//! that comes by in a read, a scan or a verdict. Scans always go to the truth, and so do reads of the
//! package's own settings.
//!
//! **Invariants**
//! - After a commit returned, or was announced, no read that begins then is answered with what was
//!   stored before it.
//! - A read that was under way during a write leaves nothing old behind (claims, in `first`; bound
//!   fills, in `second`).
//! - Keys of a write whose outcome is unknown, or whose future was dropped, are read from the truth
//!   until a later write of this layer has gone through; by then it is in the log or will never be.
//! - A conflict drops every key that the batch relied on, so whoever tries again reads the truth.
//! - Several keys that are read at once are of one snapshot: all from one level, or all from the truth.
//! - A failing second level fails no call. No lock that blocks is held across an await.
//!
//! What is taken on trust: that the layers below keep the order of writes, as
//! [`GroupCommit`](super::GroupCommit) does; so the cache stands in front of it, and hits pass no queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::backends::{Backend, BackendInfo, ScanPage, Stats};
use crate::log;
use crate::model::{Batch, Committed, Conflict, Key, Page, Precondition, Range, Record, Space};
use crate::platform::{Clock, Rng, SystemRng};
use crate::{Error, ErrorKind, Result};

mod counters;
mod entry;
mod first;
mod follow;
mod following;
mod second;
#[cfg(test)]
mod tests;

pub use counters::{CacheCounters, LevelCounters, SecondCounters};

use first::{Claim, First, Slot};
use follow::{Follow, Mark};
use second::Second;

/// The smallest bound of the first level, in bytes.
const LEAST_BYTES: u64 = 4_096;

/// How to cache.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// What the level in memory may weigh, in bytes: keys, values and upkeep; at least 4,096. An entry
    /// that would take more than an eighth of it is not kept.
    pub max_bytes: u64,
    /// How long an entry lives there, in milliseconds; until it is dropped or evicted, if not given.
    pub ttl_ms: Option<u64>,
    /// The second level: a backend that is empty or was one before. It is handed over: closing the
    /// cache closes it.
    pub second: Option<Arc<dyn Backend>>,
    /// How long an entry lives in the second level, in milliseconds.
    pub second_ttl_ms: Option<u64>,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { max_bytes: 16_000_000, ttl_ms: None, second: None, second_ttl_ms: None }
    }
}

impl CacheOptions {
    fn check(&self) -> Result<()> {
        if self.max_bytes < LEAST_BYTES {
            let message = format!("cache.maxBytes: {} is less than {LEAST_BYTES}", self.max_bytes);
            return Err(Error::invalid(message));
        }
        for (name, ttl_ms) in [("ttlMs", self.ttl_ms), ("secondTtlMs", self.second_ttl_ms)] {
            if ttl_ms == Some(0) {
                let message = format!("cache.{name}: 0 would keep nothing; leave it out to keep entries");
                return Err(Error::invalid(message));
            }
        }
        Ok(())
    }
}

/// The layer: see the top of this file.
#[derive(Debug)]
pub struct Cached {
    truth: Arc<dyn Backend>,
    first: First,
    second: Option<Second>,
    follow: Follow,
    /// Held by the one who reads the log.
    turn: futures_util::lock::Mutex<()>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    closed: AtomicBool,
}

impl Cached {
    /// Puts a cache in front of `truth`. `clock` tells how old entries are.
    ///
    /// # Errors
    /// `Invalid` for options out of bounds, or a second level that holds what no cache put there;
    /// `Unavailable` if the host has no randomness; what reading the truth's log gives. A second level
    /// that fails is no error: it is tried again later.
    pub async fn open(
        truth: Arc<dyn Backend>,
        options: &CacheOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        options.check()?;
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let head = log::head(&*truth).await?;
        let second =
            options.second.as_ref().map(|second| Second::new(Arc::clone(second), options.second_ttl_ms));
        let cached = Self {
            truth,
            first: First::new(options.max_bytes, options.ttl_ms, following::random(&*rng)?)?,
            second,
            follow: Follow::new(Mark { sequence: head.sequence, time: head.time }),
            turn: futures_util::lock::Mutex::default(),
            clock,
            rng,
            closed: AtomicBool::new(false),
        };
        if let Some(second) = &cached.second {
            cached.join(second).await?;
        }
        Ok(cached)
    }

    /// Another context says that the log has reached `sequence`: the next read looks. Nothing depends on
    /// its being true.
    pub fn announce(&self, sequence: u64) {
        self.follow.tell(sequence);
    }

    /// What the cache did so far.
    #[must_use]
    pub fn counters(&self) -> CacheCounters {
        CacheCounters { first: self.first.counters(), second: self.second.as_ref().map(Second::counters) }
    }

    /// Removes what is too old from the second level, looking at about `limit` entries; goes on where it
    /// ended last time. Returns whether it came to the end.
    pub async fn sweep(&self, limit: usize) -> bool {
        match &self.second {
            Some(second) => second.sweep(limit.max(1), self.clock.now()).await,
            None => true,
        }
    }

    /// The time for the first level, which asks for it only if its entries age.
    fn first_now(&self) -> u64 {
        if self.first.ages() { self.clock.now() } else { 0 }
    }

    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.rejoin().await;
        let now = self.clock.now();
        let claims: Vec<Option<Claim>> =
            keys.iter().map(|key| self.first.claim(key).filter(|_| cacheable(key))).collect();
        let mut noted = None;
        if let Some(second) = self.second.as_ref().filter(|_| claims.iter().all(Option::is_some)) {
            let (moment, cursor) = (self.first.moment(), self.follow.cursor());
            if let Some((slots, at)) = second.get(keys, now).await {
                let of_snapshot = |slot: &Slot| slot.value.is_some() && slot.version <= cursor;
                let all = slots
                    .iter()
                    .all(|slot| slot.as_ref().is_some_and(|slot| keys.len() == 1 || of_snapshot(slot)));
                let used = all && (keys.len() == 1 || self.first.still(moment));
                second.count(&slots, used);
                if used {
                    let found = slots.iter().map(|slot| slot.as_ref().and_then(Slot::record)).collect();
                    // It ages here from now on, as it did there.
                    let slots = slots.into_iter().flatten().map(|slot| Slot { since: now, ..slot });
                    self.fill(keys, &claims, slots);
                    return Ok(found);
                }
                noted = Some(at);
            }
        }
        let found = self.note_end(self.truth.get(keys).await)?;
        for version in found.iter().flatten().map(|record| record.version) {
            self.follow.tell(version);
        }
        let slots: Vec<Slot> = found.iter().map(|record| Slot::of(record.as_ref(), now)).collect();
        if let (Some(second), Some(noted)) = (&self.second, noted) {
            second.fill(noted, keys.iter().zip(slots.iter().cloned()), now).await;
        }
        self.fill(keys, &claims, slots.into_iter());
        Ok(found)
    }

    fn fill(&self, keys: &[Key], claims: &[Option<Claim>], slots: impl Iterator<Item = Slot>) {
        for ((key, claim), slot) in keys.iter().zip(claims).zip(slots) {
            if let Some(claim) = *claim {
                self.first.fill(key, claim, slot);
            }
        }
    }

    /// Drops what the batches touched, those that passed as those that did not.
    async fn dropped(&self, batches: &[Batch], verdicts: &[Result<Committed, Conflict>]) {
        let mut keys: Vec<&Key> = Vec::new();
        let mut marks = Vec::new();
        for (batch, verdict) in batches.iter().zip(verdicts) {
            match verdict {
                Ok(committed) => {
                    keys.extend(touched(batch));
                    if takes_a_number(batch) {
                        marks.push(Mark { sequence: committed.sequence, time: batch.time });
                    } else {
                        self.follow.tell(committed.sequence);
                    }
                }
                Err(conflict) => {
                    keys.push(&conflict.key);
                    keys.extend(batch.preconditions.iter().map(|(key, _)| key));
                    self.follow.look();
                }
            }
        }
        self.first.drop_keys(keys.iter().copied());
        if let Some(second) = &self.second {
            let kept = keys.into_iter().filter(|key| cacheable(key));
            second.drop_keys(kept, &self.follow, self.clock.now()).await;
        }
        self.follow.landed(&marks);
    }

    /// Remembers that the truth was closed, by whomever.
    fn note_end<T>(&self, outcome: Result<T>) -> Result<T> {
        if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Closed) {
            self.closed.store(true, Ordering::Release);
            self.first.clear();
        }
        outcome
    }
}

/// Whether records at `key` are kept in the levels. Settings, log entries, and pages of indexes, which are
/// read once, are not.
fn cacheable(key: &Key) -> bool {
    !matches!(key.space(), None | Some(Space::Meta | Space::Index | Space::Log))
}

fn touched(batch: &Batch) -> impl Iterator<Item = &Key> {
    batch.deletes.iter().chain(batch.puts.iter().map(|put| &put.key))
}

/// Whether a batch that passed certainly changed something, so that the number it reports is its own.
fn takes_a_number(batch: &Batch) -> bool {
    let was_there = |key: &Key| {
        batch.preconditions.iter().any(|(at, what)| at == key && matches!(what, Precondition::Version(_)))
    };
    !batch.puts.is_empty() || batch.deletes.iter().any(was_there)
}

/// A write under way: if it is dropped, its keys are in doubt.
struct UnderWay<'a> {
    cached: &'a Cached,
    batches: &'a [Batch],
    settled: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        self.cached.first.doubt(self.batches.iter().flat_map(touched));
        if let Some(second) = &self.cached.second {
            second.put_out();
        }
        self.cached.follow.look();
    }
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Cached {
    fn info(&self) -> BackendInfo {
        self.truth.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        if self.closed.load(Ordering::Acquire) {
            return self.truth.get(keys).await;
        }
        if self.follow.behind() {
            self.note_end(self.catch_up().await)?;
        }
        if let [key] = keys {
            if let Some(found) = self.first.get(key, self.first_now()) {
                return Ok(vec![found]);
            }
        } else if let Some(found) = self.first.get_all(keys, self.follow.cursor(), self.first_now()) {
            return Ok(found);
        }
        self.read(keys).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        let found = self.note_end(self.truth.scan(range, page).await)?;
        if let Some(latest) = found.records.iter().map(|(_, record)| record.version).max() {
            self.follow.tell(latest);
        }
        Ok(found)
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        let doubts = self.first.doubts();
        let mut under_way = UnderWay { cached: self, batches, settled: false };
        match self.note_end(self.truth.commit(batches).await) {
            Ok(verdicts) => {
                self.dropped(batches, &verdicts).await;
                under_way.settled = true;
                if self.first.in_doubt() {
                    // By now the log tells what became of those writes.
                    self.follow.look();
                    self.first.settle(doubts);
                }
                Ok(verdicts)
            }
            Err(error) => {
                // Any other kind says that nothing was stored.
                under_way.settled = !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Internal);
                Err(error)
            }
        }
    }

    async fn stats(&self) -> Result<Stats> {
        self.note_end(self.truth.stats().await)
    }

    async fn check(&self) -> Result<Vec<String>> {
        self.note_end(self.truth.check().await)
    }

    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        let closed = self.truth.close().await;
        self.first.clear();
        if let Some(second) = &self.second {
            second.close().await;
        }
        closed
    }
}
