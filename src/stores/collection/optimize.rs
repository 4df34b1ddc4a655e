//! Putting an index in order, in pieces of a few milliseconds.

use super::Collection;
use super::document::Document;
use super::follower::Following;
use crate::Result;
use crate::model::{Key, Space};
use crate::paged::Progress;
use crate::platform::Monotonic;
use crate::stores::Memory;
use crate::stores::store::open_envelope;
use crate::vector::Keep;

/// How long a piece takes, about.
const PIECE_MS: f64 = 8.0;

/// Vectors that are read at a time.
const ROWS: usize = 64;

impl Collection {
    /// Works for about 8 milliseconds: repairs what deletes have left, brings the vectors into memory that
    /// were not read since the index was opened, and stores what changed. Call it again until all is done.
    ///
    /// # Errors
    /// `Invalid` if the handle was given other options than are stored; what the backend gives.
    pub async fn optimize(&self) -> Result<Progress> {
        let mut follower = self.shared.follower.lock().await;
        let Some(following) = follower.follow(&self.memory, &self.shared.name).await? else {
            return Ok(Progress::default());
        };
        self.wanted.agree(&self.shared.name, &following.index.options)?;
        following.optimize(&self.memory).await
    }
}

impl Following {
    async fn optimize(&mut self, memory: &Memory) -> Result<Progress> {
        let begun = Monotonic::now();
        let mut budget = || begun.elapsed_ms() < PIECE_MS;
        let vectors = self.index.vectors.as_mut();
        let vectors = vectors.map_or(Progress::default(), |vectors| vectors.optimize(&mut budget));
        let words = self.index.words.optimize(&mut budget);
        let rows = self.supply_rows(memory, begun).await?;
        let mut done = vectors.done + words.done + rows.done;
        let total = vectors.total + words.total + rows.total;
        // Storing is the last piece, so that what was put in order is stored once.
        if done == total {
            self.flush(memory).await?;
        }
        done += u64::from(done == total);
        Ok(Progress { done, total: total + 1 })
    }

    /// Reads vectors that the index would keep in memory and has not at hand.
    async fn supply_rows(&mut self, memory: &Memory, begun: Monotonic) -> Result<Progress> {
        let slots = self.index.directory.slots();
        if self.index.vectors.is_none() || self.index.options.keep != Keep::F32 {
            self.rows = slots;
        }
        while self.rows < slots && begun.elapsed_ms() < PIECE_MS {
            let mut wanted = Vec::new();
            while self.rows < slots && wanted.len() < ROWS {
                if self.lacks_row(self.rows) {
                    wanted.push(self.rows);
                }
                self.rows += 1;
            }
            // Were this call dropped now, those would be read when they are searched for.
            self.read_rows(memory, &wanted).await?;
        }
        Ok(Progress { done: self.rows.into(), total: slots.into() })
    }

    fn lacks_row(&self, label: u32) -> bool {
        let vectors = self.index.vectors.as_ref();
        vectors.is_some_and(|vectors| vectors.contains(label) && vectors.row(label).is_none())
    }

    async fn read_rows(&mut self, memory: &Memory, labels: &[u32]) -> Result<()> {
        if labels.is_empty() {
            return Ok(());
        }
        let key = |label: &u32| {
            let entry = self.index.directory.entry(*label)?;
            Some((*label, Key::named(Space::Document, &self.name, &entry.id).ok()?))
        };
        let (labels, keys): (Vec<u32>, Vec<Key>) = labels.iter().filter_map(key).unzip();
        let found = memory.backend().get(&keys).await?;
        for ((label, key), record) in labels.into_iter().zip(&keys).zip(found) {
            let Some(entry) = self.index.directory.entry(label) else { continue };
            // A newer one comes by the log.
            let Some(record) = record.filter(|record| record.version == entry.version) else { continue };
            let document = open_envelope(&entry.id, key, record).and_then(Document::of);
            // One that can not be read any more is for `verify` to report.
            if let Ok(document) = document
                && let Some(row) = self.index.options.vector_of(&document)
                && let Some(vectors) = &mut self.index.vectors
            {
                vectors.supply(label, row);
            }
        }
        Ok(())
    }
}
