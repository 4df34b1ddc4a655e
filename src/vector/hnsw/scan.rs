//! Looking at all vectors: for small sets, rare ones, and exact searches.
//!
//! **Invariants**
//! - An exact scan leaves out only what can not be among the best, whatever its codes hide: by the proven
//!   bound of a score's error.

use super::find::Search;
use super::plan::ASK_FIRST;
use super::scratch::{Key, Scratch};

/// Codes that are scored at once.
const BLOCK: usize = 64;

impl Search<'_> {
    /// Leaves the best `keep` by their codes in `scratch.found`.
    pub(super) fn scan(&self, keep: usize, selectivity: Option<f64>, scratch: &mut Scratch) {
        let mut accepted = std::mem::take(&mut scratch.accepted);
        accepted.begin(keep);
        if selectivity.is_some_and(|share| share < ASK_FIRST) {
            self.each_accepted(scratch, |key| {
                if key > accepted.bar() {
                    accepted.keep(key);
                }
            });
        } else {
            let mut memo = std::mem::take(&mut scratch.memo);
            self.each(scratch, |key| {
                if key > accepted.bar() && self.accepts(key.node(), &mut memo) {
                    accepted.keep(key);
                }
            });
            scratch.memo = memo;
        }
        accepted.drain(&mut scratch.found);
        scratch.accepted = accepted;
    }

    /// Leaves all that may be among the best `k` in `scratch.found`, best first by their codes.
    pub(super) fn scan_exact(&self, scratch: &mut Scratch) {
        let codes = &self.index.codes;
        let mut surely = std::mem::take(&mut scratch.accepted);
        surely.begin(self.request.k.min(self.index.slots.live() as usize));
        let mut possible: Vec<(f64, Key)> = Vec::new();
        let probe = scratch.probe.clone();
        self.each_accepted(scratch, |key| {
            let error = f64::from(codes.error(&probe, key.node()));
            let (low, high) = (f64::from(key.score()) - error, f64::from(key.score()) + error);
            let bar = surely.bar();
            if bar != Key::LOWEST && high < f64::from(bar.score()) {
                return;
            }
            possible.push((high, key));
            // Rounded down, so that what is compared with it is not left out for a rounding.
            let low = Key::new((low as f32).next_down(), key.node());
            if low > bar {
                surely.keep(low);
            }
        });
        let bar = if surely.is_full() { f64::from(surely.bar().score()) } else { f64::NEG_INFINITY };
        scratch.accepted = surely;
        scratch.found.clear();
        scratch.found.extend(possible.iter().filter(|(high, _)| *high >= bar).map(|(_, key)| *key));
        scratch.found.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Scores all slots, whatever they hold.
    fn each(&self, scratch: &mut Scratch, mut see: impl FnMut(Key)) {
        let (codes, count) = (&self.index.codes, self.index.slots.count());
        let mut scores = [0.0; BLOCK];
        for from in (0..count).step_by(BLOCK) {
            let scores = &mut scores[..BLOCK.min((count - from) as usize)];
            codes.scan(&scratch.probe, from, scores);
            scratch.distances += scores.len() as u64;
            for (slot, score) in (from..).zip(scores.iter()) {
                see(Key::new(*score, slot));
            }
        }
    }

    /// Scores the slots that may be returned.
    fn each_accepted(&self, scratch: &mut Scratch, mut see: impl FnMut(Key)) {
        let (codes, count) = (&self.index.codes, self.index.slots.count());
        let Scratch { probe, batch, scores, memo, distances, .. } = scratch;
        let mut accepted = (0..count).filter(|slot| self.accepts(*slot, memo));
        loop {
            batch.clear();
            batch.extend(accepted.by_ref().take(BLOCK));
            if batch.is_empty() {
                return;
            }
            scores.resize(batch.len(), 0.0);
            codes.scores(probe, batch, scores);
            *distances += batch.len() as u64;
            batch.iter().zip(scores.iter()).for_each(|(slot, score)| see(Key::new(*score, *slot)));
        }
    }
}
