//! Codes against the vectors they are of.

use super::super::seeded::Seeded;
use super::*;
use crate::ErrorKind;
use crate::vector::MAX_DIMENSIONS;

/// What a score stands for, in f64.
fn truth(metric: Metric, x: &[f32], y: &[f32]) -> f64 {
    match metric {
        Metric::Cosine => exact::dot(x, y) / (exact::norm(x) * exact::norm(y)),
        Metric::Dot => exact::dot(x, y),
        Metric::L2 => -exact::l2_squared(x, y),
    }
}

fn filled(vectors: &[Vec<f32>], metric: Metric, keep: Keep) -> Codes {
    let mut codes = Codes::new(vectors[0].len(), metric, keep);
    for (slot, vector) in (0..).zip(vectors) {
        codes.set(slot, vector).unwrap();
    }
    codes
}

/// Every way to ask gives the same finite score, within the bound of the truth.
fn check(codes: &Codes, vectors: &[Vec<f32>], query: &[f32], at: &str) {
    let mut probe = Probe::default();
    codes.probe(query, &mut probe);
    let slots: Vec<u32> = (0..codes.slots).rev().collect();
    let (mut many, mut scanned) = (vec![f32::NAN; slots.len()], vec![f32::NAN; slots.len()]);
    codes.scores(&probe, &slots, &mut many);
    codes.scan(&probe, 0, &mut scanned);
    let unit = frame::power_of_two(2 * codes.frame.unit);
    for (slot, vector) in (0..).zip(vectors) {
        let score = codes.score(&probe, slot);
        assert!(score.is_finite(), "{at}, slot {slot}: {score}");
        assert_eq!(score, scanned[slot as usize], "{at}, slot {slot}, scan");
        assert_eq!(score, many[slots.len() - 1 - slot as usize], "{at}, slot {slot}, many");
        let (error, want) = (f64::from(codes.error(&probe, slot)), truth(codes.frame.metric, query, vector));
        let off = (f64::from(score) * unit - want).abs();
        assert!(
            off <= error * unit,
            "{at}, slot {slot}: {score} units of {unit:e} for {want}, bound {error}"
        );
        let likely = f64::from(codes.likely_error(&probe, slot));
        assert!(
            off <= likely * unit && likely <= error,
            "{at}, slot {slot}: off by {off:e}, likely {likely:e}, at most {error:e}"
        );
        assert!(codes.similarity(score).is_finite(), "{at}, slot {slot}");
    }
}

