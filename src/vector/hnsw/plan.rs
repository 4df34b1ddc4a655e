//! Which way a search goes, and how wide.
//!
//! Costs are counted in distances of a walk. A scan reads codes one after the other, which is cheaper each;
//! a filter is asked for every vector by a scan, and by a walk for those that are near enough.
//!
//! **Invariants**
//! - What is decided depends on numbers alone, never on time: the same search goes the same way.

/// Candidates in view, unless asked for otherwise.
pub(super) const EF: usize = 64;

/// What a distance of a scan over all costs.
const SCANNED: f64 = 0.35;

/// What a question to the filter costs, and a distance of a scan to one of those that it accepts, which lie
/// apart from one another.
const ASKED: f64 = 0.1;
const APART: f64 = 0.5;

/// Distances that a walk computes for each candidate in view, and besides.
const WALKED: f64 = 11.0;
const BESIDES: f64 = 100.0;

/// Below this share it is cheaper to ask the filter before the distance.
pub(super) const ASK_FIRST: f64 = 0.12;

/// Vectors of `slots` that tell how many a filter accepts, and how many of those near the query.
pub(super) fn sample_of(slots: u32) -> u32 {
    (slots / 40).clamp(256, 1024)
}

/// The share of what a filter accepts among `asked` vectors of which it accepted `yes`: as if one more had
/// been asked and half accepted, since none of a sample is not none of all.
pub(super) fn share(yes: u32, asked: u32) -> f64 {
    (f64::from(yes) + 0.5) / (f64::from(asked) + 1.0)
}

/// The share that counts for a walk: that of all, unless the part of the sample that is nearest to the query
/// says otherwise by more than chance would. A filter may accept what is far from the query, or near to it.
pub(super) fn share_near(all: f64, yes: u32, asked: u32) -> f64 {
    let expected = all * f64::from(asked);
    if (f64::from(yes) - expected).abs() > 2.0 * expected.sqrt() { share(yes, asked) } else { all }
}

/// A search that is planned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Slots that a scan would look at.
    pub(super) slots: u32,
    pub(super) k: usize,
    /// Candidates in view of a walk without a filter.
    pub(super) ef: usize,
    /// The share of vectors that the filter accepts, and of those near the query, as a sample has it.
    pub(super) selectivity: Option<f64>,
    pub(super) near: f64,
}

impl Plan {
    /// How wide the first walk is; `None`: a scan is cheaper.
    pub(super) fn first(&self) -> Option<usize> {
        let ef = match self.selectivity {
            // What is in view besides the answer makes it sure. Where a filter hides most of what is in
            // view, less of that is needed: the walk passes through more around the answer.
            Some(_) => self.ef.max((self.enough() as f64 * 2.0 / self.near).min(1e9) as usize),
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
                let scan = if share < ASK_FIRST { ASKED + share * APART } else { SCANNED };
                distances + ef * ASKED < slots * scan
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(slots: u32, selectivity: Option<f64>) -> Plan {
        Plan { slots, k: 10, ef: EF, selectivity, near: selectivity.unwrap_or(1.0) }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn few_vectors_and_rare_ones_are_scanned() {
        assert_eq!(plan(500, None).first(), None);
        assert_eq!(plan(10_000, None).first(), Some(EF));
        assert_eq!(plan(100_000, Some(0.0001)).first(), None);
        assert!(plan(100_000, Some(0.5)).first().is_some_and(|ef| ef >= EF));
        // What is near the query decides how wide the walk must be.
        assert!(Plan { near: 0.01, ..plan(10_000, Some(0.3)) }.first().is_none());
        assert_eq!(Plan { k: 10_000, ef: 10_000, ..plan(20_000, None) }.first(), None);
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn the_share_near_the_query_counts_if_it_is_surely_another() {
        assert_eq!((share_near(0.3, 19, 64), share_near(0.3, 12, 64)), (0.3, 0.3));
        assert!(share_near(0.3, 1, 64) < 0.03 && share_near(0.3, 60, 64) > 0.9);
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
