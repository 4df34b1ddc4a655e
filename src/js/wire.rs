//! The buffers that cross: postcard, in the order in which `pkg/src/stores` reads and writes them. Those of
//! collections are in [`collection`].

pub(super) mod collection;

use serde::{Deserialize, Serialize, Serializer};

use crate::model::Key;
use crate::stores::{ChangeKind, Changes, Entry, Listing, Problem, SaveItem, TimeToLive, VerifyPage};
use crate::{Error, Result};

/// Bytes that are written all at once.
struct Blob<'a>(&'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// An answer of `value`.
fn packed(value: &impl Serialize) -> Result<Option<Vec<u8>>> {
    postcard::to_allocvec(value)
        .map(Some)
        .map_err(|cause| Error::internal("a result could not be packed").with_source(cause))
}

pub(super) fn unpacked<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T> {
    postcard::from_bytes(bytes)
        .map_err(|cause| Error::internal("an argument could not be unpacked").with_source(cause))
}

#[derive(Serialize)]
struct PackedEntry<'a>(&'a str, u64, u64, u64, u64, Blob<'a>);

impl<'a> From<&'a Entry> for PackedEntry<'a> {
    fn from(entry: &'a Entry) -> Self {
        let expires = entry.expires.unwrap_or(0);
        Self(&entry.id, entry.version, entry.created, entry.updated, expires, Blob(&entry.payload))
    }
}

#[derive(Serialize)]
struct PackedProblem<'a>(&'a str, &'a str, &'a str);

impl<'a> From<&'a Problem> for PackedProblem<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self(problem.kind.code(), &problem.key, &problem.message)
    }
}

pub(super) fn entry(entry: &Entry) -> Result<Option<Vec<u8>>> {
    packed(&PackedEntry::from(entry))
}

pub(super) fn entries(entries: &[Entry]) -> Result<Option<Vec<u8>>> {
    packed(&entries.iter().map(PackedEntry::from).collect::<Vec<_>>())
}

/// The payloads of records that may not be there.
pub(super) fn payloads(entries: &[Option<Entry>]) -> Result<Option<Vec<u8>>> {
    let payloads = entries.iter().map(|entry| entry.as_ref().map(|entry| Blob(&entry.payload)));
    packed(&payloads.collect::<Vec<_>>())
}

pub(super) fn page(page: &Listing<Entry>) -> Result<Option<Vec<u8>>> {
    let entries: Vec<PackedEntry<'_>> = page.entries.iter().map(PackedEntry::from).collect();
    let problems: Vec<PackedProblem<'_>> = page.problems.iter().map(PackedProblem::from).collect();
    packed(&(entries, &page.cursor, problems))
}

pub(super) fn changes(changes: &Changes) -> Result<Option<Vec<u8>>> {
    let kind = |kind| match kind {
        ChangeKind::Save => 0u8,
        ChangeKind::Delete => 1,
        ChangeKind::Expire => 2,
    };
    let packed_changes: Vec<_> = changes
        .changes
        .iter()
        .map(|change| {
            let payload = change.payload.as_deref().map(Blob);
            (kind(change.kind), &change.id, change.version, change.time, payload)
        })
        .collect();
    packed(&(packed_changes, changes.cursor, changes.more))
}

pub(super) fn listed(records: &[(String, Vec<u8>)]) -> Result<Option<Vec<u8>>> {
    packed(&records.iter().map(|(id, payload)| (id, Blob(payload))).collect::<Vec<_>>())
}

pub(super) fn verified(page: &VerifyPage) -> Result<Option<Vec<u8>>> {
    let problems: Vec<PackedProblem<'_>> = page.problems.iter().map(PackedProblem::from).collect();
    let cursor = page.cursor.as_ref().map(Key::as_bytes).map(Blob);
    packed(&(page.checked as u64, problems, cursor))
}

#[derive(Deserialize)]
struct ItemToSave<'a> {
    id: &'a str,
    expected: Option<u64>,
    /// 0 = as the store says, 1 = for ever, otherwise milliseconds + 2.
    ttl: u64,
    #[serde(borrow)]
    payload: &'a [u8],
}

pub(super) fn save_items(bytes: &[u8]) -> Result<Vec<SaveItem>> {
    let items: Vec<ItemToSave<'_>> = unpacked(bytes)?;
    let item = |item: ItemToSave<'_>| SaveItem {
        id: item.id.to_owned(),
        payload: item.payload.to_vec(),
        expected: item.expected,
        ttl: match item.ttl {
            0 => TimeToLive::Default,
            1 => TimeToLive::Forever,
            coded => TimeToLive::Milliseconds(coded - 2),
        },
    };
    Ok(items.into_iter().map(item).collect())
}

pub(super) fn ids(bytes: &[u8]) -> Result<Vec<String>> {
    unpacked(bytes)
}
