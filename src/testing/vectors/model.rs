//! The model test: seeded changes and searches, interleaved, against the exact index.

use super::data::Vectors;
use super::{Engine, hits, oracle};
use crate::vector::{FlatIndex, Metric, VectorIndex};

/// Adds, updates, removals and searches in one run.
const OPERATIONS: usize = 20_000;

/// After so many operations recall is judged and the inside is checked.
const WINDOW: usize = 1_000;

const SEED: u64 = 0x5eed_0301;
const DIMENSIONS: usize = 10;
const CLUSTERS: usize = 24;
const K: usize = 10;

/// Both sides of the comparison.
struct Run<E: Engine> {
    index: E::Index,
    exact: FlatIndex,
    vectors: Vectors,
    /// Labels that are there.
    live: Vec<u32>,
    /// Labels that were there, to be used again.
    free: Vec<u32>,
    found: usize,
    wanted: usize,
}

impl<E: Engine> Run<E> {
    fn new(metric: Metric) -> Self {
        Self {
            index: E::of(DIMENSIONS, metric, &[]),
            exact: oracle(DIMENSIONS, metric, &[]),
            vectors: Vectors::clustered(SEED, DIMENSIONS, CLUSTERS),
            live: Vec::new(),
            free: Vec::new(),
            found: 0,
            wanted: 0,
        }
    }

    fn insert(&mut self, label: u32) {
        let vector = self.vectors.next();
        self.exact.insert(label, &vector).unwrap();
        if !E::FROZEN {
            self.index.insert(label, &vector).unwrap();
        }
    }

    fn add(&mut self) {
        // Half of the labels are used again.
        let reused = if self.vectors.below(2) == 0 { self.free.pop() } else { None };
        let label = reused.unwrap_or((self.live.len() + self.free.len()) as u32);
        self.insert(label);
        self.live.push(label);
    }

    fn update(&mut self) {
        let at = self.vectors.below(self.live.len());
        self.insert(self.live[at]);
    }

    fn remove(&mut self) {
        let at = self.vectors.below(self.live.len());
        let label = self.live.swap_remove(at);
        self.free.push(label);
        assert!(self.exact.remove(label));
        assert!(E::FROZEN || self.index.remove(label), "label {label}");
    }

    /// A search, mostly with a filter, of any selectivity.
    fn search(&mut self, at: &str) {
        let query = self.vectors.next();
        let one_in = [1, 1, 2, 3, 10, 50, 300][self.vectors.below(7)];
        let rest = self.vectors.below(one_in as usize) as u32;
        let wanted = |label: u32| label % one_in == rest;
        let accept: Option<&dyn Fn(u32) -> bool> = if one_in == 1 { None } else { Some(&wanted) };
        let want = self.exact.search(&query, K, 0, accept).unwrap();
        let found = self.index.search(&query, K, 0, accept).unwrap();
        self.found += hits::<E>(&found, &want, &self.exact, &query, accept, at);
        self.wanted += want.len();
    }

    /// Judges the window that ends here. A frozen engine is built anew, and then searched.
    fn checkpoint(&mut self, step: usize) {
        let at = format!("{}, step {step}, seed {SEED}", self.exact.metric());
        if E::FROZEN {
            let mut rows: Vec<(u32, Vec<f32>)> = Vec::new();
            for label in &self.live {
                rows.push((*label, self.exact.vector(*label).unwrap().to_vec()));
            }
            self.index = E::of(DIMENSIONS, self.exact.metric(), &rows);
            for _ in 0..50 {
                self.search(&at);
            }
        }
        assert_eq!(self.index.len(), self.exact.len(), "{at}");
        assert_eq!(E::problems(&self.index), [""; 0], "{at}");
        let recall = self.found as f64 / self.wanted.max(1) as f64;
        assert!(self.wanted > 100 && recall >= E::RECALL, "{at}: recall {recall} of {}", self.wanted);
        (self.found, self.wanted) = (0, 0);
    }
}

/// 20,000 operations under each metric: recall holds in each thousand, and nothing removed or refused is ever returned.
///
/// The set grows to [`Engine::SIZE`], is changed at that size, and shrinks to a half.
pub fn interleaved_changes_match_the_oracle<E: Engine>() {
    for metric in Metric::ALL {
        changes_match::<E>(metric);
    }
}

fn changes_match<E: Engine>(metric: Metric) {
    let mut run = Run::<E>::new(metric);
    let window = if E::FROZEN { 5 * WINDOW } else { WINDOW };
    for step in 1..=OPERATIONS {
        let size = if step > OPERATIONS * 3 / 4 { E::SIZE / 2 } else { E::SIZE };
        // Of a hundred: adds, updates and removals; the rest are searches.
        let (adds, updates, removals) = if run.live.len() < size { (55, 10, 15) } else { (20, 20, 40) };
        match run.vectors.below(100) {
            roll if roll < adds || run.live.is_empty() => run.add(),
            roll if roll < adds + updates => run.update(),
            roll if roll < adds + updates + removals => run.remove(),
            _ if E::FROZEN => {}
            _ => run.search(&format!("{metric}, step {step}, seed {SEED}")),
        }
        if step % window == 0 {
            run.checkpoint(step);
        }
    }
}

/// Emptied to the last vector, and filled anew: under each metric.
pub fn all_can_be_removed_and_inserted_again<E: Engine>() {
    for metric in Metric::ALL {
        let mut run = Run::<E>::new(metric);
        for round in 0..2 {
            for _ in 0..E::SIZE / 8 {
                run.add();
            }
            run.checkpoint_of(round, metric);
            while !run.live.is_empty() {
                run.remove();
            }
            if E::FROZEN {
                run.index = E::of(DIMENSIONS, metric, &[]);
            }
            assert!(
                run.index.is_empty() && run.index.search(&[1.0; DIMENSIONS], K, 0, None).unwrap().is_empty()
            );
            assert_eq!(E::problems(&run.index), [""; 0], "{metric}");
        }
    }
}

impl<E: Engine> Run<E> {
    fn checkpoint_of(&mut self, round: usize, metric: Metric) {
        if !E::FROZEN {
            for _ in 0..50 {
                self.search(&format!("{metric}, round {round}, seed {SEED}"));
            }
        }
        self.checkpoint(round);
    }
}
