//! Fuzzing without a fuzzer: every target on bytes of a seeded generator, on every run of the tests.
//!
//! `MNEMORA_FUZZ_SECONDS=n` goes on for so long with each target, `MNEMORA_TEST_SEED=n` begins elsewhere.
//! With coverage: `npm run fuzz -- <target> [seconds]`, which runs the same targets under libFuzzer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![cfg(not(target_family = "wasm"))]

mod targets;

use std::time::{Duration, Instant};

use mnemora::testing::rng::SplitMix64;

/// Runs `target` on seeded bytes. A failing run prints what to set to see it again.
fn fuzz(name: &str, longest: usize, runs: u64, target: fn(&[u8])) {
    let seed = number("MNEMORA_TEST_SEED").unwrap_or(0x5eed_f022);
    let until = number("MNEMORA_FUZZ_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    println!("{name}: seed {seed} (set MNEMORA_TEST_SEED to replay another)");
    let mut run = 0;
    while until.map_or(run < runs, |until| Instant::now() < until) {
        let mut random = SplitMix64::new(seed.wrapping_add(run));
        let length = random.below(longest + 1);
        let bytes = random.bytes(length);
        if std::panic::catch_unwind(|| target(&bytes)).is_err() {
            panic!("{name}: run {run} of seed {seed}, {length} bytes: {bytes:02x?}");
        }
        run += 1;
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn filter() {
    fuzz("filter", 200, 20_000, targets::filter::run);
}

#[test]
fn pages_of_vectors() {
    fuzz("pages of vectors", 1_500, 500, targets::pages::vectors);
}

#[test]
fn pages_of_words() {
    fuzz("pages of words", 3_000, 500, targets::pages::words);
}

#[test]
fn words() {
    fuzz("words", 120, 5_000, targets::words::run);
}
