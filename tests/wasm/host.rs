//! A backend given as an object, in Node: the suite over honest objects, and every lie of a dishonest one.

use std::rc::Rc;

use mnemora::ErrorKind;
use mnemora::backends::Backend;
use mnemora::backends::host::HostBackend;
use mnemora::model::{Batch, Key, Page, Precondition, Range, Space};
use mnemora::platform::Monotonic;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen(module = "/tests/wasm/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = mapHost)]
    fn map_host() -> JsValue;
    #[wasm_bindgen(js_name = slowHost)]
    fn slow_host() -> JsValue;
    fn besides(host: &JsValue) -> JsValue;
    fn liar() -> JsValue;
    fn tell(host: &JsValue, lie: Option<String>);
    fn lies() -> Vec<String>;
    #[wasm_bindgen(js_name = lieOf)]
    fn lie_of(name: &str) -> Vec<String>;
}

async fn over(object: JsValue) -> HostBackend {
    HostBackend::open(&object, 10_000).await.expect("opens")
}

mod map {
    use super::{map_host, over};

    mnemora::testing::conformance!(wasm, over(map_host()));
}

mod group_commit {
    use std::sync::Arc;

    use mnemora::layers::GroupCommit;

    use super::{map_host, over};

    mnemora::testing::conformance!(wasm, async { GroupCommit::new(Arc::new(over(map_host()).await)) });
}

mod small_pages {
    use super::{over, slow_host};

    mnemora::testing::conformance!(wasm, over(slow_host()));
}

fn key(id: &str) -> Key {
    Key::record("s", id).expect("a valid key")
}

/// Does what `method` and `word` of a lie ask for.
async fn call(backend: &HostBackend, method: &str, word: &str) -> mnemora::Result<()> {
    match method {
        "get" => backend.get(&[key("a")]).await.map(drop),
        "scan" => {
            let space = if word == "log" { Space::Log } else { Space::Record };
            backend.scan(&Range::space(space), Page::first(10)).await.map(drop)
        }
        "commit" => backend.commit(&[Batch::new(1).put(key("new"), vec![])]).await.map(drop),
        "stats" => backend.stats().await.map(drop),
        "check" => backend.check().await.map(drop),
        other => panic!("no such method: {other}"),
    }
}

#[wasm_bindgen_test]
async fn every_lie_is_a_typed_error_in_time_and_the_data_stays_readable() {
    for lie in lies() {
        let [method, code, word] = <[String; 3]>::try_from(lie_of(&lie)).expect("a lie of three parts");
        let object = liar();
        let backend = HostBackend::open(&object, 50).await.expect("opens");
        for id in ["a", "b", "c"] {
            backend.commit(&[Batch::new(1).put(key(id), id.into())]).await.expect("commits")[0]
                .as_ref()
                .expect("passes");
        }
        tell(&object, Some(lie.clone()));
        let begun = Monotonic::now();
        let Err(error) = call(&backend, &method, &word).await else { panic!("{lie}: it was believed") };
        assert!(begun.elapsed_ms() < 5_000.0, "{lie}: it took {} ms", begun.elapsed_ms());
        assert_eq!(error.kind().code(), code, "{lie}: {error}");
        let must = match word.as_str() {
            "unknown" => "outcome of this write is unknown",
            "faster" => "nothing was written",
            _ => "",
        };
        assert!(error.message().contains(must), "{lie}: {error}");
        assert!(error.message().contains("backend object"), "{lie}: {error}");
        tell(&object, None);
        let found = backend.get(&[key("a"), key("c")]).await.expect("is read");
        let values: Vec<_> = found.into_iter().map(|record| record.expect("is there").value).collect();
        assert_eq!(values, [b"a", b"c"], "{lie}");
        let verdict = backend.commit(&[Batch::new(1).put(key("later"), vec![])]).await;
        if word == "faster" {
            // It has named heads that never were; from them it can not come back.
            assert_eq!(verdict.expect_err("refused").kind(), ErrorKind::Corrupt);
        } else {
            assert!(
                verdict.is_ok_and(|verdicts| verdicts[0].is_ok()),
                "{lie}: nothing can be written after it"
            );
        }
        backend.close().await.expect("closes");
    }
}

#[wasm_bindgen_test]
async fn what_is_no_backend_object_is_refused() {
    for object in [JsValue::NULL, JsValue::from(5), js_sys::Object::new().into(), js_sys::Array::new().into()]
    {
        let error = HostBackend::open(&object, 50).await.expect_err("is none");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
}

#[wasm_bindgen_test]
async fn whoever_loses_a_race_judges_anew() {
    let object = map_host();
    let backends = [over(object.clone()).await, over(besides(&object)).await, over(besides(&object)).await];
    for backend in &backends {
        backend.get(&[key("sum")]).await.expect("reads");
    }
    // Each adds one at the version that it read, and starts over on a conflict.
    let add = async |backend: &HostBackend| {
        for _ in 0..20 {
            loop {
                let found = backend.get(&[key("sum")]).await.expect("reads").remove(0);
                let (sum, must) = found.map_or((0, Precondition::Absent), |record| {
                    (record.value[0], Precondition::Version(record.version))
                });
                let batch = Batch::new(1).put(key("sum"), vec![sum + 1]).require(key("sum"), must);
                if backend.commit(&[batch]).await.expect("goes through")[0].is_ok() {
                    break;
                }
            }
        }
    };
    futures_util::future::join_all(backends.iter().map(add)).await;
    let sum = backends[0].get(&[key("sum")]).await.expect("reads").remove(0).expect("is there");
    assert_eq!((sum.value, sum.version), (vec![60], 60));
    let stats = backends[1].stats().await.expect("gives figures");
    assert_eq!((stats.sequence, stats.keys), (60, 1));
}

#[wasm_bindgen_test]
async fn close_waits_for_what_is_in_flight() {
    let backend = Rc::new(over(map_host()).await);
    let batch = [Batch::new(1).put(key("a"), vec![1])];
    let (written, closed) = futures_util::join!(backend.commit(&batch), backend.close());
    assert!(written.expect("commits")[0].is_ok());
    closed.expect("closes");
    assert_eq!(backend.get(&[key("a")]).await.expect_err("closed").kind(), ErrorKind::Closed);
}
