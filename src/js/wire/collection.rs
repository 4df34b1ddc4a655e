//! What crosses to and from collections. Vectors are little-endian f32, empty for none.

use serde::{Deserialize, Serialize};

use super::{Blob, PackedProblem, packed, unpacked};
use crate::model::decode_value;
use crate::paged::Progress;
use crate::stores::{
    Document, Hit, Listing, NewDocument, Recency, ReembedPage, Reembedded, SearchExplain, SearchMode,
    SearchRequest, SearchResult,
};
use crate::vector::{Filter, Path};
use crate::{Error, Result};

#[derive(Serialize)]
struct PackedDocument<'a> {
    id: &'a str,
    text: Option<&'a str>,
    importance: f64,
    vector: Blob<'a>,
    metadata: Option<Blob<'a>>,
    version: u64,
    created: u64,
    updated: u64,
}

fn packed_document<'a>(document: &'a Document, vector: &'a [u8]) -> PackedDocument<'a> {
    PackedDocument {
        id: &document.id,
        text: document.text.as_deref(),
        importance: document.importance,
        vector: Blob(vector),
        metadata: document.metadata.as_deref().map(Blob),
        version: document.version,
        created: document.created,
        updated: document.updated,
    }
}

fn vector_bytes(document: &Document) -> Vec<u8> {
    document.vector.iter().flatten().flat_map(|number| number.to_le_bytes()).collect()
}

fn vector_of(bytes: &[u8]) -> Result<Vec<f32>> {
    match bytes.as_chunks::<4>() {
        (numbers, []) => Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()),
        _ => Err(Error::internal("an argument could not be unpacked: a vector is cut off")),
    }
}

pub(in crate::js) fn document(document: &Document) -> Result<Option<Vec<u8>>> {
    packed(&packed_document(document, &vector_bytes(document)))
}

pub(in crate::js) fn document_page(page: &Listing<Document>) -> Result<Option<Vec<u8>>> {
    let vectors: Vec<Vec<u8>> = page.entries.iter().map(vector_bytes).collect();
    let documents: Vec<PackedDocument<'_>> = page
        .entries
        .iter()
        .zip(&vectors)
        .map(|(document, vector)| packed_document(document, vector))
        .collect();
    let problems: Vec<PackedProblem<'_>> = page.problems.iter().map(PackedProblem::from).collect();
    packed(&(documents, &page.cursor, problems))
}

#[derive(Deserialize)]
struct DocumentToAdd<'a> {
    id: &'a str,
    text: Option<&'a str>,
    importance: f64,
    #[serde(borrow)]
    vector: &'a [u8],
    #[serde(borrow)]
    metadata: Option<&'a [u8]>,
}

pub(in crate::js) fn documents(bytes: &[u8]) -> Result<Vec<NewDocument>> {
    let documents: Vec<DocumentToAdd<'_>> = unpacked(bytes)?;
    let document = |document: DocumentToAdd<'_>| {
        let vector = if document.vector.is_empty() { None } else { Some(vector_of(document.vector)?) };
        Ok(NewDocument {
            id: document.id.to_owned(),
            text: document.text.map(str::to_owned),
            vector,
            metadata: document.metadata.map(<[u8]>::to_vec),
            importance: document.importance,
        })
    };
    documents.into_iter().map(document).collect()
}

#[derive(Deserialize)]
struct PackedRequest<'a> {
    #[serde(borrow)]
    vector: Option<&'a [u8]>,
    text: Option<&'a str>,
    /// 0 = by what is there.
    mode: u8,
    limit: u32,
    offset: u32,
    ef: u32,
    exact: bool,
    /// An encoded value.
    #[serde(borrow)]
    filter: Option<&'a [u8]>,
    min_score: Option<f64>,
    group_by: Option<&'a str>,
    recency: Option<(f64, f64)>,
    importance: f64,
    diversity: Option<f64>,
    highlight: bool,
    explain: bool,
}

