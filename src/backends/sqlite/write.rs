//! Writing: a commit is one transaction of SQLite around the shared verdicts.
//!
//! **Invariants**
//! - Whatever fails before `COMMIT` has succeeded is rolled back, and nothing of the commit is stored. That the
//!   disk is full shows there at the latest, since the commit's frames are sent inside of it: then the error is
//!   `Quota`, and the handle goes on.
//! - Success is reported only when every frame of the commit is with the host, so that it outlives the process.
//! - If the transaction can not be ended either way, or if it is open whether the disk holds it, the handle is
//!   given up: every later call gives the same error.

use std::cell::RefCell;

use super::database::Database;
use super::read;
use super::statement::{self, APPEND, BEGIN, COMMIT, DELETE, GET, PUT, ROLLBACK, TRIM};
use crate::backends::MAX_RECORD_BYTES;
use crate::backends::judge::{Judgement, Known, View, Write, check, first_touch_in, judge, push_value};
use crate::model::{Batch, Committed, Conflict, Key, Range};
use crate::{Error, Result};

const WHAT: &str = "writing a commit";

pub(super) fn commit(database: &mut Database, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
    check(batches, MAX_RECORD_BYTES)?;
    let begun = statement::run(&database.connection, BEGIN);
    begun.map_err(|error| database.error(WHAT, error))?;
    match judged(database, batches).and_then(|judgement| write(database, judgement)) {
        Ok(Written { verdicts, head, trimmed }) => {
            let ended = statement::run(&database.connection, COMMIT);
            // The frame that ended the commit took with it what waited. Should SQLite ever write behind it,
            // what is acknowledged must have left this process all the same.
            let settled =
                ended.map_err(|error| database.error(WHAT, error)).and_then(|()| database.settle(WHAT));
            if let Err(error) = settled {
                return Err(not_committed(database, error));
            }
            (database.head, database.trimmed) = (head, trimmed);
            Ok(verdicts)
        }
        Err(error) => Err(not_committed(database, error)),
    }
}

/// Ends the transaction that failed with `error`, and says what that means.
fn not_committed(database: &mut Database, error: Error) -> Error {
    if database.is_broken() {
        // What was written may have reached the disk, whole or in part.
        let unknown = Error::unavailable(format!(
            "{}: the outcome of the last commit is unknown, open it anew and read: {}",
            database.path(),
            error.message()
        ));
        let unknown = unknown.with_source(error);
        database.lost = Some(unknown.clone());
        return unknown;
    }
    // SQLite ends some transactions by itself.
    if !database.connection.is_autocommit()
        && let Err(cause) = statement::run(&database.connection, ROLLBACK)
    {
        let lost = database.error("taking back a commit; nothing of it is stored, open the file anew", cause);
        let lost = Error::unavailable(lost.message()).with_source(lost);
        database.lost = Some(lost.clone());
        return lost;
    }
    error
}

/// What is stored, as the verdicts ask for it. The first failure is kept, and ends the commit.
struct Stored<'a> {
    database: &'a Database,
    failed: RefCell<Option<Error>>,
}

impl Stored<'_> {
    fn or_none<T>(&self, found: Result<Option<T>>) -> Option<T> {
        found.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            None
        })
    }
}

impl View for Stored<'_> {
    fn known(&self, key: &Key) -> Option<Known> {
        let read = || -> rusqlite::Result<Option<Known>> {
            let mut select = statement::cached(&self.database.connection, GET)?;
            let mut rows = select.query([key.as_bytes()])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(Known::of(key, statement::number(row, 0)?, row.get_ref(1)?.as_blob()?)))
        };
        self.or_none(read().map_err(|error| self.database.error(WHAT, error).with_key(key.clone())))
    }

    fn log_floor(&self) -> u64 {
        self.database.trimmed
    }

    fn touched_since(&self, range: &Range, sequence: u64) -> Option<(Key, u64)> {
        self.or_none(read::find_entry(self.database, sequence, |entry| {
            first_touch_in(entry, range, sequence)
        }))
    }
}

fn judged<'a>(database: &Database, batches: &'a [Batch]) -> Result<Judgement<'a>> {
    let stored = Stored { database, failed: RefCell::new(None) };
    let judgement = judge(batches, database.head, &stored);
    match stored.failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(judgement),
    }
}

struct Written {
    verdicts: Vec<Result<Committed, Conflict>>,
    head: u64,
    trimmed: u64,
}

fn write(database: &Database, judgement: Judgement<'_>) -> Result<Written> {
    let Judgement { verdicts, writes, entries, trim_log } = judgement;
    let encoded = entries.iter().map(|entry| Ok((entry.sequence, entry.encode()?)));
    let encoded = encoded.collect::<Result<Vec<_>>>()?;
    let head = encoded.last().map_or(database.head, |(sequence, _)| *sequence);
    let trim = trim_log.map(|trim| trim.min(head)).filter(|&trim| trim > database.trimmed);
    let connection = &database.connection;
    let carry_out = || -> rusqlite::Result<()> {
        let mut changed = Vec::new();
        for (key, write) in writes {
            match write {
                Write::Put { value, version, created: None } => {
                    statement::cached(connection, PUT)?.execute((key.as_bytes(), version, value))?;
                }
                Write::Put { value, version, created } => {
                    changed.clear();
                    push_value(&mut changed, key, value, created);
                    statement::cached(connection, PUT)?.execute((key.as_bytes(), version, &changed))?;
                }
                Write::Delete => {
                    statement::cached(connection, DELETE)?.execute([key.as_bytes()])?;
                }
            }
        }
        for (sequence, entry) in &encoded {
            statement::cached(connection, APPEND)?.execute((sequence, entry))?;
        }
        if let Some(trim) = trim {
            statement::cached(connection, TRIM)?.execute([trim])?;
            statement::cached(connection, APPEND)?.execute((trim, &[] as &[u8]))?;
        }
        Ok(())
    };
    carry_out().map_err(|error| database.error(WHAT, error))?;
    Ok(Written { verdicts, head, trimmed: trim.unwrap_or(database.trimmed) })
}
