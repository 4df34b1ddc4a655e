//! Following the commit log.
//!
//! A follower (a watcher, an index, another tab) keeps a cursor: the number of the last entry it has
//! dealt with. It reads on from there, so order is kept and nothing is missed, however late or
//! seldom it is told that there is more.
//!
//! **Invariants**
//! - [`read`] returns entries without a gap, or says that the log no longer reaches back that far.
//! - A cursor never goes back.

use crate::backends::Backend;
use crate::model::{LogEntry, Page, Range, Space};
use crate::{Error, ErrorKind, Result};

/// A piece of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The entries after the cursor that was asked for, in order.
    pub entries: Vec<LogEntry>,
    /// Where to read on.
    pub cursor: u64,
    /// Whether there was more when this was read.
    pub more: bool,
}

/// Reads up to `limit` entries after the number `after`.
///
/// # Errors
/// `NotFound` if entries after `after` were trimmed: the follower must rebuild from the records.
/// `Corrupt` if the log is damaged there, and what the backend's scan gives.
pub async fn read(backend: &dyn Backend, after: u64, limit: usize) -> Result<LogPage> {
    let found = backend.scan(&Range::log_after(after), Page::first(limit)).await?;
    let entries: Vec<LogEntry> =
        found.records.iter().map(|(_, record)| LogEntry::decode(&record.value)).collect::<Result<_>>()?;
    let mut cursor = after;
    for entry in &entries {
        if entry.sequence != cursor + 1 {
            return Err(Error::not_found(format!(
                "the commit log no longer holds entry {}; read the records anew and follow from {}",
                cursor + 1,
                entry.sequence - 1
            )));
        }
        cursor = entry.sequence;
    }
    Ok(LogPage { entries, cursor, more: found.cursor.is_some() })
}

/// The number and time of the latest commit; zeros before the first.
///
/// The time is 0 too where its entry is damaged, or gone: a log can be trimmed to nothing.
///
/// # Errors
/// What the backend's reads give.
pub async fn head(backend: &dyn Backend) -> Result<Head> {
    let found = match backend.scan(&Range::space(Space::Log), Page::last(1)).await {
        Err(error) if error.kind() == ErrorKind::Corrupt => None,
        found => found?.records.pop(),
    };
    match found {
        Some((_, record)) => {
            let time = LogEntry::decode(&record.value).map_or(0, |entry| entry.time);
            Ok(Head { sequence: record.version, time })
        }
        None => Ok(Head { sequence: backend.stats().await?.sequence, time: 0 }),
    }
}

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The latest sequence number.
    pub sequence: u64,
    /// When that commit was made, in milliseconds since the Unix epoch.
    pub time: u64,
}

#[cfg(test)]
mod tests {
    use crate::backends::MemoryBackend;
    use crate::model::{Batch, Key};
    use crate::testing::block_on;

    use super::*;

    #[test]
    fn a_follower_reads_on_and_is_told_when_it_fell_behind() {
        block_on(async {
            let backend = MemoryBackend::new();
            assert_eq!(head(&backend).await.expect("reads"), Head { sequence: 0, time: 0 });
            for n in 0..5u8 {
                let batch = Batch::new(1).put(Key::record("s", "a").expect("valid key"), vec![n]);
                backend.commit(&[batch]).await.expect("goes through");
            }
            let page = read(&backend, 1, 2).await.expect("reads");
            assert_eq!((page.entries.len(), page.cursor, page.more), (2, 3, true));
            let rest = read(&backend, page.cursor, 9).await.expect("reads");
            assert_eq!((rest.entries.len(), rest.cursor, rest.more), (2, 5, false));
            assert_eq!(read(&backend, 5, 9).await.expect("reads").cursor, 5);
            backend.commit(&[Batch { trim_log: Some(4), ..Batch::new(1) }]).await.expect("goes through");
            let error = read(&backend, 2, 9).await.expect_err("fell behind");
            assert_eq!(error.kind(), crate::ErrorKind::NotFound);
            assert_eq!(head(&backend).await.expect("reads"), Head { sequence: 5, time: 1 });
            backend.commit(&[Batch { trim_log: Some(5), ..Batch::new(1) }]).await.expect("goes through");
            assert_eq!(
                head(&backend).await.expect("reads"),
                Head { sequence: 5, time: 0 },
                "no entry is left"
            );
        });
    }
}
