//! The best `k` candidates of a search.
//!
//! **Invariants**
//! - Never holds more than `k`; the order (rank, then smaller label) is total, so the result does not
//!   depend on the order of arrival.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A label and its rank in double precision, larger is better.
///
/// Ordered worst first, so that the top of a max-heap is the one to give up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) rank: f64,
    pub(crate) label: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank.total_cmp(&self.rank).then(self.label.cmp(&other.label))
    }
}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Candidate {}

/// A bounded heap of candidates.
#[derive(Debug)]
pub(crate) struct TopK {
    heap: BinaryHeap<Candidate>,
    k: usize,
}

impl TopK {
    /// Room for the best `k` of at most `available` candidates.
    pub(crate) fn new(k: usize, available: usize) -> Self {
        let k = k.min(available);
        Self { heap: BinaryHeap::with_capacity(k), k }
    }

    /// Offers a candidate. Returns whether it was kept.
    pub(crate) fn offer(&mut self, rank: f64, label: u32) -> bool {
        // Minus zero would rank below zero; they are equal numbers.
        let candidate = Candidate { rank: rank + 0.0, label };
        if self.heap.len() < self.k {
            self.heap.push(candidate);
            return true;
        }
        match self.heap.peek_mut() {
            Some(mut worst) if candidate < *worst => {
                *worst = candidate;
                true
            }
            _ => false,
        }
    }

    /// The rank that a further candidate must reach, once `k` are held.
    pub(crate) fn bar(&self) -> Option<f64> {
        if self.heap.len() < self.k { None } else { self.heap.peek().map(|worst| worst.rank) }
    }

    /// The candidates, best first.
    pub(crate) fn into_sorted(self) -> Vec<Candidate> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::super::seeded::Seeded;
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn equals_sort_and_cut() {
        let (mut random, seed) = Seeded::new(0x5eed_0003);
        for round in 0..300 {
            let count = random.below(60);
            let k = random.below(20);
            // Few distinct ranks, so that ties are common; both zeros among them.
            let ranks: Vec<f64> =
                (0..count).map(|_| random.below(3) as f64 * [1.0, -1.0][random.below(2)]).collect();
            let mut top = TopK::new(k, count);
            for (label, rank) in ranks.iter().enumerate() {
                top.offer(*rank, label as u32);
            }
            let mut want: Vec<usize> = (0..count).collect();
            want.sort_by(|a, b| ranks[*b].partial_cmp(&ranks[*a]).unwrap().then(a.cmp(b)));
            want.truncate(k);
            assert_eq!(top.bar().is_some(), k.min(count) > 0, "round {round}, seed {seed}");
            let got: Vec<usize> = top.into_sorted().iter().map(|c| c.label as usize).collect();
            assert_eq!(got, want, "round {round}, seed {seed}");
        }
    }
}
