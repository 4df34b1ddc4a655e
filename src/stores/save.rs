//! What a save puts into its batch.

use super::Store;
use super::store::expiry_key;
use crate::model::{Batch, Envelope, Key, KeyBuilder, Put, Range, Space};
use crate::{Error, Result};

/// How long a saved record lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeToLive {
    /// As long as the store says.
    #[default]
    Default,
    /// Until it is deleted.
    Forever,
    /// This many milliseconds.
    Milliseconds(u64),
}

/// One record to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveItem {
    /// Under which id.
    pub id: String,
    /// The encoded value; see [`encode_value`](crate::model::encode_value).
    pub payload: Vec<u8>,
    /// The version it must have now; 0 = there must be none.
    pub expected: Option<u64>,
    /// How long it lives.
    pub ttl: TimeToLive,
}

impl SaveItem {
    /// A record to save whatever is there, to live as long as the store says.
    #[must_use]
    pub fn new(id: impl Into<String>, payload: Vec<u8>) -> Self {
        Self { id: id.into(), payload, expected: None, ttl: TimeToLive::Default }
    }
}

/// The last time that a JavaScript `Date` can show, in milliseconds since the Unix epoch.
const MAX_TIME: u64 = 8_640_000_000_000_000;

impl Store {
    /// How long the record of `item` lives, in milliseconds.
    pub(super) fn lifetime(&self, item: &SaveItem) -> Option<u64> {
        match item.ttl {
            TimeToLive::Default => self.options.ttl_ms,
            TimeToLive::Forever => None,
            TimeToLive::Milliseconds(ms) => Some(ms),
        }
    }

    /// Adds the record of `item`, and the note of its expiry, to the batch.
    pub(super) fn put(&self, batch: &mut Batch, item: &SaveItem, key: &Key) -> Result<()> {
        let now = batch.time;
        let ttl = self.lifetime(item);
        if ttl == Some(0) {
            let message = "ttlMs: 0 would expire the record at once; delete it, or give at least 1";
            return Err(Error::invalid(message).with_key(key.clone()));
        }
        let expires = ttl.map(|ms| now.saturating_add(ms).min(MAX_TIME));
        let envelope = Envelope {
            created: now,
            updated: now,
            expires,
            schema: "",
            schema_version: 0,
            payload: &item.payload,
        };
        let value = envelope.encode(key)?;
        batch.puts.push(Put { key: key.clone(), value, keep_created: true });
        if let Some(expires) = expires {
            let at = expiry_key(expires, &self.name, &item.id);
            batch.puts.push(Put { key: at, value: Vec::new(), keep_created: false });
        }
        Ok(())
    }
}

/// The key of an earlier version of a record.
pub(super) fn history_key(store: &str, id: &str, version: u64) -> Key {
    KeyBuilder::new(Space::History).text(store).text(id).integer(version).build()
}

/// Every earlier version of a record, oldest first.
pub(super) fn history_range(store: &str, id: &str) -> Range {
    Range::starting_with(KeyBuilder::new(Space::History).text(store).text(id).build().as_bytes().to_vec())
}
