//! Writing: read what the batches ask for, judge, and commit on the condition that nobody else has.
//!
//! **Invariants**
//! - Everything that a verdict rests on was read after the head it is judged at was known, and it is
//!   written only if that is still the head: so it was true when it was written.
//! - A batch that writes nothing is judged by one snapshot of the keys and by a log that was read later,
//!   so what it asked for was true at the time of that snapshot.

use super::HostBackend;
use super::driver::{Write, unknown_outcome, wrong};
use crate::backends::judge::{self, Judgement, judge};
use crate::backends::snapshot::{Snapshot, keys_to_read, log_to_read};
use crate::model::{Batch, Committed, Conflict, Key, LogEntry, Page, Range, Space};
use crate::platform::{SystemRng, backoff_ms, sleep, yield_now};
use crate::{Error, Result};

/// How often a commit starts over because another writer was faster. Each of them got something done.
const ATTEMPTS: u32 = 64;

/// Longest pause before another attempt, in milliseconds.
const LONGEST_PAUSE_MS: u32 = 32;

/// Most log entries that one commit trims, so that no write grows without bound.
const MOST_TRIMMED: usize = 1_000;

/// Log entries that are read at a time.
const ENTRIES: usize = 1_000;

type Verdicts = Vec<Result<Committed, Conflict>>;

/// Commits `batches`. `head` is what the head is known to be; it is left as it is known afterwards.
pub(super) async fn commit(
    backend: &HostBackend,
    batches: &[Batch],
    known_head: &mut Option<u64>,
) -> Result<Verdicts> {
    for attempt in 0..ATTEMPTS {
        pause(attempt).await;
        // Unknown until this attempt has come to an end.
        let head = match known_head.take() {
            Some(head) => head,
            None => backend.read_stats().await?.0,
        };
        let (view, newest) = read(backend, batches, head).await?;
        if newest > head {
            backend.meet(newest)?;
            continue;
        }
        let mut judgement = judge(batches, head, &view);
        let reached = judgement.entries.last().map_or(head, |entry| entry.sequence);
        let write = written(backend, &mut judgement, reached).await?;
        if write.is_empty() {
            *known_head = Some(head);
            return Ok(judgement.verdicts);
        }
        let outcome = backend.driver.commit(head, reached, write).await?;
        if outcome.committed {
            if outcome.head != reached {
                let what = format!(
                    "the backend object says that it committed {reached}, and that its head is {}",
                    outcome.head
                );
                return Err(unknown_outcome(&what));
            }
            backend.meet(reached)?;
            *known_head = Some(reached);
            return Ok(judgement.verdicts);
        }
        backend.meet(outcome.head)?;
        if outcome.head == head {
            return Err(wrong("commit() refused a write whose expectedHead was its head"));
        }
        *known_head = Some(outcome.head);
    }
    Err(Error::unavailable(format!(
        "other writers of the backend object were faster {ATTEMPTS} times in a row; nothing was written: retry"
    )))
}

/// What the judgement writes: records, log entries, and the end of those that are trimmed.
async fn written(backend: &HostBackend, judgement: &mut Judgement<'_>, reached: u64) -> Result<Write> {
    let write = Write::default();
    for (key, change) in &judgement.writes {
        match change {
            judge::Write::Delete => write.delete(key),
            judge::Write::Put { value, version, created: None } => write.put(key, *version, value),
            judge::Write::Put { value, version, created } => {
                let mut bytes = Vec::with_capacity(value.len());
                judge::push_value(&mut bytes, key, value, *created);
                write.put(key, *version, &bytes);
            }
        }
    }
    let most = backend.max_value_bytes();
    for entry in &judgement.entries {
        let bytes = entry.encode()?;
        if bytes.len() > most {
            let count = entry.touched.len();
            return Err(Error::invalid(format!(
                "a write of {count} keys at once has a log entry of {} bytes, and the backend object takes {most}; split it",
                bytes.len()
            )));
        }
        write.put(&Key::log(entry.sequence), entry.sequence, &bytes);
    }
    // The last entry stays, so that the log always tells how far it reaches.
    if let Some(trim) = judgement.trim_log.map(|trim| trim.min(reached.saturating_sub(1))) {
        let range = Range::space(Space::Log).before(Key::log(trim.saturating_add(1)).as_bytes());
        for (key, _) in backend.read_rows(&range, &Page::first(MOST_TRIMMED)).await?.0 {
            write.delete(&key);
        }
    }
    Ok(write)
}

/// Lets the faster writer get ahead; a little longer each time, and not all for the same time.
async fn pause(attempt: u32) {
    if attempt <= 1 {
        yield_now().await;
        return;
    }
    sleep(backoff_ms(attempt, LONGEST_PAUSE_MS, &SystemRng)).await;
}

/// Reads what a verdict at `head` rests on; gives the latest number that was met with it.
async fn read(backend: &HostBackend, batches: &[Batch], head: u64) -> Result<(Snapshot, u64)> {
    let keys = keys_to_read(batches);
    let found = if keys.is_empty() { Vec::new() } else { backend.driver.get(&keys).await? };
    let mut newest = found.iter().flatten().map(|record| record.version).max().unwrap_or(0);
    let mut entries = Vec::new();
    // Also up to a head that is known: somebody may have written since.
    if let Some(since) = log_to_read(batches) {
        entries = log_after(backend, since).await?;
        let last = entries.last().map_or(since, |entry| entry.sequence);
        if last < head {
            return Err(wrong(&format!("the log ends at {last}, and its head is {head}")));
        }
        newest = newest.max(last);
    }
    Ok((Snapshot::new(keys, found, entries, head), newest))
}

/// Every entry after the number `since`.
async fn log_after(backend: &HostBackend, since: u64) -> Result<Vec<LogEntry>> {
    let mut entries = Vec::new();
    let mut page = Page::first(ENTRIES);
    loop {
        let (rows, cursor) = backend.read_rows(&Range::log_after(since), &page).await?;
        for (_, record) in rows {
            entries.push(LogEntry::decode(&record.value)?);
        }
        match cursor {
            Some(cursor) => page = page.next(cursor),
            None => return Ok(entries),
        }
    }
}
