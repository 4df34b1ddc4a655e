//! Copying everything from one backend to another.
//!
//! [`copy`] goes by pages: first all records in key order, then, from the source's log, whatever was
//! touched meanwhile, until there is nothing left; then both sides are read and their digests compared.
//! [`Source`] and [`Target`] are the same in steps, for two sides that can only exchange bytes.
//!
//! **Invariants**
//! - What is copied are keys and bytes, unchanged: all spaces but the log, times of creation and of
//!   expiry included.
//! - When it is through, the target equals the source as of one sequence number, or it is an error.
//! - Until then the target carries a marker with the cursor, moved in the same batch as each page. A copy
//!   that was cut off is never mistaken for a complete one, and goes on where it stopped. Dropping the
//!   future cuts it off.
//! - Memory holds one page. Values are not known before they are read, so a page that begins with small
//!   values and goes on with huge ones can be many times as large.
//!
//! What is *not* kept are versions: a version is the sequence number of the commit that wrote the
//! record, and the target makes its own commits. They begin anew, and so do cursors of watchers. Only if
//! the source keeps histories, whose keys hold versions, is the sequence number of the target raised to
//! that of the source first, by as many commits that change nothing but the marker; so that versions to
//! come are newer than all of the past.

mod digest;
mod page;
mod source;
mod target;
#[cfg(test)]
mod tests;

pub use digest::{Digest, digest};
pub use page::{CopyPage, Cursor};
pub use source::Source;
pub use target::{Existing, Target};

use digest::Walk;

use crate::backends::Backend;
use crate::log;
use crate::model::{Key, Record};
use crate::{Error, Result};

/// How to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOptions {
    /// What to do with a target that holds something.
    pub existing: Existing,
    /// How large a page is, in bytes.
    pub page_bytes: usize,
    /// How often the source may turn out to have changed again after the copy has caught up with it.
    pub rounds: usize,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self { existing: Existing::Refuse, page_bytes: 1 << 20, rounds: 64 }
    }
}

/// What a copy is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Copying the records.
    Records,
    /// Copying what changed meanwhile.
    Changes,
    /// Reading both sides.
    Verify,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub phase: Phase,
    /// Records copied so far, those that were copied again counted again.
    pub records: u64,
    /// Bytes of keys and values, likewise; while it verifies, bytes read of the side it is reading.
    pub bytes: u64,
}

/// A copy that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// How many records there are.
    pub records: u64,
    /// Their keys and values, in bytes.
    pub bytes: u64,
    /// The sequence number of the source that the target equals.
    pub sequence: u64,
    /// The digest of both.
    pub digest: Digest,
    /// Whether an unfinished copy was taken up.
    pub resumed: bool,
}

/// Copies everything from `from` to `to`. `progress` is called after each page.
///
/// # Errors
/// `Invalid` if the target holds something that is not to be replaced, or an unfinished copy of another
/// source; `Conflict` if the source does not stand still within the rounds, its log was trimmed meanwhile,
/// or another copy writes to the same target; `Corrupt`, naming the first key that differs, if the two are
/// not equal in the end; what the backends' calls give. Call it again to go on after any of them but
/// `Invalid` and `Corrupt`.
pub async fn copy(
    from: &dyn Backend,
    to: &dyn Backend,
    options: &CopyOptions,
    mut progress: impl FnMut(Progress),
) -> Result<Copied> {
    let source = Source::new(from, options.page_bytes);
    let mut target = Target::begin(to, options.existing).await?;
    for _ in 0..=options.rounds {
        catch_up(&source, from, &mut target, &mut progress).await?;
        let (records, _) = target.taken();
        let verify = |bytes| Progress { phase: Phase::Verify, records, bytes };
        let expected = source.digested(target.cursor(), |bytes| progress(verify(bytes))).await?;
        let Some(expected) = expected else { continue };
        let resumed = target.resumed();
        return match target.finish(expected.digest).await {
            Ok(digest) => Ok(Copied {
                records: expected.records,
                bytes: expected.bytes,
                sequence: expected.sequence,
                digest,
                resumed,
            }),
            Err(error) => Err(name_difference(from, to, error).await),
        };
    }
    Err(Error::conflict(
        "the source changes faster than it can be copied; copy again at a quieter time, and it goes on from here",
    ))
}

/// Takes pages until the target is where the source was when this began, and settled if it still is.
async fn catch_up(
    source: &Source<'_>,
    from: &dyn Backend,
    target: &mut Target<'_>,
    progress: &mut impl FnMut(Progress),
) -> Result<()> {
    let goal = log::head(from).await?.sequence;
    loop {
        let page = source.page(target.cursor()).await?;
        target.accept(page).await?;
        let phase = if target.cursor().through() { Phase::Changes } else { Phase::Records };
        let (records, bytes) = target.taken();
        progress(Progress { phase, records, bytes });
        let cursor = target.cursor();
        if cursor.settled() || (cursor.through() && cursor.sequence() > goal) {
            return Ok(());
        }
    }
}

/// The error, with the first key that differs.
async fn name_difference(from: &dyn Backend, to: &dyn Backend, error: Error) -> Error {
    if error.kind() != crate::ErrorKind::Corrupt {
        return error;
    }
    match first_difference(from, to).await {
        Ok(Some(key)) => error.with_key(key),
        // What was found is told, also if the key can not be.
        Ok(None) | Err(_) => error,
    }
}

/// The first key, in order, that does not lie on both sides with the same bytes.
async fn first_difference(one: &dyn Backend, two: &dyn Backend) -> Result<Option<Key>> {
    let (mut one, mut two) = (Side::new(one), Side::new(two));
    loop {
        match (one.next().await?, two.next().await?) {
            (None, None) => return Ok(None),
            (Some((key, record)), Some((other, twin))) => {
                if key != other {
                    return Ok(Some(key.min(other)));
                }
                if record.value != twin.value {
                    return Ok(Some(key));
                }
            }
            (Some((key, _)), None) | (None, Some((key, _))) => return Ok(Some(key)),
        }
    }
}

/// One side of a comparison, record by record.
struct Side<'a> {
    backend: &'a dyn Backend,
    walk: Walk,
    page: std::vec::IntoIter<(Key, Record)>,
}

impl<'a> Side<'a> {
    fn new(backend: &'a dyn Backend) -> Self {
        Self { backend, walk: Walk::default(), page: Vec::new().into_iter() }
    }

    async fn next(&mut self) -> Result<Option<(Key, Record)>> {
        loop {
            if let Some(found) = self.page.next() {
                return Ok(Some(found));
            }
            match self.walk.next(self.backend).await? {
                Some(page) => self.page = page.into_iter(),
                None => return Ok(None),
            }
        }
    }
}
