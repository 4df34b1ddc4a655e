//! How numbers become codes: the frame that all codes of an index share.
//!
//! A vector is brought to the index's scale, the centre is taken off, and what is left is rounded to
//! multiples of a step that suits this vector: `x = c + step * codes + e`, each number of `e` at most
//! half a step. With a step and one more number a vector, one formula serves all metrics:
//!
//! | metric | scale | bias | `sx * sy * <cx, cy> + bx + by` is |
//! |---|---|---|---|
//! | cosine, dot | step | `<x, c> - <c, c> / 2` | `<x, y>` |
//! | l2 | step * sqrt 2 | `-<x - c, x - c>` | `-<x - y, x - y>` |
//!
//! but for `e`. Cosine brings vectors to length 1; the others divide by 2^unit, which is 1 unless the
//! vectors are so long or so short that products would leave the range of f32.
//!
//! **Invariants**
//! - The same vector in the same frame has the same codes, scale and bias, to the bit, on every target.
//! - Scale and bias of a vector not longer than [`Frame::fits`] stay far enough inside f32 that no score of two of
//!   them, or of one and any probe, is infinite or NaN.

use super::super::Metric;
use super::super::distance::codes::{round, shift};
use super::super::distance::exact;

/// Codes are -127 to 127.
const LARGEST: f32 = 127.0;

/// A stored vector is at most this long in units, else the unit grows: products of two stay below 2^64.
const LONGEST: i32 = 32;

/// If no stored vector is longer than this in units, the unit shrinks: products stay above 2^-64.
const SHORTEST: i32 = -24;

/// A probe is at most this long in units; a longer one is shrunk.
const LONGEST_PROBE: i32 = 48;

/// What is stored may be this large, as it comes from pages: 2^40 and 2^80 let any score be finite.
const MOST_SCALE: f32 = (1u64 << 40) as f32;
const MOST_BIAS: f32 = MOST_SCALE * MOST_SCALE;

/// What a vector is beside its codes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Head {
    pub(super) scale: f32,
    pub(super) bias: f32,
}

impl Head {
    pub(super) const BYTES: usize = 8;

    #[inline(always)]
    pub(super) fn read(bytes: &[u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h] = *bytes;
        Self { scale: f32::from_le_bytes([a, b, c, d]), bias: f32::from_le_bytes([e, f, g, h]) }
    }

    pub(super) fn bytes(self) -> [u8; Self::BYTES] {
        let ([a, b, c, d], [e, f, g, h]) = (self.scale.to_le_bytes(), self.bias.to_le_bytes());
        [a, b, c, d, e, f, g, h]
    }

    /// Whether it can come from a vector. (NaN is in no range.)
    pub(super) fn is_sound(self) -> bool {
        (0.0..=MOST_SCALE).contains(&self.scale) && (-MOST_BIAS..=MOST_BIAS).contains(&self.bias)
    }
}

/// What all codes of an index have in common.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) metric: Metric,
    pub(super) centre: Vec<f32>,
    /// Half the square of the centre's length.
    half: f64,
    /// Vectors are divided by two to this power.
    pub(super) unit: i32,
}

impl Frame {
    pub(super) fn new(dimensions: usize, metric: Metric) -> Self {
        Self { metric, centre: vec![0.0; dimensions], half: 0.0, unit: 0 }
    }

    /// The length of the centre, in units.
    pub(super) fn centre_length(&self) -> f64 {
        (2.0 * self.half).sqrt()
    }

    /// The same with another centre and unit.
    pub(super) fn moved(&self, centre: Vec<f32>, unit: i32) -> Self {
        let half = exact::dot(&centre, &centre) / 2.0;
        Self { metric: self.metric, centre, half, unit }
    }

    /// Whether a frame suits vectors of which the longest has this length.
    pub(super) fn fits(&self, longest: f64) -> bool {
        let range = SHORTEST..LONGEST;
        self.metric == Metric::Cosine || longest == 0.0 || range.contains(&(exponent(longest) - self.unit))
    }

    /// What vectors of the length `norm` are multiplied by, and whether they keep their length.
    pub(super) fn factor(&self, norm: f64) -> (f64, bool) {
        if self.metric == Metric::Cosine {
            return (1.0 / norm, true);
        }
        let over = if norm == 0.0 { 0 } else { (exponent(norm) - self.unit - LONGEST_PROBE).max(0) };
        (power_of_two(-self.unit - over), over == 0)
    }

    /// `vector` times `factor`, less the centre, into `offsets`. Returns the largest magnitude.
    pub(super) fn offsets(&self, vector: &[f32], factor: f64, offsets: &mut [f32]) -> f32 {
        // Within these bounds the factor has all bits of an f32, and products are right to a rounding.
        if (1e-30..=1e30).contains(&factor) {
            return shift(vector, factor as f32, &self.centre, offsets);
        }
        let mut largest = 0.0f32;
        for ((x, c), offset) in vector.iter().zip(&self.centre).zip(offsets) {
            *offset = (f64::from(*x) * factor) as f32 - c;
            largest = largest.max(offset.abs());
        }
        largest
    }

    /// The codes of `offsets`, whose largest magnitude is `largest`.
    pub(super) fn encode(&self, offsets: &[f32], largest: f32, codes: &mut [i16]) -> Head {
        let step = largest / LARGEST;
        // Offsets so small that the step or its inverse leaves f32 are nothing beside the unit.
        if step < f32::MIN_POSITIVE {
            codes.fill(0);
            return Head { scale: 0.0, bias: self.bias(offsets) };
        }
        round(offsets, LARGEST / largest, codes);
        let scale = if self.metric == Metric::L2 { step * std::f32::consts::SQRT_2 } else { step };
        Head { scale, bias: self.bias(offsets) }
    }

    fn bias(&self, offsets: &[f32]) -> f32 {
        match self.metric {
            Metric::L2 => -exact::dot(offsets, offsets) as f32,
            // <x, c> - <c, c> / 2 = <x - c, c> + <c, c> / 2
            _ if self.half == 0.0 => 0.0,
            _ => (exact::dot(offsets, &self.centre) + self.half) as f32,
        }
    }

    /// What one code stands for, given a scale.
    pub(super) fn step(&self, scale: f32) -> f32 {
        if self.metric == Metric::L2 { scale * std::f32::consts::FRAC_1_SQRT_2 } else { scale }
    }

    /// The similarity that users see, of a score.
    pub(super) fn similarity(&self, score: f32) -> f32 {
        let value = f64::from(score) * power_of_two(2 * self.unit);
        match self.metric {
            Metric::Cosine => score.clamp(-1.0, 1.0),
            Metric::Dot => value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32,
            Metric::L2 => (1.0 / (1.0 + (-value).max(0.0))) as f32,
        }
    }
}

/// The power of two that `x`, a normal number above zero, is one to two times of.
pub(super) fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

pub(super) fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent.clamp(-1022, 1023) + 1023) as u64) << 52)
}
