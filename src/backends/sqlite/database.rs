//! One open database: opening, checking and closing its file.
//!
//! **Invariants**
//! - Before SQLite sees the file it is known to be of this format, or to be new; anything else is left as it
//!   is, to the byte.
//! - Fields are dropped in their order: the connection ends, then its files go out of SQLite's reach, then
//!   the lock is let go.
//! - After a failure that leaves it open what the disk holds, every call says so until it is opened anew.

use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};

use super::error::{damaged_page, from_sqlite};
use super::page::{self, Header, PAGE_BYTES};
use super::volume::{Mount, Volume, directory};
use super::{statement, vfs, wal};
use crate::backends::lock::Lock;
use crate::backends::offload::Blocking;
use crate::backends::{BackendInfo, Durability, MAX_RECORD_BYTES, ScanPage, Stats, file_error};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record};
use crate::platform::files::{FileError, FileErrorKind, FileSystem, OpenMode};
use crate::{Error, ErrorKind, Result};

/// Pages kept in memory, in KiB.
const CACHE_KIB: u32 = 16 << 10;

/// Frames of the write-ahead log after which they move to the main file.
const LOG_FRAMES: usize = 4_000;

/// Size that the write-ahead log is cut back to when a large commit has blown it up, in bytes.
const LOG_BYTES: usize = 16 << 20;

const _: () = assert!(
    wal::HEADER_BYTES + LOG_FRAMES * (wal::FRAME_HEADER_BYTES + PAGE_BYTES) < LOG_BYTES,
    "a log that is full is not cut back: its room is used again"
);

/// What lies next to a database that was not closed: the write-ahead log, the rollback journal.
const COMPANIONS: [&str; 2] = ["-wal", "-journal"];

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    mount: Mount,
    lock: Option<Lock>,
    durability: Durability,
    /// The latest sequence number.
    pub(super) head: u64,
    /// The latest sequence number whose log entry is gone.
    pub(super) trimmed: u64,
    /// Why nothing more can be done with this handle.
    pub(super) lost: Option<Error>,
}

impl Database {
    /// Opens the file at `path`, under its lock file.
    ///
    /// # Errors
    /// See [`open`](super::open).
    pub(super) fn open(files: &Arc<dyn FileSystem>, path: &str, durability: Durability) -> Result<Self> {
        let what = format!("opening the database {path}");
        let path = files.absolute(path).map_err(|error| file_error(&what, error))?;
        let directory = directory(&path);
        let above = files.metadata(directory).map_err(|error| file_error(&what, error))?;
        if !above.is_some_and(|above| above.directory) {
            return Err(Error::not_found(format!(
                "{what}: the directory {directory} is not there; create it first"
            )));
        }
        let lock = Lock::take(files, &format!("{path}.lock"), &path)?;
        Self::open_unlocked(files, &path, durability, Some(lock))
    }

    /// Opens the file at `path`, which nobody else can open.
    pub(super) fn open_unlocked(
        files: &Arc<dyn FileSystem>,
        path: &str,
        durability: Durability,
        lock: Option<Lock>,
    ) -> Result<Self> {
        prepare(&**files, path)?;
        let mount = vfs::volumes()?.mount(Volume::new(Arc::clone(files), path));
        let what = format!("opening the database {path}");
        let opened = connect(&mount);
        let connection = opened.map_err(|error| from_sqlite(mount.volume(), &what, error))?;
        let mut database = Self { connection, mount, lock, durability, head: 0, trimmed: 0, lost: None };
        if let Err(error) = database.start(&what) {
            // Or the connection would, when it is dropped, move the log that it has read.
            let message = "the file was not opened, and is left as it is".into();
            database.mount.volume().give_up(FileError { kind: FileErrorKind::Other, message });
            return Err(error);
        }
        Ok(database)
    }

