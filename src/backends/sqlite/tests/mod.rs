//! Tests of the SQLite backend on the file system of the machine.
//!
//! **Invariants**
//! - Each test works in a directory of its own, which goes with its thread.
//! - Randomness prints its seed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_executor::block_on;

use super::database::Database;
use super::*;
use crate::backends::Durability;
use crate::model::{Batch, Key};
use crate::platform::files::NativeFiles;
use crate::{Error, ErrorKind};

mod damage;
mod failing;
mod faults;
mod foreign;
mod reopen;
mod wal;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the directory for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static FOLDER: Folder = {
        let name = format!("mnemora-sqlite-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a directory can be made");
        Folder(path)
    };
}

/// A path that nothing is at yet.
fn fresh_path() -> String {
    let name = format!("{}.db", COUNT.fetch_add(1, Ordering::Relaxed));
    FOLDER.with(|folder| folder.0.join(name)).to_str().expect("is UTF-8").to_owned()
}

async fn open_on(
    files: Arc<dyn FileSystem>,
    path: &str,
    durability: Durability,
) -> crate::Result<Offloaded<Database>> {
    let path = path.to_owned();
    Offloaded::open(0, move || Database::open(&files, &path, durability)).await
}

async fn open_at(path: &str) -> crate::Result<Offloaded<Database>> {
    open_on(Arc::new(NativeFiles), path, Durability::Relaxed).await
}

fn refused<T: std::fmt::Debug>(outcome: crate::Result<T>, kind: ErrorKind) -> Error {
    let error = outcome.expect_err("is refused");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

fn key(id: &str) -> Key {
    Key::record("s", id).expect("a valid key")
}

/// Puts `value` at the id.
async fn put(backend: &dyn Backend, id: &str, value: &[u8]) -> crate::Result<u64> {
    let verdicts = backend.commit(&[Batch::new(1).put(key(id), value.to_vec())]).await?;
    Ok(verdicts.into_iter().next().expect("one verdict").expect("passes").sequence)
}

/// What is stored at the id.
async fn get(backend: &dyn Backend, id: &str) -> crate::Result<Option<Vec<u8>>> {
    let found = backend.get(&[key(id)]).await?.remove(0);
    Ok(found.map(|record| record.value))
}

mod relaxed {
    use super::*;

    crate::testing::conformance!(native, async { open_at(&fresh_path()).await.expect("opens") });
}

mod strict {
    use super::*;

    crate::testing::conformance!(native, async {
        open_on(Arc::new(NativeFiles), &fresh_path(), Durability::Strict).await.expect("opens")
    });
}
