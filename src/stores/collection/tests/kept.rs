//! Indexes that are kept in pages: opened without their documents, written by one of many, cut off in the
//! middle.

use super::shelf::{Shelf, point};
use super::*;
use crate::backends::Backend;
use crate::paged::PageId;
use crate::vector::VectorIndex;

/// The index holds exactly what the records hold, and finds it.
pub(super) async fn assert_right(notes: &Collection, expected: &[usize]) {
    assert_eq!(notes.count().await.unwrap(), expected.len());
    let mut follower = notes.shared.follower.lock().await;
    let index =
        follower.up_to_date(&notes.memory, "notes", &notes.wanted).await.unwrap().expect("it is there");
    for &n in expected {
        let id = format!("{n:05}");
        let label = index.directory.label(&id).unwrap_or_else(|| panic!("{id} is in the directory"));
        let entry = index.directory.entry(label).unwrap();
        assert_eq!(entry.metadata.field("year"), Some(&Value::Int(n as i64)), "{id}");
        assert!(index.holds(label, entry.version), "{id} is in all parts");
        let found = index.words.search(&index.words.parse(&format!("word{n}")), 5, None);
        assert_eq!(
            found.matches.iter().map(|hit| hit.label).collect::<Vec<_>>(),
            [label],
            "{id} by its word"
        );
    }
    let vectors = index.vectors.as_ref().expect("there are vectors");
    assert_eq!((vectors.len(), index.words.len()), (expected.len(), expected.len()));
    assert_eq!(vectors.check(), Vec::<String>::new());
    drop(follower);
    for &n in expected.iter().step_by(37) {
        assert_eq!(ids(notes, [n as f32, 0.0, 0.0], 1).await, [format!("{n:05}")]);
    }
}

pub(super) fn all(count: usize) -> Vec<usize> {
    (0..count).collect()
}

#[test]
fn an_index_is_opened_from_its_pages_and_the_log_behind_them() {
    block_on(async {
        let shelf = Shelf::new();
        let notes = shelf.filled(600).await;
        assert_right(&notes, &all(600)).await;
        shelf.documents_read();

        let again = shelf.notes().await;
        assert_eq!(again.count().await.unwrap(), 600);
        assert_eq!(shelf.documents_read(), 0, "no document is read to open the index");
        assert_right(&again, &all(600)).await;

        // What was written since comes by the log.
        again.add(&[point(600), point(601)], None).await.unwrap();
        again.delete("00007", None).await.unwrap();
        shelf.documents_read();
        let third = shelf.notes().await;
        assert_eq!(third.count().await.unwrap(), 601);
        assert_eq!(shelf.documents_read(), 2);
        let expected: Vec<usize> = (0..602).filter(|n| *n != 7).collect();
        assert_right(&third, &expected).await;
    });
}

#[test]
fn small_collections_and_storage_without_durability_are_not_kept() {
    block_on(async {
        let shelf = Shelf::new();
        let notes = shelf.filled(200).await;
        assert_eq!(notes.count().await.unwrap(), 200);
        notes.memory.close().await.unwrap();
        assert_eq!(shelf.pages().await, []);
        let backend = Arc::new(MemoryBackend::new());
        let notes = over(&backend).await.collection("notes", options()).unwrap();
        let documents: Vec<NewDocument> =
            (0..300).map(|n| document(&n.to_string(), [1.0, n as f32, 0.0], 1)).collect();
        notes.add(&documents, None).await.unwrap();
        notes.memory.maintain(1e9).await.unwrap();
        let found = backend.scan(&Range::space(Space::Index), crate::model::Page::first(9)).await.unwrap();
        assert_eq!(found.records, []);
    });
}

#[test]
fn pages_are_written_in_the_course_of_things_and_at_the_end() {
    block_on(async {
        let shelf = Shelf::new();
        let notes = shelf.notes().await;
        let documents: Vec<NewDocument> = (0..1_100).map(point).collect();
        notes.add(&documents[..900], None).await.unwrap();
        assert_eq!(shelf.pages().await, [], "not yet");
        notes.add(&documents[900..], None).await.unwrap();
        assert_ne!(shelf.pages().await, [], "a thousand changes are enough");
        notes.add(&[point(1_100)], None).await.unwrap();
        notes.memory.close().await.unwrap();
        shelf.documents_read();
        let again = shelf.notes().await;
        assert_eq!(again.count().await.unwrap(), 1_101);
        assert_eq!(shelf.documents_read(), 0, "closing has stored the last one");
    });
}

#[test]
fn a_trimmed_log_leads_to_the_records_and_not_to_a_new_index() {
    block_on(async {
        let shelf = Shelf::new();
        shelf.filled(400).await;
        let other = shelf.memory().await;
        let notes = other.collection("notes", Wanted::default()).unwrap();
        notes.add(&[point(400)], None).await.unwrap();
        notes.delete("00003", None).await.unwrap();
        let changed = NewDocument { text: Some("the word5 anew".into()), ..point(5) };
        notes.add(&[changed], None).await.unwrap();
        let head = other.head();
        other.commit(Batch { trim_log: Some(head), ..Batch::new(1) }).await.unwrap();
        let again = shelf.notes().await;
        let expected: Vec<usize> = (0..401).filter(|n| *n != 3).collect();
        assert_right(&again, &expected).await;
        assert_eq!(ids(&again, [5.0, 0.0, 0.0], 1).await, ["00005"]);
    });
}

