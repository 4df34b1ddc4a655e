//! Pages: what comes back, what is refused, what is lost.

use std::collections::BTreeMap;

use super::super::pages::{FORWARD, TERMS};
use super::super::{Language, TextIndex, TextOptions, varint};
use super::{found, index, index_of};
use crate::ErrorKind;
use crate::paged::{Loading, PageId, Paged};
use crate::vector::seeded::Seeded;

type Pages = BTreeMap<PageId, Vec<u8>>;

/// Stores what changed, as a store would.
fn store(index: &mut TextIndex, pages: &mut Pages) {
    for page in index.dirty() {
        match index.page(page) {
            Some(bytes) => drop(pages.insert(page, bytes)),
            None => drop(pages.remove(&page)),
        }
    }
    index.set_clean();
}

fn load(header: &[u8], pages: &Pages) -> crate::Result<TextIndex> {
    let mut loader = TextIndex::loader(header)?;
    for (page, bytes) in pages {
        // A damaged page counts as lost.
        let _ = loader.page(*page, bytes);
    }
    loader.finish()
}

/// The index as it is after it was stored and opened again.
pub(super) fn reload(index: &TextIndex) -> TextIndex {
    let fields = index.options().weights.len() as u32;
    let regions = [(FORWARD, index.segment.pages()), (TERMS, index.segment.dictionary().len() as u32)];
    let mut pages = Pages::new();
    for (region, most) in regions {
        for page in (0..most).map(|number| PageId { region, number }) {
            pages.extend(index.page(page).map(|bytes| (page, bytes)));
        }
    }
    let loaded = load(&index.header(), &pages).unwrap();
    assert_eq!((loaded.len(), loaded.options()), (index.len(), index.options()));
    assert_eq!(loaded.dirty(), [], "{fields} fields");
    loaded
}

