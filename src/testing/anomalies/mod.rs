//! The anomaly suite: each way in which isolation is known to fail, played by hand on two or three
//! transactions, as plain async functions over any backend.
//!
//! | test | name in the literature |
//! |---|---|
//! | [`dirty_write`] | G0, P0 |
//! | [`aborted_read`] | G1a |
//! | [`intermediate_read`] | G1b |
//! | [`circular_information_flow`] | G1c |
//! | [`observed_transaction_vanishes`] | OTV |
//! | [`predicate_many_preceders`] | PMP, phantom, P3 |
//! | [`lost_update`] | P4 |
//! | [`read_skew`] | G-single, A5A |
//! | [`read_skew_over_a_predicate`] | G-single over predicates |
//! | [`write_skew`] | G2-item, A5B |
//! | [`write_skew_over_a_predicate`] | G2 |
//! | [`read_only_transaction`] | the read-only transaction anomaly |
//!
//! The names are those of Adya, *Weak Consistency: A Generalized Theory and Optimistic
//! Implementations*, 1999; Berenson et al., *A Critique of ANSI SQL Isolation Levels*, 1995; Bailis et
//! al., *Highly Available Transactions*, 2013 (OTV); Fekete, O'Neil and O'Neil, *A Read-Only
//! Transaction Anomaly Under Snapshot Isolation*, 2004. The schedules follow Kleppmann's *Hermitage*.
//!
//! **Invariants**
//! - A scenario tells what committed transactions saw and left behind; what one saw that was refused in
//!   the end counts for nothing.
//! - Each scenario is played twice: once with reads of single records, once with reads of ranges.
//! - In each at least one transaction passes: refusing everybody is no isolation.
//! - `proof` plays them against databases that are broken on purpose and demands that each is seen, so
//!   none of them is a test that can not fail.

#[cfg(test)]
mod broken;
mod predicates;
#[cfg(test)]
mod proof;
mod reads;
mod session;
mod skew;
mod writes;

use std::sync::Arc;

use crate::backends::Backend;
#[cfg(test)]
use session::Database;
use session::{Reads, Stores};

/// An anomaly that was seen: what the transactions saw.
#[derive(Debug)]
struct Seen(String);

/// What a scenario finds.
type Outcome = Result<(), Seen>;

/// The anomaly was seen if `it` holds; `what` tells the story.
fn seen_if(it: bool, what: impl FnOnce() -> String) -> Outcome {
    if it { Err(Seen(what())) } else { Ok(()) }
}

macro_rules! anomalies {
    ($($(#[$doc:meta])* $room:ident :: $name:ident),+ $(,)?) => {
        $($(#[$doc])*
        ///
        /// # Panics
        /// If the anomaly is seen.
        pub async fn $name(backend: impl Backend) {
            let backend: Arc<dyn Backend> = Arc::new(backend);
            for reads in Reads::BOTH {
                let database = Stores::over(&backend, reads).await;
                if let Err(Seen(what)) = $room::$name(&database, reads).await {
                    panic!("{}, by {reads:?}: {what}", stringify!($name));
                }
            }
        })+

        /// Plays the scenario `name`, for the proof.
        #[cfg(test)]
        async fn play(name: &str, database: &impl Database, reads: Reads) -> Outcome {
            match name {
                $(stringify!($name) => $room::$name(database, reads).await,)+
                _ => panic!("there is no scenario {name:?}"),
            }
        }

        /// The names of all scenarios.
        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

anomalies! {
    /// Writes of two transactions are mixed.
    writes::dirty_write,
    /// What a transaction wrote that did not pass is read.
    reads::aborted_read,
    /// What a transaction wrote over again itself is read.
    reads::intermediate_read,
    /// Two transactions each read what the other wrote.
    reads::circular_information_flow,
    /// A transaction whose effects were seen is not there for a later read.
    reads::observed_transaction_vanishes,
    /// A record appears in a range that was read.
    predicates::predicate_many_preceders,
    /// A write is overwritten by one that did not know of it.
    writes::lost_update,
    /// Two records are read, one before and one after a transaction that wrote both.
    skew::read_skew,
    /// The same, with records that are looked for by what they hold.
    predicates::read_skew_over_a_predicate,
    /// Two transactions read both records, and each writes the other one.
    skew::write_skew,
    /// The same, with records that are not there yet.
    predicates::write_skew_over_a_predicate,
    /// A transaction that only reads shows that two others are not in any order.
    skew::read_only_transaction,
}