#[test]
fn of_two_memories_one_writes_and_the_other_is_right_all_the_same() {
    block_on(async {
        let shelf = Shelf::new();
        shelf.filled(400).await;
        let (mine, theirs) = (shelf.notes().await, shelf.notes().await);
        assert_eq!(mine.count().await.unwrap() + theirs.count().await.unwrap(), 800);
        // Both begin with the same pages, and each would write its own on top.
        for n in 400..500 {
            let by = if n % 2 == 0 { &mine } else { &theirs };
            by.add(&[point(n)], None).await.unwrap();
            assert_eq!(mine.count().await.unwrap() + theirs.count().await.unwrap(), 2 * (n + 1));
        }
        mine.memory.maintain(1e9).await.unwrap();
        theirs.memory.maintain(1e9).await.unwrap();
        theirs.add(&[point(500)], None).await.unwrap();
        mine.memory.announce(theirs.memory.head());
        mine.memory.maintain(1e9).await.unwrap();
        theirs.memory.close().await.unwrap();
        let generations = shelf.generations().await;
        assert_eq!(generations.len(), 2, "the manifest's own, and that of the pages");
        assert_right(&shelf.notes().await, &all(501)).await;
        assert_right(&mine, &all(501)).await;
    });
}

#[test]
fn pages_that_are_left_behind_are_taken_over() {
    block_on(async {
        let shelf = Shelf::new();
        let first = shelf.filled(400).await;
        let second = shelf.notes().await;
        assert_eq!(second.count().await.unwrap(), 400);
        // The first has written since, and then writes no more.
        first.add(&[point(400)], None).await.unwrap();
        first.memory.maintain(1e9).await.unwrap();
        let before = shelf.generations().await;
        let documents: Vec<NewDocument> = (401..2_000).map(point).collect();
        for chunk in documents.chunks(500) {
            second.add(chunk, None).await.unwrap();
        }
        let after = shelf.generations().await;
        assert_eq!(after.len(), 2, "the old generation is gone");
        assert_ne!(before, after);
        second.memory.maintain(1e9).await.unwrap();
        shelf.documents_read();
        let again = shelf.notes().await;
        assert_eq!(again.count().await.unwrap(), 2_000);
        assert_eq!(shelf.documents_read(), 0);
        assert_right(&first, &all(2_000)).await;
    });
}

#[test]
fn a_full_write_may_end_at_any_commit() {
    block_on(async {
        let mut cut_off = 0;
        for commits in 0..6 {
            let shelf = Shelf::new();
            shelf.filled(300).await;
            // Nothing usable is stored, so everything is written: a claim, some batches, the manifest.
            shelf.overwrite(&manifest(), Some(vec![1; 9])).await;
            let notes = shelf.notes().await;
            assert_eq!(notes.count().await.unwrap(), 300);
            shelf.fail_after(commits);
            let flushed = notes.memory.flush_collections().await;
            shelf.mend();
            if let Err(error) = flushed {
                assert_eq!(error.kind(), ErrorKind::Quota);
                cut_off += 1;
            }
            assert_right(&notes, &all(300)).await;
            assert_right(&shelf.notes().await, &all(300)).await;
            // The next one succeeds, and leaves nothing behind.
            notes.add(&[point(300)], None).await.unwrap();
            notes.memory.flush_collections().await.unwrap();
            assert_eq!(shelf.generations().await.len(), 2, "{commits}");
            shelf.documents_read();
            assert_eq!(shelf.notes().await.count().await.unwrap(), 301);
            assert_eq!(shelf.documents_read(), 0, "{commits}");
        }
        assert!(cut_off >= 4, "it took more than a batch or two");
    });
}

fn manifest() -> Key {
    PageId { region: 0, number: 0 }.key("notes", 0)
}

#[test]
fn a_claim_ends_those_before_it_and_is_cleared_away_when_it_is_old() {
    block_on(async {
        let shelf = Shelf::new();
        let notes = shelf.filled(400).await;
        shelf.overwrite(&manifest(), None).await;
        let other = shelf.notes().await;
        other.count().await.unwrap();
        shelf.fail_after(1);
        assert!(other.memory.flush_collections().await.is_err(), "it has claimed, and got no further");
        shelf.mend();
        let claim = PageId { region: 0, number: 1 }.key("notes", 0);
        assert!(shelf.pages().await.iter().any(|(key, _)| *key == claim));
        let late = Memory::over(
            Arc::<Shelf>::clone(&shelf),
            true,
            Arc::new(crate::platform::ManualClock::at(10_000_000)),
        )
        .await
        .unwrap();
        late.collection("notes", Wanted::default()).unwrap();
        late.maintain(1e9).await.unwrap();
        assert!(shelf.pages().await.iter().all(|(key, _)| *key != claim));
        assert_right(&notes, &all(400)).await;
    });
}

#[test]
fn a_search_that_is_dropped_does_no_harm() {
    use std::task::{Context, Poll, Waker};
    block_on(async {
        let shelf = Shelf::new();
        shelf.filled(400).await;
        let notes = shelf.notes().await;
        for polls in 0..40 {
            notes.add(&[point(400 + polls)], None).await.unwrap();
            let mut counting = Box::pin(notes.count());
            for _ in 0..polls {
                if let Poll::Ready(counted) = counting.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                {
                    assert_eq!(counted.unwrap(), 401 + polls);
                    break;
                }
            }
        }
        assert_right(&notes, &all(440)).await;
    });
}
