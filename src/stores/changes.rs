//! What changed in a store: the log as a watcher sees it.

use super::{Entry, Memory, Store};
use crate::log;
use crate::model::{CommitKind, Key, LogEntry, Space, Touch, heap_sort_by};
use crate::{Error, Result};

/// Log entries that are read at a time.
const ENTRIES: usize = 256;

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was saved.
    Save,
    /// It was deleted.
    Delete,
    /// It had outlived its time and was removed.
    Expire,
}

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// To which record.
    pub id: String,
    /// The sequence number of the commit.
    pub version: u64,
    /// When, in milliseconds since the Unix epoch.
    pub time: u64,
    /// What was saved, if it is still the current version.
    pub payload: Option<Vec<u8>>,
}

/// A piece of a store's past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes, in commit order.
    pub changes: Vec<Change>,
    /// Where to read on.
    pub cursor: u64,
    /// Whether there was more when this was read.
    pub more: bool,
}

impl Store {
    /// Changes of ids that start with `prefix`, made after the sequence number `after`.
    ///
    /// # Errors
    /// `NotFound` if the log no longer reaches back that far; what the backend's reads give.
    pub async fn changes(&self, after: u64, prefix: &str) -> Result<Changes> {
        let mut changes = changes(&self.memory, Space::Record, &self.name, after, prefix).await?;
        let saves = changes.changes.iter().filter(|change| change.kind == ChangeKind::Save);
        let mut saved: Vec<&str> = saves.map(|change| change.id.as_str()).collect();
        if saved.is_empty() {
            return Ok(changes);
        }
        heap_sort_by(&mut saved, Ord::cmp);
        saved.dedup();
        let keys: Vec<Key> = saved.iter().map(|id| self.key(id)).collect::<Result<_>>()?;
        let found = self.memory.backend().get(&keys).await?;
        // A record that can not be read is a change all the same; whoever reads it will hear why.
        let current = saved.into_iter().zip(keys.iter().zip(found));
        let mut current: Vec<Entry> =
            current.filter_map(|(id, (key, record))| self.entry(id, key, record).ok().flatten()).collect();
        for change in &mut changes.changes {
            if let Ok(at) = current.binary_search_by(|entry| entry.id.cmp(&change.id))
                && current[at].version == change.version
            {
                change.payload = Some(std::mem::take(&mut current[at].payload));
            }
        }
        Ok(changes)
    }
}

/// The changes that touch `namespace` in `space`, without what was saved.
pub(super) async fn changes(
    memory: &Memory,
    space: Space,
    namespace: &str,
    after: u64,
    prefix: &str,
) -> Result<Changes> {
    if after > memory.head() && after > log::head(memory.backend()).await?.sequence {
        return Err(Error::invalid(format!(
            "the log has not reached {after} yet; a cursor is of the database it was read from"
        )));
    }
    let page = log::read(memory.backend(), after, ENTRIES).await?;
    memory.confirm(page.cursor);
    let changes = page.entries.iter().flat_map(|entry| of_entry(entry, space, namespace, prefix)).collect();
    Ok(Changes { changes, cursor: page.cursor, more: page.more })
}

fn of_entry<'a>(
    entry: &'a LogEntry,
    space: Space,
    namespace: &'a str,
    prefix: &'a str,
) -> impl Iterator<Item = Change> + 'a {
    entry.touched.iter().filter_map(move |(key, touch)| {
        if key.space() != Some(space) {
            return None;
        }
        let (found, id) = key.namespace_and_id()?;
        let kind = match (touch, entry.kind) {
            (Touch::Put, _) => ChangeKind::Save,
            (Touch::Delete, CommitKind::Write) => ChangeKind::Delete,
            (Touch::Delete, CommitKind::Expire) => ChangeKind::Expire,
        };
        let wanted = found == namespace && id.starts_with(prefix);
        wanted.then_some(Change { kind, id, version: entry.sequence, time: entry.time, payload: None })
    })
}
