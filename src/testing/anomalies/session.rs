//! What the scenarios are played on: transactions of several clients on one store of numbers.
//!
//! **Invariants**
//! - Scenarios know [`Database`] and [`Session`] only, so that they run unchanged on the real
//!   transactions and on those that are broken on purpose.
//! - Each client has a memory of its own over the shared backend, as two tabs have.

use std::sync::Arc;

use crate::backends::Backend;
use crate::platform::SystemClock;
use crate::stores::{Memory, Store, StoreOptions, Transaction};
use crate::{ErrorKind, Result};

/// How a scenario reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Record by record.
    Get,
    /// By ranges of ids.
    List,
}

impl Reads {
    pub(super) const BOTH: [Self; 2] = [Self::Get, Self::List];
}

/// Clients that begin transactions.
pub(super) trait Database {
    /// The transactions it gives.
    type Session: Session;

    /// Begins a transaction of the client with this number.
    fn begin(&self, client: usize) -> Self::Session;
}

/// A transaction under way.
pub(super) trait Session {
    async fn get(&mut self, id: &str) -> Result<Option<i64>>;
    async fn list(&mut self, prefix: &str) -> Result<Vec<(String, i64)>>;
    async fn save(&mut self, id: &str, value: i64);
    async fn delete(&mut self, id: &str);
    async fn commit(self) -> Result<()>;
}

/// The real thing: the public stores over a backend.
#[derive(Debug)]
pub(super) struct Stores {
    clients: Vec<Store<i64>>,
    memories: Vec<Memory>,
}

impl Stores {
    /// Three clients of a store of its own for each way to read.
    pub(super) async fn over(backend: &Arc<dyn Backend>, reads: Reads) -> Self {
        let mut made = Self { clients: Vec::new(), memories: Vec::new() };
        for _ in 0..3 {
            let memory = Memory::over(Arc::clone(backend), true, Arc::new(SystemClock)).await.expect("opens");
            let store = memory.store(&format!("{reads:?}"), StoreOptions::default()).expect("a valid name");
            made.clients.push(store.of());
            made.memories.push(memory);
        }
        made
    }

    /// The store of a client.
    #[cfg(test)]
    pub(super) fn store(&self, client: usize) -> Store<i64> {
        self.clients[client].clone()
    }
}

impl Database for Stores {
    type Session = Running;

    fn begin(&self, client: usize) -> Running {
        Running { transaction: self.memories[client].begin(), store: self.clients[client].clone() }
    }
}

/// A real transaction.
#[derive(Debug)]
pub(super) struct Running {
    transaction: Transaction,
    store: Store<i64>,
}

impl Session for Running {
    async fn get(&mut self, id: &str) -> Result<Option<i64>> {
        self.transaction.get_value(&self.store, id).await
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<(String, i64)>> {
        self.transaction.list_values(&self.store, prefix).await
    }

    async fn save(&mut self, id: &str, value: i64) {
        self.transaction.save_value(&self.store, id, &value).expect("is valid");
    }

    async fn delete(&mut self, id: &str) {
        self.transaction.delete(&self.store, id).expect("is valid");
    }

    async fn commit(self) -> Result<()> {
        self.transaction.commit(None).await.map(drop)
    }
}

/// The number under `id`.
///
/// # Errors
/// `Conflict`; any other failure is a failure of the test.
pub(super) async fn read(session: &mut impl Session, reads: Reads, id: &str) -> Result<Option<i64>> {
    conflict_or(match reads {
        Reads::Get => session.get(id).await,
        Reads::List => session
            .list(id)
            .await
            .map(|found| found.into_iter().find_map(|(found, value)| (found == id).then_some(value))),
    })
}

/// The numbers of the records `x` and `y`.
///
/// # Errors
/// As [`read`].
pub(super) async fn read_both(session: &mut impl Session, reads: Reads) -> Result<(i64, i64)> {
    let x = read(session, reads, "x").await?.expect("x is there");
    let y = read(session, reads, "y").await?.expect("y is there");
    Ok((x, y))
}

/// What may lie in the range that the scenarios over predicates read.
const ITEMS: [&str; 4] = ["item:1", "item:2", "item:3", "item:4"];

/// Ids and numbers of the items whose number fulfils `wanted`, in order of id. By single reads, every
/// id that could be one is read, also those that are not there.
///
/// # Errors
/// As [`read`].
pub(super) async fn select(
    session: &mut impl Session,
    reads: Reads,
    wanted: impl Fn(i64) -> bool,
) -> Result<Vec<(String, i64)>> {
    let mut found = Vec::new();
    match reads {
        Reads::List => found = conflict_or(session.list("item:").await)?,
        Reads::Get => {
            for id in ITEMS {
                found.extend(conflict_or(session.get(id).await)?.map(|value| (id.to_owned(), value)));
            }
        }
    }
    found.retain(|&(_, value)| wanted(value));
    Ok(found)
}

/// Ends the transaction; tells whether it passed.
pub(super) async fn passes(session: impl Session) -> bool {
    conflict_or(session.commit().await).is_ok()
}

/// Writes in a transaction that nobody interferes with.
pub(super) async fn given(database: &impl Database, records: &[(&str, i64)]) {
    let mut session = database.begin(0);
    for &(id, value) in records {
        session.save(id, value).await;
    }
    assert!(passes(session).await, "nobody is in the way");
}

/// What a transaction that nobody interferes with reads of `x` and `y`.
pub(super) async fn both(database: &impl Database, reads: Reads) -> (i64, i64) {
    let mut session = database.begin(0);
    let found = read_both(&mut session, reads).await.expect("nobody is in the way");
    assert!(passes(session).await, "nobody is in the way");
    found
}

fn conflict_or<T>(outcome: Result<T>) -> Result<T> {
    if let Err(error) = &outcome {
        assert_eq!(error.kind(), ErrorKind::Conflict, "only conflicts may end a transaction: {error}");
    }
    outcome
}
