//! Writing an index to its pages.
//!
//! What changed is written in one batch with the manifest. Where nothing usable is stored, or too much
//! changed, everything is written to a new generation, in several batches, with the manifest last.
//!
//! **Invariants**
//! - The pages under a manifest are those of one graph. Whoever writes them names the version of the
//!   manifest that his pages followed; if it is another one, he stops.
//! - A generation is the number of the commit that claimed it, so no two writers share one. A claim ends
//!   those before it.
//! - An index is never worse for a write that failed: what was not stored stays dirty.

use std::collections::BTreeSet;

use super::follower::Following;
use super::pages::{MadeWith, Manifest, envelope, manifest_key, read_manifest};
use crate::Result;
use crate::backends::Durability;
use crate::model::{Batch, Conflict, Envelope, Key, KeyBuilder, Page, Precondition, Range, Space, gather};
use crate::paged::{PageId, Paged};
use crate::platform::Pace;
use crate::stores::Memory;

/// Below so many documents an index is made from its records.
const FEWEST: usize = 256;

/// At least so many documents change between two writes in the course of things.
const CHANGES: u64 = 1_000;

/// So many documents change before another's pages are given up for behind; fewer in tests.
const PATIENCE: u64 = if cfg!(test) { 300 } else { 2_000 };

/// Commits after which the cursor is stored anew although nothing changed, so that the log can be trimmed.
const LAG: u64 = 1_000;

/// Most bytes of pages in a batch of a full write; few in tests, so that it is cut off between batches there.
const BATCH_BYTES: usize = if cfg!(test) { 4 << 10 } else { 4 << 20 };

/// Most bytes of pages that are written in one batch with the manifest.
const ATOMIC_BYTES: usize = 32 << 20;

/// Pages that are deleted in one batch.
const DELETES: usize = 256;

/// Bytes of an envelope besides its payload, and some.
const ENVELOPE_BYTES: usize = 256;

/// A claim that is older is of a writer who is gone, in milliseconds.
const CLAIM_MS: u64 = 60_000;

/// What is stored of an index, as far as this memory knows.
#[derive(Debug)]
pub(super) struct Kept {
    state: State,
    /// Pages that could not be read.
    lost: BTreeSet<PageId>,
    /// The cursor of the manifest.
    cursor: u64,
    /// Documents that were taken or removed since the last write.
    pub(super) changed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing, or nothing that is of use: the version of what lies in the place of the manifest.
    Nothing(Option<u64>),
    /// Pages from which this index was loaded, or which it has written.
    Ours { generation: u64, version: u64 },
    /// Those of another memory over the same storage.
    Theirs { version: u64 },
}

impl Kept {
    pub(super) fn nothing() -> Self {
        Self { state: State::Nothing(None), lost: BTreeSet::new(), cursor: 0, changed: 0 }
    }

    pub(super) fn useless(version: u64) -> Self {
        Self { state: State::Nothing(Some(version)), ..Self::nothing() }
    }

    pub(super) fn ours(generation: u64, version: u64, cursor: u64, lost: BTreeSet<PageId>) -> Self {
        Self { state: State::Ours { generation, version }, lost, cursor, changed: 0 }
    }

    /// The index was made anew: what is stored is of another graph.
    pub(super) fn abandon(&mut self) {
        if let State::Ours { version, .. } = self.state {
            self.state = State::Nothing(Some(version));
        }
    }

    /// Another memory has written the manifest, or taken it away.
    fn lose(&mut self, conflict: &Conflict) {
        self.state = conflict.found.map_or(State::Nothing(None), |version| State::Theirs { version });
        self.changed = 0;
    }
}

impl Following {
    /// Whether pages of this index are worth keeping.
    fn is_kept(&self, memory: &Memory) -> bool {
        self.index.len() >= FEWEST && memory.info().durability != Durability::Volatile
    }

    /// Writes the pages if enough has changed. Should that fail, nothing is lost: it is tried again after
    /// as many changes, and whoever asks for it (`flush`) is told.
    pub(super) async fn flush_if_due(&mut self, memory: &Memory) {
        let share = self.index.len() as u64 / 16;
        let changes = CHANGES.max(share);
        let due = match self.kept.state {
            State::Theirs { .. } => self.kept.changed >= PATIENCE.max(share),
            State::Nothing(_) => self.kept.changed >= changes,
            State::Ours { .. } => self.kept.changed >= changes || !self.kept.lost.is_empty(),
        };
        if due && self.is_kept(memory) && self.write(memory).await.is_err() {
            self.kept.changed = 0;
        }
    }

