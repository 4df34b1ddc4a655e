//! The side that is copied to.
//!
//! **Invariants**
//! - From the first write to the last, the marker lies in the target; it moves in the same batch as the
//!   page that it speaks of. So a copy that was cut off can be told, and goes on where it stopped.
//! - A page is taken whole or not at all, and only if it is the answer to the cursor of the marker.
//! - Two copies at once into one target end in a conflict for one of them.

use serde::{Deserialize, Serialize};

use super::digest::{Digest, digest};
use super::page::{CopyPage, Cursor, Stage, copied, decode, encode, everything, marker_key};
use crate::backends::Backend;
use crate::log;
use crate::model::{Batch, Key, Page, Precondition, Put};
use crate::platform::{Clock, SystemClock};
use crate::{Error, ErrorKind, Result};

/// Records that are deleted at once when a target is emptied.
const DELETED: usize = 512;

/// Commits that are made at once to raise the sequence number.
const RAISED: u64 = 4_096;

/// The furthest that the sequence number is raised.
const MOST_RAISED: u64 = 1 << 26;

/// What to do with a target that holds something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Existing {
    /// Refuse it. An unfinished copy is taken up.
    #[default]
    Refuse,
    /// Delete it first. An unfinished copy too.
    Replace,
}

/// What lies in the target while a copy is not finished.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Marker {
    /// Whether what was there before is still being deleted.
    emptying: bool,
    cursor: Cursor,
    records: u64,
    bytes: u64,
}

/// A target that takes pages.
#[derive(Debug)]
pub struct Target<'a> {
    backend: &'a dyn Backend,
    marker: Marker,
    /// The version of the marker's record.
    version: u64,
    resumed: bool,
}

impl<'a> Target<'a> {
    /// Begins to copy into `backend`, or takes an unfinished copy up.
    ///
    /// # Errors
    /// `Invalid` if it holds something and `existing` does not say to replace it; what the backend's
    /// calls give.
    pub async fn begin(backend: &'a dyn Backend, existing: Existing) -> Result<Self> {
        let stored = backend.get(&[marker_key()]).await?.into_iter().next().flatten();
        let version = stored.as_ref().map_or(0, |record| record.version);
        let found = match (&stored, existing) {
            (Some(record), Existing::Refuse) => {
                Some(decode::<Marker>("the marker of a copy", &record.value)?)
            }
            _ => None,
        };
        let mut target =
            Self { backend, version, resumed: found.is_some(), marker: found.unwrap_or_default() };
        if target.resumed {
            target.empty().await?;
            return Ok(target);
        }
        let occupied = backend.scan(&everything(), Page::first(1)).await?.records.into_iter().next();
        if let Some((key, _)) = occupied {
            if existing == Existing::Refuse {
                let message = "the target of the copy holds records; give an empty one, or say that it is to be replaced";
                return Err(Error::invalid(message).with_key(key));
            }
            target.marker.emptying = true;
        }
        target.commit(Batch::new(SystemClock.now()), target.marker.clone()).await?;
        target.empty().await?;
        Ok(target)
    }

