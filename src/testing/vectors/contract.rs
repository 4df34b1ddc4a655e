//! The contract of [`VectorIndex`], on sets small enough for exact answers.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::data::Vectors;
use super::{Engine, hits, oracle};
use crate::ErrorKind;
use crate::vector::{Metric, Neighbour, VectorIndex};

fn labels(found: &[Neighbour]) -> Vec<u32> {
    found.iter().map(|n| n.label).collect()
}

/// The rows but for `label`, which gets `vector`, if any. An engine that is frozen is built anew.
fn changed<E: Engine>(
    index: &mut E::Index,
    rows: &mut Vec<(u32, Vec<f32>)>,
    label: u32,
    vector: Option<Vec<f32>>,
) {
    let was_there = rows.iter().any(|(at, _)| *at == label);
    rows.retain(|(at, _)| *at != label);
    match vector {
        None => assert_eq!(index.remove(label), was_there, "label {label}"),
        Some(vector) => {
            rows.push((label, vector.clone()));
            if E::FROZEN {
                *index = E::of(vector.len(), index.metric(), rows);
            } else {
                index.insert(label, &vector).unwrap();
            }
        }
    }
    assert_eq!(index.len(), rows.len());
}

/// Wrong length, NaN, infinity, zero under cosine: [`Invalid`](ErrorKind::Invalid) with the position.
pub fn bad_input_is_an_error_and_changes_nothing<E: Engine>() {
    for metric in Metric::ALL {
        let mut index = E::of(3, metric, &[(4, vec![1.0, 2.0, 3.0])]);
        assert_eq!((index.dimensions(), index.metric(), index.len()), (3, metric, 1));
        let mut bad = vec![
            (vec![1.0, 2.0], "2 numbers"),
            (vec![1.0; 4], "4 numbers"),
            (vec![], "0 numbers"),
            (vec![1.0, f32::NAN, 1.0], "vector[1]"),
            (vec![1.0, 1.0, f32::INFINITY], "vector[2]"),
            (vec![f32::NEG_INFINITY, 1.0, f32::NAN], "vector[0]"),
        ];
        if metric == Metric::Cosine {
            bad.push((vec![0.0, -0.0, 0.0], "zero"));
        }
        for (vector, word) in bad {
            for k in [0, 1] {
                let error = index.search(&vector, k, 0, None).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid, "{metric}, {vector:?}");
                assert!(error.message().contains(word), "{metric}: {error} should name {word}");
            }
            for label in [4, 5] {
                let error = index.insert(label, &vector).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Invalid, "{metric}, {vector:?}");
                assert!(error.message().contains(word), "{metric}: {error} should name {word}");
            }
        }
        assert_eq!(index.len(), 1);
        let found = index.search(&[1.0, 2.0, 3.0], 5, 0, None).unwrap();
        assert_eq!(labels(&found), [4], "{metric}");
        let whole = oracle(3, metric, &[(4, vec![1.0, 2.0, 3.0])]);
        let want = whole.search(&[1.0, 2.0, 3.0], 5, 0, None).unwrap();
        assert_eq!(hits::<E>(&found, &want, &whole, &[1.0, 2.0, 3.0], None, "unchanged"), 1);
    }
}

/// An empty index, `k = 0`, a filter that refuses all.
pub fn nothing_is_found_where_nothing_is<E: Engine>() {
    for metric in Metric::ALL {
        let mut empty = E::of(2, metric, &[]);
        assert!(empty.is_empty() && empty.search(&[1.0, 2.0], 10, 0, None).unwrap().is_empty());
        assert!(!empty.remove(0));
        let index = E::of(2, metric, &[(0, vec![1.0, 0.5]), (9, vec![1.0, 1.5])]);
        assert!(index.search(&[1.0, 2.0], 0, 100, None).unwrap().is_empty());
        assert!(index.search(&[1.0, 2.0], 9, 0, Some(&|_| false)).unwrap().is_empty());
    }
}

/// Up to some dozens of vectors, of one number and of more, and `k` beyond them: the exact result.
pub fn small_sets_are_exact<E: Engine>() {
    for dimensions in [1, 2, 5, 64] {
        let mut vectors = Vectors::uniform(0x5eed_0101 + dimensions as u64, dimensions);
        for count in [1, 2, 3, 10, 30] {
            for metric in Metric::ALL {
                let rows = vectors.rows(count);
                let (index, exact) = (E::of(dimensions, metric, &rows), oracle(dimensions, metric, &rows));
                for k in [1, 2, count, count + 1, 1000, usize::MAX] {
                    let query = vectors.next();
                    let at = format!("{metric}, {dimensions} dimensions, {count} vectors, k {k}");
                    let want = exact.search(&query, k, 0, None).unwrap();
                    let found = index.search(&query, k, 0, None).unwrap();
                    assert_eq!(found.len(), want.len(), "{at}");
                    let hits = hits::<E>(&found, &want, &exact, &query, None, &at);
                    assert!(!E::EXACT_SCORES || hits == want.len(), "{at}: {hits} hits");
                    assert!(!E::EXACT_SCORES || found == want, "{at}: {found:?}, not {want:?}");
                }
            }
        }
    }
}

