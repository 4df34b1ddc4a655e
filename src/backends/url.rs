//! From a URL to a backend.

use std::sync::Arc;

use super::{Backend, Durability, MemoryBackend};
use crate::{Error, Result};

/// How to open a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenOptions {
    /// What a resolved commit shall survive, if the backend can offer it.
    pub durability: Durability,
    /// How long to wait for another holder to let go, in milliseconds.
    pub timeout_ms: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { durability: Durability::Relaxed, timeout_ms: 5_000 }
    }
}

const KNOWN: &str = "memory: (nothing is kept) and idb://name (a browser's IndexedDB)";

/// Opens the backend that `url` names: `memory:` or `idb://name`.
///
/// # Errors
/// `Invalid` for a URL of no known form, `Unsupported` for one whose backend this build or host
/// does not have, and whatever the backend's own opening gives.
pub async fn open(url: &str, options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    let (scheme, rest) = url
        .split_once(':')
        .ok_or_else(|| Error::invalid(format!("{url:?} is not a URL; give one of {KNOWN}")))?;
    match scheme {
        "memory" if rest.is_empty() => Ok(Arc::new(MemoryBackend::new())),
        "memory" => Err(Error::invalid(format!("{url:?}: memory: takes no name, each open has its own"))),
        "idb" => {
            let name = rest.strip_prefix("//").unwrap_or_default();
            crate::model::check_component("the name in idb://name", name)?;
            open_indexeddb(name, options).await
        }
        "sqlite" | "opfs" | "json" => {
            Err(Error::unsupported(format!("{scheme}: is not in this release; use one of {KNOWN}")))
        }
        _ => Err(Error::invalid(format!("{scheme}: is no known kind of storage; give one of {KNOWN}"))),
    }
}

#[cfg(target_family = "wasm")]
async fn open_indexeddb(name: &str, options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(super::indexeddb::IndexedDbBackend::open(name, options).await?))
}

#[cfg(not(target_family = "wasm"))]
#[allow(clippy::unused_async)] // the same signature as in the browser
async fn open_indexeddb(_: &str, _: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("idb: is the storage of a browser, and this is none; use memory:"))
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn urls_are_told_apart() {
        let options = OpenOptions::default();
        let kind =
            |url| block_on(open(url, &options)).map(|backend| backend.info().name).map_err(|e| e.kind());
        assert_eq!(kind("memory:"), Ok("memory"));
        assert_eq!(kind("idb://x"), Err(ErrorKind::Unsupported));
        assert_eq!(kind("sqlite://x.db"), Err(ErrorKind::Unsupported));
        for bad in ["", "memory", "memory:x", "idb:", "idb:x", "idb://", "ftp://x"] {
            assert_eq!(kind(bad), Err(ErrorKind::Invalid), "{bad:?}");
        }
    }
}
