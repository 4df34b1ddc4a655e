//! A host that keeps to the contract, and hosts that do not.

use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

/// Calls over one file in memory, with `changes` made to them; what was called is in `object.log`.
fn host(changes: &str) -> JsValue {
    let body = format!(
        "let bytes = new Uint8Array(0);
         const log = [];
         const calls = {{
             log,
             open: (path, mode) => {{ log.push(`open ${{path}} ${{mode}}`); return 7; }},
             close: (fd) => {{ log.push(`close ${{fd}}`); }},
             readAt: (fd, buffer, offset) => {{
                 const part = bytes.subarray(offset, offset + buffer.length);
                 buffer.set(part);
                 return part.length;
             }},
             writeAt: (fd, given, offset) => {{
                 const whole = new Uint8Array(Math.max(bytes.length, offset + given.length));
                 whole.set(bytes);
                 whole.set(given, offset);
                 bytes = whole;
             }},
             setLength: (fd, length) => {{ bytes = bytes.slice(0, length); }},
             sync: () => {{}},
             length: () => bytes.length,
             metadata: (path) => path === 'none' ? null : [bytes.length, 12, false],
             list: () => ['a', 'b'],
             createDirectory: () => {{}},
             rename: () => {{}},
             link: () => {{}},
             remove: () => {{}},
             syncDirectory: (path) => {{ log.push(`sync ${{path}}`); }},
             absolute: (path) => '/' + path,
             process: () => [41, 'boot/1'],
             isRunning: (id, started) => id === 41 && started === 'boot/1',
         }};
         const fail = (code, message = 'no') => () => {{ throw Object.assign(new Error(message), {{ code }}); }};
         {changes};
         return calls;"
    );
    Function::new_no_args(&body).call0(&JsValue::NULL).expect("a host")
}

fn files(changes: &str) -> HostFiles {
    HostFiles::new(host(changes)).expect("keeps to the contract")
}

fn log(calls: &JsValue) -> Vec<String> {
    let log = Reflect::get(calls, &JsValue::from_str("log")).expect("a log");
    Array::from(&log).iter().filter_map(|line| line.as_string()).collect()
}

