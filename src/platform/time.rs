//! Wall clock and monotonic clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{MaybeSend, MaybeSync};

/// Wall-clock time in whole milliseconds since the Unix epoch. It may jump, also backwards.
pub trait Clock: fmt::Debug + MaybeSend + MaybeSync + 'static {
    /// The time now, in milliseconds since the Unix epoch.
    fn now(&self) -> u64;
}

/// The host's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// A clock that stands still until it is set: for tests, and for hosts that inject their own time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows `now`, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn at(now: u64) -> Self {
        Self(Arc::new(AtomicU64::new(now)))
    }

    /// Sets the clock; every clone of it shows the new time.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    /// Moves the clock forward by `by` milliseconds.
    pub fn advance(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(not(target_family = "wasm"))]
impl Clock for SystemClock {
    fn now(&self) -> u64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since_epoch.map_or(0, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(target_family = "wasm")]
impl Clock for SystemClock {
    fn now(&self) -> u64 {
        js_sys::Date::now() as u64
    }
}

/// A reading of the monotonic clock, for measuring how long ago something was.
#[derive(Debug, Clone, Copy)]
pub struct Monotonic {
    #[cfg(not(target_family = "wasm"))]
    at: std::time::Instant,
    #[cfg(target_family = "wasm")]
    at: f64,
}

#[cfg(not(target_family = "wasm"))]
impl Monotonic {
    /// The reading now.
    #[must_use]
    pub fn now() -> Self {
        Self { at: std::time::Instant::now() }
    }

    /// Milliseconds since this reading was taken.
    #[must_use]
    pub fn elapsed_ms(&self) -> f64 {
        self.at.elapsed().as_secs_f64() * 1e3
    }
}

#[cfg(target_family = "wasm")]
mod host {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        // `performance` is on the global object of windows, workers and Node alike.
        #[wasm_bindgen(js_namespace = performance, js_name = now)]
        pub(super) fn performance_now() -> f64;
    }
}

#[cfg(target_family = "wasm")]
impl Monotonic {
    /// The reading now.
    #[must_use]
    pub fn now() -> Self {
        Self { at: host::performance_now() }
    }

    /// Milliseconds since this reading was taken.
    #[must_use]
    pub fn elapsed_ms(&self) -> f64 {
        host::performance_now() - self.at
    }
}
