//! How far the log has been dealt with, and whether there is reason to read on.
//!
//! **Invariants**
//! - Whatever the commits up to the cursor touched has been dropped from both levels.
//! - Numbers that others give are a reason to look, never taken for true: nothing is skipped or waited
//!   for because of them.
//! - News that come in while the log is read are looked at anew.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Own commits that are kept in mind while those before them are missing. If more come, they are read
/// from the log instead.
const MOST_AHEAD: usize = 4096;

/// A commit: its number and when it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sequence: u64,
    /// In milliseconds since the Unix epoch.
    pub(super) time: u64,
}

#[derive(Debug, Default)]
struct Place {
    at: Mark,
    /// Own commits that were dealt with before one with a smaller number.
    ahead: BTreeMap<u64, u64>,
}

impl Place {
    fn advance(&mut self) {
        while let Some(time) = self.ahead.remove(&(self.at.sequence + 1)) {
            self.at = Mark { sequence: self.at.sequence + 1, time };
        }
    }
}

/// The place in the log.
#[derive(Debug, Default)]
pub(super) struct Follow {
    place: Mutex<Place>,
    /// The place's number, for those who only ask.
    cursor: AtomicU64,
    /// The largest number of an own commit.
    reach: AtomicU64,
    /// How often there was reason to look, and how many of those reasons have been looked into.
    news: AtomicU64,
    heard: AtomicU64,
}

impl Follow {
    pub(super) fn new(at: Mark) -> Self {
        let follow = Self::default();
        follow.restart(at);
        follow
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        // Nothing that runs under the lock can leave the place half-changed.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor.load(Ordering::Acquire)
    }

    pub(super) fn mark(&self) -> Mark {
        self.place().at
    }

    /// Whether the log may hold something that was not dealt with.
    pub(super) fn behind(&self) -> bool {
        self.reach.load(Ordering::Acquire) > self.cursor()
            || self.news.load(Ordering::Acquire) != self.heard.load(Ordering::Acquire)
    }

    /// The log is said to have reached `sequence`.
    pub(super) fn tell(&self, sequence: u64) {
        if sequence > self.cursor() {
            self.look();
        }
    }

    /// There is reason to look into the log.
    pub(super) fn look(&self) {
        self.news.fetch_add(1, Ordering::AcqRel);
    }

    /// What there is to look into now; hand it to [`Follow::looked`] when the log was read to its end.
    pub(super) fn news(&self) -> u64 {
        self.news.load(Ordering::Acquire)
    }

    pub(super) fn looked(&self, news: u64) {
        self.heard.fetch_max(news, Ordering::AcqRel);
    }

    /// Own commits whose keys have been dropped.
    pub(super) fn landed(&self, marks: &[Mark]) {
        let mut place = self.place();
        for mark in marks.iter().filter(|mark| mark.sequence > place.at.sequence) {
            self.reach.fetch_max(mark.sequence, Ordering::AcqRel);
        }
        let at = place.at.sequence;
        place
            .ahead
            .extend(marks.iter().filter(|mark| mark.sequence > at).map(|mark| (mark.sequence, mark.time)));
        place.advance();
        if place.ahead.len() > MOST_AHEAD {
            place.ahead.clear();
        }
        self.cursor.store(place.at.sequence, Ordering::Release);
    }

    /// The log was dealt with up to `mark`.
    pub(super) fn reached(&self, mark: Mark) {
        let mut place = self.place();
        if mark.sequence > place.at.sequence {
            place.at = mark;
            place.ahead = place.ahead.split_off(&(mark.sequence + 1));
            place.advance();
        }
        self.cursor.store(place.at.sequence, Ordering::Release);
    }

    /// Whether an own commit lies beyond the cursor.
    pub(super) fn short(&self) -> bool {
        self.reach.load(Ordering::Acquire) > self.cursor()
    }

    /// Nothing is known any more; the log is followed from `at`.
    pub(super) fn restart(&self, at: Mark) {
        let mut place = self.place();
        *place = Place { at, ahead: BTreeMap::new() };
        self.reach.store(at.sequence, Ordering::Release);
        self.cursor.store(at.sequence, Ordering::Release);
    }
}
