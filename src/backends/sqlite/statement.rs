//! What SQLite is asked: the tables and every statement on them.
//!
//! **Invariants**
//! - Statements are prepared once a connection; values are always bound, never written into the text.
//! - `log` holds every entry after the trim point, without a gap, and at the trim point a row without an
//!   entry: so the latest sequence number outlives a log that was trimmed to its end.

use rusqlite::{CachedStatement, Connection, Result, Row};

const TABLES: &str = "
    CREATE TABLE records (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, version INTEGER NOT NULL, value BLOB NOT NULL);
    CREATE TABLE log (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL);";

pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";

pub(super) const GET: &str = "SELECT version, value FROM records WHERE key = ?1";
pub(super) const PUT: &str = "INSERT INTO records (key, version, value) VALUES (?1, ?2, ?3)
     ON CONFLICT (key) DO UPDATE SET version = ?2, value = ?3";
pub(super) const DELETE: &str = "DELETE FROM records WHERE key = ?1";
pub(super) const APPEND: &str = "INSERT INTO log (sequence, entry) VALUES (?1, ?2)";
pub(super) const TRIM: &str = "DELETE FROM log WHERE sequence <= ?1";
/// Log entries from ?1 to ?2, up to ?3 of them.
pub(super) const LOG: &str =
    "SELECT sequence, entry FROM log WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence LIMIT ?3";
pub(super) const LOG_REVERSE: &str =
    "SELECT sequence, entry FROM log WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence DESC LIMIT ?3";
/// Records from ?1 on, up to ?2 of them.
pub(super) const FROM: &str = "SELECT key, version, value FROM records WHERE key >= ?1 ORDER BY key LIMIT ?2";
pub(super) const FROM_REVERSE: &str =
    "SELECT key, version, value FROM records WHERE key >= ?1 ORDER BY key DESC LIMIT ?2";
/// Records from ?1 on and before ?3, up to ?2 of them.
pub(super) const BETWEEN: &str =
    "SELECT key, version, value FROM records WHERE key >= ?1 AND key < ?3 ORDER BY key LIMIT ?2";
pub(super) const BETWEEN_REVERSE: &str =
    "SELECT key, version, value FROM records WHERE key >= ?1 AND key < ?3 ORDER BY key DESC LIMIT ?2";

/// How many statements there are: each keeps its place in the cache.
pub(super) const COUNT: usize = 16;

/// The statement `sql`, from the cache.
pub(super) fn cached<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>> {
    connection.prepare_cached(sql)
}

/// Runs a statement that gives no rows and takes no values.
pub(super) fn run(connection: &Connection, sql: &str) -> Result<()> {
    cached(connection, sql)?.execute(()).map(|_| ())
}

/// The format in the header, which the write-ahead log may have renewed.
pub(super) fn format(connection: &Connection) -> Result<u32> {
    connection.query_row("PRAGMA user_version", (), |row| row.get(0))
}

/// Makes the tables of a new database, and reads the trim point and the latest sequence number.
pub(super) fn set_up(connection: &Connection) -> Result<(u64, u64)> {
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if tables == 0 {
        connection.execute_batch(&format!("{BEGIN};{TABLES}{COMMIT};"))?;
    }
    // That these can be prepared shows that the tables are there.
    for sql in [GET, PUT, DELETE, APPEND, TRIM, LOG, FROM, BETWEEN] {
        cached(connection, sql)?;
    }
    let first = "SELECT sequence, length(entry) FROM log ORDER BY sequence LIMIT 1";
    let mut first = connection.prepare(first)?;
    let mut first = first.query(())?;
    let trimmed = match first.next()? {
        Some(row) if row.get::<_, u64>(1)? == 0 => number(row, 0)?,
        Some(row) => number(row, 0)?.saturating_sub(1),
        None => 0,
    };
    let last = "SELECT coalesce(max(sequence), 0) FROM log";
    let head = connection.query_row(last, (), |row| number(row, 0))?;
    Ok((trimmed, head))
}

/// The sequence number or version in a column.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get(column)
}

/// How many records there are.
pub(super) fn count(connection: &Connection) -> Result<u64> {
    connection.query_row("SELECT count(*) FROM records", (), |row| row.get(0))
}

/// Moves the write-ahead log into the main file and empties it.
pub(super) fn checkpoint(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
}

/// What SQLite finds wrong with its structures.
pub(super) fn integrity(connection: &Connection) -> Result<Vec<String>> {
    // What is read has to come from the file.
    connection.execute_batch("PRAGMA shrink_memory")?;
    let mut check = connection.prepare("PRAGMA integrity_check")?;
    let mut found = check.query_map((), |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>>>()?;
    found.retain(|line| line != "ok");
    Ok(found)
}
