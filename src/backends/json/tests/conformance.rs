//! The conformance suite: over real files, and over a directory that is opened anew all the time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::platform::files::NativeFiles;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A directory that goes with its backend.
#[derive(Debug)]
struct Temporary {
    inner: Arc<dyn Backend>,
    path: std::path::PathBuf,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        crate::testing::block_on(self.inner.close()).unwrap();
        std::fs::remove_dir_all(&self.path).unwrap();
    }
}

async fn fresh(durability: Durability) -> Temporary {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("mnemora-json-{}-{number}", std::process::id()));
    let options = OpenOptions { durability, ..OpenOptions::default() };
    let inner = super::super::open(path.to_str().unwrap(), Arc::new(NativeFiles), &options).await.unwrap();
    Temporary { inner, path }
}

#[async_trait]
impl Backend for Temporary {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.inner.get(keys).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.inner.scan(range, page).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        self.inner.commit(batches).await
    }

    async fn stats(&self) -> Result<Stats> {
        self.inner.stats().await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

mod relaxed {
    use super::*;

    crate::testing::conformance!(native, fresh(Durability::Relaxed));
}

mod strict {
    use super::*;

    crate::testing::conformance!(native, fresh(Durability::Strict));
}

/// Opened anew after each of the first commits, and after many later ones: half of the times closed
/// before, else as after a kill. Each time what was there must be there.
#[derive(Debug)]
struct Reopening {
    disk: Arc<Disk>,
    inner: Mutex<Option<JsonFiles>>,
    commits: AtomicUsize,
}

impl Reopening {
    fn new() -> Self {
        let disk = Arc::new(Disk::default());
        let inner = Mutex::new(Some(super::open(&disk)));
        Self { disk, inner, commits: AtomicUsize::new(0) }
    }

    fn with<T>(&self, run: impl FnOnce(&mut JsonFiles) -> Result<T>) -> Result<T> {
        run(self.inner.lock().unwrap().as_mut().ok_or_else(|| Error::closed("closed"))?)
    }
}

#[async_trait]
impl Backend for Reopening {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            name: "json",
            durability: Durability::Strict,
            shared: false,
            data_loss: None,
            max_value_bytes: MAX_RECORD_BYTES,
        }
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.with(|json| json.get(keys))
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        self.with(|json| json.scan(range, &page))
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        let verdicts = self.with(|json| json.commit(batches))?;
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        if number > 30 && number % 50 > 1 {
            return Ok(verdicts);
        }
        let mut inner = self.inner.lock().unwrap();
        let mut before = inner.take().unwrap();
        let expected = everything(&mut before);
        if number.is_multiple_of(2) {
            before.close().unwrap();
        } else {
            drop(before);
        }
        let mut after = super::open(&self.disk);
        assert!(everything(&mut after) == expected, "commit {number} did not come back");
        assert_eq!(after.check().unwrap(), Vec::<String>::new());
        *inner = Some(after);
        Ok(verdicts)
    }

    async fn stats(&self) -> Result<Stats> {
        self.with(JsonFiles::stats)
    }

    async fn close(&self) -> Result<()> {
        self.inner.lock().unwrap().take().map_or(Ok(()), JsonFiles::close)
    }
}

mod reopening {
    use super::*;

    crate::testing::conformance!(native, async { Reopening::new() });
}
