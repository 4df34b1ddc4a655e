//! What lies in the second level: records of the truth with what is needed to trust them, and the note
//! of how far the log was followed there.
//!
//! A record: checksum (8 bytes), format (1), whether there is a record (1), generation (8), when it was
//! read (8), its version in the truth (8), its bytes. The note: checksum (8), format (1), generation (8),
//! sequence (8), time (8). Integers are little-endian; the checksum is the xxh3-64 of everything behind
//! it, seeded with that of the key.
//!
//! **Invariants**
//! - Bytes that are damaged, foreign, of another key or of another generation are no answer.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::first::Slot;
use super::follow::Mark;
use crate::model::{Key, KeyBuilder, Space};

const FORMAT: u8 = 1;
const CHECKSUM: usize = 8;
const HEADER: usize = 34;
const NOTE: usize = 33;

/// How far the log was followed, and which entries count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Note {
    /// Entries of another generation are not trusted.
    pub(super) generation: u64,
    /// What the commits up to here touched has been dropped.
    pub(super) mark: Mark,
}

/// Where the note lies.
pub(super) fn note_key() -> Key {
    KeyBuilder::new(Space::Meta).text("cache").text("followed").build()
}

fn checksum(key: &Key, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(&bytes[CHECKSUM..], xxh3_64(key.as_bytes()))
}

fn seal(key: &Key, mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(key, &bytes);
    bytes[..CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn sealed(key: &Key, bytes: &[u8], least: usize) -> Option<()> {
    let whole =
        bytes.len() >= least && u64_at(bytes, 0)? == checksum(key, bytes) && bytes[CHECKSUM] == FORMAT;
    whole.then_some(())
}

impl Note {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; CHECKSUM];
        bytes.push(FORMAT);
        for field in [self.generation, self.mark.sequence, self.mark.time] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        seal(&note_key(), bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        sealed(&note_key(), bytes, NOTE)?;
        let mark = Mark { sequence: u64_at(bytes, 17)?, time: u64_at(bytes, 25)? };
        Some(Self { generation: u64_at(bytes, 9)?, mark })
    }
}

/// The bytes to store for `slot`.
pub(super) fn encode(key: &Key, generation: u64, slot: &Slot) -> Vec<u8> {
    let value = slot.value.as_deref();
    let mut bytes = Vec::with_capacity(HEADER + value.map_or(0, <[u8]>::len));
    bytes.resize(CHECKSUM, 0);
    bytes.extend_from_slice(&[FORMAT, u8::from(value.is_some())]);
    for field in [generation, slot.since, slot.version] {
        bytes.extend_from_slice(&field.to_le_bytes());
    }
    bytes.extend_from_slice(value.unwrap_or_default());
    seal(key, bytes)
}

/// Whether a cache wrote this: an entry, of whichever generation.
pub(super) fn ours(key: &Key, bytes: &[u8]) -> bool {
    sealed(key, bytes, HEADER).is_some()
}

/// What was stored, if it can be trusted.
pub(super) fn decode(key: &Key, generation: u64, bytes: &[u8]) -> Option<Slot> {
    sealed(key, bytes, HEADER)?;
    let value = match bytes[CHECKSUM + 1] {
        0 if bytes.len() == HEADER => None,
        1 => Some(bytes[HEADER..].into()),
        _ => return None,
    };
    let slot = Slot { since: u64_at(bytes, 18)?, version: u64_at(bytes, 26)?, value };
    (u64_at(bytes, 10)? == generation).then_some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_entries_of_the_same_key_and_generation_are_an_answer() {
        let (key, other) = (Key::record("s", "a").unwrap(), Key::record("s", "b").unwrap());
        for value in [None, Some(Box::from([])), Some(Box::from([0, 1, 2]))] {
            let slot = Slot { version: 7, since: 1_000, value };
            let bytes = encode(&key, 3, &slot);
            assert_eq!(decode(&key, 3, &bytes), Some(slot));
            assert_eq!(decode(&key, 4, &bytes), None);
            assert_eq!(decode(&other, 3, &bytes), None);
            for at in 0..bytes.len() {
                assert_eq!(decode(&key, 3, &bytes[..at]), None, "cut at {at}");
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                assert_eq!(decode(&key, 3, &flipped), None, "flipped at {at}");
            }
        }
        let note = Note { generation: 5, mark: Mark { sequence: 9, time: 11 } };
        let bytes = note.encode();
        assert_eq!(Note::decode(&bytes), Some(note));
        assert!((0..bytes.len()).all(|at| Note::decode(&bytes[..at]).is_none()));
    }
}
