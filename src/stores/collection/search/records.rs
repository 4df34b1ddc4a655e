//! The records of documents that were found.
//!
//! **Invariants**
//! - A record is read once in one try of a search, whether it is needed for its vector or for the hit.
//! - What is believed of a document is what its record says: one of another version than the index knows, or
//!   that is gone or damaged, is told apart.

use std::collections::HashMap;

use super::super::Collection;
use super::super::document::Document;
use super::super::index::Index;
use super::plan::Plan;
use crate::Result;
use crate::model::Key;
use crate::stores::page::Problem;
use crate::stores::store::open_envelope;
use crate::vector::{Candidate, similarity};

/// Records that are read at a time.
const CHUNK: usize = 256;

/// Most bytes of texts and metadata that are held for the hits that may become of them; what does not fit is
/// read again.
const HELD: usize = 8 << 20;

/// A document as the index knows it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) label: u32,
    pub(super) id: String,
    pub(super) version: u64,
}

/// Documents as they were read.
#[derive(Debug)]
pub(super) struct Records<'a> {
    collection: &'a Collection,
    plan: &'a Plan<'a>,
    /// Of which vectors must be to count.
    epoch: u32,
    /// By label, of those that may become hits.
    held: HashMap<u32, Document>,
    /// By label, computed from the vectors that were read.
    similarities: HashMap<u32, f32>,
    /// Bytes that may still be held.
    room: usize,
    /// What can not be read, with the version that the index knows.
    pub(super) damaged: Vec<(String, u64)>,
    /// Whether something was not as the index knows it.
    pub(super) stale: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(collection: &'a Collection, plan: &'a Plan<'a>, epoch: u32) -> Self {
        let (held, similarities) = Default::default();
        Self { collection, plan, epoch, held, similarities, room: HELD, damaged: Vec::new(), stale: false }
    }

    /// Labels and scores of the candidates, those that were only estimated by their vectors.
    pub(super) async fn score(
        &mut self,
        index: &mut Index,
        candidates: &[Candidate],
    ) -> Result<Vec<(u32, f32)>> {
        let mut scored = Vec::with_capacity(candidates.len());
        for chunk in candidates.chunks(CHUNK) {
            scored.extend(chunk.iter().filter(|found| found.exact).map(|found| (found.label, found.score)));
            let mut unknown: Vec<Known> = Vec::new();
            for label in chunk.iter().filter(|found| !found.exact).map(|found| found.label) {
                match self.similarities.get(&label) {
                    Some(similarity) => scored.push((label, *similarity)),
                    None => unknown.extend(known(index, label)),
                }
            }
            for (known, mut document) in self.read(unknown.iter().collect()).await? {
                let (Some(query), Some(vector)) = (self.plan.vector, self.vector_of(&document)) else {
                    continue; // it has lost its vector since
                };
                let similarity = similarity(self.plan.metric, query, vector);
                scored.push((known.label, similarity));
                self.similarities.insert(known.label, similarity);
                if document.version == known.version {
                    if let Some(vectors) = &mut index.vectors {
                        vectors.supply(known.label, vector);
                    }
                    document.vector = None; // it has served its purpose
                }
                self.hold(known.label, document);
            }
        }
        Ok(scored)
    }

    /// The vector of a document, if it has one that counts.
    pub(super) fn vector_of<'d>(&self, document: &'d Document) -> Option<&'d [f32]> {
        document.vector.as_deref().filter(|_| document.epoch == self.epoch)
    }

    fn hold(&mut self, label: u32, document: Document) {
        let bytes = size_of::<Document>()
            + document.text.as_ref().map_or(0, String::len)
            + document.metadata.as_ref().map_or(0, Vec::len);
        if let Some(room) = self.room.checked_sub(bytes) {
            self.room = room;
            self.held.insert(label, document);
        }
    }

    /// Reads the documents of hits that are not held yet.
    pub(super) async fn fetch(&mut self, hits: impl Iterator<Item = &Known>) -> Result<()> {
        let missing = hits.filter(|known| !self.held.contains_key(&known.label)).collect();
        for (known, document) in self.read(missing).await? {
            self.held.insert(known.label, document);
        }
        Ok(())
    }

    /// The document of a hit, if it could be read.
    pub(super) fn take(&mut self, label: u32) -> Option<Document> {
        self.held.remove(&label)
    }

    /// Reads documents; those that are gone, can not be read, or have changed so that they do not match any
    /// more are left out.
    async fn read<'k>(&mut self, known: Vec<&'k Known>) -> Result<Vec<(&'k Known, Document)>> {
        let keys: Vec<Key> =
            known.iter().map(|known| self.collection.key(&known.id)).collect::<Result<_>>()?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let records = self.collection.memory.backend().get(&keys).await?;
        let mut read = Vec::with_capacity(known.len());
        for ((known, key), record) in known.into_iter().zip(&keys).zip(records) {
            let Some(record) = record else {
                self.stale = true;
                continue;
            };
            let judged = open_envelope(&known.id, key, record).and_then(Document::of).and_then(|document| {
                // The index has judged the version that it knows.
                let fits = document.version == known.version
                    || document.matches(self.plan.request.filter.as_ref())?;
                Ok((document, fits))
            });
            match judged {
                Ok((document, fits)) => {
                    self.stale |= document.version != known.version;
                    if fits {
                        read.push((known, document));
                    }
                }
                Err(error) => {
                    Problem::of(key, error)?;
                    self.stale = true;
                    self.damaged.push((known.id.clone(), known.version));
                }
            }
        }
        Ok(read)
    }
}

/// What the index knows of a label.
pub(super) fn known(index: &Index, label: u32) -> Option<Known> {
    let entry = index.directory.entry(label)?;
    Some(Known { label, id: entry.id.clone(), version: entry.version })
}
