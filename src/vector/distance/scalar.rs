//! The reference kernels: one number at a time, first to last.
//!
//! **Invariants**
//! - As plain as can be: these are what the fast kernels are tested against.

/// Inner product.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// Squared Euclidean distance.
#[must_use]
pub fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b))
}
