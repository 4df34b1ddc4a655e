//! A vector as the crate instant-distance wants it: something with a distance to others.

use instant_distance::Point;

use super::super::distance::{dot, exact, l2_squared};
use super::super::{Metric, metric};

/// Norms between these bounds (2^-48 and 2^48) keep f32 products and their sums inside the range of f32.
const SAFE_NORM: std::ops::RangeInclusive<f64> = 3.552_713_678_800_501e-15..=2.814_749_767_106_56e14;

/// A vector, and what its distance to others needs.
#[derive(Debug, Clone)]
pub(super) struct Row {
    vector: Box<[f32]>,
    norm: f64,
    /// 1 / norm in f32; NaN where f32 sums with this vector could overflow or underflow.
    inverse: f32,
    metric: Metric,
}

impl Row {
    /// Of a checked vector.
    pub(super) fn new(vector: &[f32], metric: Metric) -> Self {
        let norm = exact::norm(vector);
        let inverse = if SAFE_NORM.contains(&norm) { (1.0 / norm) as f32 } else { f32::NAN };
        Self { vector: vector.into(), norm, inverse, metric }
    }

    /// What results are ordered by, in double precision: larger is nearer.
    pub(super) fn rank(&self, other: &Self) -> f64 {
        metric::rank(self.metric, &self.vector, &other.vector, || (self.norm, other.norm))
    }
}

impl Point for Row {
    /// Smaller is nearer: what the graph is built and walked by, in f32 where that is safe.
    fn distance(&self, other: &Self) -> f32 {
        let inverses = self.inverse * other.inverse;
        if inverses.is_nan() {
            return (-self.rank(other)).clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
        }
        match self.metric {
            Metric::Cosine => -dot(&self.vector, &other.vector) * inverses,
            Metric::Dot => -dot(&self.vector, &other.vector),
            Metric::L2 => l2_squared(&self.vector, &other.vector),
        }
    }
}
