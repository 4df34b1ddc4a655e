//! The index against the exact one, and what only this engine can do wrong.

use super::*;
use crate::vector::FlatIndex;
use crate::vector::seeded::Seeded;

fn options() -> HnswOptions {
    HnswOptions { m: 8, ef_construction: 60, ..HnswOptions::default() }
}

/// Vectors around some centres.
fn clustered(random: &mut Seeded, count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let centres: Vec<Vec<f32>> = (0..12).map(|_| random.vector(dimensions)).collect();
    (0..count)
        .map(|_| {
            let centre = &centres[random.below(centres.len())];
            centre.iter().map(|c| c + 0.3 * random.unit()).collect()
        })
        .collect()
}

fn recall(index: &HnswIndex, flat: &FlatIndex, query: &[f32], accept: Option<&dyn Fn(u32) -> bool>) -> f64 {
    let want = flat.search(query, 10, 0, accept).unwrap();
    let got = index.search(query, 10, 0, accept).unwrap();
    let hits = want.iter().filter(|w| got.iter().any(|g| g.label == w.label)).count();
    hits as f64 / want.len().max(1) as f64
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn finds_the_nearest_while_vectors_come_and_go() {
    let (mut random, seed) = Seeded::new(0x5eed_0110);
    for metric in Metric::ALL {
        let vectors = clustered(&mut random, 3_000, 16);
        let options = HnswOptions { ef_construction: 100, ..HnswOptions::default() };
        let mut index = HnswIndex::new(16, metric, options).unwrap();
        let mut flat = FlatIndex::new(16, metric).unwrap();
        let (mut sum, mut asked) = (0.0, 0.0);
        for (step, vector) in vectors.iter().enumerate() {
            let label = random.below(2_500) as u32;
            if random.below(4) == 0 {
                assert_eq!(index.remove(label), flat.remove(label));
            } else {
                index.insert(label, vector).unwrap();
                flat.insert(label, vector).unwrap();
            }
            assert_eq!(index.len(), flat.len());
            if step % 300 == 299 {
                assert_eq!(index.check(), [""; 0], "{metric}, step {step}, seed {seed}");
            }
            if step % 40 == 39 {
                let query = random.vector(16);
                let odd = |label: u32| label % 2 == 1;
                sum += recall(&index, &flat, &query, None);
                sum += recall(&index, &flat, &query, Some(&odd));
                asked += 2.0;
            }
        }
        assert!(sum / asked > 0.97, "{metric}: {}, seed {seed}", sum / asked);
    }
}

/// Groups of copies that are larger than what a walk keeps in view of a few of them.
#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn copies_do_not_hide_other_vectors() {
    let (mut random, seed) = Seeded::new(0x5eed_0113);
    let vectors = clustered(&mut random, 60, 8);
    let mut index = HnswIndex::new(8, Metric::Cosine, options()).unwrap();
    for label in 0..1_500 {
        index.insert(label, &vectors[label as usize % vectors.len()]).unwrap();
    }
    let mut found = 0;
    for (which, vector) in vectors.iter().enumerate() {
        let best = index.search(vector, 1, 0, None).unwrap();
        found += usize::from(best[0].label as usize % vectors.len() == which);
    }
    assert!(found >= 59, "{found} of 60, seed {seed}");
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn vectors_that_are_all_the_same_can_all_be_found_and_removed() {
    for metric in Metric::ALL {
        let mut index = HnswIndex::new(3, metric, HnswOptions { m: 2, ..options() }).unwrap();
        for label in 0..1_000 {
            index.insert(label, &[1.0, 2.0, 3.0]).unwrap();
        }
        assert_eq!(index.check(), [""; 0]);
        let found = index.search(&[1.0, 2.0, 3.0], 1_000, 0, None).unwrap();
        assert_eq!(found.len(), 1_000);
        for label in 0..1_000 {
            assert!(index.remove(label) && !index.remove(label));
            assert!(index.search(&[1.0, 0.0, 0.0], 5, 0, None).unwrap().iter().all(|n| n.label > label));
        }
        assert!(index.is_empty() && index.graph.entry.is_none() && index.check().is_empty());
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn pages_bring_the_same_index_back() {
    use crate::paged::{Loading, Paged};
    let (mut random, seed) = Seeded::new(0x5eed_0111);
    let vectors = clustered(&mut random, 1_500, 24);
    let mut index = HnswIndex::new(24, Metric::Cosine, options()).unwrap();
    for (label, vector) in (0..).zip(&vectors) {
        index.insert(label, vector).unwrap();
    }
    for label in 100..130 {
        index.remove(label);
    }
    let header = index.header();
    let mut loader = HnswIndex::loader(&header, Keep::Codes).unwrap();
    for page in index.dirty() {
        loader.page(page, &index.page(page).unwrap_or_default()).unwrap();
    }
    let back = loader.finish().unwrap();
    assert_eq!((back.len(), back.check()), (index.len(), Vec::new()));
    index.optimize(&mut || true);
    for _ in 0..50 {
        let query = random.vector(24);
        let labels = |index: &HnswIndex| -> Vec<u32> {
            index.find(&query, &Request::new(10)).unwrap().candidates.iter().map(|c| c.label).collect()
        };
        let (was, is) = (labels(&index), labels(&back));
        assert!((10..=80).contains(&is.len()), "without vectors more candidates are returned: {}", is.len());
        assert!(was.iter().all(|label| is.contains(label)), "seed {seed}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn damaged_and_missing_pages_leave_a_sound_index() {
    use crate::paged::{Loading, Paged};
    let (mut random, seed) = Seeded::new(0x5eed_0112);
    let vectors = clustered(&mut random, 900, 8);
    let mut index = HnswIndex::new(8, Metric::L2, options()).unwrap();
    for (label, vector) in (0..).zip(&vectors) {
        index.insert(label, vector).unwrap();
    }
    index.remove(7);
    let (header, pages) = (index.header(), index.dirty());
    for round in 0..30 {
        let mut loader = HnswIndex::loader(&header, Keep::F32).unwrap();
        for page in &pages {
            let mut bytes = index.page(*page).unwrap_or_default();
            match random.below(4) {
                0 => continue,
                1 => {
                    // Plausible words, far more harmful than noise.
                    for _ in 0..random.below(200) {
                        let at = random.below(bytes.len().max(1));
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte = random.next() as u8;
                        }
                    }
                }
                2 if round % 2 == 0 => bytes.truncate(random.below(bytes.len() + 1)),
                _ => (),
            }
            drop(loader.page(*page, &bytes));
        }
        let Ok(back) = loader.finish() else { continue };
        assert_eq!(back.check(), [""; 0], "round {round}, seed {seed}");
        assert!(back.len() <= 900);
        let query = random.vector(8);
        let found = back.find(&query, &Request { exact: true, ..Request::new(10) }).unwrap();
        assert!(
            found.candidates.iter().all(|c| back.contains(c.label) && c.score.is_finite()),
            "seed {seed}"
        );
    }
}