#[wasm_bindgen_test]
fn bytes_go_both_ways_and_a_dropped_file_is_closed() {
    let calls = host("");
    let files = HostFiles::new(calls.clone()).expect("keeps to the contract");
    let file = files.open("f", OpenMode::CreateNew).expect("opens");
    file.write_at(b"hello", 2).expect("writes");
    let mut buffer = [9; 8];
    assert_eq!(file.read_at(&mut buffer, 1).expect("reads"), 6);
    assert_eq!(&buffer, b"\0hello\x09\x09");
    assert_eq!(file.length(), Ok(7));
    file.set_length(3).expect("cuts");
    assert_eq!(file.length(), Ok(3));
    drop(file);
    files.sync_directory("").expect("syncs");
    assert_eq!(log(&calls), ["open f 3", "close 7", "sync ."]);
    assert_eq!(files.metadata("none"), Ok(None));
    assert_eq!(files.metadata("f"), Ok(Some(Metadata { length: 3, modified_ms: 12, directory: false })));
    assert_eq!(files.list("."), Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(files.absolute("x"), Ok("/x".to_owned()));
    let process = files.process();
    assert_eq!((process.id, process.started.as_str()), (41, "boot/1"));
    assert!(files.is_running(&process));
    assert!(!files.is_running(&Process { id: 42, ..process }));
}

#[wasm_bindgen_test]
fn a_host_that_lacks_a_call_is_refused() {
    for method in METHODS {
        for value in ["undefined", "1"] {
            let error = HostFiles::new(host(&format!("calls.{method} = {value}"))).expect_err("lacks a call");
            assert!(error.message.contains(method), "{error}");
        }
    }
    for nothing in [JsValue::NULL, JsValue::UNDEFINED, JsValue::from(1)] {
        assert!(HostFiles::new(nothing).is_err());
    }
    for process in ["null", "[1]", "[-1, '']", "['1', '']", "[1, 2]", "[1.5, '']", "[4294967296, '']"] {
        assert!(HostFiles::new(host(&format!("calls.process = () => {process}"))).is_err(), "{process}");
    }
}

#[wasm_bindgen_test]
fn codes_become_kinds() {
    for (code, kind) in [
        ("ENOENT", FileErrorKind::NotFound),
        ("EEXIST", FileErrorKind::AlreadyExists),
        ("EACCES", FileErrorKind::PermissionDenied),
        ("EPERM", FileErrorKind::PermissionDenied),
        ("EROFS", FileErrorKind::PermissionDenied),
        ("ENOSPC", FileErrorKind::NoSpace),
        ("EDQUOT", FileErrorKind::NoSpace),
        ("EFBIG", FileErrorKind::NoSpace),
        ("EBUSY", FileErrorKind::Busy),
        ("EIO", FileErrorKind::Other),
        ("", FileErrorKind::Other),
    ] {
        let files = files(&format!("calls.remove = fail('{code}', 'told')"));
        let expected = FileError { kind, message: "x: told".to_owned() };
        assert_eq!(files.remove("x"), Err(expected), "{code}");
    }
}

#[wasm_bindgen_test]
fn whatever_is_thrown_is_an_error() {
    for thrown in
        ["null", "undefined", "1", "'text'", "{ get code() { throw 1 } }", "new Error('')", "Symbol()"]
    {
        let files = files(&format!("calls.rename = () => {{ throw ({thrown}) }}"));
        let error = files.rename("a", "b").expect_err("throws");
        assert_eq!((error.kind, error.message.starts_with("a: ")), (FileErrorKind::Other, true), "{thrown}");
    }
}

#[wasm_bindgen_test]
fn answers_that_break_the_contract_are_errors() {
    const NO_COUNTS: [&str; 9] =
        ["undefined", "null", "'3'", "-1", "1.5", "NaN", "Infinity", "3n", "Number.MAX_SAFE_INTEGER + 1"];
    for answer in NO_COUNTS {
        let broken = files(&format!(
            "calls.open = calls.readAt = calls.length = () => {answer}; calls.metadata = () => [{answer}, 1, false]"
        ));
        assert!(broken.open("f", OpenMode::Read).is_err(), "open: {answer}");
        assert!(broken.metadata("f").is_err(), "metadata: {answer}");
        let open = files(&format!("calls.readAt = calls.length = () => {answer}"));
        let file = open.open("f", OpenMode::Read).expect("opens");
        assert!(file.read_at(&mut [0; 4], 0).is_err(), "readAt: {answer}");
        assert!(file.length().is_err(), "length: {answer}");
    }
    let more = files("calls.readAt = (fd, buffer) => buffer.length + 1");
    let file = more.open("f", OpenMode::Read).expect("opens");
    assert!(file.read_at(&mut [0; 4], 0).is_err(), "more than was asked for");
    for answer in ["undefined", "'ab'", "['a', 1]", "{ length: 1 }"] {
        assert!(files(&format!("calls.list = () => ({answer})")).list(".").is_err(), "list: {answer}");
    }
    for answer in ["undefined", "{}", "[1, 2]", "[1, 2, 0]", "[1, 2, true, 3]", "[1, -2, true]"] {
        assert!(files(&format!("calls.metadata = () => ({answer})")).metadata("f").is_err(), "{answer}");
    }
    assert!(files("calls.absolute = () => 1").absolute("f").is_err());
    for answer in ["undefined", "0", "null"] {
        let files = files(&format!("calls.isRunning = () => {answer}"));
        assert!(files.is_running(&files.process()), "a host that does not tell leaves the lock: {answer}");
    }
}

#[wasm_bindgen_test]
fn an_offset_that_no_number_holds_is_not_passed_on() {
    let file = files("calls.writeAt = () => 0").open("f", OpenMode::Write).expect("opens");
    assert!(file.write_at(b"x", 1 << 53).is_err());
    assert!(file.read_at(&mut [0], u64::MAX).is_err());
    assert!(file.set_length(1 << 60).is_err());
    assert!(file.write_at(b"x", (1 << 53) - 1).is_ok());
}
