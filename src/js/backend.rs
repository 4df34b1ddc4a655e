//! The handle of a backend that was opened and has no memory over it yet.

use std::sync::Arc;

use wasm_bindgen::prelude::*;

use super::promise;
use crate::Result;
use crate::backends::{Backend, Durability, OpenOptions, open};
use crate::platform::files::FileSystem;

/// An opened backend.
#[wasm_bindgen]
#[derive(Debug, Clone)]
pub struct CoreBackend {
    backend: Arc<dyn Backend>,
    /// The URL, or what stands for it.
    url: String,
}

impl CoreBackend {
    pub(super) fn backend(&self) -> Arc<dyn Backend> {
        Arc::clone(&self.backend)
    }
}

/// Opens what `url` names. `files` are the host's synchronous calls on files, or undefined.
#[wasm_bindgen(js_name = openUrl)]
pub fn open_url(url: String, strict: bool, timeout_ms: u32, files: JsValue) -> Result<JsValue, JsValue> {
    promise(async move {
        let durability = if strict { Durability::Strict } else { Durability::Relaxed };
        let options = OpenOptions { durability, timeout_ms, files: host_files(files)? };
        let backend = open(&url, &options).await?;
        Ok(CoreBackend { backend, url })
    })
}

/// Takes over a backend given as an object. Each of its calls may take `timeout_ms`.
#[wasm_bindgen(js_name = openObject)]
pub fn open_object(object: JsValue, timeout_ms: u32) -> Result<JsValue, JsValue> {
    promise(async move {
        let (backend, name) = crate::backends::open_object(&object, timeout_ms).await?;
        Ok(CoreBackend { backend, url: format!("host:{name}") })
    })
}

#[cfg(any(feature = "json", feature = "sqlite"))]
fn host_files(calls: JsValue) -> Result<Option<Arc<dyn FileSystem>>> {
    if calls.is_undefined() {
        return Ok(None);
    }
    let files = crate::platform::files::HostFiles::new(calls).map_err(|cause| {
        crate::Error::unsupported("the files of this host can not be used").with_source(cause)
    })?;
    Ok(Some(Arc::new(files)))
}

/// Nothing in this build keeps files.
#[cfg(not(any(feature = "json", feature = "sqlite")))]
#[allow(clippy::unnecessary_wraps)] // the same signature as with them
fn host_files(_: JsValue) -> Result<Option<Arc<dyn FileSystem>>> {
    Ok(None)
}

#[wasm_bindgen]
impl CoreBackend {
    /// The URL it was opened by; `host:` and its name if it is an object.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Closes it, if no memory came to stand over it.
    pub fn close(&self) -> Result<JsValue, JsValue> {
        let backend = self.backend();
        promise(async move { backend.close().await.map(|()| JsValue::UNDEFINED) })
    }
}
