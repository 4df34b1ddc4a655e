//! Seeded vectors.
//!
//! **Invariants**
//! - The same seed gives the same bits natively and in wasm: sums and products only.

use crate::testing::rng::SplitMix64;

/// A stream of vectors.
#[derive(Debug)]
pub(super) struct Vectors {
    random: SplitMix64,
    dimensions: usize,
    /// Middles of clusters; none: vectors are uniform.
    middles: Vec<Vec<f32>>,
}

impl Vectors {
    /// Uniform in a cube around zero.
    pub(super) fn uniform(seed: u64, dimensions: usize) -> Self {
        Self::clustered(seed, dimensions, 0)
    }

    /// In `clusters` clouds around uniform middles. The seed is printed.
    pub(super) fn clustered(seed: u64, dimensions: usize, clusters: usize) -> Self {
        println!("seed {seed}");
        let mut vectors = Self { random: SplitMix64::new(seed), dimensions, middles: Vec::new() };
        let middles = (0..clusters).map(|_| vectors.cube()).collect();
        vectors.middles = middles;
        vectors
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    /// A number in [-1, 1).
    fn unit(&mut self) -> f32 {
        (self.random.next_u64() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn cube(&mut self) -> Vec<f32> {
        (0..self.dimensions).map(|_| self.unit()).collect()
    }

    /// The next vector.
    pub(super) fn next(&mut self) -> Vec<f32> {
        if self.middles.is_empty() {
            return self.cube();
        }
        let cluster = self.random.below(self.middles.len());
        self.of_cluster(cluster)
    }

    /// A vector of one cluster: its middle and a sum of uniform numbers, which is nearly normal.
    pub(super) fn of_cluster(&mut self, cluster: usize) -> Vec<f32> {
        let middle = self.middles[cluster].clone();
        middle.into_iter().map(|x| x + 0.2 * (self.unit() + self.unit() + self.unit())).collect()
    }

    /// The next `count` vectors, labelled from zero.
    pub(super) fn rows(&mut self, count: usize) -> Vec<(u32, Vec<f32>)> {
        (0..).zip(std::iter::repeat_with(|| self.next())).take(count).collect()
    }
}