/// Vectors that are all the same: by label in a small set, any of them in a large one.
pub fn equal_vectors_come_by_label<E: Engine>() {
    for metric in Metric::ALL {
        let same = vec![0.25, -3.0, 0.125];
        let rows: Vec<_> = [900, 5, 70, 4_000, 6, 0].map(|label| (label, same.clone())).to_vec();
        let index = E::of(3, metric, &rows);
        for query in [&same[..], &[1.0, 0.0, 2.0]] {
            let found = index.search(query, 4, 0, None).unwrap();
            assert_eq!(labels(&found), [0, 5, 6, 70], "{metric}");
        }
        let many: Vec<_> = (0..E::SIZE.min(400) as u32).map(|label| (label, same.clone())).collect();
        let (index, exact) = (E::of(3, metric, &many), oracle(3, metric, &many));
        let want = exact.search(&same, 10, 0, None).unwrap();
        let found = index.search(&same, 10, 0, None).unwrap();
        assert_eq!(hits::<E>(&found, &want, &exact, &same, None, "all equal"), 10, "{metric}");
        assert!(labels(&found).is_sorted(), "{metric}: {found:?}");
        assert_eq!(E::problems(&index), [""; 0], "{metric}");
    }
}

/// An insert under a label that is there: only the new vector counts.
pub fn a_label_is_replaced<E: Engine>() {
    for metric in Metric::ALL {
        let mut rows: Vec<_> = (0..20).map(|label| (label, vec![1.0, label as f32])).collect();
        let mut index = E::of(2, metric, &rows);
        for round in 0..3 {
            changed::<E>(&mut index, &mut rows, 7, Some(vec![-90.0 - round as f32, 1.0]));
            let exact = oracle(2, metric, &rows);
            let query = [-95.0, 1.0];
            let found = index.search(&query, 1, 0, None).unwrap();
            assert_eq!(labels(&found), [7], "{metric}, round {round}");
            let want = exact.search(&query, 1, 0, None).unwrap();
            assert_eq!(hits::<E>(&found, &want, &exact, &query, None, "replaced"), 1, "{metric}");
            // Where it was before, it is not found; and it is not there twice.
            let old = index.search(&[1.0, 7.0], 1, 0, None).unwrap();
            assert_ne!(labels(&old), [7], "{metric}, round {round}");
            assert_eq!(index.search(&query, 50, 0, None).unwrap().len(), 20, "{metric}");
        }
    }
}

/// A removed label is in no result, and can be inserted again.
pub fn a_removed_label_is_gone<E: Engine>() {
    for metric in Metric::ALL {
        let mut vectors = Vectors::uniform(0x5eed_0102, 4);
        let mut rows = vectors.rows(40);
        let mut index = E::of(4, metric, &rows);
        assert!(!index.remove(40));
        for label in [0, 39, 7, 8, 9, 20] {
            changed::<E>(&mut index, &mut rows, label, None);
            assert!(!index.remove(label));
            let found = index.search(&vectors.next(), 100, 0, None).unwrap();
            let mut left = labels(&found);
            left.sort_unstable();
            assert_eq!(left, rows.iter().map(|(label, _)| *label).collect::<Vec<_>>(), "{metric}");
        }
        let again = vectors.next();
        changed::<E>(&mut index, &mut rows, 39, Some(again.clone()));
        let found = index.search(&again, 100, 0, None).unwrap();
        assert!(labels(&found).contains(&39) && found.len() == rows.len(), "{metric}");
        assert_eq!(E::problems(&index), [""; 0], "{metric}");
    }
}

/// `accept` is asked at most once for a label, for none that is not there, and its answer holds.
pub fn a_filter_is_asked_once_and_obeyed<E: Engine>() {
    let count = E::SIZE.min(500);
    for metric in Metric::ALL {
        let mut vectors = Vectors::clustered(0x5eed_0103, 6, 5);
        let rows = vectors.rows(count);
        let (mut index, exact) = (E::of(6, metric, &rows), oracle(6, metric, &rows));
        assert!(index.remove(3));
        for one_in in [1, 2, 10, 100, count as u32 + 1] {
            for k in [1, 10, count] {
                let query = vectors.next();
                let asked = RefCell::new(BTreeMap::<u32, u32>::new());
                let wanted = |label: u32| label != 3 && label % one_in == 1 % one_in;
                let accept = |label: u32| {
                    *asked.borrow_mut().entry(label).or_default() += 1;
                    label % one_in == 1 % one_in
                };
                let found = index.search(&query, k, 0, Some(&accept)).unwrap();
                let want = exact.search(&query, k, 0, Some(&wanted)).unwrap();
                let at = format!("{metric}, one in {one_in}, k {k}");
                assert_eq!(found.len(), want.len(), "{at}");
                hits::<E>(&found, &want, &exact, &query, Some(&wanted), &at);
                for (label, times) in asked.into_inner() {
                    assert!(
                        times == 1 && label != 3 && (label as usize) < count,
                        "{at}: {label} {times} times"
                    );
                }
            }
        }
    }
}

/// The largest and smallest numbers, alone and together.
pub fn extreme_numbers_give_finite_scores<E: Engine>() {
    for metric in Metric::ALL {
        for scales in [&[3e38][..], &[1e-38], &[1e-44], &[3e38, 1e-38], &[1.0, 3e38], &[1e19, 1e-19, 1.0]] {
            let mut vectors = Vectors::uniform(0x5eed_0104, 7);
            let mut scaled = |index: usize| -> Vec<f32> {
                let mut vector = vectors.next();
                vector.iter_mut().for_each(|x| *x *= scales[index % scales.len()]);
                vector[0] = f32::MIN_POSITIVE; // a direction for each
                vector
            };
            let rows: Vec<(u32, Vec<f32>)> = (0..80).map(|index| (index as u32, scaled(index))).collect();
            let (index, exact) = (E::of(7, metric, &rows), oracle(7, metric, &rows));
            for query in [scaled(0), scaled(1), vec![1.0; 7], vec![f32::MAX; 7]] {
                let at = format!("{metric}, {scales:?}");
                let want = exact.search(&query, 10, 0, None).unwrap();
                let found = index.search(&query, 10, 0, None).unwrap();
                assert_eq!(found.len(), 10, "{at}");
                hits::<E>(&found, &want, &exact, &query, None, &at);
            }
        }
    }
}
