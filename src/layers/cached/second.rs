//! The level behind the one in memory: any backend, which outlives this process and may serve several.
//!
//! Every drop rewrites one note in it (see [`super::entry`]), in the same batch as the deletes. A fill
//! is bound to the version of the note that was seen before the truth was read; so no fill, from
//! whichever process, can bring back what was dropped in between. The price: of two fills around a
//! drop the earlier is lost, which a cache can bear.
//!
//! **Invariants**
//! - The note never claims more than was dropped: it names the place in the log of a moment before.
//! - It answers only while it is in use: joined to the log, and told of every drop since. Whatever
//!   fails, or is left half-done by a future that was dropped, puts it out of use; it is joined anew
//!   from the log, or, if the log does not reach back that far, given a new generation, which makes
//!   everything in it worthless.
//! - Its failures are counted and never passed on.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counters::{LevelCounters, SecondCounters, Tally};
use super::entry::{self, Note, note_key};
use super::first::Slot;
use super::follow::{Follow, Mark};
use crate::backends::Backend;
use crate::layers::GroupCommit;
use crate::model::{Batch, Key, Page, Precondition, Range, Record, Space, heap_sort_by};
use crate::{Error, Result};

/// How long it stays out of use after a failure, in milliseconds; twice as long after each further one.
const FIRST_PAUSE_MS: u64 = 1_000;

/// The longest it stays out of use before it is tried again, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 60_000;

/// How often a drop is tried while other processes move the note.
const TRIES: usize = 16;

/// Entries of its own log, which nobody follows, that may gather.
const LOG_ENTRIES: u64 = 1_024;

/// A note as it lies there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    pub(super) note: Note,
    /// The version of the note's own record, in the second level.
    version: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It answers, and is told of every drop before the write returns.
    Joined,
    /// It is being joined to the log: drops gather, nobody asks it.
    Joining,
    /// Nobody asks it, nobody tells it.
    Out { until: u64 },
}

#[derive(Debug)]
struct State {
    stage: Use,
    /// Keys to drop.
    waiting: Vec<Key>,
    noted: Option<Noted>,
    pause_ms: u64,
}

/// The level: see the top of this file.
#[derive(Debug)]
pub(super) struct Second {
    backend: GroupCommit,
    ttl_ms: Option<u64>,
    largest: usize,
    state: Mutex<State>,
    /// Held across a drop, so that whoever waits finds his own keys dropped by another.
    turn: futures_util::lock::Mutex<()>,
    tally: Tally,
    failures: AtomicU64,
    /// Where the last sweep ended.
    swept: Mutex<Option<Key>>,
    /// The latest of its own sequence numbers that was seen, and up to where its own log was trimmed.
    latest: AtomicU64,
    trimmed: AtomicU64,
}

