//! The product's approximate index, and instant-distance, behind plain exports, so that the benchmark
//! measures the index alone, built with the flags of the product.
//!
//! **Invariants**
//! - A vector crosses through one buffer, results through another; both stay where they are once made.
//! - Each instance of the module holds one index, so that the growth of its memory is that of the index.
//! - An export that could not do its work says so; nothing is reported as found that was not.
#![cfg(target_family = "wasm")]

mod frozen;
mod product;

use std::cell::RefCell;

/// What crosses between JavaScript and the module.
#[derive(Debug, Default)]
struct Exchange {
    vector: Vec<f32>,
    found: Vec<u32>,
    accepted: Vec<u8>,
}

thread_local! {
    static EXCHANGE: RefCell<Exchange> = RefCell::default();
}

/// Makes the buffers: a vector of `dimensions` numbers, up to `most` results, a byte for each of `labels`
/// labels that says whether a filter accepts it.
#[unsafe(no_mangle)]
pub extern "C" fn exchange(dimensions: usize, most: usize, labels: usize) {
    EXCHANGE.set(Exchange { vector: vec![0.0; dimensions], found: vec![0; most], accepted: vec![0; labels] });
}

/// Where a vector is put before it is inserted or searched for.
#[unsafe(no_mangle)]
pub extern "C" fn vector() -> *mut f32 {
    EXCHANGE.with_borrow_mut(|exchange| exchange.vector.as_mut_ptr())
}

/// Where the labels are that the last search found, best first.
#[unsafe(no_mangle)]
pub extern "C" fn found() -> *const u32 {
    EXCHANGE.with_borrow(|exchange| exchange.found.as_ptr())
}

/// Where the answers of the filter are, a byte a label: 0 refuses.
#[unsafe(no_mangle)]
pub extern "C" fn accepted() -> *mut u8 {
    EXCHANGE.with_borrow_mut(|exchange| exchange.accepted.as_mut_ptr())
}

/// Runs `work` with the vector and the filter's answers, and keeps the labels that it gives. Returns how
/// many there are, or -1 if the work failed.
fn exchanging<I: Iterator<Item = u32>>(work: impl FnOnce(&[f32], &[u8]) -> Option<I>) -> i32 {
    EXCHANGE.with_borrow_mut(|Exchange { vector, found, accepted }| {
        let Some(labels) = work(vector, accepted) else { return -1 };
        let mut count = 0;
        for (label, place) in labels.zip(found.iter_mut()) {
            *place = label;
            count += 1;
        }
        count
    })
}

// instant-distance asks for randomness to make a seed, even where it is given one.
getrandom02::register_custom_getrandom!(seed);

fn seed(bytes: &mut [u8]) -> Result<(), getrandom02::Error> {
    bytes.fill(42);
    Ok(())
}
