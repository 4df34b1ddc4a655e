//! The format, byte for byte, and keys and values of every kind.

use super::*;
use crate::model::{CommitKind, KeyBuilder};

/// A directory with something of everything, before and after it was closed.
fn sample() -> (Arc<Disk>, Arc<Disk>) {
    let disk = Arc::new(Disk::default());
    let mut json = open(&disk);
    let time = 1_795_176_000_000;
    let payload = encode_value(&Value::Object(vec![
        ("name".into(), Value::String("Ada \u{1f680} \"quoted\"\n".into())),
        ("seen".into(), Value::Date(1_795_176_000_123.0)),
        ("score".into(), Value::Float(0.5)),
        ("big".into(), Value::BigInt(crate::model::BigInt { negative: false, magnitude: vec![0, 1] })),
        ("odd".into(), Value::Array(vec![Value::Undefined, Value::Float(-0.0), Value::Null])),
        ("forged".into(), Value::Object(vec![("$date".into(), Value::Null)])),
    ]))
    .unwrap();
    let sealed = |key: &Key, payload: &[u8], expires| {
        let envelope = Envelope {
            created: time,
            updated: time + 5,
            expires,
            schema: "agent",
            schema_version: 7,
            payload,
        };
        envelope.encode(key).unwrap()
    };
    let past = KeyBuilder::new(Space::History).text("agents").text("a").integer(1).build();
    let note = KeyBuilder::new(Space::Expiry).integer(time + 9).text("agents").text("a").build();
    let document = Key::named(Space::Document, "notes", "d").unwrap();
    let metadata = encode_value(&Value::Object(vec![("year".into(), Value::Int(2026))])).unwrap();
    let body = (Some("some text"), 0.25f64, [0u8, 0, 128, 63].as_slice(), Some(metadata.as_slice()));
    let body = postcard::to_allocvec(&body).unwrap();
    let setting = Key::named(Space::Meta, "collection", "notes").unwrap();
    let upper = Key::record("Agents/..", "x").unwrap();
    let whole = [
        batch()
            .put(key("a"), sealed(&key("a"), &payload, Some(time + 9)))
            .put(past, sealed(&key("a"), &[0], None)),
        Batch { kind: CommitKind::Expire, ..batch() }
            .put(note, Vec::new())
            .put(upper, b"no envelope".to_vec()),
        batch()
            .put(document.clone(), sealed(&document, &body, None))
            .put(setting, sealed(&key("a"), b"\xff", None)),
        batch().put(key("z"), sealed(&key("z"), b"no value", None)),
        batch().delete(key("z")),
    ];
    json.commit(&whole).unwrap();
    let open = disk.copy();
    json.close().unwrap();
    (open, disk)
}

#[test]
fn golden_files() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/json");
    let (open, closed) = sample();
    for (state, disk) in [("open", open), ("closed", closed)] {
        let names = |paths: Vec<String>| paths.into_iter().filter(|path| !path.ends_with("/lock"));
        let mut expected: Vec<String> = std::fs::read_dir(golden.join(state))
            .unwrap()
            .map(|entry| format!("d/{}", entry.unwrap().file_name().into_string().unwrap()))
            .collect();
        expected.sort();
        assert_eq!(names(disk.paths()).collect::<Vec<_>>(), expected, "{state}");
        for path in expected {
            let bytes = std::fs::read(golden.join(state).join(&path[2..])).unwrap();
            assert_eq!(disk.text(&path), String::from_utf8(bytes).unwrap(), "{state}/{path}");
        }
    }
}

#[test]
fn what_was_written_before_is_read_to_the_same() {
    let (open_one, closed) = sample();
    let expected = everything(&mut open(&open_one));
    assert!(everything(&mut open(&closed)) == expected);
    assert_eq!(expected.0.len(), 6 + 5);
}

#[test]
fn hostile_keys_and_bytes_come_back() {
    let disk = Arc::new(Disk::default());
    let mut json = open(&disk);
    let mut rng = crate::testing::rng::SplitMix64::new(5);
    let texts = [
        "",
        "..",
        "a/b",
        "A",
        "a",
        "\u{0}",
        "\u{0}\u{ff}",
        "\n",
        "\"",
        "\\",
        "\u{2028}",
        "\u{1f600}",
        "nul",
        "$$",
        "~",
    ];
    let mut all = batch();
    for space in [Space::Meta, Space::Record, Space::History, Space::Expiry, Space::Document] {
        for namespace in texts {
            for id in texts {
                let key = KeyBuilder::new(space).text(namespace).text(id);
                let length = rng.below(30);
                all = all.put(key.clone().build(), rng.bytes(length));
                all = all.put(key.integer(u64::MAX).build(), Vec::new());
            }
        }
        all = all.put(KeyBuilder::new(space).build(), vec![1]);
        all = all.put(KeyBuilder::new(space).integer(7).build(), vec![2]);
        all = all.put(KeyBuilder::new(space).text("only").build(), vec![3]);
        all = all.put(KeyBuilder::new(space).text(&"long".repeat(256)).text("x").build(), vec![4]);
    }
    let count = all.puts.len();
    commit(&mut json, all);
    let expected = everything(&mut json);
    assert_eq!(expected.0.len(), count + 1);
    let killed = disk.copy();
    json.close().unwrap();
    for disk in [disk, killed] {
        assert!(everything(&mut open(&disk)) == expected);
        assert!(disk.paths().iter().all(|path| path.len() < 257 && path.is_ascii()), "{:?}", disk.paths());
    }
}
