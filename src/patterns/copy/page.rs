//! What goes from a source to a target: pages, and the cursor that asks for the next one.

use serde::{Deserialize, Serialize};

use crate::model::{Key, KeyBuilder, Range, Space};
use crate::{Error, Result};

/// Where a copy stands: what to ask the source for next. The default is the beginning.
///
/// It is plain data: kept in the target as part of its marker, and handed to the source for each page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(super) stage: Stage,
    /// The place in the source's log up to which everything is copied, once the records are through.
    pub(super) since: u64,
    /// When that commit was made; tells one source from another.
    pub(super) time: u64,
    /// Keys of the entry after `since` that are copied already.
    pub(super) skip: u64,
    /// How many records to read at once, from the sizes of those before.
    pub(super) limit: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Nothing has been asked for yet.
    #[default]
    Begin,
    /// All records in key order; those up to this key are copied.
    Records(Option<Key>),
    /// The log from `since` on.
    Changes,
    /// The log held nothing after `since` when it was read last.
    Settled,
}

impl Cursor {
    /// Whether the target equals the source as of [`Cursor::sequence`], and the source had nothing newer
    /// when it was asked last.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.stage == Stage::Settled
    }

    /// Whether all records were read, and only changes of them are left.
    pub(super) fn through(&self) -> bool {
        matches!(self.stage, Stage::Changes | Stage::Settled)
    }

    /// The sequence number of the source up to which its log was followed.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.since
    }

    /// The cursor as bytes, for [`Cursor::decode`].
    ///
    /// # Errors
    /// None in practice: serialising to memory does not fail.
    pub fn encode(&self) -> Result<Vec<u8>> {
        encode(self)
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// `Invalid` if the bytes are none.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode("a copy's cursor", bytes)
    }
}

/// Some records of the source, or some changes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyPage {
    /// The cursor that this is the answer to.
    pub(super) from: Cursor,
    /// Where to go on.
    pub(super) next: Cursor,
    /// What lies at each key; `None` where nothing does.
    pub(super) records: Vec<(Key, Option<Bytes>)>,
    /// What the target's sequence number has to reach before, so that versions in the keys of the
    /// history stay older than all that are to come; 0 if the source has no history.
    pub(super) raise_to: u64,
}

impl CopyPage {
    /// The page as bytes, for [`CopyPage::decode`].
    ///
    /// # Errors
    /// None in practice: serialising to memory does not fail.
    pub fn encode(&self) -> Result<Vec<u8>> {
        encode(self)
    }

    /// Reads a page back. What it says is checked by the target.
    ///
    /// # Errors
    /// `Invalid` if the bytes are no page, or a key in it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode("a copy's page", bytes)
    }

    /// Where to go on after this page.
    #[must_use]
    pub fn next(&self) -> &Cursor {
        &self.next
    }

    /// How many records it carries, deletions counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it carries no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.records
            .iter()
            .map(|(key, value)| weight(key, value.as_ref().map_or(0, |value| value.0.len())))
            .sum()
    }
}

/// What a record counts in a page, in bytes.
pub(super) fn weight(key: &Key, value: usize) -> u64 {
    (key.as_bytes().len() + value) as u64
}

/// Bytes that are serialised in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Self(<&[u8]>::deserialize(deserializer)?.to_vec()))
    }
}

pub(super) fn encode(what: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_allocvec(what)
        .map_err(|cause| Error::internal("a piece of a copy could not be encoded").with_source(cause))
}

pub(super) fn decode<'de, T: Deserialize<'de>>(what: &str, bytes: &'de [u8]) -> Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((read, [])) => Ok(read),
        Ok(_) => Err(Error::invalid(format!("{what} has bytes after its end"))),
        Err(cause) => Err(Error::invalid(format!("{what} can not be read")).with_source(cause)),
    }
}

/// Where the marker of an unfinished copy lies in the target. Neither copied nor part of a digest.
pub(super) fn marker_key() -> Key {
    KeyBuilder::new(Space::Meta).text("copy").text("unfinished").build()
}

/// Every key that is copied and counts for the digest: what was stored, not what follows from it.
pub(super) fn copied() -> Range {
    Range::new(Vec::new(), Some(vec![Space::Index as u8]))
}

/// Every key but those of the log.
pub(super) fn everything() -> Range {
    Range::new(Vec::new(), Some(vec![Space::Log as u8]))
}
