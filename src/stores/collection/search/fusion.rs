//! One ranking out of two.
//!
//! Reciprocal rank fusion: Cormack, Clarke and Buettcher, *Reciprocal Rank Fusion outperforms Condorcet and
//! individual Rank Learning Methods*, SIGIR 2009. A document scores the sum over the lists of 1 / (60 + its
//! rank there), ranks counted from 1. So similarities and BM25 need no common scale.

use std::collections::HashMap;

/// The constant of the paper: it keeps the first places of one list from outweighing both lists together.
const K: f64 = 60.0;

/// A document and what the lists say of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fused {
    pub(super) label: u32,
    /// Its similarity, if it is in the list of the vectors.
    pub(super) vector: Option<f32>,
    /// Its BM25 score, if it is in the list of the words.
    pub(super) text: Option<f32>,
    pub(super) score: f64,
}

/// Fuses two lists of labels and scores, each best first and without repetition. `ranked` places before
/// theirs are taken.
pub(super) fn fuse(vectors: &[(u32, f32)], words: &[(u32, f32)], ranked: usize) -> Vec<Fused> {
    let gain = |place: usize| 1.0 / (K + (ranked + place + 1) as f64);
    let mut fused: Vec<Fused> = Vec::with_capacity(vectors.len() + words.len());
    let mut places = HashMap::with_capacity(vectors.len());
    for (place, &(label, score)) in vectors.iter().enumerate() {
        places.insert(label, place);
        fused.push(Fused { label, vector: Some(score), text: None, score: gain(place) });
    }
    for (place, &(label, score)) in words.iter().enumerate() {
        match places.get(&label) {
            Some(&both) => {
                fused[both].text = Some(score);
                fused[both].score += gain(place);
            }
            None => fused.push(Fused { label, vector: None, text: Some(score), score: gain(place) }),
        }
    }
    fused
}

/// The most that a document can score that is in none of two lists of `ranked` places each.
pub(super) fn beyond(ranked: usize) -> f64 {
    2.0 / (K + (ranked + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_added_up() {
        let fused = fuse(&[(1, 0.9), (2, 0.8), (3, 0.7)], &[(3, 5.0), (4, 4.0), (1, 3.0)], 0);
        let expected = [
            (1, Some(0.9), Some(3.0), 1.0 / 61.0 + 1.0 / 63.0),
            (2, Some(0.8), None, 1.0 / 62.0),
            (3, Some(0.7), Some(5.0), 1.0 / 63.0 + 1.0 / 61.0),
            (4, None, Some(4.0), 1.0 / 62.0),
        ];
        assert_eq!(fused.len(), expected.len());
        for (found, (label, vector, text, score)) in fused.into_iter().zip(expected) {
            assert_eq!((found.label, found.vector, found.text), (label, vector, text));
            assert!((found.score - score).abs() < 1e-15, "{found:?}");
        }
    }

    #[test]
    fn an_empty_list_adds_nothing_and_later_lists_rank_later() {
        assert!(fuse(&[], &[], 0).is_empty());
        assert_eq!(fuse(&[], &[(7, 1.0)], 0)[0].score, 1.0 / 61.0);
        assert_eq!(fuse(&[(7, 1.0)], &[], 100)[0].score, 1.0 / 161.0);
    }
}
