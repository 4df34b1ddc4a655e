//! What "near" means.
//!
//! **Invariants**
//! - Names and numbers are stable: both are stored.
//! - A rank and the similarity that is shown for it are computed here only, in double precision and in
//!   one order of summation: every engine gives the same bits for the same two vectors.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::distance::exact;
use crate::{Error, Result};

/// How similar two vectors are. Serialised as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum Metric {
    /// Cosine of the angle between the vectors, -1 to 1. Their lengths do not matter.
    #[default]
    Cosine = 0,
    /// Inner product, any number; one beyond the range of `f32` is given as the largest `f32`.
    Dot = 1,
    /// `1 / (1 + d^2)` of the Euclidean distance `d`: 1 for equal vectors, towards 0 with distance.
    L2 = 2,
}

impl Metric {
    /// Every metric, in the order of its number.
    pub const ALL: [Self; 3] = [Self::Cosine, Self::Dot, Self::L2];

    /// The name, as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::L2 => "l2",
        }
    }
}

/// What results are ordered by, larger first: the cosine, the inner product, or minus the squared
/// distance. `norms` are those of the vectors; only cosine asks for them.
pub(super) fn rank(metric: Metric, a: &[f32], b: &[f32], norms: impl FnOnce() -> (f64, f64)) -> f64 {
    match metric {
        Metric::Cosine => {
            let (a_norm, b_norm) = norms();
            (exact::dot(a, b) / (a_norm * b_norm)).clamp(-1.0, 1.0)
        }
        Metric::Dot => exact::dot(a, b),
        Metric::L2 => -exact::l2_squared(a, b),
    }
}

/// The same bits, for a vector whose norm is not known. `norm` is that of `a`.
pub(super) fn rank_by_norm(metric: Metric, a: &[f32], norm: f64, b: &[f32]) -> f64 {
    match metric {
        Metric::Cosine => {
            let (dot, square) = exact::dot_with_square(a, b);
            (dot / (norm * square.sqrt())).clamp(-1.0, 1.0)
        }
        _ => rank(metric, a, b, || (norm, 0.0)),
    }
}

/// The score that is shown for a rank.
pub(super) fn score(metric: Metric, rank: f64) -> f32 {
    match metric {
        Metric::Cosine => rank as f32,
        Metric::Dot => rank.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32,
        Metric::L2 => (1.0 / (1.0 - rank)) as f32,
    }
}

/// How similar two vectors are under `metric`, as every search reports it: computed in double
/// precision, the same bits on every target.
///
/// The vectors must have passed [`check_vector`](super::check_vector) for the same dimensions: of
/// vectors of different lengths the numbers that both have count, and NaN makes NaN.
#[must_use]
pub fn similarity(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let norm = if metric == Metric::Cosine { exact::norm(a) } else { 0.0 };
    score(metric, rank_by_norm(metric, &a[..len], norm, &b[..len]))
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name).ok_or_else(|| {
            Error::invalid(format!("metric {name:?} is unknown: use \"cosine\", \"dot\" or \"l2\""))
        })
    }
}

impl From<Metric> for u8 {
    fn from(metric: Metric) -> Self {
        metric as Self
    }
}

impl TryFrom<u8> for Metric {
    type Error = Error;

    /// Fails with [`Version`](crate::ErrorKind::Version): only a newer release writes other numbers.
    fn try_from(number: u8) -> Result<Self> {
        Self::ALL.into_iter().find(|metric| *metric as u8 == number).ok_or_else(|| {
            Error::version(format!("metric number {number} is unknown to this release: upgrade to read it"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn names_and_numbers_are_stable() {
        let table = [("cosine", 0), ("dot", 1), ("l2", 2)];
        assert_eq!(table.len(), Metric::ALL.len());
        for (name, number) in table {
            let metric: Metric = name.parse().unwrap();
            assert_eq!((metric.to_string().as_str(), u8::from(metric)), (name, number));
            assert_eq!(postcard::to_stdvec(&metric).unwrap(), [number]);
            assert_eq!(postcard::from_bytes::<Metric>(&[number]).unwrap(), metric);
        }
        assert!(postcard::from_bytes::<Metric>(&[3]).is_err());
        assert!(Metric::try_from(3).is_err());
        for name in ["Cosine", "euclidean", ""] {
            assert!(name.parse::<Metric>().unwrap_err().message().contains("\"cosine\", \"dot\" or \"l2\""));
        }
    }
}
