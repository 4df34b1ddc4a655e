//! What JavaScript sees of the core: handles, conversion, errors. Thin: no rules live here.
//!
//! The TypeScript facade is the only caller. Values cross as bytes that it has encoded, results as
//! one run of postcard (see `answer`), so that a call crosses the boundary once each way however much it
//! brings.
//!
//! **Invariants**
//! - Every export takes `&self` and clones what it needs before it returns a promise; no borrow of
//!   a handle is held across an await.
//! - No export calls a function that a user gave: a backend that does (`backends::host`) gives way once
//!   before it. The clock is a number that the facade hands in.
//! - Whatever fails is thrown as an `Error` with `code`, `retryable`, `key` and `cause`; a panic is
//!   told to the handler of [`on_panic`] before the instance traps.

mod answer;
mod backend;
mod collection;
mod copy;
mod core;
mod error;
mod store;
mod transaction;
mod wire;

use std::cell::RefCell;
use std::task::{Context, Poll, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

pub use self::answer::{answer_at, answer_length, answer_memory};
pub use self::backend::{CoreBackend, open_object, open_url};
pub use self::collection::CoreCollection;
pub use self::core::{CoreMemory, open_memory};
pub use self::store::CoreStore;
pub use self::transaction::CoreTransaction;
use crate::Result;
use crate::model::Ticket;
use crate::platform::BoxFuture;

thread_local! {
    static PANIC_HANDLER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Tells `handler` the message of a panic, once, just before the instance traps. After that the
/// instance must not be used any more.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(handler: Function) {
    PANIC_HANDLER.set(Some(handler));
    std::panic::set_hook(Box::new(|info| {
        if let Some(handler) = PANIC_HANDLER.take() {
            // The facade's handler does not throw; if it did, the trap follows all the same.
            let _ = handler.call1(&JsValue::NULL, &JsValue::from_str(&info.to_string()));
        }
    }));
}

/// Lets a write be taken back as long as it has not begun.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Withdrawal(Ticket);

#[wasm_bindgen]
impl Withdrawal {
    /// A claim for one write.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle of the same claim, to go along with the write.
    #[must_use]
    pub fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// Takes the write back; `true` if nothing of it was or will be written.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.0.withdraw()
    }
}

fn ticket(withdrawal: Option<&Withdrawal>) -> Option<Ticket> {
    withdrawal.map(|withdrawal| withdrawal.0.clone())
}

/// What `future` gives: at once if it has no need to wait, otherwise a promise of it.
///
/// Memory, SQLite, JSON files and caches answer at once, and a promise with its task would then cost
/// more than the answer. The facade awaits either.
///
/// # Errors
/// What the future failed with, if it did so at once.
fn promise<T: Into<JsValue>>(future: impl Future<Output = Result<T>> + 'static) -> Result<JsValue, JsValue> {
    settle(Box::pin(async move { future.await.map(Into::into).map_err(|error| error::thrown(&error)) }))
}

/// Behind a pointer: compiled once, not once for each export.
fn settle(mut outcome: BoxFuture<'static, Result<JsValue, JsValue>>) -> Result<JsValue, JsValue> {
    // Whatever this first look registers to be woken is registered anew by the task below.
    match outcome.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(settled) => settled,
        Poll::Pending => Ok(future_to_promise(outcome).into()),
    }
}

/// A number that JavaScript gave for an optional one: NaN stands for none.
fn given(number: f64) -> Option<u64> {
    (!number.is_nan()).then_some(number as u64)
}
