//! What `open` gives, as a backend of a type with a size, which the suite wants.

use std::sync::Arc;

use async_trait::async_trait;
use mnemora::backends::{Backend, BackendInfo, ScanPage, Stats};
use mnemora::model::{Batch, Committed, Conflict, Key, Page, Range, Record};

#[derive(Debug)]
pub(crate) struct Opened(pub(crate) Arc<dyn Backend>);

#[deny(clippy::missing_trait_methods)]
#[async_trait(?Send)]
impl Backend for Opened {
    fn info(&self) -> BackendInfo {
        self.0.info()
    }
    async fn get(&self, keys: &[Key]) -> mnemora::Result<Vec<Option<Record>>> {
        self.0.get(keys).await
    }
    async fn scan(&self, range: &Range, page: Page) -> mnemora::Result<ScanPage> {
        self.0.scan(range, page).await
    }
    async fn commit(&self, batches: &[Batch]) -> mnemora::Result<Vec<Result<Committed, Conflict>>> {
        self.0.commit(batches).await
    }
    async fn stats(&self) -> mnemora::Result<Stats> {
        self.0.stats().await
    }
    async fn check(&self) -> mnemora::Result<Vec<String>> {
        self.0.check().await
    }
    async fn close(&self) -> mnemora::Result<()> {
        self.0.close().await
    }
}
