//! Stores of serde types, for native programs.
//!
//! [`Store`] by itself keeps encoded values, as they come from JavaScript. [`Store::of`] gives the
//! same store for a Rust type: the same records, the same rules.
//!
//! ```
//! # use mnemora::{platform::SystemClock, stores::{Memory, MemoryOptions, StoreOptions}};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct State {
//!     status: String,
//!     step: u32,
//! }
//!
//! # futures_executor::block_on(async {
//! let memory = Memory::open("memory:", &MemoryOptions::default()).await?;
//! let states = memory.store("states", StoreOptions::default())?.of::<State>();
//! let version = states.save("a-1", &State { status: "active".into(), step: 1 }).await?;
//! assert_eq!(states.get("a-1").await?, Some(State { status: "active".into(), step: 1 }));
//! assert!(states.save_if("a-1", &State { status: "idle".into(), step: 2 }, version + 1).await.is_err());
//! # mnemora::Result::<()>::Ok(())
//! # }).unwrap();
//! ```

use std::marker::PhantomData;

use super::{Entry, Listing, PageRequest, SaveItem, Store, TimeToLive, Transaction};
use crate::Result;
use crate::model::{Storable, decode_value, encode_value};

/// Marks a store of encoded values.
#[derive(Debug, Clone, Copy)]
pub struct Encoded;

/// Id, version and value of a record.
pub type TypedEntry<T> = (String, u64, T);

impl Store<Encoded> {
    /// The same store, for values of the type `T`.
    #[must_use]
    pub fn of<T: Storable>(&self) -> Store<T> {
        Store {
            memory: self.memory.clone(),
            name: self.name.clone(),
            options: self.options.clone(),
            values: PhantomData,
        }
    }
}

impl<T: Storable> Store<T> {
    /// Saves `value` under `id`, whatever is there; returns its version. Resolves once it is stored.
    ///
    /// # Errors
    /// `Invalid` for an id or a value that breaks the rules; what the backend's commit gives.
    pub async fn save(&self, id: &str, value: &T) -> Result<u64> {
        self.save_many(&[(id, value)]).await
    }

    /// Saves `value` if the record has the version `expected` now; 0 = if there is none.
    ///
    /// # Errors
    /// `Conflict` if it has not; else as [`Store::save`].
    pub async fn save_if(&self, id: &str, value: &T, expected: u64) -> Result<u64> {
        let item = SaveItem { expected: Some(expected), ..item(id, value)? };
        self.encoded().save(&[item], None).await
    }

    /// Saves all or none.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub async fn save_many(&self, records: &[(&str, &T)]) -> Result<u64> {
        let items: Vec<SaveItem> =
            records.iter().map(|&(id, value)| item(id, value)).collect::<Result<_>>()?;
        self.encoded().save(&items, None).await
    }

    /// The value of `id`, if it is there.
    ///
    /// # Errors
    /// `Invalid` if it does not fit `T`; `Corrupt` or `Version` if it can not be read.
    pub async fn get(&self, id: &str) -> Result<Option<T>> {
        self.encoded().get(id).await?.map(value).transpose()
    }

    /// The values of `ids` in their order.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get_many(&self, ids: &[String]) -> Result<Vec<Option<T>>> {
        let entries = self.encoded().get_many(ids).await?;
        entries.into_iter().map(|entry| entry.map(value).transpose()).collect()
    }

    /// Deletes the record `id`; tells whether it was there.
    ///
    /// # Errors
    /// `Invalid` for an id that breaks the rules; what the backend gives.
    pub async fn delete(&self, id: &str) -> Result<bool> {
        self.encoded().delete(id, None, None).await
    }

    /// The page of records that `request` asks for.
    ///
    /// # Errors
    /// As [`Store::get`], and `Invalid` for a limit out of range.
    pub async fn page(&self, request: &PageRequest) -> Result<Listing<TypedEntry<T>>> {
        let page = self.encoded().page(request).await?;
        let typed = |entry: Entry| Ok((entry.id.clone(), entry.version, value(entry)?));
        let entries = page.entries.into_iter().map(typed).collect::<Result<_>>()?;
        Ok(Listing { entries, cursor: page.cursor, problems: page.problems })
    }

    /// Earlier versions of `id` with their numbers, newest first.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn history(&self, id: &str, limit: usize) -> Result<Vec<(u64, T)>> {
        let entries = self.encoded().history(id, limit).await?;
        entries.into_iter().map(|entry| Ok((entry.version, value(entry)?))).collect()
    }
}

