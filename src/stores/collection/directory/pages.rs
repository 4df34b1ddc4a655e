//! The pages of the directory: 64 labels each, in region 1.
//!
//! A page is postcard: for each label in use its place in the page, then id, version, importance, time,
//! [`Parts`] as bits, and the metadata as an encoded value. Metadata of more than 4 KiB is left out, so that a
//! page stays small; whoever loads it reads the document.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::{Directory, Entry, Parts, is_sparse};
use crate::model::{Value, check_component, decode_value, encode_value};
use crate::paged::{Loading, PageId, Paged};
use crate::{Error, Result};

/// Entries of documents.
const ENTRIES: u8 = 1;

/// Labels a page.
const LABELS: u32 = 64;

/// Longest metadata that a page holds, in bytes.
const MAX_METADATA_BYTES: usize = 4096;

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// Labels that exist.
    slots: u32,
    /// Those in use.
    used: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    place: u8,
    id: &'a str,
    version: u64,
    importance: f32,
    updated: u64,
    parts: u8,
    /// `None` if it was too long.
    metadata: Option<Vec<u8>>,
}

impl Parts {
    const fn bits(self) -> u8 {
        self.vector as u8 | (self.words as u8) << 1 | (self.text as u8) << 2
    }

    const fn of_bits(bits: u8) -> Option<Self> {
        match bits {
            0..8 => Some(Self { vector: bits & 1 != 0, words: bits & 2 != 0, text: bits & 4 != 0 }),
            _ => None,
        }
    }
}

impl Directory {
    pub(super) fn touch(&mut self, label: u32) {
        self.dirty.add(ENTRIES, label / LABELS);
    }

    /// # Errors
    /// `Corrupt` if no release up to this one wrote such a header.
    pub(in crate::stores::collection) fn loader(header: &[u8]) -> Result<DirectoryLoader> {
        let header: Header =
            postcard::from_bytes(header).map_err(|cause| damaged("its header").with_source(cause))?;
        // A few labels far out would take memory for all before them.
        if header.format != FORMAT
            || header.used > header.slots
            || is_sparse(header.slots, header.used as usize)
        {
            return Err(damaged("its header"));
        }
        Ok(DirectoryLoader { header, directory: Self::default() })
    }
}

impl Paged for Directory {
    fn header(&self) -> Vec<u8> {
        let header = Header { format: FORMAT, slots: self.slots(), used: self.len() as u32 };
        // Serialising to memory does not fail; an empty header would not load, and so be noticed.
        postcard::to_allocvec(&header).unwrap_or_default()
    }

    fn dirty(&self) -> Vec<PageId> {
        self.dirty.pages()
    }

    fn page(&self, page: PageId) -> Option<Vec<u8>> {
        let first = (page.number as usize).checked_mul(LABELS as usize)?;
        let entries = self.entries.get(first..)?;
        let mut bytes = Vec::new();
        for (place, entry) in entries.iter().take(LABELS as usize).enumerate() {
            let Some(entry) = entry else { continue };
            let metadata = encode_value(&entry.metadata).ok();
            let stored = Stored {
                place: place as u8,
                id: &entry.id,
                version: entry.version,
                importance: entry.importance,
                updated: entry.updated,
                parts: entry.parts.bits(),
                metadata: metadata.filter(|metadata| metadata.len() <= MAX_METADATA_BYTES),
            };
            bytes = postcard::to_extend(&stored, bytes).ok()?;
        }
        (page.region == ENTRIES && !bytes.is_empty()).then_some(bytes)
    }

    fn set_clean(&mut self) {
        self.dirty.clear();
    }

    fn set_dirty(&mut self) {
        for number in 0..self.slots().div_ceil(LABELS) {
            self.dirty.add(ENTRIES, number);
        }
    }
}

/// Builds a directory from its pages.
#[derive(Debug)]
pub(in crate::stores::collection) struct DirectoryLoader {
    header: Header,
    directory: Directory,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} labels", self.used, self.slots)
    }
}

impl Loading for DirectoryLoader {
    type Index = Directory;

    fn page(&mut self, page: PageId, mut bytes: &[u8]) -> Result<()> {
        if page.region != ENTRIES {
            return Err(damaged("a page of another region"));
        }
        let mut entries = Vec::new();
        while !bytes.is_empty() {
            let (stored, rest): (Stored<'_>, _) =
                postcard::take_from_bytes(bytes).map_err(|cause| damaged("a page").with_source(cause))?;
            let label =
                page.number.checked_mul(LABELS).and_then(|first| first.checked_add(stored.place.into()));
            let label = label.filter(|label| *label < self.header.slots && u32::from(stored.place) < LABELS);
            let label = label.ok_or_else(|| damaged("a label"))?;
            entries.push((label, stored.entry()?));
            bytes = rest;
        }
        entries.into_iter().try_for_each(|(label, entry)| self.directory.place(label, entry))
    }

    fn finish(self) -> Result<Directory> {
        let Self { header, mut directory } = self;
        if directory.len() != header.used as usize {
            return Err(damaged("the number of its entries"));
        }
        let free = (0..directory.slots()).filter(|label| directory.entry(*label).is_none());
        directory.free = free.map(Reverse).collect();
        Ok(directory)
    }
}

impl DirectoryLoader {
    /// Whether every entry that was stored is here.
    pub(in crate::stores::collection) fn is_whole(&self) -> bool {
        self.directory.len() == self.header.used as usize
    }

    /// What could be read. What is missing has to be found in the records.
    pub(in crate::stores::collection) fn rest(mut self) -> Result<Directory> {
        self.header.used = self.directory.len() as u32;
        self.finish()
    }
}

impl Stored<'_> {
    fn entry(&self) -> Result<Entry> {
        check_component("the id", self.id).map_err(|cause| damaged("an id").with_source(cause))?;
        if !(0.0..=1.0).contains(&self.importance) {
            return Err(damaged("an importance"));
        }
        Ok(Entry {
            id: self.id.to_owned(),
            // Without its metadata it has to be read anew.
            version: if self.metadata.is_some() { self.version } else { 0 },
            importance: self.importance,
            updated: self.updated,
            metadata: self.metadata.as_deref().map_or(Ok(Value::Null), decode_value)?,
            parts: Parts::of_bits(self.parts).ok_or_else(|| damaged("the parts of an entry"))?,
        })
    }
}

impl Directory {
    /// Puts an entry under a label that was stored.
    fn place(&mut self, label: u32, entry: Entry) -> Result<()> {
        let index = label as usize;
        if self.labels.contains_key(&entry.id) || self.entry(label).is_some() {
            return Err(damaged("an id or a label that appears twice"));
        }
        if self.entries.len() <= index {
            self.entries.resize_with(index + 1, || None);
        }
        self.labels.insert(entry.id.clone(), label);
        self.entries[index] = Some(entry);
        Ok(())
    }
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("the directory of the index is damaged: {what}"))
}
