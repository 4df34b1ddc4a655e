//! x86-64 over codes: AVX2 where the CPU has it, else the portable loops.
//!
//! **Invariants**
//! - The AVX2 functions are called only after the CPU was asked, which std remembers.
//! - Loads go through [`load`] and [`extend`] alone, which take references to all the bytes they read.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_shuffle_epi32, _mm256_add_epi32,
    _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_setzero_si256,
};

pub(super) use super::lanes::{round, shift, widen};
use super::{lanes, scalar};

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[i16; 16]) -> __m256i {
    // SAFETY: `from` is 32 readable bytes, and the unaligned load asks for no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn extend(from: &[i8; 16]) -> __m256i {
    // SAFETY: `from` is 16 readable bytes, and the unaligned load asks for no alignment.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(from.as_ptr().cast()) })
}

/// Sum of the eight lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn total(v: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
}

/// What sixteen products add to the sum.
#[inline]
#[target_feature(enable = "avx2")]
fn add(sum: __m256i, query: __m256i, row: &[i8; 16]) -> __m256i {
    _mm256_add_epi32(sum, _mm256_madd_epi16(query, extend(row)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn dot_avx2(query: &[i16], row: &[i8]) -> i32 {
    let len = query.len().min(row.len());
    let ((q, q_tail), (r, r_tail)) = (query[..len].as_chunks::<16>(), row[..len].as_chunks::<16>());
    let (mut s0, mut s1) = (_mm256_setzero_si256(), _mm256_setzero_si256());
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
    total(_mm256_add_epi32(s0, s1)) + scalar::dot(q_tail, r_tail)
}

#[target_feature(enable = "avx2")]
fn dot_four_avx2(query: &[i16], rows: [&[i8]; 4]) -> [i32; 4] {
    let [a, b, c, d] = rows;
    [dot_avx2(query, a), dot_avx2(query, b), dot_avx2(query, c), dot_avx2(query, d)]
}

#[inline]
pub(super) fn dot(query: &[i16], row: &[i8]) -> i32 {
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the CPU feature, which was just found.
        return unsafe { dot_avx2(query, row) };
    }
    lanes::dot(query, row)
}

#[inline]
pub(super) fn dot_four(query: &[i16], rows: [&[i8]; 4]) -> [i32; 4] {
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the CPU feature, which was just found.
        return unsafe { dot_four_avx2(query, rows) };
    }
    lanes::dot_four(query, rows)
}
