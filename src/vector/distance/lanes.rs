//! Portable kernels: sums kept in `L` lanes, which the compiler maps to the SIMD of the target.
//!
//! A strict left-to-right f32 sum can not be vectorised, because reordering changes its rounding;
//! writing the lanes out gives that freedom without any unsafe code.
//!
//! **Invariants**
//! - Everything is inlined into its caller, so that it is compiled with the caller's CPU features.

use super::{Term, for_each_row};

/// Adds the lanes four by four, and the last four in order. (Adding halves down to one lane makes the
/// compiler see pairs, and choose registers of two numbers for the whole loop.)
#[inline(always)]
fn total<const L: usize>(sums: [f32; L]) -> f32 {
    let (groups, _) = sums.as_chunks::<4>();
    let mut four = [0.0f32; 4];
    for group in groups {
        for lane in 0..4 {
            four[lane] += group[lane];
        }
    }
    four.iter().sum()
}

#[inline(always)]
pub(super) fn one<const L: usize, T: Term<f32>>(a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let ((a, a_tail), (b, b_tail)) = (a[..len].as_chunks::<L>(), b[..len].as_chunks::<L>());
    let mut sums = [0.0f32; L];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..L {
            sums[lane] += T::term(a[lane], b[lane]);
        }
    }
    a_tail.iter().zip(b_tail).fold(total(sums), |sum, (a, b)| sum + T::term(*a, *b))
}

#[inline(always)]
pub(super) fn rows<const L: usize, T: Term<f32>>(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for_each_row(query.len(), rows, out, |row| one::<L, T>(query, row));
}

/// The width for 128-bit registers.
pub(super) mod narrow {
    use super::super::Term;

    pub(in super::super) fn one<T: Term<f32>>(a: &[f32], b: &[f32]) -> f32 {
        super::one::<8, T>(a, b)
    }

    pub(in super::super) fn rows<T: Term<f32>>(query: &[f32], rows: &[f32], out: &mut [f32]) {
        super::rows::<8, T>(query, rows, out);
    }
}
