//! The hot calls, handed over to JavaScript in one call each: see `driver.js`.
//!
//! **Invariants**
//! - One closure serves every call for as long as the instance lives, so none is made or registered
//!   a call. A token tells the calls apart.
//! - An answer that nobody waits for any more is dropped.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use futures_channel::oneshot;
use wasm_bindgen::prelude::*;
use web_sys::IdbDatabase;

use super::transaction::Fault;
use crate::Error;

#[wasm_bindgen(module = "/src/backends/indexeddb/driver.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = writeRows)]
    fn js_write_rows(
        database: &IdbDatabase,
        strict: bool,
        bytes: &[u8],
        layout: &[u32],
        answer: &JsValue,
        token: u32,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_name = readRow)]
    fn js_read_row(database: &IdbDatabase, key: &[u8], answer: &JsValue, token: u32) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_name = readRows)]
    fn js_read_rows(
        database: &IdbDatabase,
        lower: &[u8],
        upper: Option<&[u8]>,
        count: u32,
        answer: &JsValue,
        token: u32,
    ) -> Result<(), JsValue>;
}

/// What a write does, as the layout says it.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
enum Kind {
    Put = 0,
    Add = 1,
    Delete = 2,
}

/// Rows to write, in the form that crosses at once.
#[derive(Debug, Default)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    layout: Vec<u32>,
}

impl Rows {
    /// Adds a row, which `fill` appends. `new`: only if its key is free.
    pub(super) fn put(&mut self, key: &[u8], new: bool, fill: impl FnOnce(&mut Vec<u8>)) {
        let (key_at, row_at) = self.key(key);
        fill(&mut self.bytes);
        let kind = if new { Kind::Add } else { Kind::Put };
        self.layout.extend([kind as u32, key_at, row_at, self.bytes.len() as u32]);
    }

    /// Adds a delete.
    pub(super) fn delete(&mut self, key: &[u8]) {
        let (key_at, row_at) = self.key(key);
        self.layout.extend([Kind::Delete as u32, key_at, row_at, row_at]);
    }

    fn key(&mut self, key: &[u8]) -> (u32, u32) {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(key);
        (at, self.bytes.len() as u32)
    }

    /// Writes everything in one transaction. Waits until it has ended.
    pub(super) async fn write(self, database: &IdbDatabase, strict: bool) -> Result<(), Fault> {
        let (bytes, layout) = (&self.bytes, &self.layout);
        answered(|answer, token| js_write_rows(database, strict, bytes, layout, answer, token))
            .await
            .map(drop)
    }
}

/// The row at `key`, or undefined.
pub(super) async fn read_row(database: &IdbDatabase, key: &[u8]) -> Result<JsValue, Fault> {
    answered(|answer, token| js_read_row(database, key, answer, token)).await
}

/// Up to `count` rows from `lower` to before `upper`, in order of their keys.
pub(super) async fn read_rows(
    database: &IdbDatabase,
    lower: &[u8],
    upper: Option<&[u8]>,
    count: u32,
) -> Result<Packed, Fault> {
    let call = |answer: &JsValue, token| js_read_rows(database, lower, upper, count, answer, token);
    let packed = answered(call).await?;
    Ok(Packed { bytes: packed.unchecked_into::<js_sys::Uint8Array>().to_vec(), at: 0 })
}

/// Rows as `driver.js` packs them.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    at: usize,
}

impl Packed {
    /// The next row.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let (length, rest) = self.bytes.get(self.at..)?.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        self.at += 4 + length;
        rest.get(..length)
    }
}

type Answer = Result<JsValue, JsValue>;

thread_local! {
    static NEXT: Cell<u32> = const { Cell::new(0) };
    static WAITING: RefCell<HashMap<u32, oneshot::Sender<Answer>>> = RefCell::default();
    static ANSWER: JsValue = Closure::<dyn Fn(u32, JsValue, JsValue)>::new(answer).into_js_value();
}

fn answer(token: u32, error: JsValue, value: JsValue) {
    if let Some(waiting) = WAITING.with_borrow_mut(|waiting| waiting.remove(&token)) {
        // Whoever let go of the receiver does not care.
        let _ = waiting.send(if error.is_undefined() { Ok(value) } else { Err(error) });
    }
}

/// A place among those that wait; given up when dropped.
struct Place(u32);

impl Drop for Place {
    fn drop(&mut self) {
        WAITING.with_borrow_mut(|waiting| waiting.remove(&self.0));
    }
}

async fn answered(call: impl FnOnce(&JsValue, u32) -> Result<(), JsValue>) -> Result<JsValue, Fault> {
    let token = NEXT.replace(NEXT.get().wrapping_add(1));
    let (sender, receiver) = oneshot::channel();
    WAITING.with_borrow_mut(|waiting| waiting.insert(token, sender));
    let _place = Place(token);
    ANSWER.with(|answer| call(answer, token))?;
    match receiver.await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Fault::Ours(Error::internal("a call to IndexedDB was let go of"))),
    }
}