fn cases(random: &mut Seeded, dimensions: usize, count: usize) -> Vec<(&'static str, Vec<Vec<f32>>)> {
    let scaled = |random: &mut Seeded, scale: f32| -> Vec<Vec<f32>> {
        (0..count).map(|_| random.vector(dimensions).iter().map(|x| x * scale).collect()).collect()
    };
    let common: Vec<f32> = random.vector(dimensions).iter().map(|x| 5.0 * x).collect();
    let mut cases = vec![
        ("unit", scaled(random, 1.0)),
        ("huge", scaled(random, 3.4e38)),
        ("tiny", scaled(random, 1e-38)),
        ("subnormal", scaled(random, 1e-42)),
        ("shifted", scaled(random, 1.0)),
        ("equal", vec![common.clone(); count]),
        ("mixed", scaled(random, 1.0)),
        ("one outlier dimension", scaled(random, 1.0)),
    ];
    for vector in &mut cases[4].1 {
        vector.iter_mut().zip(&common).for_each(|(x, c)| *x += c);
    }
    for (index, vector) in cases[6].1.iter_mut().enumerate() {
        let scale = [1e-38, 1.0, 1e19, 1e-20, 3e38][(index / 3) % 5];
        vector.iter_mut().for_each(|x| *x *= scale);
    }
    cases[7].1.iter_mut().for_each(|vector| vector[0] = 1e6);
    for (_, vectors) in &mut cases {
        for vector in vectors.iter_mut() {
            if vector.iter().all(|x| *x == 0.0) {
                vector[0] = f32::from_bits(1);
            }
        }
    }
    cases
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn scores_are_within_their_bound_of_the_truth() {
    let (mut random, seed) = Seeded::new(0x5eed_0030);
    for dimensions in [1, 2, 7, 33, 384, MAX_DIMENSIONS] {
        let count = if dimensions > 100 { 70 } else { 130 };
        for (number, (name, vectors)) in cases(&mut random, dimensions, count).into_iter().enumerate() {
            for metric in Metric::ALL {
                // Long vectors take turns, for the time it takes.
                for keep in if dimensions > 100 { &Keep::ALL[number % 2..][..1] } else { &Keep::ALL[..] } {
                    let keep = *keep;
                    let codes = filled(&vectors, metric, keep);
                    let at = format!("{name}, {metric}, {keep}, {dimensions} dimensions, seed {seed}");
                    check(&codes, &vectors, &vectors[count / 2], &at);
                    check(&codes, &vectors, &random.vector(dimensions), &at);
                    let rows = vectors.iter().zip(0..).all(|(vector, slot)| codes.row(slot) == Some(vector));
                    assert_eq!(rows, keep == Keep::F32, "{at}");
                }
            }
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn zero_vectors_and_probes_beyond_the_frame_have_finite_scores() {
    let zero = vec![vec![0.0; 5]; 3];
    for metric in [Metric::Dot, Metric::L2] {
        let codes = filled(&zero, metric, Keep::Codes);
        check(&codes, &zero, &[0.0; 5], "zero");
        let mut probe = Probe::default();
        codes.probe(&[3e38, -3e38, 1.0, 0.0, 3e38], &mut probe);
        assert!(codes.score(&probe, 0).is_finite());
        assert_eq!(codes.error(&probe, 0), f32::INFINITY);
        // The first vector that is not zero decides about the unit.
        let vectors = [zero.clone(), vec![vec![2e-38, 0.0, 1e-38, 0.0, 0.0]; 2]].concat();
        let codes = filled(&vectors, metric, Keep::F32);
        check(&codes, &vectors, &vectors[4], "zero and tiny");
        let mut probe = Probe::default();
        codes.probe(&vectors[3], &mut probe);
        assert!(codes.score(&probe, 3) > codes.score(&probe, 0) + 0.1, "{metric}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn the_centre_follows_vectors_with_much_in_common() {
    let (mut random, seed) = Seeded::new(0x5eed_0031);
    let common: Vec<f32> = random.vector(48).iter().map(|x| 4.0 * x).collect();
    let vectors: Vec<Vec<f32>> =
        (0..500).map(|_| random.vector(48).iter().zip(&common).map(|(x, c)| x + c).collect()).collect();
    for metric in Metric::ALL {
        for keep in Keep::ALL {
            let codes = filled(&vectors, metric, keep);
            assert!((1..=3).contains(&codes.epoch()), "{metric}, {keep}, {}, seed {seed}", codes.epoch());
            assert!(codes.frame.centre.iter().any(|c| *c != 0.0), "{metric}, {keep}");
            assert_eq!(codes.carried > 0.0, keep == Keep::Codes, "{metric}");
            check(&codes, &vectors, &vectors[7], &format!("{metric}, {keep}, seed {seed}"));
            let mut probe = Probe::default();
            codes.probe_slot(7, &mut probe);
            check_of_slot(&codes, &vectors, &probe, 7);
        }
    }
    // Spread around zero, it stays there.
    let spread: Vec<Vec<f32>> = (0..500).map(|_| random.vector(48)).collect();
    assert_eq!(filled(&spread, Metric::Cosine, Keep::F32).epoch(), 0, "seed {seed}");
}

fn check_of_slot(codes: &Codes, vectors: &[Vec<f32>], probe: &Probe, of: usize) {
    for (slot, vector) in (0..).zip(vectors) {
        let off = f64::from(codes.score(probe, slot)) - truth(codes.frame.metric, &vectors[of], vector);
        assert!(off.abs() <= f64::from(codes.error(probe, slot)), "slot {slot}: off by {off}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn codes_have_fixed_bits() {
    // Golden: the same natively and in wasm, through a moved centre and a moved unit.
    let mut bytes = Vec::new();
    for (metric, scale) in [(Metric::Cosine, 1.0), (Metric::Dot, 1e20), (Metric::L2, 0.1)] {
        let number = |i: usize, j: usize| ((i * 37 + j * j * 11) % 101) as f32 * scale / 7.0 + 3.0;
        let vectors: Vec<Vec<f32>> = (0..130).map(|i| (0..29).map(|j| number(i, j)).collect()).collect();
        let codes = filled(&vectors, metric, Keep::F32);
        assert!(codes.epoch() > 0, "{metric}");
        bytes.extend(postcard::to_stdvec(&codes.header()).unwrap());
        codes.write_block(0, &mut bytes);
    }
    assert_eq!(xxhash_rust::xxh3::xxh3_64(&bytes), 18_024_111_200_078_648_093, "of {} bytes", bytes.len());
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn rows_are_let_go_supplied_and_set_anew() {
    let (mut random, seed) = Seeded::new(0x5eed_0032);
    let vectors: Vec<Vec<f32>> = (0..300).map(|_| random.vector(384)).collect();
    let mut codes = filled(&vectors, Metric::Dot, Keep::F32);
    let mut probe = Probe::default();
    codes.probe(&vectors[0], &mut probe);
    let before = codes.score(&probe, 5);
    (0..300).for_each(|slot| codes.free(slot));
    codes.free(5);
    assert!((0..300).all(|slot| codes.row(slot).is_none()), "seed {seed}");
    assert_eq!(codes.score(&probe, 5), before, "freed slots can still be walked over");
    codes.supply(5, &vectors[5]);
    assert_eq!((codes.row(5), codes.row(4)), (Some(&vectors[5][..]), None));
    codes.set(5, &vectors[9]).unwrap();
    assert_eq!((codes.row(5), codes.slots), (Some(&vectors[9][..]), 300));
    assert_eq!(codes.score(&probe, 5), codes.score(&probe, 9), "seed {seed}");
}

fn reloaded(codes: &Codes, lost: &[u32]) -> Result<Codes> {
    let (metric, keep) = (codes.frame.metric, codes.keep);
    let mut loader = CodesLoader::new(codes.dimensions, metric, keep, codes.slots, codes.header())?;
    for block in (0..codes.blocks.len() as u32).rev().filter(|block| !lost.contains(block)) {
        let mut page = Vec::new();
        codes.write_block(block, &mut page);
        assert_eq!(page.len(), loader.slots_in(block).unwrap() as usize * codes.stride());
        loader.load_block(block, &page)?;
    }
    loader.finish()
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn pages_come_back() {
    let (mut random, seed) = Seeded::new(0x5eed_0033);
    let vectors: Vec<Vec<f32>> =
        (0..700).map(|_| random.vector(200).iter().map(|x| x + 2.0).collect()).collect();
    for metric in Metric::ALL {
        let codes = filled(&vectors, metric, Keep::F32);
        let mut back = reloaded(&codes, &[]).unwrap();
        assert_eq!(back.blocks, codes.blocks, "{metric}, seed {seed}");
        assert_eq!(back.header(), codes.header(), "{metric}");
        check(&back, &vectors, &vectors[3], "reloaded");
        assert_eq!(back.row(3), None);
        back.supply(3, &vectors[3]);
        assert_eq!(back.row(3), Some(&vectors[3][..]));
        // A lost block is there again, empty, and can be filled.
        let mut back = reloaded(&codes, &[1]).unwrap();
        let slot = codes.block_slots() + 1;
        back.set(slot, &vectors[slot as usize]).unwrap();
        let mut probe = Probe::default();
        back.probe(&vectors[0], &mut probe);
        assert_eq!(back.score(&probe, slot), codes.score(&probe, slot), "{metric}");
        assert!(back.score(&probe, slot + 1).is_finite());
        let most: Vec<u32> = (1..codes.blocks.len() as u32).collect();
        assert_eq!(reloaded(&codes, &most).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn impossible_pages_are_refused() {
    let vectors = vec![vec![1.0, 2.0, -3.0]; 9];
    let codes = filled(&vectors, Metric::Dot, Keep::Codes);
    let loader = |slots| CodesLoader::new(3, Metric::Dot, Keep::Codes, slots, codes.header());
    let mut page = Vec::new();
    codes.write_block(0, &mut page);
    for (at, value) in [(0, f32::NAN), (4, f32::NAN), (0, f32::INFINITY), (0, -1.0), (4, 1e30), (11, 1e20)] {
        let mut bad = page.clone();
        bad[at..at + 4].copy_from_slice(&value.to_le_bytes());
        let error = loader(9).unwrap().load_block(0, &bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{value} at {at}");
    }
    let mut loading = loader(9).unwrap();
    for (block, bytes) in [(0, &page[1..]), (0, &[]), (1, &page[..]), (u32::MAX, &page[..])] {
        assert_eq!(loading.load_block(block, bytes).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    // A page that claims a great many neighbours does not take their memory.
    assert_eq!(loader(u32::MAX).unwrap().finish().unwrap_err().kind(), ErrorKind::Corrupt);
    // Codes of any value load, and score.
    for byte in &mut page[Head::BYTES..Head::BYTES + 3] {
        *byte = 0x80;
    }
    loading.load_block(0, &page).unwrap();
    let loaded = loading.finish().unwrap();
    let mut probe = Probe::default();
    loaded.probe_slot(0, &mut probe);
    assert!(loaded.score(&probe, 0).is_finite());
}
