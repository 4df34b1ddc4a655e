//! Scores: products of codes, brought to scale.
//!
//! **Invariants**
//! - A score depends on the probe and the slot alone, not on what is scored with it.

use super::frame::Head;
use super::{Codes, Probe, kernels};

impl Codes {
    /// How similar a slot is to the probe, larger is more: in units, see [`similarity`](Self::similarity).
    #[inline]
    pub(in crate::vector) fn score(&self, probe: &Probe, slot: u32) -> f32 {
        let (head, codes) = self.slot(slot);
        combine(probe.head, head, kernels::dot(&probe.codes, codes))
    }

    /// The scores of many slots, in their order.
    pub(in crate::vector) fn scores(&self, probe: &Probe, slots: &[u32], out: &mut [f32]) {
        // The biases first: the memory fetches the beginnings of all rows at the same time, which it would
        // not while products keep the processor busy.
        for (slot, out) in slots.iter().zip(out.iter_mut()) {
            *out = self.slot(*slot).0.bias;
        }
        let ((fours, rest), (outs, rest_out)) = (slots.as_chunks::<4>(), out.as_chunks_mut::<4>());
        for ([a, b, c, d], out) in fours.iter().zip(outs) {
            *out = self.four(probe, [self.slot(*a), self.slot(*b), self.slot(*c), self.slot(*d)]);
        }
        // Two or three are scored as four, the last of them again: their rows are fetched side by side.
        if let ([a, b, more @ ..], [x, y, more_out @ ..]) = (rest, &mut *rest_out) {
            let c = more.first().unwrap_or(b);
            let [p, q, r, _] = self.four(probe, [self.slot(*a), self.slot(*b), self.slot(*c), self.slot(*c)]);
            (*x, *y) = (p, q);
            more_out.iter_mut().for_each(|out| *out = r);
            return;
        }
        if let ([slot], [out]) = (rest, rest_out) {
            *out = self.score(probe, *slot);
        }
    }

    /// The scores of consecutive slots, `out.len()` of them, all of which exist.
    pub(in crate::vector) fn scan(&self, probe: &Probe, from: u32, out: &mut [f32]) {
        let (fours, rest) = out.as_chunks_mut::<4>();
        let mut slot = from;
        for out in fours {
            let slots = [self.slot(slot), self.slot(slot + 1), self.slot(slot + 2), self.slot(slot + 3)];
            *out = self.four(probe, slots);
            slot += 4;
        }
        for (slot, out) in (slot..).zip(rest) {
            *out = self.score(probe, slot);
        }
    }

    /// Whether a slot with `score` may be nearer to the probe than the slot `than` with its score is, as
    /// far as [`likely_error`](Self::likely_error) goes. Errors grow with the steps of the codes.
    pub(in crate::vector) fn may_be_nearer(
        &self,
        probe: &Probe,
        than: (u32, f32),
    ) -> impl Fn(u32, f32) -> bool {
        let (error, scale) = (self.likely_error(probe, than.0), self.slot(than.0).0.scale);
        move |slot, score| {
            let ratio = self.slot(slot).0.scale / scale;
            let error_of_slot = if ratio > 1.0 { error * ratio } else { error };
            score + error_of_slot >= than.1 - error
        }
    }

    #[inline(always)]
    fn four(&self, probe: &Probe, slots: [(Head, &[i8]); 4]) -> [f32; 4] {
        let [(x, a), (y, b), (z, c), (w, d)] = slots;
        let [a, b, c, d] = kernels::dot_four(&probe.codes, [a, b, c, d]);
        [
            combine(probe.head, x, a),
            combine(probe.head, y, b),
            combine(probe.head, z, c),
            combine(probe.head, w, d),
        ]
    }
}

/// The score of two vectors whose codes have the inner product `dot`.
#[inline(always)]
fn combine(x: Head, y: Head, dot: i32) -> f32 {
    x.scale * y.scale * dot as f32 + (x.bias + y.bias)
}
