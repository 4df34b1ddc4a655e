//! instant-distance: built once from all vectors, and not changed after that.
//!
//! Its points measure with the product's kernel, so that what differs is the graph. Its `ef` is fixed when
//! it is built; to measure more than one, the index is written down and read back with another one.

use std::cell::RefCell;

use instant_distance::{Builder, Hnsw, PointId, Search};
use mnemora::vector::distance::dot;
use serde::{Deserialize, Serialize};

use crate::{EXCHANGE, exchanging};

/// A vector of length one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row(Vec<f32>);

impl instant_distance::Point for Row {
    fn distance(&self, other: &Self) -> f32 {
        1.0 - dot(&self.0, &other.0)
    }
}

#[derive(Default)]
struct Frozen {
    rows: Vec<Row>,
    index: Option<Hnsw<Row>>,
    /// The label of each point.
    labels: Vec<u32>,
    search: Search,
}

thread_local! {
    static FROZEN: RefCell<Frozen> = RefCell::default();
}

/// Takes the vector in the buffer as the next one to be built in.
#[unsafe(no_mangle)]
pub extern "C" fn frozen_add() {
    let row = EXCHANGE.with_borrow(|exchange| Row(exchange.vector.clone()));
    FROZEN.with_borrow_mut(|frozen| frozen.rows.push(row));
}

/// Builds the index of what was added.
#[unsafe(no_mangle)]
pub extern "C" fn frozen_build(ef_construction: usize, ef: usize) {
    FROZEN.with_borrow_mut(|frozen| {
        let builder = Builder::default().seed(42).ef_construction(ef_construction).ef_search(ef);
        let (index, ids) = builder.build_hnsw(std::mem::take(&mut frozen.rows));
        frozen.labels = vec![0; ids.len()];
        for (label, id) in (0..).zip(ids) {
            frozen.labels[id.into_inner() as usize] = label;
        }
        frozen.index = Some(index);
    });
}

/// Gives the index another `ef`. Returns its bytes as they are stored, or 0 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn frozen_ef(ef: usize) -> usize {
    FROZEN.with_borrow_mut(|frozen| {
        let Some(index) = frozen.index.take() else { return 0 };
        let Ok(bytes) = postcard::to_stdvec(&index) else { return 0 };
        drop(index);
        // Its first field is `ef_search`.
        let Ok((_, rest)) = postcard::take_from_bytes::<usize>(&bytes) else { return 0 };
        let Ok(mut changed) = postcard::to_stdvec(&ef) else { return 0 };
        changed.extend_from_slice(rest);
        frozen.index = postcard::from_bytes(&changed).ok();
        if frozen.index.is_some() { changed.len() } else { 0 }
    })
}

/// The `k` nearest to the vector in the buffer. Returns how many were found, or -1 without an index.
#[unsafe(no_mangle)]
pub extern "C" fn frozen_search(k: usize) -> i32 {
    FROZEN.with_borrow_mut(|Frozen { index, labels, search, .. }| {
        exchanging(|query, _| {
            let ids: Vec<PointId> =
                index.as_ref()?.search(&Row(query.to_vec()), search).take(k).map(|item| item.pid).collect();
            Some(ids.into_iter().map(|id| labels[id.into_inner() as usize]))
        })
    })
}
