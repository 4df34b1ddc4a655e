//! The record envelope: what surrounds every payload on disk.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | magic, `mR` |
//! | 2 | 1 | format version, 1 |
//! | 3 | 1 | flags, 0 |
//! | 4 | 8 | checksum |
//! | 12 | 8 | created, milliseconds since the Unix epoch |
//! | 20 | 8 | updated, the same |
//! | 28 | 8 | expires, the same; 0 = never |
//! | 36 | 4 | schema version |
//! | 40 | 1 | length *n* of the schema name, in bytes |
//! | 41 | *n* | schema name, UTF-8 |
//! | 41 + *n* | | payload |
//!
//! Integers are little-endian. The checksum is [xxh3-64](https://xxhash.com) of everything behind
//! it, seeded with the xxh3-64 of the record's key mixed with the first four bytes.
//!
//! **Invariants**
//! - The seed binds a value to its key: bytes that end up under another key do not pass.
//! - A format version above ours is [`Version`](crate::ErrorKind::Version), never guessed at; any
//!   other deviation is [`Corrupt`](crate::ErrorKind::Corrupt).

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::Key;
use crate::{Error, Result};

const MAGIC: [u8; 2] = *b"mR";
const FORMAT: u8 = 1;
const CHECKSUM: std::ops::Range<usize> = 4..12;
const CREATED: std::ops::Range<usize> = 12..20;
const UPDATED: std::ops::Range<usize> = 20..28;
const EXPIRES: std::ops::Range<usize> = 28..36;
const SCHEMA_VERSION: std::ops::Range<usize> = 36..40;
const SCHEMA_LENGTH: usize = 40;
const HEADER: usize = 41;

/// A payload with its times and the schema it was written under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// When the record was first written, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When this version was written, the same.
    pub updated: u64,
    /// When it expires, the same.
    pub expires: Option<u64>,
    /// The name of the schema, empty if there is none; at most 255 bytes.
    pub schema: &'a str,
    /// The version of the schema, 0 if there is none.
    pub schema_version: u32,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// The bytes to store under `key`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the schema name is longer than 255 bytes.
    pub fn encode(&self, key: &Key) -> Result<Vec<u8>> {
        let Ok(schema_length) = u8::try_from(self.schema.len()) else {
            return Err(Error::invalid(format!(
                "the schema name is {} bytes long; the limit is 255",
                self.schema.len()
            )));
        };
        let mut bytes = Vec::with_capacity(HEADER + self.schema.len() + self.payload.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[FORMAT, 0]);
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&self.created.to_le_bytes());
        bytes.extend_from_slice(&self.updated.to_le_bytes());
        bytes.extend_from_slice(&self.expires.unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&self.schema_version.to_le_bytes());
        bytes.push(schema_length);
        bytes.extend_from_slice(self.schema.as_bytes());
        bytes.extend_from_slice(self.payload);
        seal(key, &mut bytes);
        Ok(bytes)
    }

    /// Reads what was stored under `key`.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not what was written, and
    /// [`Version`](crate::ErrorKind::Version) if a newer release wrote them; both name the key.
    pub fn decode(key: &Key, bytes: &'a [u8]) -> Result<Self> {
        let corrupt =
            |what: &str| Err(Error::corrupt(format!("the record is damaged: {what}")).with_key(key.clone()));
        if bytes.len() < HEADER {
            return corrupt("it is shorter than its header");
        }
        if bytes[..2] != MAGIC {
            return corrupt("it does not start with the magic bytes");
        }
        if bytes[2] > FORMAT {
            let message = format!(
                "the record has format {}, this release reads up to {FORMAT}; upgrade the package",
                bytes[2]
            );
            return Err(Error::version(message).with_key(key.clone()));
        }
        if u64_at(bytes, CHECKSUM) != checksum(key, bytes) {
            return corrupt("its checksum differs");
        }
        if bytes[2] != FORMAT || bytes[3] != 0 {
            return corrupt("its format and flags are none that were ever written");
        }
        let schema_end = HEADER + bytes[SCHEMA_LENGTH] as usize;
        let Some(Ok(schema)) = bytes.get(HEADER..schema_end).map(std::str::from_utf8) else {
            return corrupt("its schema name is cut off or not UTF-8");
        };
        Ok(Self {
            created: u64_at(bytes, CREATED),
            updated: u64_at(bytes, UPDATED),
            expires: Some(u64_at(bytes, EXPIRES)).filter(|&at| at != 0),
            schema,
            schema_version: u32::from_le_bytes(array(bytes, SCHEMA_VERSION)),
            payload: &bytes[schema_end..],
        })
    }

    /// Whether the record has expired at the time `now`.
    #[must_use]
    pub fn expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }
}

