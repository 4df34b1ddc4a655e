//! A seeded run: what a caller does to a store, step by step.

use mnemora::model::{Batch, Envelope, Key, Precondition, Space, Value, encode_value};
use mnemora::testing::rng::SplitMix64;

/// One step of a run.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// One call of `commit`.
    Commit(Vec<Batch>),
    /// The store is closed and opened again, which also moves its log or journal.
    Reopen,
}

/// `length` steps, always the same for the same seed.
pub(crate) fn script(seed: u64, length: usize) -> Vec<Step> {
    let mut rng = SplitMix64::new(seed);
    let mut made = 0;
    (0..length)
        .map(|_| match rng.below(20) {
            0 => Step::Reopen,
            1..6 => Step::Commit((0..2 + rng.below(4)).map(|_| batch(&mut rng, &mut made)).collect()),
            _ => Step::Commit(vec![batch(&mut rng, &mut made)]),
        })
        .collect()
}

fn key(rng: &mut SplitMix64) -> Key {
    let space = [Space::Record, Space::Record, Space::Document, Space::Meta][rng.below(4)];
    let namespace = ["agents", "Agents", "n/../\u{fc}"][rng.below(3)];
    Key::named(space, namespace, &format!("id-{}", rng.below(5))).unwrap()
}

fn batch(rng: &mut SplitMix64, made: &mut u64) -> Batch {
    *made += 1;
    let mut batch = Batch::new(1_000 + *made);
    for _ in 0..1 + rng.below(3) {
        let key = key(rng);
        if rng.below(4) == 0 {
            batch = batch.delete(key);
        } else {
            let value = value(rng, &key, *made);
            batch = batch.put(key, value);
        }
    }
    if rng.below(8) == 0 {
        batch = batch.require(key(rng), Precondition::Absent);
    }
    if rng.below(12) == 0 {
        batch.trim_log = Some(made.saturating_sub(10));
    }
    batch
}

/// Raw bytes or a user's value in its envelope; some larger than a page of any format.
fn value(rng: &mut SplitMix64, key: &Key, made: u64) -> Vec<u8> {
    let size = if rng.below(40) == 0 { 9_000 } else { 100 };
    let length = rng.below(size);
    if rng.below(2) == 0 {
        return rng.bytes(length);
    }
    let text = format!("{made}:{}", "x".repeat(length));
    let payload = encode_value(&Value::String(text)).unwrap();
    let envelope = Envelope {
        created: made,
        updated: made,
        expires: None,
        schema: "",
        schema_version: 0,
        payload: &payload,
    };
    envelope.encode(key).unwrap()
}
