//! Pages of records.

use super::pattern::Pattern;
use super::store::{expires_of, records};
use super::{Entry, Memory, Store};
use crate::model::{Key, Page, Range, Record, Space};
use crate::{Error, ErrorKind, Result};

/// Most records of one page.
pub(super) const MAX_PAGE: usize = 1_000;

/// Which records to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Only ids that start with this.
    pub prefix: String,
    /// Only ids that match this pattern; `*` stands for any run of characters.
    pub pattern: Option<String>,
    /// How many, 1 to 1,000.
    pub limit: usize,
    /// From the last id to the first.
    pub reverse: bool,
    /// Go on after this id (before it, in reverse).
    pub after: Option<String>,
}

/// A record that is there and can not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong with it: [`ErrorKind::Corrupt`] or [`ErrorKind::Version`].
    pub kind: ErrorKind,
    /// Where it is, as people read it: `store/id`.
    pub key: String,
    /// What a reader should know.
    pub message: String,
}

impl Problem {
    /// Tells damage to a record, which is reported, from failures of the storage, which are errors.
    pub(super) fn of(key: impl std::fmt::Display, error: Error) -> Result<Self> {
        match error.kind() {
            kind @ (ErrorKind::Corrupt | ErrorKind::Version) => {
                Ok(Self { kind, key: key.to_string(), message: error.message().to_owned() })
            }
            _ => Err(error),
        }
    }
}

/// One page of records, documents or typed values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// What was found, in order of id.
    pub entries: Vec<T>,
    /// Where to go on; `None` at the end.
    pub cursor: Option<String>,
    /// Records that could not be read.
    pub problems: Vec<Problem>,
}

/// The page that `request` asks for, of `namespace` in `space`. `read` makes of a record what is
/// listed, or nothing if it is not wanted.
///
/// # Errors
/// `Invalid` for a limit out of range or a cursor that is no id; what the backend's scan gives.
pub(super) async fn list<T>(
    memory: &Memory,
    space: Space,
    namespace: &str,
    request: &PageRequest,
    read: impl Fn(&str, &Key, Record) -> Result<Option<T>>,
) -> Result<Listing<T>> {
    if !(1..=MAX_PAGE).contains(&request.limit) {
        return Err(Error::invalid(format!("limit: {} is not in 1 to {MAX_PAGE}", request.limit)));
    }
    let pattern = request.pattern.as_deref().map(Pattern::new);
    // The narrower of the ranges of the prefix and of the pattern's head.
    let head = pattern.as_ref().map_or("", Pattern::head);
    let narrower = if head.len() > request.prefix.len() { head } else { &request.prefix };
    let range = Range::ids(space, namespace, narrower);
    let after = request.after.as_deref().map(|id| Key::named(space, namespace, id)).transpose()?;
    let mut scan = Page { limit: request.limit, reverse: request.reverse, after };
    let mut page = Listing { entries: Vec::new(), cursor: None, problems: Vec::new() };
    loop {
        let found = memory.backend().scan(&range, scan.clone()).await?;
        let last = found.records.len();
        for (index, (key, record)) in found.records.into_iter().enumerate() {
            let Some(id) = key.id() else { continue };
            let wanted = id.starts_with(&request.prefix)
                && pattern.as_ref().is_none_or(|pattern| pattern.matches(&id));
            if !wanted {
                continue;
            }
            match read(&id, &key, record) {
                Ok(Some(entry)) => page.entries.push(entry),
                Ok(None) => continue,
                Err(error) => page.problems.push(Problem::of(&key, error)?),
            }
            if page.entries.len() == request.limit {
                // More may follow, of which some may match; the next page will tell.
                page.cursor = Some(id).filter(|_| index + 1 < last || found.cursor.is_some());
                return Ok(page);
            }
        }
        match found.cursor {
            Some(cursor) => scan = scan.next(cursor),
            None => return Ok(page),
        }
    }
}

impl Store {
    /// The page of records that `request` asks for.
    ///
    /// # Errors
    /// `Invalid` for a limit out of range or a cursor that is no id; what the backend's scan gives.
    pub async fn page(&self, request: &PageRequest) -> Result<Listing<Entry>> {
        let read = |id: &str, key: &Key, record| self.entry(id, key, Some(record));
        list(&self.memory, Space::Record, &self.name, request, read).await
    }

    /// How many records there are whose id starts with `prefix`.
    ///
    /// # Errors
    /// What the backend's scan gives.
    pub async fn count(&self, prefix: &str) -> Result<usize> {
        let mut scan = Page::first(MAX_PAGE);
        let mut count = 0;
        let now = self.memory.now();
        loop {
            let found = self.memory.backend().scan(&records(&self.name, prefix), scan.clone()).await?;
            let lives = |(key, record): &&(Key, Record)| expires_of(key, record).is_none_or(|at| at > now);
            count += found.records.iter().filter(lives).count();
            match found.cursor {
                Some(cursor) => scan = scan.next(cursor),
                None => return Ok(count),
            }
        }
    }
}
