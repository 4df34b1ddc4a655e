//! The index in memory: vectors by label, labels by id, and the metadata that filters ask for.
//!
//! **Invariants**
//! - Every label of the vector index has its id and metadata here, and the other way round.
//! - Labels are reused, so they stay as dense as the collection.

use std::collections::HashMap;

use crate::Result;
use crate::model::Value;
use crate::vector::{Filter, FlatIndex, Neighbour, VectorIndex};

use super::CollectionOptions;

#[derive(Debug)]
pub(super) struct Index {
    vectors: FlatIndex,
    labels: HashMap<String, u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    id: String,
    metadata: Value,
}

impl Index {
    pub(super) fn new(options: CollectionOptions) -> Result<Self> {
        Ok(Self {
            vectors: FlatIndex::new(options.dimensions as usize, options.metric)?,
            labels: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Inserts or replaces the document `id`.
    pub(super) fn insert(&mut self, id: &str, vector: &[f32], metadata: Value) -> Result<()> {
        let known = self.labels.get(id).copied();
        let label = known.or_else(|| self.free.last().copied()).unwrap_or(self.slots.len() as u32);
        self.vectors.insert(label, vector)?;
        if known.is_none() {
            self.labels.insert(id.to_owned(), label);
            if self.free.pop().is_none() {
                self.slots.push(None);
            }
        }
        self.slots[label as usize] = Some(Slot { id: id.to_owned(), metadata });
        Ok(())
    }

    /// Removes the document `id`, if it is there.
    pub(super) fn remove(&mut self, id: &str) {
        if let Some(label) = self.labels.remove(id) {
            self.vectors.remove(label);
            self.slots[label as usize] = None;
            self.free.push(label);
        }
    }

    /// The ids nearest to `query` whose metadata match, best first, with their scores.
    pub(super) fn search(
        &self,
        query: &[f32],
        limit: usize,
        filter: Option<&Filter>,
    ) -> Result<Vec<(String, f32)>> {
        let slot = |label: u32| self.slots.get(label as usize).and_then(Option::as_ref);
        let found = match filter {
            None => self.vectors.search(query, limit, limit, None)?,
            Some(filter) => {
                let accept = |label| slot(label).is_some_and(|slot| filter.matches(&slot.metadata));
                self.vectors.search(query, limit, limit, Some(&accept))?
            }
        };
        let named = |Neighbour { label, score }| slot(label).map(|slot| (slot.id.clone(), score));
        Ok(found.into_iter().filter_map(named).collect())
    }
}
