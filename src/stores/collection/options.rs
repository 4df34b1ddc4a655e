//! What a collection is: the options that are stored with it, and those that a handle asks for.
//!
//! The record `collection/<name>` in the space of settings, schema `collection`. Version 1 was dimensions
//! and metric; version 2 is [`Stored`], postcard in the order of its fields.
//!
//! **Invariants**
//! - What is stored holds. A handle that was given something else is told so, and never gets its way silently.
//! - The dimensions are fixed by the first vector, the model by the first vector of a handle that names one.
//! - A vector counts only in the epoch in which it was stored: each `reembed` begins a new one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::model::{Envelope, Key, Space, heap_sort_by};
use crate::text::{Language, TextOptions};
use crate::vector::{FieldPath, HnswOptions, Keep, Metric, check_dimensions};
use crate::{Error, Result};

const SCHEMA: &str = "collection";
const SCHEMA_VERSION: u32 = 2;

/// Most fields that are searched beside the text.
const MAX_FIELDS: usize = 16;

/// Longest name of a model, in bytes.
const MAX_MODEL_BYTES: usize = 1024;

/// What a collection is, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionOptions {
    /// Numbers a vector, 1 to 4,096; not known before the first vector.
    pub dimensions: Option<u32>,
    /// What similarity means.
    pub metric: Metric,
    /// The language of the texts.
    pub language: Language,
    /// Paths into the metadata whose strings are searched as the text is, and how much each of them
    /// weighs against the text's 1; in the order of the paths.
    pub fields: Vec<(String, f32)>,
    /// What the index keeps of a vector in memory.
    pub keep: Keep,
    /// Links of a vector in the index, 2 to 64.
    pub m: u32,
    /// Candidates that are looked at for the links of a new vector, 8 to 2,000.
    pub ef_construction: u32,
    /// The model that the vectors come from, if it was ever named.
    pub model: Option<String>,
    /// How often the vectors were made anew by another model.
    pub epoch: u32,
    /// The vectors are being made anew.
    pub reembedding: Option<Reembedding>,
}

/// How far the vectors have been made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reembedding {
    /// Every document up to this id is done.
    pub cursor: Option<String>,
}

/// What a handle asks for; what is not given is as it is stored, or else as by default.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)] // as in `CollectionOptions`
pub struct Wanted {
    pub dimensions: Option<u32>,
    pub metric: Option<Metric>,
    pub language: Option<Language>,
    pub fields: Option<Vec<(String, f32)>>,
    pub keep: Option<Keep>,
    pub m: Option<u32>,
    pub ef_construction: Option<u32>,
    pub model: Option<String>,
}

impl Default for CollectionOptions {
    fn default() -> Self {
        let HnswOptions { m, ef_construction, keep, .. } = HnswOptions::default();
        Self {
            dimensions: None,
            metric: Metric::default(),
            language: Language::default(),
            fields: Vec::new(),
            keep,
            m: m as u32,
            ef_construction: ef_construction as u32,
            model: None,
            epoch: 0,
            reembedding: None,
        }
    }
}

impl Wanted {
    /// Vectors of `dimensions` numbers, compared by `metric`; everything else as it is stored, or by default.
    #[must_use]
    pub fn vectors(dimensions: u32, metric: Metric) -> Self {
        Self { dimensions: Some(dimensions), metric: Some(metric), ..Self::default() }
    }

    /// Checks what can be checked without knowing what is stored, and puts the fields in order.
    pub(super) fn checked(mut self) -> Result<Self> {
        if let Some(dimensions) = self.dimensions {
            check_dimensions(dimensions as usize)?;
        }
        within("M", self.m, 2, 64)?;
        within("efConstruction", self.ef_construction, 8, 2_000)?;
        if let Some(model) = &self.model
            && (model.is_empty() || model.len() > MAX_MODEL_BYTES)
        {
            return Err(Error::invalid(format!(
                "model: its name has {} bytes; give 1 to {MAX_MODEL_BYTES}",
                model.len()
            )));
        }
        if let Some(fields) = &mut self.fields {
            check_fields(fields)?;
        }
        Ok(self)
    }

    /// The options of a collection that is made by this handle.
    pub(super) fn first(&self) -> CollectionOptions {
        let default = CollectionOptions::default();
        CollectionOptions {
            dimensions: self.dimensions,
            metric: self.metric.unwrap_or(default.metric),
            language: self.language.unwrap_or(default.language),
            fields: self.fields.clone().unwrap_or_default(),
            keep: self.keep.unwrap_or(default.keep),
            m: self.m.unwrap_or(default.m),
            ef_construction: self.ef_construction.unwrap_or(default.ef_construction),
            model: None,
            ..default
        }
    }

