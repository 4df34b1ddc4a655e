//! One IndexedDB transaction, from its beginning to its `complete` or `abort` event.
//!
//! **Invariants**
//! - [`Running::complete`] returns `Ok` only after the `complete` event.
//! - Dropping a [`Running`] aborts it. No handler outlives it.

use futures_channel::oneshot;
use idb::Request;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{DomException, IdbDatabase, IdbTransaction};

use super::super::Durability;
use crate::platform::HostError;
use crate::{Error, ErrorKind};

#[wasm_bindgen]
extern "C" {
    /// `IDBDatabase` with the third argument of `transaction`, which web-sys holds to be unstable.
    #[wasm_bindgen(extends = Object)]
    type DurableDatabase;

    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn transaction(
        this: &DurableDatabase,
        stores: &Array,
        mode: &str,
        options: &Object,
    ) -> Result<IdbTransaction, JsValue>;
}

/// What IndexedDB threw or reported, or what we made of what it returned.
#[derive(Debug)]
pub(super) enum Fault {
    Host(HostError),
    Ours(Error),
    /// The browser closed the connection and did not say what became of the transaction.
    Silent,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<JsValue> for Fault {
    fn from(exception: JsValue) -> Self {
        Self::Host(HostError::new(exception))
    }
}

impl From<idb::Error> for Fault {
    fn from(error: idb::Error) -> Self {
        use idb::Error as E;
        match error {
            E::DomException(exception) => JsValue::from(exception).into(),
            E::AddFailed(value)
            | E::ClearFailed(value)
            | E::CountFailed(value)
            | E::CursorAdvanceFailed(value)
            | E::DeleteFailed(value)
            | E::GetAllFailed(value)
            | E::GetAllKeysFailed(value)
            | E::GetFailed(value)
            | E::IndexedDbDeleteFailed(value)
            | E::IndexedDbOpenFailed(value)
            | E::KeyRangeCreateFailed(value)
            | E::ObjectStoreCreateFailed(value)
            | E::ObjectStoreNotFound(value)
            | E::OpenCursorFailed(value)
            | E::RequestResultNotFound(value)
            | E::UpdateFailed(value) => value.into(),
            other => Self::Ours(Error::internal(format!("the binding to IndexedDB failed: {other}"))),
        }
    }
}

impl Fault {
    /// Whether a key existed that was to be added.
    pub(super) fn is_collision(&self) -> bool {
        matches!(self, Self::Host(error) if error.name() == "ConstraintError")
    }

    /// Whether it is not known what became of the transaction.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Self::Silent)
    }

    /// Whether the storage is full.
    pub(super) fn is_quota(&self) -> bool {
        matches!(self, Self::Host(error) if error.name() == "QuotaExceededError")
    }

    /// Whether the connection is no longer there.
    pub(super) fn means_lost(&self) -> bool {
        // Chromium and Firefox say InvalidStateError on a closed connection; WebKit says UnknownError
        // when its storage process is gone.
        let Self::Host(error) = self else { return self.is_silent() };
        error.name() == "InvalidStateError"
            || (error.name() == "UnknownError" && error.message().contains("Connection"))
    }

    pub(super) fn into_error(self) -> Error {
        let host = match self {
            Self::Ours(error) => return error,
            Self::Host(host) => host,
            Self::Silent => {
                return Error::unavailable(
                    "the browser closed the connection to IndexedDB; whether this write is stored is unknown: read before \
                     you retry",
                );
            }
        };
        let (kind, meaning) = match host.name() {
            "QuotaExceededError" => (
                ErrorKind::Quota,
                "the browser's storage is full; nothing of this write was stored. Delete something and retry",
            ),
            "VersionError" => {
                (ErrorKind::Version, "a newer release made this database; upgrade the package and reload")
            }
            "DataCloneError" | "DataError" => {
                (ErrorKind::Internal, "IndexedDB refused what this package made; please report it")
            }
            "NotFoundError" => {
                (ErrorKind::Invalid, "the database is not one of this package; use another name")
            }
            "SecurityError" | "InvalidAccessError" => (
                ErrorKind::Unavailable,
                "this page may not use IndexedDB; check its permissions or private mode",
            ),
            "InvalidStateError" | "AbortError" => (
                ErrorKind::Unavailable,
                "the connection to IndexedDB was lost; nothing of this call was stored. Retry",
            ),
            "ReadError" | "NotReadableError" => {
                (ErrorKind::Corrupt, "the browser can not read what it stored; restore it from a backup")
            }
            _ => (ErrorKind::Unavailable, "IndexedDB failed; nothing of this call was stored. Retry"),
        };
        Error::new(kind, format!("{meaning} ({host})")).with_source(host)
    }
}

