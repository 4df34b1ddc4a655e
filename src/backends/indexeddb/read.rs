//! Reading: single keys, pages of records, pages of the log.
//!
//! **Invariants**
//! - Each call is one transaction: one snapshot.
//! - Pages are read by `getAll` and `getAllKeys`, never record by record.

use idb::{CursorDirection, KeyRange, ObjectStore, Query};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbCursor;

use super::connection::Live;
use super::transaction::{Fault, settled};
use super::{RECORDS, block, driver};
use crate::Error;
use crate::backends::{ScanPage, Stats};
use crate::model::{Key, LogEntry, Page, Range, Record, Space};

/// Blocks of the log that are read at a time.
const BLOCKS: u32 = 64;

pub(super) async fn get(live: &Live, keys: &[Key]) -> Result<Vec<Option<Record>>, Fault> {
    if let [key] = keys {
        let row = driver::read_row(live.database(), key.as_bytes()).await?;
        return Ok(vec![(!row.is_undefined()).then(|| block::record(key.as_bytes(), &row))]);
    }
    let transaction = live.begin(&[RECORDS], None)?;
    get_in(&transaction.store(RECORDS)?, keys).await
}

/// Reads `keys` in a transaction that is under way.
pub(super) async fn get_in(store: &ObjectStore, keys: &[Key]) -> Result<Vec<Option<Record>>, Fault> {
    let mut requests = Vec::with_capacity(keys.len());
    for key in keys {
        requests.push(store.get(block::js_bytes(key.as_bytes()))?);
    }
    let Some(last) = requests.pop() else { return Ok(Vec::new()) };
    // Requests of a transaction end in their order: when the last has, all have.
    let last = settled(last).await?;
    let mut records = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let row = match requests.get(index) {
            Some(request) => idb::Request::result(request)?,
            None => last.clone(),
        };
        records.push((!row.is_undefined()).then(|| block::record(key.as_bytes(), &row)));
    }
    Ok(records)
}

pub(super) async fn scan(live: &Live, rest: &Range, page: &Page) -> Result<ScanPage, Fault> {
    // One more than asked for tells whether there is more.
    let wanted = u32::try_from(page.limit).unwrap_or(u32::MAX).saturating_add(1);
    if !page.reverse {
        let found = driver::read_rows(live.database(), rest.start(), rest.end(), wanted).await?;
        if let Some(collected) = keyed(found) {
            return collected.into_page(page.limit);
        }
    }
    // Backwards, or with a damaged row in it that does not say its key.
    let mut collected = Collected::default();
    let (keys, rows) = rows_with_keys(live, rest, wanted, page.reverse).await?;
    for (key, row) in keys.iter().zip(rows.iter()) {
        let key = block::js_binary(&key).unwrap_or_default();
        collected.take(&key, block::record(&key, &row));
    }
    if page.reverse {
        collected.records.reverse();
    }
    collected.into_page(page.limit)
}

/// The records of rows that all say their keys.
fn keyed(mut found: driver::Packed) -> Option<Collected> {
    let mut collected = Collected::default();
    while let Some(row) = found.next() {
        let (key, record) = block::keyed(row)?;
        collected.take(key, record);
    }
    Some(collected)
}

/// Records of a page, and what was met on the way.
#[derive(Default)]
struct Collected {
    records: Vec<(Key, Record)>,
    met: usize,
    foreign: Option<Error>,
}

impl Collected {
    /// Takes a record. A key that none of ours could be is passed over: it stands in nobody's way.
    fn take(&mut self, key: &[u8], record: Record) {
        self.met += 1;
        match Key::decode(key) {
            Ok(key) => self.records.push((key, record)),
            Err(error) => self.foreign = Some(error),
        }
    }

    fn into_page(mut self, limit: usize) -> Result<ScanPage, Fault> {
        let more = self.met > limit;
        self.records.truncate(limit);
        let cursor = if more { self.records.last().map(|(key, _)| key.clone()) } else { None };
        match self.foreign {
            // Without a key of ours there is nothing to go on from.
            Some(error) if more && cursor.is_none() => Err(error.into()),
            _ => Ok(ScanPage { records: self.records, cursor }),
        }
    }
}

/// The first `n` keys and rows of the range, or the last `n`, in order.
async fn rows_with_keys(live: &Live, rest: &Range, n: u32, last: bool) -> Result<(Array, Array), Fault> {
    let transaction = live.begin(&[RECORDS], None)?;
    let store = transaction.store(RECORDS)?;
    let lowest = if last { nth_last_key(&store, rest, n).await? } else { None };
    let lower = lowest.unwrap_or_else(|| block::js_bytes(rest.start()));
    let range = match rest.end() {
        Some(end) => KeyRange::bound(&lower, &block::js_bytes(end), Some(false), Some(true))?,
        None => KeyRange::lower_bound(&lower, Some(false))?,
    };
    let keys = store.get_all_keys(Some(Query::KeyRange(range.clone())), Some(n))?;
    let rows: Array = settled(store.get_all(Some(Query::KeyRange(range)), Some(n))?).await?.unchecked_into();
    Ok((idb::Request::result(&keys)?.unchecked_into(), rows))
}

/// The `n`th key of the range from its end; `None` if there are fewer.
async fn nth_last_key(store: &ObjectStore, rest: &Range, n: u32) -> Result<Option<JsValue>, Fault> {
    let lower = block::js_bytes(rest.start());
    let range = match rest.end() {
        Some(end) => KeyRange::bound(&lower, &block::js_bytes(end), Some(false), Some(true))?,
        None => KeyRange::lower_bound(&lower, Some(false))?,
    };
    let request = store.open_key_cursor(Some(Query::KeyRange(range)), Some(CursorDirection::Prev))?;
    let raw: web_sys::IdbRequest = request.into();
    let mut found = settled(idb::request::GetStoreRequest::from(raw.clone())).await?;
    if n > 1 && !found.is_null() {
        found.unchecked_ref::<IdbCursor>().advance(n - 1)?;
        found = settled(idb::request::GetStoreRequest::from(raw)).await?;
    }
    if found.is_null() { Ok(None) } else { Ok(Some(found.unchecked_ref::<IdbCursor>().key()?)) }
}

