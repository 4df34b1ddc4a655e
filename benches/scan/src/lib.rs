//! Two ways through the same numbers: the product's exact search, and a bare loop of dot products
//! that keeps nothing.
//!
//! **Invariants**
//! - Both read the same memory in the same order and answer the same queries. (With a copy for each,
//!   the two would push each other out of the cache, and the figure would depend on its size.)
//! - The bare loop is what one would write by hand to be fast: four sums in flight, no bounds checks,
//!   no top-k, no norms.
#![cfg(all(target_family = "wasm", target_feature = "simd128"))]

use core::arch::wasm32::{f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, v128, v128_load};
use std::cell::RefCell;

use mnemora::vector::{FlatIndex, Metric, VectorIndex};

/// Queries that are taken in turn.
const QUERIES: usize = 16;

#[derive(Debug)]
struct Bench {
    dimensions: usize,
    queries: Vec<f32>,
    index: &'static FlatIndex,
    rows: Vec<&'static [f32]>,
}

thread_local! {
    static BENCH: RefCell<Option<Bench>> = const { RefCell::new(None) };
}

/// Unit vectors from a seeded generator (xorshift64*), so that every run measures the same data.
fn unit_vectors(seed: u64, count: usize, dimensions: usize) -> Vec<f32> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    let mut all: Vec<f32> = (0..count * dimensions).map(|_| next()).collect();
    for row in all.chunks_exact_mut(dimensions) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
    }
    all
}

/// Fills the index, which stays for the life of the module. `dimensions` must be a multiple of 16.
/// Returns whether it worked.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(seed: u32, count: usize, dimensions: usize) -> bool {
    if dimensions == 0 || !dimensions.is_multiple_of(16) {
        return false;
    }
    let vectors = unit_vectors(u64::from(seed) << 1, count, dimensions);
    let Ok(mut index) = FlatIndex::new(dimensions, Metric::Cosine) else { return false };
    if !vectors.chunks_exact(dimensions).zip(0..).all(|(row, label)| index.insert(label, row).is_ok()) {
        return false;
    }
    let index: &'static FlatIndex = Box::leak(Box::new(index));
    let rows: Vec<_> = (0..count).filter_map(|label| index.vector(label as u32)).collect();
    // Inserted in order into an empty index, the rows lie one after the other.
    let contiguous = rows.windows(2).all(|pair| pair[0].as_ptr_range().end == pair[1].as_ptr());
    let queries = unit_vectors(!u64::from(seed), QUERIES, dimensions);
    BENCH.set(Some(Bench { dimensions, queries, index, rows }));
    contiguous
}

/// Runs `count` queries through `one`, and adds up what it returns.
fn run(count: usize, one: impl Fn(&Bench, &[f32]) -> f64) -> f64 {
    BENCH.with_borrow(|bench| {
        let Some(bench) = bench else { return f64::NAN };
        let queries = bench.queries.chunks_exact(bench.dimensions).cycle().take(count);
        queries.map(|query| one(bench, query)).sum()
    })
}

/// `count` searches for the best `k`. Returns the sum of the best scores; NaN if a search failed.
#[unsafe(no_mangle)]
pub extern "C" fn search(count: usize, k: usize) -> f64 {
    run(count, |bench, query| match bench.index.search(query, k, 0, None) {
        Ok(found) if found.len() == k => f64::from(found[0].score),
        _ => f64::NAN,
    })
}

/// `count` bare scans. Returns the sum of all products, so that none can be left out.
#[unsafe(no_mangle)]
pub extern "C" fn bare(count: usize) -> f64 {
    run(count, |bench, query| bench.rows.iter().map(|row| f64::from(bare_dot(query, row))).sum())
}

/// The best product of each of `count` bare scans, summed: equals `search` up to rounding.
#[unsafe(no_mangle)]
pub extern "C" fn bare_best(count: usize) -> f64 {
    run(count, |bench, query| {
        let products = bench.rows.iter().map(|row| f64::from(bare_dot(query, row)));
        products.fold(f64::NEG_INFINITY, f64::max)
    })
}

#[inline(always)]
fn bare_dot(a: &[f32], b: &[f32]) -> f32 {
    let steps = a.len().min(b.len()) / 16;
    let (a, b) = (a.as_ptr().cast::<v128>(), b.as_ptr().cast::<v128>());
    let mut sums = [f32x4_splat(0.0); 4];
    for step in 0..steps {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let at = 4 * step + lane;
            // SAFETY: `at` is below `4 * steps`, so 16 bytes at it are inside both slices; v128_load
            // asks for no alignment.
            let product = unsafe { f32x4_mul(v128_load(a.add(at)), v128_load(b.add(at))) };
            *sum = f32x4_add(*sum, product);
        }
    }
    let sum = f32x4_add(f32x4_add(sums[0], sums[1]), f32x4_add(sums[2], sums[3]));
    f32x4_extract_lane::<0>(sum)
        + f32x4_extract_lane::<1>(sum)
        + f32x4_extract_lane::<2>(sum)
        + f32x4_extract_lane::<3>(sum)
}
