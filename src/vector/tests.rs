//! Tests of the checks that stand before every index.

use super::*;
use crate::ErrorKind;

fn message(vector: &[f32], dimensions: usize, metric: Metric) -> String {
    let error = check_vector(vector, dimensions, metric).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.message().to_owned()
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn bad_vectors_are_refused_with_their_position() {
    for metric in Metric::ALL {
        assert!(check_vector(&[0.5, -1.0, 2.0], 3, metric).is_ok());
        assert!(message(&[1.0, f32::NAN, f32::INFINITY], 3, metric).contains("vector[1] is NaN"));
        assert!(message(&[1.0, 0.0, f32::NEG_INFINITY], 3, metric).contains("vector[2] is -inf"));
        assert!(message(&[1.0], 3, metric).contains("has 1 numbers, this index takes 3"));
        assert!(message(&[], 3, metric).contains("has 0 numbers"));
        assert!(message(&[], 0, metric).contains("dimensions is 0"));
        assert!(message(&[0.0; 4097], 4097, metric).contains("1 to 4096"));
        assert!(check_vector(&[1.0; MAX_DIMENSIONS], MAX_DIMENSIONS, metric).is_ok());
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn only_the_zero_vector_has_no_direction() {
    assert!(message(&[0.0, -0.0], 2, Metric::Cosine).contains("vector[0] to vector[1] are all zero"));
    assert!(check_vector(&[0.0, -0.0], 2, Metric::Dot).is_ok());
    assert!(check_vector(&[0.0, -0.0], 2, Metric::L2).is_ok());
    // Squares of these leave the range of f32, their norms do not leave that of f64.
    let smallest = f32::from_bits(1);
    assert!(check_vector(&[0.0, smallest], 2, Metric::Cosine).is_ok());
    assert!(check_vector(&[f32::MAX, f32::MAX], 2, Metric::Cosine).is_ok());
}
