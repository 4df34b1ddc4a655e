//! WebAssembly 128-bit SIMD (the fixed-width proposal; no relaxed instructions, whose results differ
//! between machines).
//!
//! **Invariants**
//! - Loads go through [`load`] alone, which takes a reference to all the bytes it reads.
#![allow(unsafe_code)]

use core::arch::wasm32::{
    f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, f32x4_sub, f64x2_add, f64x2_extract_lane,
    f64x2_mul, f64x2_promote_low_f32x4, f64x2_splat, f64x2_sub, i32x4_shuffle, v128, v128_load,
};

use super::exact::{LANES, finish};
use super::{Product, SquaredDifference, Term, for_each_row};

impl Term<v128> for Product {
    #[inline(always)]
    fn term(a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }
}

impl Term<v128> for SquaredDifference {
    #[inline(always)]
    fn term(a: v128, b: v128) -> v128 {
        let d = f32x4_sub(a, b);
        f32x4_mul(d, d)
    }
}

/// Two doubles.
#[derive(Debug, Clone, Copy)]
pub(super) struct F64x2(v128);

impl Term<F64x2> for Product {
    #[inline(always)]
    fn term(a: F64x2, b: F64x2) -> F64x2 {
        F64x2(f64x2_mul(a.0, b.0))
    }
}

impl Term<F64x2> for SquaredDifference {
    #[inline(always)]
    fn term(a: F64x2, b: F64x2) -> F64x2 {
        let d = f64x2_sub(a.0, b.0);
        F64x2(f64x2_mul(d, d))
    }
}

#[inline(always)]
fn load(from: &[f32; 4]) -> v128 {
    // SAFETY: `from` is 16 readable bytes, and v128_load asks for no alignment.
    unsafe { v128_load(std::ptr::from_ref(from).cast()) }
}

/// Sum of the four lanes.
#[inline(always)]
fn total(v: v128) -> f32 {
    let pairs = f32x4_add(v, i32x4_shuffle::<2, 3, 0, 1>(v, v));
    f32x4_extract_lane::<0>(pairs) + f32x4_extract_lane::<1>(pairs)
}

#[inline(always)]
pub(super) fn one<T: Term<v128> + Term<f32>>(a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let ((a, a_tail), (b, b_tail)) = (a[..len].as_chunks::<4>(), b[..len].as_chunks::<4>());
    // Four sums: an addition takes three to four cycles, and a new one can start every half cycle.
    // Written out, since a build for size does not unroll loops and would keep an array in memory.
    let zero = f32x4_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for ([a0, a1, a2, a3], [b0, b1, b2, b3]) in a.iter().zip(b) {
        s0 = f32x4_add(s0, T::term(load(a0), load(b0)));
        s1 = f32x4_add(s1, T::term(load(a1), load(b1)));
        s2 = f32x4_add(s2, T::term(load(a2), load(b2)));
        s3 = f32x4_add(s3, T::term(load(a3), load(b3)));
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        s0 = f32x4_add(s0, T::term(load(a), load(b)));
    }
    let sum = total(f32x4_add(f32x4_add(s0, s1), f32x4_add(s2, s3)));
    a_tail.iter().zip(b_tail).fold(sum, |sum, (a, b)| sum + <T as Term<f32>>::term(*a, *b))
}

pub(super) fn rows<T: Term<v128> + Term<f32>>(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for_each_row(query.len(), rows, out, |row| one::<T>(query, row));
}

/// Four numbers as doubles, in order.
#[inline(always)]
fn widen(from: &[f32; 4]) -> [F64x2; 2] {
    let v = load(from);
    let high = i32x4_shuffle::<2, 3, 2, 3>(v, v);
    [F64x2(f64x2_promote_low_f32x4(v)), F64x2(f64x2_promote_low_f32x4(high))]
}

/// The sum in double precision, in the order that `exact` lays down.
pub(super) fn exact<T: Term<F64x2> + Term<f64>>(a: &[f32], b: &[f32]) -> f64 {
    let len = a.len().min(b.len());
    let ((a, a_tail), (b, b_tail)) = (a[..len].as_chunks::<LANES>(), b[..len].as_chunks::<LANES>());
    let zero = f64x2_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    // Written out for the same reason as above. A chunk always has two halves of four.
    for (a, b) in a.iter().zip(b) {
        if let ([a0, a1], [b0, b1]) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0) {
            let ([x0, x1], [y0, y1]) = (widen(a0), widen(b0));
            let ([x2, x3], [y2, y3]) = (widen(a1), widen(b1));
            s0 = f64x2_add(s0, T::term(x0, y0).0);
            s1 = f64x2_add(s1, T::term(x1, y1).0);
            s2 = f64x2_add(s2, T::term(x2, y2).0);
            s3 = f64x2_add(s3, T::term(x3, y3).0);
        }
    }
    finish::<T>(lanes([s0, s1, s2, s3]), a_tail, b_tail)
}

/// The inner products of `a` and `b`, and of `b` with itself, in the same order.
pub(super) fn exact_with_square(a: &[f32], b: &[f32]) -> (f64, f64) {
    let len = a.len().min(b.len());
    let ((a, a_tail), (b, b_tail)) = (a[..len].as_chunks::<LANES>(), b[..len].as_chunks::<LANES>());
    let zero = f64x2_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    let (mut t0, mut t1, mut t2, mut t3) = (zero, zero, zero, zero);
    for (a, b) in a.iter().zip(b) {
        if let ([a0, a1], [b0, b1]) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0) {
            let ([x0, x1], [y0, y1]) = (widen(a0), widen(b0));
            let ([x2, x3], [y2, y3]) = (widen(a1), widen(b1));
            s0 = f64x2_add(s0, f64x2_mul(x0.0, y0.0));
            s1 = f64x2_add(s1, f64x2_mul(x1.0, y1.0));
            s2 = f64x2_add(s2, f64x2_mul(x2.0, y2.0));
            s3 = f64x2_add(s3, f64x2_mul(x3.0, y3.0));
            t0 = f64x2_add(t0, f64x2_mul(y0.0, y0.0));
            t1 = f64x2_add(t1, f64x2_mul(y1.0, y1.0));
            t2 = f64x2_add(t2, f64x2_mul(y2.0, y2.0));
            t3 = f64x2_add(t3, f64x2_mul(y3.0, y3.0));
        }
    }
    (
        finish::<Product>(lanes([s0, s1, s2, s3]), a_tail, b_tail),
        finish::<Product>(lanes([t0, t1, t2, t3]), b_tail, b_tail),
    )
}

/// The partial sums, first to last.
#[inline(always)]
fn lanes(sums: [v128; LANES / 2]) -> [f64; LANES] {
    let mut lanes = [0.0; LANES];
    for (lanes, sum) in lanes.as_chunks_mut::<2>().0.iter_mut().zip(sums) {
        *lanes = [f64x2_extract_lane::<0>(sum), f64x2_extract_lane::<1>(sum)];
    }
    lanes
}
