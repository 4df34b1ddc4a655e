//! The side that is copied from. It keeps nothing: all it needs is in the cursor.
//!
//! **Invariants**
//! - A page of changes holds what lies at its keys *now*, which may be newer than the entries it stands
//!   for. Then the log holds more entries, and the cursor is not settled; so a settled cursor means that
//!   everything is as of its sequence number.

use std::collections::BTreeSet;

use super::digest::{Digest, Digested, MOST, digest_once, next_limit};
use super::page::{Bytes, CopyPage, Cursor, Stage, copied, marker_key, weight};
use crate::backends::Backend;
use crate::log;
use crate::model::{Key, LogEntry, Page, Range, Space};
use crate::{Error, ErrorKind, Result};

/// Records that are read at once at the beginning.
const FIRST_LIMIT: u32 = 32;

/// Log entries that are looked at for one page.
const ENTRIES: usize = 256;

/// Changed records that are read at once: their sizes are not known before.
const CHANGED: usize = 16;

/// A source of pages.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    backend: &'a dyn Backend,
    page_bytes: u64,
}

impl<'a> Source<'a> {
    /// Reads from `backend`, in pages of about `page_bytes`: a page ends with the record that reaches it.
    #[must_use]
    pub fn new(backend: &'a dyn Backend, page_bytes: usize) -> Self {
        Self { backend, page_bytes: page_bytes.max(1) as u64 }
    }

    /// The page that `cursor` asks for.
    ///
    /// # Errors
    /// `Conflict` if the log no longer reaches back to the cursor: the copy has to begin anew. `Invalid`
    /// if the cursor is of another source. What the backend's reads give.
    pub async fn page(&self, cursor: &Cursor) -> Result<CopyPage> {
        match &cursor.stage {
            Stage::Begin => {
                let head = log::head(self.backend).await?;
                let next = Cursor {
                    stage: Stage::Records(None),
                    since: head.sequence,
                    time: head.time,
                    skip: 0,
                    limit: FIRST_LIMIT,
                };
                self.answer(cursor, next, Vec::new()).await
            }
            Stage::Records(after) => {
                self.check_origin(cursor).await?;
                self.records(cursor, after.clone()).await
            }
            Stage::Changes | Stage::Settled => {
                self.check_origin(cursor).await?;
                self.changes(cursor).await
            }
        }
    }

    /// The digest of the source, if it is still what `cursor` says: settled, and nothing since. Otherwise
    /// there are more pages to ask for.
    ///
    /// # Errors
    /// What the backend's reads give.
    pub async fn digest(&self, cursor: &Cursor) -> Result<Option<Digest>> {
        Ok(self.digested(cursor, |_| ()).await?.map(|found| found.digest))
    }

    /// As [`Source::digest`], telling `progress` of the bytes read so far.
    pub(super) async fn digested(
        &self,
        cursor: &Cursor,
        progress: impl FnMut(u64),
    ) -> Result<Option<Digested>> {
        if !cursor.settled() {
            return Ok(None);
        }
        let found = digest_once(self.backend, progress).await?;
        Ok(found.filter(|found| found.sequence == cursor.since))
    }

    async fn answer(
        &self,
        from: &Cursor,
        next: Cursor,
        records: Vec<(Key, Option<Bytes>)>,
    ) -> Result<CopyPage> {
        let past = self.backend.scan(&Range::space(Space::History), Page::first(1)).await?;
        // Asked for after the records were read, so that no version in them is newer.
        let raise_to = if past.records.is_empty() { 0 } else { log::head(self.backend).await?.sequence };
        Ok(CopyPage { from: from.clone(), next, records, raise_to })
    }

    /// Whether the cursor was made by this source.
    async fn check_origin(&self, cursor: &Cursor) -> Result<()> {
        if cursor.time == 0 {
            // The source had no log entry at the beginning, by which to know it.
            return Ok(());
        }
        let page = match log::read(self.backend, cursor.since.saturating_sub(1), 1).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(trimmed(error)),
            page => page?,
        };
        match page.entries.first() {
            Some(entry) if entry.time == cursor.time => Ok(()),
            _ => Err(Error::invalid(
                "the unfinished copy in the target is of another source; replace it to begin anew",
            )),
        }
    }

    async fn records(&self, cursor: &Cursor, after: Option<Key>) -> Result<CopyPage> {
        let limit = usize::try_from(cursor.limit).unwrap_or(1).clamp(1, MOST);
        let page = Page { limit, reverse: false, after };
        let found = self.backend.scan(&copied(), page).await?;
        let count = found.records.len();
        let all: u64 = found.records.iter().map(|(key, record)| weight(key, record.value.len())).sum();
        let (mut bytes, mut last, mut taken) = (0, None, 0);
        let mut records = Vec::with_capacity(count);
        for (key, record) in found.records {
            if bytes >= self.page_bytes {
                break;
            }
            bytes += weight(&key, record.value.len());
            taken += 1;
            last = Some(key.clone());
            if key != marker_key() {
                records.push((key, Some(Bytes(record.value))));
            }
        }
        let more = taken < count || found.cursor.is_some();
        let stage = if more { Stage::Records(last) } else { Stage::Changes };
        let limit = next_limit(limit, count, all, self.page_bytes) as u32;
        self.answer(cursor, Cursor { stage, limit, ..cursor.clone() }, records).await
    }

    async fn changes(&self, cursor: &Cursor) -> Result<CopyPage> {
        let page = match log::read(self.backend, cursor.since, ENTRIES).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(trimmed(error)),
            page => page?,
        };
        let mut next = Cursor { stage: Stage::Changes, ..cursor.clone() };
        if page.entries.is_empty() {
            next.stage = Stage::Settled;
            return self.answer(cursor, next, Vec::new()).await;
        }
        let mut seen = BTreeSet::new();
        let mut records = Vec::new();
        let mut bytes = 0;
        'entries: for entry in &page.entries {
            let skip = usize::try_from(next.skip).unwrap_or(usize::MAX);
            let rest = entry.touched.get(skip..).unwrap_or_default();
            for some in rest.chunks(CHANGED) {
                if bytes >= self.page_bytes {
                    break 'entries;
                }
                bytes += self.read(some, &mut seen, &mut records).await?;
                next.skip += some.len() as u64;
            }
            next = after(entry, next);
        }
        self.answer(cursor, next, records).await
    }

    /// What lies now at the keys that were not seen yet; gives its size.
    async fn read(
        &self,
        touched: &[(Key, crate::model::Touch)],
        seen: &mut BTreeSet<Key>,
        records: &mut Vec<(Key, Option<Bytes>)>,
    ) -> Result<u64> {
        let mut keys: Vec<Key> = touched.iter().map(|(key, _)| key.clone()).collect();
        keys.retain(|key| *key != marker_key() && copied().contains(key) && seen.insert(key.clone()));
        let found = self.backend.get(&keys).await?;
        let mut bytes = 0;
        for (key, record) in keys.into_iter().zip(found) {
            bytes += weight(&key, record.as_ref().map_or(0, |record| record.value.len()));
            records.push((key, record.map(|record| Bytes(record.value))));
        }
        Ok(bytes)
    }
}

fn after(entry: &LogEntry, cursor: Cursor) -> Cursor {
    Cursor { since: entry.sequence, time: entry.time, skip: 0, ..cursor }
}

fn trimmed(cause: Error) -> Error {
    Error::conflict(
        "the source's log was trimmed while it was copied, so its changes are not known; replace the target to begin \
         anew",
    )
    .with_source(cause)
}
