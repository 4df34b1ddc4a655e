//! Answers of bytes. One that is there at once stays in the memory of the instance, where the facade reads
//! it: a buffer of JavaScript's own costs more than most of them take to read.
//!
//! **Invariants**
//! - What stands here is whole, and stands until the next call into the instance. The facade reads it
//!   before it does anything else.
//! - A large answer is handed over as a buffer, so that its memory is free again.

use std::cell::RefCell;
use std::task::{Context, Poll, Waker};

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::error;
use crate::Result;
use crate::platform::BoxFuture;

/// The longest answer that is left standing, in bytes.
const LONGEST: usize = 1 << 16;

thread_local! {
    static ANSWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The memory of the instance, in which answers stand.
#[wasm_bindgen(js_name = answerMemory)]
#[must_use]
pub fn answer_memory() -> JsValue {
    wasm_bindgen::memory()
}

/// Where the answer stands that was left last.
#[wasm_bindgen(js_name = answerAt)]
#[must_use]
pub fn answer_at() -> *const u8 {
    ANSWER.with_borrow(Vec::as_ptr)
}

/// How long it is, in bytes.
#[wasm_bindgen(js_name = answerLength)]
#[must_use]
pub fn answer_length() -> usize {
    ANSWER.with_borrow(Vec::len)
}

/// The bytes that `future` gives: `true` if they are left standing, else a buffer, a promise of one if it
/// has to wait, and undefined for none.
///
/// # Errors
/// What the future failed with, if it did so at once.
pub(super) fn answer(
    future: impl Future<Output = Result<Option<Vec<u8>>>> + 'static,
) -> Result<JsValue, JsValue> {
    settle(Box::pin(future))
}

/// Behind a pointer: compiled once, not once for each export.
fn settle(mut outcome: BoxFuture<'static, Result<Option<Vec<u8>>>>) -> Result<JsValue, JsValue> {
    // Whatever this first look registers to be woken is registered anew by the task below.
    match outcome.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Some(bytes))) if bytes.len() <= LONGEST => {
            ANSWER.set(bytes);
            Ok(JsValue::TRUE)
        }
        Poll::Ready(settled) => handed_over(settled),
        Poll::Pending => Ok(future_to_promise(async move { handed_over(outcome.await) }).into()),
    }
}

fn handed_over(settled: Result<Option<Vec<u8>>>) -> Result<JsValue, JsValue> {
    let bytes = settled.map_err(|error| error::thrown(&error))?;
    Ok(bytes.map_or(JsValue::UNDEFINED, |bytes| Uint8Array::from(bytes.as_slice()).into()))
}
