//! From SQLite's errors to this crate's.

use rusqlite::ErrorCode;

use super::volume::{Failure, Volume};
use crate::backends::file_error;
use crate::{Error, ErrorKind};

/// The error for a call of SQLite that failed; `what` says what was being done.
pub(super) fn from_sqlite(volume: &Volume, what: &str, error: rusqlite::Error) -> Error {
    let path = volume.path();
    match volume.take_failure() {
        Some(Failure::File(failure)) => return file_error(what, failure),
        Some(Failure::Page(number)) => return damaged_page(path, number),
        None => {}
    }
    let (kind, remedy) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (ErrorKind::Quota, "free space and retry; what is stored is intact"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (ErrorKind::Corrupt, "the file is damaged: restore it from a backup")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            (ErrorKind::Blocked, "close the other holder, or wait and retry")
        }
        Some(
            ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory,
        ) => (ErrorKind::Unavailable, "retry when the storage can be reached"),
        // What stands in a column is not what this crate writes there, or a table is missing.
        _ if is_foreign_content(&error) => (
            ErrorKind::Corrupt,
            "the tables are not as this crate makes them: restore the file from a backup",
        ),
        _ => (ErrorKind::Internal, "this is a defect"),
    };
    Error::new(kind, format!("{what}: {path}: {error}; {remedy}")).with_source(error)
}

fn is_foreign_content(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::SqlInputError { .. } => true,
        // The generic error of SQLite, which a statement gives whose table is not there.
        rusqlite::Error::SqliteFailure(failure, _) => failure.extended_code == 1,
        _ => false,
    }
}

/// The error for a page whose checksum is wrong.
pub(super) fn damaged_page(path: &str, number: u64) -> Error {
    Error::corrupt(format!(
        "{path}: page {number} is not what was written there; restore the file from a backup, or copy what can \
         still be read"
    ))
}
