//! Upkeep: removing what has expired, trimming the log, checking everything.
//!
//! **Invariants**
//! - Only what has expired by the memory's own clock is removed, and only the version that expired:
//!   a record that was saved again in the meantime stays.
//! - Verifying changes nothing.

use super::Memory;
use super::page::{MAX_PAGE, Problem};
use super::save::history_range;
use super::store::expires_of;
use crate::model::{
    Batch, CommitKind, Component, Envelope, Key, KeyBuilder, LogEntry, Page, Precondition, Range, Record,
    Space,
};
use crate::platform::Monotonic;
use crate::{Error, ErrorKind, Result};

/// Log entries that are kept for followers that fell behind.
const LOG_ENTRIES: u64 = 10_000;

/// Expired records that are looked at in one step.
const STEP: usize = 64;

/// What a piece of upkeep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Maintained {
    /// How many expired records were removed.
    pub expired: usize,
    /// Whether there is more to do.
    pub more: bool,
}

/// What a piece of verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyPage {
    /// How many records were read.
    pub checked: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Where to go on.
    pub cursor: Option<Key>,
}

impl Memory {
    /// Removes what has expired, for about `budget_ms` milliseconds; then stores what changed of the indexes of
    /// collections, and trims the log.
    ///
    /// # Errors
    /// What the backend's reads and commits give; what was removed by then stays removed.
    pub async fn maintain(&self, budget_ms: f64) -> Result<Maintained> {
        let begun = Monotonic::now();
        let mut done = Maintained::default();
        loop {
            let now = self.now();
            let until = KeyBuilder::new(Space::Expiry).integer(now.saturating_add(1)).build();
            let due = Range::new(vec![Space::Expiry as u8], Some(until.as_bytes().to_vec()));
            let found = self.backend().scan(&due, Page::first(STEP)).await?;
            for (note, _) in &found.records {
                done.expired += usize::from(self.expire(note, now).await?);
            }
            if found.cursor.is_none() {
                break;
            }
            if begun.elapsed_ms() >= budget_ms {
                done.more = true;
                return Ok(done);
            }
        }
        // Before the log is trimmed: an index that is stored as of an earlier time needs what comes after.
        let stored = self.flush_collections().await;
        if let Some(to) = self.trim_due(LOG_ENTRIES) {
            self.commit(Batch { trim_log: Some(to), ..Batch::new(self.now()) }).await?;
        }
        // It goes on where it ended, so that its end need not be waited for.
        self.sweep_cache(STEP * 4).await;
        stored?;
        self.clear_collections().await?;
        Ok(done)
    }

    /// Removes the record that the note speaks of, if it has expired, and the note.
    async fn expire(&self, note: &Key, now: u64) -> Result<bool> {
        let mut batch = Batch { kind: CommitKind::Expire, ..Batch::new(self.now()) }.delete(note.clone());
        let mut removed = false;
        // A note that speaks of no possible record is cleared away like one that is out of date.
        if let Some([_, Component::Text(store), Component::Text(id)]) = note.components().as_deref()
            && let Ok(key) = Key::record(store, id)
        {
            let record = self.backend().get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
            if let Some(record) = record.filter(|record| expires_of(&key, record).is_some_and(|at| at <= now))
            {
                let past = self.backend().scan(&history_range(store, id), Page::first(MAX_PAGE)).await?;
                batch.deletes.extend(past.records.into_iter().map(|(at, _)| at));
                batch = batch.require(key.clone(), Precondition::Version(record.version)).delete(key);
                removed = true;
            }
        }
        // On a conflict somebody has saved it again; the note is looked at another time.
        Ok(self.try_commit(batch).await?.is_ok() && removed)
    }

    /// Reads and checks up to 1,000 keys after `cursor`: the log first, then every other space. At the
    /// beginning the storage below the records is checked as well; what is wrong with it has the key
    /// `storage`. Where records can not be listed, that is a problem with the name of their space as its
    /// key, and what is left of the space is read in one go.
    ///
    /// # Errors
    /// What the backend's check and scan give. Damage is not an error here but a finding.
    pub async fn verify(&self, cursor: Option<Key>) -> Result<VerifyPage> {
        if cursor.is_some() {
            return self.verify_keys(cursor).await;
        }
        let mut problems = self.verify_storage().await?;
        let mut page = self.verify_keys(None).await?;
        problems.append(&mut page.problems);
        Ok(VerifyPage { problems, ..page })
    }

