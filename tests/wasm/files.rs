//! Files through the core, in Node: what the package's calls do when the core makes them.

use mnemora::platform::files::{FileErrorKind, OpenMode, Process};
use wasm_bindgen_test::wasm_bindgen_test;

use super::host_files::{files, new_directory};

#[wasm_bindgen_test]
fn what_is_written_is_read_back() {
    let (files, path) = (files(), format!("{}/deep/file", new_directory()));
    let missing = files.open(&path, OpenMode::Create).expect_err("there is no such directory");
    assert_eq!(missing.kind, FileErrorKind::NotFound);
    files.create_directory(path.trim_end_matches("/file")).expect("is made");
    let file = files.open(&path, OpenMode::CreateNew).expect("opens");
    assert_eq!(
        files.open(&path, OpenMode::CreateNew).expect_err("is there").kind,
        FileErrorKind::AlreadyExists
    );
    let written: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    file.write_at(&written, 5).expect("writes");
    file.sync().expect("syncs");
    let mut read = vec![0; 250_000];
    assert_eq!(file.read_at(&mut read, 5), Ok(200_000));
    assert_eq!(read[..200_000], written);
    assert_eq!(file.read_at(&mut read, 1 << 40), Ok(0), "there is nothing behind the end");
    file.set_length(10).expect("cuts");
    assert_eq!(file.length(), Ok(10));
    let metadata = files.metadata(&path).expect("looks").expect("is there");
    assert_eq!((metadata.length, metadata.directory), (10, false));
    assert!(metadata.modified_ms > 1_700_000_000_000);
}

#[wasm_bindgen_test]
fn names_come_and_go() {
    let (files, directory) = (files(), new_directory());
    let at = |name: &str| format!("{directory}/{name}");
    drop(files.open(&at("one"), OpenMode::Create).expect("opens"));
    files.link(&at("one"), &at("two")).expect("links");
    assert_eq!(files.link(&at("one"), &at("two")).expect_err("is there").kind, FileErrorKind::AlreadyExists);
    files.rename(&at("two"), &at("three")).expect("renames");
    files.sync_directory(&directory).expect("syncs");
    let mut names = files.list(&directory).expect("lists");
    names.sort_unstable();
    assert_eq!(names, ["one", "three"]);
    files.remove(&at("one")).expect("removes");
    assert_eq!(files.remove(&at("one")).expect_err("is gone").kind, FileErrorKind::NotFound);
    assert_eq!(files.metadata(&at("one")), Ok(None));
    assert_eq!(files.list(&at("none")).expect_err("is not there").kind, FileErrorKind::NotFound);
}

#[wasm_bindgen_test]
fn this_process_runs_and_an_earlier_one_of_its_number_does_not() {
    let files = files();
    let process = files.process();
    assert!(process.id > 0 && files.is_running(&process));
    assert!(files.is_running(&Process { started: String::new(), ..process.clone() }));
    if !process.started.is_empty() {
        assert!(!files.is_running(&Process { started: "another boot/1".to_owned(), ..process }));
    }
    for nobody in [0, u32::MAX, 1 << 31] {
        assert!(!files.is_running(&Process { id: nobody, started: String::new() }), "{nobody}");
    }
}
