//! The memory of an agent in a SQLite file, on tokio. Run it twice: the second run knows of the first.
//!
//! ```sh
//! cargo run --example agent_memory            # keeps agent-memory.db in the current directory
//! cargo run --example agent_memory -- my.db
//! ```

#![cfg_attr(target_family = "wasm", no_main)] // files and threads: there is nothing to build for wasm
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::print_stdout)]

use std::hash::{DefaultHasher, Hash, Hasher};

use mnemora::backends::{Durability, OpenOptions};
use mnemora::model::Date;
use mnemora::platform::{Clock, SystemClock};
use mnemora::stores::{
    Collection, Memory, MemoryOptions, NewDocument, PageRequest, RetryPolicy, StoreOptions, Wanted,
};
use mnemora::vector::Metric;
use mnemora::{Error, Result};
use serde::{Deserialize, Serialize};

/// What the agent knows of itself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Agent {
    runs: u32,
    budget_cents: i64,
}

/// One session: what was asked and answered in a run.
#[derive(Debug, Serialize, Deserialize)]
struct Session {
    topic: String,
    turns: Vec<String>,
    begun: Date,
}

/// How many numbers an embedding has.
const DIMENSIONS: usize = 256;

/// Embeds a text by feature hashing (Weinberger et al., 2009): one number a word, which is enough to find
/// texts that share words. An agent would ask its model instead.
fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSIONS];
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut hasher = DefaultHasher::new();
        word.hash(&mut hasher);
        vector[hasher.finish() as usize % DIMENSIONS] += 1.0;
    }
    vector
}

#[tokio::main]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "agent-memory.db".into());
    // Every `await` of a save returns after the record is on the disk.
    let backend = OpenOptions { durability: Durability::Strict, ..OpenOptions::default() };
    let options = MemoryOptions { backend, ..MemoryOptions::default() };
    let memory = Memory::open(&format!("sqlite://{path}"), &options).await?;
    let cursor = memory.head();

    let run = begin_run(&memory).await?;
    println!("run {run}, durability {}", memory.info().durability.name());

    // Typed records: any serde type, with the last five versions kept.
    let kept = StoreOptions { history: 5, ..StoreOptions::default() };
    let sessions = memory.store("sessions", kept)?.of::<Session>();
    let all = PageRequest { limit: 100, ..PageRequest::default() };
    for (id, version, session) in sessions.page(&all).await?.entries {
        println!("remembered: {id} (version {version}) on {}, {} turns", session.topic, session.turns.len());
    }

    let id = format!("run-{run:03}");
    let begun = Date(SystemClock.now() as f64);
    let mut session = Session { topic: format!("episode {run}"), turns: Vec::new(), begun };
    for turn in ["who could be a guest?", "book the studio for Tuesday"] {
        session.turns.push(turn.to_owned());
        sessions.save(&id, &session).await?;
    }

    // What is worth finding again goes into a collection.
    let notes = memory.collection("notes", Wanted::vectors(DIMENSIONS as u32, Metric::Cosine))?;
    remember(&notes, &format!("{id}/guest"), &format!("The guest of episode {run} is a bee keeper")).await?;
    remember(&notes, &format!("{id}/studio"), &format!("The studio is booked for episode {run}")).await?;
    for hit in notes.nearest(&embed("which guest keeps bees?"), 2, None).await? {
        println!("found: {} ({:.2}) {}", hit.id, hit.score, hit.text.unwrap_or_default());
    }

    // The log tells what happened since a cursor: the beginning of this run, or where one left off.
    for change in sessions.encoded().changes(cursor, "").await?.changes {
        println!("change {}: {:?} {}", change.version, change.kind, change.id);
    }
    memory.close().await
}

/// Counts the run and pays for it, in a transaction: also if two programs start at the same moment.
async fn begin_run(memory: &Memory) -> Result<u32> {
    let agents = memory.store("agents", StoreOptions::default())?.of::<Agent>();
    memory
        .transact(RetryPolicy::default(), async |tx| {
            let mut agent =
                tx.get_value(&agents, "researcher").await?.unwrap_or(Agent { runs: 0, budget_cents: 500 });
            agent.runs += 1;
            agent.budget_cents -= 50;
            if agent.budget_cents < 0 {
                return Err(Error::invalid(
                    "the budget of the agent is used up; delete the file to begin anew",
                ));
            }
            tx.save_value(&agents, "researcher", &agent)?;
            Ok(agent.runs)
        })
        .await
}

async fn remember(notes: &Collection, id: &str, text: &str) -> Result<()> {
    let vector = Some(embed(text));
    let note =
        NewDocument { id: id.into(), text: Some(text.into()), vector, metadata: None, importance: 0.5 };
    notes.add(&[note], None).await.map(drop)
}