    async fn verify_storage(&self) -> Result<Vec<Problem>> {
        let found = match self.backend().check().await {
            Ok(found) => found.into_iter().map(Error::corrupt).collect(),
            Err(error) if error.kind() == ErrorKind::Corrupt => vec![error],
            // A storage that is closed, out of reach or too new was not checked.
            Err(error) => return Err(error),
        };
        found.into_iter().map(|error| Problem::of(STORAGE, error)).collect()
    }

    async fn verify_keys(&self, cursor: Option<Key>) -> Result<VerifyPage> {
        match cursor.as_ref().map(|cursor| (cursor, cursor.log_sequence())) {
            None | Some((_, Some(..LOG_DONE))) => self.verify_log(cursor).await,
            Some((_, Some(LOG_DONE))) => self.verify_records(None).await,
            Some((_, None)) => self.verify_records(cursor).await,
        }
    }

    async fn verify_log(&self, after: Option<Key>) -> Result<VerifyPage> {
        let page = Page { limit: MAX_PAGE, reverse: false, after };
        let mut problems = Vec::new();
        let found = match self.backend().scan(&Range::space(Space::Log), page).await {
            Ok(found) => found
                .records
                .iter()
                .try_for_each(|(_, record)| LogEntry::decode(&record.value).map(drop))
                .map(|()| found.cursor),
            Err(error) => Err(error),
        };
        let cursor = found.or_else(|error| {
            // Followers rebuild from the records; what is behind the damage says nothing new.
            let key = error.key().unwrap_or("Log").to_owned();
            problems.push(Problem::of(key, error)?);
            Ok::<_, Error>(None)
        })?;
        Ok(VerifyPage { checked: 0, problems, cursor: cursor.or(Some(Key::log(LOG_DONE))) })
    }

    async fn verify_records(&self, after: Option<Key>) -> Result<VerifyPage> {
        let space = after.as_ref().and_then(Key::space).unwrap_or(Space::Meta);
        let next = Space::ALL.into_iter().find(|next| *next > space && *next != Space::Log);
        let next = next.map(|next| KeyBuilder::new(next).build());
        let page = Page { limit: MAX_PAGE, reverse: false, after };
        let rest = Range::space(space).rest(&page);
        let mut verified = VerifyPage::default();
        match self.backend().scan(&rest, page).await {
            Ok(found) => {
                verified.check(&found.records)?;
                verified.cursor = found.cursor.or(next);
            }
            Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
            Err(error) => {
                verified.problems.push(Problem::of(format!("{space:?}"), error)?);
                self.verify_behind(&mut verified, space, &rest).await?;
                verified.cursor = next;
            }
        }
        Ok(verified)
    }

    /// What can be read behind damage that a scan of `rest` met: backwards, until it is met again. So of a
    /// space with several damaged places, what lies between them is not seen.
    async fn verify_behind(&self, verified: &mut VerifyPage, space: Space, rest: &Range) -> Result<()> {
        let mut page = Page::last(MAX_PAGE);
        loop {
            match self.backend().scan(rest, page.clone()).await {
                Ok(found) => {
                    verified.check(&found.records)?;
                    let Some(cursor) = found.cursor else { return Ok(()) };
                    page = page.next(cursor);
                }
                Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
                Err(error) => {
                    let problem = Problem::of(format!("{space:?}"), error)?;
                    if verified.problems.iter().all(|known| known.message != problem.message) {
                        verified.problems.push(problem);
                    }
                    return Ok(());
                }
            }
        }
    }
}

impl VerifyPage {
    /// Checks each record and keeps what is wrong.
    fn check(&mut self, records: &[(Key, Record)]) -> Result<()> {
        self.checked += records.len();
        for (key, record) in records {
            if let Err(error) = check(key, record) {
                self.problems.push(Problem::of(key, error)?);
            }
        }
        Ok(())
    }
}

