//! From a URL to a backend.

use std::sync::Arc;

use super::{Backend, Durability, MemoryBackend};
use crate::platform::files::FileSystem;
use crate::{Error, Result};

/// How to open a backend.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// What a resolved commit shall survive, if the backend can offer it.
    pub durability: Durability,
    /// How long to wait for another holder to let go, in milliseconds.
    pub timeout_ms: u32,
    /// The file system that `sqlite:` and `json:` keep their files in; `None` where the host has none.
    pub files: Option<Arc<dyn FileSystem>>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { durability: Durability::Relaxed, timeout_ms: 5_000, files: host_files() }
    }
}

#[cfg(not(target_family = "wasm"))]
#[allow(clippy::unnecessary_wraps)] // the same signature as in wasm
fn host_files() -> Option<Arc<dyn FileSystem>> {
    Some(Arc::new(crate::platform::files::NativeFiles))
}

#[cfg(target_family = "wasm")]
fn host_files() -> Option<Arc<dyn FileSystem>> {
    None
}

const KNOWN: &str = "memory: (nothing is kept), sqlite://path and json://directory (files), idb://name and \
                     opfs://name (a browser's storage)";

/// Opens the backend that `url` names: `memory:`, `sqlite://path`, `json://directory`, `idb://name` or
/// `opfs://name`.
///
/// A path is taken as it stands behind the two slashes: `sqlite://data/agents.db` lies below the current
/// directory, `sqlite:///var/agents.db` does not. Nothing in it is decoded.
///
/// # Errors
/// `Invalid` for a URL of no known form, `Unsupported` for one whose backend this build or host
/// does not have, and whatever the backend's own opening gives.
pub async fn open(url: &str, options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    let (scheme, rest) = url
        .split_once(':')
        .ok_or_else(|| Error::invalid(format!("{url:?} is not a URL; give one of {KNOWN}")))?;
    let name = rest.strip_prefix("//").unwrap_or_default();
    match scheme {
        "memory" if rest.is_empty() => Ok(Arc::new(MemoryBackend::new())),
        "memory" => Err(Error::invalid(format!("{url:?}: memory: takes no name, each open has its own"))),
        "idb" => {
            crate::model::check_component("the name in idb://name", name)?;
            open_indexeddb(name, options).await
        }
        "opfs" => {
            crate::model::check_component("the name in opfs://name", name)?;
            open_opfs(name, options).await
        }
        "sqlite" => {
            crate::model::check_component("the path in sqlite://path", name)?;
            open_sqlite(name, files(options)?, options).await
        }
        "json" => {
            crate::model::check_component("the directory in json://directory", name)?;
            super::json::open(name, files(options)?, options).await
        }
        _ => Err(Error::invalid(format!("{scheme}: is no known kind of storage; give one of {KNOWN}"))),
    }
}

fn files(options: &OpenOptions) -> Result<Arc<dyn FileSystem>> {
    let none = || Error::unsupported("this host has no files; use idb:, opfs: or memory:");
    options.files.as_ref().map(Arc::clone).ok_or_else(none)
}

#[cfg(feature = "sqlite")]
async fn open_sqlite(
    path: &str,
    files: Arc<dyn FileSystem>,
    options: &OpenOptions,
) -> Result<Arc<dyn Backend>> {
    super::sqlite::open(path, files, options).await
}

#[cfg(not(feature = "sqlite"))]
#[allow(clippy::unused_async)] // the same signature as with SQLite
async fn open_sqlite(_: &str, _: Arc<dyn FileSystem>, _: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Err(without_sqlite())
}

#[cfg(not(feature = "sqlite"))]
fn without_sqlite() -> Error {
    Error::unsupported("this build has no SQLite in it; build with the feature `sqlite`, or use json:")
}

#[cfg(all(feature = "sqlite", target_family = "wasm"))]
async fn open_opfs(name: &str, options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    super::sqlite::open_opfs(name, options).await
}

#[cfg(all(not(feature = "sqlite"), target_family = "wasm"))]
#[allow(clippy::unused_async)] // the same signature as with SQLite
async fn open_opfs(_: &str, _: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Err(without_sqlite())
}

#[cfg(not(target_family = "wasm"))]
#[allow(clippy::unused_async)] // the same signature as in the browser
async fn open_opfs(_: &str, _: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("opfs: is the storage of a browser, and this is none; use sqlite:"))
}

#[cfg(target_family = "wasm")]
async fn open_indexeddb(name: &str, options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(super::indexeddb::IndexedDbBackend::open(name, options).await?))
}

#[cfg(not(target_family = "wasm"))]
#[allow(clippy::unused_async)] // the same signature as in the browser
async fn open_indexeddb(_: &str, _: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("idb: is the storage of a browser, and this is none; use sqlite:"))
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn urls_are_told_apart() {
        let options = OpenOptions { files: None, ..OpenOptions::default() };
        let kind =
            |url| block_on(open(url, &options)).map(|backend| backend.info().name).map_err(|e| e.kind());
        assert_eq!(kind("memory:"), Ok("memory"));
        for elsewhere in ["idb://x", "opfs://x", "sqlite://x.db", "json://x"] {
            assert_eq!(kind(elsewhere), Err(ErrorKind::Unsupported), "{elsewhere:?}");
        }
        for bad in ["", "memory", "memory:x", "idb:", "idb:x", "idb://", "sqlite://", "json:x", "ftp://x"] {
            assert_eq!(kind(bad), Err(ErrorKind::Invalid), "{bad:?}");
        }
    }
}
