//! A JavaScript value to the bytes of a record and back, by way of serde-wasm-bindgen: what the
//! product would do if it had no codec of its own on the JavaScript side.
//!
//! **Invariants**
//! - All contenders end and begin at the same place: the encoded bytes in wasm memory.
//! - The bytes are those of the product's codec, so the contenders read what the others wrote.

mod bridge;

use std::cell::RefCell;

use mnemora::model::{decode_value, encode_value};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use bridge::Bridged;

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Encodes `value` through serde-wasm-bindgen and keeps the bytes; gives their number.
///
/// # Errors
/// What serde-wasm-bindgen or the codec refuses.
#[wasm_bindgen(js_name = serdeEncode)]
pub fn serde_encode(value: JsValue) -> Result<usize, JsError> {
    let Bridged(value) = serde_wasm_bindgen::from_value(value)?;
    Ok(keep(encode_value(&value)?))
}

/// Decodes the bytes that are kept through serde-wasm-bindgen.
///
/// # Errors
/// What the codec or serde-wasm-bindgen refuses.
#[wasm_bindgen(js_name = serdeDecode)]
pub fn serde_decode() -> Result<JsValue, JsError> {
    let value = BYTES.with_borrow(|bytes| decode_value(bytes))?;
    // Objects, not maps, and null, not undefined: as the value went in.
    let serializer = Serializer::new().serialize_maps_as_objects(true).serialize_missing_as_null(true);
    Ok(Bridged(value).serialize(&serializer)?)
}

/// Keeps bytes that were encoded in JavaScript; gives their number.
#[wasm_bindgen]
#[must_use]
pub fn take(bytes: Vec<u8>) -> usize {
    keep(bytes)
}

/// Gives a copy of the bytes that are kept, to be decoded in JavaScript.
#[wasm_bindgen]
#[must_use]
pub fn give() -> Vec<u8> {
    BYTES.with_borrow(Clone::clone)
}

fn keep(bytes: Vec<u8>) -> usize {
    BYTES.with_borrow_mut(|kept| {
        *kept = bytes;
        kept.len()
    })
}
