//! Tests of the directory as a whole.

use std::sync::Arc;

use super::*;
use crate::model::{Envelope, Space, Value, encode_value};

mod conformance;
mod crashes;
mod damage;
mod disk;
mod edits;
mod format;
mod full;

use disk::Disk;

fn open_as(disk: &Arc<Disk>, durability: Durability) -> Result<JsonFiles> {
    JsonFiles::open(Arc::<Disk>::clone(disk), "d", durability)
}

fn open(disk: &Arc<Disk>) -> JsonFiles {
    open_as(disk, Durability::Strict).unwrap()
}

fn key(id: &str) -> Key {
    Key::record("agents", id).unwrap()
}

fn number(number: i64) -> Value {
    Value::Object(vec![("n".to_owned(), Value::Int(number))])
}

fn value(key: &Key, value: &Value) -> Vec<u8> {
    let payload = encode_value(value).unwrap();
    let times = (1_795_176_000_000, 1_795_176_000_001);
    let envelope = Envelope {
        created: times.0,
        updated: times.1,
        expires: None,
        schema: "",
        schema_version: 0,
        payload: &payload,
    };
    envelope.encode(key).unwrap()
}

fn batch() -> Batch {
    Batch::new(1_795_176_000_001)
}

fn put(id: &str, n: i64) -> Batch {
    batch().put(key(id), value(&key(id), &number(n)))
}

fn commit(json: &mut JsonFiles, batch: Batch) -> u64 {
    json.commit(&[batch]).unwrap()[0].as_ref().unwrap().sequence
}

fn get(json: &mut JsonFiles, key: &Key) -> Option<Record> {
    json.get(std::slice::from_ref(key)).unwrap().remove(0)
}

/// The number under `id`.
fn n(json: &mut JsonFiles, id: &str) -> Option<i64> {
    let record = get(json, &key(id))?;
    let payload = Envelope::decode(&key(id), &record.value).unwrap().payload;
    match crate::model::decode_value(payload).unwrap().field("n") {
        Some(Value::Int(n)) => Some(*n),
        other => panic!("{other:?}"),
    }
}

/// Everything that is stored, the log too.
fn everything(json: &mut JsonFiles) -> (Vec<(Key, Record)>, u64) {
    let mut all = Vec::new();
    for space in Space::ALL {
        all.extend(json.scan(&Range::space(space), &Page::first(1_000_000)).unwrap().records);
    }
    (all, json.stats().unwrap().sequence)
}

/// Three records, closed.
fn three() -> Arc<Disk> {
    let disk = Arc::new(Disk::default());
    let mut json = open(&disk);
    commit(&mut json, put("a", 1));
    commit(&mut json, put("b", 2).put(Key::record("notes", "x").unwrap(), b"raw".to_vec()));
    commit(&mut json, put("c", 3));
    json.close().unwrap();
    disk
}

const AGENTS: &str = "d/agents.record.jsonl";

/// Changes the line with this number, from 1 on.
fn edit(disk: &Disk, path: &str, line: usize, change: impl Fn(&str) -> String) {
    let text = disk.text(path);
    let lines = text.lines().enumerate();
    let changed: Vec<String> =
        lines.map(|(at, text)| if at + 1 == line { change(text) } else { text.to_owned() }).collect();
    disk.write(path, (changed.join("\n") + "\n").as_bytes());
}

/// The line without its check.
fn unchecked(line: &str) -> String {
    let at = line.rfind(",\"check\"").unwrap();
    format!("{}}}", &line[..at])
}
