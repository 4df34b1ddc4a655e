//! The digest of a store: the same for equal records, whatever the backend.
//!
//! It is the [xxh3-128](https://xxhash.com) of all keys with their values, in key order: for each the
//! length of the key (4 bytes, little-endian), the key, the length of the value (8 bytes), the value.
//! Versions and the log are not in it: they are the backend's own. Nor is the marker of an unfinished
//! copy. It is made to find accidents, at the speed of memory; it does not stand up to somebody who
//! forges records to match, which a copy between two stores of one owner need not fear.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::Xxh3;

use super::page::{copied, marker_key, weight};
use crate::backends::Backend;
use crate::log;
use crate::model::{Key, Page, Record};
use crate::{Error, Result};

/// How often a digest is begun anew because the store changed meanwhile.
const TRIES: usize = 8;

/// Records that are read at once at the beginning; then as many as fit [`PAGE_BYTES`].
const FIRST_LIMIT: usize = 32;

/// The most records that are read at once.
pub(super) const MOST: usize = 1_024;

const PAGE_BYTES: u64 = 1 << 20;

/// What a store holds, in 128 bits. Shown and parsed as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parsed = if digits { u128::from_str_radix(text, 16).ok() } else { None };
        parsed.map(Self).ok_or_else(|| Error::invalid("a digest has 32 hexadecimal digits"))
    }
}

/// A digest, and what it is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digested {
    pub(super) digest: Digest,
    pub(super) sequence: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
}

/// The digest of everything that `backend` holds, as of one moment.
///
/// # Errors
/// `Conflict` if it does not stand still for long enough; what the backend's reads give.
pub async fn digest(backend: &dyn Backend) -> Result<Digest> {
    for _ in 0..TRIES {
        if let Some(found) = digest_once(backend, |_| ()).await? {
            return Ok(found.digest);
        }
    }
    Err(Error::conflict("the store changes faster than it can be read; make the digest at a quieter time"))
}

/// The digest, or `None` if the store changed meanwhile. `progress` is told of the bytes read so far.
pub(super) async fn digest_once(
    backend: &dyn Backend,
    mut progress: impl FnMut(u64),
) -> Result<Option<Digested>> {
    let before = log::head(backend).await?;
    let mut hash = Xxh3::new();
    let (mut records, mut bytes) = (0, 0);
    let mut walk = Walk::default();
    while let Some(page) = walk.next(backend).await? {
        for (key, record) in &page {
            hash.update(&(key.as_bytes().len() as u32).to_le_bytes());
            hash.update(key.as_bytes());
            hash.update(&(record.value.len() as u64).to_le_bytes());
            hash.update(&record.value);
            records += 1;
            bytes += weight(key, record.value.len());
        }
        progress(bytes);
    }
    let still = log::head(backend).await? == before;
    let digest = Digest(hash.digest128());
    Ok(still.then_some(Digested { digest, sequence: before.sequence, records, bytes }))
}

/// All records but the marker, page by page, each of about [`PAGE_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Walk {
    after: Option<Key>,
    limit: usize,
    ended: bool,
}

impl Walk {
    /// The next page; `None` at the end.
    pub(super) async fn next(&mut self, backend: &dyn Backend) -> Result<Option<Vec<(Key, Record)>>> {
        if self.ended {
            return Ok(None);
        }
        let limit = if self.limit == 0 { FIRST_LIMIT } else { self.limit };
        let page = Page { limit, reverse: false, after: self.after.take() };
        let mut found = backend.scan(&copied(), page).await?;
        let bytes = found.records.iter().map(|(key, record)| weight(key, record.value.len())).sum();
        self.limit = next_limit(limit, found.records.len(), bytes, PAGE_BYTES);
        self.ended = found.cursor.is_none();
        self.after = found.cursor;
        found.records.retain(|(key, _)| *key != marker_key());
        Ok(Some(found.records))
    }
}

/// How many records to read at once, after a page of `count` with `bytes`: as many as fit
/// `page_bytes`, but at most twice as many as before, for the next ones may be larger.
pub(super) fn next_limit(limit: usize, count: usize, bytes: u64, page_bytes: u64) -> usize {
    let average = (bytes / count.max(1) as u64).max(1);
    usize::try_from(page_bytes / average).unwrap_or(MOST).clamp(1, (limit * 2).min(MOST))
}
