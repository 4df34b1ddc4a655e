//! Errors as JavaScript sees them.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use crate::Error;
use crate::platform::HostError;

/// A thrown `Error` with `code`, `retryable`, `key` and `cause`.
pub(super) fn thrown(error: &Error) -> JsValue {
    let thrown = js_sys::Error::new(error.message());
    let set = |field: &str, value: JsValue| {
        // Setting a field of a fresh, extensible object does not fail.
        let _ = Reflect::set(&thrown, &JsValue::from_str(field), &value);
    };
    set("code", error.kind().code().into());
    set("retryable", error.kind().retryable().into());
    if let Some(key) = error.key() {
        set("key", key.into());
    }
    if let Some(cause) = std::error::Error::source(error) {
        set(
            "cause",
            match cause.downcast_ref::<HostError>() {
                Some(host) => host.exception().clone(),
                None => js_sys::Error::new(&cause.to_string()).into(),
            },
        );
    }
    thrown.into()
}