    /// Whether what is asked for is what is stored.
    ///
    /// # Errors
    /// `Invalid` naming the option, both values, and the way out.
    pub(super) fn agree(&self, name: &str, stored: &CollectionOptions) -> Result<()> {
        self.agree_on_model(name, stored)?;
        let differs = |option: &str, stored: &dyn fmt::Display, wanted: &dyn fmt::Display| {
            Err(Error::invalid(format!(
                "the collection {name:?} was made with {option} {stored}, not {wanted}; open it so, or use another name"
            )))
        };
        if let (Some(stored), Some(wanted)) = (stored.dimensions, self.dimensions)
            && stored != wanted
        {
            return differs("dimensions", &stored, &wanted);
        }
        if let Some(wanted) = self.metric.filter(|wanted| *wanted != stored.metric) {
            return differs("metric", &stored.metric, &wanted);
        }
        if let Some(wanted) = self.language.filter(|wanted| *wanted != stored.language) {
            return differs("language", &stored.language.name(), &wanted.name());
        }
        if let Some(wanted) = self.fields.as_ref().filter(|wanted| **wanted != stored.fields) {
            return differs("fields", &Fields(&stored.fields), &Fields(wanted));
        }
        if let Some(wanted) = self.keep.filter(|wanted| *wanted != stored.keep) {
            return differs("keep", &keep_name(stored.keep), &keep_name(wanted));
        }
        if let Some(wanted) = self.m.filter(|wanted| *wanted != stored.m) {
            return differs("M", &stored.m, &wanted);
        }
        if let Some(wanted) = self.ef_construction.filter(|wanted| *wanted != stored.ef_construction) {
            return differs("efConstruction", &stored.ef_construction, &wanted);
        }
        Ok(())
    }

    fn agree_on_model(&self, name: &str, stored: &CollectionOptions) -> Result<()> {
        match (&self.model, &stored.model) {
            (Some(wanted), Some(stored)) if wanted != stored => Err(Error::invalid(format!(
                "the vectors of the collection {name:?} come from the model {stored:?}, not {wanted:?}; \
                 open it with that model, or make the vectors anew with reembed()"
            ))),
            _ => Ok(()),
        }
    }
}

impl CollectionOptions {
    /// Takes over what the first vector decides: `dimensions`, and the `model` if it is named. Whether
    /// anything changed.
    pub(super) fn learn(&mut self, dimensions: u32, model: Option<&str>) -> bool {
        let before = (self.dimensions, self.model.is_some());
        self.dimensions = self.dimensions.or(Some(dimensions));
        if self.model.is_none() {
            self.model = model.map(str::to_owned);
        }
        before != (self.dimensions, self.model.is_some())
    }

    /// The vector of the document, if it has one that counts: of this epoch.
    pub(super) fn vector_of<'a>(&self, document: &'a Document) -> Option<&'a [f32]> {
        document.vector.as_deref().filter(|_| document.epoch == self.epoch)
    }

    /// How the vectors are indexed; `seed` tells collections apart.
    pub(super) fn vectors(&self, seed: u64) -> HnswOptions {
        HnswOptions {
            m: self.m as usize,
            ef_construction: self.ef_construction as usize,
            keep: self.keep,
            seed,
        }
    }

    /// How the texts are indexed: the text, then the fields.
    pub(super) fn words(&self) -> TextOptions {
        let weights = std::iter::once(1.0).chain(self.fields.iter().map(|(_, weight)| *weight));
        TextOptions { language: self.language, weights: weights.collect() }
    }

    /// The record to store.
    pub(super) fn encode(&self, key: &Key, now: u64) -> Result<Vec<u8>> {
        let stored = Stored {
            dimensions: self.dimensions,
            metric: self.metric,
            language: self.language.name().into(),
            fields: self.fields.clone(),
            keep: keep_number(self.keep),
            m: self.m,
            ef_construction: self.ef_construction,
            model: self.model.clone(),
            epoch: self.epoch,
            reembedding: self.reembedding.clone(),
        };
        let payload = postcard::to_allocvec(&stored).map_err(|cause| {
            Error::internal("the collection's options could not be encoded").with_source(cause)
        })?;
        Envelope {
            created: now,
            updated: now,
            expires: None,
            schema: SCHEMA,
            schema_version: SCHEMA_VERSION,
            payload: &payload,
        }
        .encode(key)
    }

    /// Reads what was stored under `key`.
    pub(super) fn decode(key: &Key, bytes: &[u8]) -> Result<Self> {
        let envelope = Envelope::decode(key, bytes)?;
        let damaged = |cause| {
            Error::corrupt("the collection's options can not be read")
                .with_key(key.clone())
                .with_source(cause)
        };
        match envelope.schema_version {
            1 => {
                let (dimensions, metric): (u32, Metric) =
                    postcard::from_bytes(envelope.payload).map_err(damaged)?;
                Ok(Self { dimensions: Some(dimensions), metric, ..Self::default() })
            }
            2 => {
                let stored: Stored = postcard::from_bytes(envelope.payload).map_err(damaged)?;
                stored.options().map_err(|error| error.with_key(key.clone()))
            }
            version => Err(Error::version(format!(
                "the collection's options have version {version}, this release reads up to {SCHEMA_VERSION}; upgrade the package"
            ))
            .with_key(key.clone())),
        }
    }
}

