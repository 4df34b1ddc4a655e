//! Double precision: the numbers that decide ranks.
//!
//! A product of two f32 numbers is exact in f64, so only the additions round. Sums of finite f32
//! input never overflow.
//!
//! **Invariants**
//! - One order of summation (eight partial sums, then the tail) on every target, so equal input gives
//!   equal bits natively and in wasm.

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
use portable as sum;
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
use portable_with_square as sum_with_square;

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
use super::simd128::{exact as sum, exact_with_square as sum_with_square};
use super::{Product, SquaredDifference, Term};

/// Partial sums that are kept side by side.
pub(super) const LANES: usize = 8;

/// The order of summation: lane `i` takes every eighth term from `i` on, the lanes are added first to
/// last, then the tail.
#[cfg(any(test, not(all(target_family = "wasm", target_feature = "simd128"))))]
#[inline(always)]
pub(super) fn portable<T: Term<f64>>(a: &[f32], b: &[f32]) -> f64 {
    let len = a.len().min(b.len());
    let ((a, a_tail), (b, b_tail)) = (a[..len].as_chunks::<LANES>(), b[..len].as_chunks::<LANES>());
    let mut sums = [0.0f64; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += T::term(f64::from(a[lane]), f64::from(b[lane]));
        }
    }
    finish::<T>(sums, a_tail, b_tail)
}

/// The inner products of `a` and `b`, and of `b` with itself.
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
#[inline(always)]
fn portable_with_square(a: &[f32], b: &[f32]) -> (f64, f64) {
    (portable::<Product>(a, b), portable::<Product>(b, b))
}

/// Adds the lanes and the tail.
#[inline(always)]
pub(super) fn finish<T: Term<f64>>(sums: [f64; LANES], a_tail: &[f32], b_tail: &[f32]) -> f64 {
    let terms = a_tail.iter().zip(b_tail).map(|(a, b)| T::term(f64::from(*a), f64::from(*b)));
    sums.into_iter().fold(0.0, |sum, x| sum + x) + terms.fold(0.0, |sum, x| sum + x)
}

/// Inner product.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    sum::<Product>(a, b)
}

/// Inner product of two vectors of one length, and of the second with itself: the bits of two calls of
/// [`dot`], reading the second vector once.
#[must_use]
pub fn dot_with_square(a: &[f32], b: &[f32]) -> (f64, f64) {
    debug_assert_eq!(a.len(), b.len());
    sum_with_square(a, b)
}

/// Squared Euclidean distance.
#[must_use]
pub fn l2_squared(a: &[f32], b: &[f32]) -> f64 {
    sum::<SquaredDifference>(a, b)
}

/// Euclidean norm.
#[must_use]
pub fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}
