//! Searches while others write.

use super::meddling::Meddling;
use super::*;
use crate::model::Record;
use crate::vector::Keep;

#[test]
fn what_others_wrote_and_did_not_tell_of_is_noticed_at_the_hits() {
    block_on(async {
        let world = World::new();
        let (mine, theirs) = (world.notes().await, world.notes().await);
        let added = [
            document("a", "cat", &[1.0, 0.0]).with(&[("year", Value::Int(1))]),
            document("b", "cat", &[0.9, 0.1]).with(&[("year", Value::Int(1))]),
            document("c", "cat", &[0.8, 0.2]).with(&[("year", Value::Int(1))]),
        ];
        mine.add(&added, None).await.unwrap();
        assert_eq!(ids(&mine, &by_vector(&[1.0, 0.0])).await, ["a", "b", "c"]);
        theirs.delete("a", None).await.unwrap();
        assert_eq!(ids(&mine, &by_vector(&[1.0, 0.0])).await, ["b", "c"], "deleted");
        theirs.add(&[document("b", "cat", &[-1.0, 0.0])], None).await.unwrap();
        let hits = found(&mine, &by_vector(&[1.0, 0.0])).await;
        assert_eq!([&hits[0].id, &hits[1].id], ["c", "b"], "another vector");
        assert_eq!(hits[1].score, -1.0);
        let other = document("c", "dog", &[0.8, 0.2]).with(&[("year", Value::Int(2))]);
        theirs.add(&[other], None).await.unwrap();
        let filtered = SearchRequest { filter: filter(&[("year", Value::Int(1))]), ..by_vector(&[1.0, 0.0]) };
        assert!(ids(&mine, &filtered).await.is_empty(), "other metadata");
        theirs.add(&[document("b", "dog", &[])], None).await.unwrap();
        assert_eq!(ids(&mine, &by_vector(&[1.0, 0.0])).await, ["c"], "the vector is gone");
        assert!(ids(&mine, &by_text("cat")).await.is_empty(), "other texts");
    });
}

async fn meddled(backend: &Arc<Meddling>, wanted: Wanted) -> Collection {
    let shared: Arc<dyn Backend> = Arc::<Meddling>::clone(backend);
    let memory = Memory::over(shared, true, Arc::new(ManualClock::at(1_000))).await.unwrap();
    memory.collection("notes", wanted).unwrap()
}

/// Documents "0" to "8" with the word "cat", less and less like [1, 0].
async fn nine(notes: &Collection) {
    let one =
        |n: u8| document(&n.to_string(), "cat", &[1.0, f32::from(n) / 10.0]).with(&[("year", Value::Int(1))]);
    notes.add(&(0..9).map(one).collect::<Vec<_>>(), None).await.unwrap();
}

/// Another version of a document that the index can never learn of: the log says nothing of it.
async fn unheard_of(document: NewDocument) -> Record {
    let backend = Arc::new(Meddling::new());
    let notes = meddled(&backend, Wanted::default()).await;
    for _ in 0..9 {
        notes.add(std::slice::from_ref(&document), None).await.unwrap();
    }
    backend.stored(&document.id).await
}

#[test]
fn in_the_end_the_record_judges() {
    block_on(async {
        let backend = Arc::new(Meddling::new());
        let notes = meddled(&backend, Wanted::default()).await;
        nine(&notes).await;
        let year = |year| [("year", Value::Int(year))];
        backend.answer("0", Some(unheard_of(document("0", "cat", &[0.0, 1.0]).with(&year(1))).await));
        backend.answer("1", Some(unheard_of(document("1", "cat", &[1.0, 0.1]).with(&year(2))).await));
        backend.answer("2", Some(unheard_of(document("2", "cat", &[]).with(&year(1))).await));
        backend.answer("3", None);
        let request = SearchRequest { limit: 5, filter: filter(&year(1)), ..by_vector(&[1.0, 0.0]) };
        let hits = found(&notes, &request).await;
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["4", "0"]);
        assert_eq!((hits[1].score, hits[1].parts.vector), (0.0, Some(0.0)));
        let above = SearchRequest { min_score: Some(0.1), ..request.clone() };
        assert_eq!(ids(&notes, &above).await, ["4"]);
        let hits = found(&notes, &SearchRequest { text: Some("cat".into()), ..request.clone() }).await;
        let ids: Vec<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(ids, ["0", "2", "4"], "found by its words, whatever became of its vector");
        assert_eq!([hits[0].parts.vector, hits[1].parts.vector], [Some(0.0), None]);
    });
}

#[test]
fn a_damaged_record_is_left_out_and_its_place_is_taken() {
    block_on(async {
        for request in [by_vector(&[1.0, 0.0]), by_text("cat"), by_both("cat", &[1.0, 0.0])] {
            let backend = Arc::new(Meddling::new());
            let notes = meddled(&backend, Wanted::default()).await;
            nine(&notes).await;
            let request = SearchRequest { limit: 3, ..request };
            assert_eq!(ids(&notes, &request).await, ["0", "1", "2"]);
            let mut record = backend.stored("1").await;
            *record.value.last_mut().unwrap() ^= 1;
            backend.answer("1", Some(record));
            assert_eq!(ids(&notes, &request).await, ["0", "2", "3"]);
            backend.take_reads();
            assert_eq!(ids(&notes, &request).await, ["0", "2", "3"]);
            assert_eq!(backend.take_reads(), (3, 1), "it is not come across again");
        }
    });
}

#[test]
fn a_record_is_read_once() {
    block_on(async {
        for keep in [Keep::F32, Keep::Codes] {
            let backend = Arc::new(Meddling::new());
            let notes = meddled(&backend, Wanted { keep: Some(keep), ..Wanted::default() }).await;
            nine(&notes).await;
            for request in [by_vector(&[1.0, 0.0]), by_text("cat"), by_both("cat", &[1.0, 0.0])] {
                let request = SearchRequest { limit: 4, highlight: request.text.is_some(), ..request };
                backend.take_reads();
                assert_eq!(ids(&notes, &request).await.len(), 4);
                let (reads, turns) = backend.take_reads();
                let most = if keep == Keep::F32 || request.vector.is_none() { 4 } else { 9 };
                assert!(reads <= most && turns == 1, "{keep:?}: {reads} documents in {turns} turns");
            }
        }
    });
}

#[test]
fn equal_scores_are_not_read_again_and_again() {
    block_on(async {
        let backend = Arc::new(Meddling::new());
        let notes = meddled(&backend, Wanted { keep: Some(Keep::Codes), ..Wanted::default() }).await;
        let same: Vec<NewDocument> =
            (0..300).map(|n| document(&format!("{:03}", (n * 7) % 300), "", &[1.0, 1.0])).collect();
        notes.add(&same, None).await.unwrap();
        backend.take_reads();
        let hits = ids(&notes, &SearchRequest { limit: 3, ..by_vector(&[1.0, 0.0]) }).await;
        assert_eq!(hits, ["000", "001", "002"]);
        assert!(backend.take_reads().0 <= 300);
    });
}
