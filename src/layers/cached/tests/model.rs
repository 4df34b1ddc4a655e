//! Two caches, a shared second level and a raw writer over one truth, against that truth.

use super::*;
use crate::testing::rng::SplitMix64;

/// Whatever is announced is seen, whoever wrote it, over 4,000 steps a seed.
#[test]
fn caches_agree_with_the_truth_whenever_they_were_told() {
    for (seed, shared) in [(1u64, false), (2, true), (3, true), (4, false)] {
        println!("seed {seed} shared {shared}");
        block_on(run(seed, shared));
    }
}

async fn run(seed: u64, shared: bool) {
    let mut rng = SplitMix64::new(seed);
    let truth = Arc::new(MemoryBackend::new());
    let behind = Arc::new(MemoryBackend::new());
    let options = || if shared { with_second(4_096, &behind) } else { small(4_096) };
    let mut caches = [open(Arc::clone(&truth), options()).await, open(Arc::clone(&truth), options()).await];
    for step in 0..4_000 {
        let id = rng.below(25).to_string();
        let which = rng.below(2);
        match rng.below(10) {
            0..3 => {
                let length = rng.below(60);
                let bytes = rng.bytes(length);
                let mut batch = put(&id, &bytes);
                if rng.below(3) == 0 {
                    batch = batch.delete(key(&rng.below(25).to_string()));
                }
                write(&mut rng, &caches, &*truth, which, batch).await;
            }
            3 => write(&mut rng, &caches, &*truth, which, Batch::new(1).delete(key(&id))).await,
            4 if step % 50 == 0 => {
                let head = truth.stats().await.unwrap().sequence;
                commit(&*truth, Batch { trim_log: Some(head), ..Batch::new(1) }).await.unwrap();
            }
            5 if step % 70 == 0 => caches[which] = open(Arc::clone(&truth), options()).await,
            6 => {
                let keys: Vec<Key> = (0..3).map(|_| key(&rng.below(25).to_string())).collect();
                assert_eq!(
                    caches[which].get(&keys).await.unwrap(),
                    truth.get(&keys).await.unwrap(),
                    "{step}"
                );
            }
            _ => {
                value(&caches[which], &*truth, &id).await;
            }
        }
    }
    let hits = caches.map(|cache| cache.counters().first.hits);
    assert!(hits.iter().sum::<u64>() > 100, "{hits:?}");
}

/// A write through one of the caches or behind their backs, which everybody is told of.
async fn write(rng: &mut SplitMix64, caches: &[Cached; 2], truth: &dyn Backend, which: usize, batch: Batch) {
    let written = match rng.below(3) {
        0 => commit(truth, batch).await,
        _ => commit(&caches[which], batch).await,
    };
    let written = written.unwrap().sequence;
    caches.iter().for_each(|cache| cache.announce(written));
}
