//! What users hold: named stores, collections, transactions, over any backend.
//!
//! **Invariants**
//! - A store knows rules (who may be overwritten, what has expired, what is kept of the past); a
//!   backend knows bytes. Nothing here depends on which backend it is.
//! - Every write is one batch: the record, its expiry entry and its history go together.
//! - A record that has expired is not there, whether or not it was removed yet. Time that goes back
//!   does not bring it back.
//! - A record that can not be read is reported with its key and stops nothing else.

mod changes;
pub mod collection;
mod maintain;
mod memory;
mod page;
mod pattern;
mod retry;
mod save;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod typed;

pub use changes::{Change, ChangeKind, Changes};
pub use collection::{
    Collection, CollectionOptions, Document, Hit, NewDocument, Parts, Recency, ReembedDocument, ReembedPage,
    Reembedded, Reembedding, SearchExplain, SearchMode, SearchRequest, SearchResult, Wanted,
};
pub use maintain::{Maintained, VerifyPage};
pub use memory::{Memory, MemoryOptions};
pub use page::{Listing, PageRequest, Problem};
pub use retry::RetryPolicy;
pub use save::{SaveItem, TimeToLive};
pub use store::{Entry, Store, StoreOptions};
pub use transaction::Transaction;
pub use typed::{Encoded, TypedEntry};
