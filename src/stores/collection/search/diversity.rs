//! Hits that differ from one another.
//!
//! Maximal marginal relevance: Carbonell and Goldstein, *The Use of MMR, Diversity-Based Reranking for
//! Reordering Documents and Producing Summaries*, SIGIR 1998. Each choice weighs how relevant a document is
//! against how similar it is to the one of those already chosen that it is most similar to.

/// The places in `scores` of the `count` documents to take, in the order of being chosen.
///
/// `scores` are best first; they are brought to the range 0 to 1. `similarity` is 1 for documents that are
/// alike and 0 for those that have nothing to do with one another. `diversity` 0 leaves the order as it is.
pub(super) fn diversify(
    scores: &[f64],
    count: usize,
    diversity: f64,
    similarity: impl Fn(usize, usize) -> f64,
) -> Vec<usize> {
    let (Some(&best), Some(&worst)) = (scores.first(), scores.last()) else { return Vec::new() };
    let relevance = |score: f64| {
        // Halved first, so that the range of two large numbers is a number too.
        let range = best / 2.0 - worst / 2.0;
        if range > 0.0 { (score / 2.0 - worst / 2.0) / range } else { 1.0 }
    };
    // Relevance, and the greatest similarity to one that was chosen, of what is left.
    let mut left: Vec<(usize, f64, f64)> =
        scores.iter().enumerate().map(|(place, score)| (place, relevance(*score), 0.0)).collect();
    let mut chosen = Vec::with_capacity(count.min(scores.len()));
    while chosen.len() < count {
        let gain = |&(_, relevance, similar): &(usize, f64, f64)| {
            (1.0 - diversity) * relevance - diversity * similar
        };
        // The first of equal ones: `max_by` would give the last.
        let next = (0..left.len()).rev().max_by(|&a, &b| gain(&left[a]).total_cmp(&gain(&left[b])));
        let Some(next) = next else { break };
        // Kept in order, so that equal gains go by place.
        let (taken, ..) = left.remove(next);
        for (place, _, similar) in &mut left {
            *similar = similar.max(similarity(taken, *place));
        }
        chosen.push(taken);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Documents 0 and 1 say the same, 2 something else.
    fn similarity(a: usize, b: usize) -> f64 {
        if a.max(b) < 2 { 1.0 } else { 0.2 }
    }

    #[test]
    fn what_was_said_already_comes_later() {
        let scores = [10.0, 9.0, 5.0, 0.0];
        assert_eq!(diversify(&scores, 4, 0.0, similarity), [0, 1, 2, 3]);
        // Relevance 1, 0.9, 0.5, 0. After 0: 1 has 0.45 - 0.5, 2 has 0.25 - 0.1, 3 has 0 - 0.1.
        // After 2: 1 as before, 3 still -0.1.
        assert_eq!(diversify(&scores, 4, 0.5, similarity), [0, 2, 1, 3]);
        assert_eq!(diversify(&scores, 2, 0.5, similarity), [0, 2]);
        assert_eq!(diversify(&scores, 3, 1.0, similarity), [0, 2, 3]);
    }

    #[test]
    fn degenerate_pools() {
        assert!(diversify(&[], 3, 0.5, similarity).is_empty());
        assert_eq!(diversify(&[4.0], 3, 0.5, similarity), [0]);
        assert_eq!(diversify(&[4.0; 3], 3, 0.0, similarity), [0, 1, 2], "equal scores keep their order");
        assert_eq!(diversify(&[f64::MAX, 0.0, f64::MIN], 2, 0.0, similarity), [0, 1]);
    }
}
