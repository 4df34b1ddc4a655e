//! The index in memory: who there is, their vectors, and their words.
//!
//! **Invariants**
//! - Every label of the vectors and of the words is one of the directory, whose entry says so.
//! - Between two calls the index holds each document whole or not at all.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use super::CollectionOptions;
use super::directory::{Directory, Entry, Parts};
use super::document::Document;
use crate::Result;
use crate::model::Value;
use crate::text::TextIndex;
use crate::vector::{FieldPath, HnswIndex, VectorIndex, check_vector};

#[derive(Debug)]
pub(super) struct Index {
    pub(super) options: CollectionOptions,
    pub(super) directory: Directory,
    /// Not before the first vector.
    pub(super) vectors: Option<HnswIndex>,
    pub(super) words: TextIndex,
    fields: Vec<FieldPath>,
    seed: u64,
}

impl Index {
    /// An empty index of the collection `name`.
    pub(super) fn new(name: &str, options: CollectionOptions) -> Result<Self> {
        let words = TextIndex::new(options.words())?;
        Self::of(name, options, Directory::default(), None, words)
    }

    /// An index of parts that were kept.
    pub(super) fn of(
        name: &str,
        options: CollectionOptions,
        directory: Directory,
        vectors: Option<HnswIndex>,
        words: TextIndex,
    ) -> Result<Self> {
        let fields = options.fields.iter().map(|(path, _)| FieldPath::parse(path)).collect::<Result<_>>()?;
        Ok(Self { options, directory, vectors, words, fields, seed: xxh3_64(name.as_bytes()) })
    }

    pub(super) fn len(&self) -> usize {
        self.directory.len()
    }

    /// Documents that have a text, but no vector of this epoch yet.
    pub(super) fn pending(&self) -> u64 {
        let (all, done) = self.with_text();
        all - done
    }

    /// Documents that have a text, and those of them that have a vector.
    pub(super) fn with_text(&self) -> (u64, u64) {
        let labels = self.directory.labels();
        let entries = labels.filter_map(|label| self.directory.entry(label)).filter(|entry| entry.parts.text);
        entries.fold((0, 0), |(all, done), entry| (all + 1, done + u64::from(entry.parts.vector)))
    }

    /// Inserts or replaces the document, unless just this version is in.
    ///
    /// # Errors
    /// `Corrupt` if its metadata can not be read, `Quota` without memory; it is not in the index then.
    pub(super) fn take(&mut self, document: &Document) -> Result<()> {
        if self.directory.label(&document.id).is_some_and(|label| self.holds(label, document.version)) {
            return Ok(());
        }
        let taken = self.insert(document);
        if taken.is_err() {
            self.remove(&document.id);
        }
        taken
    }

    fn insert(&mut self, document: &Document) -> Result<()> {
        let metadata = document.metadata_value()?;
        let texts: Vec<Cow<'_, str>> =
            self.fields.iter().map(|path| words_of(path.find(&metadata))).collect();
        let mut fields = Vec::with_capacity(1 + texts.len());
        fields.push(document.text.as_deref().unwrap_or_default());
        fields.extend(texts.iter().map(AsRef::as_ref));
        // Inserted only after the texts were taken from the metadata, which the entry owns.
        let known = self.directory.label(&document.id);
        let label = known.unwrap_or_else(|| self.directory.next_label());
        let vector = self.insert_vector(label, document)?;
        self.words.insert(label, &fields)?;
        let words = self.words.contains(label);
        let text = document.text.as_ref().is_some_and(|text| !text.is_empty());
        drop(fields);
        drop(texts);
        self.directory.insert(Entry {
            id: document.id.clone(),
            version: document.version,
            importance: document.importance as f32,
            updated: document.updated,
            metadata,
            parts: Parts { vector, words, text },
        });
        Ok(())
    }

    /// Whether the document has a vector that counts, which is in the index then.
    fn insert_vector(&mut self, label: u32, document: &Document) -> Result<bool> {
        let vector = self.options.vector_of(document).filter(|vector| {
            // What does not fit was not written by a release of this package, or is of the model before.
            let dimensions = self.options.dimensions.unwrap_or_default() as usize;
            check_vector(vector, dimensions, self.options.metric).is_ok()
        });
        let Some(vector) = vector else {
            self.remove_vector(label);
            return Ok(false);
        };
        let vectors = match &mut self.vectors {
            Some(vectors) => vectors,
            none => none.insert(HnswIndex::new(
                vector.len(),
                self.options.metric,
                self.options.vectors(self.seed),
            )?),
        };
        // Most changes of a document leave its vector as it was.
        if vectors.row(label) != Some(vector) {
            vectors.insert(label, vector)?;
        }
        Ok(true)
    }

    /// Removes the document, if it is there.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(label) = self.directory.remove(id) else { return };
        self.remove_vector(label);
        self.words.remove(label);
    }

    /// Whether the index holds this version of the document, in all its parts.
    pub(super) fn holds(&self, label: u32, version: u64) -> bool {
        self.directory.entry(label).is_some_and(|entry| {
            entry.version == version && (entry.parts.vector, entry.parts.words) == self.places(label)
        })
    }

    /// Whether the label is in the vectors, and in the words.
    pub(super) fn places(&self, label: u32) -> (bool, bool) {
        let vector = self.vectors.as_ref().is_some_and(|vectors| vectors.contains(label));
        (vector, self.words.contains(label))
    }

    /// Removes what the directory knows nothing of, as may be after damage. Whether it was so much that a
    /// part begins anew.
    pub(super) fn drop_strangers(&mut self) -> bool {
        let (mut vectors, mut words) = (0, 0);
        for label in 0..self.directory.slots() {
            let parts = self.directory.entry(label).map_or(Parts::default(), |entry| entry.parts);
            let places = self.places(label);
            if places.0 && !parts.vector {
                self.remove_vector(label);
            }
            if places.1 && !parts.words {
                self.words.remove(label);
            }
            vectors += usize::from(places.0 && parts.vector);
            words += usize::from(places.1 && parts.words);
        }
        // The rest are labels that were never given.
        let strange_vectors = self.vectors.as_ref().is_some_and(|index| index.len() != vectors);
        let strange_words = self.words.len() != words;
        if strange_vectors {
            self.vectors = None;
        }
        if strange_words && let Ok(empty) = TextIndex::new(self.options.words()) {
            self.words = empty;
        }
        strange_vectors || strange_words
    }

    fn remove_vector(&mut self, label: u32) {
        if let Some(vectors) = &mut self.vectors {
            vectors.remove(label);
        }
    }

    /// Takes over options that were stored anew. A new epoch begins without vectors.
    pub(super) fn set_options(&mut self, options: CollectionOptions) {
        if options.epoch != self.options.epoch {
            self.vectors = None;
            self.directory.forget_vectors();
        }
        self.options = options;
    }
}

/// The text of a field: its string, or its strings.
fn words_of(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(Value::Array(elements)) => {
            let texts = elements.iter().filter_map(|element| match element {
                Value::String(text) => Some(text.as_str()),
                _ => None,
            });
            // A line each, so that no phrase goes over the border of two.
            Cow::Owned(texts.collect::<Vec<_>>().join("\n"))
        }
        _ => Cow::Borrowed(""),
    }
}
