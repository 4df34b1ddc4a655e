//! Natively every future of the public face is `Send`, and every handle can be shared: this compiles, or
//! it does not. Nothing here is run.

#![cfg(not(target_family = "wasm"))]
#![allow(dead_code)]

use mnemora::backends::{self, Backend, OpenOptions};
use mnemora::platform::{Clock, SystemClock};
use mnemora::stores::{
    Collection, Memory, MemoryOptions, NewDocument, PageRequest, RetryPolicy, SaveItem, Store, Transaction,
};
use std::sync::Arc;

fn is_send<T: Send>(_: T) {}
fn is_shared<T: Send + Sync + 'static>() {}

fn handles() {
    is_shared::<Memory>();
    is_shared::<MemoryOptions>();
    is_shared::<Store>();
    is_shared::<Store<String>>();
    is_shared::<Collection>();
    is_shared::<Transaction>();
    is_shared::<RetryPolicy>();
    is_shared::<Arc<dyn Backend>>();
    is_shared::<mnemora::Error>();
}

fn memories(memory: &Memory, options: &MemoryOptions, backend: Arc<dyn Backend>, clock: Arc<dyn Clock>) {
    is_send(Memory::open("memory:", options));
    is_send(Memory::with(Arc::clone(&backend), options));
    is_send(Memory::over(backend, true, clock));
    is_send(memory.maintain(1.0));
    is_send(memory.verify(None));
    is_send(memory.close());
}

fn stores(store: &Store, typed: &Store<Vec<String>>, items: &[SaveItem], ids: &[String], page: &PageRequest) {
    is_send(store.save(items, None));
    is_send(store.get("a"));
    is_send(store.get_many(ids));
    is_send(store.delete("a", None, None));
    is_send(store.page(page));
    is_send(store.count(""));
    is_send(store.history("a", 1));
    is_send(store.changes(0, ""));
    is_send(typed.save("a", const { &Vec::new() }));
    is_send(typed.save_if("a", const { &Vec::new() }, 0));
    is_send(typed.save_many(&[]));
    is_send(typed.get("a"));
    is_send(typed.get_many(ids));
    is_send(typed.delete("a"));
    is_send(typed.page(page));
    is_send(typed.history("a", 1));
}

fn collections(collection: &Collection, documents: &[NewDocument], page: &PageRequest) {
    is_send(collection.add(documents, None));
    is_send(collection.get("a"));
    is_send(collection.delete("a", None));
    is_send(collection.count());
    is_send(collection.page(page, None));
    is_send(collection.changes(0, ""));
    is_send(collection.nearest(&[], 1, None));
}

fn transactions(memory: &Memory, transaction: &Transaction, store: &Store, typed: &Store<i64>) {
    is_send(transaction.get(store, "a"));
    is_send(transaction.list(store, ""));
    is_send(transaction.get_value(typed, "a"));
    is_send(transaction.list_values(typed, ""));
    is_send(transaction.still_holds());
    is_send(transaction.clone().commit(None));
    is_send(memory.transact(RetryPolicy::default(), async |tx| {
        let found = tx.list_values(typed, "").await?;
        tx.save_value(typed, "count", &i64::try_from(found.len()).unwrap_or(i64::MAX))?;
        tx.delete(store, "a")
    }));
}

fn urls(options: &OpenOptions) {
    is_send(backends::open("memory:", options));
    is_send(backends::open_with_fallback("memory:", &[], options));
    is_shared::<SystemClock>();
}