/// The times of an enveloped record that the next version of it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lineage {
    created: u64,
    expires: u64,
}

impl Lineage {
    /// The times of what is stored under `key`; `None` if the bytes are no envelope or are damaged:
    /// nothing follows from times that can not be trusted.
    #[must_use]
    pub fn of(key: &Key, bytes: &[u8]) -> Option<Self> {
        let envelope = Envelope::decode(key, bytes).ok()?;
        Some(Self { created: envelope.created, expires: envelope.expires.unwrap_or(0) })
    }

    /// When it expires, if it does.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        Some(self.expires).filter(|&at| at != 0)
    }

    /// The same times, but created at `created`.
    #[must_use]
    pub fn with_created(self, created: u64) -> Self {
        Self { created, ..self }
    }

    /// The creation time that a version written at `now` inherits: none from a record that had
    /// expired by then.
    #[must_use]
    pub fn inheritable(&self, now: u64) -> Option<u64> {
        (self.expires == 0 || self.expires > now).then_some(self.created)
    }
}

/// Gives the enveloped record in `bytes` the creation time `created`. Bytes that are no envelope
/// stay as they are.
pub fn set_created(key: &Key, bytes: &mut [u8], created: u64) {
    if bytes.len() >= HEADER && bytes[..2] == MAGIC {
        bytes[CREATED].copy_from_slice(&created.to_le_bytes());
        seal(key, bytes);
    }
}

fn seal(key: &Key, bytes: &mut [u8]) {
    let sum = checksum(key, bytes);
    bytes[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
}

fn checksum(key: &Key, bytes: &[u8]) -> u64 {
    let head = u64::from(u32::from_le_bytes(array(bytes, 0..4)));
    xxh3_64_with_seed(&bytes[CHECKSUM.end..], xxh3_64(key.as_bytes()) ^ head)
}

fn u64_at(bytes: &[u8], at: std::ops::Range<usize>) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

/// The bytes of a fixed field; the callers have checked that the header is there.
fn array<const N: usize>(bytes: &[u8], at: std::ops::Range<usize>) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at]);
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn key() -> Key {
        Key::record("agents", "a-1").expect("valid key")
    }

    fn envelope() -> Envelope<'static> {
        Envelope {
            created: 1_000,
            updated: 2_000,
            expires: Some(3_000),
            schema: "agent",
            schema_version: 7,
            payload: b"payload",
        }
    }

    #[test]
    fn comes_back_as_it_went_in() {
        let bytes = envelope().encode(&key()).expect("encodes");
        assert_eq!(Envelope::decode(&key(), &bytes).expect("decodes"), envelope());
    }

    #[test]
    fn golden_bytes() {
        let bytes = envelope().encode(&key()).expect("encodes");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, include_str!("../../tests/golden/envelope-v1.hex").trim());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = envelope().encode(&key()).expect("encodes");
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let error = Envelope::decode(&key(), &damaged).expect_err("noticed");
                assert!(
                    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Version),
                    "byte {at} bit {bit}"
                );
                assert_eq!(error.key(), Some("agents/a-1"));
            }
            assert!(Envelope::decode(&key(), &bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_value_under_a_foreign_key_is_noticed() {
        let bytes = envelope().encode(&key()).expect("encodes");
        let other = Key::record("agents", "a-2").expect("valid key");
        assert_eq!(Envelope::decode(&other, &bytes).expect_err("noticed").kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let mut bytes = envelope().encode(&key()).expect("encodes");
        bytes[2] = FORMAT + 1;
        seal(&key(), &mut bytes);
        assert_eq!(Envelope::decode(&key(), &bytes).expect_err("refused").kind(), ErrorKind::Version);
    }

    #[test]
    fn created_is_inherited_only_from_the_living() {
        let old = envelope().encode(&key()).expect("encodes");
        let lineage = Lineage::of(&key(), &old).expect("an envelope");
        assert_eq!(lineage.inheritable(2_999), Some(1_000));
        assert_eq!(lineage.inheritable(3_000), None);
        assert_eq!(Lineage::of(&key(), b"raw"), None);
        let mut damaged = old.clone();
        damaged[EXPIRES.start] ^= 1;
        assert_eq!(Lineage::of(&key(), &damaged), None);
        let mut new = Envelope { created: 2_500, ..envelope() }.encode(&key()).expect("encodes");
        set_created(&key(), &mut new, 1_000);
        assert_eq!(Envelope::decode(&key(), &new).expect("decodes").created, 1_000);
    }
}
