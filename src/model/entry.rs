//! Entries of the commit log.

use serde::{Deserialize, Serialize};

use super::{CommitKind, Key};
use crate::{Error, Result};

/// What happened to one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Touch {
    /// It was written; its version is the entry's sequence number.
    Put,
    /// It was deleted.
    Delete,
}

/// One commit: its number, time and kind, and the keys it touched.
///
/// Stored as postcard, so the order of the fields is part of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The sequence number.
    pub sequence: u64,
    /// When the batch was made, in milliseconds since the Unix epoch.
    pub time: u64,
    /// Why.
    pub kind: CommitKind,
    /// The keys, in the order they were applied, each at most once.
    pub touched: Vec<(Key, Touch)>,
}

impl LogEntry {
    /// The bytes of the entry, as a scan of the log returns them.
    ///
    /// # Errors
    /// None in practice: serialising to memory does not fail.
    pub fn encode(&self) -> Result<Vec<u8>> {
        postcard::to_allocvec(self)
            .map_err(|cause| Error::internal("a log entry could not be encoded").with_source(cause))
    }

    /// Reads an entry back.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        match postcard::take_from_bytes(bytes) {
            Ok((entry, [])) => Ok(entry),
            Ok(_) => Err(Error::corrupt("a log entry has bytes after its end")),
            Err(cause) => Err(Error::corrupt("a log entry can not be read").with_source(cause)),
        }
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.as_bytes())
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        Self::decode(bytes).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LogEntry {
        LogEntry {
            sequence: 300,
            time: 1_763_600_000_000,
            kind: CommitKind::Expire,
            touched: vec![
                (Key::record("agents", "a-1").expect("valid key"), Touch::Put),
                (Key::record("agents", "a-2").expect("valid key"), Touch::Delete),
            ],
        }
    }

    #[test]
    fn comes_back_as_it_went_in() {
        let bytes = entry().encode().expect("encodes");
        assert_eq!(LogEntry::decode(&bytes).expect("decodes"), entry());
    }

    #[test]
    fn golden_bytes() {
        let hex: String =
            entry().encode().expect("encodes").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, include_str!("../../tests/golden/log-entry-v1.hex").trim());
    }

    #[test]
    fn cuts_and_tails_are_refused() {
        let bytes = entry().encode().expect("encodes");
        for at in 0..bytes.len() {
            assert!(LogEntry::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(LogEntry::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }
}
