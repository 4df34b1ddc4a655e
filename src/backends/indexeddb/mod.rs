//! IndexedDB, through the crate `idb`.
//!
//! One database, two object stores, never changed: `records` (key bytes to rows: records and, under
//! the key of their first entry, blocks of the log, one a physical transaction) and `meta`. The list
//! is frozen because an upgrade blocks every other tab and can never be undone. The log shares the
//! store of the records because a transaction over one store is cheaper to begin than one over two:
//! 1,597 against 1,404 saves/s of the bare protocol.
//!
//! # How a commit saves its round trips
//! What costs in IndexedDB is the turn between page and storage process, so the common commit makes
//! one: it issues every write and `commit()` at once, without reading first. It knows the latest
//! sequence number from its last commit and writes its log block with `add` at the next one. If
//! another tab was faster, that key exists, the `add` fails, and with it the whole transaction;
//! the same holds for records that it takes to be new. Only then, or when a precondition needs it,
//! a second kind of commit reads what it needs inside the same transaction before it writes.
//!
//! **Invariants**
//! - A commit is answered on the transaction's `complete` event, never on a request's success.
//! - A block's key is the number after its predecessor's last. So whoever writes after a stale
//!   number meets an existing key. Trimming would take those keys away; therefore a number is
//!   trusted for 30 s of monotonic time only, and blocks are trimmed only when this context
//!   has itself seen a later number for more than twice that long.
//! - What is known of records without looking is true at that number; it is forgotten when another
//!   number turns up.
//! - A transaction that is dropped before its end is aborted.
//! - A full storage refuses whatever writes a byte, and the log entry of a delete is some. So that
//!   room can always be made, `meta` holds a reserve that is given up for a commit that only deletes,
//!   and put back when there is room again.
//! - `versionchange` closes the connection at once. The next call opens it again, once; a call that
//!   failed because the connection was lost is repeated once, and only if nothing of it was stored.
//!   A database that was deleted in the meantime is not made anew: the handle is closed and says so.

mod block;
mod commit;
mod connection;
mod driver;
mod knowledge;
mod read;
mod reserve;
mod transaction;

use std::cell::Cell;

use async_trait::async_trait;
use futures_util::lock::Mutex;

use self::connection::{Connection, Live};
use self::knowledge::Knowledge;
use self::transaction::Fault;
use super::judge::check;
use super::{Backend, BackendInfo, Durability, MAX_RECORD_BYTES, OpenOptions, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record, Space};
use crate::platform::Monotonic;
use crate::{ErrorKind, Result};

/// How long a sequence number may be trusted without a look, in milliseconds of monotonic time.
const LEASE_MS: f64 = 30_000.0;

const RECORDS: &str = "records";
const META: &str = "meta";

/// A backend over one IndexedDB database.
#[derive(Debug)]
pub struct IndexedDbBackend {
    connection: Connection,
    durability: Durability,
    /// Held across a commit: two at once would predict the same number, and one would lose.
    knowledge: Mutex<Knowledge>,
    /// If the reserve was given up: when it was last tried to put it back.
    reserve_spent: Cell<Option<Monotonic>>,
}

impl IndexedDbBackend {
    /// Opens or creates the database that belongs to `name`.
    ///
    /// # Errors
    /// `Unsupported` where there is no IndexedDB, `Blocked` when another tab does not let go within
    /// the time limit, `Version` when a newer release made it, `Quota`, `Unavailable`.
    pub async fn open(name: &str, options: &OpenOptions) -> Result<Self> {
        Self::open_with_lease(name, options, LEASE_MS).await
    }

    /// The same with another lease, so that a test need not wait.
    #[doc(hidden)]
    pub async fn open_with_lease(name: &str, options: &OpenOptions, lease_ms: f64) -> Result<Self> {
        let connection = Connection::open(name, options.timeout_ms).await?;
        let backend = Self {
            connection,
            durability: options.durability.max(Durability::Relaxed),
            knowledge: Mutex::new(Knowledge::new(lease_ms)),
            reserve_spent: Cell::new(None),
        };
        // The first commit then needs no look, and a database that can not be read fails here.
        backend.knowledge.lock().await.adopt(backend.head().await?);
        let there = backend.with_connection(false, async |live| reserve::is_there(live).await).await?;
        backend.reserve_spent.set((!there).then(Monotonic::now));
        Ok(backend)
    }

    /// Runs `attempt` on the connection; once more on a new one if the first was lost under it and,
    /// where it `writes`, nothing of it was stored.
    async fn with_connection<T>(
        &self,
        writes: bool,
        attempt: impl AsyncFn(&Live) -> Result<T, Fault>,
    ) -> Result<T> {
        let live = self.connection.live().await?;
        let fault = match live.unless_closed(attempt(&live)).await {
            Ok(done) => return Ok(done),
            Err(fault) => fault,
        };
        if !live.is_lost() && !fault.means_lost() {
            return Err(fault.into_error());
        }
        self.connection.lose(&live);
        let live = match self.connection.live().await {
            Ok(live) if !(writes && fault.is_silent()) => live,
            // Not repeated: it may be stored. That the database is gone tells more than silence.
            Ok(_) => return Err(fault.into_error()),
            Err(error) => return Err(error),
        };
        live.unless_closed(attempt(&live)).await.map_err(Fault::into_error)
    }

