//! Reading an index from its pages.
//!
//! The manifest lies under page 0 of region 0 of generation 0. It names the generation of the pages, the
//! number up to which the log is in them, and the headers of the parts. The pages of the parts lie in
//! regions 1 to 15 (directory), 16 to 31 (vectors) and 32 on (words) of their generation.
//!
//! **Invariants**
//! - Nothing here is believed: what can not be read is lost, and found again in the records.
//! - Loading writes nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::directory::{Directory, DirectoryLoader};
use super::flush::Kept;
use super::index::Index;
use super::options::CollectionOptions;
use crate::model::{Envelope, Key, Page, Record};
use crate::paged::{Loading, PageId};
use crate::platform::Pace;
use crate::stores::Memory;
use crate::text::{TextIndex, TextLoader};
use crate::vector::{HnswIndex, HnswLoader, Metric, VectorIndex};
use crate::{Error, ErrorKind, Result};

const SCHEMA: &str = "index";
const SCHEMA_VERSION: u32 = 1;

/// Where pages of the parts lie.
const DIRECTORY: std::ops::Range<u8> = 1..16;
const VECTORS: std::ops::Range<u8> = 16..32;

/// Bytes that a scan should bring, about.
const SCAN_BYTES: usize = 4 << 20;

/// Pages of the first scan, whose size is not known.
const FIRST_PAGES: usize = 16;

/// Most pages of a scan.
const MAX_PAGES: usize = 1_000;

/// What is stored of an index besides its pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Of which generation its pages are.
    pub(super) generation: u64,
    /// Everything up to this commit is in them.
    pub(super) cursor: u64,
    /// What they were made with.
    pub(super) made_with: MadeWith,
    pub(super) directory: Vec<u8>,
    pub(super) vectors: Option<Vec<u8>>,
    pub(super) words: Vec<u8>,
}

/// The options that decide what is in an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MadeWith {
    metric: Metric,
    m: u32,
    ef_construction: u32,
    epoch: u32,
    language: String,
    fields: Vec<(String, f32)>,
}

impl MadeWith {
    pub(super) fn of(options: &CollectionOptions) -> Self {
        Self {
            metric: options.metric,
            m: options.m,
            ef_construction: options.ef_construction,
            epoch: options.epoch,
            language: options.language.name().to_owned(),
            fields: options.fields.clone(),
        }
    }
}

impl Manifest {
    /// The record to store under `key`.
    pub(super) fn encode(&self, key: &Key, now: u64) -> Result<Vec<u8>> {
        let payload = postcard::to_allocvec(self).map_err(|cause| {
            Error::internal("the manifest of an index could not be encoded").with_source(cause)
        })?;
        envelope(key, now, &payload, SCHEMA_VERSION)
    }

    /// `None` if it is damaged, or of another release: the index is made anew then.
    fn decode(key: &Key, record: &Record) -> Option<Self> {
        let envelope = Envelope::decode(key, &record.value).ok()?;
        if envelope.schema != SCHEMA || envelope.schema_version != SCHEMA_VERSION {
            return None;
        }
        postcard::from_bytes(envelope.payload).ok()
    }
}

/// The record of a page, a manifest, or a claim.
pub(super) fn envelope(key: &Key, now: u64, payload: &[u8], schema_version: u32) -> Result<Vec<u8>> {
    Envelope { created: now, updated: now, expires: None, schema: SCHEMA, schema_version, payload }
        .encode(key)
}

/// The key of the manifest of the collection `name`.
pub(super) fn manifest_key(name: &str) -> Key {
    PageId { region: 0, number: 0 }.key(name, 0)
}

/// The manifest that is stored, if it can be read, and the version of its record.
pub(super) async fn read_manifest(memory: &Memory, name: &str) -> Result<Option<(Option<Manifest>, u64)>> {
    let key = manifest_key(name);
    let found = match memory.backend().get(std::slice::from_ref(&key)).await {
        Ok(found) => found.into_iter().next().flatten(),
        // Without a version nothing is written over it. The records may be as they should.
        Err(error) if error.kind() == ErrorKind::Corrupt => None,
        Err(error) => return Err(error),
    };
    Ok(found.map(|record| (Manifest::decode(&key, &record), record.version)))
}

/// What was found of an index.
pub(super) struct Loaded {
    pub(super) index: Option<Found>,
    pub(super) kept: Kept,
}

/// An index of what could be read.
pub(super) struct Found {
    pub(super) index: Index,
    pub(super) cursor: u64,
    /// Whether the directory is whole: then it says what the other parts lack.
    pub(super) whole: bool,
}

