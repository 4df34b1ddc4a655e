//! Waiting: by `setTimeout` in wasm, by a thread natively, since the core has no runtime of its own. And giving
//! way to the host in the midst of long work.

use futures_channel::oneshot;

use super::Monotonic;
#[cfg(target_family = "wasm")]
use wasm_bindgen::prelude::*;

/// Waits for about `milliseconds`.
///
/// Each wait has a thread of its own: it is for the rare wait for another holder to let go.
#[cfg(not(target_family = "wasm"))]
pub async fn sleep(milliseconds: u32) {
    let (fire, fired) = oneshot::channel();
    let wait = move || {
        std::thread::sleep(std::time::Duration::from_millis(milliseconds.into()));
        let _ = fire.send(());
    };
    // Where no thread is to be had, whoever waits looks again at once: busier, not wrong.
    if std::thread::Builder::new().name("mnemora-sleep".into()).spawn(wait).is_ok() {
        let _ = fired.await;
    }
}

#[cfg(target_family = "wasm")]
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &JsValue, milliseconds: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// A timer that is cleared when it is no longer waited for, so that its handler is never called
/// after it is gone.
#[cfg(target_family = "wasm")]
struct Timer {
    id: JsValue,
    _handler: Closure<dyn FnMut()>,
}

#[cfg(target_family = "wasm")]
impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Waits for about `milliseconds`.
#[cfg(target_family = "wasm")]
pub async fn sleep(milliseconds: u32) {
    let (fire, fired) = oneshot::channel();
    let handler = Closure::once(move || {
        let _ = fire.send(());
    });
    let id = set_timeout(handler.as_ref(), milliseconds);
    let _timer = Timer { id, _handler: handler };
    // The sender lives in the timer, so this ends only by firing.
    let _ = fired.await;
}

/// How long work goes on before it gives way, in milliseconds: a third of a frame.
const PACE_MS: f64 = 5.0;

/// Holds long work to giving way to the host every few milliseconds.
#[derive(Debug)]
pub struct Pace(Monotonic);

impl Pace {
    /// Begins with the work.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it begins now, which is no default")]
    pub fn new() -> Self {
        Self(Monotonic::now())
    }

    /// Gives way if the work has gone on for long enough. Call it after each small piece.
    pub async fn keep(&mut self) {
        if self.0.elapsed_ms() >= PACE_MS {
            yield_to_host().await;
            self.0 = Monotonic::now();
        }
    }
}

/// Lets the host do what it has to: other tasks run, natively; in wasm also events, timers and frames.
#[cfg(not(target_family = "wasm"))]
pub async fn yield_to_host() {
    super::yield_now().await;
}

/// Lets the host do what it has to: other tasks run, natively; in wasm also events, timers and frames.
#[cfg(target_family = "wasm")]
pub async fn yield_to_host() {
    turns::next().await;
}

/// Turns of the host's event loop: the next of them, by the first way that the host has.
#[cfg(target_family = "wasm")]
mod turns {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use futures_channel::oneshot;
    use js_sys::{Function, Promise, Reflect};
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        type MessageChannel;

        #[wasm_bindgen(constructor, catch)]
        fn new() -> Result<MessageChannel, JsValue>;

        #[wasm_bindgen(method, getter)]
        fn port1(this: &MessageChannel) -> MessagePort;

        #[wasm_bindgen(method, getter)]
        fn port2(this: &MessageChannel) -> MessagePort;

        type MessagePort;

        #[wasm_bindgen(method, setter, js_name = onmessage)]
        fn set_onmessage(this: &MessagePort, handler: &JsValue);

        #[wasm_bindgen(method, catch, js_name = postMessage)]
        fn post_message(this: &MessagePort, message: &JsValue) -> Result<(), JsValue>;
    }

    /// How the host is asked for its next turn.
    enum Way {
        /// `scheduler.yield`: it comes back before what was queued later.
        Scheduler { scheduler: JsValue, ask: Function },
        /// `setImmediate`, in Node, where an open channel would keep the process alive.
        Immediate(Function),
        /// A message to oneself.
        Channel(MessagePort),
        /// A timer.
        Timer,
    }

    struct Turns {
        way: Way,
        /// Called by the host at each turn that was asked for; registered once.
        handler: Closure<dyn FnMut()>,
    }

    thread_local! {
        static TURNS: Turns = Turns::new();
        /// Who waits, in the order in which turns were asked for.
        static WAITING: RefCell<VecDeque<oneshot::Sender<()>>> = const { RefCell::new(VecDeque::new()) };
    }

    impl Turns {
        fn new() -> Self {
            let handler: Closure<dyn FnMut()> = Closure::new(|| {
                let first = WAITING.with_borrow_mut(VecDeque::pop_front);
                // Who has stopped waiting is not told.
                let _ = first.map(|waiting| waiting.send(()));
            });
            Self { way: Way::of_host(handler.as_ref()), handler }
        }

        /// Asks for a turn, at which the handler is called. Whether the host took it.
        fn ask(&self) -> bool {
            match &self.way {
                Way::Immediate(ask) => ask.call1(&JsValue::UNDEFINED, self.handler.as_ref()).is_ok(),
                Way::Channel(port) => port.post_message(&JsValue::NULL).is_ok(),
                Way::Scheduler { .. } | Way::Timer => false,
            }
        }
    }

    impl Way {
        fn of_host(handler: &JsValue) -> Self {
            let global = js_sys::global();
            let function = |of: &JsValue, name: &str| {
                Reflect::get(of, &JsValue::from_str(name))
                    .ok()
                    .and_then(|found| found.dyn_into::<Function>().ok())
            };
            if let Some(ask) = function(&global, "setImmediate") {
                return Self::Immediate(ask);
            }
            if let Ok(scheduler) = Reflect::get(&global, &JsValue::from_str("scheduler"))
                && scheduler.is_object()
                && let Some(ask) = function(&scheduler, "yield")
            {
                return Self::Scheduler { scheduler, ask };
            }
            match MessageChannel::new() {
                Ok(channel) => {
                    channel.port1().set_onmessage(handler);
                    Self::Channel(channel.port2())
                }
                Err(_) => Self::Timer,
            }
        }
    }

    /// The next turn of the host.
    pub(super) async fn next() {
        let promise = TURNS.with(|turns| match &turns.way {
            Way::Scheduler { scheduler, ask } => {
                ask.call0(scheduler).ok().and_then(|promise| promise.dyn_into::<Promise>().ok())
            }
            _ => None,
        });
        if let Some(promise) = promise {
            // It was given up by a signal, which is a turn as well.
            let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
            return;
        }
        let (fire, fired) = oneshot::channel();
        WAITING.with_borrow_mut(|waiting| waiting.push_back(fire));
        if TURNS.with(Turns::ask) {
            let _ = fired.await;
        } else {
            WAITING.with_borrow_mut(VecDeque::pop_back);
            super::sleep(0).await;
        }
    }
}
