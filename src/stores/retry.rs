//! Transactions that are run until they pass.
//!
//! **Invariants**
//! - The function is never run more often than the policy allows, and what it saved counts only from the
//!   run that passed.
//! - An error of the function reaches the caller only if what the function had read still held then;
//!   else the error is void, and the function is run again.
//! - Those that start over do so one after the other within a memory, so each of them meets writers of
//!   other memories and first runs only. One that runs inside the function of another never waits for
//!   it: that would be for ever.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;

use super::memory::conflict_error;
use super::{Memory, Transaction};
use crate::platform::{Rng, SystemRng, backoff_ms, sleep, yield_now};
use crate::{Error, Result};

/// How often a transaction that meets others is run again, and how long it gives way to them.
///
/// ```
/// # use mnemora::stores::RetryPolicy;
/// let few = RetryPolicy { retries: 3, ..RetryPolicy::default() };
/// ```
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// How often it is run again after a conflict. 100 by default; 0 to run it once.
    pub retries: u32,
    /// The longest pause before another run, in milliseconds. 32 by default.
    ///
    /// The first conflict has none. After that a pause is a random part of 2, 4, 8, ... milliseconds, so
    /// that two that met do not meet again.
    pub longest_pause_ms: u32,
    /// Where the random part comes from.
    pub rng: Arc<dyn Rng>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 100, longest_pause_ms: 32, rng: Arc::new(SystemRng) }
    }
}

impl RetryPolicy {
    /// How long to give way after the run with this number, in milliseconds.
    fn pause_ms(&self, run: u32) -> u32 {
        if run == 0 { 0 } else { backoff_ms(run, self.longest_pause_ms, &*self.rng) }
    }

    async fn pause(&self, run: u32) {
        match self.pause_ms(run) {
            0 => yield_now().await,
            pause => sleep(pause).await,
        }
    }
}

impl Memory {
    /// Runs `work` in a transaction, again and again until nobody has changed what it read, and gives
    /// what it gave.
    ///
    /// Everything that `work` reads and saves through the transaction is as if it had happened at one
    /// moment, and happens wholly or not at all. Whatever else it does, it may do several times. The
    /// error of `work` is the caller's own type, or [`Error`]; if it fails, nothing is saved.
    ///
    /// `work` is an async closure that takes nothing along but what it borrows, or a closure that gives a
    /// future. The whole is `Send` if both are, so it can be spawned:
    ///
    /// ```
    /// # use mnemora::stores::{Memory, MemoryOptions, RetryPolicy, StoreOptions};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let memory = Memory::open("memory:", &MemoryOptions::default()).await?;
    /// let accounts = memory.store("accounts", StoreOptions::default())?.of::<i64>();
    /// accounts.save_many(&[("ada", &100), ("bob", &0)]).await?;
    ///
    /// let (shared, store) = (memory.clone(), accounts.clone());
    /// let left = tokio::spawn(async move {
    ///     shared
    ///         .transact(RetryPolicy::default(), async |tx| {
    ///             let ada = tx.get_value(&store, "ada").await?.unwrap_or(0);
    ///             let bob = tx.get_value(&store, "bob").await?.unwrap_or(0);
    ///             tx.save_value(&store, "ada", &(ada - 30))?;
    ///             tx.save_value(&store, "bob", &(bob + 30))?;
    ///             mnemora::Result::Ok(ada - 30)
    ///         })
    ///         .await
    /// });
    /// assert_eq!(left.await.expect("runs")?, 70);
    /// assert_eq!(accounts.get("bob").await?, Some(30));
    /// # mnemora::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// What `work` gives; `Conflict`, naming the key, if the policy's retries are used up; what the
    /// backend's commit gives.
    pub async fn transact<R, E: From<Error>, F: Future<Output = Result<R, E>>>(
        &self,
        policy: RetryPolicy,
        mut work: impl FnMut(Transaction) -> F,
    ) -> Result<R, E> {
        let mut turn = None;
        for run in 0.. {
            let transaction = self.begin();
            let conflict = match as_inner(work(transaction.clone())).await {
                Ok(result) => match transaction.try_commit(None).await? {
                    Ok(_) => return Ok(result),
                    Err(conflict) => conflict,
                },
                Err(error) => match transaction.validate().await? {
                    Ok(()) => return Err(error),
                    Err(conflict) => conflict,
                },
            };
            if run == policy.retries {
                let runs = u64::from(run) + 1;
                let error = conflict_error(&conflict, None);
                return Err(error.at(format!("the transaction was run {runs} times")).into());
            }
            if turn.is_none() && !INNER.get() {
                turn = Some(self.turn().lock().await);
            }
            policy.pause(run).await;
        }
        Err(Error::internal("a transaction had no run left").into())
    }
}

