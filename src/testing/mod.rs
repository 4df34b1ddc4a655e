//! The conformance suite: what every backend must do, as plain async functions.
//!
//! Run it against a backend with [`conformance!`], which takes an expression that opens a **fresh,
//! empty** backend. It makes two modules: `conformance`, the checks of the contract, and `anomalies`,
//! the scenarios of [`anomalies`] on transactions over that backend. Outside crates enable the feature
//! `testing` and do the same.
//!
//! ```ignore
//! mnemora::testing::conformance!(native, async { MyBackend::new() });
//! ```
//!
//! **Invariants**
//! - The functions know only [`Backend`]; they run unchanged natively, in
//!   Node and in a browser.
//! - A check that depends on randomness prints its seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

pub mod anomalies;
pub mod batches;
mod counting;
pub mod disk;
pub mod log;
pub mod oracle;
pub mod rng;
pub mod scans;
pub mod vectors;

pub use counting::Counting;

use crate::backends::Backend;
use crate::model::{Batch, Committed, Conflict, Key, Record};

/// Runs the whole suite as one test a check.
///
/// The first word says how: `native` makes `#[test]` functions on a small executor,
/// `wasm` makes `#[wasm_bindgen_test]` functions. The expression is a future that gives a fresh,
/// empty backend.
#[macro_export]
#[doc(hidden)]
macro_rules! __conformance {
    ($how:ident, $open:expr) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;
            $crate::__conformance_each! { $how $open;
                scans::order_is_the_order_of_key_bytes,
                scans::pages_join_up_in_both_directions,
                scans::cursors_survive_changes_between_pages,
                scans::bounds_and_empty_ranges,
                scans::a_page_of_nothing_is_refused,
                scans::a_snapshot_of_many_keys_keeps_their_order,
                batches::a_batch_is_all_or_nothing,
                batches::batches_of_one_commit_are_judged_apart,
                batches::preconditions_absent_and_version,
                batches::preconditions_on_keys_only_read,
                batches::a_range_that_changed_is_a_conflict,
                batches::deletes_and_puts_of_one_key,
                batches::creation_times_are_kept,
                batches::concurrent_commits_lose_nothing,
                batches::large_and_odd_values_come_back,
                batches::too_large_a_value_is_refused_whole,
                log::sequence_numbers_have_no_gap,
                log::every_batch_has_its_entry,
                log::followers_read_from_any_cursor,
                log::only_commits_write_to_the_log,
                log::trimming_keeps_what_follows,
                log::stats_know_the_sequence,
                log::close_is_final_and_idempotent,
                oracle::ten_thousand_operations_match_a_map,
            }
        }
        mod anomalies {
            #[allow(unused_imports)]
            use super::*;
            $crate::__anomalies_each! { $how $open;
                dirty_write,
                aborted_read,
                intermediate_read,
                circular_information_flow,
                observed_transaction_vanishes,
                predicate_many_preceders,
                lost_update,
                read_skew,
                read_skew_over_a_predicate,
                write_skew,
                write_skew_over_a_predicate,
                read_only_transaction,
            }
        }
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_each {
    (native $open:expr; $($room:ident :: $check:ident),+ $(,)?) => {
        $(#[test] fn $check() {
            $crate::testing::block_on(async {
                $crate::testing::$room::$check(&$open.await).await;
            });
        })+
    };
    (wasm $open:expr; $($room:ident :: $check:ident),+ $(,)?) => {
        $(#[wasm_bindgen_test::wasm_bindgen_test] async fn $check() {
            $crate::testing::$room::$check(&$open.await).await;
        })+
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __anomalies_each {
    (native $open:expr; $($anomaly:ident),+ $(,)?) => {
        $(#[test] fn $anomaly() {
            $crate::testing::block_on(async {
                $crate::testing::anomalies::$anomaly($open.await).await;
            });
        })+
    };
    (wasm $open:expr; $($anomaly:ident),+ $(,)?) => {
        $(#[wasm_bindgen_test::wasm_bindgen_test] async fn $anomaly() {
            $crate::testing::anomalies::$anomaly($open.await).await;
        })+
    };
}

pub use crate::__conformance as conformance;
pub use crate::__vector_index as vector_index;

/// Runs a future to its end on this thread. It must not wait for the host: it is polled until it is
/// ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::yield_now(),
        }
    }
}

/// A record key of the store `s`.
pub(crate) fn key(id: &str) -> Key {
    Key::record("s", id).expect("a valid key")
}

/// Commits one batch and gives its verdict.
pub(crate) async fn commit(backend: &dyn Backend, batch: Batch) -> Result<Committed, Conflict> {
    let mut verdicts = backend.commit(&[batch]).await.expect("the commit goes through");
    assert_eq!(verdicts.len(), 1, "one verdict a batch");
    verdicts.remove(0)
}

/// The record at `key`.
pub(crate) async fn get(backend: &dyn Backend, key: &Key) -> Option<Record> {
    backend.get(std::slice::from_ref(key)).await.expect("the read goes through").remove(0)
}
