//! The exact index against a naive one: every row in f64, sorted.

use std::cell::Cell;

use super::super::seeded::Seeded;
use super::*;
use crate::ErrorKind;

/// The definition of the result: all rows ranked in f64, sorted, cut. Written apart from the index.
fn naive(rows: &[(u32, Vec<f32>)], query: &[f32], k: usize, metric: Metric) -> Vec<u32> {
    let dot = |a: &[f32], b: &[f32]| exact::dot(a, b);
    let mut ranked: Vec<(f64, u32)> = rows
        .iter()
        .map(|(label, row)| {
            let rank = match metric {
                Metric::Cosine => {
                    (dot(query, row) / (dot(query, query).sqrt() * dot(row, row).sqrt())).clamp(-1.0, 1.0)
                }
                Metric::Dot => dot(query, row),
                Metric::L2 => {
                    let difference = |(a, b): (&f32, &f32)| f64::from(*a) - f64::from(*b);
                    // The same pairing of sums as the index, or ties would be decided by rounding.
                    let scaled: f64 = exact::l2_squared(query, row);
                    let plain: f64 = query.iter().zip(row).map(difference).map(|d| d * d).sum();
                    assert!((scaled - plain).abs() <= 1e-12 * plain, "{scaled} against {plain}");
                    -scaled
                }
            };
            (rank, *label)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
    ranked.truncate(k);
    ranked.into_iter().map(|(_, label)| label).collect()
}

fn labels(found: &[Neighbour]) -> Vec<u32> {
    found.iter().map(|n| n.label).collect()
}

fn index_of(rows: &[(u32, Vec<f32>)], metric: Metric) -> FlatIndex {
    let mut index = FlatIndex::new(rows[0].1.len(), metric).unwrap();
    for (label, row) in rows {
        index.insert(*label, row).unwrap();
    }
    index
}

/// Rows of one kind, made to be hard to tell apart in f32, or to leave its range.
fn hard_rows(random: &mut Seeded, kind: usize, count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let centre = random.vector(dimensions);
    (0..count)
        .map(|i| match kind {
            // Spread out.
            0 => random.vector(dimensions),
            // All within a few roundings of one another, better and better: each replaces the last.
            1 => {
                let step = 1e-6 * (count - i) as f32;
                centre.iter().map(|c| c + step * random.unit()).collect()
            }
            // Many exact ties.
            2 => (0..dimensions).map(|_| random.below(2) as f32 + 0.5).collect(),
            // Squares overflow f32, or vanish in it, within one index.
            3 => {
                let scale = [1e-42, 1e-30, 1e-12, 1.0, 1e18, 1e30, 3e38][random.below(7)];
                random.vector(dimensions).iter().map(|x| x * scale).collect()
            }
            // Squared differences are subnormal in f32, of one to a few hundred units.
            4 => random.vector(dimensions).iter().map(|x| x * 2e-22).collect(),
            // Terms that cancel: a large number and its opposite hide a small remainder.
            _ => {
                let mut row = random.vector(dimensions);
                let large = random.unit() * 1e7;
                if dimensions > 1 {
                    (row[0], row[dimensions - 1]) = (large, -large);
                }
                row
            }
        })
        .map(|mut row: Vec<f32>| {
            if row.iter().all(|x| *x == 0.0) {
                row[0] = 1.0;
            }
            row
        })
        .collect()
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn result_is_the_naive_one_for_hard_rows() {
    let (mut random, seed) = Seeded::new(0x5eed_0010);
    for round in 0..96 {
        let (kind, dimensions) = (round % 6, [1, 2, 3, 4, 7, 16, 33, 100][random.below(8)]);
        let count = 1 + random.below(300);
        let rows = hard_rows(&mut random, kind, count, dimensions);
        let rows: Vec<(u32, Vec<f32>)> =
            rows.into_iter().enumerate().map(|(i, row)| ((count - i) as u32 * 3, row)).collect();
        let query = hard_rows(&mut random, kind, 1, dimensions).remove(0);
        for metric in Metric::ALL {
            let index = index_of(&rows, metric);
            for (query, what) in [(&query, "a near one"), (&rows[0].1, "a row")] {
                for k in [1, 10, count, count + 5] {
                    let found = index.search(query, k, 0, None).unwrap();
                    let want = naive(&rows, query, k, metric);
                    let at =
                        format!("{metric}, kind {kind}, round {round}, k {k}, query {what}, seed {seed}");
                    assert_eq!(labels(&found), want, "{at}");
                    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score), "{at}");
                    assert!(found.iter().all(|n| n.score.is_finite()), "{at}");
                }
            }
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn scores_are_what_the_metric_says() {
    let rows = vec![(7, vec![3.0, 4.0]), (8, vec![-3.0, -4.0]), (9, vec![4.0, -3.0])];
    let scores = |metric, query: &[f32]| -> Vec<(u32, f32)> {
        let found = index_of(&rows, metric).search(query, 3, 0, None).unwrap();
        found.into_iter().map(|n| (n.label, n.score)).collect()
    };
    assert_eq!(
        scores(Metric::Cosine, &[0.6, 0.8]),
        [(7, 1.0), (9, 0.0), (8, -1.0)].map(near_zero_is_rounding)
    );
    assert_eq!(scores(Metric::Dot, &[1.0, 1.0]), [(7, 7.0), (9, 1.0), (8, -7.0)]);
    assert_eq!(scores(Metric::L2, &[3.0, 3.0]), [(7, 0.5), (9, 1.0 / 38.0), (8, 1.0 / 86.0)]);

    // Beyond f32: the largest number, not an infinity; and no cosine outside [-1, 1].
    let huge = vec![(1, vec![f32::MAX; 5]), (2, vec![f32::MIN; 5])];
    let found = index_of(&huge, Metric::Dot).search(&[f32::MAX; 5], 2, 0, None).unwrap();
    assert_eq!(found.iter().map(|n| n.score).collect::<Vec<_>>(), [f32::MAX, f32::MIN]);
    let found = index_of(&huge, Metric::Cosine).search(&[f32::MAX; 5], 2, 0, None).unwrap();
    assert_eq!(found.iter().map(|n| n.score).collect::<Vec<_>>(), [1.0, -1.0]);
    let found = index_of(&huge, Metric::L2).search(&[f32::MAX; 5], 2, 0, None).unwrap();
    assert_eq!(found.iter().map(|n| n.score).collect::<Vec<_>>(), [1.0, 0.0]);
}

/// 0.6 and 0.8 are not exact in f32, so the right angle is one up to that rounding.
fn near_zero_is_rounding((label, score): (u32, f32)) -> (u32, f32) {
    let (a, b) = (f64::from(0.6f32), f64::from(0.8f32));
    let cosine = (a * 4.0 - b * 3.0) / ((a * a + b * b).sqrt() * 5.0);
    if score == 0.0 { (label, cosine as f32) } else { (label, score) }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn equal_ranks_come_by_label() {
    for metric in Metric::ALL {
        let labels_in = [900, 5, 70, 4_000_000_000, 6, 0];
        let rows: Vec<_> = labels_in.iter().map(|label| (*label, vec![0.25, 0.5])).collect();
        let found = index_of(&rows, metric).search(&[1.0, 0.0], 4, 0, None).unwrap();
        assert_eq!(labels(&found), [0, 5, 6, 70], "{metric}");
    }
    // A product of minus zero is not below one of zero.
    let rows = vec![(1, vec![-0.0, 1.0]), (2, vec![0.0, 1.0])];
    let found = index_of(&rows, Metric::Dot).search(&[1.0, 0.0], 2, 0, None).unwrap();
    assert_eq!(labels(&found), [1, 2]);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn inserts_replacements_and_removals_follow_a_model() {
    let (mut random, seed) = Seeded::new(0x5eed_0011);
    for metric in Metric::ALL {
        let mut index = FlatIndex::new(5, metric).unwrap();
        let mut model: std::collections::BTreeMap<u32, Vec<f32>> = std::collections::BTreeMap::new();
        for step in 0..3000 {
            // Grows to some hundreds, then shrinks to a few, twice.
            let shrinking = step % 1500 > 900;
            let label = if random.below(20) == 0 {
                u32::MAX - random.below(4) as u32
            } else {
                random.below(400) as u32
            };
            if random.below(10) < if shrinking { 9 } else { 2 } {
                let gone = model.keys().nth(random.below(model.len().max(1))).copied().unwrap_or(label);
                assert_eq!(index.remove(gone), model.remove(&gone).is_some(), "step {step}, seed {seed}");
            } else {
                let vector = random.vector(5);
                index.insert(label, &vector).unwrap();
                model.insert(label, vector);
            }
            assert_eq!(index.len(), model.len(), "step {step}, seed {seed}");
            if step % 50 == 0 {
                let rows: Vec<_> = model.iter().map(|(label, row)| (*label, row.clone())).collect();
                let query = random.vector(5);
                let found = index.search(&query, 7, 0, None).unwrap();
                assert_eq!(
                    labels(&found),
                    naive(&rows, &query, 7, metric),
                    "{metric}, step {step}, seed {seed}"
                );
                for (label, row) in &model {
                    assert_eq!(index.vector(*label), Some(&row[..]), "step {step}, seed {seed}");
                }
            }
        }
        assert!(index.rows.capacity() <= 8 * index.rows.len().max(64), "rows are given back");
        for label in model.into_keys() {
            assert!(index.remove(label));
        }
        assert!(index.is_empty() && index.rows.is_empty() && index.norms.is_empty());
        assert!(index.search(&[1.0; 5], 3, 0, None).unwrap().is_empty());
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn filtered_search_equals_search_of_the_accepted() {
    let (mut random, seed) = Seeded::new(0x5eed_0012);
    let rows: Vec<(u32, Vec<f32>)> = (0..1000).map(|label| (label, random.vector(9))).collect();
    for metric in Metric::ALL {
        let index = index_of(&rows, metric);
        for one_in in [1, 2, 10, 300, 5000] {
            let query = random.vector(9);
            let wanted = |label: u32| label % one_in == 1 % one_in;
            let accepted: Vec<_> = rows.iter().filter(|(label, _)| wanted(*label)).cloned().collect();
            let calls = Cell::new(0);
            let accept = |label| {
                calls.set(calls.get() + 1);
                wanted(label)
            };
            let found = index.search(&query, 10, 0, Some(&accept)).unwrap();
            assert_eq!(
                labels(&found),
                naive(&accepted, &query, 10, metric),
                "{metric}, 1 in {one_in}, seed {seed}"
            );
            assert!(calls.get() <= 1000);
            if one_in == 1 {
                // Only rows that could enter the result are asked for: about k ln(n / k) of them.
                assert!(calls.get() < 300, "{} calls, {metric}, seed {seed}", calls.get());
            }
        }
        assert!(index.search(&rows[0].1, 10, 0, Some(&|_| false)).unwrap().is_empty());
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn bad_input_changes_nothing() {
    for metric in Metric::ALL {
        let mut index = FlatIndex::new(2, metric).unwrap();
        index.insert(1, &[1.0, 2.0]).unwrap();
        for bad in [&[1.0][..], &[1.0, f32::NAN], &[f32::INFINITY, 1.0], &[1.0, 2.0, 3.0]] {
            assert_eq!(index.insert(1, bad).unwrap_err().kind(), ErrorKind::Invalid);
            assert_eq!(index.insert(2, bad).unwrap_err().kind(), ErrorKind::Invalid);
            assert_eq!(index.search(bad, 1, 0, None).unwrap_err().kind(), ErrorKind::Invalid);
            assert_eq!(index.search(bad, 0, 0, None).unwrap_err().kind(), ErrorKind::Invalid);
        }
        assert_eq!(index.insert(2, &[0.0, 0.0]).is_err(), metric == Metric::Cosine);
        assert_eq!(index.vector(1), Some(&[1.0, 2.0][..]));
        assert!(!index.remove(77));
        assert!(index.search(&[1.0, 1.0], 0, 0, None).unwrap().is_empty());
        assert_eq!(index.search(&[1.0, 1.0], usize::MAX, 0, None).unwrap().len(), index.len());
        assert_eq!((index.metric(), index.dimensions()), (metric, 2));
    }
    for dimensions in [0, 4097] {
        assert_eq!(FlatIndex::new(dimensions, Metric::L2).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let mut index = FlatIndex::new(4096, Metric::L2).unwrap();
    assert_eq!(index.reserve(usize::MAX / 4096).unwrap_err().kind(), ErrorKind::Quota);
    assert!(index.insert(0, &[1.0; 4096]).is_ok());
}
