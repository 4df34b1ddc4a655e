//! Reading: single keys, pages of records, pages of the log.
//!
//! **Invariants**
//! - A row whose key none of ours could be is passed over, so that it stands in nobody's way; a check
//!   reports it.

use rusqlite::{Connection, Row};

use super::database::Database;
use super::statement::{self, BETWEEN, BETWEEN_REVERSE, FROM, FROM_REVERSE, GET, LOG, LOG_REVERSE};
use crate::backends::{ScanPage, rest_of};
use crate::model::{Key, LogEntry, Page, Range, Record, Space};
use crate::{Error, Result};

pub(super) fn get(database: &Database, keys: &[Key]) -> Result<Vec<Option<Record>>> {
    let mut records = Vec::with_capacity(keys.len());
    let mut select = statement::cached(&database.connection, GET)
        .map_err(|error| database.error("reading a record", error))?;
    for key in keys {
        let mut read = || -> rusqlite::Result<Option<Record>> {
            let mut rows = select.query([key.as_bytes()])?;
            rows.next()?.map(|row| record(row, 0)).transpose()
        };
        let found = read();
        records.push(found.map_err(|error| database.error("reading a record", error).with_key(key.clone()))?);
    }
    Ok(records)
}

/// The record in the columns from `column` on.
fn record(row: &Row<'_>, column: usize) -> rusqlite::Result<Record> {
    let value = row.get_ref(column + 1)?.as_blob()?.to_vec();
    Ok(Record { version: statement::number(row, column)?, value })
}

pub(super) fn scan(database: &Database, range: &Range, page: &Page) -> Result<ScanPage> {
    let rest = rest_of(range, page)?;
    if rest.is_empty() {
        return Ok(ScanPage { records: Vec::new(), cursor: None });
    }
    let found = if rest.start().first() == Some(&(Space::Log as u8)) {
        scan_log(database, &rest, page)
    } else {
        scan_records(&database.connection, &rest, page)
    };
    let records = found.map_err(|error| match error {
        Fault::Sqlite(error) => database.error("reading a page", error),
        Fault::Entry(error) => error,
    })?;
    Ok(ScanPage::first(records, page.limit))
}

enum Fault {
    Sqlite(rusqlite::Error),
    Entry(Error),
}

impl<E: Into<rusqlite::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Sqlite(error.into())
    }
}

fn scan_records(
    connection: &Connection,
    rest: &Range,
    page: &Page,
) -> std::result::Result<Vec<(Key, Record)>, Fault> {
    let wanted = page.limit.saturating_add(1);
    let mut records = Vec::new();
    let mut rest = rest.clone();
    loop {
        let asked = wanted - records.len();
        let limit = i64::try_from(asked).unwrap_or(i64::MAX);
        let sql = match (rest.end(), page.reverse) {
            (None, false) => FROM,
            (None, true) => FROM_REVERSE,
            (Some(_), false) => BETWEEN,
            (Some(_), true) => BETWEEN_REVERSE,
        };
        let mut select = statement::cached(connection, sql)?;
        let mut rows = match rest.end() {
            None => select.query((rest.start(), limit))?,
            Some(end) => select.query((rest.start(), limit, end))?,
        };
        let mut met = 0;
        let mut last = Vec::new();
        while let Some(row) = rows.next()? {
            met += 1;
            let bytes = row.get_ref(0)?.as_blob()?;
            match Key::decode(bytes) {
                Ok(key) => records.push((key, record(row, 1)?)),
                Err(_) => last = bytes.to_vec(),
            }
        }
        // Only rows that were passed over make it go on.
        if met < asked || records.len() >= wanted || last.is_empty() {
            return Ok(records);
        }
        rest = after(&rest, records.last().map(|(key, _)| key.as_bytes()), last, page.reverse);
    }
}

/// What is left of `rest` behind the later, in reading order, of a record and of a row passed over.
fn after(rest: &Range, record: Option<&[u8]>, passed: Vec<u8>, reverse: bool) -> Range {
    let end = rest.end().map(<[u8]>::to_vec);
    match record {
        _ if reverse => {
            let read = record.map_or(passed.as_slice(), |record| record.min(&passed)).to_vec();
            Range::new(rest.start().to_vec(), Some(read))
        }
        Some(record) if record > passed.as_slice() => Range::new([record, &[0]].concat(), end),
        _ => Range::new([passed.as_slice(), &[0]].concat(), end),
    }
}

fn scan_log(
    database: &Database,
    rest: &Range,
    page: &Page,
) -> std::result::Result<Vec<(Key, Record)>, Fault> {
    let (first, last) = rest.log_sequences();
    let mut records = Vec::new();
    let wanted = page.limit.saturating_add(1);
    let bounds = (first.max(database.trimmed.saturating_add(1)), last);
    entries(&database.connection, bounds, page.reverse, wanted, |sequence, entry| {
        // What a follower reads has to be readable; he is told where it is not.
        LogEntry::decode(entry).map_err(|error| Fault::Entry(error.with_key(Key::log(sequence))))?;
        records.push((Key::log(sequence), Record { version: sequence, value: entry.to_vec() }));
        Ok(true)
    })?;
    Ok(records)
}

/// Shows `see` up to `limit` log entries with numbers between `bounds`, both in it, until it gives `false`.
fn entries(
    connection: &Connection,
    bounds: (u64, u64),
    reverse: bool,
    limit: usize,
    mut see: impl FnMut(u64, &[u8]) -> std::result::Result<bool, Fault>,
) -> std::result::Result<(), Fault> {
    let sql = if reverse { LOG_REVERSE } else { LOG };
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut select = statement::cached(connection, sql)?;
    let mut rows = select.query((signed(bounds.0), signed(bounds.1), limit))?;
    while let Some(row) = rows.next()? {
        let entry = row.get_ref(1)?.as_blob()?;
        if !see(statement::number(row, 0)?, entry)? {
            break;
        }
    }
    Ok(())
}

/// Shows `see` the log entries after `sequence`, until it gives something.
pub(super) fn find_entry<T>(
    database: &Database,
    sequence: u64,
    see: impl Fn(&LogEntry) -> Option<T>,
) -> Result<Option<T>> {
    let mut found = None;
    let bounds = (sequence.saturating_add(1), u64::MAX);
    let read = entries(&database.connection, bounds, false, usize::MAX, |sequence, entry| {
        let entry = LogEntry::decode(entry);
        let entry = entry.map_err(|error| Fault::Entry(error.with_key(Key::log(sequence))))?;
        found = see(&entry);
        Ok(found.is_none())
    });
    match read {
        Ok(()) => Ok(found),
        Err(Fault::Sqlite(error)) => Err(database.error("reading the log", error)),
        Err(Fault::Entry(error)) => Err(error),
    }
}

/// Adds to `found` what is wrong with rows: keys that are none, versions that are none.
pub(super) fn foreign_rows(database: &Database, found: &mut Vec<String>) {
    let mut look = || -> rusqlite::Result<()> {
        let mut select = database.connection.prepare("SELECT key, version FROM records")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            let key = Key::decode(row.get_ref(0)?.as_blob()?);
            match (key, statement::number(row, 1)) {
                (Err(error), _) => found.push(error.message().to_owned()),
                (Ok(key), Err(error)) => found.push(format!("{key}: its version is none: {error}")),
                (Ok(_), Ok(_)) => {}
            }
        }
        Ok(())
    };
    if let Err(error) = look() {
        found.push(database.error("checking the rows", error).message().to_owned());
    }
}
