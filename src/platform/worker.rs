//! A place for calls that block: a thread of its own natively, the one thread there is in wasm.
//!
//! **Invariants**
//! - Jobs run one after another, in the order they were given.
//! - Natively, the future of a job may be dropped; the job runs all the same.
//! - Dropping a [`Worker`] waits for the jobs that were given and then drops the state, so that what
//!   the state holds (a lock, a file) is free afterwards.

use std::fmt;

/// The worker has ended: a job of it panicked. Natively only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerGone;

impl fmt::Display for WorkerGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thread of this backend ended on a defect")
    }
}

impl std::error::Error for WorkerGone {}

#[cfg(not(target_family = "wasm"))]
mod host {
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Mutex, PoisonError};
    use std::thread::JoinHandle;

    use futures_channel::oneshot;

    use super::WorkerGone;

    type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

    /// Runs blocking jobs over a state of its own.
    #[derive(Debug)]
    pub struct Worker<S> {
        // `None` once it has ended.
        running: Mutex<Option<Running<S>>>,
    }

    #[derive(Debug)]
    struct Running<S> {
        jobs: Sender<Job<S>>,
        thread: JoinHandle<()>,
    }

    impl<S: 'static> Worker<S> {
        /// Starts a worker whose state `make` makes; what `make` fails with is given back.
        ///
        /// # Errors
        /// [`WorkerGone`] if no thread could be started or `make` panicked.
        pub async fn start<E: Send + 'static>(
            name: &str,
            make: impl FnOnce() -> Result<S, E> + Send + 'static,
        ) -> Result<Result<Self, E>, WorkerGone> {
            let (jobs, queue) = channel::<Job<S>>();
            let (started, outcome) = oneshot::channel();
            let run = move || match make() {
                Ok(mut state) => {
                    // Nobody may be waiting any more: then the queue has ended too.
                    let _ = started.send(Ok(()));
                    for job in queue {
                        job(&mut state);
                    }
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            };
            let thread = std::thread::Builder::new().name(name.into()).spawn(run).map_err(|_| WorkerGone)?;
            let worker = Self { running: Mutex::new(Some(Running { jobs, thread })) };
            Ok(outcome.await.map_err(|_| WorkerGone)?.map(|()| worker))
        }

        /// Runs `job`.
        ///
        /// # Errors
        /// [`WorkerGone`] if this or an earlier job panicked, or after [`end`](Self::end).
        pub async fn run<R: Send + 'static>(
            &self,
            job: impl FnOnce(&mut S) -> R + Send + 'static,
        ) -> Result<R, WorkerGone> {
            let (answer, answered) = oneshot::channel();
            // A receiver that is gone no longer wants to know.
            let job: Job<S> = Box::new(move |state| drop(answer.send(job(state))));
            match &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(running) => running.jobs.send(job).map_err(|_| WorkerGone)?,
                None => return Err(WorkerGone),
            }
            answered.await.map_err(|_| WorkerGone)
        }
    }

    impl<S> Worker<S> {
        /// Runs what was given and ends: the thread and the state are gone when this returns.
        pub fn end(&self) {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(Running { jobs, thread }) = running {
                drop(jobs);
                // It ended in a panic, or now does without.
                let _ = thread.join();
            }
        }
    }

    impl<S> Drop for Worker<S> {
        fn drop(&mut self) {
            self.end();
        }
    }
}

#[cfg(target_family = "wasm")]
mod host {
    use std::cell::RefCell;

    use super::WorkerGone;

    /// Runs blocking jobs over a state of its own.
    #[derive(Debug)]
    pub struct Worker<S>(RefCell<S>);

    impl<S: 'static> Worker<S> {
        /// Starts a worker whose state `make` makes; what `make` fails with is given back.
        ///
        /// # Errors
        /// None in wasm.
        #[allow(clippy::unused_async)] // the same signature as natively
        pub async fn start<E: 'static>(
            _name: &str,
            make: impl FnOnce() -> Result<S, E> + 'static,
        ) -> Result<Result<Self, E>, WorkerGone> {
            Ok(make().map(|state| Self(RefCell::new(state))))
        }

        /// Runs `job`.
        ///
        /// # Errors
        /// [`WorkerGone`] if it is called from inside a job.
        #[allow(clippy::unused_async)] // the same signature as natively
        pub async fn run<R: 'static>(
            &self,
            job: impl FnOnce(&mut S) -> R + 'static,
        ) -> Result<R, WorkerGone> {
            let mut state = self.0.try_borrow_mut().map_err(|_| WorkerGone)?;
            Ok(job(&mut state))
        }

        /// Nothing to do: there is no thread.
        pub fn end(&self) {}
    }
}

pub use host::Worker;

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::sync::mpsc;

    use futures_executor::block_on;

    use super::*;

    #[test]
    fn jobs_run_in_order_also_those_nobody_waits_for() {
        let (done, seen) = mpsc::channel();
        let worker = block_on(Worker::start::<()>("test", || Ok(0u32))).expect("starts").expect("is made");
        let mut left = Box::pin(worker.run(|count| *count += 1));
        assert!(futures_util::FutureExt::now_or_never(left.as_mut()).is_none_or(|ran| ran.is_ok()));
        drop(left);
        assert_eq!(block_on(worker.run(|count| *count)), Ok(1));
        let sent = block_on(worker.run(move |_| done.send("last").is_ok()));
        assert_eq!(sent, Ok(true));
        drop(worker);
        assert_eq!(seen.recv(), Ok("last"));
        assert!(seen.recv().is_err(), "the state is gone");
    }

    #[test]
    fn a_panic_is_an_error_for_this_and_later_jobs() {
        let worker = block_on(Worker::start::<()>("test", || Ok(()))).expect("starts").expect("is made");
        assert_eq!(block_on(worker.run(|()| -> u8 { panic!("on purpose") })), Err(WorkerGone));
        assert_eq!(block_on(worker.run(|()| 1u8)), Err(WorkerGone));
        let failed = block_on(Worker::<()>::start("test", || Err("no")));
        assert_eq!(failed.expect("starts").expect_err("is refused"), "no");
    }
}
