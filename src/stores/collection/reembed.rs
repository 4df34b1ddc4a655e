//! Making all vectors anew with another model, in steps that may end at any time.
//!
//! [`Collection::reembed_begin`] begins a new epoch: from then on no vector of the one before counts. Pages of
//! texts are read, embedded by the caller, and stored, until none is left.
//!
//! **Invariants**
//! - A vector is stored only in place of the version of the document whose text it was made from.
//! - The cursor moves in the batch that stores vectors, and only over documents that are done. It saves
//!   reading; what counts is the epoch in each document.

use std::collections::BTreeSet;

use super::document::Document;
use super::options::{CollectionOptions, Reembedding};
use super::{Collection, documents, envelope, put_options, read_options};
use crate::model::{Batch, Key, Page, Precondition, Put, Record};
use crate::platform::Pace;
use crate::stores::page::{MAX_PAGE, Problem};
use crate::stores::store::open_envelope;
use crate::vector::{check_dimensions, check_vector};
use crate::{Error, Result};

/// Documents that are read at a time.
const DOCUMENTS: usize = 128;

/// A document that needs a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReembedDocument {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What to embed.
    pub text: String,
}

/// Documents that need vectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReembedPage {
    /// The next of them in order of id; none if all is done.
    pub documents: Vec<ReembedDocument>,
    /// Documents that have a text.
    pub total: u64,
    /// Those of them that have a vector.
    pub done: u64,
}

/// A vector for a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Reembedded {
    /// Of which document.
    pub id: String,
    /// Of which version of it.
    pub version: u64,
    /// Its vector.
    pub vector: Vec<f32>,
}

/// How far a page was read, and which documents of it wait for their vectors.
#[derive(Debug, Default)]
pub(super) struct Underway {
    epoch: u32,
    /// The last id that was looked at.
    read_to: Option<String>,
    waiting: BTreeSet<String>,
}

impl Collection {
    /// Begins to make the vectors anew with `model`, which gives `dimensions` numbers; goes on if that was
    /// begun already. With the model that the vectors are of, only those that are missing are made.
    ///
    /// # Errors
    /// `Invalid` for a model or dimensions out of range; what the backend gives.
    pub async fn reembed_begin(&self, model: &str, dimensions: u32) -> Result<()> {
        check_dimensions(dimensions as usize)?;
        let wanted = super::Wanted { model: Some(model.to_owned()), ..super::Wanted::default() }.checked()?;
        loop {
            let known = read_options(&self.memory, &self.shared.name).await?;
            let version = known.as_ref().map(|(_, version)| *version);
            let before = known.map_or_else(|| self.wanted.first(), |(options, _)| options);
            let same = before.model == wanted.model && before.dimensions == Some(dimensions);
            if same && before.reembedding.is_some() {
                break;
            }
            // Vectors of which nobody knows the model may be of another.
            let anew = !same && before.dimensions.is_some() && version.is_some();
            let options = CollectionOptions {
                model: wanted.model.clone(),
                dimensions: Some(dimensions),
                epoch: before.epoch + u32::from(anew),
                reembedding: Some(Reembedding::default()),
                ..before
            };
            let mut batch = Batch::new(self.memory.now());
            put_options(&mut batch, &self.shared.name, &options, version)?;
            if self.memory.try_commit(batch).await?.is_ok() {
                break;
            }
        }
        self.read_options_anew().await
    }