impl Second {
    pub(super) fn new(backend: Arc<dyn Backend>, ttl_ms: Option<u64>) -> Self {
        Self {
            largest: backend.info().max_value_bytes,
            backend: GroupCommit::new(backend),
            ttl_ms,
            state: Mutex::new(State {
                stage: Use::Out { until: 0 },
                waiting: Vec::new(),
                noted: None,
                pause_ms: FIRST_PAUSE_MS,
            }),
            turn: futures_util::lock::Mutex::default(),
            tally: Tally::default(),
            failures: AtomicU64::new(0),
            swept: Mutex::default(),
            latest: AtomicU64::new(0),
            trimmed: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock can leave the state half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn in_use(&self) -> bool {
        self.state().stage == Use::Joined
    }

    /// Whether it is out of use and its pause is over.
    pub(super) fn due(&self, now: u64) -> bool {
        matches!(self.state().stage, Use::Out { until } if until <= now || until > now + LONGEST_PAUSE_MS)
    }

    /// Puts it out of use until it is joined anew, which may be tried at once.
    pub(super) fn put_out(&self) {
        let mut state = self.state();
        *state = State { stage: Use::Out { until: 0 }, waiting: Vec::new(), noted: None, ..*state };
    }

    /// Puts it out of use after a failure.
    pub(super) fn fail(&self, now: u64) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        let pause_ms = state.pause_ms;
        *state = State {
            stage: Use::Out { until: now.saturating_add(pause_ms) },
            waiting: Vec::new(),
            noted: None,
            pause_ms: (pause_ms * 2).min(LONGEST_PAUSE_MS),
        };
    }

    /// What it knows of `keys`, and the note under which it was found; `None` if it can not say.
    pub(super) async fn get(&self, keys: &[Key], now: u64) -> Option<(Vec<Option<Slot>>, Noted)> {
        if !self.in_use() {
            return None;
        }
        let mut wanted = Vec::with_capacity(keys.len() + 1);
        wanted.push(note_key());
        wanted.extend_from_slice(keys);
        let found = match self.backend.get(&wanted).await {
            Ok(found) if found.len() == wanted.len() => found,
            _ => {
                self.fail(now);
                return None;
            }
        };
        let mut found = found.into_iter();
        let Some(noted) = found.next().and_then(noted) else {
            // Somebody emptied it.
            self.put_out();
            return None;
        };
        let slot = |(key, record): (&Key, Option<Record>)| {
            let slot = entry::decode(key, noted.note.generation, &record?.value);
            slot.filter(|slot| slot.fresh(now, self.ttl_ms))
        };
        let slots: Vec<Option<Slot>> = keys.iter().zip(found).map(slot).collect();
        // A read that was asked before it was put out, and answered after, is as good as one before.
        Some((slots, noted))
    }

    pub(super) fn count(&self, slots: &[Option<Slot>], used: bool) {
        if !used {
            return self.tally.missed(slots.len());
        }
        slots.iter().flatten().for_each(|slot| self.tally.hit(slot.value.is_none()));
    }

    /// Puts in what the truth answered, unless anything was dropped since `noted` was seen.
    pub(super) async fn fill(&self, noted: Noted, slots: impl Iterator<Item = (&Key, Slot)>, now: u64) {
        let mut batch = Batch::new(now).require(note_key(), Precondition::Version(noted.version));
        for (key, slot) in slots {
            let bytes = entry::encode(key, noted.note.generation, &slot);
            if bytes.len() <= self.largest {
                batch = batch.put(key.clone(), bytes);
            }
        }
        if batch.puts.is_empty() || !self.in_use() {
            return;
        }
        // A conflict is a fill that came too late.
        if self.commit(batch).await.is_err() {
            self.fail(now);
        }
    }

    /// Commits one batch; gives its number, or `None` on a conflict.
    async fn commit(&self, mut batch: Batch) -> Result<Option<u64>> {
        let latest = self.latest.load(Ordering::Relaxed);
        if latest >= self.trimmed.load(Ordering::Relaxed).saturating_add(LOG_ENTRIES) {
            self.trimmed.store(latest, Ordering::Relaxed);
            batch.trim_log = Some(latest);
        }
        let verdict = self.backend.commit(&[batch]).await?.into_iter().next();
        let verdict = verdict.ok_or_else(|| Error::unavailable("the second cache level gave no verdict"))?;
        Ok(verdict.ok().map(|committed| {
            self.latest.fetch_max(committed.sequence, Ordering::Relaxed);
            committed.sequence
        }))
    }

    /// Drops `keys`; when it returns, nobody is answered with what was there before.
    pub(super) async fn drop_keys(&self, keys: impl Iterator<Item = &Key>, follow: &Follow, now: u64) {
        {
            let mut state = self.state();
            match state.stage {
                Use::Out { .. } => return,
                Use::Joining => return state.waiting.extend(keys.cloned()),
                Use::Joined => state.waiting.extend(keys.cloned()),
            }
        }
        let _turn = self.turn.lock().await;
        if self.in_use() && self.drop_waiting(follow, now).await.is_err() {
            self.fail(now);
        }
    }

    /// Drops what waits, in one batch with the note. If the future is dropped half-way, the level is put
    /// out of use.
    async fn drop_waiting(&self, follow: &Follow, now: u64) -> Result<()> {
        // Read before the keys are taken: what had been dealt with by then is among them, or was before.
        let mark = follow.mark();
        let (mut keys, noted) = {
            let mut state = self.state();
            (mem::take(&mut state.waiting), state.noted)
        };
        if keys.is_empty() {
            return Ok(());
        }
        heap_sort_by(&mut keys, Key::cmp);
        keys.dedup();
        let noted = noted.ok_or_else(|| Error::internal("a cache level is in use without its note"))?;
        let unfinished = Unfinished(self);
        let noted = self.write(noted, keys, mark, now).await?;
        self.state().noted = Some(noted);
        mem::forget(unfinished);
        Ok(())
    }

    /// Deletes `keys` and moves the note on to `mark`, whoever else moves it.
    async fn write(&self, noted: Noted, keys: Vec<Key>, mark: Mark, now: u64) -> Result<Noted> {
        let mut noted = noted;
        for _ in 0..TRIES {
            let later = if mark.sequence > noted.note.mark.sequence { mark } else { noted.note.mark };
            let note = Note { mark: later, ..noted.note };
            let batch = Batch { deletes: keys.clone(), ..Batch::new(now) }
                .put(note_key(), note.encode())
                .require(note_key(), Precondition::Version(noted.version));
            if let Some(version) = self.commit(batch).await? {
                return Ok(Noted { note, version });
            }
            noted = self.noted().await?.ok_or_else(emptied)?;
        }
        Err(Error::unavailable("the note of the second cache level is moved by others all the time"))
    }

    async fn noted(&self) -> Result<Option<Noted>> {
        Ok(self.backend.get(&[note_key()]).await?.into_iter().next().and_then(noted))
    }

    /// Begins to join it to the log: the note that lies there, if it is one.
    pub(super) async fn join(&self) -> Result<Joining<'_>> {
        self.state().stage = Use::Joining;
        let joining = Joining { second: self, done: false };
        let found = self.backend.get(&[note_key()]).await?.into_iter().next().flatten();
        if found.is_none() {
            self.check_vacant().await?;
        }
        self.state().noted = noted(found);
        Ok(joining)
    }

