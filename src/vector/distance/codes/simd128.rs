//! WebAssembly 128-bit SIMD over codes.
//!
//! The query is widened once, a row while it is read (`i16x8.load8x8_s`), and `i32x4.dot_i16x8_s` adds
//! products in pairs. Loops are written out, also over the rows: a build for size unrolls none, and keeps
//! arrays that are looped over in memory.
//!
//! **Invariants**
//! - Memory is read and written through [`load`], [`extend`], [`floats`], [`store`] and [`store_codes`] alone, which
//!   take references to all the bytes they touch.
#![allow(unsafe_code)]

use core::arch::wasm32::{
    f32x4_abs, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_pmax, f32x4_splat, f32x4_sub,
    i16x8_load_extend_i8x8, i16x8_narrow_i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane,
    i32x4_shuffle, i32x4_splat, i32x4_sub, v128, v128_load, v128_store,
};

use super::{TO_INTEGER, scalar};

#[inline(always)]
fn load(from: &[i16; 8]) -> v128 {
    // SAFETY: `from` is 16 readable bytes, and v128_load asks for no alignment.
    unsafe { v128_load(std::ptr::from_ref(from).cast()) }
}

#[inline(always)]
fn extend(from: &[i8; 8]) -> v128 {
    // SAFETY: `from` is 8 readable bytes, and the load asks for no alignment.
    unsafe { i16x8_load_extend_i8x8(std::ptr::from_ref(from).cast()) }
}

#[inline(always)]
fn floats(from: &[f32; 4]) -> v128 {
    // SAFETY: `from` is 16 readable bytes, and v128_load asks for no alignment.
    unsafe { v128_load(std::ptr::from_ref(from).cast()) }
}

#[inline(always)]
fn store(to: &mut [f32; 4], value: v128) {
    // SAFETY: `to` is 16 writable bytes for which every pattern is a value, and v128_store asks for no
    // alignment.
    unsafe { v128_store(std::ptr::from_mut(to).cast(), value) }
}

#[inline(always)]
fn store_codes(to: &mut [i16; 8], value: v128) {
    // SAFETY: as for `store`.
    unsafe { v128_store(std::ptr::from_mut(to).cast(), value) }
}

/// Sum of the four lanes.
#[inline(always)]
fn total(v: v128) -> i32 {
    let pairs = i32x4_add(v, i32x4_shuffle::<2, 3, 0, 1>(v, v));
    i32x4_extract_lane::<0>(pairs) + i32x4_extract_lane::<1>(pairs)
}

/// What eight products add to the sum.
#[inline(always)]
fn add(sum: v128, query: v128, row: &[i8; 8]) -> v128 {
    i32x4_add(sum, i32x4_dot_i16x8(query, extend(row)))
}

#[inline(always)]
pub(super) fn dot(query: &[i16], row: &[i8]) -> i32 {
    let len = query.len().min(row.len());
    let ((q, q_tail), (r, r_tail)) = (query[..len].as_chunks::<8>(), row[..len].as_chunks::<8>());
    let (mut s0, mut s1) = (i32x4_splat(0), i32x4_splat(0));
    let ((q, q_rest), (r, r_rest)) = (q.as_chunks::<4>(), r.as_chunks::<4>());
    for ([q0, q1, q2, q3], [r0, r1, r2, r3]) in q.iter().zip(r) {
        s0 = add(s0, load(q0), r0);
        s1 = add(s1, load(q1), r1);
        s0 = add(s0, load(q2), r2);
        s1 = add(s1, load(q3), r3);
    }
    for (q, r) in q_rest.iter().zip(r_rest) {
        s0 = add(s0, load(q), r);
    }
    total(i32x4_add(s0, s1)) + scalar::dot(q_tail, r_tail)
}

/// The first `len` numbers in chunks, and the rest of them.
#[inline(always)]
fn chunks<T>(numbers: &[T], len: usize) -> (&[[T; 8]], &[T]) {
    numbers[..len].as_chunks::<8>()
}