    /// The next documents that have a text and no vector of the new model, at most `limit`. A vector of the
    /// model before, of a document without a text, is deleted in passing.
    ///
    /// # Errors
    /// `Invalid` for a limit that is not in 1 to 1,000, or if nothing was begun; what the backend gives.
    pub async fn reembed_page(&self, limit: usize) -> Result<ReembedPage> {
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Error::invalid(format!("limit: {limit} is not in 1 to {MAX_PAGE}")));
        }
        let (options, total, done) = {
            let mut follower = self.shared.follower.lock().await;
            let index = follower.up_to_date(&self.memory, &self.shared.name, &self.wanted).await?;
            let Some(index) = index else { return Err(not_begun()) };
            let (total, done) = index.with_text();
            (index.options.clone(), total, done)
        };
        let cursor = options.reembedding.as_ref().ok_or_else(not_begun)?.cursor.as_deref();
        let mut underway = Underway { epoch: options.epoch, ..Underway::default() };
        let mut page = ReembedPage { total, done, ..ReembedPage::default() };
        let range = documents(&self.shared.name, "");
        let after = cursor.map(|id| self.key(id)).transpose()?;
        let mut scan = Page { after, ..Page::first(DOCUMENTS) };
        let mut pace = Pace::new();
        'pages: loop {
            let found = self.memory.backend().scan(&range, scan.clone()).await?;
            let mut stale = Vec::new();
            for (key, record) in found.records {
                let Some(id) = key.id() else { continue };
                match self.need(&options, &id, &key, record)? {
                    Need::Nothing => {}
                    Need::NoVector(document) => stale.push((key, document)),
                    Need::Vector(document) => {
                        underway.waiting.insert(id.clone());
                        page.documents.push(document);
                    }
                }
                underway.read_to = Some(id);
                pace.keep().await;
                if page.documents.len() == limit {
                    self.drop_vectors(stale).await?;
                    break 'pages;
                }
            }
            self.drop_vectors(stale).await?;
            match found.cursor {
                Some(cursor) => scan = scan.next(cursor),
                None => break,
            }
        }
        if let Some(following) = self.shared.follower.lock().await.following() {
            following.underway = underway;
        }
        Ok(page)
    }

    /// Stores the vectors of documents that nobody has written since. Returns how many were left over: the
    /// next page has them again.
    ///
    /// # Errors
    /// `Invalid`, naming the position, for a vector that does not fit, or if nothing was begun; what the
    /// backend gives.
    pub async fn reembed_store(&self, items: &[Reembedded]) -> Result<usize> {
        loop {
            let Some((mut options, version)) = read_options(&self.memory, &self.shared.name).await? else {
                return Err(not_begun());
            };
            self.wanted.agree(&self.shared.name, &options)?;
            let dimensions = options.dimensions.unwrap_or_default() as usize;
            let mut keys = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let place = || format!("items[{index}] ({:?})", item.id);
                keys.push(self.key(&item.id).map_err(|error| error.at(place()))?);
                check_vector(&item.vector, dimensions, options.metric).map_err(|error| error.at(place()))?;
            }
            let found = self.memory.backend().get(&keys).await?;
            let mut batch = Batch::new(self.memory.now());
            let mut stored = BTreeSet::new();
            for ((item, key), record) in items.iter().zip(keys).zip(found) {
                let Some(record) = record.filter(|record| record.version == item.version) else { continue };
                let document = Document::of(open_envelope(&item.id, &key, record)?)?;
                if stored.insert(item.id.as_str()) {
                    rewrite(&mut batch, key, &document, Some(&item.vector), options.epoch)?;
                }
            }
            let Some(reembedding) = &mut options.reembedding else { return Err(not_begun()) };
            let moved = self.cursor_after(options.epoch, &stored).await;
            reembedding.cursor = moved.max(reembedding.cursor.take());
            put_options(&mut batch, &self.shared.name, &options, Some(version))?;
            if self.memory.try_commit(batch).await?.is_ok() {
                if let Some(following) = self.shared.follower.lock().await.following() {
                    following.underway.waiting.retain(|id| !stored.contains(id.as_str()));
                }
                return Ok(items.len() - stored.len());
            }
            // A document or the options were written in between: look again.
        }
    }

    /// All is done: what is added later has its vector from the new model anyway.
    ///
    /// # Errors
    /// What the backend gives.
    pub async fn reembed_end(&self) -> Result<()> {
        loop {
            let Some((mut options, version)) = read_options(&self.memory, &self.shared.name).await? else {
                return Ok(());
            };
            if options.reembedding.take().is_none() {
                break;
            }
            let mut batch = Batch::new(self.memory.now());
            put_options(&mut batch, &self.shared.name, &options, Some(version))?;
            if self.memory.try_commit(batch).await?.is_ok() {
                break;
            }
        }
        self.read_options_anew().await
    }

    fn need(&self, options: &CollectionOptions, id: &str, key: &Key, record: Record) -> Result<Need> {
        let document = match open_envelope(id, key, record).and_then(Document::of) {
            Ok(document) => document,
            // One that can not be read is for `verify` to report.
            Err(error) => return Problem::of(key, error).map(|_| Need::Nothing),
        };
        if options.vector_of(&document).is_some() {
            return Ok(Need::Nothing);
        }
        Ok(match &document.text {
            Some(text) if !text.is_empty() => Need::Vector(ReembedDocument {
                id: id.to_owned(),
                version: document.version,
                text: text.clone(),
            }),
            _ if document.vector.is_some() => Need::NoVector(document),
            _ => Need::Nothing,
        })
    }

    /// Deletes the vectors of documents. One that was written since is let be: it is of the new epoch.
    async fn drop_vectors(&self, stale: Vec<(Key, Document)>) -> Result<()> {
        for (key, document) in stale {
            let mut batch = Batch::new(self.memory.now());
            rewrite(&mut batch, key, &document, None, 0)?;
            let _ = self.memory.try_commit(batch).await?;
        }
        Ok(())
    }

    /// Up to which id all is done once `stored` is.
    async fn cursor_after(&self, epoch: u32, stored: &BTreeSet<&str>) -> Option<String> {
        let mut follower = self.shared.follower.lock().await;
        let underway = &follower.following()?.underway;
        if underway.epoch != epoch {
            return None;
        }
        match underway.waiting.iter().find(|id| !stored.contains(id.as_str())) {
            None => underway.read_to.clone(),
            Some(first) => stored.range(..first.as_str()).next_back().map(|id| (*id).to_owned()),
        }
    }
}

enum Need {
    Nothing,
    Vector(ReembedDocument),
    /// The vector that it has is of another model, and there is no text to make one of.
    NoVector(Document),
}

/// Adds the document with another vector; its times stay, for what it says has not changed.
fn rewrite(
    batch: &mut Batch,
    key: Key,
    document: &Document,
    vector: Option<&[f32]>,
    epoch: u32,
) -> Result<()> {
    let payload = document.encode_with(vector, epoch)?;
    let value = envelope(document.created, document.updated, &payload).encode(&key)?;
    batch.preconditions.push((key.clone(), Precondition::Version(document.version)));
    batch.puts.push(Put { key, value, keep_created: false });
    Ok(())
}

fn not_begun() -> Error {
    Error::invalid("no vectors are being made anew; begin with reembedBegin(model, dimensions)")
}