    /// Writes the pages if anything has changed, or the cursor is far behind. Another's pages are left to him
    /// as long as they may be followed up.
    ///
    /// # Errors
    /// What the backend's commits give; the index goes on without.
    pub(super) async fn flush(&mut self, memory: &Memory) -> Result<()> {
        let kept = &self.kept;
        let wanted = match kept.state {
            State::Theirs { .. } => kept.changed >= PATIENCE,
            State::Nothing(_) => true,
            State::Ours { .. } => {
                kept.changed > 0 || !kept.lost.is_empty() || self.cursor >= kept.cursor.saturating_add(LAG)
            }
        };
        if wanted && self.is_kept(memory) { self.write(memory).await } else { Ok(()) }
    }

    async fn write(&mut self, memory: &Memory) -> Result<()> {
        match self.kept.state {
            State::Ours { generation, version } => self.write_changes(memory, generation, version).await,
            State::Nothing(version) => self.write_all(memory, version).await,
            State::Theirs { version: seen } => match read_manifest(memory, &self.name).await? {
                Some((_, version)) if version == seen => self.write_all(memory, Some(version)).await,
                // He goes on, so let him.
                Some((_, version)) => {
                    self.kept.state = State::Theirs { version };
                    self.kept.changed = 0;
                    Ok(())
                }
                None => self.write_all(memory, None).await,
            },
        }
    }

    /// Writes what changed, in one batch with the manifest.
    async fn write_changes(&mut self, memory: &Memory, generation: u64, version: u64) -> Result<()> {
        let mut batch = self.batch(memory, Some(version));
        let most = most_bytes(memory);
        let mut bytes = 0;
        let mut pace = Pace::new();
        let pages: BTreeSet<PageId> = gather(self.dirty().into_iter().chain(self.kept.lost.iter().copied()));
        for page in pages {
            bytes += self.put_page(&mut batch, page, generation, most)?;
            if bytes > ATOMIC_BYTES {
                return self.write_all(memory, Some(version)).await;
            }
            pace.keep().await;
        }
        self.put_manifest(&mut batch, generation)?;
        match memory.try_commit(batch).await? {
            Ok(committed) => self.stored(generation, committed.sequence),
            Err(conflict) => self.kept.lose(&conflict),
        }
        Ok(())
    }

    /// Writes everything to a generation of its own; `seen` is the version of the manifest that it replaces.
    async fn write_all(&mut self, memory: &Memory, seen: Option<u64>) -> Result<()> {
        let old = read_manifest(memory, &self.name).await?;
        if old.as_ref().map(|(_, version)| *version) != seen {
            self.kept.state = old.map_or(State::Nothing(None), |(_, version)| State::Theirs { version });
            return Ok(());
        }
        let claim = claim_key(&self.name);
        let now = memory.now();
        let claiming = Batch::new(now).put(claim.clone(), envelope(&claim, now, &[], 1)?);
        let generation = memory.commit(claiming).await?.sequence;
        self.pass_over(generation);
        let current = old.and_then(|(manifest, _)| manifest).map(|manifest| manifest.generation);
        delete_generations(memory, &self.name, |found| Some(found) != current && found != generation).await?;
        for part in self.parts_mut() {
            part.set_dirty();
        }
        let most = most_bytes(memory);
        let held = |batch: Batch| batch.require(claim.clone(), Precondition::Version(generation));
        let mut batch = held(Batch::new(now));
        let (mut bytes, mut pace) = (0, Pace::new());
        for page in self.dirty() {
            bytes += self.put_page(&mut batch, page, generation, most)?;
            if bytes >= BATCH_BYTES {
                let full = std::mem::replace(&mut batch, held(Batch::new(now)));
                match memory.try_commit(full).await? {
                    Ok(committed) => self.pass_over(committed.sequence),
                    // Who claimed it since has deleted what was written here.
                    Err(_) => return Ok(()),
                }
                bytes = 0;
            }
            pace.keep().await;
        }
        let last = self.batch(memory, seen);
        batch.preconditions.extend(last.preconditions);
        batch.deletes.push(claim);
        self.put_manifest(&mut batch, generation)?;
        match memory.try_commit(batch).await? {
            Ok(committed) => {
                self.stored(generation, committed.sequence);
                delete_generations(memory, &self.name, |found| found != generation).await
            }
            Err(conflict) => {
                if conflict.key == manifest_key(&self.name) {
                    self.kept.lose(&conflict);
                    delete_generations(memory, &self.name, |found| found == generation).await?;
                }
                Ok(())
            }
        }
    }

    /// A batch that passes only over the manifest of this version.
    fn batch(&self, memory: &Memory, version: Option<u64>) -> Batch {
        let what = version.map_or(Precondition::Absent, Precondition::Version);
        Batch::new(memory.now()).require(manifest_key(&self.name), what)
    }

