//! The proof that the scenarios can fail: each broken database shows exactly its own anomalies.
//!
//! **Invariants**
//! - Every scenario, by either way to read, is seen on at least one of the broken databases.
//! - What a fault can not cause is not seen: a scenario that cries at everything proves nothing.

use super::broken::{Fault, SnapshotIsolation, Unisolated, with_fault};
use super::session::{Database, Reads};
use super::{NAMES, Seen, play};
use crate::testing::block_on;

/// The scenarios that are seen on what `open` opens: a fresh database for each.
async fn seen_on<D: Database>(open: impl AsyncFn() -> D, reads: Reads) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for &name in NAMES {
        if let Err(Seen(what)) = play(name, &open().await, reads).await {
            println!("{name}, by {reads:?}: {what}");
            seen.push(name);
        }
    }
    seen
}

async fn seen_with(fault: Fault, reads: Reads) -> Vec<&'static str> {
    seen_on(async || with_fault(fault, reads).await, reads).await
}

#[test]
fn without_isolation_every_anomaly_is_seen() {
    block_on(async {
        for reads in Reads::BOTH {
            assert_eq!(seen_on(async || Unisolated::new(reads).await, reads).await, NAMES, "{reads:?}");
        }
    });
}

#[test]
fn snapshot_isolation_shows_skewed_writes_and_the_anomaly_of_those_who_only_read() {
    block_on(async {
        let expected = ["write_skew", "write_skew_over_a_predicate", "read_only_transaction"];
        for reads in Reads::BOTH {
            let open = async || SnapshotIsolation::new(reads).await;
            assert_eq!(seen_on(open, reads).await, expected, "{reads:?}");
        }
    });
}

#[test]
fn without_preconditions_what_was_read_record_by_record_may_change() {
    block_on(async {
        // A record that is read twice is compared by the transaction itself, so a predicate that is
        // read twice is safe even here.
        let expected = [
            "observed_transaction_vanishes",
            "predicate_many_preceders",
            "lost_update",
            "read_skew",
            "write_skew",
            "write_skew_over_a_predicate",
            "read_only_transaction",
        ];
        assert_eq!(seen_with(Fault::IgnoresPreconditions, Reads::Get).await, expected);
        assert!(seen_with(Fault::IgnoresPreconditions, Reads::List).await.is_empty());
    });
}

#[test]
fn without_ranges_what_was_listed_may_change() {
    block_on(async {
        let expected = [
            "observed_transaction_vanishes",
            "predicate_many_preceders",
            "lost_update",
            "read_skew",
            "read_skew_over_a_predicate",
            "write_skew",
            "write_skew_over_a_predicate",
            "read_only_transaction",
        ];
        assert_eq!(seen_with(Fault::IgnoresRanges, Reads::List).await, expected);
        assert!(seen_with(Fault::IgnoresRanges, Reads::Get).await.is_empty());
    });
}

#[test]
fn half_of_a_refused_batch_is_an_aborted_read() {
    block_on(async {
        for reads in Reads::BOTH {
            assert_eq!(
                seen_with(Fault::WritesHalfOfWhatItRefuses, reads).await,
                ["aborted_read"],
                "{reads:?}"
            );
        }
    });
}

#[test]
fn torn_batches_are_mixed_and_seen_half_written() {
    block_on(async {
        let expected = ["dirty_write", "observed_transaction_vanishes"];
        for reads in Reads::BOTH {
            assert_eq!(seen_with(Fault::TearsBatches, reads).await, expected, "{reads:?}");
        }
    });
}
