//! Records as JSON objects.
//!
//! `{"id":...,"version":...,"created":...,"updated":...,"value":...,"check":"..."}`, in the journal with
//! `space` and `namespace` before the rest. A key that is not namespace and id has `key`, the list of its
//! components, in place of `id`. What is stored stands in exactly one of these fields:
//!
//! | field | what |
//! |---|---|
//! | `value` | an envelope around a value; see [`value`](super::value) |
//! | `document` | an envelope around a collection's document: text, importance, vector as base64 of little-endian f32, metadata |
//! | `payload` | an envelope around anything else: base64 |
//! | `bytes` | no envelope, or a damaged one: all of it, base64 |
//!
//! `check` is 8 digits of the key's xxh3-64, a dash, and the xxh3-64 of the stored bytes seeded with key
//! and version. It is of the bytes, not of the text: spaces and the order of fields do not matter, but
//! a text that does not give the very bytes that were stored is noticed.
//!
//! **Invariant**: whatever is written reads back to the same bytes, the same key and the same version.

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::text::{Time, base64, parse_base64};
use super::value::{Natural, Written};
use crate::model::{
    Component, Envelope, Key, KeyBuilder, Range, Record, Space, Value, decode_value, encode_value,
};
use crate::{Error, Result};

/// Where a record is kept: one file each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The space.
    pub(super) space: Space,
    /// The first component of the key, if it is a text.
    pub(super) namespace: Option<String>,
}

impl Place {
    /// The place of `key`.
    pub(super) fn of(key: &Key) -> Self {
        split(key).0
    }

    /// Where the keys of this place lie. Those of a place without a namespace have others among them.
    pub(super) fn range(&self) -> Range {
        Range::starting_with(self.key([]).as_bytes().to_vec())
    }

    /// Whether `key` is kept here.
    pub(super) fn holds(&self, key: &Key) -> bool {
        Self::of(key) == *self
    }

    /// The key of this place with these components behind the namespace.
    fn key(&self, rest: impl IntoIterator<Item = Component>) -> Key {
        let begun = KeyBuilder::new(self.space);
        let begun = match &self.namespace {
            Some(namespace) => begun.text(namespace),
            None => begun,
        };
        let add = |key: KeyBuilder, component| match component {
            Component::Text(text) => key.text(&text),
            Component::Integer(integer) => key.integer(integer),
        };
        rest.into_iter().fold(begun, add).build()
    }
}

/// The name of a space in files.
pub(super) fn space_name(space: Space) -> &'static str {
    match space {
        Space::Meta => "meta",
        Space::Record => "record",
        Space::History => "history",
        Space::Expiry => "expiry",
        Space::Document => "document",
        Space::Index => "index",
        Space::Log => "log",
    }
}

/// The space of that name; never the log, which holds no records.
pub(super) fn space_of(name: &str) -> Option<Space> {
    Space::ALL.into_iter().find(|&space| space != Space::Log && space_name(space) == name)
}

/// Place and further components of `key`.
fn split(key: &Key) -> (Place, Vec<Component>) {
    // Every key that was made has a space and well-formed components.
    let space = key.space().unwrap_or(Space::Meta);
    let mut components = key.components().unwrap_or_default();
    let named = matches!(components.first(), Some(Component::Text(_)));
    let namespace = match named.then(|| components.remove(0)) {
        Some(Component::Text(namespace)) => Some(namespace),
        _ => None,
    };
    (Place { space, namespace }, components)
}

/// The key that the envelope under `key` is bound to: an earlier version of a record keeps the binding
/// that it had.
fn bound(key: &Key) -> Key {
    match (key.space(), key.components().as_deref()) {
        (
            Some(Space::History),
            Some([Component::Text(store), Component::Text(id), Component::Integer(_)]),
        ) => KeyBuilder::new(Space::Record).text(store).text(id).build(),
        _ => key.clone(),
    }
}

/// The two halves of a record's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check {
    /// Of the key.
    pub(super) key: u64,
    /// Of key, version and bytes.
    pub(super) record: u64,
}

impl Check {
    /// The check of a record.
    pub(super) fn of(key: &Key, record: &Record) -> Self {
        let hash = xxh3_64(key.as_bytes());
        Self { key: hash, record: xxh3_64_with_seed(&record.value, hash.wrapping_add(record.version)) }
    }

    fn text(self) -> String {
        format!("{:08x}-{:016x}", self.key as u32, self.record)
    }

    /// Whether `check` says that it belongs to `key`.
    pub(super) fn names(check: &str, key: &Key) -> bool {
        check
            .split_once('-')
            .is_some_and(|(half, _)| half == format!("{:08x}", xxh3_64(key.as_bytes()) as u32))
    }
}

