//! The conformance suite in wasm, in a browser, over memory and over IndexedDB; and what only
//! IndexedDB can do wrong.

#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use mnemora::backends::indexeddb::IndexedDbBackend;
use mnemora::backends::{MemoryBackend, OpenOptions};
use mnemora::layers::GroupCommit;
use mnemora::platform::{Rng, SystemRng};

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod indexeddb_only;
mod vectors;

/// A database name that no other test has.
fn fresh_name() -> String {
    let mut bytes = [0; 8];
    SystemRng.fill(&mut bytes).expect("the host gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn indexeddb() -> IndexedDbBackend {
    IndexedDbBackend::open(&fresh_name(), &OpenOptions::default()).await.expect("opens")
}

mod memory {
    use super::MemoryBackend;

    mnemora::testing::conformance!(wasm, async { MemoryBackend::new() });
}

mod indexed_db {
    use super::indexeddb;

    mnemora::testing::conformance!(wasm, indexeddb());
}

mod indexed_db_group_commit {
    use super::{Arc, GroupCommit, indexeddb};

    mnemora::testing::conformance!(wasm, async { GroupCommit::new(Arc::new(indexeddb().await)) });
}
