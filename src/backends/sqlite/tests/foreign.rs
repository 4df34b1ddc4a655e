//! Files that are not ours, and places where no file can be: a typed error, and nothing is changed.

use super::*;
use crate::backends::sqlite::page::{self, PAGE_BYTES};

/// Opens `bytes` as a database, which is refused and leaves them as they are.
async fn refuses(bytes: &[u8], kind: ErrorKind) -> Error {
    let path = fresh_path();
    std::fs::write(&path, bytes).expect("can be written");
    let error = refused(open_at(&path).await, kind);
    assert!(error.message().contains(&path), "{error}");
    assert_eq!(std::fs::read(&path).expect("is there"), bytes);
    assert!(!std::fs::exists(format!("{path}.lock")).expect("can be asked"), "the lock is free");
    error
}

#[test]
fn other_files_are_refused_untouched() {
    block_on(async {
        refuses(b"not a database", ErrorKind::Invalid).await;
        refuses(&vec![0; 3 * PAGE_BYTES], ErrorKind::Invalid).await;
        refuses(b"SQLite format 3\0", ErrorKind::Invalid).await;
        let path = fresh_path();
        let foreign = rusqlite::Connection::open(&path).expect("opens");
        foreign.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").expect("writes");
        foreign.close().expect("closes");
        let theirs = std::fs::read(&path).expect("is there");
        let error = refuses(&theirs, ErrorKind::Invalid).await;
        assert!(error.message().contains("another program"), "{error}");
    });
}

#[test]
fn a_newer_format_is_refused_untouched() {
    block_on(async {
        let mut newer = page::first();
        newer[60..64].copy_from_slice(&(page::FORMAT + 1).to_be_bytes());
        page::stamp(&mut newer, 1);
        let error = refuses(&newer, ErrorKind::Version).await;
        assert!(error.message().contains("format 2"), "{error}");
    });
}

/// A database whose write-ahead log alone has what `sql` changed; it is refused and left as it is.
fn refuses_the_log_of(sql: &str, kind: ErrorKind) {
    let path = fresh_path();
    let files: Arc<dyn FileSystem> = Arc::new(NativeFiles);
    let database = Database::open(&files, &path, Durability::Relaxed).expect("opens");
    database.connection.execute_batch(sql).expect("writes");
    let killed = fresh_path();
    for suffix in ["", "-wal"] {
        std::fs::copy(format!("{path}{suffix}"), format!("{killed}{suffix}")).expect("can be copied");
    }
    offload_close(database);
    let content = || ["", "-wal"].map(|suffix| std::fs::read(format!("{killed}{suffix}")).expect("is there"));
    let before = content();
    assert!(!before[1].is_empty());
    block_on(async { refused(open_at(&killed).await, kind) });
    assert!(content() == before, "it was changed");
}

#[test]
fn what_only_the_log_tells_is_refused_untouched() {
    refuses_the_log_of("PRAGMA user_version = 2", ErrorKind::Version);
    refuses_the_log_of("DROP TABLE log", ErrorKind::Corrupt);
}

#[test]
fn a_file_that_was_cut_off_is_corrupt_and_untouched() {
    block_on(async {
        let path = fresh_path();
        let backend = open_at(&path).await.expect("opens");
        for number in 0..100 {
            put(&backend, &format!("{number}"), &[1; 500]).await.expect("writes");
        }
        backend.close().await.expect("closes");
        let whole = std::fs::read(&path).expect("is there");
        assert!(whole.len() > 10 * PAGE_BYTES);
        for length in [1, 50, 99] {
            refuses(&whole[..length], ErrorKind::Invalid).await;
        }
        for length in [100, 512, PAGE_BYTES - 1, PAGE_BYTES, 5 * PAGE_BYTES + 7, whole.len() - 1] {
            refuses(&whole[..length], ErrorKind::Corrupt).await;
        }
    });
}

#[test]
fn tables_that_are_not_ours_are_corrupt() {
    block_on(async {
        let path = fresh_path();
        std::fs::write(&path, page::first()).expect("can be written");
        let files: Arc<dyn FileSystem> = Arc::new(NativeFiles);
        let database = Database::open(&files, &path, Durability::Relaxed).expect("opens");
        database.connection.execute_batch("DROP TABLE log").expect("drops");
        offload_close(database);
        let error = refused(open_at(&path).await, ErrorKind::Corrupt);
        assert!(error.message().contains("log"), "{error}");
    });
}

fn offload_close(database: Database) {
    use crate::backends::offload::Blocking as _;
    database.close().expect("closes");
}

#[test]
fn an_empty_file_is_a_new_database() {
    block_on(async {
        let path = fresh_path();
        std::fs::write(&path, b"").expect("can be written");
        let backend = open_at(&path).await.expect("opens");
        assert_eq!(put(&backend, "a", b"x").await.expect("goes through"), 1);
    });
}

#[test]
fn places_where_no_file_can_be_are_refused() {
    block_on(async {
        let path = fresh_path();
        let error = refused(open_at(&format!("{path}/deeper/x.db")).await, ErrorKind::NotFound);
        assert!(error.message().contains("create it first"), "{error}");
        assert!(!std::fs::exists(&path).expect("can be asked"));
        std::fs::create_dir(&path).expect("can be made");
        refused(open_at(&path).await, ErrorKind::Invalid);
    });
}

#[test]
fn a_log_without_its_database_is_kept() {
    block_on(async {
        let path = fresh_path();
        std::fs::write(format!("{path}-wal"), b"what was last written").expect("can be written");
        let error = refused(open_at(&path).await, ErrorKind::Corrupt);
        assert!(error.message().contains("-wal"), "{error}");
        assert_eq!(std::fs::read(format!("{path}-wal")).expect("is there"), b"what was last written");
        assert!(!std::fs::exists(&path).expect("can be asked"));
    });
}
