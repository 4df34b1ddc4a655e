//! SQLite in Node: the suite over Node's files, and files that a native program wrote.

use mnemora::ErrorKind;
use mnemora::backends::{Backend, Durability, OpenOptions, open};
use mnemora::platform::files::OpenMode;
use wasm_bindgen_test::wasm_bindgen_test;

use super::host_files::{files, new_directory};
use super::opened::{Opened, get, key, put};

async fn open_at(path: &str, durability: Durability) -> mnemora::Result<Opened> {
    let options = OpenOptions { durability, timeout_ms: 50, files: Some(files()) };
    Ok(Opened(open(&format!("sqlite://{path}"), &options).await?))
}

fn fresh_path() -> String {
    format!("{}/memory.db", new_directory())
}

mod relaxed {
    use super::*;

    mnemora::testing::conformance!(wasm, async {
        open_at(&fresh_path(), Durability::Relaxed).await.expect("opens")
    });
}

mod strict {
    use super::*;

    mnemora::testing::conformance!(wasm, async {
        open_at(&fresh_path(), Durability::Strict).await.expect("opens")
    });
}

#[wasm_bindgen_test]
async fn what_was_written_is_there_again_in_one_file() {
    let directory = new_directory();
    let path = format!("{directory}/memory.db");
    let backend = open_at(&path, Durability::Relaxed).await.expect("opens");
    for number in 0..300 {
        put(&backend, &format!("{number}"), &[number as u8; 500]).await.expect("writes");
    }
    let error = open_at(&path, Durability::Relaxed).await.expect_err("is held");
    assert_eq!(error.kind(), ErrorKind::Blocked, "{error}");
    backend.close().await.expect("closes");
    assert_eq!(files().list(&directory).expect("lists"), ["memory.db"]);
    let backend = open_at(&path, Durability::Strict).await.expect("opens again");
    assert_eq!(get(&backend, "7").await, Some(vec![7; 500]));
    assert_eq!(backend.check().await.expect("checks"), Vec::<String>::new());
    drop(backend);
    open_at(&path, Durability::Strict).await.expect("a drop lets go too");
}

/// Written by a native build; see `src/backends/sqlite/tests/reopen.rs`.
#[wasm_bindgen_test]
async fn a_file_of_a_native_program_is_read_and_written() {
    let path = fresh_path();
    let file = files().open(&path, OpenMode::CreateNew).expect("can be made");
    file.write_at(include_bytes!("../golden/sqlite-v1.db"), 0).expect("can be written");
    drop(file);
    let backend = open_at(&path, Durability::Relaxed).await.expect("opens");
    for number in 0..20u8 {
        assert_eq!(get(&backend, &format!("{number}")).await, Some(vec![number; 700]));
    }
    assert_eq!(put(&backend, "new", b"x").await.expect("writes"), 21);
    assert_eq!(backend.check().await.expect("checks"), Vec::<String>::new());
}

#[wasm_bindgen_test]
async fn a_flipped_bit_is_told() {
    let path = fresh_path();
    let mut bytes = include_bytes!("../golden/sqlite-v1.db").to_vec();
    let at = bytes.windows(9).position(|window| window == [7; 9]).expect("the value lies in the file");
    bytes[at + 3] ^= 4;
    let file = files().open(&path, OpenMode::CreateNew).expect("can be made");
    file.write_at(&bytes, 0).expect("can be written");
    drop(file);
    let backend = open_at(&path, Durability::Relaxed).await.expect("opens");
    let error = backend.get(&[key("7")]).await.expect_err("is damaged");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.message().contains("page "), "{error}");
}

#[wasm_bindgen_test]
async fn a_directory_that_is_not_there_is_named() {
    let path = format!("{}/none/memory.db", new_directory());
    let error = open_at(&path, Durability::Relaxed).await.expect_err("there is none");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.message().contains("/none"), "{error}");
}