    fn put_manifest(&self, batch: &mut Batch, generation: u64) -> Result<()> {
        let index = &self.index;
        let manifest = Manifest {
            generation,
            cursor: self.cursor,
            made_with: MadeWith::of(&index.options),
            directory: index.directory.header(),
            vectors: index.vectors.as_ref().map(Paged::header),
            words: index.words.header(),
        };
        let key = manifest_key(&self.name);
        let value = manifest.encode(&key, batch.time)?;
        batch.puts.push(crate::model::Put { key, value, keep_created: false });
        Ok(())
    }

    /// Adds what is to be done for a page of at most `most` bytes; gives the bytes of it.
    fn put_page(&self, batch: &mut Batch, page: PageId, generation: u64, most: usize) -> Result<usize> {
        let key = page.key(&self.name, generation);
        let bytes = self.parts().into_iter().find_map(|part| part.page(page));
        match bytes.filter(|bytes| bytes.len() <= most) {
            Some(bytes) => {
                let value = envelope(&key, batch.time, &bytes, 1)?;
                let length = value.len();
                batch.puts.push(crate::model::Put { key, value, keep_created: false });
                Ok(length)
            }
            // There is none, or the storage can not hold it: then it is as a lost one to whoever loads.
            None => {
                batch.deletes.push(key);
                Ok(0)
            }
        }
    }

    fn stored(&mut self, generation: u64, version: u64) {
        let cursor = self.cursor;
        self.pass_over(version);
        for part in self.parts_mut() {
            part.set_clean();
        }
        self.kept = Kept::ours(generation, version, cursor, BTreeSet::new());
    }

    /// A commit of pages says nothing new: if nothing came before it unseen, it need not be read.
    fn pass_over(&mut self, sequence: u64) {
        if self.cursor + 1 == sequence {
            self.cursor = sequence;
        }
    }

    fn dirty(&self) -> Vec<PageId> {
        self.parts().into_iter().flat_map(Paged::dirty).collect()
    }

    fn parts(&self) -> Vec<&dyn Paged> {
        let index = &self.index;
        let vectors = index.vectors.as_ref().map(|vectors| vectors as &dyn Paged);
        [Some(&index.directory as &dyn Paged), vectors, Some(&index.words)].into_iter().flatten().collect()
    }

    fn parts_mut(&mut self) -> Vec<&mut dyn Paged> {
        let index = &mut self.index;
        let vectors = index.vectors.as_mut().map(|vectors| vectors as &mut dyn Paged);
        [Some(&mut index.directory as &mut dyn Paged), vectors, Some(&mut index.words)]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// The longest page that the storage takes.
fn most_bytes(memory: &Memory) -> usize {
    memory.info().max_value_bytes.saturating_sub(ENVELOPE_BYTES)
}

/// The key under which a full write is claimed; the claim's version is the generation.
fn claim_key(name: &str) -> Key {
    PageId { region: 0, number: 1 }.key(name, 0)
}

/// Deletes what a writer left behind who is gone.
pub(super) async fn clear_claim(memory: &Memory, name: &str) -> Result<()> {
    let claim = claim_key(name);
    let Some(record) = memory.backend().get(std::slice::from_ref(&claim)).await?.into_iter().next().flatten()
    else {
        return Ok(());
    };
    let made = Envelope::decode(&claim, &record.value).map_or(0, |envelope| envelope.created);
    if made.saturating_add(CLAIM_MS) > memory.now() {
        return Ok(());
    }
    let batch =
        Batch::new(memory.now()).require(claim.clone(), Precondition::Version(record.version)).delete(claim);
    // Without its claim that generation can not become the one of the manifest any more.
    if memory.try_commit(batch).await?.is_ok() {
        delete_generations(memory, name, |found| found == record.version).await?;
    }
    Ok(())
}

/// Deletes the pages of all generations that are `unwanted`.
async fn delete_generations(memory: &Memory, name: &str, unwanted: impl Fn(u64) -> bool) -> Result<()> {
    let all = KeyBuilder::new(Space::Index).text(name);
    let end = Range::starting_with(all.clone().build().as_bytes().to_vec());
    let mut next = Some(1);
    while let Some(from) = next {
        let start = all.clone().integer(from).build().as_bytes().to_vec();
        let rest = Range::new(start, end.end().map(<[u8]>::to_vec));
        let first = memory.backend().scan(&rest, Page::first(1)).await?.records.pop();
        let Some((generation, _)) = first.and_then(|(key, _)| PageId::of_key(name, &key)) else { break };
        if unwanted(generation) {
            delete_pages(memory, &PageId::range(name, generation)).await?;
        }
        next = generation.checked_add(1);
    }
    Ok(())
}

async fn delete_pages(memory: &Memory, pages: &Range) -> Result<()> {
    loop {
        let found = memory.backend().scan(pages, Page::first(DELETES)).await?;
        let keys = found.records.into_iter().map(|(key, _)| key).collect();
        memory.commit(Batch { deletes: keys, ..Batch::new(memory.now()) }).await?;
        if found.cursor.is_none() {
            return Ok(());
        }
    }
}
