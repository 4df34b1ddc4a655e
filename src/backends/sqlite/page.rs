//! Pages of a database file: the checksum at the end of each, and the first one.
//!
//! **Invariants**
//! - Every page of the main file ends in 8 bytes, little-endian: the xxh3-64 of what stands before them,
//!   seeded with the page's number. So a page that was damaged, or that lies in another's place, is told.
//! - SQLite keeps those bytes free: they are the *reserved space* that byte 20 of the header announces,
//!   and any SQLite skips them.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{Error, Result};

/// Size of a page in bytes.
pub(super) const PAGE_BYTES: usize = 4096;

/// Bytes at the end of a page that hold its checksum.
const SUM_BYTES: usize = 8;

/// What the header says a file is, at the offset 68: "mnem".
pub(super) const APPLICATION_ID: u32 = 0x6D6E_656D;

/// The format of the tables, as `user_version` in the header.
pub(super) const FORMAT: u32 = 1;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 100;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

fn sum(content: &[u8], number: u64) -> [u8; SUM_BYTES] {
    xxh3_64_with_seed(content, number).to_le_bytes()
}

/// Writes the checksum of page `number` behind its content.
pub(super) fn stamp(page: &mut [u8; PAGE_BYTES], number: u64) {
    let (content, place) = page.split_at_mut(PAGE_BYTES - SUM_BYTES);
    place.copy_from_slice(&sum(content, number));
}

/// Whether `page` is what was written as page `number`.
pub(super) fn is_whole(page: &[u8; PAGE_BYTES], number: u64) -> bool {
    let (content, found) = page.split_at(PAGE_BYTES - SUM_BYTES);
    sum(content, number) == *found
}

/// The number of the page that begins at `offset`, if a page begins there.
pub(super) fn number_at(offset: u64) -> Option<u64> {
    let size = PAGE_BYTES as u64;
    offset.is_multiple_of(size).then_some(offset / size + 1)
}

/// The first page of a database without tables, as SQLite itself would write it, in the mode of a
/// write-ahead log. SQLite offers no statement for the reserved space, so the page is written for it.
pub(super) fn first() -> [u8; PAGE_BYTES] {
    let mut page = [0; PAGE_BYTES];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, MAGIC);
    put(16, &(PAGE_BYTES as u16).to_be_bytes());
    put(18, &[2, 2, SUM_BYTES as u8]); // written and read as a write-ahead log; the reserved space
    put(21, &[64, 32, 32]); // payload fractions, fixed by the format
    put(24, &1u32.to_be_bytes()); // change counter
    put(28, &1u32.to_be_bytes()); // pages in the file
    put(44, &4u32.to_be_bytes()); // schema format
    put(56, &1u32.to_be_bytes()); // UTF-8
    put(60, &FORMAT.to_be_bytes());
    put(68, &APPLICATION_ID.to_be_bytes());
    put(92, &1u32.to_be_bytes()); // the change counter that the page count is valid for
    put(96, &3_053_000u32.to_be_bytes()); // the release of SQLite whose rules it follows
    // The root of the schema: an empty leaf of a table. Its content begins where the checksum does.
    put(HEADER_BYTES, &[13]);
    put(HEADER_BYTES + 5, &((PAGE_BYTES - SUM_BYTES) as u16).to_be_bytes());
    stamp(&mut page, 1);
    page
}

/// What stands in the header of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a>(&'a [u8; HEADER_BYTES]);

impl<'a> Header<'a> {
    /// The header at the beginning of a file that begins with `bytes`.
    ///
    /// # Errors
    /// `Invalid` if it is not SQLite's.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        match bytes.first_chunk() {
            Some(header) if header.starts_with(MAGIC) => Ok(Self(header)),
            _ => Err(Error::invalid("it is not an SQLite file; give another path")),
        }
    }

    fn number(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[at..at + 4]);
        u32::from_be_bytes(bytes)
    }

    /// Checks that a release of this crate wrote the file and that this one can read it.
    ///
    /// # Errors
    /// `Invalid` if it is somebody else's, `Version` if it is too new, `Corrupt` if it is damaged.
    pub(super) fn check(&self) -> Result<()> {
        let owner = self.number(68);
        if owner != APPLICATION_ID {
            return Err(Error::invalid(format!(
                "it is an SQLite database of another program (application id {owner:#010x}); give another path"
            )));
        }
        check_format(self.number(60))?;
        if self.0[16..18] != (PAGE_BYTES as u16).to_be_bytes() || usize::from(self.0[20]) != SUM_BYTES {
            return Err(Error::corrupt(
                "its header is damaged: the page size or the reserved space is not of this format; restore the \
                 file from a backup",
            ));
        }
        Ok(())
    }

    /// How long the file has to be, if the header says so.
    pub(super) fn length(&self) -> Option<u64> {
        (self.number(24) == self.number(92)).then(|| u64::from(self.number(28)) * PAGE_BYTES as u64)
    }
}

/// Checks the format of the tables.
///
/// # Errors
/// `Version` if it is newer than this release.
pub(super) fn check_format(found: u32) -> Result<()> {
    if found <= FORMAT {
        return Ok(());
    }
    Err(Error::version(format!(
        "it has format {found}, this release reads up to {FORMAT}; open it with a newer release"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn every_flipped_bit_of_a_page_is_told_and_so_is_another_place() {
        let page = first();
        assert!(is_whole(&page, 1));
        assert!(!is_whole(&page, 2));
        for bit in 0..PAGE_BYTES * 8 {
            let mut flipped = page;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_whole(&flipped, 1), "bit {bit}");
        }
    }

    #[test]
    fn pages_begin_at_multiples_of_their_size() {
        assert_eq!(number_at(0), Some(1));
        assert_eq!(number_at(8192), Some(3));
        assert_eq!(number_at(24), None);
    }

    #[test]
    fn headers_say_whose_they_are() {
        let kind = |change: &dyn Fn(&mut [u8; PAGE_BYTES])| {
            let mut page = first();
            change(&mut page);
            Header::read(&page).and_then(|header| header.check()).map_err(|error| error.kind())
        };
        assert_eq!(kind(&|_| ()), Ok(()));
        assert_eq!(kind(&|page| page[0] = b's'), Err(ErrorKind::Invalid));
        assert_eq!(kind(&|page| page[71] = 0), Err(ErrorKind::Invalid));
        assert_eq!(kind(&|page| page[63] = 2), Err(ErrorKind::Version));
        assert_eq!(kind(&|page| page[20] = 0), Err(ErrorKind::Corrupt));
        assert_eq!(kind(&|page| page[16] = 0x20), Err(ErrorKind::Corrupt));
        assert_eq!(Header::read(&first()).expect("is one").length(), Some(4096));
        assert!(Header::read(b"SQLite format 3\0").is_err(), "a header that is cut off");
    }
}
