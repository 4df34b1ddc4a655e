//! Who holds a lock, as the lock file says it: a few lines that people can read.
//!
//! ```text
//! mnemora lock 1
//! process 4242
//! started 3f0c5f1e-…/123456
//! taken 2026-11-20T12:43:08.123Z
//! token 9f86d081884c7d65
//! ```

use crate::Result;
use crate::backends::file_error;
use crate::platform::files::{FileError, FileErrorKind, FileSystem, OpenMode, Process};

const TITLE: &str = "mnemora lock 1";

/// The most that is read of a lock file.
const MAX_BYTES: usize = 4096;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) process: Process,
    /// When it was taken, as people read it: UTC, RFC 3339.
    pub(super) taken: String,
    /// Tells this lock apart from every other.
    pub(super) token: String,
}

/// What is at the path of a lock.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Owner(Owner),
    /// A file that names nobody.
    Unreadable,
}

/// The bytes of the lock file, cut at a length that no lock has; `None` if there is none.
pub(super) fn read(files: &dyn FileSystem, path: &str) -> Result<Option<Vec<u8>>> {
    let read = || -> Result<Vec<u8>, FileError> {
        let file = files.open(path, OpenMode::Read)?;
        let mut bytes = vec![0; MAX_BYTES];
        let length = file.read_at(&mut bytes, 0)?;
        bytes.truncate(length);
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind == FileErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error("reading the lock", error)),
    }
}

/// Who holds the lock `path`.
pub(super) fn find(files: &dyn FileSystem, path: &str) -> Result<Found> {
    Ok(match read(files, path)? {
        None => Found::Nothing,
        Some(bytes) => Owner::parse(&bytes).map_or(Found::Unreadable, Found::Owner),
    })
}

impl Owner {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self { process: Process { id, started }, taken, token } = self;
        format!("{TITLE}\nprocess {id}\nstarted {started}\ntaken {taken}\ntoken {token}\n").into_bytes()
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        // The last line break is the proof that nothing is cut off.
        let mut lines = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split('\n');
        let mut field = |name: &str| lines.next()?.strip_prefix(name);
        if !field(TITLE)?.is_empty() {
            return None;
        }
        let id = field("process ")?.parse().ok()?;
        let started = field("started ")?.to_owned();
        let taken = field("taken ")?.to_owned();
        let token = field("token ")?.to_owned();
        let whole = token.len() == 16 && lines.next().is_none();
        whole.then_some(Self { process: Process { id, started }, taken, token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::civil::rfc3339;

    fn owner() -> Owner {
        let process = Process { id: 4242, started: "boot/17".into() };
        Owner { process, taken: rfc3339(1_795_178_588_123), token: "00ff00ff00ff00ff".into() }
    }

    #[test]
    fn what_is_written_is_read_and_can_be_read_by_people() {
        let bytes = owner().to_bytes();
        assert_eq!(Owner::parse(&bytes), Some(owner()));
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            text.contains("process 4242\n") && text.contains("taken 2026-11-20T12:43:08.123Z\n"),
            "{text}"
        );
    }

    #[test]
    fn anything_cut_off_or_foreign_names_nobody() {
        let bytes = owner().to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Owner::parse(&bytes[..length]), None, "cut at {length}");
        }
        for foreign in ["", "\n", "4242\n", "mnemora lock 2\nprocess 1\nstarted \ntaken 0\ntoken x\n"] {
            assert_eq!(Owner::parse(foreign.as_bytes()), None, "{foreign:?}");
        }
        assert_eq!(Owner::parse(&[0xFF; 200]), None);
        assert_eq!(Owner::parse(&[&bytes[..], b"more\n"].concat()), None);
    }
}
