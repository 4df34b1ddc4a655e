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

/// What a URL asks for.
#[derive(Debug, Clone, Copy)]
enum Target<'a> {
    Memory,
    IndexedDb(&'a str),
    Opfs(&'a str),
    Sqlite(&'a str),
    Json(&'a str),
}

impl<'a> Target<'a> {
    fn of(url: &'a str) -> Result<Self> {
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| Error::invalid(format!("{url:?} is not a URL; give one of {KNOWN}")))?;
        let name = rest.strip_prefix("//").unwrap_or_default();
        let named = |what: &str, target| crate::model::check_component(what, name).map(|()| target);
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => Err(Error::invalid(format!("{url:?}: memory: takes no name, each open has its own"))),
            "idb" => named("the name in idb://name", Self::IndexedDb(name)),
            "opfs" => named("the name in opfs://name", Self::Opfs(name)),
            "sqlite" => named("the path in sqlite://path", Self::Sqlite(name)),
            "json" => named("the directory in json://directory", Self::Json(name)),
            _ => Err(Error::invalid(format!("{scheme}: is no known kind of storage; give one of {KNOWN}"))),
        }
    }
}

/// Whether `url` is of a known form.
///
/// # Errors
/// `Invalid` if it is not.
pub(super) fn check_url(url: &str) -> Result<()> {
    Target::of(url).map(drop)
}

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
    match Target::of(url)? {
        Target::Memory => Ok(Arc::new(MemoryBackend::new())),
        Target::IndexedDb(name) => open_indexeddb(name, options).await,
        Target::Opfs(name) => open_opfs(name, options).await,
        Target::Sqlite(path) => open_sqlite(path, files(options)?, options).await,
        Target::Json(directory) => open_json(directory, files(options)?, options).await,
    }
}

fn files(options: &OpenOptions) -> Result<Arc<dyn FileSystem>> {
    let none = || Error::unsupported("this host has no files; use idb:, opfs: or memory:");
    options.files.as_ref().map(Arc::clone).ok_or_else(none)
}

#[cfg(feature = "json")]
async fn open_json(
    directory: &str,
    files: Arc<dyn FileSystem>,
    options: &OpenOptions,
) -> Result<Arc<dyn Backend>> {
    super::json::open(directory, files, options).await
}

#[cfg(not(feature = "json"))]
#[allow(clippy::unused_async)] // the same signature as with JSON files
async fn open_json(_: &str, _: Arc<dyn FileSystem>, _: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("this build has no JSON files in it; build with the feature `json`"))
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

/// Takes over a backend that is given as an object of JavaScript, each of whose calls may take
/// `timeout_ms`; gives it and the name that it gave itself.
///
/// # Errors
/// What [`HostBackend::open`](super::host::HostBackend::open) gives.
#[cfg(target_family = "wasm")]
pub async fn open_object(
    object: &wasm_bindgen::JsValue,
    timeout_ms: u32,
) -> Result<(Arc<dyn Backend>, String)> {
    let backend = super::host::HostBackend::open(object, timeout_ms).await?;
    let name = backend.name().to_owned();
    Ok((Arc::new(backend), name))
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
