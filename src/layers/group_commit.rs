//! Group commit: concurrent writes share a physical transaction.
//!
//! While one transaction is in flight, callers queue up; when it ends, everything that waits goes
//! into the next one. Each caller still gets its own verdict. The technique is as old as IMS/VS
//! Fast Path; see Gray and Reuter, *Transaction Processing*, section 9.4.7.
//!
//! There is no background task: whoever gets hold of the lead commits for everyone that waits.
//!
//! **Invariants**
//! - Batches reach the inner backend in the order their callers arrived.
//! - At most one inner commit is in flight: the lead is held across it.
//! - If an inner commit fails, everyone in it gets that error, and no one else does. Where the error may
//!   be of one caller's making and says that nothing is stored (the storage is full, the write is refused,
//!   what it touches is damaged), each caller is tried by himself first, so that one large write does not
//!   fail the small ones, or the deletes that would make room for it.
//! - A caller whose future is dropped does not stop the others: dropping frees the lead, and its
//!   batches are written only if they had been handed over.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_channel::oneshot;
use futures_util::future::{Either, select};

use crate::backends::{Backend, BackendInfo, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record};
use crate::platform::yield_now;
use crate::{Error, ErrorKind, Result};

type Verdicts = Vec<Result<Committed, Conflict>>;

/// Most puts and deletes that are gathered into one transaction, so that a flood of writers does
/// not make one that never ends. A caller that brings more goes alone.
const MAX_WRITES: usize = 4096;

/// The layer: see the top of this file.
#[derive(Debug)]
pub struct GroupCommit {
    inner: Arc<dyn Backend>,
    most: usize,
    waiting: Mutex<VecDeque<Waiting>>,
    lead: futures_util::lock::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    batches: Vec<Batch>,
    answer: oneshot::Sender<Result<Verdicts>>,
}

impl GroupCommit {
    /// Wraps `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self {
            inner,
            most: MAX_WRITES,
            waiting: Mutex::default(),
            lead: futures_util::lock::Mutex::default(),
        }
    }

    /// Wraps `inner` without gathering: each caller has a transaction of its own, in order.
    #[must_use]
    pub fn one_by_one(inner: Arc<dyn Backend>) -> Self {
        Self { most: 0, ..Self::new(inner) }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        // Nothing that runs under the lock can leave the queue half-changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes from the queue what goes into the next transaction.
    fn gather(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let mut gathered = Vec::new();
        let mut writes = 0;
        while let Some(next) = waiting.front() {
            writes += next.batches.iter().map(|batch| batch.puts.len() + batch.deletes.len()).sum::<usize>();
            if !gathered.is_empty() && writes > self.most {
                break;
            }
            let Some(next) = waiting.pop_front() else { break };
            let wanted = !next.answer.is_canceled();
            if wanted
                && next.batches.iter().all(|batch| batch.ticket.as_ref().is_none_or(|ticket| ticket.start()))
            {
                gathered.push(next);
            } else {
                // Whoever withdrew the ticket knows already; a dropped receiver does not care.
                let _ = next.answer.send(Err(withdrawn()));
            }
        }
        gathered
    }

    /// Commits what waits, once, and answers everyone in it.
    async fn commit_waiting(&self) {
        let mut gathered = self.gather();
        if gathered.is_empty() {
            return;
        }
        let sizes: Vec<usize> = gathered.iter().map(|waiting| waiting.batches.len()).collect();
        let batches: Vec<Batch> = gathered.iter_mut().flat_map(|waiting| waiting.batches.drain(..)).collect();
        let outcome = self.inner.commit(&batches).await;
        let apart = gathered.len() > 1 && outcome.as_ref().is_err_and(|error| is_of_one(error.kind()));
        let mut verdicts = outcome.map(Vec::into_iter);
        let mut rest = batches.as_slice();
        for (waiting, size) in gathered.into_iter().zip(sizes) {
            let (own, others) = rest.split_at(size);
            rest = others;
            let answer = match &mut verdicts {
                Ok(verdicts) => Ok(verdicts.by_ref().take(size).collect()),
                Err(_) if apart => self.inner.commit(own).await,
                Err(error) => Err(error.clone()),
            };
            // A receiver that is gone no longer wants to know.
            let _ = waiting.answer.send(answer);
        }
    }
}

