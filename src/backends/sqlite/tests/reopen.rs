//! What is there after a database was closed, dropped or held.

use super::*;
use crate::model::{Page, Range, Space};

#[test]
fn what_was_written_is_there_again_and_the_closed_database_is_one_file() {
    block_on(async {
        let path = fresh_path();
        let backend = open_at(&path).await.expect("opens");
        assert_eq!(put(&backend, "a", b"one").await.expect("goes through"), 1);
        assert_eq!(put(&backend, "b", &[7; 100_000]).await.expect("goes through"), 2);
        assert!(std::fs::exists(format!("{path}-wal")).expect("can be asked"));
        backend.close().await.expect("closes");
        for companion in ["-wal", "-shm", "-journal", ".lock", ".new"] {
            assert!(!std::fs::exists(format!("{path}{companion}")).expect("can be asked"), "{companion}");
        }
        let backend = open_at(&path).await.expect("opens again");
        assert_eq!(get(&backend, "a").await.expect("goes through"), Some(b"one".to_vec()));
        assert_eq!(get(&backend, "b").await.expect("goes through"), Some(vec![7; 100_000]));
        assert_eq!(put(&backend, "a", b"two").await.expect("goes through"), 3);
        drop(backend);
        let backend = open_at(&path).await.expect("opens after a drop");
        assert_eq!(get(&backend, "a").await.expect("goes through"), Some(b"two".to_vec()));
        assert_eq!(backend.check().await.expect("goes through"), Vec::<String>::new());
    });
}

#[test]
fn numbers_go_on_after_a_log_that_was_trimmed_to_its_end() {
    block_on(async {
        let path = fresh_path();
        let backend = open_at(&path).await.expect("opens");
        for number in 1..=5 {
            assert_eq!(put(&backend, "a", b"x").await.expect("goes through"), number);
        }
        let trim = Batch { trim_log: Some(99), ..Batch::new(1) };
        backend.commit(&[trim]).await.expect("trims");
        backend.close().await.expect("closes");
        let backend = open_at(&path).await.expect("opens again");
        assert_eq!(backend.stats().await.expect("counts").sequence, 5);
        let log = backend.scan(&Range::space(Space::Log), Page::first(9)).await.expect("scans");
        assert_eq!(log.records, []);
        // A range that was read before the trim may have changed since.
        let batch = Batch::new(1).put(key("b"), vec![]).require_unchanged(Range::space(Space::Record), 4);
        let verdict = backend.commit(&[batch]).await.expect("commits").remove(0);
        assert_eq!(verdict.expect_err("is a conflict").found, Some(5));
        assert_eq!(put(&backend, "a", b"y").await.expect("goes through"), 6);
        let log = backend.scan(&Range::space(Space::Log), Page::first(9)).await.expect("scans");
        assert_eq!(log.records.len(), 1);
    });
}

#[test]
fn a_second_holder_is_told_who_the_first_is() {
    block_on(async {
        let path = fresh_path();
        let first = open_at(&path).await.expect("opens");
        put(&first, "a", b"x").await.expect("writes");
        let error = refused(open_at(&path).await, ErrorKind::Blocked);
        assert!(error.message().contains(&std::process::id().to_string()), "{error}");
        assert_eq!(get(&first, "a").await.expect("goes through"), Some(b"x".to_vec()));
        first.close().await.expect("closes");
        let second = open_at(&path).await.expect("is free");
        refused(get(&first, "a").await, ErrorKind::Closed);
        assert_eq!(get(&second, "a").await.expect("goes through"), Some(b"x".to_vec()));
    });
}

#[test]
fn any_sqlite_reads_the_file() {
    block_on(async {
        let path = fresh_path();
        let backend = open_at(&path).await.expect("opens");
        for number in 0..300 {
            put(&backend, &format!("id-{number}"), &[number as u8; 700]).await.expect("writes");
        }
        backend.close().await.expect("closes");
        let before = std::fs::read(&path).expect("is there");
        let plain = rusqlite::Connection::open(&path).expect("opens with SQLite's own file system");
        let whole: String = plain.query_row("PRAGMA integrity_check", (), |row| row.get(0)).expect("checks");
        assert_eq!(whole, "ok");
        let mut select = plain.prepare("SELECT value FROM records WHERE key = ?1").expect("prepares");
        let value: Vec<u8> = select.query_row([key("id-7").as_bytes()], |row| row.get(0)).expect("reads");
        assert_eq!(value, [7; 700]);
        drop(select);
        plain.close().expect("closes");
        assert_eq!(std::fs::read(&path).expect("is there"), before, "reading changes nothing");
        let backend = open_at(&path).await.expect("opens again");
        assert_eq!(backend.stats().await.expect("counts").keys, 300);
    });
}

#[test]
fn paths_of_all_kinds_are_taken() {
    block_on(async {
        for name in ["a b?x=1#y.db", "file:x.db", "Zürich%20.db", &"n".repeat(200)] {
            let folder = fresh_path();
            std::fs::create_dir(&folder).expect("can be made");
            let path = format!("{folder}/{name}");
            let backend = open_at(&path).await.expect("opens");
            put(&backend, "a", b"x").await.expect("writes");
            backend.close().await.expect("closes");
            assert_eq!(std::fs::read_dir(&folder).expect("lists").count(), 1, "{name}");
            assert!(std::fs::exists(&path).expect("can be asked"), "{name}");
        }
    });
}

/// A file that the first release of this format wrote: 20 records of 700 bytes. The tests in wasm read it too.
#[test]
fn a_file_of_the_first_release_is_read_and_written() {
    block_on(async {
        let path = fresh_path();
        std::fs::write(&path, include_bytes!("../../../../tests/golden/sqlite-v1.db"))
            .expect("can be written");
        let backend = open_at(&path).await.expect("opens");
        for number in 0..20u8 {
            let found = get(&backend, &number.to_string()).await.expect("goes through");
            assert_eq!(found, Some(vec![number; 700]));
        }
        assert_eq!(put(&backend, "new", b"x").await.expect("goes through"), 21);
        assert_eq!(backend.check().await.expect("goes through"), Vec::<String>::new());
    });
}

#[test]
fn a_database_that_was_closed_dropped_or_refused_is_out_of_reach_of_sqlite() {
    let files: Arc<dyn FileSystem> = Arc::new(NativeFiles);
    let volumes = crate::backends::sqlite::vfs::volumes().expect("are registered");
    let path = fresh_path();
    let mut names = Vec::new();
    for cycle in 0..200 {
        let database = Database::open(&files, &path, Durability::Relaxed).expect("opens");
        names.push(database.connection.path().expect("has a name").to_owned());
        if cycle % 2 == 0 {
            crate::backends::offload::Blocking::close(database).expect("closes");
        }
    }
    for name in names {
        assert!(volumes.find(&name).is_none(), "{name} is still there");
    }
}
