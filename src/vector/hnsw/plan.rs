//! Which way a search goes, and how wide.
//!
//! Costs are counted in distances of a walk. A scan reads codes one after the other, which is cheaper each;
//! a filter is asked for every vector by a scan, and by a walk for those that are near enough.
//!
//! **Invariants**
//! - What is decided depends on numbers alone, never on time: the same search goes the same way.

/// Candidates in view, unless asked for otherwise.
pub(super) const EF: usize = 64;

/// What a distance of a scan costs.
const SCANNED: f64 = 0.75;

/// What a question to the filter costs.
const ASKED: f64 = 0.7;

/// Distances that a walk computes for each candidate in view, and besides.
const WALKED: f64 = 11.0;
const BESIDES: f64 = 100.0;

/// Questions that tell how many vectors a filter accepts.
pub(super) const SAMPLE: u32 = 256;

/// Below this share it is cheaper to ask the filter before the distance.
pub(super) const ASK_FIRST: f64 = 0.4;

/// A search that is planned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Slots that a scan would look at.
    pub(super) slots: u32,
    pub(super) k: usize,
    /// Candidates in view of a walk without a filter.
    pub(super) ef: usize,
    /// The share of vectors that the filter accepts, as a sample has it.
    pub(super) selectivity: Option<f64>,
}

impl Plan {
    /// How wide the first walk is; `None`: a scan is cheaper.
    pub(super) fn first(&self) -> Option<usize> {
        let ef = match self.selectivity {
            // What is in view besides the answer makes it sure. Where a filter hides most of what is in
            // view, less of that is needed: the walk passes through more around the answer.
            Some(share) => self.ef.max((self.enough() as f64 * 2.0 / share).min(1e9) as usize),
            None => self.ef,
        };
        self.pays(ef).then_some(ef)
    }

    /// How wide the next walk is, after one of `ef` had `inside` accepted vectors in view, which were not
    /// enough; `None`: scan.
    pub(super) fn next(&self, ef: usize, inside: usize) -> Option<usize> {
        let share = inside.max(1) as f64 / ef as f64;
        let wanted = (self.enough() as f64 * 1.5 / share) as usize;
        let ef = wanted.clamp(2 * ef, 16 * ef);
        self.pays(ef).then_some(ef)
    }

    /// Accepted vectors in view that make the best `k` of them sure.
    pub(super) fn enough(&self) -> usize {
        self.k + self.k / 2 + 2
    }

    fn pays(&self, ef: usize) -> bool {
        let (slots, ef) = (f64::from(self.slots), ef as f64);
        let distances = (WALKED * ef + BESIDES).min(slots);
        match self.selectivity {
            None => distances < slots * SCANNED,
            Some(share) => {
                let scan = if share < ASK_FIRST { slots * (ASKED + share) } else { slots * SCANNED };
                distances + ef * ASKED < scan
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(slots: u32, selectivity: Option<f64>) -> Plan {
        Plan { slots, k: 10, ef: EF, selectivity }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn few_vectors_and_rare_ones_are_scanned() {
        assert_eq!(plan(500, None).first(), None);
        assert_eq!(plan(10_000, None).first(), Some(EF));
        assert_eq!(plan(100_000, Some(0.0001)).first(), None);
        assert!(plan(100_000, Some(0.5)).first().is_some_and(|ef| ef >= EF));
        assert_eq!(Plan { k: 10_000, ef: 10_000, ..plan(20_000, None) }.first(), None);
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn a_walk_that_starves_widens_until_a_scan_is_cheaper() {
        let (plan, mut ef, mut rounds) = (plan(1_000_000, Some(0.1)), EF, 0);
        while let Some(wider) = plan.next(ef, 0) {
            assert!(wider >= 2 * ef);
            (ef, rounds) = (wider, rounds + 1);
        }
        assert!((1..=10).contains(&rounds), "{rounds}");
    }
}
