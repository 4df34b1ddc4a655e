//! Distance kernels over `f32` vectors.
//!
//! | file | what | used |
//! |---|---|---|
//! | `scalar` | one number at a time, in order: the reference | as the twin in tests |
//! | `lanes` | fixed-width sums that the compiler turns into SIMD | any target without one of its own |
//! | `x86` | AVX2, by run-time detection | x86-64, if the CPU has it |
//! | `simd128` | `core::arch::wasm32` | wasm built with `+simd128` |
//! | `codes` | products of 8-bit codes, with files for each target of its own | graph walks and scans over codes |
//! | `exact` | double precision, one order of summation everywhere | final ranks |
//!
//! **Invariants**
//! - Every f32 kernel adds the same rounded terms, in an order of its own. So for vectors of `n`
//!   finite numbers whose intermediate results neither overflow nor underflow, it differs from the
//!   true value by at most [`relative_error`]`(n)` times the sum of the magnitudes of its terms
//!   (Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., 3.1).
//! - No kernel reads outside its slices, whatever their lengths: the shorter one counts.
//! - No kernel uses fused multiply-add, so `exact` gives the same bits on every target.

pub mod codes;
pub mod exact;
#[cfg(any(test, not(all(target_family = "wasm", target_feature = "simd128"))))]
mod lanes;
pub mod scalar;
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(not(any(target_arch = "x86_64", all(target_family = "wasm", target_feature = "simd128"))))]
use lanes::narrow as host;
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
use simd128 as host;
#[cfg(target_arch = "x86_64")]
use x86 as host;

/// What one pair of numbers adds to the sum. A kernel is a loop over terms, generic over this.
///
/// The two metrics need no third: cosine is a dot product over norms.
trait Term<T> {
    fn term(a: T, b: T) -> T;
}

/// `a * b`
#[derive(Debug)]
struct Product;

/// `(a - b)^2`
#[derive(Debug)]
struct SquaredDifference;

macro_rules! scalar_terms {
    ($($number:ty),+) => {
        $(impl Term<$number> for Product {
            #[inline(always)]
            fn term(a: $number, b: $number) -> $number {
                a * b
            }
        }
        impl Term<$number> for SquaredDifference {
            #[inline(always)]
            fn term(a: $number, b: $number) -> $number {
                let d = a - b;
                d * d
            }
        })+
    };
}
scalar_terms!(f32, f64);

/// Inner product.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    host::one::<Product>(a, b)
}

/// Squared Euclidean distance.
#[must_use]
pub fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    host::one::<SquaredDifference>(a, b)
}

/// Inner products of `query` with each row of `rows` (row-major, `query.len()` numbers a row),
/// written to `out` (one number a row).
///
/// One row after the other: four sums in flight already hide the latency of the additions, and one
/// stream is what the memory serves best. Two to eight rows at once were measured in wasm (384
/// numbers a row): up to 1.3 times as fast while all rows fit the second-level cache, where a scan
/// takes microseconds anyway, but 1.2 to 1.6 times slower for 10,000 rows.
pub fn dot_rows(query: &[f32], rows: &[f32], out: &mut [f32]) {
    debug_assert_eq!(rows.len(), query.len() * out.len());
    host::rows::<Product>(query, rows, out);
}

/// Squared Euclidean distances of `query` to each row of `rows`, laid out as for [`dot_rows`].
pub fn l2_squared_rows(query: &[f32], rows: &[f32], out: &mut [f32]) {
    debug_assert_eq!(rows.len(), query.len() * out.len());
    host::rows::<SquaredDifference>(query, rows, out);
}

/// Bound on the error of the f32 kernels over `n` numbers, relative to the sum of the magnitudes of
/// the terms: for a dot product that sum is at most the product of the two norms.
///
/// Twice the worst case of `(n + 2)` roundings in any order, plus a margin that lets a caller round
/// its own thresholds to `f32` a few times.
#[must_use]
pub fn relative_error(n: usize) -> f64 {
    (n as f64 + 16.0) * f64::from(f32::EPSILON)
}

/// Scores each row of `len` numbers by `one`.
#[inline(always)]
fn for_each_row(len: usize, rows: &[f32], out: &mut [f32], one: impl Fn(&[f32]) -> f32) {
    if len == 0 {
        out.fill(0.0);
        return;
    }
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(len)) {
        *out = one(row);
    }
}

#[cfg(test)]
mod tests;
