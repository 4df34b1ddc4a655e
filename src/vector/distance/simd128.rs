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
    let mut sums = [f32x4_splat(0.0); 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..4 {
            sums[lane] = f32x4_add(sums[lane], T::term(load(&a[lane]), load(&b[lane])));
        }
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        sums[0] = f32x4_add(sums[0], T::term(load(a), load(b)));
    }
    let sum = total(f32x4_add(f32x4_add(sums[0], sums[1]), f32x4_add(sums[2], sums[3])));
    a_tail.iter().zip(b_tail).fold(sum, |sum, (a, b)| sum + <T as Term<f32>>::term(*a, *b))
}

pub(super) fn rows<T: Term<v128> + Term<f32>>(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for_each_row(query.len(), rows, out, |row| one::<T>(query, row));
}

/// Four numbers as doubles, in order.
#[inline(always)]
fn widen(from: &[f32; 4]) -> [F64x2; 2] {
    let v = load(from);
    [v, i32x4_shuffle::<2, 3, 2, 3>(v, v)].map(|pair| F64x2(f64x2_promote_low_f32x4(pair)))
}

/// The sum in double precision, in the order that `exact` lays down.
pub(super) fn exact<T: Term<F64x2> + Term<f64>>(a: &[f32], b: &[f32]) -> f64 {
    const PAIRS: usize = LANES / 2;
    let len = a.len().min(b.len());
    let ((a, a_tail), (b, b_tail)) = (a[..len].as_chunks::<LANES>(), b[..len].as_chunks::<LANES>());
    let mut sums = [f64x2_splat(0.0); PAIRS];
    for (a, b) in a.iter().zip(b) {
        for (half, (a, b)) in a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0).enumerate() {
            for (pair, (a, b)) in widen(a).into_iter().zip(widen(b)).enumerate() {
                let sum = &mut sums[2 * half + pair];
                *sum = f64x2_add(*sum, T::term(a, b).0);
            }
        }
    }
    let mut lanes = [0.0; LANES];
    for (lanes, sum) in lanes.as_chunks_mut::<2>().0.iter_mut().zip(sums) {
        *lanes = [f64x2_extract_lane::<0>(sum), f64x2_extract_lane::<1>(sum)];
    }
    finish::<T>(lanes, a_tail, b_tail)
}