thread_local! {
    /// Whether what is polled on this thread runs inside the function of a transaction.
    static INNER: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` so that whatever it polls knows that it runs inside a transaction.
async fn as_inner<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        let before = INNER.replace(true);
        let polled = work.as_mut().poll(context);
        INNER.set(before);
        polled
    })
    .await
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::platform::NoEntropy;
    use crate::stores::{MemoryOptions, Store, StoreOptions};
    use crate::testing::block_on;
    use crate::{ErrorKind, testing::rng::SplitMix64};

    async fn counter() -> (Memory, Store<i64>) {
        let memory = Memory::open("memory:", &MemoryOptions::default()).await.unwrap();
        let store = memory.store("s", StoreOptions::default()).unwrap().of::<i64>();
        store.save("n", &0).await.unwrap();
        (memory, store)
    }

    async fn increment(tx: Transaction, store: &Store<i64>) -> Result<()> {
        let n = tx.get_value(store, "n").await?.unwrap_or(0);
        yield_now().await;
        tx.save_value(store, "n", &(n + 1))
    }

    #[test]
    fn three_hundred_at_once_all_pass() {
        block_on(async {
            let (memory, store) = counter().await;
            let policy = RetryPolicy { retries: 10, ..RetryPolicy::default() };
            let all =
                (0..300).map(|_| memory.transact(policy.clone(), async |tx| increment(tx, &store).await));
            for outcome in join_all(all).await {
                outcome.unwrap();
            }
            assert_eq!(store.get("n").await.unwrap(), Some(300));
        });
    }

    #[test]
    fn the_limit_is_kept_and_the_conflict_names_the_key() {
        block_on(async {
            let (memory, store) = counter().await;
            let runs = Cell::new(0);
            let policy = RetryPolicy { retries: 2, ..RetryPolicy::default() };
            let outcome = memory
                .transact(policy, async |tx| {
                    runs.set(runs.get() + 1);
                    increment(tx, &store).await?;
                    store.save("n", &runs.get()).await.map(drop)
                })
                .await;
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.key(), runs.get()), (ErrorKind::Conflict, Some("s/n"), 3));
            assert!(error.message().contains("run 3 times"), "{error}");
            assert_eq!(store.get("n").await.unwrap(), Some(3), "nothing of it was saved");
        });
    }

    /// An error type of a caller's own.
    #[derive(Debug)]
    enum Refusal {
        Poor(i64),
        Memory(Error),
    }

    impl From<Error> for Refusal {
        fn from(error: Error) -> Self {
            Self::Memory(error)
        }
    }

    #[test]
    fn an_error_of_the_function_is_given_as_it_is_and_saves_nothing() {
        block_on(async {
            let (memory, store) = counter().await;
            let outcome: Result<(), Refusal> = memory
                .transact(RetryPolicy::default(), async |tx| {
                    let n = tx.get_value(&store, "n").await?.unwrap_or(0);
                    tx.save_value(&store, "n", &7)?;
                    Err(Refusal::Poor(n))
                })
                .await;
            assert!(matches!(outcome, Err(Refusal::Poor(0))), "{outcome:?}");
            assert_eq!(store.get("n").await.unwrap(), Some(0));
            memory.close().await.unwrap();
            let outcome: Result<(), Refusal> =
                memory.transact(RetryPolicy::default(), async |tx| Ok(increment(tx, &store).await?)).await;
            assert!(matches!(outcome, Err(Refusal::Memory(error)) if error.kind() == ErrorKind::Closed));
        });
    }

    #[test]
    fn an_error_that_comes_of_a_state_that_never_was_is_void() {
        block_on(async {
            let (memory, store) = counter().await;
            store.save_many(&[("x", &1), ("y", &1)]).await.unwrap();
            let runs = Cell::new(0);
            let outcome = memory
                .transact(RetryPolicy::default(), async |tx| {
                    runs.set(runs.get() + 1);
                    let x = tx.get_value(&store, "x").await?;
                    if runs.get() == 1 {
                        store.save_many(&[("x", &2), ("y", &2)]).await?;
                    }
                    if x == tx.get_value(&store, "y").await? { Ok(x) } else { Err(Error::invalid("differ")) }
                })
                .await;
            assert_eq!((outcome.unwrap(), runs.get()), (Some(2), 2));
        });
    }

    #[test]
    fn one_inside_another_does_not_wait_for_it() {
        block_on(async {
            let (memory, store) = counter().await;
            let (outer, inner) = (Cell::new(0), Cell::new(0));
            memory
                .transact(RetryPolicy::default(), async |tx| {
                    outer.set(outer.get() + 1);
                    if outer.get() == 1 {
                        increment(tx, &store).await?;
                        return store.save("n", &10).await.map(drop);
                    }
                    // It has its turn now. The one inside conflicts once as well.
                    memory
                        .transact(RetryPolicy::default(), async |tx| {
                            inner.set(inner.get() + 1);
                            increment(tx, &store).await?;
                            if inner.get() == 1 { store.save("n", &20).await.map(drop) } else { Ok(()) }
                        })
                        .await
                })
                .await
                .unwrap();
            assert_eq!((outer.get(), inner.get(), store.get("n").await.unwrap()), (2, 2, Some(21)));
        });
    }

    #[derive(Debug)]
    struct Seeded(std::sync::Mutex<SplitMix64>);

    impl Rng for Seeded {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
            let length = buffer.len();
            buffer.copy_from_slice(&self.0.lock().unwrap().bytes(length));
            Ok(())
        }
    }

    #[test]
    fn pauses_grow_to_the_longest_and_differ() {
        const SEED: u64 = 7;
        println!("seed {SEED}");
        let rng = Arc::new(Seeded(std::sync::Mutex::new(SplitMix64::new(SEED))));
        let policy = RetryPolicy { rng, ..RetryPolicy::default() };
        assert_eq!(policy.pause_ms(0), 0);
        for (run, most) in [(1, 2), (2, 4), (4, 16), (5, 32), (31, 32), (32, 32), (u32::MAX, 32)] {
            let pauses: std::collections::BTreeSet<u32> = (0..500).map(|_| policy.pause_ms(run)).collect();
            assert_eq!((pauses.first(), pauses.last()), (Some(&0), Some(&most)), "after run {run}");
        }
    }
}
