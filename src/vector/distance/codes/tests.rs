//! The fast kernels over codes against their scalar twins: equal, to the bit.

use super::super::super::seeded::Seeded;
use super::*;

fn lengths(random: &mut Seeded) -> Vec<usize> {
    let mut lengths: Vec<usize> = (0..70).collect();
    lengths.extend((0..30).map(|_| random.below(4097)));
    lengths.extend([128, 384, 768, 1536, 4093, 4094, 4095, 4096]);
    lengths
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn products_of_codes_equal_the_scalar_ones() {
    let (mut random, seed) = Seeded::new(0x5eed_0020);
    for length in lengths(&mut random) {
        let query: Vec<i16> = (0..length).map(|_| random.below(256) as i16 - 128).collect();
        let rows: Vec<Vec<i8>> = (0..4).map(|_| (0..length).map(|_| random.next() as i8).collect()).collect();
        let want: Vec<i32> = rows.iter().map(|row| scalar::dot(&query, row)).collect();
        let at = format!("length {length}, seed {seed}");
        let four = [&rows[0][..], &rows[1], &rows[2], &rows[3]];
        assert_eq!(rows.iter().map(|row| dot(&query, row)).collect::<Vec<_>>(), want, "{at}");
        assert_eq!(dot_four(&query, four).to_vec(), want, "four, {at}");
        assert_eq!(lanes::dot_four(&query, four).to_vec(), want, "lanes, {at}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn codes_are_widened_as_they_are() {
    let (mut random, seed) = Seeded::new(0x5eed_0022);
    for length in lengths(&mut random) {
        let row: Vec<i8> = (0..length).map(|_| random.next() as i8).collect();
        let run = |kernel: fn(&[i8], &mut [i16])| {
            let mut out = vec![i16::MIN; length];
            kernel(&row, &mut out);
            out
        };
        let want = run(scalar::widen);
        assert_eq!(run(widen), want, "length {length}, seed {seed}");
        assert_eq!(run(lanes::widen), want, "lanes, length {length}, seed {seed}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn the_largest_codes_do_not_overflow() {
    for length in [1, 8, 31, 384, 4096] {
        let (query, row) = (vec![-128i16; length], vec![-128i8; length]);
        let want = 128 * 128 * length as i32;
        assert_eq!((dot(&query, &row), lanes::dot(&query, &row)), (want, want));
        assert_eq!(dot_four(&query, [&row; 4]), [want; 4]);
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn shifts_and_roundings_have_the_bits_of_the_scalar_ones() {
    let (mut random, seed) = Seeded::new(0x5eed_0021);
    for length in lengths(&mut random) {
        for scale in [1.0, 1e-40, 1e30] {
            let vector: Vec<f32> = random.vector(length).iter().map(|x| x * scale).collect();
            let centre: Vec<f32> = random.vector(length).iter().map(|x| x * scale * 0.25).collect();
            let factor = random.unit();
            let run = |kernel: fn(&[f32], f32, &[f32], &mut [f32]) -> f32| {
                let mut out = vec![f32::NAN; length];
                let largest = kernel(&vector, factor, &centre, &mut out);
                (largest.to_bits(), out.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
            };
            let want = run(scalar::shift);
            assert_eq!(run(shift), want, "length {length}, scale {scale}, seed {seed}");
            assert_eq!(run(lanes::shift), want, "lanes, length {length}, scale {scale}, seed {seed}");
        }
        // Halves among them, where the two ways to round would differ if one of them were wrong.
        let numbers: Vec<f32> = (0..length).map(|_| random.below(509) as f32 / 2.0 - 127.0).collect();
        for factor in [1.0, 0.37, -0.5] {
            let run = |kernel: fn(&[f32], f32, &mut [i16])| {
                let mut out = vec![i16::MIN; length];
                kernel(&numbers, factor, &mut out);
                out
            };
            let want = run(scalar::round);
            assert_eq!(run(round), want, "length {length}, factor {factor}, seed {seed}");
            assert_eq!(run(lanes::round), want, "lanes, length {length}, factor {factor}, seed {seed}");
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn halves_go_to_the_even_integer() {
    let mut out = [0; 9];
    round(&[0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -126.5, 0.49], 1.0, &mut out);
    assert_eq!(out, [0, 2, 2, 0, -2, -2, 126, -126, 0]);
}
