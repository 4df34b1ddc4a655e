//! The fast kernels against the reference, within the stated relative error.

use super::super::seeded::Seeded;
use super::*;

/// What a kernel may differ by from a double precision sum: the stated relative error, and one
/// rounding in the subnormal range for each term.
fn allowed(n: usize, magnitude: f64) -> f64 {
    relative_error(n) * magnitude + n as f64 * f64::from(f32::from_bits(1))
}

fn check(a: &[f32], b: &[f32], what: &str) {
    let n = a.len();
    let products: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) * f64::from(*b)).abs()).sum();
    let squares = exact::l2_squared(a, b);
    let twins = [
        (exact::dot(a, b), exact::portable::<Product>(a, b)),
        (squares, exact::portable::<SquaredDifference>(a, b)),
    ];
    assert!(
        twins.iter().all(|(fast, plain)| fast.to_bits() == plain.to_bits()),
        "exact, n = {n}, {what}: {twins:?}"
    );
    let (dot_of, square) = exact::dot_with_square(a, b);
    assert_eq!(
        (dot_of.to_bits(), square.to_bits()),
        (exact::dot(a, b).to_bits(), exact::dot(b, b).to_bits()),
        "with square, n = {n}, {what}"
    );
    let mut rows = Vec::new();
    for _ in 0..7 {
        rows.extend_from_slice(b);
    }
    let (mut dots, mut distances) = ([f32::NAN; 7], [f32::NAN; 7]);
    dot_rows(a, &rows, &mut dots);
    l2_squared_rows(a, &rows, &mut distances);
    let (mut narrow_dots, mut narrow_distances) = ([f32::NAN; 7], [f32::NAN; 7]);
    lanes::narrow::rows::<Product>(a, &rows, &mut narrow_dots);
    lanes::narrow::rows::<SquaredDifference>(a, &rows, &mut narrow_distances);

    let got =
        [("scalar", scalar::dot(a, b)), ("one", dot(a, b)), ("narrow", lanes::narrow::one::<Product>(a, b))];
    let got = got.into_iter().chain(dots.map(|x| ("rows", x))).chain(narrow_dots.map(|x| ("narrow rows", x)));
    for (kernel, got) in got {
        let off = (f64::from(got) - exact::dot(a, b)).abs();
        assert!(off <= allowed(n, products), "dot, {kernel}, n = {n}, {what}: {got} is off by {off:e}");
    }
    let got = [
        ("scalar", scalar::l2_squared(a, b)),
        ("one", l2_squared(a, b)),
        ("narrow", lanes::narrow::one::<SquaredDifference>(a, b)),
    ];
    let got = got
        .into_iter()
        .chain(distances.map(|x| ("rows", x)))
        .chain(narrow_distances.map(|x| ("narrow rows", x)));
    for (kernel, got) in got {
        let off = (f64::from(got) - squares).abs();
        assert!(off <= allowed(n, squares), "l2, {kernel}, n = {n}, {what}: {got} is off by {off:e}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn kernels_agree_with_the_reference() {
    let (mut random, seed) = Seeded::new(0x5eed_0001);
    // Every short length, where the tails are; then random ones up to the largest.
    let lengths = (0..70).chain((0..60).map(|_| 0)).chain([384, 768, 1536, 4093, 4094, 4095, 4096]);
    for (round, length) in lengths.enumerate() {
        let length = if length == 0 && round > 0 { random.below(4097) } else { length };
        for (name, scale) in
            [("unit", 1.0), ("subnormal", 1e-40), ("product subnormal", 1e-21), ("big", 1e17)]
        {
            let a: Vec<f32> = random.vector(length).iter().map(|x| x * scale).collect();
            let b: Vec<f32> = random.vector(length).iter().map(|x| x * scale).collect();
            check(&a, &b, &format!("{name}, seed {seed}"));
        }
        // Magnitudes from 2^-20 to 2^20 within one vector.
        let mut mixed = |_| random.unit() * f32::from_bits(((127 - 20 + random.below(41)) as u32) << 23);
        let a: Vec<f32> = (0..length).map(&mut mixed).collect();
        let b: Vec<f32> = (0..length).map(&mut mixed).collect();
        check(&a, &b, &format!("mixed, seed {seed}"));
        check(&a, &a, &format!("itself, seed {seed}"));
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn each_row_is_scored_in_its_place() {
    // Small integers: every sum is exact, so every kernel gives the same number.
    for length in [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 65] {
        for count in 0..14 {
            let query: Vec<f32> = (0..length).map(|i| (i % 5) as f32 - 2.0).collect();
            let rows: Vec<f32> = (0..length * count).map(|i| (i % 11) as f32 - 5.0).collect();
            let (mut dots, mut distances) = (vec![f32::NAN; count], vec![f32::NAN; count]);
            dot_rows(&query, &rows, &mut dots);
            l2_squared_rows(&query, &rows, &mut distances);
            for (index, row) in rows.chunks_exact(length).enumerate() {
                assert_eq!(dots[index], scalar::dot(&query, row), "row {index} of {count}, length {length}");
                assert_eq!(distances[index], scalar::l2_squared(&query, row), "row {index} of {count}");
            }
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn empty_vectors_score_zero() {
    let mut out = [f32::NAN; 5];
    dot_rows(&[], &[], &mut out);
    assert_eq!(out, [0.0; 5]);
    assert_eq!((dot(&[], &[]), l2_squared(&[], &[])), (0.0, 0.0));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn double_precision_has_fixed_bits() {
    // A golden sum whose rounding depends on the order: the same natively and in wasm.
    let a: Vec<f32> = (0..387).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
    let b: Vec<f32> = (0..387).map(|i| ((i * 53 % 97) as f32 - 48.0) / 3.0).collect();
    let bits = [exact::dot(&a, &b), exact::l2_squared(&a, &b), exact::norm(&a)].map(f64::to_bits);
    assert_eq!(bits, [0x4081_7492_42d4_db6a, 0x40e3_3e25_717e_46c1, 0x4054_81f1_61a4_0785], "{bits:#x?}");
}