    /// What to ask the source for.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.marker.cursor
    }

    /// Whether an unfinished copy was taken up.
    #[must_use]
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// Records and bytes taken so far, also before it was cut off.
    #[must_use]
    pub fn taken(&self) -> (u64, u64) {
        (self.marker.records, self.marker.bytes)
    }

    /// Takes a page; returns what to ask for next.
    ///
    /// # Errors
    /// `Invalid` for a page that is not the answer to [`Target::cursor`], or that no source makes;
    /// `Conflict` if another copy writes to the same target; what the backend's commit gives. Then nothing
    /// of the page is stored, unless the outcome is unknown: begin again, and it goes on from there.
    pub async fn accept(&mut self, page: CopyPage) -> Result<&Cursor> {
        check(&self.marker.cursor, &page)?;
        self.raise(page.raise_to).await?;
        let mut marker = self.marker.clone();
        marker.records += page.records.len() as u64;
        marker.bytes += page.bytes();
        marker.cursor = page.next;
        let mut batch = Batch::new(SystemClock.now());
        for (key, value) in page.records {
            match value {
                // The bytes as they are, times of creation and all.
                Some(value) => batch.puts.push(Put { key, value: value.0, keep_created: false }),
                None => batch.deletes.push(key),
            }
        }
        self.commit(batch, marker).await?;
        Ok(&self.marker.cursor)
    }

    /// Compares the target with what the source says it holds, and ends the copy: the marker goes.
    ///
    /// # Errors
    /// `Invalid` if the cursor is not settled; `Corrupt` if the target holds something else, and then the
    /// marker stays; what the backend's calls give.
    pub async fn finish(self, expected: Digest) -> Result<Digest> {
        if !self.marker.cursor.settled() {
            return Err(Error::invalid(
                "the copy is not through yet; take pages until the cursor is settled",
            ));
        }
        let found = digest(self.backend).await?;
        if found != expected {
            return Err(differs(expected, found));
        }
        let batch = Batch::new(SystemClock.now())
            .delete(marker_key())
            .require(marker_key(), Precondition::Version(self.version));
        self.pass(batch).await?;
        Ok(found)
    }

    /// Deletes what was there before, if that is not done yet.
    async fn empty(&mut self) -> Result<()> {
        let mut after = None;
        while self.marker.emptying {
            let page = Page { limit: DELETED, reverse: false, after };
            let found = self.backend.scan(&everything(), page).await?;
            let mut batch = Batch::new(SystemClock.now());
            batch
                .deletes
                .extend(found.records.into_iter().map(|(key, _)| key).filter(|key| *key != marker_key()));
            after = found.cursor;
            let marker = Marker { emptying: after.is_some(), ..self.marker.clone() };
            self.commit(batch, marker).await?;
        }
        Ok(())
    }

    /// Commits until the sequence number has reached `to`: the only way there is to raise it.
    async fn raise(&mut self, to: u64) -> Result<()> {
        if to == 0 {
            return Ok(());
        }
        if to > MOST_RAISED {
            return Err(Error::unsupported(format!(
                "the source keeps a history and has made {to} commits; only up to {MOST_RAISED} can be copied"
            )));
        }
        loop {
            let reached = log::head(self.backend).await?.sequence;
            if reached >= to {
                return Ok(());
            }
            let bytes = encode(&self.marker)?;
            let step = || Batch::new(SystemClock.now()).put(marker_key(), bytes.clone());
            let mut batches: Vec<Batch> = (0..RAISED.min(to - reached)).map(|_| step()).collect();
            batches[0].preconditions = vec![(marker_key(), Precondition::Version(self.version))];
            // The entries say nothing to anybody.
            batches[0].trim_log = Some(reached);
            let verdicts = self.backend.commit(&batches).await?;
            if let Some(Err(_)) = verdicts.first() {
                return Err(another());
            }
            self.version =
                verdicts.iter().flatten().map(|committed| committed.sequence).max().unwrap_or(self.version);
        }
    }

    /// Commits `batch` and moves the marker with it.
    async fn commit(&mut self, mut batch: Batch, marker: Marker) -> Result<()> {
        let what = if self.version == 0 { Precondition::Absent } else { Precondition::Version(self.version) };
        batch.preconditions.push((marker_key(), what));
        batch = batch.put(marker_key(), encode(&marker)?);
        self.version = self.pass(batch).await?;
        self.marker = marker;
        Ok(())
    }

    async fn pass(&self, batch: Batch) -> Result<u64> {
        match self.backend.commit(&[batch]).await?.into_iter().next() {
            Some(Ok(committed)) => Ok(committed.sequence),
            Some(Err(_)) => Err(another()),
            None => Err(Error::internal("a backend gave no verdict on a batch")),
        }
    }
}

fn another() -> Error {
    Error::conflict("another copy into the same target goes on; let it end, or begin again to take it over")
}

fn differs(expected: Digest, found: Digest) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!(
            "the copy differs from its source: digest {found}, not {expected}; replace it by another copy"
        ),
    )
}

/// Refuses a page that is not the answer to `cursor`, or that no source makes.
fn check(cursor: &Cursor, page: &CopyPage) -> Result<()> {
    let invalid = |what: &str| Err(Error::invalid(format!("the page of the copy is refused: {what}")));
    if page.from != *cursor {
        return invalid("it is not the one that was asked for");
    }
    if let Some((key, _)) = page.records.iter().find(|(key, _)| foreign(key)) {
        return Err(
            Error::invalid("the page of the copy is refused: no source copies this key").with_key(key)
        );
    }
    let next = &page.next;
    match (&cursor.stage, &next.stage) {
        (Stage::Begin, Stage::Records(None)) if page.records.is_empty() => Ok(()),
        (Stage::Records(after), Stage::Records(_) | Stage::Changes) => {
            let keys = || after.iter().chain(page.records.iter().map(|(key, _)| key));
            if keys().zip(keys().skip(1)).any(|(one, two)| one >= two) {
                return invalid("its keys are not in order");
            }
            if page.records.iter().any(|(_, value)| value.is_none()) {
                return invalid("a key in it has no value");
            }
            if let Stage::Records(last) = &next.stage
                && (last <= after || last.as_ref() < page.records.last().map(|(key, _)| key))
            {
                return invalid("it leads back");
            }
            if (next.since, next.time) != (cursor.since, cursor.time) {
                return invalid("it speaks of another beginning");
            }
            Ok(())
        }
        (Stage::Changes | Stage::Settled, Stage::Changes) => {
            if (next.since, next.skip) <= (cursor.since, cursor.skip) {
                return invalid("it leads nowhere");
            }
            Ok(())
        }
        (Stage::Changes | Stage::Settled, Stage::Settled) => {
            if next.since != cursor.since || !page.records.is_empty() {
                return invalid("it ends and goes on at once");
            }
            Ok(())
        }
        _ => invalid("it leads nowhere"),
    }
}

fn foreign(key: &Key) -> bool {
    *key == marker_key() || !copied().contains(key)
}
