//! Documents, and the bytes they become.
//!
//! The payload of a document's record is postcard of text, importance, vector (little-endian f32)
//! and metadata (an encoded [`Value`]), in this order.

use serde::{Deserialize, Serialize, Serializer};

use super::CollectionOptions;
use crate::model::{Envelope, Key, MAX_VALUE_BYTES, Value, decode_value};
use crate::stores::Entry;
use crate::vector::{Filter, check_vector};
use crate::{Error, Result};

/// A document to add.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDocument {
    /// Under which id.
    pub id: String,
    /// Its text.
    pub text: Option<String>,
    /// Its vector, of the collection's dimensions.
    pub vector: Vec<f32>,
    /// Its metadata: an encoded object; see [`encode_value`](crate::model::encode_value).
    pub metadata: Option<Vec<u8>>,
    /// How much it matters, 0 to 1.
    pub importance: f64,
}

/// A stored document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: Option<String>,
    /// Its vector, bit for bit as it was added.
    pub vector: Vec<f32>,
    /// Its metadata, encoded.
    pub metadata: Option<Vec<u8>>,
    /// How much it matters, 0 to 1.
    pub importance: f64,
    /// The sequence number of the commit that wrote it.
    pub version: u64,
    /// When it was first added, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When this version was added, the same.
    pub updated: u64,
}

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    text: Option<&'a str>,
    importance: f64,
    #[serde(borrow, serialize_with = "as_bytes")]
    vector: &'a [u8],
    #[serde(borrow, serialize_with = "as_optional_bytes")]
    metadata: Option<&'a [u8]>,
}

/// Byte by byte and all at once are the same bytes in postcard; all at once is faster.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn as_bytes<S: Serializer>(bytes: &&[u8], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

#[allow(clippy::ref_option)] // serde's signature
fn as_optional_bytes<S: Serializer>(
    bytes: &Option<&[u8]>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    struct Blob<'a>(&'a [u8]);
    impl Serialize for Blob<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }
    bytes.map(Blob).serialize(serializer)
}

impl NewDocument {
    /// Checks everything but the id.
    pub(super) fn check(&self, options: CollectionOptions) -> Result<()> {
        check_vector(&self.vector, options.dimensions as usize, options.metric)?;
        if !(0.0..=1.0).contains(&self.importance) {
            return Err(Error::invalid(format!("importance: {} is not in 0 to 1", self.importance)));
        }
        if let Some(metadata) = &self.metadata
            && !matches!(decode_value(metadata), Ok(Value::Object(_)))
        {
            return Err(Error::invalid(
                "metadata: must be a plain object, so that filters can name its fields",
            ));
        }
        let size = self.text.as_ref().map_or(0, String::len) + self.metadata.as_ref().map_or(0, Vec::len);
        if size > MAX_VALUE_BYTES {
            let message =
                format!("text and metadata have {size} bytes, the limit is {MAX_VALUE_BYTES}; split it");
            return Err(Error::invalid(message));
        }
        Ok(())
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let vector: Vec<u8> = self.vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        let body = Body {
            text: self.text.as_deref(),
            importance: self.importance,
            vector: &vector,
            metadata: self.metadata.as_deref(),
        };
        postcard::to_allocvec(&body)
            .map_err(|cause| Error::internal("a document could not be encoded").with_source(cause))
    }
}

impl Document {
    /// Reads a document from its record.
    pub(super) fn of(entry: Entry) -> Result<Self> {
        let damaged = |what: &str| Error::corrupt(format!("the document {:?} is damaged: {what}", entry.id));
        let (body, rest): (Body<'_>, &[u8]) = postcard::take_from_bytes(&entry.payload)
            .map_err(|cause| damaged("it can not be read").with_source(cause))?;
        if !rest.is_empty() {
            return Err(damaged("it has bytes after its end"));
        }
        let (numbers, []) = body.vector.as_chunks::<4>() else {
            return Err(damaged("its vector is cut off"));
        };
        Ok(Self {
            text: body.text.map(str::to_owned),
            vector: numbers.iter().map(|number| f32::from_le_bytes(*number)).collect(),
            metadata: body.metadata.map(<[u8]>::to_vec),
            importance: body.importance,
            version: entry.version,
            created: entry.created,
            updated: entry.updated,
            id: entry.id,
        })
    }

    /// The metadata as a value; `Null` if there is none.
    pub(super) fn metadata_value(&self) -> Result<Value> {
        self.metadata.as_deref().map_or(Ok(Value::Null), decode_value)
    }

    pub(super) fn matches(&self, filter: Option<&Filter>) -> Result<bool> {
        Ok(match filter {
            Some(filter) => filter.matches(&self.metadata_value()?),
            None => true,
        })
    }
}

/// Checks the stored bytes of a document.
pub(in crate::stores) fn check(key: &Key, bytes: &[u8]) -> Result<()> {
    let envelope = Envelope::decode(key, bytes)?;
    let entry = Entry {
        id: String::new(),
        version: 0,
        created: envelope.created,
        updated: envelope.updated,
        expires: envelope.expires,
        payload: envelope.payload.to_vec(),
    };
    Document::of(entry)
        .and_then(|document| document.metadata_value())
        .map(drop)
        .map_err(|error| error.with_key(key.clone()))
}