    /// Refuses a backend without a note that holds what no cache put there.
    async fn check_vacant(&self) -> Result<()> {
        let found = self.backend.scan(&everything(), Page::first(1)).await?;
        match found.records.into_iter().next() {
            Some((key, record)) if !entry::ours(&key, &record.value) => Err(Error::invalid(
                "cache.second holds records of its own, which a cache would overwrite; give an empty backend",
            )
            .with_key(key)),
            _ => Ok(()),
        }
    }

    /// Removes what is too old or of another generation, of about `limit` entries after those that were
    /// looked at last time. Returns whether the end was reached.
    pub(super) async fn sweep(&self, limit: usize, now: u64) -> bool {
        if !self.in_use() {
            return true;
        }
        let after = self.swept.lock().unwrap_or_else(PoisonError::into_inner).take();
        match self.sweep_page(limit, after, now).await {
            Ok(cursor) => {
                let end = cursor.is_none();
                *self.swept.lock().unwrap_or_else(PoisonError::into_inner) = cursor;
                end
            }
            Err(_) => {
                self.fail(now);
                true
            }
        }
    }

    async fn sweep_page(&self, limit: usize, after: Option<Key>, now: u64) -> Result<Option<Key>> {
        let Some(noted) = self.noted().await? else { return Ok(None) };
        let page = Page { limit, reverse: false, after };
        let found = self.backend.scan(&everything(), page).await?;
        let mut batch = Batch::new(now);
        for (key, record) in found.records {
            let slot = entry::decode(&key, noted.note.generation, &record.value);
            if slot.is_some_and(|slot| slot.fresh(now, self.ttl_ms)) || !entry::ours(&key, &record.value) {
                continue;
            }
            // Only that entry: it may have been filled anew, and is then looked at another time.
            batch.preconditions.push((key.clone(), Precondition::Version(record.version)));
            batch.deletes.push(key);
        }
        if !batch.deletes.is_empty() {
            self.commit(batch).await?;
        }
        Ok(found.cursor)
    }

    pub(super) fn counters(&self) -> SecondCounters {
        let level: LevelCounters = self.tally.counters();
        SecondCounters { level, failures: self.failures.load(Ordering::Relaxed), in_use: self.in_use() }
    }

    pub(super) async fn close(&self) {
        self.put_out();
        if self.backend.close().await.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn noted(record: Option<Record>) -> Option<Noted> {
    let record = record?;
    Note::decode(&record.value).map(|note| Noted { note, version: record.version })
}

/// Every key but those of the log.
fn everything() -> Range {
    Range::new(Vec::new(), Some(vec![Space::Log as u8]))
}

fn emptied() -> Error {
    Error::unavailable("the second cache level was emptied")
}

/// Puts the level out of use when it is dropped.
struct Unfinished<'a>(&'a Second);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.put_out();
    }
}

/// The level while it is joined to the log; out of use if this is dropped before [`Joining::finish`].
pub(super) struct Joining<'a> {
    second: &'a Second,
    done: bool,
}

impl Joining<'_> {
    /// Up to where the log was followed, if the level says so.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.second.state().noted.map(|noted| noted.note.mark)
    }

    /// Makes everything in it worthless: its entries count from `mark` on.
    pub(super) async fn found(&self, generation: u64, mark: Mark, now: u64) -> Result<()> {
        let note = Note { generation, mark };
        // Whatever lies there goes, whoever wrote it; what others fill in is bound to what lay there.
        let version = self.second.commit(Batch::new(now).put(note_key(), note.encode())).await?;
        let version = version.ok_or_else(|| Error::unavailable("the second cache level refused its note"))?;
        self.second.state().noted = Some(Noted { note, version });
        Ok(())
    }

    /// Drops what the log up to `mark` touched.
    pub(super) async fn replay(&self, keys: Vec<Key>, mark: Mark, now: u64) -> Result<()> {
        let noted = self.second.state().noted.ok_or_else(emptied)?;
        let noted = self.second.write(noted, keys, mark, now).await?;
        self.second.state().noted = Some(noted);
        Ok(())
    }

    /// Drops what gathered meanwhile, and puts the level to use.
    pub(super) async fn finish(mut self, follow: &Follow, now: u64) -> Result<()> {
        let _turn = self.second.turn.lock().await;
        loop {
            self.second.drop_waiting(follow, now).await?;
            let mut state = self.second.state();
            if state.stage != Use::Joining {
                return Ok(());
            }
            if state.waiting.is_empty() {
                state.stage = Use::Joined;
                state.pause_ms = FIRST_PAUSE_MS;
                self.done = true;
                return Ok(());
            }
        }
    }

    /// Ends the attempt after a failure of the level.
    pub(super) fn fail(mut self, now: u64) {
        self.done = true;
        self.second.fail(now);
    }
}

impl Drop for Joining<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.second.put_out();
        }
    }
}
