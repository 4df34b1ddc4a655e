//! Who is in the index: the label of each document, and of each label what a search asks for.
//!
//! **Invariants**
//! - A label names one document, and an id one label; labels are reused, so they stay as dense as the
//!   collection.
//! - An entry says which parts of the index hold its document, so that a part that was lost is noticed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::model::Value;
use crate::paged::Dirty;

mod pages;

pub(super) use self::pages::DirectoryLoader;

/// What is known of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) id: String,
    /// The version of the record that the index holds; 0 if it has to be read anew.
    pub(super) version: u64,
    pub(super) importance: f32,
    /// When that version was added, in milliseconds since the Unix epoch.
    pub(super) updated: u64,
    pub(super) metadata: Value,
    /// Where the document is.
    pub(super) parts: Parts,
}

/// What of a document there is, and which parts of the index hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// The index of vectors.
    pub(super) vector: bool,
    /// The index of words.
    pub(super) words: bool,
    /// It has a text, which a vector could be made of.
    pub(super) text: bool,
}

/// The documents of the index.
#[derive(Debug, Default)]
pub(super) struct Directory {
    labels: HashMap<String, u32>,
    entries: Vec<Option<Entry>>,
    /// The smallest goes first.
    free: BinaryHeap<Reverse<u32>>,
    dirty: Dirty,
}

impl Directory {
    /// How many documents there are.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// One more than the largest label that was given so far.
    pub(super) fn slots(&self) -> u32 {
        self.entries.len() as u32
    }

    /// Whether so many labels are free that the index is better made anew, with labels from 0 on: indexes
    /// refuse labels far beyond their size.
    pub(super) fn is_sparse(&self) -> bool {
        is_sparse(self.slots(), self.len())
    }

    pub(super) fn label(&self, id: &str) -> Option<u32> {
        self.labels.get(id).copied()
    }

    pub(super) fn entry(&self, label: u32) -> Option<&Entry> {
        self.entries.get(label as usize)?.as_ref()
    }

    /// The labels in use, in order.
    pub(super) fn labels(&self) -> impl Iterator<Item = u32> {
        let used = |(label, entry): (usize, &Option<Entry>)| entry.as_ref().map(|_| label as u32);
        self.entries.iter().enumerate().filter_map(used)
    }

    /// The label that the next new id gets.
    pub(super) fn next_label(&self) -> u32 {
        self.free.peek().map_or(self.slots(), |Reverse(label)| *label)
    }

    /// Inserts an entry, or replaces that of its id; gives its label.
    pub(super) fn insert(&mut self, entry: Entry) -> u32 {
        let label = self.label(&entry.id).unwrap_or_else(|| {
            let label = self.next_label();
            if self.free.pop().is_none() {
                self.entries.push(None);
            }
            self.labels.insert(entry.id.clone(), label);
            label
        });
        self.entries[label as usize] = Some(entry);
        self.touch(label);
        label
    }

    /// Removes the entry of `id`; gives the label that is free now.
    pub(super) fn remove(&mut self, id: &str) -> Option<u32> {
        let label = self.labels.remove(id)?;
        self.entries[label as usize] = None;
        self.free.push(Reverse(label));
        self.touch(label);
        Some(label)
    }

    /// Nothing is in the index of vectors any more.
    pub(super) fn forget_vectors(&mut self) {
        for label in 0..self.slots() {
            if let Some(entry) = self.entries[label as usize].as_mut().filter(|entry| entry.parts.vector) {
                entry.parts.vector = false;
                self.touch(label);
            }
        }
    }

    /// The document has to be read anew.
    pub(super) fn forget_version(&mut self, label: u32) {
        if let Some(entry) = self.entries.get_mut(label as usize).and_then(Option::as_mut) {
            entry.version = 0;
        }
    }
}

fn is_sparse(slots: u32, used: usize) -> bool {
    slots as usize > used.saturating_mul(3).saturating_add(50_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn entry(id: &str, version: u64) -> Entry {
        let metadata = Value::Object(vec![("n".into(), Value::Int(version as i64))]);
        Entry { id: id.into(), version, importance: 0.5, updated: 7, metadata, parts: Parts::default() }
    }

    #[test]
    fn labels_are_dense_and_reused() {
        let mut directory = Directory::default();
        assert_eq!([0, 1, 2].map(|n| directory.insert(entry(&n.to_string(), n))), [0, 1, 2]);
        assert_eq!(directory.remove("1"), Some(1));
        assert_eq!(directory.remove("1"), None);
        assert_eq!((directory.len(), directory.label("1"), directory.entry(1)), (2, None, None));
        assert_eq!(directory.labels().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(directory.insert(entry("2", 9)), 2, "an id keeps its label");
        assert_eq!(directory.entry(2).unwrap().version, 9);
        assert_eq!(directory.insert(entry("new", 3)), 1, "the free one is used again");
        assert_eq!(directory.slots(), 3);
    }
}
