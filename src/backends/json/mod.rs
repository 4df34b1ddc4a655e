//! JSON files: being built.
//!
//! **Invariants**
//! - None yet.

use std::sync::Arc;

use super::{Backend, OpenOptions};
use crate::platform::files::FileSystem;
use crate::{Error, Result};

/// Opens the JSON files in `directory`.
///
/// # Errors
/// For now, `Unsupported`.
#[allow(clippy::unused_async)]
pub async fn open(
    _directory: &str,
    _files: Arc<dyn FileSystem>,
    _options: &OpenOptions,
) -> Result<Arc<dyn Backend>> {
    Err(Error::unsupported("json: is being built"))
}