/// A key on its way into a file, or a record with it.
pub(super) struct Line<'a> {
    /// The key.
    pub(super) key: &'a Key,
    /// The record, if it is to be written with it.
    pub(super) record: Option<&'a Record>,
    /// Whether space and namespace are to be written with it.
    pub(super) placed: bool,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (place, components) = split(self.key);
        let mut map = serializer.serialize_map(None)?;
        if self.placed {
            map.serialize_entry("space", space_name(place.space))?;
            if let Some(namespace) = &place.namespace {
                map.serialize_entry("namespace", namespace)?;
            }
        }
        match (&place.namespace, components.as_slice()) {
            (Some(_), [Component::Text(id)]) => map.serialize_entry("id", id)?,
            _ => map.serialize_entry("key", &components.into_iter().map(Part).collect::<Vec<_>>())?,
        }
        if let Some(record) = self.record {
            map.serialize_entry("version", &record.version)?;
            self.content(&mut map, record)?;
            map.serialize_entry("check", &Check::of(self.key, record).text())?;
        }
        map.end()
    }
}

impl Line<'_> {
    fn content<M: SerializeMap>(&self, map: &mut M, record: &Record) -> Result<(), M::Error> {
        let Ok(envelope) = Envelope::decode(&bound(self.key), &record.value) else {
            return map.serialize_entry("bytes", &base64(&record.value));
        };
        map.serialize_entry("created", &Time(envelope.created))?;
        map.serialize_entry("updated", &Time(envelope.updated))?;
        if let Some(expires) = envelope.expires {
            map.serialize_entry("expires", &Time(expires))?;
        }
        if !envelope.schema.is_empty() {
            map.serialize_entry("schema", envelope.schema)?;
        }
        if envelope.schema_version != 0 {
            map.serialize_entry("schemaVersion", &envelope.schema_version)?;
        }
        if self.key.space() == Some(Space::Document) {
            if let Some(document) = Document::of(envelope.payload) {
                return map.serialize_entry("document", &document);
            }
        } else if let Ok(value) = decode_value(envelope.payload) {
            return map.serialize_entry("value", &Written(&value));
        }
        map.serialize_entry("payload", &base64(envelope.payload))
    }
}

/// A component of a key in a file.
#[derive(Debug)]
struct Part(Component);

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Component::Text(text) => serializer.serialize_str(text),
            Component::Integer(integer) => serializer.serialize_u64(*integer),
        }
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Part;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or an integer from 0 on")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Part, E> {
                Ok(Part(Component::Text(text.to_owned())))
            }

            fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Part, E> {
                Ok(Part(Component::Integer(integer)))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// The payload of a collection's document: postcard of text, importance, vector and encoded metadata.
struct Document<'a> {
    text: Option<&'a str>,
    importance: f64,
    vector: &'a [u8],
    metadata: Option<Value>,
}

impl<'a> Document<'a> {
    /// Reads a payload; `None` if it is not the one form of a document that a file can say.
    fn of(payload: &'a [u8]) -> Option<Self> {
        type Body<'a> = (Option<&'a str>, f64, &'a [u8], Option<&'a [u8]>);
        let (text, importance, vector, metadata): Body<'a> = postcard::from_bytes(payload).ok()?;
        let metadata = match metadata {
            Some(bytes) => Some(decode_value(bytes).ok()?),
            None => None,
        };
        let document = Self { text, importance, vector, metadata };
        (importance.is_finite() && document.bytes().ok()? == payload).then_some(document)
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let metadata = self.metadata.as_ref().map(encode_value).transpose()?;
        postcard::to_allocvec(&(self.text, self.importance, self.vector, metadata))
            .map_err(|cause| Error::internal("a document could not be encoded").with_source(cause))
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("text", &self.text)?;
        map.serialize_entry("importance", &Written(&Value::Float(self.importance)))?;
        map.serialize_entry("vector", &base64(self.vector))?;
        if let Some(metadata) = &self.metadata {
            map.serialize_entry("metadata", &Written(metadata))?;
        }
        map.end()
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadDocument {
    text: Option<String>,
    importance: Natural,
    vector: String,
    #[serde(default, deserialize_with = "present")]
    metadata: Option<Natural>,
}

impl ReadDocument {
    fn payload(&self) -> Result<Vec<u8>> {
        let importance =
            self.importance.0.as_f64().ok_or_else(|| Error::invalid("importance is no number"))?;
        let vector = bytes("vector", &self.vector)?;
        let metadata = self.metadata.as_ref().map(|metadata| encode_value(&metadata.0)).transpose()?;
        postcard::to_allocvec(&(self.text.as_deref(), importance, vector, metadata))
            .map_err(|cause| Error::internal("a document could not be encoded").with_source(cause))
    }
}

/// Tells a field that is null from one that is missing.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn bytes(field: &str, text: &str) -> Result<Vec<u8>> {
    parse_base64(text).ok_or_else(|| Error::invalid(format!("{field:?} is not base64 with padding")))
}

/// A record as it stands in a file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ReadLine {
    space: Option<String>,
    namespace: Option<String>,
    id: Option<String>,
    key: Option<Vec<Part>>,
    version: Option<u64>,
    created: Option<Time>,
    updated: Option<Time>,
    expires: Option<Time>,
    schema: Option<String>,
    schema_version: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Natural>,
    document: Option<ReadDocument>,
    payload: Option<String>,
    bytes: Option<String>,
    /// The check, if it has one.
    pub(super) check: Option<String>,
}

