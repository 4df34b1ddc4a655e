//! What is particular to the frozen engine; the rest is in the suite for all engines.

use super::super::FlatIndex;
use super::super::seeded::Seeded;
use super::*;
use crate::ErrorKind;

fn build(rows: &[(u32, Vec<f32>)], metric: Metric) -> Result<FrozenIndex> {
    let vectors = rows.iter().map(|(label, row)| (*label, &row[..]));
    let options = FrozenOptions { ef_search: 20, ef_construction: 20, seed: 1 };
    FrozenIndex::build(8, metric, options, vectors)
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn it_refuses_changes_and_says_the_way_out() {
    let mut index = build(&[(3, vec![1.0; 8])], Metric::Dot).unwrap();
    let error = index.insert(4, &[1.0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("build it anew"), "{error}");
    assert!(!index.remove(4) && index.remove(3) && !index.remove(3));
    assert!(index.is_empty() && index.search(&[1.0; 8], 5, 0, None).unwrap().is_empty());
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn bad_vectors_and_labels_are_refused() {
    let one = vec![1.0; 8];
    let twice = build(&[(1, one.clone()), (1, one.clone())], Metric::Dot).unwrap_err();
    assert!(twice.kind() == ErrorKind::Invalid && twice.message().contains("label 1"), "{twice}");
    let bad = build(&[(1, one.clone()), (7, vec![f32::NAN; 8])], Metric::Dot).unwrap_err();
    assert!(bad.message().contains("label 7") && bad.message().contains("vector[0]"), "{bad}");
    let options = FrozenOptions { ef_search: 0, ..FrozenOptions::default() };
    assert!(FrozenIndex::build(8, Metric::Dot, options, [(1, &one[..])]).is_err());
    assert!(FrozenIndex::build(0, Metric::Dot, FrozenOptions::default(), []).is_err());
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn filters_and_large_k_go_on_past_what_the_graph_found() {
    let (mut random, seed) = Seeded::new(0x5eed_0040);
    let rows: Vec<(u32, Vec<f32>)> = (0..90).map(|label| (label, random.vector(8))).collect();
    for metric in Metric::ALL {
        let (frozen, mut flat) = (build(&rows, metric).unwrap(), FlatIndex::new(8, metric).unwrap());
        rows.iter().for_each(|(label, row)| flat.insert(*label, row).unwrap());
        let query = random.vector(8);
        // More than `ef_search`: the whole set is ranked.
        assert_eq!(frozen.search(&query, 60, 0, None).unwrap(), flat.search(&query, 60, 0, None).unwrap());
        let rare = |label: u32| label % 30 == 7;
        let (found, want) =
            (frozen.search(&query, 10, 0, Some(&rare)), flat.search(&query, 10, 0, Some(&rare)));
        assert_eq!(found.unwrap(), want.unwrap(), "{metric}, seed {seed}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn extreme_vectors_have_finite_distances() {
    use instant_distance::Point;
    for metric in Metric::ALL {
        for (a, b) in [(3e38, 3e38), (3e38, -3e38), (1e-40, 1e-40), (1e-40, 3e38)] {
            let distance = Row::new(&[a; 8], metric).distance(&Row::new(&[b; 8], metric));
            assert!(distance.is_finite(), "{metric}, {a:e}, {b:e}: {distance}");
        }
    }
}
