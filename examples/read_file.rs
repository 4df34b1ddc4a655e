//! Prints the records of a store as JSON lines, whichever program wrote the file.
//!
//! ```sh
//! cargo run --example read_file -- sqlite://agent-memory.db agents
//! {"id":"researcher","value":{"budget_cents":450,"runs":1},"version":1}
//! ```
//!
//! What JSON does not have is written as an object of one field: `{"$date":ms}`, `{"$bigint":"0x..."}`,
//! `{"$number":"NaN"}`, `{"$bytes":[...]}`, `{"$map":[[key,value],...]}`, `{"$set":[...]}`,
//! `{"$undefined":true}`, `{"$utf16":[...]}`. A record that can not be read is told on standard error, and
//! makes the exit code 1.

#![cfg_attr(target_family = "wasm", no_main)] // files: there is nothing to build for wasm
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use mnemora::model::Value;
use mnemora::stores::{Memory, MemoryOptions, PageRequest, StoreOptions};
use mnemora::{Error, Result};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, store] = arguments.as_slice() else {
        eprintln!("usage: read_file <sqlite://path or json://directory> <store>");
        return ExitCode::from(2);
    };
    match print(url, store).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints every record; tells whether all of them could be read.
async fn print(url: &str, store: &str) -> Result<bool> {
    // Opening makes what is not there, and this program shall only read.
    if let Some((_, path)) = url.split_once("://")
        && !std::path::Path::new(path).exists()
    {
        return Err(Error::not_found(format!("{path} is not there")));
    }
    let memory = Memory::open(url, &MemoryOptions::default()).await?;
    let records = memory.store(store, StoreOptions::default())?.of::<Value>();
    let mut request = PageRequest { limit: 1_000, ..PageRequest::default() };
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut whole = true;
    loop {
        let page = records.page(&request).await?;
        for (id, version, value) in page.entries {
            let line = json!({ "id": id, "version": version, "value": json_of(&value) });
            writeln!(output, "{line}").map_err(unwritten)?;
        }
        for problem in page.problems {
            whole = false;
            eprintln!("{} {}: {}", problem.kind.code(), problem.key, problem.message);
        }
        request.after = page.cursor;
        if request.after.is_none() {
            break;
        }
    }
    output.flush().map_err(unwritten)?;
    memory.close().await?;
    Ok(whole)
}

fn unwritten(cause: std::io::Error) -> Error {
    Error::unavailable("standard output does not take more").with_source(cause)
}

fn json_of(value: &Value) -> serde_json::Value {
    let list = |items: &[Value]| items.iter().map(json_of).collect::<serde_json::Value>();
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        // A number that JSON can not tell from another one is named.
        Value::Float(number) if !number.is_finite() || *number == 0.0 => {
            json!({ "$number": number.to_string() })
        }
        Value::Float(number) => json!(number),
        Value::String(text) => json!(text),
        Value::BigInt(number) => json!({ "$bigint": number.to_string() }),
        Value::Date(time) if time.is_nan() => json!({ "$date": null }),
        Value::Date(time) => json!({ "$date": time }),
        Value::Bytes(bytes) => json!({ "$bytes": bytes.data, "type": format!("{:?}", bytes.kind) }),
        Value::Array(items) => list(items),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), json_of(value))).collect(),
        Value::Map(pairs) => {
            json!({ "$map": pairs.iter().map(|(key, value)| json!([json_of(key), json_of(value)])).collect::<Vec<_>>() })
        }
        Value::Set(items) => json!({ "$set": list(items) }),
        Value::Undefined => json!({ "$undefined": true }),
        Value::Utf16(units) => json!({ "$utf16": units }),
    }
}