/// Where a problem lies that is not of a record.
const STORAGE: &str = "storage";

/// The cursor of a verification that is through with the log.
const LOG_DONE: u64 = u64::MAX;

fn check(key: &Key, record: &Record) -> Result<()> {
    match key.space() {
        Some(Space::Record) => {
            let payload = Envelope::decode(key, &record.value)?.payload;
            crate::model::decode_value(payload).map_err(|error| error.with_key(key.clone())).map(drop)
        }
        Some(Space::Document) => super::collection::check(key, &record.value),
        Some(Space::Index) => Envelope::decode(key, &record.value).map(drop),
        Some(Space::History) => match key.components().as_deref() {
            Some([Component::Text(store), Component::Text(id), Component::Integer(_)]) => {
                let malformed = |_| Error::corrupt("a history key is malformed");
                Envelope::decode(&Key::record(store, id).map_err(malformed)?, &record.value).map(drop)
            }
            _ => Err(Error::corrupt("a history key is malformed")),
        },
        Some(Space::Meta | Space::Log | Space::Expiry) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::backends::MemoryBackend;
    use crate::platform::ManualClock;
    use crate::stores::{SaveItem, StoreOptions, TimeToLive};
    use crate::testing::block_on;

    #[test]
    fn only_what_has_expired_goes_and_a_clock_that_goes_back_does_not_bring_it_back() {
        block_on(async {
            let clock = ManualClock::at(1_000);
            let memory =
                Memory::over(Arc::new(MemoryBackend::new()), true, Arc::new(clock.clone())).await.unwrap();
            let store = memory.store("s", StoreOptions::default()).unwrap();
            let item = |id: &str, ttl| SaveItem { ttl, ..SaveItem::new(id, vec![0]) };
            let short = TimeToLive::Milliseconds(10);
            store
                .save(&[item("a", short), item("b", short), item("c", TimeToLive::Forever)], None)
                .await
                .unwrap();
            store.save(&[item("b", TimeToLive::Milliseconds(100))], None).await.unwrap();
            clock.set(1_010);
            assert!(store.get("a").await.unwrap().is_none(), "gone at its time");
            clock.set(1_000);
            assert!(store.get("a").await.unwrap().is_none(), "and gone it stays");
            assert_eq!(store.count("").await.unwrap(), 2);
            assert_eq!(memory.maintain(100.0).await.unwrap(), Maintained { expired: 1, more: false });
            assert_eq!(memory.maintain(100.0).await.unwrap().expired, 0);
            assert_eq!(memory.backend().stats().await.unwrap().keys, 3, "b, c and the note of b's expiry");
            clock.set(2_000);
            assert_eq!(memory.maintain(100.0).await.unwrap().expired, 1);
            assert_eq!(memory.backend().stats().await.unwrap().keys, 1);
            let changes = store.changes(0, "").await.unwrap().changes;
            let kinds: Vec<_> = changes.iter().map(|change| (change.id.as_str(), change.kind)).collect();
            use crate::stores::ChangeKind::{Expire, Save};
            assert_eq!(
                kinds,
                [("a", Save), ("b", Save), ("c", Save), ("b", Save), ("a", Expire), ("b", Expire)]
            );
        });
    }

    #[test]
    fn a_record_that_expired_has_no_heirs() {
        block_on(async {
            let clock = ManualClock::at(1_000);
            let memory =
                Memory::over(Arc::new(MemoryBackend::new()), true, Arc::new(clock.clone())).await.unwrap();
            let store = memory.store("s", StoreOptions { ttl_ms: Some(10), history: 2 }).unwrap();
            store.save(&[SaveItem::new("a", vec![0])], None).await.unwrap();
            clock.set(1_020);
            let fresh = SaveItem { expected: Some(0), ..SaveItem::new("a", vec![0]) };
            store.save(&[fresh], None).await.expect("an expired record is not there");
            let entry = store.get("a").await.unwrap().unwrap();
            assert_eq!((entry.created, entry.updated), (1_020, 1_020));
            assert!(store.history("a", 9).await.unwrap().is_empty());
        });
    }
}
