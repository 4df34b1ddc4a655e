//! Many tasks on many threads sell from one stock, and none sells what another has sold.
//!
//! ```sh
//! cargo run --example inventory                    # in memory
//! cargo run --example inventory -- sqlite://shop.db
//! ```

#![cfg_attr(target_family = "wasm", no_main)] // threads: there is nothing to build for wasm
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::print_stdout)]

use mnemora::stores::{Memory, MemoryOptions, RetryPolicy, Store, StoreOptions};
use mnemora::{Error, Result};
use serde::{Deserialize, Serialize};

const CLERKS: u32 = 8;
const ORDERS_A_CLERK: u32 = 25;
const IN_STOCK: u32 = 150;

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    clerk: u32,
    article: String,
}

/// Why an order was not taken.
#[derive(Debug)]
enum Refusal {
    SoldOut,
    Memory(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Memory(error)
    }
}

#[derive(Debug, Clone)]
struct Shop {
    memory: Memory,
    stock: Store<u32>,
    orders: Store<Order>,
}

impl Shop {
    /// Takes one from the stock and writes the order, both or neither.
    async fn sell(&self, clerk: u32, number: u32, article: &str) -> Result<(), Refusal> {
        self.memory
            .transact(RetryPolicy::default(), async |tx| {
                let left = tx.get_value(&self.stock, article).await?.unwrap_or(0);
                let left = left.checked_sub(1).ok_or(Refusal::SoldOut)?;
                tx.save_value(&self.stock, article, &left)?;
                let order = Order { clerk, article: article.to_owned() };
                tx.save_value(&self.orders, &format!("{clerk}-{number:03}"), &order)?;
                Ok(())
            })
            .await
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "memory:".into());
    let memory = Memory::open(&url, &MemoryOptions::default()).await?;
    let stock = memory.store("stock", StoreOptions::default())?.of::<u32>();
    let orders = memory.store("orders", StoreOptions::default())?.of::<Order>();
    stock.save("microphone", &IN_STOCK).await?;
    let shop = Shop { memory, stock, orders };

    let clerks: Vec<_> = (0..CLERKS)
        .map(|clerk| {
            let shop = shop.clone();
            tokio::spawn(async move {
                let mut sold = 0;
                for number in 0..ORDERS_A_CLERK {
                    match shop.sell(clerk, number, "microphone").await {
                        Ok(()) => sold += 1,
                        Err(Refusal::SoldOut) => break,
                        Err(Refusal::Memory(error)) => return Err(error),
                    }
                }
                Ok(sold)
            })
        })
        .collect();
    let mut sold = 0u32;
    for clerk in clerks {
        sold += clerk.await.map_err(|cause| Error::internal("a clerk fell over").with_source(cause))??;
    }

    let left = shop.stock.get("microphone").await?.unwrap_or(0);
    let written = shop.orders.encoded().count("").await?;
    println!("sold {sold}, orders {written}, left {left}");
    shop.memory.close().await
}