    /// Puts the reserve back if it was spent and there is room, now and then.
    async fn restore_reserve(&self, live: &Live) {
        let due = self.reserve_spent.get().is_some_and(|tried| tried.elapsed_ms() > reserve::RETRY_MS);
        if due {
            // No room yet, or no connection: the commit before it stands all the same, and a later
            // one tries again.
            let missing = reserve::put_back(live, self.durability).await.is_err();
            self.reserve_spent.set(missing.then(Monotonic::now));
        }
    }

    async fn head(&self) -> Result<u64> {
        self.with_connection(false, async |live| {
            let transaction = live.begin(&[RECORDS], None)?;
            read::head(&transaction.store(RECORDS)?).await
        })
        .await
    }
}

fn only_deletes(batches: &[Batch]) -> bool {
    batches.iter().all(|batch| batch.puts.is_empty())
}

#[async_trait(?Send)]
impl Backend for IndexedDbBackend {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            name: "indexeddb",
            durability: self.durability,
            shared: true,
            data_loss: self.connection.data_loss(),
            max_value_bytes: MAX_RECORD_BYTES,
        }
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.with_connection(false, async |live| read::get(live, keys).await).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        let rest = super::rest_of(range, &page)?;
        if rest.is_empty() {
            self.connection.live().await?;
            return Ok(ScanPage { records: Vec::new(), cursor: None });
        }
        if rest.start().first() != Some(&(Space::Log as u8)) {
            let rest = rest.before(&[Space::Log as u8]);
            return self.with_connection(false, async |live| read::scan(live, &rest, &page).await).await;
        }
        let found =
            self.with_connection(false, async |live| read::scan_log(live, &rest, &page).await).await?;
        // A number that we did not know of comes from another context. While a commit of our own is
        // in flight the lock is taken; the commit will find out by itself.
        let newest = found.records.iter().map(|(_, record)| record.version).max();
        if let (Some(newest), Some(mut knowledge)) = (newest, self.knowledge.try_lock()) {
            knowledge.meet(newest);
        }
        Ok(found)
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        check(batches, MAX_RECORD_BYTES)?;
        let mut knowledge = self.knowledge.lock().await;
        let live = self.connection.live().await?;
        knowledge.of_connection(live.generation());
        if let Some(assumption) = commit::assume(batches, &knowledge) {
            match live.unless_closed(commit::write_blindly(&live, self.durability, &assumption)).await {
                Ok(()) => {
                    let verdicts = assumption.judgement.verdicts.clone();
                    knowledge.advance(&assumption.judgement);
                    self.restore_reserve(&live).await;
                    return Ok(verdicts);
                }
                Err(fault) if fault.is_quota() && only_deletes(batches) => {}
                Err(fault) if fault.is_collision() => knowledge.collided(assumption.head),
                Err(fault) if fault.is_silent() => {
                    self.connection.lose(&live);
                    knowledge.forget();
                    self.connection.live().await?;
                    return Err(fault.into_error());
                }
                Err(fault) if live.is_lost() || fault.means_lost() => knowledge.forget(),
                Err(fault) => return Err(fault.into_error()),
            }
        }
        let durability = self.durability;
        let trim = knowledge.trimmable();
        let attempt = async |live: &Live| commit::read_and_write(live, durability, batches, trim).await;
        let mut outcome = self.with_connection(true, attempt).await;
        let full = matches!(&outcome, Err(error) if error.kind() == ErrorKind::Quota);
        if full && only_deletes(batches) && self.reserve_spent.get().is_none() {
            self.with_connection(true, async |live| reserve::give_up(live, durability).await).await?;
            self.reserve_spent.set(Some(Monotonic::now()));
            outcome = self.with_connection(true, attempt).await;
        }
        match outcome {
            Ok(done) => {
                self.restore_reserve(&live).await;
                knowledge.of_connection(done.generation);
                knowledge.adopt(done.head);
                knowledge.advance(&done.judgement);
                Ok(done.judgement.verdicts)
            }
            Err(error) => {
                knowledge.forget();
                Err(error)
            }
        }
    }

    async fn stats(&self) -> Result<Stats> {
        self.with_connection(false, async |live| read::stats(live).await).await
    }

    async fn close(&self) -> Result<()> {
        // A commit in flight ends first: its caller was not told yet.
        let _commit = self.knowledge.lock().await;
        self.connection.close();
        Ok(())
    }
}
