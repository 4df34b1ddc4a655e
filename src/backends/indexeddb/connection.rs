//! The connection to one database: opening, letting go, opening again.
//!
//! **Invariants**
//! - Opening ends within its time limit, also when another tab blocks it. An open that succeeds
//!   after that is closed at once.
//! - The list of stores and the native version never change; what is newer or foreign is refused.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use futures_util::lock::Mutex;
use idb::event::VersionChangeEvent;
use idb::{Database, DatabaseEvent, Factory, ObjectStoreParams, Request};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbDatabase;

use super::super::Durability;
use super::transaction::{Fault, Running, settled};
use super::{META, RECORDS};
use crate::platform::{BoxFuture, sleep};
use crate::{Error, ErrorKind, Result};

/// The native version; frozen.
const NATIVE_VERSION: u32 = 1;

/// The format of the rows, kept in `meta`; higher ones are refused.
const FORMAT: f64 = 1.0;

const FORMAT_KEY: &str = "format";

/// How long a transaction may take to end after the browser has closed its connection.
const GRACE_MS: u32 = 100;

/// A database handle that stays usable when the browser takes the connection away.
#[derive(Debug)]
pub(super) struct Connection {
    name: String,
    timeout_ms: u32,
    data_loss: Option<String>,
    state: RefCell<State>,
    /// The generation of the last connection; held while another is made.
    opening: Mutex<u64>,
}

#[derive(Debug)]
enum State {
    Open(Rc<Live>),
    Lost,
    Closed,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Live {
    raw: IdbDatabase,
    /// Tells this connection from the ones before it: what was known over them may be gone.
    generation: u64,
    lost: Rc<Cell<bool>>,
    /// Whoever waits to hear that the browser has closed the connection.
    waiting: Rc<RefCell<Vec<oneshot::Sender<()>>>>,
    /// What the browser said of lost data when it made this database.
    data_loss: Option<String>,
    /// Holds the event handlers.
    _database: Database,
}

impl Live {
    fn new(raw: IdbDatabase, generation: u64, data_loss: Option<String>) -> Self {
        let mut database = Database::from(raw.clone());
        let lost = Rc::new(Cell::new(false));
        let (on_change, on_close) = (Rc::clone(&lost), Rc::clone(&lost));
        let closing = raw.clone();
        database.on_version_change(move |_| {
            on_change.set(true);
            closing.close();
        });
        let waiting: Rc<RefCell<Vec<oneshot::Sender<()>>>> = Rc::default();
        let told = Rc::clone(&waiting);
        database.on_close(move |_| {
            on_close.set(true);
            // A waiter that is gone does not mind.
            for waiter in told.take() {
                let _ = waiter.send(());
            }
        });
        Self { raw, generation, lost, waiting, data_loss, _database: database }
    }

    /// Runs a call on this connection, but does not wait for ever when the browser closes it: it then
    /// gives some transactions no event at all.
    pub(super) async fn unless_closed<T>(
        &self,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut outcome = Err(Fault::Silent);
        self.end_of(Box::pin(async { outcome = call.await })).await;
        outcome
    }

    /// Waits until the call has ended, or has been given up. Behind a pointer: compiled once, not once for
    /// each call.
    async fn end_of(&self, call: BoxFuture<'_, ()>) {
        let (closed, on_closed) = oneshot::channel();
        {
            let mut waiting = self.waiting.borrow_mut();
            waiting.retain(|waiter| !waiter.is_canceled());
            waiting.push(closed);
        }
        if let Either::Right((_, call)) = select(call, on_closed).await {
            select(call, std::pin::pin!(sleep(GRACE_MS))).await;
        }
    }

    /// The connection itself, for the hot calls.
    pub(super) fn database(&self) -> &IdbDatabase {
        &self.raw
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// Begins a transaction: readonly, or readwrite with a durability.
    pub(super) fn begin(&self, stores: &[&str], durability: Option<Durability>) -> Result<Running, Fault> {
        Running::begin(&self.raw, stores, durability)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.raw.set_onversionchange(None);
        self.raw.set_onclose(None);
        self.raw.close();
    }
}

impl Connection {
    pub(super) async fn open(name: &str, timeout_ms: u32) -> Result<Self> {
        let live = connect(name, timeout_ms, 0).await?;
        Ok(Self {
            name: name.to_owned(),
            timeout_ms,
            data_loss: live.data_loss.clone(),
            state: RefCell::new(State::Open(Rc::new(live))),
            opening: Mutex::new(0),
        })
    }

    /// What the browser said of lost data when the database was made.
    pub(super) fn data_loss(&self) -> Option<String> {
        self.data_loss.clone()
    }

    /// The open connection; opened again if it was lost.
    pub(super) async fn live(&self) -> Result<Rc<Live>> {
        if let Some(live) = self.current()? {
            return Ok(live);
        }
        let mut generation = self.opening.lock().await;
        // Somebody else may have opened or closed it in the meantime.
        if let Some(live) = self.current()? {
            return Ok(live);
        }
        *generation += 1;
        let live = match connect(&self.name, self.timeout_ms, *generation).await {
            Err(error) if error.kind() == ErrorKind::Closed => {
                self.close();
                return Err(error);
            }
            connected => Rc::new(connected?),
        };
        self.current()?;
        *self.state.borrow_mut() = State::Open(Rc::clone(&live));
        Ok(live)
    }