/// A transaction that is not over.
pub(super) struct Running {
    transaction: idb::Transaction,
    raw: IdbTransaction,
    end: Option<oneshot::Receiver<Result<(), Fault>>>,
}

impl Running {
    /// Begins a transaction on `stores`: readonly, or readwrite with `durability`.
    pub(super) fn begin(
        database: &IdbDatabase,
        stores: &[&str],
        durability: Option<Durability>,
    ) -> Result<Self, Fault> {
        let names: Array = stores.iter().map(|name| JsValue::from_str(name)).collect();
        let options = Object::new();
        let mode = match durability {
            None => "readonly",
            Some(durability) => {
                let hint =
                    JsValue::from_str(if durability == Durability::Strict { "strict" } else { "relaxed" });
                Reflect::set(&options, &JsValue::from_str("durability"), &hint)?;
                "readwrite"
            }
        };
        let durable: &DurableDatabase = database.unchecked_ref();
        let raw = durable.transaction(&names, mode, &options)?;
        let mut transaction = idb::Transaction::from(raw.clone());
        let mut end = None;
        if durability.is_some() {
            let (complete, receiver) = oneshot::channel();
            let complete = std::rc::Rc::new(std::cell::Cell::new(Some(complete)));
            let abort = std::rc::Rc::clone(&complete);
            let aborted = raw.clone();
            transaction.on_complete(move |_| {
                if let Some(sender) = complete.take() {
                    let _ = sender.send(Ok(()));
                }
            });
            transaction.on_abort(move |_| {
                if let Some(sender) = abort.take() {
                    let _ = sender.send(Err(aborted.error().map_or_else(
                        || {
                            Fault::Ours(Error::unavailable(
                                "the transaction was aborted; nothing was stored. Retry",
                            ))
                        },
                        |error: DomException| JsValue::from(error).into(),
                    )));
                }
            });
            end = Some(receiver);
        }
        Ok(Self { transaction, raw, end })
    }

    /// One of the transaction's stores.
    pub(super) fn store(&self, name: &str) -> Result<idb::ObjectStore, Fault> {
        Ok(self.transaction.object_store(name)?)
    }

    /// Says that no more requests come, and waits until everything is stored.
    pub(super) async fn complete(mut self) -> Result<(), Fault> {
        // Saves the turn that IndexedDB would take to find out by itself.
        #[allow(deprecated)]
        if let Err(refused) = self.raw.commit() {
            // Without requests, or when one has failed, the transaction may be over already.
            if self.end.is_none() {
                return Err(refused.into());
            }
        }
        let Some(end) = self.end.take() else { return Ok(()) };
        let ended = end.await;
        ended.unwrap_or_else(|_| {
            Err(Fault::Ours(Error::unavailable(
                "the page let go of the transaction; whether it is stored is unknown",
            )))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.raw.set_oncomplete(None);
        self.raw.set_onabort(None);
        if self.end.is_some() {
            // It may have ended by itself; then there is nothing to abort.
            let _ = self.raw.abort();
        }
    }
}

/// The result of a request, when it is there.
pub(super) async fn settled<R: Request>(mut request: R) -> Result<JsValue, Fault> {
    let (success, receiver) = oneshot::channel();
    let success = std::rc::Rc::new(std::cell::Cell::new(Some(success)));
    let error = std::rc::Rc::clone(&success);
    request.on_success(move |_| {
        if let Some(sender) = success.take() {
            let _ = sender.send(true);
        }
    });
    request.on_error(move |_| {
        if let Some(sender) = error.take() {
            let _ = sender.send(false);
        }
    });
    match receiver.await {
        Ok(true) => Ok(request.result()?),
        Ok(false) => Err(match request.error()? {
            Some(exception) => JsValue::from(exception).into(),
            None => Fault::Ours(Error::internal("a request to IndexedDB failed without saying why")),
        }),
        Err(_) => Err(Fault::Ours(Error::internal("a request to IndexedDB was let go of"))),
    }
}
