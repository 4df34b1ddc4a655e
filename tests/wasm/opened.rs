//! What `open` gives, as a backend of a type with a size, which the suite wants; and how to write and read one
//! record of it.

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

pub(crate) fn key(id: &str) -> Key {
    Key::record("s", id).expect("a valid key")
}

pub(crate) async fn put(backend: &dyn Backend, id: &str, value: &[u8]) -> mnemora::Result<u64> {
    let verdicts = backend.commit(&[Batch::new(1).put(key(id), value.to_vec())]).await?;
    Ok(verdicts.into_iter().next().expect("one verdict").expect("passes").sequence)
}

pub(crate) async fn get(backend: &dyn Backend, id: &str) -> Option<Vec<u8>> {
    let found = backend.get(&[key(id)]).await.expect("reads").remove(0);
    found.map(|record| record.value)
}
