//! Declared fallback: what is opened in the place of a storage that can not be had.
//!
//! **Invariants**
//! - Only what the caller named is tried, in his order, and he is told what was taken and why.
//! - Data that is there is never hidden behind an empty memory: storage that is damaged, of a newer
//!   format, or asked for wrongly is an error, whatever was declared.

use std::iter::once;
use std::sync::Arc;

use super::url::check_url;
use super::{Backend, OpenOptions, open};
use crate::{Error, ErrorKind, Result};

/// What was asked for, what was taken, and why not the others.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The URL that was asked for.
    pub asked: String,
    /// The URL that was opened: the same, or one of the fallbacks.
    pub taken: String,
    /// Those tried before it, in their order, with the reasons.
    pub refused: Vec<Refused>,
}

/// A URL that could not be opened.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The URL.
    pub url: String,
    /// Why not.
    pub error: Error,
}

/// Whether a failure is about the storage, so that another one may take its place.
const fn gives_way(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unsupported | ErrorKind::Unavailable | ErrorKind::Blocked | ErrorKind::Quota)
}

/// Opens the first of `url` and the `fallback`s whose storage can be had. See [`open`].
///
/// # Errors
/// `Invalid` if any of the URLs is of no known form, before anything is opened. If none can be had,
/// the error of `url`, with what was wrong with the others. Any error but `Unsupported`,
/// `Unavailable`, `Blocked` and `Quota` at once, without trying what comes after.
pub async fn open_with_fallback(
    url: &str,
    fallback: &[String],
    options: &OpenOptions,
) -> Result<(Arc<dyn Backend>, Opened)> {
    // A mistake in a fallback shall be found before the day it is needed.
    check_url(url)?;
    for (index, fallback) in fallback.iter().enumerate() {
        check_url(fallback).map_err(|error| error.at(format!("fallback[{index}]")))?;
    }
    let mut refused: Vec<Refused> = Vec::new();
    for candidate in once(url).chain(fallback.iter().map(String::as_str)) {
        match open(candidate, options).await {
            Ok(backend) => {
                return Ok((backend, Opened { asked: url.to_owned(), taken: candidate.to_owned(), refused }));
            }
            Err(error) if gives_way(error.kind()) => {
                refused.push(Refused { url: candidate.to_owned(), error })
            }
            Err(error) => return Err(error.at(candidate)),
        }
    }
    Err(none_of(refused))
}

/// The error of the first, which names the others.
fn none_of(refused: Vec<Refused>) -> Error {
    let mut refused = refused.into_iter();
    let Some(Refused { error: first, .. }) = refused.next() else {
        return Error::internal("nothing was tried");
    };
    let others: Vec<String> =
        refused.map(|Refused { url, error }| format!("{url}: {}", error.message())).collect();
    if others.is_empty() {
        return first;
    }
    let message = format!("{}; no fallback could be opened either: {}", first.message(), others.join("; "));
    Error::new(first.kind(), message).with_source(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on;

    fn opened(url: &str, fallback: &[&str]) -> Result<Opened> {
        let fallback: Vec<String> = fallback.iter().map(|&url| url.to_owned()).collect();
        let options = OpenOptions { files: None, ..OpenOptions::default() };
        block_on(open_with_fallback(url, &fallback, &options)).map(|(_, opened)| opened)
    }

    #[test]
    fn only_what_was_declared_is_tried_and_in_its_order() {
        let plain = opened("memory:", &["json://x"]).unwrap();
        assert_eq!((plain.taken.as_str(), plain.refused.len()), ("memory:", 0));
        let second = opened("idb://a", &["opfs://b", "memory:", "json://c"]).unwrap();
        assert_eq!((second.asked.as_str(), second.taken.as_str()), ("idb://a", "memory:"));
        let refused: Vec<_> = second.refused.iter().map(|one| (one.url.as_str(), one.error.kind())).collect();
        assert_eq!(refused, [("idb://a", ErrorKind::Unsupported), ("opfs://b", ErrorKind::Unsupported)]);
    }

    #[test]
    fn without_any_that_can_be_had_the_first_error_names_all() {
        let alone = opened("idb://a", &[]).unwrap_err();
        assert_eq!(alone.kind(), ErrorKind::Unsupported);
        assert!(!alone.message().contains("fallback"), "{alone}");
        let both = opened("idb://a", &["opfs://b"]).unwrap_err();
        assert_eq!(both.kind(), ErrorKind::Unsupported);
        assert!(both.message().contains("opfs://b: "), "{both}");
    }

    #[test]
    fn a_mistake_is_told_also_where_it_would_not_be_reached() {
        for (url, fallback) in [("memory", ["memory:"]), ("memory:", ["ftp://x"]), ("idb://a", ["json:"])] {
            let error = opened(url, &fallback).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{url} {fallback:?}");
        }
        assert!(opened("memory:", &["ftp://x"]).unwrap_err().message().starts_with("fallback[0]"));
    }

    #[test]
    fn only_failures_of_the_storage_give_way() {
        let giving = ErrorKind::ALL.into_iter().filter(|&kind| gives_way(kind)).collect::<Vec<_>>();
        use ErrorKind::{Blocked, Quota, Unavailable, Unsupported};
        assert_eq!(giving, [Blocked, Unavailable, Quota, Unsupported]);
    }
}
