//! How far a score can be from the truth.
//!
//! With offsets `x`, `y` from the centre and errors `ex`, `ey` of what their codes stand for,
//! `<x, y>` differs from the product of the codes by at most `|ex| |y| + |x| |ey| + |ex| |ey|`
//! (Cauchy and Schwarz). Each number of an error is at most half a step.

use super::{Codes, Probe};
use crate::vector::Metric;

/// What roundings of f32 (of vectors brought to scale, of offsets, scales, biases and sums) change a score
/// by, relative to the square of the lengths in it: each is at most 2^-24 of a term, and there are fewer
/// than 16.
const ROUNDINGS: f64 = 1.0 / (1u64 << 19) as f64;

/// What is taken for the most that roundings add up to, as a part of what they would if all went one way
/// and had the weight of all numbers: `LIKELY / sqrt(dimensions)`. Were they independent and spread evenly,
/// that is `sqrt(6) * LIKELY`, more than seven standard deviations.
const LIKELY: f64 = 3.0;

/// What numbers too small for f32 change a score by, in units.
const UNDERFLOW: f64 = 1e-28;

/// Bound on what rounding to multiples of `step` moves a vector by, as a length. It covers the rounding of
/// the step itself, and offsets too small for any step.
pub(super) fn half_steps(step: f32, dimensions: usize) -> f64 {
    (f64::from(step) * 0.500_1 + 127.0 * f64::from(f32::MIN_POSITIVE)) * (dimensions as f64).sqrt()
}

impl Codes {
    /// How far the score of a slot can be from its true value in exact arithmetic, in units. Infinite if
    /// the probe is too long for scores to be in units at all.
    pub(in crate::vector) fn error(&self, probe: &Probe, slot: u32) -> f32 {
        self.error_with(probe, slot, 1.0)
    }

    /// How far the score of a slot will be from its true value: roundings go both ways, so that it is far
    /// less than the bound where vectors are long.
    pub(in crate::vector) fn likely_error(&self, probe: &Probe, slot: u32) -> f32 {
        self.error_with(probe, slot, (LIKELY / (self.dimensions as f64).sqrt()).min(1.0))
    }

    /// The bound, if roundings of codes add up to no more than `part` of what they could.
    fn error_with(&self, probe: &Probe, slot: u32, part: f64) -> f32 {
        if probe.shrunk {
            return f32::INFINITY;
        }
        let (head, codes) = self.slot(slot);
        let step = |scale| self.frame.step(scale);
        let (ex, ey) = (
            half_steps(step(probe.head.scale), self.dimensions),
            half_steps(step(head.scale), self.dimensions),
        );
        let (x, y) = match self.frame.metric {
            Metric::L2 => (offset_of_l2(probe.head.bias), offset_of_l2(head.bias)),
            Metric::Cosine => (offset_of_cosine(probe.head.bias), offset_of_cosine(head.bias)),
            Metric::Dot => {
                let lengths =
                    (length(probe.codes.iter().copied()), length(codes.iter().map(|c| i16::from(*c))));
                (
                    f64::from(step(probe.head.scale)) * lengths.0 + ex,
                    f64::from(step(head.scale)) * lengths.1 + ey,
                )
            }
        };
        let product = (ex * y + x * ey + ex * ey) * part;
        let centre = self.frame.centre_length();
        let lengths = x + y + centre;
        // Codes that were made from codes stand for another vector, at most `carried` away.
        let of = |made: bool| if made { self.carried } else { 0.0 };
        let (carried, error) = (of(true) + of(probe.of_slot), ROUNDINGS * lengths * lengths + UNDERFLOW);
        let error = error
            + match self.frame.metric {
                Metric::L2 => 2.0 * product + carried * (2.0 * (x + y) + carried),
                _ => product + carried * (lengths + carried),
            };
        // Up, so that rounding to f32 does not make it too small.
        (error * (1.0 + 1e-6)) as f32
    }
}

/// The length of an offset, at most, from the bias under l2: minus its square.
fn offset_of_l2(bias: f32) -> f64 {
    f64::from(-bias).max(0.0).sqrt() * (1.0 + 1e-6)
}

/// The length of an offset, at most, from the bias under cosine: vectors have length 1.
fn offset_of_cosine(bias: f32) -> f64 {
    ((1.0 - 2.0 * f64::from(bias)).max(0.0) + 2e-6).sqrt()
}

fn length(codes: impl Iterator<Item = i16>) -> f64 {
    let squares: u64 = codes.map(|code| u64::from(code.unsigned_abs()).pow(2)).sum();
    (squares as f64).sqrt()
}
