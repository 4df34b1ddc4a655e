//! Node's files, for tests in wasm: the calls that the package gives to the core, and a place for files.

use std::sync::Arc;

use mnemora::platform::files::{FileSystem, HostFiles};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/wasm/host_files.js")]
extern "C" {
    #[wasm_bindgen(js_name = nodeFiles)]
    fn node_files() -> JsValue;
    #[wasm_bindgen(js_name = newDirectory)]
    fn directory() -> String;
}

/// The file system of Node.
pub(crate) fn files() -> Arc<dyn FileSystem> {
    Arc::new(HostFiles::new(node_files()).expect("the package's calls keep to the contract"))
}

/// The path of a new directory, which is removed when the tests end.
pub(crate) fn new_directory() -> String {
    directory()
}