    fn current(&self) -> Result<Option<Rc<Live>>> {
        match &*self.state.borrow() {
            State::Open(live) if !live.is_lost() => Ok(Some(Rc::clone(live))),
            State::Open(_) | State::Lost => Ok(None),
            State::Closed => Err(crate::backends::closed()),
        }
    }

    /// Gives up this connection, if it is still the current one.
    pub(super) fn lose(&self, lost: &Live) {
        lost.lost.set(true);
        let mut state = self.state.borrow_mut();
        if matches!(&*state, State::Open(live) if live.is_lost()) {
            *state = State::Lost;
        }
    }

    pub(super) fn close(&self) {
        *self.state.borrow_mut() = State::Closed;
    }
}

fn database_name(name: &str) -> String {
    format!("mnemora:{name}")
}

fn factory() -> Result<Factory> {
    Factory::new().map_err(|_| {
        Error::unsupported("this host has no IndexedDB; use memory: here, or open idb: in a browser")
    })
}

async fn connect(name: &str, timeout_ms: u32, generation: u64) -> Result<Live> {
    let live = open_database(name, timeout_ms, generation).await?;
    check_format(&live).await.map_err(Fault::into_error)?;
    Ok(live)
}

async fn open_database(name: &str, timeout_ms: u32, generation: u64) -> Result<Live> {
    let mut request = factory()?
        .open(&database_name(name), Some(NATIVE_VERSION))
        .map_err(|error| Fault::from(error).into_error())?;
    let blocked = Rc::new(Cell::new(false));
    let on_blocked = Rc::clone(&blocked);
    request.on_blocked(move |_| on_blocked.set(true));
    let gone = Rc::new(Cell::new(false));
    let is_gone = Rc::clone(&gone);
    let loss = Rc::new(Cell::new(None));
    let told = Rc::clone(&loss);
    request.on_upgrade_needed(move |event| {
        // What is opened again and is not there any more was deleted: it is not made anew. A failure
        // here aborts the upgrade; the open then ends in an error that says so.
        is_gone.set(generation > 0);
        told.set(data_loss(&event));
        if (is_gone.get() || create_stores(&event).is_err())
            && let Some(transaction) = idb::Event::target(&event).ok().and_then(|open| open.transaction())
        {
            let _ = transaction.abort();
        }
    });
    // The request outlives its time limit: its handlers must live until it has ended.
    let (ended, end) = oneshot::channel();
    wasm_bindgen_futures::spawn_local(async move {
        let outcome = settled(request)
            .await
            .map(|database| Live::new(database.unchecked_into(), generation, loss.take()));
        // After the time limit nobody listens; dropping the connection closes it.
        let _ = ended.send(outcome);
    });
    match select(end, std::pin::pin!(sleep(timeout_ms))).await {
        Either::Left((Ok(Err(_)), _)) if gone.get() => Err(Error::closed(format!(
            "the database {name:?} was deleted by another tab or by the user, with all it held; open it again to begin anew"
        ))),
        Either::Left((Ok(outcome), _)) => outcome.map_err(Fault::into_error),
        Either::Left((Err(_), _)) => Err(Error::internal("the request to open the database was let go of")),
        Either::Right(_) => Err(too_late(name, timeout_ms, blocked.get())),
    }
}

fn too_late(name: &str, timeout_ms: u32, blocked: bool) -> Error {
    if blocked {
        Error::blocked(format!(
            "another tab holds the database {name:?} and did not let go within {timeout_ms} ms; close it and retry"
        ))
    } else {
        Error::blocked(format!(
            "the database {name:?} could not be opened within {timeout_ms} ms: another tab may be upgrading or deleting \
             it; retry, or give a longer openTimeoutMs"
        ))
    }
}

/// Chromium's word on data of this site that it lost, in fields of its own.
fn data_loss(event: &VersionChangeEvent) -> Option<String> {
    let event = JsValue::from(event.clone());
    let text = |field: &str| js_sys::Reflect::get(&event, &JsValue::from_str(field)).ok()?.as_string();
    text("dataLoss").filter(|loss| loss == "total")?;
    Some(text("dataLossMessage").unwrap_or_default())
}

fn create_stores(event: &VersionChangeEvent) -> Result<(), Fault> {
    let database = event.database()?;
    database.create_object_store(RECORDS, ObjectStoreParams::new())?;
    let meta = database.create_object_store(META, ObjectStoreParams::new())?;
    meta.put(&JsValue::from_f64(FORMAT), Some(&JsValue::from_str(FORMAT_KEY)))?;
    let (key, noise) = super::reserve::row()?;
    meta.put(&noise, Some(&key))?;
    Ok(())
}

async fn check_format(live: &Live) -> Result<(), Fault> {
    let transaction = live.begin(&[META], None)?;
    let format = settled(transaction.store(META)?.get(JsValue::from_str(FORMAT_KEY))?).await?.as_f64();
    match format {
        Some(format) if format == FORMAT => Ok(()),
        Some(format) if format > FORMAT => Err(Fault::Ours(Error::version(format!(
            "the database has format {format}, this release reads up to {FORMAT}; upgrade the package"
        )))),
        _ => Err(Fault::Ours(Error::corrupt("the database does not say which format it has"))),
    }
}