/// Loads the index of the collection `name`; `head` is the latest number of the log.
///
/// # Errors
/// What the backend's reads give, but for damage.
pub(super) async fn load(
    memory: &Memory,
    name: &str,
    options: &CollectionOptions,
    head: u64,
) -> Result<Loaded> {
    let Some((manifest, version)) = read_manifest(memory, name).await? else {
        return Ok(Loaded { index: None, kept: Kept::nothing() });
    };
    let useless = Ok(Loaded { index: None, kept: Kept::useless(version) });
    // A cursor beyond the end of the log is of another database.
    let Some(manifest) = manifest.filter(|manifest| manifest.cursor <= head) else { return useless };
    let Ok(mut parts) = Parts::of(&manifest, options) else { return useless };
    let lost = parts.read(memory, name, manifest.generation).await?;
    let Ok((index, whole, fresh)) = parts.finish(name, &manifest, options) else { return useless };
    let kept = if fresh {
        // Its pages would be mixed with those of the part that was there before.
        Kept::useless(version)
    } else {
        Kept::ours(manifest.generation, version, manifest.cursor, lost)
    };
    Ok(Loaded { index: Some(Found { index, cursor: manifest.cursor, whole }), kept })
}

/// The parts of an index while they are loaded. Of those that are lost, the pages are passed over.
struct Parts {
    directory: DirectoryLoader,
    vectors: Option<HnswLoader>,
    words: Option<TextLoader>,
}

impl Parts {
    fn of(manifest: &Manifest, options: &CollectionOptions) -> Result<Self> {
        let (then, now) = (&manifest.made_with, &MadeWith::of(options));
        let same_vectors = (then.metric, then.m, then.ef_construction, then.epoch)
            == (now.metric, now.m, now.ef_construction, now.epoch);
        let vectors = manifest.vectors.as_ref().filter(|_| same_vectors);
        let same_words = (&then.language, &then.fields) == (&now.language, &now.fields);
        Ok(Self {
            directory: Directory::loader(&manifest.directory)?,
            vectors: vectors.and_then(|header| HnswIndex::loader(header, options.keep).ok()),
            words: Some(&manifest.words)
                .filter(|_| same_words)
                .and_then(|header| TextIndex::loader(header).ok()),
        })
    }

    /// Takes over all pages of the generation; gives those that can not be read.
    async fn read(&mut self, memory: &Memory, name: &str, generation: u64) -> Result<BTreeSet<PageId>> {
        let range = PageId::range(name, generation);
        let mut page = Page::first(FIRST_PAGES);
        let mut lost = BTreeSet::new();
        let mut pace = Pace::new();
        loop {
            let found = match memory.backend().scan(&range, page.clone()).await {
                Ok(found) => found,
                // The storage itself is damaged there: what was not read is lost.
                Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(lost),
                Err(error) => return Err(error),
            };
            let mut bytes = 0;
            for (key, record) in &found.records {
                bytes += record.value.len();
                let Some((_, id)) = PageId::of_key(name, key) else { continue };
                let payload = Envelope::decode(key, &record.value).map(|envelope| envelope.payload);
                if payload.and_then(|payload| self.page(id, payload)).is_err() {
                    lost.insert(id);
                }
                pace.keep().await;
            }
            let Some(cursor) = found.cursor else { return Ok(lost) };
            let mean = bytes / found.records.len().max(1);
            page = Page { limit: (SCAN_BYTES / mean.max(1)).clamp(1, MAX_PAGES), ..page.next(cursor) };
        }
    }

    fn page(&mut self, page: PageId, payload: &[u8]) -> Result<()> {
        if DIRECTORY.contains(&page.region) {
            return self.directory.page(page, payload);
        }
        if VECTORS.contains(&page.region) {
            return self.vectors.as_mut().map_or(Ok(()), |vectors| vectors.page(page, payload));
        }
        self.words.as_mut().map_or(Ok(()), |words| words.page(page, payload))
    }

    /// The index, whether its directory is whole, and whether another part of it begins anew.
    fn finish(
        self,
        name: &str,
        manifest: &Manifest,
        options: &CollectionOptions,
    ) -> Result<(Index, bool, bool)> {
        let whole = self.directory.is_whole();
        let directory = self.directory.rest()?;
        let fits = |vectors: &HnswIndex| {
            vectors.metric() == options.metric && Some(vectors.dimensions() as u32) == options.dimensions
        };
        let vectors = self.vectors.and_then(|vectors| vectors.finish().ok()).filter(fits);
        let words = self.words.and_then(|words| words.finish().ok());
        let fresh = vectors.is_none() && manifest.vectors.is_some() || words.is_none();
        let words = words.map_or_else(|| TextIndex::new(options.words()), Ok)?;
        // In the epoch in which it was stored; the step to another one is that of a running index.
        let then = CollectionOptions { epoch: manifest.made_with.epoch, ..options.clone() };
        let mut index = Index::of(name, then, directory, vectors, words)?;
        index.set_options(options.clone());
        let strangers = index.drop_strangers();
        Ok((index, whole, fresh || strangers))
    }
}