fn large() -> (TextIndex, Vec<String>) {
    let (mut random, _) = Seeded::new(0x5eed_7e10);
    let mut large = index(Language::English);
    let texts: Vec<String> = (0..1_500)
        .map(|n| {
            format!("label{n} ") + &(0..40).map(|_| format!("w{} ", random.below(6_000))).collect::<String>()
        })
        .collect();
    for (label, text) in texts.iter().enumerate() {
        large.insert(label as u32, &[text]).unwrap();
    }
    (large, texts)
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn only_what_changed_is_dirty_and_all_comes_back() {
    let (mut index, texts) = large();
    let mut pages = Pages::new();
    store(&mut index, &mut pages);
    assert!(pages.keys().filter(|page| page.region == FORWARD).count() > 3);
    assert!(pages.keys().filter(|page| page.region == TERMS).count() > 2);
    assert!(pages.values().all(|bytes| bytes.len() < 64 << 10));
    index.remove(0);
    index.insert(1_400, &["something else"]).unwrap();
    assert!(index.dirty().len() <= 5, "{:?}", index.dirty());
    store(&mut index, &mut pages);
    let loaded = load(&index.header(), &pages).unwrap();
    assert!(loaded.dirty().is_empty());
    for query in ["w7", "w1 w2 w3", "something", "\"something else\"", "w59*", &texts[77]] {
        let (a, b) =
            (index.search(&index.parse(query), 50, None), loaded.search(&loaded.parse(query), 50, None));
        assert_eq!(a.matches, b.matches, "{query}");
    }
    let (mut loaded, mut index) = (loaded, index);
    index.set_dirty();
    loaded.set_dirty();
    assert_eq!(index.dirty(), loaded.dirty());
    assert!(index.dirty().iter().all(|page| loaded.page(*page) == index.page(*page)));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn pages_that_a_copy_left_behind_are_named() {
    let (mut index, _) = large();
    let mut pages = Pages::new();
    store(&mut index, &mut pages);
    let before = pages.len();
    for label in 100..1_500 {
        index.remove(label);
    }
    index.optimize(&mut || true);
    store(&mut index, &mut pages);
    assert!(pages.len() < before / 2, "{} of {before}", pages.len());
    let loaded = load(&index.header(), &pages).unwrap();
    assert_eq!((loaded.len(), found(&loaded, "label99")), (100, vec![99]));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn documents_of_lost_pages_are_not_in_it() {
    let (mut index, texts) = large();
    let mut pages = Pages::new();
    store(&mut index, &mut pages);
    for region in [FORWARD, TERMS] {
        let lost = PageId { region, number: 1 };
        let mut rest = pages.clone();
        rest.remove(&lost);
        let mut loaded = load(&index.header(), &rest).unwrap();
        assert!(loaded.len() < index.len() && loaded.dirty().contains(&lost), "{}", loaded.len());
        // What is there is right, and what is added again is found as before.
        for label in 0..texts.len() as u32 {
            assert_eq!(found(&loaded, &format!("label{label}")).contains(&label), loaded.contains(label));
            if !loaded.contains(label) {
                loaded.insert(label, &[&texts[label as usize]]).unwrap();
            }
        }
        store(&mut loaded, &mut rest);
        let again = load(&loaded.header(), &rest).unwrap();
        for query in ["w7", "w1 w2 w3", "label1499", "w59*"] {
            let (a, b) =
                (index.search(&index.parse(query), 50, None), again.search(&again.parse(query), 50, None));
            assert_eq!(a.matches, b.matches, "{query}");
        }
    }
    let none = Pages::new();
    assert_eq!(load(&index.header(), &none).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn headers_of_others_are_refused() {
    let options = TextOptions { language: Language::German, weights: vec![1.0, 2.0] };
    let header = TextIndex::new(options.clone()).unwrap().header();
    assert_eq!(load(&header, &Pages::new()).unwrap().options(), &options);
    for at in 0..header.len() {
        assert_eq!(TextIndex::loader(&header[..at]).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    for at in 0..2 {
        let mut other = header.clone();
        other[at] += 1;
        assert_eq!(TextIndex::loader(&other).unwrap_err().kind(), ErrorKind::Corrupt, "another version");
    }
    let mut huge = header[..header.len() - 2].to_vec();
    varint::write(u32::MAX, &mut huge);
    varint::write(1 << 20, &mut huge);
    assert_eq!(load(&huge, &Pages::new()).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn a_label_that_is_there_twice_is_lost() {
    let mut one = index_of(Language::None, &["first text", "second text", "third"]);
    let mut pages = Pages::new();
    store(&mut one, &mut pages);
    let page = PageId { region: FORWARD, number: 0 };
    let bytes = pages.get_mut(&page).unwrap();
    // The label of the second document becomes that of the first.
    let second = 1 + 2 + bytes[2] as usize;
    assert_eq!(bytes[second], 1);
    bytes[second] = 0;
    let loaded = load(&one.header(), &pages).unwrap();
    assert_eq!((loaded.len(), loaded.contains(2), loaded.dirty()), (1, true, vec![page]));
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn flipped_bytes_never_make_it_unsound() {
    let (mut random, seed) = Seeded::new(0x5eed_7e11);
    let texts =
        ["alpha beta gamma", "beta beta delta epsilon", "gamma alpha", "ζeta ηta", "one two three four"];
    let mut index = index_of(Language::English, &texts);
    let mut pages = Pages::new();
    store(&mut index, &mut pages);
    for round in 0..4_000 {
        let (mut header, mut damaged) = (index.header(), pages.clone());
        for _ in 0..=random.below(3) {
            let bytes = match random.below(5) {
                0 => &mut header,
                _ => damaged.values_mut().nth(random.below(pages.len())).unwrap(),
            };
            match random.below(4) {
                0 => bytes.truncate(random.below(bytes.len() + 1)),
                1 => bytes.push(random.next() as u8),
                _ if bytes.is_empty() => {}
                _ => {
                    let at = random.below(bytes.len());
                    bytes[at] = random.next() as u8;
                }
            }
        }
        let Ok(mut loaded) = load(&header, &damaged) else { continue };
        for query in ["alpha", "beta gamma", "\"alpha beta\"", "a* b*", "delta"] {
            for found in loaded.search(&loaded.parse(query), 10, None).matches {
                let place = format!("round {round}, seed {seed}, {query}");
                assert!(found.score > 0.0 && loaded.contains(found.label), "{place}");
            }
        }
        let labels: Vec<u32> = (0..300).filter(|label| loaded.contains(*label)).collect();
        for label in labels {
            assert!(loaded.remove(label), "round {round}, seed {seed}");
        }
        loaded.insert(0, &["alpha"; 1]).unwrap();
        assert!(found(&loaded, "alpha").contains(&0), "round {round}, seed {seed}");
    }
}