/// Version 2 of the stored form.
#[derive(Serialize, Deserialize)]
struct Stored {
    dimensions: Option<u32>,
    metric: Metric,
    language: String,
    fields: Vec<(String, f32)>,
    keep: u8,
    m: u32,
    ef_construction: u32,
    model: Option<String>,
    epoch: u32,
    reembedding: Option<Reembedding>,
}

impl Stored {
    /// The options, checked: an index is made with them.
    fn options(self) -> Result<CollectionOptions> {
        let newer =
            |what: String| Error::version(format!("{what} is unknown to this release: upgrade to read it"));
        let language =
            self.language.parse().map_err(|_| newer(format!("the language {:?}", self.language)))?;
        let keep = match self.keep {
            0 => Keep::F32,
            1 => Keep::Codes,
            other => return Err(newer(format!("the kind {other} of keeping vectors"))),
        };
        let as_wanted = Wanted {
            dimensions: self.dimensions,
            metric: Some(self.metric),
            language: Some(language),
            fields: Some(self.fields),
            keep: Some(keep),
            m: Some(self.m),
            ef_construction: Some(self.ef_construction),
            model: self.model.clone(),
        };
        let broken =
            |error: Error| Error::corrupt("the collection's options break their rules").with_source(error);
        let options = as_wanted.checked().map_err(broken)?.first();
        Ok(CollectionOptions {
            model: self.model,
            epoch: self.epoch,
            reembedding: self.reembedding,
            ..options
        })
    }
}

/// The key of the options.
pub(super) fn options_key(name: &str) -> Result<Key> {
    Key::named(Space::Meta, SCHEMA, name)
}

/// The name of `keep`, as users write it.
const fn keep_name(keep: Keep) -> &'static str {
    match keep {
        Keep::F32 => "f32",
        Keep::Codes => "codes",
    }
}

const fn keep_number(keep: Keep) -> u8 {
    match keep {
        Keep::F32 => 0,
        Keep::Codes => 1,
    }
}

fn within(option: &str, given: Option<u32>, least: u32, most: u32) -> Result<()> {
    match given {
        Some(number) if !(least..=most).contains(&number) => {
            Err(Error::invalid(format!("{option}: {number} is not in {least} to {most}")))
        }
        _ => Ok(()),
    }
}

fn check_fields(fields: &mut [(String, f32)]) -> Result<()> {
    if fields.len() > MAX_FIELDS {
        return Err(Error::invalid(format!("fields: {} are given, the limit is {MAX_FIELDS}", fields.len())));
    }
    heap_sort_by(fields, |(a, _), (b, _)| a.cmp(b));
    for pair in fields.windows(2) {
        if pair[0].0 == pair[1].0 {
            return Err(Error::invalid(format!("fields: {:?} is given twice", pair[0].0)));
        }
    }
    for (path, weight) in fields {
        FieldPath::parse(path).map_err(|error| error.at(format!("fields[{path:?}]")))?;
        if !(*weight > 0.0 && *weight <= 1_000.0) {
            return Err(Error::invalid(format!(
                "fields[{path:?}]: the weight {weight} is not above 0 and up to 1,000; the text weighs 1"
            )));
        }
    }
    Ok(())
}

