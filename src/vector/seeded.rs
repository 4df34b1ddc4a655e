//! Seeded numbers for this room's tests.
//!
//! **Invariants**
//! - The same seed gives the same numbers natively and in wasm.

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    /// The generator of a test: `MNEMORA_TEST_SEED` if it is set, else `default`. The seed is printed.
    #[allow(clippy::print_stdout)] // a failed test must show its seed
    pub(crate) fn new(default: u64) -> (Self, u64) {
        let seed = std::env::var("MNEMORA_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
        println!("seed {seed} (set MNEMORA_TEST_SEED to replay another)");
        (Self(seed), seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// An integer in `0..bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A number in [-1, 1).
    pub(crate) fn unit(&mut self) -> f32 {
        ((self.next() >> 40) as f32 / (1u64 << 23) as f32) - 1.0
    }

    pub(crate) fn vector(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.unit()).collect()
    }
}
