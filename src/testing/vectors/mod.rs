//! The suite of the vector engines: what every [`VectorIndex`] must do, as plain functions over an
//! [`Engine`].
//!
//! Run it with [`vector_index!`](crate::testing::vector_index), which makes a module `vector_index` of one
//! test a check:
//!
//! ```ignore
//! mnemora::testing::vector_index!(native, mnemora::testing::vectors::Hnsw);
//! ```
//!
//! **Invariants**
//! - The checks know engines by [`Engine`] and [`VectorIndex`] only; they run unchanged natively, in Node
//!   and in a browser.
//! - The exact index is the oracle. What counts as found is decided by true similarities, so that equal
//!   vectors stand for one another.
//! - A check that depends on randomness prints its seed.

pub mod contract;
mod data;
mod engines;
pub mod model;
pub mod recall;

#[cfg(feature = "instant-distance")]
pub use engines::Frozen;
pub use engines::{Flat, Hnsw, HnswCodes, HnswRecords};

use crate::vector::{FlatIndex, Metric, Neighbour, VectorIndex, similarity};

/// An engine under test.
pub trait Engine {
    /// What it makes.
    type Index: VectorIndex;

    /// An index takes no inserts: it is built of what it holds.
    const FROZEN: bool = false;

    /// Scores are those of the vectors themselves, to the bit; else they are of codes.
    const EXACT_SCORES: bool = true;

    /// Part of the ten true neighbours that a search at default settings finds, at least.
    const RECALL: f64 = 0.97;

    /// Vectors in the large checks: enough for the engine to use its graph, few enough for a build that
    /// is not optimised.
    const SIZE: usize = 2_500;

    /// An index of `rows`: labels and their vectors.
    fn of(dimensions: usize, metric: Metric, rows: &[(u32, Vec<f32>)]) -> Self::Index;

    /// Whether a search of [`SIZE`](Self::SIZE) vectors goes by the graph, if the engine has one: else the
    /// checks of recall would say nothing about it.
    fn walks(_index: &Self::Index, _query: &[f32]) -> bool {
        true
    }

    /// What is wrong inside, in words.
    fn problems(_index: &Self::Index) -> Vec<String> {
        Vec::new()
    }
}

/// The exact index of `rows`.
fn oracle(dimensions: usize, metric: Metric, rows: &[(u32, Vec<f32>)]) -> FlatIndex {
    Flat::of(dimensions, metric, rows)
}

/// How many of `want` were found. Whatever is as similar as the last of them counts.
///
/// Panics if `found` breaks the contract: a label that the oracle does not hold or `accept` refuses, a
/// label twice, a wrong order, or a score that is not the vector's.
fn hits<E: Engine>(
    found: &[Neighbour],
    want: &[Neighbour],
    oracle: &FlatIndex,
    query: &[f32],
    accept: Option<&dyn Fn(u32) -> bool>,
    at: &str,
) -> usize {
    let Some(last) = want.last() else {
        assert!(found.is_empty(), "{at}: {found:?}, where there is nothing");
        return 0;
    };
    assert!(found.len() <= want.len(), "{at}: {} results, {} at most", found.len(), want.len());
    for pair in found.windows(2) {
        assert!(pair[0].score >= pair[1].score, "{at}: {:?} before {:?}", pair[0], pair[1]);
    }
    let mut labels: Vec<u32> = found.iter().map(|n| n.label).collect();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), found.len(), "{at}: a label twice");
    let near = |neighbour: &&Neighbour| {
        let Neighbour { label, score } = **neighbour;
        let vector = oracle.vector(label);
        assert!(vector.is_some(), "{at}: label {label} was removed, or never inserted");
        assert!(accept.is_none_or(|accept| accept(label)), "{at}: label {label} was refused");
        let truth = similarity(oracle.metric(), query, vector.unwrap());
        assert!(score.is_finite(), "{at}: label {label} has score {score}");
        assert!(!E::EXACT_SCORES || score == truth, "{at}: label {label} has score {score}, not {truth}");
        truth >= last.score
    };
    found.iter().filter(near).count()
}

/// Runs the whole suite over an engine as one test a check.
///
/// The first word says how: `native` makes `#[test]` functions, `wasm` makes `#[wasm_bindgen_test]`
/// functions. The second is a type that is an [`Engine`](crate::testing::vectors::Engine).
#[macro_export]
#[doc(hidden)]
macro_rules! __vector_index {
    ($how:ident, $engine:ty) => {
        mod vector_index {
            #[allow(unused_imports)]
            use super::*;
            $crate::__vector_index_each! { $how $engine;
                contract::bad_input_is_an_error_and_changes_nothing,
                contract::nothing_is_found_where_nothing_is,
                contract::small_sets_are_exact,
                contract::equal_vectors_come_by_label,
                contract::a_label_is_replaced,
                contract::a_removed_label_is_gone,
                contract::a_filter_is_asked_once_and_obeyed,
                contract::extreme_numbers_give_finite_scores,
                recall::clustered_vectors_are_found,
                recall::uniform_vectors_are_found,
                recall::duplicates_do_not_hide_others,
                recall::filtered_vectors_are_found,
                model::interleaved_changes_match_the_oracle,
                model::all_can_be_removed_and_inserted_again,
            }
        }
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __vector_index_each {
    (native $engine:ty; $($room:ident :: $check:ident),+ $(,)?) => {
        $(#[test] fn $check() {
            $crate::testing::vectors::$room::$check::<$engine>();
        })+
    };
    (wasm $engine:ty; $($room:ident :: $check:ident),+ $(,)?) => {
        $(#[wasm_bindgen_test::wasm_bindgen_test] fn $check() {
            $crate::testing::vectors::$room::$check::<$engine>();
        })+
    };
}

#[cfg(test)]
mod tests;