/// Fields as a message shows them.
struct Fields<'a>(&'a [(String, f32)]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (path, weight)) in self.0.iter().enumerate() {
            write!(f, "{}{path:?}: {weight}", if index == 0 { " " } else { ", " })?;
        }
        f.write_str(" }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn key() -> Key {
        options_key("notes").unwrap()
    }

    fn record(schema_version: u32, payload: &[u8]) -> Vec<u8> {
        let envelope =
            Envelope { created: 1, updated: 1, expires: None, schema: SCHEMA, schema_version, payload };
        envelope.encode(&key()).unwrap()
    }

    #[test]
    fn what_is_stored_comes_back() {
        let options = CollectionOptions {
            dimensions: Some(384),
            metric: Metric::Dot,
            language: Language::German,
            fields: vec![("author.name".into(), 2.0), ("title".into(), 0.5)],
            keep: Keep::Codes,
            m: 32,
            ef_construction: 100,
            model: Some("minilm".into()),
            epoch: 3,
            reembedding: Some(Reembedding { cursor: Some("x".into()) }),
        };
        let bytes = options.encode(&key(), 7).unwrap();
        assert_eq!(CollectionOptions::decode(&key(), &bytes).unwrap(), options);
    }

    #[test]
    fn version_1_is_dimensions_and_metric() {
        // 384 as a varint, then the number of the metric.
        let options = CollectionOptions::decode(&key(), &record(1, &[0x80, 0x03, 2])).unwrap();
        let expected =
            CollectionOptions { dimensions: Some(384), metric: Metric::L2, ..CollectionOptions::default() };
        assert_eq!(options, expected);
    }

    #[test]
    fn a_later_version_and_broken_rules_are_refused() {
        let kind = |bytes: &[u8]| CollectionOptions::decode(&key(), bytes).unwrap_err().kind();
        assert_eq!(kind(&record(3, &[])), ErrorKind::Version);
        assert_eq!(kind(&record(2, &[1])), ErrorKind::Corrupt);
        for broken in [
            CollectionOptions { m: 1, ..CollectionOptions::default() },
            CollectionOptions { ef_construction: 9_999, ..CollectionOptions::default() },
            CollectionOptions { dimensions: Some(0), ..CollectionOptions::default() },
            CollectionOptions { fields: vec![("a".into(), f32::NAN)], ..CollectionOptions::default() },
        ] {
            assert_eq!(kind(&broken.encode(&key(), 1).unwrap()), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn a_handle_must_agree_and_is_told_about_what_it_does_not() {
        let stored = CollectionOptions {
            dimensions: Some(3),
            model: Some("old".into()),
            fields: vec![("a".into(), 1.0)],
            ..CollectionOptions::default()
        };
        Wanted::default().agree("n", &stored).unwrap();
        Wanted::vectors(3, Metric::Cosine).agree("n", &stored).unwrap();
        let wanted = |change: fn(&mut Wanted)| {
            let mut wanted = Wanted::default();
            change(&mut wanted);
            wanted
        };
        for (differs, names) in [
            (wanted(|w| w.dimensions = Some(4)), "dimensions 3, not 4"),
            (wanted(|w| w.metric = Some(Metric::L2)), "metric cosine, not l2"),
            (wanted(|w| w.language = Some(Language::None)), "language english, not none"),
            (wanted(|w| w.fields = Some(Vec::new())), "fields { \"a\": 1 }, not { }"),
            (wanted(|w| w.keep = Some(Keep::Codes)), "keep f32, not codes"),
            (wanted(|w| w.m = Some(8)), "M 16, not 8"),
            (wanted(|w| w.ef_construction = Some(8)), "efConstruction 200, not 8"),
            (wanted(|w| w.model = Some("new".into())), "reembed()"),
        ] {
            let error = differs.agree("n", &stored).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(names), "{error}");
        }
    }

    #[test]
    fn options_out_of_range_are_refused_by_name() {
        let wanted = |change: fn(&mut Wanted)| {
            let mut wanted = Wanted::default();
            change(&mut wanted);
            wanted.checked()
        };
        for (refused, name) in [
            (wanted(|w| w.m = Some(65)), "M"),
            (wanted(|w| w.ef_construction = Some(7)), "efConstruction"),
            (wanted(|w| w.model = Some(String::new())), "model"),
            (wanted(|w| w.fields = Some(vec![("a..b".into(), 1.0)])), "fields[\"a..b\"]"),
            (wanted(|w| w.fields = Some(vec![("a".into(), 0.0)])), "fields[\"a\"]"),
            (wanted(|w| w.fields = Some(vec![("a".into(), 1.0), ("a".into(), 2.0)])), "fields"),
            (wanted(|w| w.fields = Some((0..17).map(|n| (n.to_string(), 1.0)).collect())), "fields"),
        ] {
            let error = refused.unwrap_err();
            assert!(error.message().starts_with(name), "{error}");
        }
        let sorted = wanted(|w| w.fields = Some(vec![("b".into(), 1.0), ("a".into(), 2.0)])).unwrap();
        assert_eq!(sorted.fields.unwrap()[0].0, "a");
    }
}
