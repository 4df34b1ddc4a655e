//! The backend under test.

use std::sync::Arc;

use futures_executor::block_on;
use mnemora::Result;
use mnemora::backends::{self, Backend, Durability, OpenOptions};
use mnemora::platform::files::FileSystem;
use mnemora::testing::disk::SimulatedDisk;

/// A kind of backend that keeps files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    /// The scheme of its URLs.
    pub(crate) scheme: &'static str,
}

impl Subject {
    /// Opens the store in `directory`, which is there.
    pub(crate) fn open(
        self,
        files: Arc<dyn FileSystem>,
        directory: &str,
        durability: Durability,
    ) -> Result<Arc<dyn Backend>> {
        block_on(backends::open(&self.url(directory), &options(files, durability)))
    }

    /// The URL of the store in `directory`.
    pub(crate) fn url(self, directory: &str) -> String {
        format!("{}://{directory}/store", self.scheme)
    }

    /// Opens the store on a simulated disk.
    pub(crate) fn open_on(self, disk: &SimulatedDisk, durability: Durability) -> Result<Arc<dyn Backend>> {
        self.open(Arc::new(disk.clone()), "", durability)
    }
}

/// Nobody else holds what the tests open: no waiting.
pub(crate) fn options(files: Arc<dyn FileSystem>, durability: Durability) -> OpenOptions {
    OpenOptions { durability, timeout_ms: 0, files: Some(files) }
}

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// The seeds to try: as many as asked for, or the one to be repeated.
pub(crate) fn seeds(usual: u64) -> std::ops::Range<u64> {
    match setting("MNEMORA_FAULTS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("MNEMORA_FAULTS_SEEDS").unwrap_or(usual),
    }
}
