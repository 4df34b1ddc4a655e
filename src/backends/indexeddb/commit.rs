//! Writing: the two kinds of commit. See the [room](super) for why there are two.

use idb::{KeyRange, Query};

use super::connection::Live;
use super::driver::Rows;
use super::knowledge::Knowledge;
use super::transaction::{Fault, Running};
use super::{RECORDS, block, read};
use crate::backends::Durability;
use crate::backends::judge::{Judgement, Known, View, Write, judge, push_value};
use crate::backends::snapshot::{Snapshot, judged_keys, keys_to_read, log_to_read};
use crate::model::{Batch, Key, Precondition, Range, Space, heap_sort_by};

/// A verdict that rests on what is known without looking.
pub(super) struct Assumption<'a> {
    /// The number it rests on.
    pub(super) head: u64,
    pub(super) judgement: Judgement<'a>,
    /// Keys that are taken to be free. Each is written with `add`, which fails if it is not.
    /// In their order.
    new: Vec<&'a Key>,
}

/// What the batches would come to if nobody else has written: `None` if that needs a look.
pub(super) fn assume<'a>(batches: &'a [Batch], knowledge: &Knowledge) -> Option<Assumption<'a>> {
    let head = knowledge.head()?;
    let stale =
        |batch: &Batch| batch.trim_log.is_some() || batch.unchanged.iter().any(|(_, since)| *since < head);
    if batches.iter().any(stale) {
        return None;
    }
    let mut new: Vec<&Key> = judged_keys(batches).filter(|key| knowledge.known(key).is_none()).collect();
    heap_sort_by(&mut new, Ord::cmp);
    new.dedup();
    if !new.is_empty() && !knowledge.may_assume_new() {
        return None;
    }
    let judgement = judge(batches, head, knowledge);
    // Only the log's next number proves that nobody else has written, so something must be logged;
    // and each key that was taken to be free must prove it by being added.
    let written = |key: &Key| judgement.writes.binary_search_by(|(written, _)| (*written).cmp(key));
    let proven =
        |key: &&Key| written(key).is_ok_and(|at| matches!(judgement.writes[at].1, Write::Put { .. }));
    if judgement.entries.is_empty() || !new.iter().all(proven) || requires_version(batches, &new) {
        return None;
    }
    Some(Assumption { head, judgement, new })
}

/// Whether a batch asks for a version of a key that is not known.
fn requires_version(batches: &[Batch], unknown: &[&Key]) -> bool {
    let versions = batches.iter().flat_map(|batch| &batch.preconditions);
    versions
        .filter(|(_, what)| matches!(what, Precondition::Version(_)))
        .any(|(key, _)| unknown.binary_search(&key).is_ok())
}

impl View for Knowledge {
    fn known(&self, key: &Key) -> Option<Known> {
        Self::known(self, key)
    }

    fn log_floor(&self) -> u64 {
        0
    }

    fn touched_since(&self, _: &Range, _: u64) -> Option<(Key, u64)> {
        // Asked only for numbers that are not before `head`.
        None
    }
}

/// Writes without reading, in one turn.
pub(super) async fn write_blindly(
    live: &Live,
    durability: Durability,
    assumption: &Assumption<'_>,
) -> Result<(), Fault> {
    let mut rows = Rows::default();
    for &(key, ref change) in &assumption.judgement.writes {
        match change {
            Write::Delete => rows.delete(key.as_bytes()),
            Write::Put { value, version, created } => {
                rows.put(key.as_bytes(), assumption.new.binary_search(&key).is_ok(), |bytes| {
                    push_value(bytes, key, value, *created);
                    block::push_trailer(bytes, key.as_bytes(), *version);
                });
            }
        }
    }
    let (first, block) = block::block(&assumption.judgement.entries)?;
    rows.put(Key::log(first).as_bytes(), true, |bytes| bytes.extend_from_slice(&block));
    rows.write(live.database(), durability == Durability::Strict).await
}

/// A commit that looked first.
pub(super) struct Done<'a> {
    /// The number before it.
    pub(super) head: u64,
    /// The connection it went over.
    pub(super) generation: u64,
    pub(super) judgement: Judgement<'a>,
}

/// Reads what the verdicts depend on, and writes, in one transaction.
pub(super) async fn read_and_write<'a>(
    live: &Live,
    durability: Durability,
    batches: &'a [Batch],
    trimmable: u64,
) -> Result<Done<'a>, Fault> {
    let transaction = live.begin(&[RECORDS], Some(durability))?;
    let records = transaction.store(RECORDS)?;
    let keys = keys_to_read(batches);
    let head = read::head(&records).await?;
    let found = read::get_in(&records, &keys).await?;
    let entries = match log_to_read(batches).filter(|since| *since < head) {
        Some(since) => read::first_entries(&records, since + 1, u64::MAX, usize::MAX).await?,
        None => Vec::new(),
    };
    let judgement = judge(batches, head, &Snapshot::new(keys, found, entries, head));
    if let Some(trim) = judgement.trim_log {
        // The block that holds the next number stays, so that the latest number can be read.
        let keep = trim.min(trimmable).min(head.saturating_sub(1)).saturating_add(1);
        if let Some(kept) = read::block_of(&records, keep).await?.filter(|kept| *kept > 0) {
            let first = block::js_bytes(&[Space::Log as u8]);
            let kept = block::js_bytes(Key::log(kept).as_bytes());
            records.delete(Query::KeyRange(KeyRange::bound(&first, &kept, Some(false), Some(true))?))?;
        }
    }
    write(&transaction, &judgement)?;
    transaction.complete().await?;
    Ok(Done { head, generation: live.generation(), judgement })
}

/// Issues every write of the judgement.
fn write(transaction: &Running, judgement: &Judgement<'_>) -> Result<(), Fault> {
    let records = transaction.store(RECORDS)?;
    let mut row = Vec::new();
    for &(key, ref change) in &judgement.writes {
        let at = block::js_bytes(key.as_bytes());
        match change {
            Write::Delete => {
                records.delete(at)?;
            }
            Write::Put { value, version, created } => {
                row.clear();
                push_value(&mut row, key, value, *created);
                block::push_trailer(&mut row, key.as_bytes(), *version);
                records.put(&block::js_bytes(&row), Some(&at))?;
            }
        }
    }
    if !judgement.entries.is_empty() {
        let (first, block) = block::block(&judgement.entries)?;
        records.add(&block::js_bytes(&block), Some(&block::js_bytes(Key::log(first).as_bytes())))?;
    }
    Ok(())
}
