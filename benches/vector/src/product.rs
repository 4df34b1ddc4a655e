//! The product's index: `mnemora::vector::HnswIndex`.
//!
//! With `Keep::F32` a search ranks by the rows that the index holds. With `Keep::Codes` whoever uses the
//! index ranks by the stored records; here they are rows beside the index, given by [`index_record`] after
//! its memory was measured.

use std::cell::RefCell;

use mnemora::paged::{Loading, PageId, Paged};
use mnemora::vector::{
    Explain, HnswIndex, HnswOptions, Keep, Metric, Path, Request, VectorIndex, similarity,
};

use crate::{EXCHANGE, exchanging};

#[derive(Debug)]
struct Product {
    index: HnswIndex,
    keep: Keep,
    records: Vec<f32>,
    explain: Explain,
    header: Vec<u8>,
    pages: Vec<(PageId, Vec<u8>)>,
}

thread_local! {
    static PRODUCT: RefCell<Option<Product>> = const { RefCell::new(None) };
}

fn with<T>(otherwise: T, work: impl FnOnce(&mut Product) -> T) -> T {
    PRODUCT.with_borrow_mut(|product| product.as_mut().map_or(otherwise, work))
}

/// Makes an empty index. `codes`: without f32 rows. Returns whether the options were taken.
#[unsafe(no_mangle)]
pub extern "C" fn index_new(dimensions: usize, codes: bool, m: usize, ef_construction: usize) -> bool {
    let keep = if codes { Keep::Codes } else { Keep::F32 };
    let options = HnswOptions { m, ef_construction, keep, ..HnswOptions::default() };
    let Ok(index) = HnswIndex::new(dimensions, Metric::Cosine, options) else { return false };
    PRODUCT.set(Some(Product {
        index,
        keep,
        records: Vec::new(),
        explain: Explain::default(),
        header: Vec::new(),
        pages: Vec::new(),
    }));
    true
}

/// Inserts the vector in the buffer under `label`.
#[unsafe(no_mangle)]
pub extern "C" fn index_insert(label: u32) -> bool {
    EXCHANGE
        .with_borrow(|exchange| with(false, |product| product.index.insert(label, &exchange.vector).is_ok()))
}

/// Takes the vector in the buffer as the record of the next label.
#[unsafe(no_mangle)]
pub extern "C" fn index_record() {
    EXCHANGE.with_borrow(|exchange| with((), |product| product.records.extend_from_slice(&exchange.vector)));
}

/// The `k` nearest to the vector in the buffer. Returns how many were found, or -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn index_search(k: usize, ef: usize, filtered: bool, exact: bool) -> i32 {
    with(-1, |product| {
        exchanging(|query, accepted| {
            let accept = |label: u32| accepted.get(label as usize).is_some_and(|answer| *answer != 0);
            let request = Request { k, ef, accept: filtered.then_some(&accept), exact };
            let found = product.index.find(query, &request).ok()?;
            product.explain = found.explain;
            let mut ranked: Vec<(f32, u32)> = Vec::with_capacity(found.candidates.len());
            for candidate in &found.candidates {
                let at = candidate.label as usize * query.len();
                let score = match product.records.get(at..at + query.len()) {
                    Some(row) if !candidate.exact => similarity(Metric::Cosine, query, row),
                    _ => candidate.score,
                };
                ranked.push((score, candidate.label));
            }
            ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            ranked.truncate(k);
            Some(ranked.into_iter().map(|(_, label)| label))
        })
    })
}

/// Distances that the last search computed.
#[unsafe(no_mangle)]
pub extern "C" fn index_distances() -> f64 {
    with(f64::NAN, |product| product.explain.distances as f64)
}

/// The way of the last search: 0 nothing to do, 1 scan, 2 graph.
#[unsafe(no_mangle)]
pub extern "C" fn index_path() -> u32 {
    with(0, |product| match product.explain.path {
        Path::Empty => 0,
        Path::Scan => 1,
        Path::Graph => 2,
    })
}

/// What is wrong with the links.
#[unsafe(no_mangle)]
pub extern "C" fn index_problems() -> usize {
    with(usize::MAX, |product| product.index.check().len())
}

/// Cuts the index into pages and keeps them. Returns their bytes.
#[unsafe(no_mangle)]
pub extern "C" fn index_save() -> f64 {
    with(f64::NAN, |product| {
        product.index.set_dirty();
        product.header = product.index.header();
        let dirty = product.index.dirty();
        product.pages = dirty.into_iter().filter_map(|id| Some((id, product.index.page(id)?))).collect();
        product.pages.iter().map(|(_, bytes)| bytes.len() as f64).sum()
    })
}

/// Builds the index anew from the pages that were kept. Returns how many vectors are in it.
#[unsafe(no_mangle)]
pub extern "C" fn index_load() -> usize {
    with(0, |product| {
        let Ok(mut loader) = HnswIndex::loader(&product.header, product.keep) else { return 0 };
        if !product.pages.iter().all(|(id, bytes)| loader.page(*id, bytes).is_ok()) {
            return 0;
        }
        let Ok(index) = loader.finish() else { return 0 };
        product.index = index;
        product.index.len()
    })
}
