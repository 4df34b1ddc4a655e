//! Bringing an index in step with the records, where the log or the pages do not reach.
//!
//! **Invariants**
//! - What is in the index already, in the version that is stored and in all its parts, is not made again.
//! - Dropped in the middle it has done no harm: the cursor still stands where it stood.

use super::documents;
use super::follower::{DOCUMENTS, Following};
use crate::Result;
use crate::log;
use crate::model::{Key, Page, Space};
use crate::platform::Pace;
use crate::stores::Memory;

impl Following {
    /// Goes through all documents: takes over what differs, and drops what is gone.
    pub(super) async fn resync(&mut self, memory: &Memory) -> Result<()> {
        // Read before the records: what is committed in between is then applied again, which is
        // harmless, and never missed.
        let head = log::head(memory.backend()).await?.sequence;
        memory.confirm(head);
        self.read_options(memory).await?;
        let range = documents(&self.name, "");
        let mut page = Page::first(DOCUMENTS);
        let mut there = Vec::new();
        let mut pace = Pace::new();
        loop {
            let found = memory.backend().scan(&range, page.clone()).await?;
            for (key, record) in found.records {
                let Some(id) = key.id() else { continue };
                let known = self.index.directory.label(&id);
                if !known.is_some_and(|label| self.index.holds(label, record.version)) {
                    self.take(&key, &id, Some(record))?;
                }
                if let Some(label) = self.index.directory.label(&id) {
                    mark(&mut there, label);
                }
                pace.keep().await;
            }
            match found.cursor {
                Some(cursor) => page = page.next(cursor),
                None => break,
            }
        }
        let gone: Vec<u32> = self
            .index
            .directory
            .labels()
            .filter(|label| !there.get(*label as usize).copied().unwrap_or(false))
            .collect();
        for id in self.ids(&gone) {
            self.index.remove(&id);
            self.kept.changed += 1;
        }
        self.cursor = head;
        Ok(())
    }

    /// Reads the documents anew that not all parts of the index hold as the directory says.
    pub(super) async fn retake(&mut self, memory: &Memory) -> Result<()> {
        let index = &self.index;
        let lacks = |label: &u32| {
            index.directory.entry(*label).is_some_and(|entry| !index.holds(*label, entry.version.max(1)))
        };
        let lost: Vec<u32> = (0..index.directory.slots()).filter(lacks).collect();
        let ids = self.ids(&lost);
        for label in lost {
            self.index.directory.forget_version(label);
        }
        let mut pace = Pace::new();
        for chunk in ids.chunks(DOCUMENTS) {
            let named = |id: &String| Key::named(Space::Document, &self.name, id);
            let keys: Vec<Key> = chunk.iter().map(named).collect::<Result<_>>()?;
            let found = memory.backend().get(&keys).await?;
            for ((id, key), record) in chunk.iter().zip(&keys).zip(found) {
                self.take(key, id, record)?;
                pace.keep().await;
            }
        }
        Ok(())
    }

    fn ids(&self, labels: &[u32]) -> Vec<String> {
        let entry = |label: &u32| self.index.directory.entry(*label);
        labels.iter().filter_map(entry).map(|entry| entry.id.clone()).collect()
    }
}

fn mark(there: &mut Vec<bool>, label: u32) {
    let index = label as usize;
    if there.len() <= index {
        there.resize(index + 1, false);
    }
    there[index] = true;
}