pub(in crate::js) fn request(bytes: &[u8]) -> Result<SearchRequest> {
    let request: PackedRequest<'_> = unpacked(bytes)?;
    let mode = match request.mode {
        0 => None,
        1 => Some(SearchMode::Vector),
        2 => Some(SearchMode::Text),
        3 => Some(SearchMode::Hybrid),
        other => {
            return Err(Error::internal(format!(
                "an argument could not be unpacked: {other} is no mode of a search"
            )));
        }
    };
    let filter = |filter: &[u8]| Filter::parse(&decode_value(filter)?);
    Ok(SearchRequest {
        vector: request.vector.map(vector_of).transpose()?,
        text: request.text.map(str::to_owned),
        mode,
        limit: request.limit as usize,
        offset: request.offset as usize,
        ef: request.ef as usize,
        exact: request.exact,
        filter: request.filter.map(filter).transpose()?,
        min_score: request.min_score,
        group_by: request.group_by.map(str::to_owned),
        recency: request.recency.map(|(half_life_ms, weight)| Recency { half_life_ms, weight }),
        importance: request.importance,
        diversity: request.diversity,
        highlight: request.highlight,
        explain: request.explain,
    })
}

#[derive(Serialize)]
struct PackedHit<'a> {
    id: &'a str,
    score: f64,
    text: Option<&'a str>,
    metadata: Option<Blob<'a>>,
    vector: Option<f64>,
    bm25: Option<f64>,
    fused: Option<f64>,
    recency: Option<f64>,
    importance: Option<f64>,
    highlights: &'a [(u32, u32)],
}

impl<'a> From<&'a Hit> for PackedHit<'a> {
    fn from(hit: &'a Hit) -> Self {
        Self {
            id: &hit.id,
            score: hit.score,
            text: hit.text.as_deref(),
            metadata: hit.metadata.as_deref().map(Blob),
            vector: hit.parts.vector,
            bm25: hit.parts.text,
            fused: hit.parts.fused,
            recency: hit.parts.recency,
            importance: hit.parts.importance,
            highlights: &hit.highlights,
        }
    }
}

/// Path, distances, candidates, ef, rounds, selectivity.
type PackedVectors = (u8, u64, u64, u64, u32, Option<f64>);

/// Terms, postings, candidates.
type PackedWords<'a> = (&'a [String], u64, u64);

#[derive(Serialize)]
struct PackedExplain<'a> {
    mode: u8,
    reason: Option<&'a str>,
    vectors: Option<PackedVectors>,
    words: Option<PackedWords<'a>>,
    pending: u64,
}

impl<'a> From<&'a SearchExplain> for PackedExplain<'a> {
    fn from(explain: &'a SearchExplain) -> Self {
        let path = |path| match path {
            Path::Empty => 0,
            Path::Scan => 1,
            Path::Graph => 2,
        };
        Self {
            mode: match explain.mode {
                SearchMode::Vector => 1,
                SearchMode::Text => 2,
                SearchMode::Hybrid => 3,
            },
            reason: explain.reason.as_deref(),
            vectors: explain.vectors.as_ref().map(|vectors| {
                let selectivity = vectors.selectivity.map(f64::from);
                let (candidates, ef) = (vectors.candidates as u64, vectors.ef as u64);
                (path(vectors.path), vectors.distances, candidates, ef, vectors.rounds, selectivity)
            }),
            words: explain
                .words
                .as_ref()
                .map(|words| (words.terms.as_slice(), words.postings, words.candidates as u64)),
            pending: explain.pending,
        }
    }
}

pub(in crate::js) fn result(result: &SearchResult) -> Result<Option<Vec<u8>>> {
    let hits: Vec<PackedHit<'_>> = result.hits.iter().map(PackedHit::from).collect();
    packed(&(hits, result.explain.as_ref().map(PackedExplain::from)))
}

/// Of each document, in their order.
pub(in crate::js) fn flags(flags: &[bool]) -> Result<Option<Vec<u8>>> {
    packed(&flags)
}

pub(in crate::js) fn progress(progress: Progress) -> Result<Option<Vec<u8>>> {
    packed(&(progress.done, progress.total))
}

pub(in crate::js) fn reembed_page(page: &ReembedPage) -> Result<Option<Vec<u8>>> {
    let documents = page.documents.iter().map(|document| (&document.id, document.version, &document.text));
    packed(&(documents.collect::<Vec<_>>(), page.total, page.done))
}

pub(in crate::js) fn reembedded(bytes: &[u8]) -> Result<Vec<Reembedded>> {
    #[derive(Deserialize)]
    struct Packed<'a> {
        id: &'a str,
        version: u64,
        #[serde(borrow)]
        vector: &'a [u8],
    }
    let items: Vec<Packed<'_>> = unpacked(bytes)?;
    let item = |item: Packed<'_>| {
        Ok(Reembedded { id: item.id.to_owned(), version: item.version, vector: vector_of(item.vector)? })
    };
    items.into_iter().map(item).collect()
}