impl<T> Store<T> {
    /// The same store, of encoded values.
    #[must_use]
    pub fn encoded(&self) -> Store<Encoded> {
        Store {
            memory: self.memory.clone(),
            name: self.name.clone(),
            options: self.options.clone(),
            values: PhantomData,
        }
    }
}

impl Transaction {
    /// The value of `id`, as this transaction sees it.
    ///
    /// # Errors
    /// As [`Transaction::get`], and `Invalid` if it does not fit `T`.
    pub async fn get_value<T: Storable>(&self, store: &Store<T>, id: &str) -> Result<Option<T>> {
        let payload = self.get(&store.encoded(), id).await?;
        payload.map(|payload| T::from_value(decode_value(&payload)?)).transpose()
    }

    /// Every value whose id starts with `prefix`, in order of id, as this transaction sees it. See
    /// [`Transaction::list`].
    ///
    /// # Errors
    /// As [`Transaction::get_value`].
    pub async fn list_values<T: Storable>(&self, store: &Store<T>, prefix: &str) -> Result<Vec<(String, T)>> {
        let found = self.list(&store.encoded(), prefix).await?;
        found.into_iter().map(|(id, payload)| Ok((id, T::from_value(decode_value(&payload)?)?))).collect()
    }

    /// Saves a value at the end.
    ///
    /// # Errors
    /// `Invalid` for an id or a value that breaks the rules.
    pub fn save_value<T: Storable>(&self, store: &Store<T>, id: &str, value: &T) -> Result<()> {
        self.save(&store.encoded(), id, encode_value(&value.to_value()?)?, TimeToLive::Default)
    }
}

fn item<T: Storable>(id: &str, value: &T) -> Result<SaveItem> {
    Ok(SaveItem::new(id, encode_value(&value.to_value()?)?))
}

fn value<T: Storable>(entry: Entry) -> Result<T> {
    T::from_value(decode_value(&entry.payload)?)
}

#[cfg(test)]
mod tests {
    use super::super::{Memory, MemoryOptions, StoreOptions};
    use super::*;
    use crate::model::Value;
    use crate::testing::block_on;

    #[test]
    fn typed_and_encoded_stores_are_the_same_records() {
        block_on(async {
            let memory = Memory::open("memory:", &MemoryOptions::default()).await.unwrap();
            let numbers = memory
                .store("n", StoreOptions { history: 2, ..StoreOptions::default() })
                .unwrap()
                .of::<u32>();
            let first = numbers.save("a", &1).await.unwrap();
            numbers.save_if("a", &2, first).await.unwrap();
            assert_eq!(numbers.history("a", 9).await.unwrap(), [(first, 1)]);
            assert_eq!(numbers.get_many(&["a".into(), "b".into()]).await.unwrap(), [Some(2), None]);
            let values = numbers.encoded().of::<Value>();
            assert_eq!(values.get("a").await.unwrap(), Some(Value::Int(2)));
            values.save("a", &Value::String("x".into())).await.unwrap();
            assert_eq!(numbers.get("a").await.unwrap_err().kind(), crate::ErrorKind::Invalid);
            let transaction = memory.begin();
            transaction.save_value(&numbers, "c", &7).unwrap();
            assert_eq!(transaction.get_value(&numbers, "c").await.unwrap(), Some(7));
            transaction.commit(None).await.unwrap();
            let request = PageRequest { prefix: "c".into(), limit: 5, ..PageRequest::default() };
            assert_eq!(numbers.page(&request).await.unwrap().entries, [("c".to_owned(), 4, 7)]);
            assert!(numbers.delete("c").await.unwrap());
        });
    }
}
