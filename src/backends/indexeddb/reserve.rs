//! Room for deletes when the storage is full.
//!
//! Chromium lets a transaction that only deletes through without a look at the quota; one that
//! writes a byte must fit. A delete of ours writes its log entry, so the reserve is deleted first, by
//! a transaction of its own. For that to make room at once the reserve must be a file of its own in
//! the browser's storage: values above 64 KiB after compression are. It must also be larger than
//! what the browser lets usage overshoot the quota by, since its figure lags behind: with 5 MB filled
//! by small writes that was 0.4 to 0.6 MB (Chromium 156, both engines).

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::super::Durability;
use super::META;
use super::connection::Live;
use super::transaction::{Fault, settled};
use crate::Error;
use crate::platform::{Rng, SystemRng};

const KEY: &str = "reserve";
const BYTES: usize = 1 << 20;

/// How long to wait before trying again to put the reserve back, in milliseconds.
pub(super) const RETRY_MS: f64 = 30_000.0;

/// The row of a new database.
pub(super) fn row() -> Result<(JsValue, JsValue), Fault> {
    // Random, so that it can not be compressed away.
    let mut noise = vec![0; BYTES];
    SystemRng.fill(&mut noise).map_err(|cause| {
        Error::unavailable("the database could not be prepared; retry").with_source(cause)
    })?;
    Ok((JsValue::from_str(KEY), Uint8Array::from(noise.as_slice()).into()))
}

pub(super) async fn is_there(live: &Live) -> Result<bool, Fault> {
    let transaction = live.begin(&[META], None)?;
    let key = settled(transaction.store(META)?.get_key(JsValue::from_str(KEY))?).await?;
    Ok(!key.is_undefined())
}

pub(super) async fn give_up(live: &Live, durability: Durability) -> Result<(), Fault> {
    let transaction = live.begin(&[META], Some(durability))?;
    transaction.store(META)?.delete(JsValue::from_str(KEY))?;
    transaction.complete().await
}

pub(super) async fn put_back(live: &Live, durability: Durability) -> Result<(), Fault> {
    let (key, noise) = row()?;
    let transaction = live.begin(&[META], Some(durability))?;
    transaction.store(META)?.put(&noise, Some(&key))?;
    transaction.complete().await
}
