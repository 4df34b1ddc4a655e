//! Adds, updates and deletes by the thousand, held against the reference all along.

use super::super::{Language, TextIndex, TextOptions};
use super::pages::reload;
use super::reference::{Ask, Reference, typed};
use crate::vector::seeded::Seeded;

fn word(random: &mut Seeded) -> String {
    // Few words, some of them frequent, with common beginnings.
    let number = random.below(60).min(random.below(60));
    format!("{}{number}", ["alpha", "beta", "bet"][number % 3])
}

fn text(random: &mut Seeded, most: usize) -> String {
    (0..random.below(most + 1)).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

fn asks(random: &mut Seeded) -> Vec<Ask> {
    let one = |random: &mut Seeded| match random.below(6) {
        0 => Ask::Prefix(["alpha1", "bet", "beta2", "gamma"][random.below(4)].into()),
        1 => Ask::Phrase((0..=random.below(3)).map(|_| word(random)).collect()),
        _ => Ask::Word(word(random)),
    };
    (0..=random.below(4)).map(|_| one(random)).collect()
}

fn compare(index: &TextIndex, reference: &Reference, asks: &[Ask], weights: &[f32], place: &str) {
    let query = index.parse(&typed(asks));
    let want = reference.search(asks, weights);
    let got = index.search(&query, 1_000, None);
    let ranks =
        |labels: &[(u32, f64)]| labels.iter().map(|(label, rank)| (*label, *rank as f32)).collect::<Vec<_>>();
    assert_eq!(got.matches.len(), want.len(), "{place}: {asks:?}");
    let mut got: Vec<(u32, f64)> =
        got.matches.iter().map(|found| (found.label, found.score.into())).collect();
    // Sums in another order may part what is equal: compared by label.
    got.sort_by_key(|(label, _)| *label);
    let mut want = want;
    want.sort_by_key(|(label, _)| *label);
    for ((label, rank), (other, score)) in ranks(&want).iter().zip(ranks(&got)) {
        assert_eq!(*label, other, "{place}: {asks:?}");
        assert!((rank - score).abs() < 1e-5, "{place}: {asks:?}: label {label}: {score} is not {rank}");
    }
}

fn run(weights: &[f32], steps: usize, seed: u64) {
    let (mut random, seed) = Seeded::new(seed);
    let mut index =
        TextIndex::new(TextOptions { language: Language::None, weights: weights.to_vec() }).unwrap();
    let mut reference = Reference::default();
    for step in 0..steps {
        let place = format!("step {step}, seed {seed}");
        let label = random.below(150) as u32;
        if random.below(3) == 0 {
            assert_eq!(index.remove(label), reference.documents.remove(&label).is_some(), "{place}");
        } else {
            let texts: Vec<String> = weights.iter().map(|_| text(&mut random, 12)).collect();
            let fields: Vec<&str> = texts.iter().map(String::as_str).collect();
            index.insert(label, &fields).unwrap();
            reference.insert(label, &fields);
        }
        assert_eq!(index.contains(label), reference.documents.contains_key(&label), "{place}");
        assert_eq!(index.len(), reference.documents.len(), "{place}");
        if step % 7 == 0 {
            // Asking does not repeat an ask: the same word twice counts twice, as in the reference.
            compare(&index, &reference, &asks(&mut random), weights, &place);
        }
        if step % 500 == 250 {
            let mut left = random.below(4);
            let progress = index.optimize(&mut || {
                left = left.saturating_sub(1);
                left > 0
            });
            assert!(progress.done <= progress.total, "{place}");
        }
        if step % 900 == 800 {
            index = reload(&index);
        }
    }
    let progress = index.optimize(&mut || true);
    assert_eq!(progress.done, progress.total);
    for _ in 0..200 {
        compare(&index, &reference, &asks(&mut random), weights, &format!("at the end, seed {seed}"));
    }
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn follows_the_reference_with_one_field() {
    run(&[1.0], 6_000, 0x5eed_7e01);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn follows_the_reference_with_three_fields() {
    run(&[1.0, 3.0, 0.25], 3_000, 0x5eed_7e02);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn deleted_documents_are_cleared_away() {
    let mut index = super::index(Language::None);
    for round in 0..30u32 {
        for label in 0..200 {
            index.insert(label, &[&format!("word{label} round{round}")]).unwrap();
        }
    }
    assert!(index.segment.ordinals() < 2 * 200 + 1024 + 200, "{}", index.segment.ordinals());
    assert!(index.optimize(&mut || true).total < 2_000);
    assert_eq!(index.segment.ordinals(), 200);
    assert_eq!(index.segment.dictionary().len(), 201);
    assert_eq!(super::found(&index, "round29").len(), 100);
    assert!(super::found(&index, "round28").is_empty());
}
