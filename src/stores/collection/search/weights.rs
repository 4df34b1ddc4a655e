//! Age and importance, which change scores.
//!
//! **Invariants**
//! - A weight never raises a score: what is behind before the weights has at most the score it had.
//! - A finite score stays finite.

use super::request::{Recency, SearchRequest};

/// By what the scores of documents are changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    recency: Option<Recency>,
    importance: f64,
    now: u64,
}

/// The factors of one document; `None` for what was not asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Factors {
    pub(super) recency: Option<f64>,
    pub(super) importance: Option<f64>,
}

impl Weights {
    /// The weights that were asked for, at the time `now`.
    pub(super) fn of(request: &SearchRequest, now: u64) -> Self {
        Self {
            recency: request.recency.filter(|recency| recency.weight > 0.0),
            importance: request.importance,
            now,
        }
    }

    /// The factors of a document that was added at `updated` and matters as much as `importance` says.
    pub(super) fn factors(&self, updated: u64, importance: f64) -> Factors {
        let share = |weight: f64, part: f64| 1.0 - weight + weight * part;
        // What was added by a clock ahead of this one is as new as can be.
        let age = self.now.saturating_sub(updated) as f64;
        Factors {
            recency: self
                .recency
                .map(|Recency { half_life_ms, weight }| share(weight, (-age / half_life_ms).exp2())),
            importance: (self.importance > 0.0).then(|| share(self.importance, importance)),
        }
    }
}

impl Factors {
    /// Nothing was asked for.
    pub(super) const NONE: Self = Self { recency: None, importance: None };

    /// The score that results. A negative one is divided, so that it falls as well.
    pub(super) fn apply(self, score: f64) -> f64 {
        let factor = self.recency.unwrap_or(1.0) * self.importance.unwrap_or(1.0);
        // Minus zero is zero.
        if score < 0.0 { (score / factor).max(f64::MIN) } else { score * factor + 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(recency: Option<(f64, f64)>, importance: f64) -> Weights {
        let recency = recency.map(|(half_life_ms, weight)| Recency { half_life_ms, weight });
        Weights::of(&SearchRequest { recency, importance, ..SearchRequest::default() }, 10_000)
    }

    #[test]
    fn a_half_life_halves() {
        let all = weights(Some((1_000.0, 1.0)), 0.0);
        for (updated, factor) in [(10_000, 1.0), (9_000, 0.5), (8_000, 0.25), (12_000, 1.0)] {
            let factors = all.factors(updated, 0.3);
            assert_eq!(factors, Factors { recency: Some(factor), importance: None });
            assert_eq!(factors.apply(0.8), 0.8 * factor);
        }
        let some = weights(Some((1_000.0, 0.4)), 0.0).factors(9_000, 0.0);
        assert!((some.recency.unwrap() - 0.8).abs() < 1e-15);
    }

    #[test]
    fn importance_counts_as_much_as_it_weighs() {
        assert_eq!(weights(None, 0.0).factors(0, 0.5), Factors { recency: None, importance: None });
        assert_eq!(weights(None, 1.0).factors(0, 0.25).apply(2.0), 0.5);
        assert_eq!(weights(None, 0.5).factors(0, 0.5).apply(2.0), 1.5);
        let both = weights(Some((1_000.0, 1.0)), 1.0).factors(9_000, 0.5);
        assert_eq!(both.apply(1.0), 0.25);
    }

    #[test]
    fn scores_below_zero_fall_too() {
        let half = weights(None, 1.0).factors(0, 0.5);
        assert_eq!(half.apply(-0.2), -0.4);
        let nothing = weights(None, 1.0).factors(0, 0.0);
        assert_eq!((nothing.apply(3.0), nothing.apply(0.0), nothing.apply(-3.0)), (0.0, 0.0, f64::MIN));
    }
}