    /// Lets SQLite look at the file and its log for the first time.
    fn start(&mut self, what: &str) -> Result<()> {
        let configured = configure(&self.connection, self.durability);
        let format = configured.and_then(|()| statement::format(&self.connection));
        let format = format.map_err(|error| self.error(what, error))?;
        page::check_format(format).map_err(|error| error.at(self.path()))?;
        let ends = statement::set_up(&self.connection);
        (self.trimmed, self.head) = ends.map_err(|error| self.error(what, error))?;
        Ok(())
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &str {
        self.mount.volume().path()
    }

    /// The error for a call of SQLite that failed.
    pub(super) fn error(&self, what: &str, error: rusqlite::Error) -> Error {
        from_sqlite(self.mount.volume(), what, error)
    }

    /// Begins a call, if this handle can still be used.
    ///
    /// # Errors
    /// `Unavailable`, with what made it unusable.
    fn begin(&self) -> Result<()> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        let what = || format!("{} could not be written and has to be opened anew", self.path());
        self.mount.volume().begin().map_err(|error| file_error(&what(), error))
    }

    /// Makes sure that a commit which SQLite takes for done is with the host.
    ///
    /// # Errors
    /// What the host said; then the handle [is broken](Self::is_broken).
    pub(super) fn settle(&self, what: &str) -> Result<()> {
        self.mount.volume().settle().map_err(|error| file_error(what, error))
    }

    /// Whether what was written last may be on the disk or not.
    pub(super) fn is_broken(&self) -> bool {
        self.mount.volume().broken().is_some()
    }

    /// What is wrong with the pages of the main file.
    fn damaged_pages(&self) -> Result<Vec<String>> {
        let what = format!("checking {}", self.path());
        let files = self.mount.volume().files();
        let file = files.open(self.path(), OpenMode::Read).map_err(|error| file_error(&what, error))?;
        let mut found = Vec::new();
        let mut page = [0; PAGE_BYTES];
        for number in 1.. {
            let offset = (number - 1) * PAGE_BYTES as u64;
            let count = file.read_at(&mut page, offset).map_err(|error| file_error(&what, error))?;
            if count == 0 {
                break;
            }
            // A page that was never written is a hole: SQLite skips some, and reads none of them.
            let hole = page.iter().all(|&byte| byte == 0);
            if count < PAGE_BYTES || !(hole || page::is_whole(&page, number)) {
                found.push(damaged_page(self.path(), number).message().to_owned());
            }
        }
        Ok(found)
    }
}

impl Blocking for Database {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            name: "sqlite",
            durability: self.durability,
            shared: false,
            data_loss: None,
            max_value_bytes: MAX_RECORD_BYTES,
        }
    }

    fn get(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.begin()?;
        super::read::get(self, keys)
    }

    fn scan(&mut self, range: &Range, page: &Page) -> Result<ScanPage> {
        self.begin()?;
        super::read::scan(self, range, page)
    }

    fn commit(&mut self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        self.begin()?;
        super::write::commit(self, batches)
    }

    fn stats(&mut self) -> Result<Stats> {
        self.begin()?;
        let keys = statement::count(&self.connection);
        let keys = keys.map_err(|error| self.error("counting the records", error))?;
        Ok(Stats { sequence: self.head, keys })
    }

    fn check(&mut self) -> Result<Vec<String>> {
        self.begin()?;
        // What is in the log moves to the main file, and what is in memory is read anew.
        let flushed = statement::checkpoint(&self.connection);
        let mut found = match flushed.map_err(|error| self.error("checking", error)) {
            Ok(()) => self.damaged_pages()?,
            // A full disk must not keep anybody from reading. The main file may end in half a page then,
            // whose whole is in the log: SQLite's own check reads by way of it.
            Err(error) if error.kind() == ErrorKind::Quota => Vec::new(),
            Err(error) => return Err(error),
        };
        match statement::integrity(&self.connection) {
            Ok(problems) => found.extend(problems),
            // Damage ends the check early; what stopped it is a finding.
            Err(error) => found.push(self.error("checking", error).message().to_owned()),
        }
        super::read::foreign_rows(self, &mut found);
        Ok(found)
    }

    fn close(self) -> Result<()> {
        let Self { connection, mount, lock, .. } = self;
        let what = "closing";
        // One file is left: what the write-ahead log holds moves to it, and SQLite removes the log.
        let emptied = statement::checkpoint(&connection);
        let emptied = emptied.map_err(|error| from_sqlite(mount.volume(), what, error));
        let closed = connection.close();
        let closed = closed.map_err(|(_, error)| from_sqlite(mount.volume(), what, error));
        let broken = mount.volume().broken().map_or(Ok(()), |error| Err(file_error(what, error)));
        drop(mount);
        let released = lock.map_or(Ok(()), Lock::release);
        emptied.and(closed).and(broken).and(released)
    }
}

