//! The one error type of the crate.
//!
//! Kinds are sorted by **what the caller can do about it**, not by where the error came from:
//! a caller matches on [`ErrorKind`], shows [`Error::message`], and never parses text.
//!
//! **Invariants**
//! - Every failure of the public API is an [`Error`]; nothing panics across the JS boundary.
//! - [`ErrorKind::code`] is total and stable: it is the `code` that JavaScript sees.
//! - A message names what was wrong, where (key, path or position) and how to mend it.

use std::fmt;
use std::sync::Arc;

use crate::platform::{MaybeSend, MaybeSync};

/// Result of any fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The input breaks a documented rule. Mend the input; nothing was written.
    Invalid,
    /// A target that must exist does not.
    NotFound,
    /// A precondition did not hold. Read again and retry.
    Conflict,
    /// The handle was closed. Open a new one.
    Closed,
    /// Another holder stands in the way. Close it, or wait and retry.
    Blocked,
    /// The storage can not be reached at the moment. Retry later.
    Unavailable,
    /// The storage is full. Free space and retry; stored data is intact.
    Quota,
    /// Stored bytes are damaged. Restore the record; the others stay readable.
    Corrupt,
    /// Stored data was written by a newer release. Upgrade.
    Version,
    /// A key or passphrase is wrong, or sealed data was tampered with.
    Crypto,
    /// This build or backend can not do that.
    Unsupported,
    /// A defect of this crate.
    Internal,
}

impl ErrorKind {
    /// Every kind, for exhaustive tests on both sides of the JS boundary.
    pub const ALL: [Self; 12] = [
        Self::Invalid,
        Self::NotFound,
        Self::Conflict,
        Self::Closed,
        Self::Blocked,
        Self::Unavailable,
        Self::Quota,
        Self::Corrupt,
        Self::Version,
        Self::Crypto,
        Self::Unsupported,
        Self::Internal,
    ];

    /// The stable code of this kind, as JavaScript sees it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "ERR_INVALID",
            Self::NotFound => "ERR_NOT_FOUND",
            Self::Conflict => "ERR_CONFLICT",
            Self::Closed => "ERR_CLOSED",
            Self::Blocked => "ERR_BLOCKED",
            Self::Unavailable => "ERR_UNAVAILABLE",
            Self::Quota => "ERR_QUOTA",
            Self::Corrupt => "ERR_CORRUPT",
            Self::Version => "ERR_VERSION",
            Self::Crypto => "ERR_CRYPTO",
            Self::Unsupported => "ERR_UNSUPPORTED",
            Self::Internal => "ERR_INTERNAL",
        }
    }

    /// Whether the same call may succeed later without a change of its input.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::Conflict | Self::Blocked | Self::Unavailable | Self::Quota)
    }
}

/// An underlying cause: any error that may live where the crate's futures live.
pub trait Cause: std::error::Error + MaybeSend + MaybeSync + 'static {}
impl<T: std::error::Error + MaybeSend + MaybeSync + 'static> Cause for T {}

/// The one error of this crate: a kind to act on, a message to read, the key and the cause if any.
///
/// Behind a pointer, so that a result which hardly ever is an error is not as large as one.
#[derive(Clone)]
pub struct Error(Box<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    message: String,
    key: Option<Box<str>>,
    source: Option<Arc<dyn Cause>>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),+ $(,)?) => {
        impl Error {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self {
                Self::new(ErrorKind::$kind, message)
            })+
        }
    };
}

constructors! {
    /// An [`ErrorKind::Invalid`] error.
    invalid => Invalid,
    /// An [`ErrorKind::NotFound`] error.
    not_found => NotFound,
    /// An [`ErrorKind::Conflict`] error.
    conflict => Conflict,
    /// An [`ErrorKind::Closed`] error.
    closed => Closed,
    /// An [`ErrorKind::Blocked`] error.
    blocked => Blocked,
    /// An [`ErrorKind::Unavailable`] error.
    unavailable => Unavailable,
    /// An [`ErrorKind::Quota`] error.
    quota => Quota,
    /// An [`ErrorKind::Corrupt`] error.
    corrupt => Corrupt,
    /// An [`ErrorKind::Version`] error.
    version => Version,
    /// An [`ErrorKind::Unsupported`] error.
    unsupported => Unsupported,
    /// An [`ErrorKind::Internal`] error.
    internal => Internal,
}

impl Error {
    /// An error of `kind` with a message for a human reader.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::of(kind, message.into())
    }

    // What follows is compiled once each, not once for each type that is shown in a message.

    #[cold]
    #[inline(never)]
    fn of(kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Details { kind, message, key: None, source: None }))
    }

    /// The same error, naming the key it is about, as people read it: `store/id`.
    #[must_use]
    pub fn with_key(self, key: impl fmt::Display) -> Self {
        self.keyed(&key)
    }

    #[cold]
    #[inline(never)]
    fn keyed(mut self, key: &dyn fmt::Display) -> Self {
        self.0.key = Some(key.to_string().into());
        self
    }

    /// The same error, with its underlying cause.
    #[must_use]
    pub fn with_source(self, source: impl Cause) -> Self {
        self.caused(Arc::new(source))
    }

    #[cold]
    #[inline(never)]
    fn caused(mut self, source: Arc<dyn Cause>) -> Self {
        self.0.source = Some(source);
        self
    }

    /// The same error, its message led in by the place it happened at.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        self.placed(&place)
    }

    #[cold]
    #[inline(never)]
    fn placed(mut self, place: &dyn fmt::Display) -> Self {
        self.0.message = format!("{place}: {}", self.0.message);
        self
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was wrong, where, and how to mend it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The key this error is about, if it is about one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { kind, message, key, source } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("message", message)
            .field("key", key)
            .field("source", source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.code(), self.0.message)?;
        match &self.0.key {
            Some(key) => write!(f, " (key {key})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_stable() {
        let codes: std::collections::BTreeSet<_> = ErrorKind::ALL.iter().map(|k| k.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert!(codes.iter().all(|code| code.starts_with("ERR_")));
    }

    #[test]
    fn display_names_code_message_and_key() {
        let error = Error::corrupt("checksum differs").with_key("agents/a-1");
        let shown = error.to_string();
        assert!(shown.starts_with("ERR_CORRUPT: checksum differs"), "{shown}");
        assert!(shown.contains("agents/a-1"), "{shown}");
    }
}
