//! Copying between memories that may live in two wasm instances: step by step, by bytes.
//!
//! A step keeps nothing here. Where a copy stands lies in the target itself, in the marker that
//! [`Target`] moves with each page; so each step takes it up anew.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::core::CoreMemory;
use super::promise;
use crate::log;
use crate::patterns::copy::{CopyPage, Cursor, Existing, Source, Target, digest};

#[wasm_bindgen]
impl CoreMemory {
    /// A digest of everything that is stored, in hexadecimal.
    pub fn digest(&self) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move { digest(memory.backend()).await.map(|digest| digest.to_string()) })
    }

    /// Begins to copy into this memory, or takes an unfinished copy up: `[cursor, resumed]`.
    #[wasm_bindgen(js_name = copyBegin)]
    pub fn copy_begin(&self, replace: bool) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move {
            let existing = if replace { Existing::Replace } else { Existing::Refuse };
            let target = Target::begin(memory.backend(), existing).await?;
            let cursor = Uint8Array::from(target.cursor().encode()?.as_slice());
            Ok(Array::of2(&cursor, &target.resumed().into()))
        })
    }

    /// The page of this memory that `cursor` asks for.
    #[wasm_bindgen(js_name = copyPage)]
    pub fn copy_page(&self, cursor: Vec<u8>, page_bytes: u32) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move {
            let source = Source::new(memory.backend(), page_bytes as usize);
            let page = source.page(&Cursor::decode(&cursor)?).await?;
            Ok(Uint8Array::from(page.encode()?.as_slice()))
        })
    }

    /// Takes a page: `[cursor, settled, records, bytes]`, with what was taken so far.
    #[wasm_bindgen(js_name = copyAccept)]
    pub fn copy_accept(&self, page: Vec<u8>) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move {
            let mut target = Target::begin(memory.backend(), Existing::Refuse).await?;
            target.accept(CopyPage::decode(&page)?).await?;
            let cursor = Uint8Array::from(target.cursor().encode()?.as_slice());
            let (records, bytes) = target.taken();
            let settled = target.cursor().settled().into();
            Ok(Array::of4(&cursor, &settled, &(records as f64).into(), &(bytes as f64).into()))
        })
    }

    /// The digest of this memory if nothing was written to it since `cursor` settled, else undefined.
    #[wasm_bindgen(js_name = copyDigest)]
    pub fn copy_digest(&self, cursor: Vec<u8>) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move {
            let found = Source::new(memory.backend(), 1).digest(&Cursor::decode(&cursor)?).await?;
            Ok(found.map_or(JsValue::UNDEFINED, |digest| digest.to_string().into()))
        })
    }

    /// Ends a copy into this memory that must have this digest.
    #[wasm_bindgen(js_name = copyFinish)]
    pub fn copy_finish(&self, expected: String) -> Result<JsValue, JsValue> {
        let memory = self.memory.clone();
        promise(async move {
            let target = Target::begin(memory.backend(), Existing::Refuse).await?;
            let found = target.finish(expected.parse()?).await?;
            // The pages went past the memory, straight to its backend.
            memory.confirm(log::head(memory.backend()).await?.sequence);
            Ok(found.to_string())
        })
    }
}
