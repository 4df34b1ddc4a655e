//! The conformance suite in wasm, in Node.

#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use mnemora::backends::MemoryBackend;
use mnemora::layers::GroupCommit;

mod files;
mod host;
mod host_files;
#[cfg(feature = "sqlite")]
mod opened;
#[cfg(feature = "sqlite")]
mod sqlite;
mod vectors;

mod memory {
    use super::MemoryBackend;

    mnemora::testing::conformance!(wasm, async { MemoryBackend::new() });
}

mod json {
    use mnemora::backends::{Durability, OpenOptions, open};

    use super::{GroupCommit, host_files};

    /// A new directory; in the layer that hands each commit through, for a type with a size.
    async fn fresh(durability: Durability) -> GroupCommit {
        let options = OpenOptions { durability, files: Some(host_files::files()), ..OpenOptions::default() };
        let url = format!("json://{}", host_files::new_directory());
        GroupCommit::one_by_one(open(&url, &options).await.expect("opens"))
    }

    mod relaxed {
        use super::{Durability, fresh};

        mnemora::testing::conformance!(wasm, fresh(Durability::Relaxed));
    }

    mod strict {
        use super::{Durability, fresh};

        mnemora::testing::conformance!(wasm, fresh(Durability::Strict));
    }
}

mod memory_group_commit {
    use super::{Arc, GroupCommit, MemoryBackend};

    mnemora::testing::conformance!(wasm, async { GroupCommit::new(Arc::new(MemoryBackend::new())) });
}

mod platform {
    use futures_util::future::join_all;
    use mnemora::backends::{OpenOptions, open};
    use mnemora::platform::{Clock, Monotonic, Rng, SystemClock, SystemRng, sleep};
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    async fn a_host_without_indexeddb_says_so() {
        let error = open("idb://x", &OpenOptions::default()).await.expect_err("there is none in Node");
        assert_eq!(error.kind(), mnemora::ErrorKind::Unsupported);
    }

    #[wasm_bindgen_test]
    async fn time_passes_and_randomness_differs() {
        let before = Monotonic::now();
        join_all([sleep(5), sleep(10)]).await;
        assert!(before.elapsed_ms() >= 9.0);
        assert!(SystemClock.now() > 1_700_000_000_000);
        let (mut one, mut two) = ([0u8; 16], [0u8; 16]);
        SystemRng.fill(&mut one).expect("gives bytes");
        SystemRng.fill(&mut two).expect("gives bytes");
        assert_ne!(one, two);
    }
}