#[inline(always)]
pub(super) fn dot_four(query: &[i16], rows: [&[i8]; 4]) -> [i32; 4] {
    let [a, b, c, d] = rows;
    let len = query.len().min(a.len()).min(b.len()).min(c.len()).min(d.len());
    let (q, q_tail) = chunks(query, len);
    let ((a, a_tail), (b, b_tail)) = (chunks(a, len), chunks(b, len));
    let ((c, c_tail), (d, d_tail)) = (chunks(c, len), chunks(d, len));
    let zero = i32x4_splat(0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    let ((q4, q_rest), (a4, a_rest)) = (q.as_chunks::<4>(), a.as_chunks::<4>());
    let ((b4, b_rest), (c4, c_rest), (d4, d_rest)) =
        (b.as_chunks::<4>(), c.as_chunks::<4>(), d.as_chunks::<4>());
    for ((((q, a), b), c), d) in q4.iter().zip(a4).zip(b4).zip(c4).zip(d4) {
        let ([q0, q1, q2, q3], [a0, a1, a2, a3]) = (q, a);
        let ([b0, b1, b2, b3], [c0, c1, c2, c3], [d0, d1, d2, d3]) = (b, c, d);
        let (q0, q1, q2, q3) = (load(q0), load(q1), load(q2), load(q3));
        s0 = add(add(add(add(s0, q0, a0), q1, a1), q2, a2), q3, a3);
        s1 = add(add(add(add(s1, q0, b0), q1, b1), q2, b2), q3, b3);
        s2 = add(add(add(add(s2, q0, c0), q1, c1), q2, c2), q3, c3);
        s3 = add(add(add(add(s3, q0, d0), q1, d1), q2, d2), q3, d3);
    }
    for ((((q, a), b), c), d) in q_rest.iter().zip(a_rest).zip(b_rest).zip(c_rest).zip(d_rest) {
        let q = load(q);
        (s0, s1, s2, s3) = (add(s0, q, a), add(s1, q, b), add(s2, q, c), add(s3, q, d));
    }
    if q_tail.is_empty() {
        return [total(s0), total(s1), total(s2), total(s3)];
    }
    [
        total(s0) + scalar::dot(q_tail, a_tail),
        total(s1) + scalar::dot(q_tail, b_tail),
        total(s2) + scalar::dot(q_tail, c_tail),
        total(s3) + scalar::dot(q_tail, d_tail),
    ]
}

pub(super) fn widen(row: &[i8], out: &mut [i16]) {
    let len = row.len().min(out.len());
    let ((row, row_tail), (out, out_tail)) = (row[..len].as_chunks::<8>(), out[..len].as_chunks_mut::<8>());
    for (row, out) in row.iter().zip(out) {
        store_codes(out, extend(row));
    }
    scalar::widen(row_tail, out_tail);
}

pub(super) fn shift(vector: &[f32], factor: f32, centre: &[f32], out: &mut [f32]) -> f32 {
    let len = vector.len().min(centre.len()).min(out.len());
    let ((x, x_tail), (c, c_tail)) = (vector[..len].as_chunks::<4>(), centre[..len].as_chunks::<4>());
    let (out, out_tail) = out[..len].as_chunks_mut::<4>();
    let (factors, mut largest) = (f32x4_splat(factor), f32x4_splat(0.0));
    for ((x, c), out) in x.iter().zip(c).zip(out) {
        let shifted = f32x4_sub(f32x4_mul(floats(x), factors), floats(c));
        largest = f32x4_pmax(largest, f32x4_abs(shifted));
        store(out, shifted);
    }
    let largest = f32x4_pmax(largest, i32x4_shuffle::<2, 3, 0, 1>(largest, largest));
    let largest = f32x4_extract_lane::<0>(largest).max(f32x4_extract_lane::<1>(largest));
    largest.max(scalar::shift(x_tail, factor, c_tail, out_tail))
}

pub(super) fn round(numbers: &[f32], factor: f32, out: &mut [i16]) {
    let len = numbers.len().min(out.len());
    let (x, x_tail) = numbers[..len].as_chunks::<8>();
    let (out, out_tail) = out[..len].as_chunks_mut::<8>();
    let (factors, shift) = (f32x4_splat(factor), f32x4_splat(TO_INTEGER));
    let zero = i32x4_splat(TO_INTEGER.to_bits() as i32);
    let integers = |x: &[f32; 4]| i32x4_sub(f32x4_add(f32x4_mul(floats(x), factors), shift), zero);
    for (x, out) in x.iter().zip(out) {
        if let [low, high] = x.as_chunks::<4>().0 {
            store_codes(out, i16x8_narrow_i32x4(integers(low), integers(high)));
        }
    }
    scalar::round(x_tail, factor, out_tail);
}
