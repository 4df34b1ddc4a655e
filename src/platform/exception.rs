//! Exceptions of the host, as causes of errors.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// An exception of the host.
#[derive(Debug, Clone)]
pub struct HostError {
    name: String,
    message: String,
    exception: JsValue,
}

impl HostError {
    /// Takes an exception over.
    #[must_use]
    pub fn new(exception: JsValue) -> Self {
        let text = |field: &str| {
            let value = Reflect::get(&exception, &JsValue::from_str(field)).ok();
            value.and_then(|value| value.as_string()).unwrap_or_default()
        };
        Self { name: text("name"), message: text("message"), exception: exception.clone() }
    }

    /// Its name, such as `QuotaExceededError`; empty if it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The exception itself, for the `cause` of what JavaScript sees.
    #[must_use]
    pub fn exception(&self) -> &JsValue {
        &self.exception
    }
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for HostError {}
