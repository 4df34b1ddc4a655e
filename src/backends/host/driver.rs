//! The object, call by call: see `driver.js`, which reads the shape of every answer.
//!
//! **Invariants**
//! - Whatever the object does, a call gives an answer or an error within the time limit.
//! - What is handed over is a copy, and so is what comes back.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::backends::Durability;
use crate::model::{Key, Record};
use crate::platform::HostError;
use crate::{Error, ErrorKind, Result};

#[wasm_bindgen(module = "/src/backends/host/driver.js")]
extern "C" {
    #[derive(Debug)]
    type Host;
    #[wasm_bindgen(constructor)]
    fn new(object: &JsValue, timeout_ms: u32) -> Host;
    #[wasm_bindgen(method, catch)]
    async fn info(this: &Host) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn get(this: &Host, keys: Array, most: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn scan(
        this: &Host,
        start: Uint8Array,
        end: Option<Uint8Array>,
        reverse: bool,
        limit: f64,
        most: f64,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn commit(
        this: &Host,
        expected_head: f64,
        head: f64,
        puts: Array,
        deletes: Array,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn stats(this: &Host) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn check(this: &Host) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn close(this: &Host) -> Result<JsValue, JsValue>;
}

/// What the object says of itself.
#[derive(Debug, Clone)]
pub(super) struct Info {
    pub(super) name: String,
    pub(super) durability: Durability,
    pub(super) shared: bool,
    pub(super) max_value_bytes: Option<f64>,
}

/// One page of rows as the object gave them; their order is not yet judged.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) rows: Vec<(Key, Record)>,
    pub(super) more: bool,
}

/// What a commit came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) committed: bool,
    pub(super) head: u64,
}

/// What is to be written in one go.
#[derive(Debug, Default)]
pub(super) struct Write {
    puts: Array,
    deletes: Array,
}

impl Write {
    pub(super) fn put(&self, key: &Key, version: u64, value: &[u8]) {
        self.puts.push(&Uint8Array::from(key.as_bytes()));
        self.puts.push(&JsValue::from(version as f64));
        self.puts.push(&Uint8Array::from(value));
    }

    pub(super) fn delete(&self, key: &Key) {
        self.deletes.push(&Uint8Array::from(key.as_bytes()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.puts.length() == 0 && self.deletes.length() == 0
    }
}

/// The object behind its checks.
#[derive(Debug)]
pub(super) struct Driver {
    host: Host,
    /// Longest key or value that is believed, in bytes.
    most: f64,
}

impl Driver {
    /// Nothing is called yet.
    pub(super) fn new(object: &JsValue, timeout_ms: u32, most: usize) -> Self {
        Self { host: Host::new(object, timeout_ms), most: most as f64 }
    }

    pub(super) async fn info(&self) -> Result<Info> {
        // An object of the wrong shape is the caller's to mend, before anything was read or written.
        let info: Array = self.host.info().await.map_err(|fault| Fault::of(&fault).into_refusal())?.into();
        Ok(Info {
            name: info.get(0).as_string().unwrap_or_default(),
            durability: match info.get(1).as_f64() {
                Some(2.0) => Durability::Strict,
                Some(1.0) => Durability::Relaxed,
                _ => Durability::Volatile,
            },
            shared: info.get(2).is_truthy(),
            max_value_bytes: info.get(3).as_f64(),
        })
    }

    pub(super) async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let asked: Array = keys.iter().map(|key| Uint8Array::from(key.as_bytes())).collect();
        let found: Array = self.host.get(asked, self.most).await.map_err(|fault| read_error(&fault))?.into();
        Ok((0..keys.len() as u32)
            .map(|at| {
                let value = found.get(2 * at + 1);
                (!value.is_undefined())
                    .then(|| Record { version: number(&found, 2 * at), value: bytes(value) })
            })
            .collect())
    }

    pub(super) async fn scan(
        &self,
        start: &[u8],
        end: Option<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Rows> {
        let end = end.map(Uint8Array::from);
        let page = self.host.scan(Uint8Array::from(start), end, reverse, limit as f64, self.most).await;
        let page: Array = page.map_err(|fault| read_error(&fault))?.into();
        let mut rows = Vec::with_capacity(page.length() as usize / 3);
        for at in (1..page.length()).step_by(3) {
            let key = Key::decode(&bytes(page.get(at)))
                .map_err(|error| wrong("scan() gave a key that it was never given").with_source(error))?;
            rows.push((key, Record { version: number(&page, at + 1), value: bytes(page.get(at + 2)) }));
        }
        Ok(Rows { rows, more: page.get(0).is_truthy() })
    }

    /// The error is `Unavailable`, and says so, whenever it may have been written all the same.
    pub(super) async fn commit(&self, expected_head: u64, head: u64, write: Write) -> Result<Outcome> {
        let outcome = self.host.commit(expected_head as f64, head as f64, write.puts, write.deletes).await;
        let outcome: Array = outcome.map_err(|fault| Fault::of(&fault).into_commit_error())?.into();
        Ok(Outcome { committed: outcome.get(0).is_truthy(), head: number(&outcome, 1) })
    }

    /// The head, and how many rows there are, those of the log among them.
    pub(super) async fn stats(&self) -> Result<(u64, u64)> {
        let stats: Array = self.host.stats().await.map_err(|fault| read_error(&fault))?.into();
        Ok((number(&stats, 0), number(&stats, 1)))
    }

    pub(super) async fn check(&self) -> Result<Vec<String>> {
        let problems: Array = self.host.check().await.map_err(|fault| read_error(&fault))?.into();
        Ok(problems.iter().filter_map(|problem| problem.as_string()).collect())
    }

    /// Waits for what is in flight, and closes the object.
    pub(super) async fn close(&self) -> Result<()> {
        self.host.close().await.map_err(|fault| read_error(&fault))?;
        Ok(())
    }
}

/// An answer that can not be true.
pub(super) fn wrong(what: &str) -> Error {
    Error::corrupt(format!(
        "the backend object answers wrongly: {what}; its data was not touched: mend the object, see HostBackend"
    ))
}

/// An answer to a commit that leaves open whether it was written.
pub(super) fn unknown_outcome(what: &str) -> Error {
    Error::unavailable(format!(
        "{what}; the outcome of this write is unknown: read it again before you repeat it"
    ))
}

fn read_error(fault: &JsValue) -> Error {
    Fault::of(fault).into_error()
}

/// Why a call failed, as `driver.js` says it.
struct Fault {
    kind: String,
    message: String,
    /// The kind of error that the object itself asks for.
    code: Option<ErrorKind>,
    cause: JsValue,
}

impl Fault {
    fn of(fault: &JsValue) -> Self {
        let field = |name: &str| Reflect::get(fault, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        let text = |name: &str| field(name).as_string().unwrap_or_default();
        let code = text("code");
        Self {
            kind: text("kind"),
            message: text("message"),
            code: ErrorKind::ALL.into_iter().find(|kind| kind.code() == code),
            cause: field("cause"),
        }
    }

    /// The error of a call that writes nothing.
    fn into_error(self) -> Error {
        if self.kind == "wrong" {
            return wrong(&self.message);
        }
        let kind = self.code.unwrap_or(ErrorKind::Unavailable);
        let error = Error::new(kind, format!("the backend object's {}", self.message));
        if self.cause.is_undefined() { error } else { error.with_source(HostError::new(self.cause)) }
    }

    /// The error of `info`: an object that is none of the kind is bad input.
    fn into_refusal(self) -> Error {
        if self.kind == "wrong" {
            return Error::invalid(format!("the backend object is none: {}; see HostBackend", self.message));
        }
        self.into_error()
    }

    /// The error of a commit. Only an object that says with one of our codes why it refused is believed
    /// to have written nothing.
    fn into_commit_error(self) -> Error {
        if self.kind == "failed" && self.code.is_some_and(|kind| kind != ErrorKind::Unavailable) {
            return self.into_error();
        }
        let error = unknown_outcome(&format!("the backend object's {}", self.message));
        if self.cause.is_undefined() { error } else { error.with_source(HostError::new(self.cause)) }
    }
}

/// A number that `driver.js` has found to be whole and not negative.
fn number(answer: &Array, at: u32) -> u64 {
    answer.get(at).as_f64().unwrap_or_default() as u64
}

/// The bytes of an array that `driver.js` has made.
fn bytes(array: JsValue) -> Vec<u8> {
    array.unchecked_into::<Uint8Array>().to_vec()
}
