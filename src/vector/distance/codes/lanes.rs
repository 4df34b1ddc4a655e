//! Portable kernels over codes: chunks of a fixed width, which the compiler maps to the SIMD of the
//! target.
//!
//! **Invariants**
//! - Everything is inlined into its caller, so that it is compiled with the caller's CPU features.

use super::TO_INTEGER;

const WIDTH: usize = 8;

#[inline(always)]
pub(super) fn dot(query: &[i16], row: &[i8]) -> i32 {
    let len = query.len().min(row.len());
    let ((a, a_tail), (b, b_tail)) = (query[..len].as_chunks::<WIDTH>(), row[..len].as_chunks::<WIDTH>());
    let mut sums = [0i32; WIDTH];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..WIDTH {
            sums[lane] += i32::from(a[lane]) * i32::from(b[lane]);
        }
    }
    sums.iter().sum::<i32>() + super::scalar::dot(a_tail, b_tail)
}

#[inline(always)]
pub(super) fn dot_four(query: &[i16], rows: [&[i8]; 4]) -> [i32; 4] {
    rows.map(|row| dot(query, row))
}

#[inline(always)]
pub(super) fn widen(row: &[i8], out: &mut [i16]) {
    let len = row.len().min(out.len());
    let ((row, row_tail), (out, out_tail)) = (row[..len].as_chunks::<WIDTH>(), out[..len].as_chunks_mut());
    for (row, out) in row.iter().zip(out) {
        *out = row.map(i16::from);
    }
    super::scalar::widen(row_tail, out_tail);
}

#[inline(always)]
pub(super) fn shift(vector: &[f32], factor: f32, centre: &[f32], out: &mut [f32]) -> f32 {
    let len = vector.len().min(centre.len()).min(out.len());
    let (x, x_tail) = vector[..len].as_chunks::<WIDTH>();
    let (c, c_tail) = centre[..len].as_chunks::<WIDTH>();
    let (out, out_tail) = out[..len].as_chunks_mut::<WIDTH>();
    let mut largest = [0.0f32; WIDTH];
    for ((x, c), out) in x.iter().zip(c).zip(out) {
        for lane in 0..WIDTH {
            out[lane] = x[lane] * factor - c[lane];
            let magnitude = out[lane].abs();
            largest[lane] = if magnitude > largest[lane] { magnitude } else { largest[lane] };
        }
    }
    largest.into_iter().fold(super::scalar::shift(x_tail, factor, c_tail, out_tail), f32::max)
}

#[inline(always)]
pub(super) fn round(numbers: &[f32], factor: f32, out: &mut [i16]) {
    for (x, out) in numbers.iter().zip(out) {
        // Rounds as `round_ties_even` does, which is a call of a function on CPUs that lack it.
        let integer = (x * factor + TO_INTEGER).to_bits().wrapping_sub(TO_INTEGER.to_bits());
        *out = integer as i16;
    }
}
