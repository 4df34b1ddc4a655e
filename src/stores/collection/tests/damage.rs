//! Pages that are damaged, gone, or of another index: found again in the records, and mended.

use super::kept::{all, assert_right};
use super::shelf::{Shelf, point};
use super::*;
use crate::paged::PageId;
use crate::testing::rng::SplitMix64;

const SEED: u64 = 0xda_3a_6e;

#[test]
fn every_page_may_be_damaged_or_gone() {
    println!("seed {SEED:#x}");
    block_on(async {
        let shelf = Shelf::new();
        shelf.filled(300).await;
        let whole = shelf.pages().await;
        let mut rng = SplitMix64::new(SEED);
        for (key, record) in &whole {
            for gone in [false, true] {
                let mut bytes = record.value.clone();
                let at = rng.below(bytes.len());
                bytes[at] ^= 1 << rng.below(8);
                shelf.overwrite(key, (!gone).then_some(bytes)).await;
                assert_right(&shelf.notes().await, &all(300)).await;
                shelf.restore(&whole).await;
            }
        }
    });
}

#[test]
fn a_damaged_page_is_mended_with_the_next_write() {
    block_on(async {
        let shelf = Shelf::new();
        shelf.filled(300).await;
        for region in [1, 16, 17, 32] {
            let pages = shelf.pages().await;
            let of_region = |(key, _): &&(Key, crate::model::Record)| {
                PageId::of_key("notes", key).is_some_and(|(_, page)| page.region == region)
            };
            let (key, record) = pages.iter().find(of_region).unwrap_or_else(|| panic!("region {region}"));
            let mut bytes = record.value.clone();
            bytes[60] ^= 1;
            shelf.overwrite(key, Some(bytes)).await;
            let notes = shelf.notes().await;
            assert_right(&notes, &all(300)).await;
            notes.memory.maintain(1e9).await.unwrap();
            let page =
                notes.memory.verify(Some(crate::model::KeyBuilder::new(Space::Index).build())).await.unwrap();
            assert_eq!(page.problems, [], "region {region}");
            shelf.documents_read();
            let again = shelf.notes().await;
            assert_eq!(again.count().await.unwrap(), 300);
            assert_eq!(shelf.documents_read(), 0, "region {region}");
        }
    });
}

#[test]
fn pages_of_an_earlier_time_under_a_later_manifest_are_noticed() {
    block_on(async {
        let shelf = Shelf::new();
        let notes = shelf.filled(300).await;
        let before = shelf.pages().await;
        notes.delete("00100", None).await.unwrap();
        notes
            .add(&[point(300), NewDocument { text: Some("the word4 again".into()), ..point(4) }], None)
            .await
            .unwrap();
        notes.memory.maintain(1e9).await.unwrap();
        let expected: Vec<usize> = (0..301).filter(|n| *n != 100).collect();
        // All pages of before, under the manifest of now: each has a right checksum.
        for (key, record) in
            before.iter().filter(|(key, _)| PageId::of_key("notes", key).is_some_and(|(at, _)| at != 0))
        {
            shelf.overwrite(key, Some(record.value.clone())).await;
        }
        let again = shelf.notes().await;
        assert_eq!(again.count().await.unwrap(), 300);
        again.add(&[point(301)], None).await.unwrap();
        assert_eq!(ids(&again, [301.0, 0.0, 0.0], 1).await, ["00301"]);
        assert_eq!(expected.len(), 300);
    });
}

#[test]
fn a_manifest_of_another_database_is_not_believed() {
    block_on(async {
        let shelf = Shelf::new();
        shelf.filled(300).await;
        let pages = shelf.pages().await;
        let other = Shelf::new();
        let notes = other.notes().await;
        notes.add(&(300..340).map(point).collect::<Vec<_>>(), None).await.unwrap();
        other.restore(&pages[..pages.len().min(3)]).await;
        assert_right(&other.notes().await, &(300..340).collect::<Vec<_>>()).await;
    });
}
