//! Kernels over 8-bit codes: inner products of codes, and the steps that make codes of numbers.
//!
//! | file | what | used |
//! |---|---|---|
//! | `scalar` | one number at a time: the reference | as the twin in tests |
//! | `lanes` | fixed-width chunks that the compiler may turn into SIMD | any target without one of its own |
//! | `x86` | AVX2, by run-time detection | x86-64, if the CPU has it |
//! | `simd128` | `core::arch::wasm32` | wasm built with `+simd128` |
//! | `bytes` | bytes of a page seen as codes | everywhere |
//!
//! **Invariants**
//! - Every kernel gives the same bits as its scalar twin on every target: sums are of integers, and the
//!   steps over f32 round each number by itself, in one order.
//! - No kernel reads outside its slices, whatever their lengths: the shortest one counts.
//! - Any codes are allowed, -128 and a query of -32,768 among them; up to
//!   [`MAX_DIMENSIONS`](crate::vector::MAX_DIMENSIONS) products of codes of 8 bits stay inside i32.

mod bytes;
#[cfg(any(test, not(all(target_family = "wasm", target_feature = "simd128"))))]
mod lanes;
pub mod scalar;
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use bytes::signed;
#[cfg(not(any(target_arch = "x86_64", all(target_family = "wasm", target_feature = "simd128"))))]
use lanes as host;
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
use simd128 as host;
#[cfg(target_arch = "x86_64")]
use x86 as host;

/// Added to a number of magnitude below 2^22 and taken off again, it leaves the nearest integer, halves
/// to the even one. Its bits count up by one an integer.
const TO_INTEGER: f32 = 12_582_912.0;

/// Inner product of a widened query and the codes of a row.
#[must_use]
#[inline]
pub fn dot(query: &[i16], row: &[i8]) -> i32 {
    debug_assert_eq!(query.len(), row.len());
    host::dot(query, row)
}

/// Inner products of one query and four rows.
///
/// The query is read once, and four rows are fetched from memory at a time.
#[must_use]
#[inline]
pub fn dot_four(query: &[i16], rows: [&[i8]; 4]) -> [i32; 4] {
    debug_assert!(rows.iter().all(|row| row.len() == query.len()));
    host::dot_four(query, rows)
}

/// Writes the codes of a row to `out`, each in 16 bits: a query.
pub fn widen(row: &[i8], out: &mut [i16]) {
    debug_assert_eq!(row.len(), out.len());
    host::widen(row, out);
}

/// Writes `vector * factor - centre` to `out`, number by number. Returns the largest magnitude in it.
///
/// All must be finite, also the results.
#[must_use]
pub fn shift(vector: &[f32], factor: f32, centre: &[f32], out: &mut [f32]) -> f32 {
    debug_assert!(vector.len() == centre.len() && vector.len() == out.len());
    host::shift(vector, factor, centre, out)
}

/// Writes `numbers * factor`, rounded to the nearest integers (halves to the even one), to `out`.
///
/// Each product must be a finite number within the range of i16.
pub fn round(numbers: &[f32], factor: f32, out: &mut [i16]) {
    debug_assert_eq!(numbers.len(), out.len());
    host::round(numbers, factor, out);
}

#[cfg(test)]
mod tests;
