//! A backend given as a JavaScript object: how Redis, LanceDB or a Durable Object join.
//!
//! The object is an ordered map of bytes with one conditional, atomic write (`HostBackend` in
//! `pkg/src/types.ts`). What a backend is beyond that — verdicts, sequence numbers, the log — is done
//! here, by the same code as everywhere: entries of the log are rows under
//! [`Key::log`](crate::model::Key::log), put in the write that they are about.
//!
//! **Invariants**
//! - Nothing that the object says is believed unchecked: `driver.js` reads the shape of each answer,
//!   this room its order, range, versions and numbers. What can not be true is `Corrupt`, what does
//!   not come is `Unavailable`; neither changes what is stored.
//! - A commit is judged at a head and written on the condition that it still is the head. A commit whose
//!   answer did not come, or makes no sense, is `Unavailable` and says that its outcome is unknown.
//! - The head never goes back while a handle is open.
//! - The object is called from a task of its own, never from inside a call of the core.

mod commit;
mod driver;

use std::cell::Cell;

use async_trait::async_trait;
use futures_util::lock::Mutex;
use wasm_bindgen::JsValue;

use self::driver::{Driver, Info, wrong};
use super::judge::check;
use super::{Backend, BackendInfo, MAX_RECORD_BYTES, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record, Space};
use crate::{Error, Result};

/// The least that an object must take as a value, in bytes: a log entry of some thousand keys.
const LEAST_VALUE_BYTES: f64 = 65_536.0;

/// A backend over an object.
#[derive(Debug)]
pub struct HostBackend {
    driver: Driver,
    info: Info,
    /// The head, if it is known. Held across a commit: two at once would only make one lose.
    head: Mutex<Option<u64>>,
    /// The latest number that was ever met.
    highest: Cell<u64>,
    closed: Cell<bool>,
}

impl HostBackend {
    /// Takes `object` over. Each of its calls may take `timeout_ms`.
    ///
    /// # Errors
    /// `Invalid` if it is no such object, `Unavailable` if it does not answer, `Corrupt` if it answers
    /// what can not be.
    pub async fn open(object: &JsValue, timeout_ms: u32) -> Result<Self> {
        // A key or a log entry may be longer than a value may be; nothing is longer than a batch.
        let driver = Driver::new(object, timeout_ms, MAX_RECORD_BYTES);
        let info = driver.info().await?;
        if info.max_value_bytes.is_some_and(|most| most < LEAST_VALUE_BYTES) {
            return Err(Error::invalid(format!(
                "the backend object takes values of {} bytes at the most; {LEAST_VALUE_BYTES} are needed",
                info.max_value_bytes.unwrap_or_default()
            )));
        }
        let backend =
            Self { driver, info, head: Mutex::new(None), highest: Cell::new(0), closed: Cell::new(false) };
        let (head, _) = backend.read_stats().await?;
        *backend.head.lock().await = Some(head);
        Ok(backend)
    }

    /// The name that the object gave itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.info.name
    }

    fn max_value_bytes(&self) -> usize {
        self.info.max_value_bytes.map_or(MAX_RECORD_BYTES, |most| MAX_RECORD_BYTES.min(most as usize))
    }

    /// The object names the head `head`.
    fn meet(&self, head: u64) -> Result<()> {
        let before = self.highest.get();
        if head < before {
            return Err(wrong(&format!(
                "its head went back from {before} to {head}, so the data was replaced or rolled back"
            )));
        }
        self.highest.set(head);
        Ok(())
    }

    async fn read_stats(&self) -> Result<(u64, u64)> {
        let stats = self.driver.stats().await?;
        self.meet(stats.0)?;
        Ok(stats)
    }

    /// The rows of a page, and where the next one starts. An object may give fewer than it was asked
    /// for: it is asked again until the page is full.
    async fn read_rows(&self, range: &Range, page: &Page) -> Result<(Vec<(Key, Record)>, Option<Key>)> {
        let mut page = page.clone();
        let mut rows = Vec::new();
        loop {
            let rest = super::rest_of(range, &page)?;
            if rest.is_empty() {
                return Ok((rows, None));
            }
            let found = self.driver.scan(rest.start(), rest.end(), page.reverse, page.limit).await?;
            judge_rows(&found.rows, &rest, page.reverse)?;
            page.limit -= found.rows.len();
            let last = found.rows.last().map(|(key, _)| key.clone());
            rows.extend(found.rows);
            match last {
                _ if !found.more => return Ok((rows, None)),
                None => return Err(wrong("scan() has more to give, and gives nothing")),
                last if page.limit == 0 => return Ok((rows, last)),
                last => page.after = last,
            }
        }
    }

    fn refuse_closed(&self) -> Result<()> {
        if self.closed.get() {
            return Err(crate::backends::closed());
        }
        Ok(())
    }
}

/// Whether rows can be what lies in `range`.
fn judge_rows(rows: &[(Key, Record)], range: &Range, reverse: bool) -> Result<()> {
    for (key, record) in rows {
        if !range.contains(key) {
            return Err(wrong("scan() gave a key outside of the range").with_key(key));
        }
        if let Some(sequence) = key.log_sequence().filter(|sequence| *sequence != record.version) {
            let message = format!("the log entry {sequence} has the version {}", record.version);
            return Err(wrong(&message));
        }
    }
    for pair in rows.windows(2) {
        let (before, after) = if reverse { (&pair[1].0, &pair[0].0) } else { (&pair[0].0, &pair[1].0) };
        if before >= after {
            return Err(wrong("scan() gave keys out of order, or one twice").with_key(&pair[1].0));
        }
        if let (Some(before), Some(after)) = (before.log_sequence(), after.log_sequence())
            && before + 1 != after
        {
            return Err(wrong(&format!("the log has a gap between {before} and {after}")));
        }
    }
    Ok(())
}

#[deny(clippy::missing_trait_methods)]
#[async_trait(?Send)]
impl Backend for HostBackend {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            name: "host",
            durability: self.info.durability,
            shared: self.info.shared,
            data_loss: None,
            max_value_bytes: self.max_value_bytes(),
        }
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.refuse_closed()?;
        if keys.is_empty() { Ok(Vec::new()) } else { self.driver.get(keys).await }
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.refuse_closed()?;
        super::rest_of(range, &page)?;
        let (records, cursor) = self.read_rows(range, &page).await?;
        Ok(ScanPage { records, cursor })
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        check(batches, self.max_value_bytes())?;
        let mut head = self.head.lock().await;
        self.refuse_closed()?;
        commit::commit(self, batches, &mut head).await
    }

    async fn stats(&self) -> Result<Stats> {
        self.refuse_closed()?;
        let (sequence, rows) = self.read_stats().await?;
        // The object counts the log's rows too: they are one run of numbers that ends at the head.
        let oldest = self.read_rows(&Range::space(Space::Log), &Page::first(1)).await?.0;
        let entries = match oldest.first() {
            Some((_, record)) => (sequence + 1).saturating_sub(record.version),
            None => 0,
        };
        let keys = rows.checked_sub(entries).ok_or_else(|| {
            wrong(&format!("stats() counts {rows} keys, and the log alone has {entries} entries"))
        })?;
        Ok(Stats { sequence, keys })
    }

    async fn check(&self) -> Result<Vec<String>> {
        self.refuse_closed()?;
        self.driver.check().await
    }

    async fn close(&self) -> Result<()> {
        if self.closed.replace(true) {
            return Ok(());
        }
        // Behind the commit that is in flight.
        let _head = self.head.lock().await;
        self.driver.close().await
    }
}