impl ReadLine {
    /// Reads one line.
    ///
    /// # Errors
    /// `Invalid` if it is not one.
    pub(super) fn parse(line: &[u8]) -> Result<Self> {
        super::parse(line)
    }

    /// Its key; `place` is that of the file, `None` in the journal, where the line says it.
    ///
    /// # Errors
    /// `Invalid` if it has none or more than one.
    pub(super) fn key(&mut self, place: Option<&Place>) -> Result<Key> {
        let own = match self.space.take() {
            Some(name) => {
                let space = space_of(&name).ok_or_else(|| Error::invalid(format!("{name:?} is no space")))?;
                Some(Place { space, namespace: self.namespace.take() })
            }
            None => None,
        };
        let place = match (place, &own) {
            (Some(place), None) | (None, Some(place)) => place,
            _ => {
                return Err(Error::invalid(
                    "\"space\" is there where it should not be, or is not where it should",
                ));
            }
        };
        let components = match (self.id.take(), self.key.take()) {
            (Some(id), None) if place.namespace.is_some() => vec![Component::Text(id)],
            (None, Some(parts)) => parts.into_iter().map(|part| part.0).collect(),
            _ => return Err(Error::invalid("it needs \"id\", or \"key\" in its place")),
        };
        let key = place.key(components);
        if !place.holds(&key) {
            return Err(Error::invalid("its key belongs into another file"));
        }
        Ok(key)
    }

    /// Whether it says what is stored, and is not a key alone.
    pub(super) fn has_content(&self) -> bool {
        self.value.is_some() || self.document.is_some() || self.payload.is_some() || self.bytes.is_some()
    }

    /// The record as it was written, if the check says so.
    ///
    /// # Errors
    /// `Invalid` if it is no record, `Corrupt` if the check does not match.
    pub(super) fn checked(self, key: &Key) -> Result<(Record, Check)> {
        let stated = self.check.clone().unwrap_or_default();
        let version = self.version.ok_or_else(|| Error::invalid("it needs \"version\""))?;
        let record = Record { version, value: self.stored(key, None)? };
        let check = Check::of(key, &record);
        if stated != check.text() {
            return Err(Error::corrupt("its check does not match").with_key(key.clone()));
        }
        Ok((record, check))
    }

    /// The stored bytes of a record that was edited by hand at `now`.
    ///
    /// # Errors
    /// `Invalid` if it is no record.
    pub(super) fn edited(self, key: &Key, now: u64) -> Result<Vec<u8>> {
        if let (Space::Record | Space::Document, Some((namespace, id))) =
            (key.space().unwrap_or(Space::Meta), key.namespace_and_id())
        {
            Key::record(&namespace, &id)?;
        }
        self.stored(key, Some(now))
    }

    fn stored(self, key: &Key, edited_at: Option<u64>) -> Result<Vec<u8>> {
        let payload = match (&self.value, &self.document, &self.payload, &self.bytes) {
            (Some(value), None, None, None) => encode_value(&value.0)?,
            (None, Some(document), None, None) => document.payload()?,
            (None, None, Some(payload), None) => bytes("payload", payload)?,
            (None, None, None, Some(whole)) => return bytes("bytes", whole),
            _ => {
                return Err(Error::invalid(
                    "it needs one of \"value\", \"document\", \"payload\", \"bytes\"",
                ));
            }
        };
        let time = |time: Option<Time>, name: &str| match (time, edited_at) {
            (Some(Time(ms)), _) => Ok(ms),
            (None, Some(now)) => Ok(now),
            (None, None) => Err(Error::invalid(format!("it needs {name:?}"))),
        };
        let envelope = Envelope {
            created: time(self.created, "created")?,
            updated: edited_at.map_or_else(|| time(self.updated, "updated"), Ok)?,
            expires: self.expires.map(|Time(ms)| ms),
            schema: self.schema.as_deref().unwrap_or_default(),
            schema_version: self.schema_version.unwrap_or(0),
            payload: &payload,
        };
        envelope.encode(&bound(key))
    }
}

/// The key of a line that can not be read whole, if its beginning and its check agree on it.
pub(super) fn key_of_damaged(line: &[u8], place: &Place) -> Option<Key> {
    let at = line.iter().position(|&byte| byte == b':')?;
    let mut name = serde_json::Deserializer::from_slice(&line[at + 1..]);
    let key = match &line[..at] {
        b"{\"id\"" => place.key([Component::Text(String::deserialize(&mut name).ok()?)]),
        b"{\"key\"" => place.key(Vec::<Part>::deserialize(&mut name).ok()?.into_iter().map(|part| part.0)),
        _ => return None,
    };
    let check = line.rsplit(|&byte| byte == b'"').find_map(|part| {
        let text = std::str::from_utf8(part).ok()?;
        (text.len() == 25 && text.as_bytes()[8] == b'-').then_some(text)
    })?;
    (place.holds(&key) && Check::names(check, &key)).then_some(key)
}
