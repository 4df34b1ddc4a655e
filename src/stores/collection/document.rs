//! Documents, and the bytes they become.
//!
//! The payload of a document's record is postcard of text, importance, vector (little-endian f32, empty for
//! none) and metadata (an encoded [`Value`]), in this order; behind them the epoch of the vector, where it
//! is not 0.

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
    pub vector: Option<Vec<f32>>,
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
    pub vector: Option<Vec<f32>>,
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
    /// Of which epoch of the collection its vector is.
    pub(super) epoch: u32,
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
    /// Checks everything but the id. The first vector of a collection may have any dimensions.
    pub(super) fn check(&self, options: &CollectionOptions) -> Result<()> {
        if let Some(vector) = &self.vector {
            let dimensions = options.dimensions.map_or(vector.len(), |dimensions| dimensions as usize);
            check_vector(vector, dimensions, options.metric)?;
        }
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

    /// The payload of its record; its vector is of `epoch`.
    pub(super) fn encode(&self, epoch: u32) -> Result<Vec<u8>> {
        let metadata = self.metadata.as_deref();
        encode(self.text.as_deref(), self.importance, self.vector.as_deref(), metadata, epoch)
    }
}

fn encode(
    text: Option<&str>,
    importance: f64,
    vector: Option<&[f32]>,
    metadata: Option<&[u8]>,
    epoch: u32,
) -> Result<Vec<u8>> {
    let bytes: Vec<u8> = vector.unwrap_or_default().iter().flat_map(|number| number.to_le_bytes()).collect();
    let failed = |cause| Error::internal("a document could not be encoded").with_source(cause);
    let body = postcard::to_allocvec(&Body { text, importance, vector: &bytes, metadata }).map_err(failed)?;
    if epoch == 0 || vector.is_none() {
        return Ok(body);
    }
    postcard::to_extend(&epoch, body).map_err(failed)
}

impl Document {
    /// What `new` is now that it was stored.
    pub(super) fn of_new(new: &NewDocument, version: u64, time: u64, epoch: u32) -> Self {
        let NewDocument { id, text, vector, metadata, importance } = new.clone();
        Self { id, text, vector, metadata, importance, version, created: time, updated: time, epoch }
    }

    /// Whether it is what `new` would be in `epoch`; a vector that is not given does not matter.
    pub(super) fn is_just(&self, new: &NewDocument, epoch: u32) -> bool {
        let bits = |vector: &[f32]| vector.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        let same_vector = new.vector.as_ref().is_none_or(|wanted| {
            let found = self.vector.as_ref().filter(|_| self.epoch == epoch);
            found.is_some_and(|found| bits(found) == bits(wanted))
        });
        same_vector
            && self.text == new.text
            && self.metadata == new.metadata
            && self.importance.to_bits() == new.importance.to_bits()
    }

    /// Reads a document from its record.
    pub(super) fn of(entry: Entry) -> Result<Self> {
        let damaged = |what: &str| Error::corrupt(format!("the document {:?} is damaged: {what}", entry.id));
        let (body, rest): (Body<'_>, &[u8]) = postcard::take_from_bytes(&entry.payload)
            .map_err(|cause| damaged("it can not be read").with_source(cause))?;
        let epoch = if rest.is_empty() {
            0
        } else {
            match postcard::take_from_bytes(rest) {
                Ok((epoch, [])) => epoch,
                _ => return Err(damaged("it has bytes after its end")),
            }
        };
        let (numbers, []) = body.vector.as_chunks::<4>() else {
            return Err(damaged("its vector is cut off"));
        };
        Ok(Self {
            text: body.text.map(str::to_owned),
            vector: Some(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
                .filter(|vector: &Vec<f32>| !vector.is_empty()),
            metadata: body.metadata.map(<[u8]>::to_vec),
            importance: body.importance,
            version: entry.version,
            created: entry.created,
            updated: entry.updated,
            epoch,
            id: entry.id,
        })
    }

    /// The payload of its record with another vector, which is of `epoch`.
    pub(super) fn encode_with(&self, vector: Option<&[f32]>, epoch: u32) -> Result<Vec<u8>> {
        encode(self.text.as_deref(), self.importance, vector, self.metadata.as_deref(), epoch)
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
