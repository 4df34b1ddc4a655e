//! SQLite: being built.
//!
//! **Invariants**
//! - None yet.

use std::sync::Arc;

use super::{Backend, OpenOptions};
use crate::platform::files::FileSystem;
use crate::{Error, Result};

/// Opens the SQLite file at `path`.
///
/// # Errors
/// For now, `Unsupported`.
#[allow(clippy::unused_async)]
pub async fn open(
    _path: &str,
    _files: Arc<dyn FileSystem>,
    _options: &OpenOptions,
) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("sqlite: is being built"))
}

/// Opens the SQLite database `name` in the OPFS pool of this worker.
///
/// # Errors
/// For now, `Unsupported`.
#[cfg(target_family = "wasm")]
#[allow(clippy::unused_async)]
pub async fn open_opfs(_name: &str, _options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("opfs: is being built"))
}
