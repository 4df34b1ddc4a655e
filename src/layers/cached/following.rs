//! The layer as a follower of the truth's log.
//!
//! **Invariants**
//! - One at a time reads the log. Whoever finds the layer behind waits until it has caught up.
//! - The cursor moves past an entry only after both levels dropped what it touched.
//! - A log that does not reach back to the cursor, is damaged there, or is further ahead than is worth
//!   reading clears the first level and makes the second worthless.

use super::Cached;
use super::follow::Mark;
use super::second::{Joining, Second};
use crate::log;
use crate::model::Key;
use crate::platform::Rng;
use crate::{Error, ErrorKind, Result};

/// Log entries that are read at a time.
const ENTRIES: usize = 256;

/// Pages of the log that are read to catch up. Beyond, it is cheaper to begin anew.
const PAGES: usize = 40;

impl Cached {
    /// Deals with everything that the log holds.
    pub(super) async fn catch_up(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        if !self.follow.behind() {
            return Ok(());
        }
        let news = self.follow.news();
        match self.read_on().await {
            // Own commits that are not in the log: another database has taken the place of this one.
            Ok(true) if self.follow.short() => self.begin_anew().await?,
            Ok(true) => {}
            Ok(false) => self.begin_anew().await?,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => {
                self.begin_anew().await?;
            }
            Err(error) => return Err(error),
        }
        self.follow.looked(news);
        Ok(())
    }

    /// Reads the log from the cursor. `false` if its end is too far away.
    async fn read_on(&self) -> Result<bool> {
        for _ in 0..PAGES {
            let page = log::read(&*self.truth, self.follow.cursor(), ENTRIES).await?;
            for entry in &page.entries {
                for (key, _) in &entry.touched {
                    self.first.drop_older(key, entry.sequence);
                }
            }
            if let Some(last) = page.entries.last() {
                let mark = Mark { sequence: last.sequence, time: last.time };
                if let Some(second) = &self.second {
                    let touched = page.entries.iter().flat_map(|entry| &entry.touched).map(|(key, _)| key);
                    second.drop_keys(touched, &self.follow, self.clock.now()).await;
                }
                self.follow.reached(mark);
            }
            if !page.more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn begin_anew(&self) -> Result<()> {
        let head = log::head(&*self.truth).await?;
        self.first.clear();
        if let Some(second) = &self.second {
            second.put_out();
        }
        self.follow.restart(Mark { sequence: head.sequence, time: head.time });
        Ok(())
    }

    /// Takes the second level into use again, if it is out of it and its pause is over.
    pub(super) async fn rejoin(&self) {
        let Some(second) = self.second.as_ref().filter(|second| second.due(self.clock.now())) else {
            return;
        };
        let _turn = self.turn.lock().await;
        if second.due(self.clock.now()) {
            // Its failures are counted there; those of the truth the read itself will meet.
            let _ = self.join(second).await;
        }
    }

    /// Joins the second level to the log.
    ///
    /// # Errors
    /// What the truth gives, and `Invalid` if the level is no cache.
    pub(super) async fn join(&self, second: &Second) -> Result<()> {
        let joining = match second.join().await {
            Ok(joining) => joining,
            Err(error) => {
                second.fail(self.clock.now());
                return if error.kind() == ErrorKind::Invalid { Err(error) } else { Ok(()) };
            }
        };
        let mark = match joining.mark() {
            Some(mark) if self.knows(mark).await? => Some(mark),
            _ => None,
        };
        match self.replay(&joining, mark).await {
            Ok(()) => {
                if joining.finish(&self.follow, self.clock.now()).await.is_err() {
                    second.fail(self.clock.now());
                }
                Ok(())
            }
            Err(Failed::Truth(error)) => Err(error),
            Err(Failed::Second) => {
                joining.fail(self.clock.now());
                Ok(())
            }
        }
    }

    /// Whether the commit `mark` is one of this truth's.
    async fn knows(&self, mark: Mark) -> Result<bool> {
        if mark.sequence == 0 {
            return Ok(true);
        }
        match log::read(&*self.truth, mark.sequence - 1, 1).await {
            Ok(page) => Ok(page.entries.first().is_some_and(|entry| entry.time == mark.time)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Drops from the second level what the log touched after `mark`; without one, everything.
    async fn replay(&self, joining: &Joining<'_>, mark: Option<Mark>) -> Result<(), Failed> {
        let mut at = mark;
        for _ in 0..PAGES {
            let now = self.clock.now();
            let from = match at {
                Some(from) => from,
                None => {
                    let head = log::head(&*self.truth).await.map_err(Failed::Truth)?;
                    let head = Mark { sequence: head.sequence, time: head.time };
                    joining.found(self.random()?, head, now).await.map_err(Failed::second)?;
                    head
                }
            };
            let page = match log::read(&*self.truth, from.sequence, ENTRIES).await {
                Ok(page) => page,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => {
                    at = None;
                    continue;
                }
                Err(error) => return Err(Failed::Truth(error)),
            };
            let Some(last) = page.entries.last() else { return Ok(()) };
            let last = Mark { sequence: last.sequence, time: last.time };
            let touched: Vec<Key> =
                page.entries.iter().flat_map(|entry| &entry.touched).map(|(key, _)| key.clone()).collect();
            joining.replay(touched, last, now).await.map_err(Failed::second)?;
            if !page.more {
                return Ok(());
            }
            at = Some(last);
        }
        // The writers are faster than this; it will be tried again.
        Err(Failed::Second)
    }

    fn random(&self) -> Result<u64, Failed> {
        random(&*self.rng).map_err(|_| Failed::Second)
    }
}

/// A number that nobody can guess.
pub(super) fn random(rng: &dyn Rng) -> Result<u64> {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes).map_err(|cause| {
        Error::unavailable("a cache needs randomness, and there was none").with_source(cause)
    })?;
    Ok(u64::from_le_bytes(bytes))
}

/// Which side failed while the second level was joined.
enum Failed {
    Truth(Error),
    Second,
}

impl Failed {
    fn second(_: Error) -> Self {
        Self::Second
    }
}