/// Whether an error may be of one caller's making, and says that nothing was stored.
const fn is_of_one(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Quota | ErrorKind::Invalid | ErrorKind::Corrupt)
}

fn withdrawn() -> Error {
    Error::internal("the write was withdrawn before it began; nothing was written")
}

fn unanswered() -> Error {
    Error::unavailable(
        "the caller that was committing for others was dropped; whether the write is stored is unknown: read before \
         you retry",
    )
}

#[deny(clippy::missing_trait_methods)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for GroupCommit {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.inner.get(keys).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.inner.scan(range, page).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Verdicts> {
        // Refused here, so that one caller's bad batch does not fail those it would travel with.
        crate::backends::check(batches, self.inner.info().max_value_bytes)?;
        let (sender, mut answer) = oneshot::channel();
        self.waiting().push_back(Waiting { batches: batches.to_vec(), answer: sender });
        loop {
            match select(answer, pin!(self.lead.lock())).await {
                Either::Left((answered, _)) => return answered.unwrap_or_else(|_| Err(unanswered())),
                Either::Right((lead, unanswered)) => {
                    // Let everyone who writes in this same turn of the event loop come aboard.
                    yield_now().await;
                    self.commit_waiting().await;
                    drop(lead);
                    answer = unanswered;
                }
            }
        }
    }

    async fn stats(&self) -> Result<Stats> {
        self.inner.stats().await
    }

    async fn check(&self) -> Result<Vec<String>> {
        self.inner.check().await
    }

    async fn close(&self) -> Result<()> {
        // What was accepted before the close is written before it.
        let _lead = self.lead.lock().await;
        while !self.waiting().is_empty() {
            self.commit_waiting().await;
        }
        self.inner.close().await
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use futures_util::future::join_all;

    use super::*;
    use crate::backends::MemoryBackend;
    use crate::model::{Precondition, Space, Ticket};
    use crate::testing::Counting;

    crate::testing::conformance!(native, async { GroupCommit::new(Arc::new(MemoryBackend::new())) });

    fn key(id: u32) -> Key {
        Key::record("s", &id.to_string()).expect("valid key")
    }

    #[test]
    fn a_hundred_concurrent_writes_share_one_transaction() {
        let inner = Arc::new(Counting::new(MemoryBackend::new()));
        let layer = GroupCommit::new(Arc::<Counting>::clone(&inner));
        let batches: Vec<[Batch; 1]> =
            (0..100).map(|id| [Batch::new(1).put(key(id), vec![id as u8])]).collect();
        let verdicts = block_on(join_all(batches.iter().map(|batch| layer.commit(batch))));
        let versions: Vec<u64> = verdicts
            .into_iter()
            .map(|verdict| verdict.expect("commits")[0].as_ref().expect("passes").sequence)
            .collect();
        assert_eq!(versions, (1..=100).collect::<Vec<u64>>(), "in the order of their callers");
        assert_eq!(inner.commits(), 1);
    }

    #[test]
    fn each_caller_gets_its_own_verdict() {
        let layer = GroupCommit::new(Arc::new(MemoryBackend::new()));
        let once = |id| [Batch::new(1).put(key(0), vec![id]).require(key(0), Precondition::Absent)];
        let batches: Vec<[Batch; 1]> = (0..20).map(once).collect();
        let verdicts = block_on(join_all(batches.iter().map(|batch| layer.commit(batch))));
        let passed = verdicts.iter().filter(|verdict| verdict.as_ref().expect("commits")[0].is_ok()).count();
        assert_eq!(passed, 1);
    }

    /// Takes one put at a time, and not every key.
    #[derive(Debug)]
    struct Fussy {
        inner: MemoryBackend,
        fault: ErrorKind,
    }

    #[cfg_attr(target_family = "wasm", async_trait(?Send))]
    #[cfg_attr(not(target_family = "wasm"), async_trait)]
    impl Backend for Fussy {
        fn info(&self) -> BackendInfo {
            self.inner.info()
        }
        async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
            self.inner.get(keys).await
        }
        async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
            self.inner.scan(range, page).await
        }
        async fn commit(&self, batches: &[Batch]) -> Result<Verdicts> {
            let refused = batches.iter().flat_map(|batch| &batch.puts).any(|put| put.key == key(13));
            if refused || batches.len() > 1 {
                return Err(Error::new(self.fault, "not these"));
            }
            self.inner.commit(batches).await
        }
        async fn stats(&self) -> Result<Stats> {
            self.inner.stats().await
        }
        async fn close(&self) -> Result<()> {
            self.inner.close().await
        }
    }

    #[test]
    fn an_error_that_is_of_one_caller_fails_no_other() {
        for kind in ErrorKind::ALL {
            let layer = GroupCommit::new(Arc::new(Fussy { inner: MemoryBackend::new(), fault: kind }));
            let batches: Vec<[Batch; 1]> = (10..20).map(|id| [Batch::new(1).put(key(id), vec![])]).collect();
            let outcomes = block_on(join_all(batches.iter().map(|batch| layer.commit(batch))));
            let failed: Vec<usize> = (0..10).filter(|&at| outcomes[at].is_err()).collect();
            let apart = matches!(kind, ErrorKind::Quota | ErrorKind::Invalid | ErrorKind::Corrupt);
            assert_eq!(failed, if apart { vec![3] } else { (0..10).collect() }, "{kind:?}");
            let stored = block_on(layer.stats()).expect("counts").keys;
            assert_eq!(stored, if apart { 9 } else { 0 }, "{kind:?}");
        }
    }

    #[test]
    fn a_withdrawn_or_dropped_write_is_not_written() {
        let layer = GroupCommit::new(Arc::new(MemoryBackend::new()));
        let ticket = Ticket::default();
        let taken_back = [Batch { ticket: Some(ticket.clone()), ..Batch::new(1).put(key(1), vec![]) }];
        let dropped = [Batch::new(1).put(key(2), vec![])];
        let kept = [Batch::new(1).put(key(3), vec![])];
        block_on(async {
            let mut first = layer.commit(&kept);
            let mut second = layer.commit(&taken_back);
            let mut third = layer.commit(&dropped);
            // Each runs until it waits; none has been handed over yet.
            assert!(futures_util::poll!(first.as_mut()).is_pending());
            assert!(futures_util::poll!(second.as_mut()).is_pending());
            assert!(futures_util::poll!(third.as_mut()).is_pending());
            assert!(ticket.withdraw());
            drop(third);
            assert!(first.await.expect("commits")[0].is_ok());
            assert!(second.await.is_err());
            let stored = layer.scan(&Range::space(Space::Record), Page::first(9)).await.expect("scans");
            assert_eq!(stored.records.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [key(3)]);
        });
    }

    #[test]
    fn dropping_the_leader_passes_the_lead_on() {
        let layer = GroupCommit::new(Arc::new(MemoryBackend::new()));
        let (one, two) = ([Batch::new(1).put(key(1), vec![])], [Batch::new(1).put(key(2), vec![])]);
        block_on(async {
            let mut leader = layer.commit(&one);
            let mut follower = layer.commit(&two);
            assert!(futures_util::poll!(leader.as_mut()).is_pending());
            assert!(futures_util::poll!(follower.as_mut()).is_pending());
            drop(leader);
            assert!(follower.await.expect("commits")[0].is_ok());
        });
    }

    #[test]
    fn close_writes_what_was_accepted() {
        let inner = Arc::new(Counting::new(MemoryBackend::new()));
        let layer = GroupCommit::new(Arc::<Counting>::clone(&inner));
        let batch = [Batch::new(1).put(key(1), vec![])];
        block_on(async {
            let mut write = layer.commit(&batch);
            assert!(futures_util::poll!(write.as_mut()).is_pending());
            let (written, closed) = futures_util::join!(write, layer.close());
            assert!(written.expect("commits")[0].is_ok());
            closed.expect("closes");
            assert_eq!(layer.commit(&batch).await.expect_err("closed").kind(), crate::ErrorKind::Closed);
        });
        assert_eq!(inner.commits(), 2, "one that passed, one that was refused");
    }
}
