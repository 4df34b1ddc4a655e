//! Waiting: by `setTimeout` in wasm, by a thread natively, since the core has no runtime of its own.

use futures_channel::oneshot;
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
