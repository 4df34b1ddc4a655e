//! x86-64: AVX2 where the CPU has it, else the portable loops (SSE2 is always there).
//!
//! **Invariants**
//! - The AVX2 functions are called only after the CPU was asked. The answer is cached by std, so asking
//!   costs one load.
//! - Loads go through [`load`] alone, which takes a reference to all the bytes it reads.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps, _mm256_add_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_setzero_ps,
    _mm256_sub_ps,
};

use super::{Product, SquaredDifference, Term, for_each_row, lanes};

/// The term of eight pairs of numbers.
trait Wide: Term<f32> {
    /// # Safety
    /// The CPU has AVX2.
    unsafe fn wide(a: __m256, b: __m256) -> __m256;
}

impl Wide for Product {
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn wide(a: __m256, b: __m256) -> __m256 {
        _mm256_mul_ps(a, b)
    }
}

impl Wide for SquaredDifference {
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn wide(a: __m256, b: __m256) -> __m256 {
        let d = _mm256_sub_ps(a, b);
        _mm256_mul_ps(d, d)
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[f32; 8]) -> __m256 {
    // SAFETY: `from` is 32 readable bytes, and the unaligned load asks for no alignment.
    unsafe { _mm256_loadu_ps(from.as_ptr()) }
}

/// Sum of the eight lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn total(v: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn one_avx2<T: Wide>(a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let ((a, a_tail), (b, b_tail)) = (a[..len].as_chunks::<8>(), b[..len].as_chunks::<8>());
    // Four sums: an addition takes three to four cycles, and a new one can start every half cycle.
    let mut sums = [_mm256_setzero_ps(); 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..4 {
            // SAFETY: this function is only reached with AVX2.
            let term = unsafe { T::wide(load(&a[lane]), load(&b[lane])) };
            sums[lane] = _mm256_add_ps(sums[lane], term);
        }
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        // SAFETY: this function is only reached with AVX2.
        let term = unsafe { T::wide(load(a), load(b)) };
        sums[0] = _mm256_add_ps(sums[0], term);
    }
    let sum = total(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
    a_tail.iter().zip(b_tail).fold(sum, |sum, (a, b)| sum + T::term(*a, *b))
}

#[target_feature(enable = "avx2")]
fn rows_avx2<T: Wide>(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for_each_row(query.len(), rows, out, |row| one_avx2::<T>(query, row));
}

#[allow(private_bounds)] // `Wide` adds nothing to what callers know of a term
pub(super) fn one<T: Wide>(a: &[f32], b: &[f32]) -> f32 {
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the CPU feature, which was just found.
        return unsafe { one_avx2::<T>(a, b) };
    }
    lanes::narrow::one::<T>(a, b)
}

#[allow(private_bounds)] // as above
pub(super) fn rows<T: Wide>(query: &[f32], rows: &[f32], out: &mut [f32]) {
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the CPU feature, which was just found.
        return unsafe { rows_avx2::<T>(query, rows, out) };
    }
    lanes::narrow::rows::<T>(query, rows, out);
}
