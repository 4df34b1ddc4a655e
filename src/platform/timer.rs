//! Waiting, in hosts that have `setTimeout`.

use futures_channel::oneshot;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &JsValue, milliseconds: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// A timer that is cleared when it is no longer waited for, so that its handler is never called
/// after it is gone.
struct Timer {
    id: JsValue,
    _handler: Closure<dyn FnMut()>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Waits for about `milliseconds`.
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
