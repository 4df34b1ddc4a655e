//! The backend that keeps everything in memory: for tests, caches and hosts without storage.
//!
//! **Invariants**
//! - Every call takes the lock once, so each is one snapshot or one atomic change.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use super::judge::{check, judge};
use super::table::{Changes, Table};
use super::{Backend, BackendInfo, Durability, MAX_RECORD_BYTES, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Key, Page, Range, Record};
use crate::{Error, Result};

/// A backend that lives as long as its handle.
#[derive(Debug, Default)]
pub struct MemoryBackend {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    table: Table,
    closed: bool,
}

impl MemoryBackend {
    /// An empty backend.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn open_state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self
            .state
            .lock()
            .map_err(|_| Error::internal("a call on this memory backend ended half-way; open a new one"))?;
        if state.closed {
            return Err(crate::backends::closed());
        }
        Ok(state)
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for MemoryBackend {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            name: "memory",
            durability: Durability::Volatile,
            shared: false,
            data_loss: None,
            max_value_bytes: MAX_RECORD_BYTES,
        }
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        Ok(self.open_state()?.table.get(keys))
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.open_state()?.table.scan(range, &page)
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        check(batches, MAX_RECORD_BYTES)?;
        let mut state = self.open_state()?;
        let changes = Changes::of(judge(batches, state.table.sequence, &state.table));
        Ok(state.table.apply(changes))
    }

    async fn stats(&self) -> Result<Stats> {
        Ok(self.open_state()?.table.stats())
    }

    async fn close(&self) -> Result<()> {
        if let Ok(mut state) = self.state.lock() {
            *state = State { closed: true, ..State::default() };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::testing::conformance!(native, async { MemoryBackend::new() });
}