/// Makes sure that a database of this format lies at `path`: a new one, if there is nothing.
fn prepare(files: &dyn FileSystem, path: &str) -> Result<()> {
    let what = format!("opening the database {path}");
    let failed = |error| file_error(&what, error);
    let found = files.metadata(path).map_err(failed)?;
    if found.is_some_and(|found| found.directory) {
        return Err(Error::invalid(format!("{what}: it is a directory; give the path of a file")));
    }
    let mut unfinished = None;
    for companion in COMPANIONS {
        let companion = format!("{path}{companion}");
        if files.metadata(&companion).map_err(failed)?.is_some_and(|found| found.length > 0) {
            unfinished = Some(companion);
        }
    }
    let length = found.map_or(0, |found| found.length);
    match (length, unfinished) {
        (0, None) => create(files, path).map_err(failed),
        (0, Some(companion)) => Err(Error::corrupt(format!(
            "{what}: it is not there, but what was last written to it is, in {companion}; put the database back, \
             or remove that file too"
        ))),
        (_, unfinished) => check(files, path, length, unfinished.is_some()).map_err(|error| error.at(path)),
    }
}

/// Makes a new database, which appears whole or not at all.
fn create(files: &dyn FileSystem, path: &str) -> crate::platform::files::FileResult<()> {
    let new = format!("{path}.new");
    let file = files.open(&new, OpenMode::Create)?;
    file.set_length(0)?;
    file.write_at(&page::first(), 0)?;
    file.sync()?;
    drop(file);
    files.rename(&new, path)?;
    files.sync_directory(directory(path))
}

/// Checks a file before SQLite sees it. With a log beside it, the file itself may be half-written.
fn check(files: &dyn FileSystem, path: &str, length: u64, unfinished: bool) -> Result<()> {
    let failed = |error| file_error("reading its header", error);
    let file = files.open(path, OpenMode::Read).map_err(failed)?;
    let mut first = [0; PAGE_BYTES];
    let count = file.read_at(&mut first, 0).map_err(failed)?;
    let header = Header::read(&first[..count])?;
    header.check()?;
    if unfinished {
        return Ok(());
    }
    if let Some(expected) = header.length().filter(|&expected| length < expected) {
        return Err(Error::corrupt(format!(
            "it is cut off: {length} of {expected} bytes are there; restore it from a backup"
        )));
    }
    if page::is_whole(&first, 1) { Ok(()) } else { Err(damaged_page(path, 1)) }
}

fn connect(mount: &Mount) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags_and_vfs(mount.name(), flags, vfs::NAME)
}

fn configure(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(statement::COUNT);
    let synchronous = if durability == Durability::Strict { "FULL" } else { "NORMAL" };
    // Exclusive before the first access: then the index of the write-ahead log lies in memory.
    connection.execute_batch(&format!(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA cache_size = -{CACHE_KIB};
         PRAGMA wal_autocheckpoint = {LOG_FRAMES};
         PRAGMA journal_size_limit = {LOG_BYTES};
         PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;"
    ))
}
