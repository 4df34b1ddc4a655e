//! Making the vectors anew: cut off, met by writers, and gone on with.

use super::shelf::{Shelf, point};
use super::*;
use crate::stores::{ReembedDocument, Reembedded};

/// What the new model makes of a text: two numbers.
fn embed(document: &ReembedDocument) -> Reembedded {
    let x = document.text.len() as f32;
    let n: f32 = document.id.parse().unwrap();
    Reembedded { id: document.id.clone(), version: document.version, vector: vec![n, x] }
}

fn with_model(model: &str) -> Wanted {
    Wanted { model: Some(model.into()), ..Wanted::default() }
}

#[test]
fn a_reembed_goes_on_where_it_ended_and_loses_to_writers() {
    block_on(async {
        let shelf = Shelf::new();
        let memory = shelf.memory().await;
        let old = memory
            .collection("notes", Wanted { model: Some("old".into()), ..Wanted::vectors(3, Metric::L2) })
            .unwrap();
        old.add(&(0..300).map(point).collect::<Vec<_>>(), None).await.unwrap();
        let mute = NewDocument { text: None, ..point(300) };
        old.add(&[mute], None).await.unwrap();
        assert_eq!(ids(&old, [7.0, 0.0, 0.0], 1).await, ["00007"]);

        let error = memory.collection("notes", with_model("new")).unwrap().count().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("\"old\"") && error.message().contains("reembed()"), "{error}");

        let new = memory.collection("notes", with_model("new")).unwrap();
        assert_eq!(new.reembed_page(10).await.unwrap_err().kind(), ErrorKind::Invalid, "nothing was begun");
        new.reembed_begin("new", 2).await.unwrap();
        assert_eq!(old.add(&[point(1)], None).await.unwrap_err().kind(), ErrorKind::Invalid);
        let page = new.reembed_page(100).await.unwrap();
        assert_eq!((page.documents.len(), page.total, page.done), (100, 300, 0));
        // Somebody changes one of them before its vector comes.
        let changed = NewDocument { vector: None, text: Some("changed".into()), ..point(50) };
        new.add(&[changed], None).await.unwrap();
        let vectors: Vec<Reembedded> = page.documents.iter().map(embed).collect();
        assert_eq!(new.reembed_store(&vectors).await.unwrap(), 1);
        assert_eq!(new.nearest(&[99.0, 0.0], 1, None).await.unwrap()[0].id, "00099");

        // Another process goes on, and is told to begin.
        let elsewhere = shelf.memory().await.collection("notes", with_model("new")).unwrap();
        elsewhere.reembed_begin("new", 2).await.unwrap();
        let mut seen = Vec::new();
        loop {
            let page = elsewhere.reembed_page(64).await.unwrap();
            if page.documents.is_empty() {
                assert_eq!((page.total, page.done), (300, 300));
                break;
            }
            seen.extend(page.documents.iter().map(|document| document.id.clone()));
            let vectors: Vec<Reembedded> = page.documents.iter().map(embed).collect();
            assert_eq!(elsewhere.reembed_store(&vectors).await.unwrap(), 0);
        }
        let expected: Vec<String> = [50].into_iter().chain(100..300).map(|n| format!("{n:05}")).collect();
        assert_eq!(seen, expected, "what was done is not done again");
        elsewhere.reembed_end().await.unwrap();
        assert_eq!(elsewhere.get("00300").await.unwrap().unwrap().vector, None, "no text, no vector");
        let found = elsewhere.nearest(&[50.0, 7.0], 1, None).await.unwrap();
        assert_eq!(found[0].id, "00050");
        let options = elsewhere.known_options().await.unwrap().unwrap().0;
        assert_eq!((options.dimensions, options.epoch, options.reembedding), (Some(2), 1, None));
        assert_eq!(options.model.as_deref(), Some("new"));
        // Without a word to the contrary the same model has nothing to do.
        elsewhere.reembed_begin("new", 2).await.unwrap();
        assert_eq!(elsewhere.reembed_page(9).await.unwrap().documents, []);
        let fresh = shelf.memory().await.collection("notes", with_model("new")).unwrap();
        assert_eq!(fresh.nearest(&[299.0, 0.0], 1, None).await.unwrap()[0].id, "00299");
    });
}

#[test]
fn the_pages_of_the_old_vectors_are_not_taken_for_the_new_ones() {
    block_on(async {
        let shelf = Shelf::new();
        let notes = shelf.filled(400).await;
        notes.reembed_begin("new", 3).await.unwrap();
        let again = shelf.memory().await.collection("notes", Wanted::default()).unwrap();
        assert_eq!(again.nearest(&[1.0, 0.0, 0.0], 5, None).await.unwrap(), []);
        let page = again.reembed_page(200).await.unwrap();
        let vectors: Vec<Reembedded> = page
            .documents
            .iter()
            .map(|document| Reembedded {
                vector: vec![0.0, 1.0, embed(document).vector[0]],
                ..embed(document)
            })
            .collect();
        assert_eq!(again.reembed_store(&vectors).await.unwrap(), 0);
        assert_eq!(again.count().await.unwrap(), 400);
        again.memory.maintain(1e9).await.unwrap();
        shelf.documents_read();
        let third = shelf.memory().await.collection("notes", Wanted::default()).unwrap();
        let found = third.nearest(&[0.0, 1.0, 150.0], 3, None).await.unwrap();
        assert_eq!(found[0].id, "00150");
        assert!(shelf.documents_read() < 60, "the new pages were stored");
        assert_eq!(third.count().await.unwrap(), 400);
        let mut follower = third.shared.follower.lock().await;
        let index = follower.up_to_date(&third.memory, "notes", &third.wanted).await.unwrap().unwrap();
        assert_eq!(index.pending(), 200);
    });
}

#[test]
fn vectors_that_do_not_fit_are_refused() {
    block_on(async {
        let shelf = Shelf::new();
        let notes = shelf.filled(3).await;
        let item = |vector| Reembedded { id: "00001".into(), version: 1, vector };
        assert_eq!(notes.reembed_store(&[item(vec![1.0; 2])]).await.unwrap_err().kind(), ErrorKind::Invalid);
        notes.reembed_begin("m", 2).await.unwrap();
        let notes = shelf.memory().await.collection("notes", Wanted::default()).unwrap();
        for vector in [vec![1.0; 3], vec![f32::NAN; 2], vec![]] {
            let error = notes.reembed_store(&[item(vector)]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().starts_with("items[0] (\"00001\")"), "{error}");
        }
        for (model, dimensions) in [("", 2), ("m", 0), ("m", 5_000)] {
            assert_eq!(notes.reembed_begin(model, dimensions).await.unwrap_err().kind(), ErrorKind::Invalid);
        }
        for limit in [0, 1_001] {
            assert_eq!(notes.reembed_page(limit).await.unwrap_err().kind(), ErrorKind::Invalid);
        }
    });
}
