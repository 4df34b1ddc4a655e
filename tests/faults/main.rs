//! What happens to the backends that keep files when something goes wrong below them: the power goes, calls
//! fail, bytes flip, the process is killed. Through the public API, natively.
//!
//! Every test with randomness prints its seed. `MNEMORA_FAULTS_SEED=n` runs that seed alone, and
//! `MNEMORA_FAULTS_SEEDS=n` sets how many seeds are tried.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![cfg(all(any(feature = "json", feature = "sqlite"), not(target_family = "wasm")))]

mod failing;
mod flips;
mod history;
mod host;
mod kills;
mod outage;
mod script;
mod subject;

/// The names under which the tests are run: `faults::<backend>::<what>`.
mod faults {
    macro_rules! each {
        ($name:ident, $scheme:literal) => {
            mod $name {
                use mnemora::backends::Durability::{Relaxed, Strict};

                use crate::subject::Subject;
                use crate::{failing, flips, host, kills, outage};

                const SUBJECT: Subject = Subject { scheme: $scheme };

                #[test]
                fn power_loss_strict() {
                    outage::lose_power_everywhere(SUBJECT, Strict);
                }
                #[test]
                fn power_loss_relaxed() {
                    outage::lose_power_everywhere(SUBJECT, Relaxed);
                }
                #[test]
                fn power_loss_is_seen() {
                    outage::see_what_relaxed_loses(SUBJECT);
                }
                #[test]
                fn power_loss_while_recovering() {
                    outage::lose_power_again(SUBJECT);
                }
                #[test]
                fn failing_calls() {
                    failing::fail_each_call(SUBJECT);
                }
                #[test]
                fn flipped_bytes() {
                    flips::flip_bytes(SUBJECT);
                }
                #[test]
                fn kill() {
                    kills::kill_writers(SUBJECT);
                }
                /// Not a test of its own: what `kill` starts and kills.
                #[test]
                fn writer_to_be_killed() {
                    kills::write_until_killed(SUBJECT);
                }
                #[test]
                fn full_disk() {
                    host::fill_a_small_disk(SUBJECT);
                }
                #[test]
                fn directory_without_permission() {
                    host::open_where_it_may_not_write(SUBJECT);
                }
                #[test]
                fn locked_by_the_living_and_the_dead() {
                    host::open_what_others_hold(SUBJECT);
                }
            }
        };
    }

    #[cfg(feature = "json")]
    each!(json, "json");
    #[cfg(feature = "sqlite")]
    each!(sqlite, "sqlite");
}
