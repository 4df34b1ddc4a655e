//! A frame that follows the vectors.
//!
//! Codes spread over the range of the offsets from the centre. Vectors that have much in common (many
//! embedding models give all of them one large component) waste most of it on what is the same in all, so
//! the centre moves to their mean. Whether that pays is looked at when the number of slots has doubled,
//! and when the index is optimised: so over the life of an index, vectors are coded anew some few times.
//!
//! **Invariants**
//! - When the frame moves, every slot's codes are made anew: from its f32 row if that is at hand, else from
//!   its codes, and then `carried` bounds what is lost.
//! - Sums run over slots in order, in double precision: the same centre on every target.

use super::bound::half_steps;
use super::frame::{Frame, exponent, power_of_two};
use super::{Codes, Probe};
use crate::vector::Metric;
use crate::vector::distance::exact;

/// Fewer vectors say too little about their mean.
const FEWEST: u32 = 64;

/// Slots that are looked at, evenly spread.
const SAMPLE: u32 = 1024;

/// The centre moves if the square of its distance from the mean exceeds this part of the variance: that
/// makes steps smaller by a fifth or more.
const WORTH_MOVING: f64 = 0.5;

impl Codes {
    /// Moves the unit if a vector of this length is out of its range.
    pub(super) fn adapt_to(&mut self, norm: f64) {
        if norm <= self.longest {
            return;
        }
        self.longest = norm;
        if !self.frame.fits(norm) {
            let unit = exponent(norm);
            let factor = power_of_two(self.frame.unit - unit);
            let centre = self.frame.centre.iter().map(|c| (f64::from(*c) * factor) as f32).collect();
            self.move_to(self.frame.moved(centre, unit));
        }
    }

    /// Looks at the centre if the number of slots has doubled since that was done.
    pub(super) fn adapt_if_grown(&mut self) {
        if self.slots >= FEWEST && self.slots / 2 >= self.looked {
            self.recentre();
        }
    }

    /// Moves the centre to the mean of the vectors if they have moved away from it. Returns whether it
    /// did: all codes are new then, as [`epoch`](Self::epoch) tells.
    pub(in crate::vector) fn recentre(&mut self) -> bool {
        self.looked = self.slots;
        if self.slots < FEWEST {
            return false;
        }
        let stride = self.slots.div_ceil(SAMPLE);
        let mut sums = vec![0.0f64; self.dimensions];
        let (mut squares, mut count) = (0.0, 0.0);
        for slot in (0..self.slots).step_by(stride as usize) {
            let (head, codes) = self.slot(slot);
            let step = f64::from(self.frame.step(head.scale));
            for (sum, code) in sums.iter_mut().zip(codes) {
                let offset = step * f64::from(*code);
                *sum += offset;
                squares += offset * offset;
            }
            count += 1.0;
        }
        let drift: f64 = sums.iter().map(|sum| (sum / count) * (sum / count)).sum();
        let variance = squares / count - drift;
        if drift <= WORTH_MOVING * variance.max(0.0) {
            return false;
        }
        let moved = |(c, sum): (&f32, &f64)| (f64::from(*c) + sum / count) as f32;
        let centre = self.frame.centre.iter().zip(&sums).map(moved).collect();
        self.move_to(self.frame.moved(centre, self.frame.unit));
        true
    }

    /// Makes all codes anew.
    fn move_to(&mut self, frame: Frame) {
        let old = std::mem::replace(&mut self.frame, frame);
        let factor = match old.metric {
            Metric::Cosine => 1.0,
            _ => power_of_two(old.unit - self.frame.unit),
        };
        let (before, mut carried) = (self.carried, 0.0f64);
        let mut probe = Probe::default();
        let mut decoded = vec![0.0f32; self.dimensions];
        for slot in 0..self.slots {
            if let Some(row) = self.row(slot) {
                probe.take_scaled(&self.frame, row, exact::norm(row));
            } else {
                let (head, codes) = self.slot(slot);
                let step = old.step(head.scale);
                for ((x, c), code) in decoded.iter_mut().zip(&old.centre).zip(codes) {
                    *x = c + step * f32::from(*code);
                }
                probe.take_at(&self.frame, &decoded, factor);
                carried = carried.max((before + half_steps(step, self.dimensions)) * factor);
            }
            self.write(slot, &probe);
        }
        self.carried = carried;
        self.epoch = self.epoch.wrapping_add(1);
    }
}
