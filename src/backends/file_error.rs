//! What a failed call on files means to a caller of a backend.

use crate::platform::files::{FileError, FileErrorKind};
use crate::{Error, ErrorKind};

/// The error for a failed call on files; `what` says what was being done, for whoever reads it.
pub(crate) fn file_error(what: &str, error: FileError) -> Error {
    let (kind, remedy) = match error.kind {
        FileErrorKind::NoSpace => (ErrorKind::Quota, "free space and retry; what is stored is intact"),
        FileErrorKind::PermissionDenied => {
            (ErrorKind::Unavailable, "give this process the right to read and write there")
        }
        FileErrorKind::NotFound => (ErrorKind::Unavailable, "it, or a directory above it, is not there"),
        FileErrorKind::AlreadyExists => (ErrorKind::Unavailable, "something else is in its place"),
        FileErrorKind::Busy => (ErrorKind::Blocked, "close the other holder, or wait and retry"),
        FileErrorKind::Other => (ErrorKind::Unavailable, "retry when the storage can be reached"),
    };
    Error::new(kind, format!("{what}: {}; {remedy}", error.message)).with_source(error)
}
