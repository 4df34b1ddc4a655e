//! The seam to the host: time, randomness, and what `Send` means here.
//!
//! **Invariants**
//! - No other room asks the host for the time or for randomness; both come through [`Clock`] and
//!   [`Rng`], so that a test can replay a run.
//! - [`Monotonic`] never goes back and is never shown to a user; [`Clock`] may go back.
//!
//! - Calls that block run on a [`Worker`]; nothing else starts a thread.
//!
//! Deliberately absent: timers and background tasks. Work that is not part of a call is advanced by
//! whoever owns the handle.

use std::fmt;

pub mod files;
mod time;
mod worker;
pub use time::{Clock, ManualClock, Monotonic, SystemClock};
pub use worker::{Worker, WorkerGone};

#[cfg(not(target_family = "wasm"))]
mod send {
    /// `Send` natively, nothing in wasm, where host objects never leave their thread.
    pub trait MaybeSend: Send {}
    impl<T: Send + ?Sized> MaybeSend for T {}
    /// `Sync` natively, nothing in wasm.
    pub trait MaybeSync: Sync {}
    impl<T: Sync + ?Sized> MaybeSync for T {}
    /// A boxed future that may cross threads natively.
    pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
}

#[cfg(target_family = "wasm")]
mod send {
    /// `Send` natively, nothing in wasm, where host objects never leave their thread.
    pub trait MaybeSend {}
    impl<T: ?Sized> MaybeSend for T {}
    /// `Sync` natively, nothing in wasm.
    pub trait MaybeSync {}
    impl<T: ?Sized> MaybeSync for T {}
    /// A boxed future, confined to the one thread of a wasm instance.
    pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;
}

pub use send::{BoxFuture, MaybeSend, MaybeSync};

/// A source of random bytes.
pub trait Rng: fmt::Debug + MaybeSend + MaybeSync + 'static {
    /// Fills `buffer` with random bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] if the host has none to give.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The host gave no random bytes. It may later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEntropy(String);

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host gave no random bytes: {}", self.0)
    }
}

impl std::error::Error for NoEntropy {}

/// The host's cryptographic randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|cause| NoEntropy(cause.to_string()))
    }
}

/// How long to give way before the try with the number `attempt`, which somebody else may be making as
/// well, in milliseconds: a random part of 2, 4, 8, ..., and of no more than `longest_ms`. So two that met do
/// not meet again.
pub fn backoff_ms(attempt: u32, longest_ms: u32, rng: &dyn Rng) -> u32 {
    let most = 1u32.checked_shl(attempt).unwrap_or(u32::MAX).min(longest_ms);
    let mut random = [0; 8];
    match rng.fill(&mut random) {
        // The bias of the remainder is below 2^-32.
        Ok(()) => (u64::from_le_bytes(random) % (u64::from(most) + 1)) as u32,
        // Without randomness the whole pause: slower, and as right.
        Err(_) => most,
    }
}

/// Gives way once to whatever else is ready to run, and then goes on.
///
/// The future asks to be polled again at once, so on a single-threaded executor every task that
/// is already queued runs before it.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[cfg(target_family = "wasm")]
mod exception;
mod timer;
#[cfg(target_family = "wasm")]
pub use exception::HostError;
pub use timer::{Pace, sleep, yield_to_host};
