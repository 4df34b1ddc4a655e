//! How many of the true neighbours are found, at default settings.

use super::data::Vectors;
use super::{Engine, hits, oracle};
use crate::vector::{Metric, VectorIndex};

/// Neighbours that are asked for.
const K: usize = 10;

/// What a filter lets through.
type Accept<'a> = Option<&'a dyn Fn(u32) -> bool>;

/// Part of the true neighbours found over `queries`.
fn recall<E: Engine>(
    rows: &[(u32, Vec<f32>)],
    metric: Metric,
    queries: &[Vec<f32>],
    accepts: &[Accept<'_>],
    what: &str,
) -> f64 {
    let dimensions = rows[0].1.len();
    let (index, exact) = (E::of(dimensions, metric, rows), oracle(dimensions, metric, rows));
    assert_eq!(E::problems(&index), [""; 0], "{what}, {metric}");
    assert!(E::walks(&index, &queries[0]), "{what}, {metric}: too few vectors for a graph to be used");
    let (mut found, mut all, mut worst) = (0, 0, (1.0f64, 0));
    for (number, accept) in accepts.iter().enumerate() {
        let (mut here, mut wanted) = (0, 0);
        for query in queries {
            let want = exact.search(query, K, 0, *accept).unwrap();
            let got = index.search(query, K, 0, *accept).unwrap();
            here += hits::<E>(&got, &want, &exact, query, *accept, what);
            wanted += want.len();
        }
        let part = here as f64 / wanted as f64;
        if part < worst.0 {
            worst = (part, number);
        }
        found += here;
        all += wanted;
    }
    println!("{what}, {metric}: recall {:.4}, worst {worst:?}", found as f64 / all as f64);
    worst.0
}

fn check<E: Engine>(mut vectors: Vectors, metric: Metric, what: &str) {
    let rows = vectors.rows(E::SIZE);
    let queries: Vec<_> = (0..40).map(|_| vectors.next()).collect();
    let recall = recall::<E>(&rows, metric, &queries, &[None], what);
    assert!(recall >= E::RECALL, "{what}, {metric}: recall {recall}");
}

/// Vectors in clouds, as embeddings are.
pub fn clustered_vectors_are_found<E: Engine>() {
    for metric in Metric::ALL {
        check::<E>(Vectors::clustered(0x5eed_0201, 12, 30), metric, "clustered");
    }
}

/// Vectors without any structure.
pub fn uniform_vectors_are_found<E: Engine>() {
    check::<E>(Vectors::uniform(0x5eed_0202, 8), Metric::L2, "uniform");
}

/// Each vector many times over: the copies must not cut off what lies behind them.
pub fn duplicates_do_not_hide_others<E: Engine>() {
    let mut vectors = Vectors::clustered(0x5eed_0203, 8, 10);
    let distinct = vectors.rows(E::SIZE.div_ceil(25));
    let rows: Vec<(u32, Vec<f32>)> =
        (0..E::SIZE as u32).map(|label| (label, distinct[label as usize / 25].1.clone())).collect();
    let queries: Vec<_> = (0..40).map(|_| vectors.next()).collect();
    let recall = recall::<E>(&rows, Metric::Cosine, &queries, &[None], "duplicates");
    assert!(recall >= E::RECALL, "duplicates: recall {recall}");
}

/// Filters that let through much, little, and only what is far from the query.
pub fn filtered_vectors_are_found<E: Engine>() {
    let clusters = 20;
    let mut vectors = Vectors::clustered(0x5eed_0204, 12, clusters);
    // Label modulo `clusters` is the cluster.
    let rows: Vec<(u32, Vec<f32>)> =
        (0..E::SIZE as u32).map(|label| (label, vectors.of_cluster(label as usize % clusters))).collect();
    let queries: Vec<_> = (0..20).map(|index| vectors.of_cluster(index % 3)).collect();
    let most = |label: u32| !label.is_multiple_of(7);
    let half = |label: u32| (label / 20).is_multiple_of(2);
    let tenth = |label: u32| (label / 20) % 10 == 3;
    let few = |label: u32| label % 101 == 5;
    let rare = |label: u32| label % 997 == 5;
    let far = |label: u32| label % 20 == 11;
    let far_half = |label: u32| label % 20 >= 10;
    let accepts: [Accept<'_>; 7] =
        [Some(&most), Some(&half), Some(&tenth), Some(&few), Some(&rare), Some(&far), Some(&far_half)];
    // What filters leave is harder to reach; the mark is that of filtered searches.
    let recall = recall::<E>(&rows, Metric::Cosine, &queries, &accepts, "filtered");
    assert!(recall >= E::RECALL - 0.02, "filtered: recall {recall}");
}
