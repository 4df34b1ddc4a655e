//! The bytes of the rows.
//!
//! A row of `records` is the value and, behind it, its key, the length of the key in 2 bytes, its
//! version in 8, and the xxh3-64 of the version, seeded with the xxh3-64 of the key. The key stands
//! in the row as well so that a scan need not ask for the keys; the check is there because the
//! value's own checksum is made before its version is known. Where it does not match, nothing of the
//! row is believed.
//!
//! The row of a block of the log is the
//! number of its entries in 4 bytes, the xxh3-64 of what follows in 8, and the entries as postcard.
//! Integers are little-endian.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::model::{Key, LogEntry, Record};
use crate::{Error, Result};

const VERSION: usize = 8;
const CHECK: usize = 8;
const COUNT: usize = 4;
const HEADER: usize = COUNT + 8;

/// Appends what ends the row of `key`.
pub(super) fn push_trailer(row: &mut Vec<u8>, key: &[u8], version: u64) {
    row.extend_from_slice(key);
    // A key has three components of at most 2 KiB each.
    row.extend_from_slice(&(key.len() as u16).to_le_bytes());
    let version = version.to_le_bytes();
    row.extend_from_slice(&version);
    row.extend_from_slice(&version_check(key, version));
}

fn version_check(key: &[u8], version: [u8; VERSION]) -> [u8; CHECK] {
    xxh3_64_with_seed(&version, xxh3_64(key)).to_le_bytes()
}

/// The key and the record of a row, if its check matches.
pub(super) fn keyed(row: &[u8]) -> Option<(&[u8], Record)> {
    let (rest, check) = row.split_last_chunk::<CHECK>()?;
    let (rest, version) = rest.split_last_chunk::<VERSION>()?;
    let (rest, length) = rest.split_last_chunk::<2>()?;
    let at = rest.len().checked_sub(usize::from(u16::from_le_bytes(*length)))?;
    let (value, key) = rest.split_at(at);
    let record = Record { version: u64::from_le_bytes(*version), value: value.to_vec() };
    (version_check(key, *version) == *check).then_some((key, record))
}

/// Reads the row of `key`. One that is cut off, no bytes at all, or does not match its check is given
/// as version 0 of nothing: whoever asks what is in it finds it damaged, and it can still be
/// overwritten or deleted.
pub(super) fn record(key: &[u8], row: &JsValue) -> Record {
    match keyed(&bytes(row).unwrap_or_default()) {
        Some((found, record)) if found == key => record,
        _ => Record { version: 0, value: Vec::new() },
    }
}

/// Bytes as IndexedDB takes them. Keys are compared byte by byte.
pub(super) fn js_bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// The number of the first entry, which is the key of their row, and the row.
pub(super) fn block(entries: &[LogEntry]) -> Result<(u64, Vec<u8>)> {
    let first = entries.first().map(|entry| entry.sequence);
    let first = first.ok_or_else(|| Error::internal("a block of the log without an entry"))?;
    let count = u32::try_from(entries.len())
        .map_err(|_| Error::invalid("more than 2^32 batches in one commit; split it"))?;
    let mut row = vec![0; HEADER];
    row = postcard::to_extend(entries, row)
        .map_err(|cause| Error::internal("log entries could not be encoded").with_source(cause))?;
    let sum = checksum(first, count, &row[HEADER..]);
    row[..COUNT].copy_from_slice(&count.to_le_bytes());
    row[COUNT..HEADER].copy_from_slice(&sum.to_le_bytes());
    Ok((first, row))
}

/// Reads the entries of the block at `first`.
pub(super) fn entries(first: u64, row: &JsValue) -> Result<Vec<LogEntry>> {
    let damaged =
        || Error::corrupt(format!("the commit log is damaged at entry {first}")).with_key(Key::log(first));
    let row = bytes(row).filter(|row| row.len() >= HEADER).ok_or_else(damaged)?;
    let (header, body) = row.split_at(HEADER);
    let count = last(first, &row).ok_or_else(damaged)? + 1 - first;
    let expected = checksum(first, u32::try_from(count).map_err(|_| damaged())?, body);
    if header[COUNT..] != expected.to_le_bytes() {
        return Err(damaged());
    }
    let entries: Vec<LogEntry> = postcard::from_bytes(body).map_err(|cause| damaged().with_source(cause))?;
    let numbered = entries.iter().map(|entry| entry.sequence).eq(first..first + count);
    if numbered { Ok(entries) } else { Err(damaged()) }
}

/// The last number of the block at `first`, without reading its entries.
pub(super) fn last_number(first: u64, row: &JsValue) -> Result<u64> {
    let last = bytes(row).and_then(|row| last(first, &row));
    last.ok_or_else(|| {
        Error::corrupt(format!("the commit log is damaged at entry {first}")).with_key(Key::log(first))
    })
}

fn last(first: u64, row: &[u8]) -> Option<u64> {
    let count = row.first_chunk::<COUNT>().map(|count| u32::from_le_bytes(*count))?;
    first.checked_add(u64::from(count.checked_sub(1)?))
}

fn checksum(first: u64, count: u32, body: &[u8]) -> u64 {
    xxh3_64_with_seed(body, first ^ (u64::from(count) << 32))
}

/// The sequence number in the key of a block.
pub(super) fn sequence(stored: &JsValue) -> Result<u64> {
    let key = js_binary(stored).and_then(|bytes| Key::decode(&bytes).ok());
    key.and_then(|key| key.log_sequence())
        .ok_or_else(|| Error::corrupt("a key of the commit log is malformed"))
}

/// The bytes of a binary key.
pub(super) fn js_binary(key: &JsValue) -> Option<Vec<u8>> {
    key.dyn_ref::<js_sys::ArrayBuffer>().map(|buffer| Uint8Array::new(buffer).to_vec())
}

fn bytes(row: &JsValue) -> Option<Vec<u8>> {
    row.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}