/// The latest sequence number.
pub(super) async fn head(log: &ObjectStore) -> Result<u64, Fault> {
    let request = log.open_cursor(Some(log_keys(0, u64::MAX)?), Some(CursorDirection::Prev))?;
    let found = settled(request).await?;
    if found.is_null() {
        return Ok(0);
    }
    let cursor: &web_sys::IdbCursorWithValue = found.unchecked_ref();
    Ok(block::last_number(block::sequence(&cursor.key()?)?, &cursor.value()?)?)
}

pub(super) async fn scan_log(live: &Live, rest: &Range, page: &Page) -> Result<ScanPage, Fault> {
    let transaction = live.begin(&[RECORDS], None)?;
    let log = transaction.store(RECORDS)?;
    let (first, last) = rest.log_sequences();
    let wanted = page.limit.saturating_add(1);
    let entries = if page.reverse {
        last_entries(&log, first, last, wanted).await?
    } else {
        first_entries(&log, first, last, wanted).await?
    };
    let mut records = Vec::with_capacity(entries.len());
    for entry in &entries {
        let record = Record { version: entry.sequence, value: entry.encode()? };
        records.push((Key::log(entry.sequence), record));
    }
    Ok(ScanPage::first(records, page.limit))
}

/// Up to `wanted` entries numbered from `first` to `last`, in order.
pub(super) async fn first_entries(
    log: &ObjectStore,
    first: u64,
    last: u64,
    wanted: usize,
) -> Result<Vec<LogEntry>, Fault> {
    let mut from = block_of(log, first).await?.unwrap_or(first);
    let mut entries = Vec::new();
    loop {
        let blocks = blocks_from(log, from).await?;
        let Some((at, newest)) = blocks.last() else { return Ok(entries) };
        from = block::last_number(*at, newest)? + 1;
        let full = blocks.len() == BLOCKS as usize;
        for (at, row) in &blocks {
            // The first block may end before the range: then it need not even be whole.
            if block::last_number(*at, row)? >= first {
                let inside = block::entries(*at, row)?.into_iter();
                entries.extend(inside.filter(|entry| (first..=last).contains(&entry.sequence)));
            }
        }
        if !full || entries.len() >= wanted || from > last {
            entries.truncate(wanted);
            return Ok(entries);
        }
    }
}

/// Up to `wanted` entries numbered from `first` to `last`, the last first.
async fn last_entries(
    log: &ObjectStore,
    first: u64,
    mut last: u64,
    wanted: usize,
) -> Result<Vec<LogEntry>, Fault> {
    let mut entries = Vec::new();
    while entries.len() < wanted
        && let Some(at) = block_of(log, last).await?
    {
        let row = settled(log.get(block::js_bytes(Key::log(at).as_bytes()))?).await?;
        let inside = block::entries(at, &row)?.into_iter().rev();
        entries.extend(inside.filter(|entry| (first..=last).contains(&entry.sequence)));
        if at <= first {
            break;
        }
        last = at - 1;
    }
    entries.truncate(wanted);
    Ok(entries)
}

/// The key of the block that holds the number `sequence`, or of the last one before it.
pub(super) async fn block_of(log: &ObjectStore, sequence: u64) -> Result<Option<u64>, Fault> {
    let request = log.open_key_cursor(Some(log_keys(0, sequence)?), Some(CursorDirection::Prev))?;
    let found = settled(request).await?;
    if found.is_null() {
        return Ok(None);
    }
    Ok(Some(block::sequence(&found.unchecked_ref::<IdbCursor>().key()?)?))
}

/// Up to [`BLOCKS`] blocks whose key is `from` or later.
async fn blocks_from(log: &ObjectStore, from: u64) -> Result<Vec<(u64, JsValue)>, Fault> {
    let range = log_keys(from, u64::MAX)?;
    let keys = log.get_all_keys(Some(range.clone()), Some(BLOCKS))?;
    let rows: Array = settled(log.get_all(Some(range), Some(BLOCKS))?).await?.unchecked_into();
    let keys: Array = idb::Request::result(&keys)?.unchecked_into();
    keys.iter().zip(rows.iter()).map(|(key, row)| Ok((block::sequence(&key)?, row))).collect()
}

pub(super) async fn stats(live: &Live) -> Result<Stats, Fault> {
    let transaction = live.begin(&[RECORDS], None)?;
    let store = transaction.store(RECORDS)?;
    let below = KeyRange::upper_bound(&block::js_bytes(&[Space::Log as u8]), Some(true))?;
    let keys = store.count(Some(Query::KeyRange(below)))?;
    let sequence = head(&store).await?;
    let keys = idb::Request::result(&keys)?.as_f64().unwrap_or(0.0) as u64;
    Ok(Stats { sequence, keys })
}

/// The keys of blocks from `first` to `last`, both in it.
fn log_keys(first: u64, last: u64) -> Result<Query, Fault> {
    let (first, last) = (Key::log(first), Key::log(last));
    let (lower, upper) = (block::js_bytes(first.as_bytes()), block::js_bytes(last.as_bytes()));
    Ok(Query::KeyRange(KeyRange::bound(&lower, &upper, Some(false), Some(false))?))
}
