//! The reference kernels over codes.
//!
//! **Invariants**
//! - As plain as can be: these are what the fast kernels are tested against.

/// Inner product.
#[must_use]
pub fn dot(query: &[i16], row: &[i8]) -> i32 {
    query.iter().zip(row).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// The codes of a row, each in 16 bits.
pub fn widen(row: &[i8], out: &mut [i16]) {
    for (code, out) in row.iter().zip(out) {
        *out = i16::from(*code);
    }
}

/// `vector * factor - centre`, and the largest magnitude in it.
#[must_use]
pub fn shift(vector: &[f32], factor: f32, centre: &[f32], out: &mut [f32]) -> f32 {
    let mut largest = 0.0f32;
    for ((x, c), out) in vector.iter().zip(centre).zip(out) {
        *out = x * factor - c;
        largest = largest.max(out.abs());
    }
    largest
}

/// `numbers * factor`, rounded.
pub fn round(numbers: &[f32], factor: f32, out: &mut [i16]) {
    for (x, out) in numbers.iter().zip(out) {
        *out = (x * factor).round_ties_even() as i16;
    }
}
