//! The file system of a JavaScript host: one object of synchronous calls, such as Node's `fs` gives.
//!
//! Buffers go to the host as views into the memory of this instance, so that nothing is copied on the
//! way. Nothing the host answers is trusted: an answer that breaks the contract is a [`FileError`].
//!
//! | call | gives |
//! |---|---|
//! | `open(path, mode)`, mode 0 read, 1 write, 2 create, 3 create new | a descriptor |
//! | `close(descriptor)` | |
//! | `readAt(descriptor, buffer, offset)` | how many bytes it has put into `buffer` |
//! | `writeAt(descriptor, bytes, offset)` | |
//! | `setLength(descriptor, length)` | |
//! | `sync(descriptor)` | |
//! | `length(descriptor)` | bytes |
//! | `metadata(path)` | `[length, modifiedMs, directory]`, or `null` for nothing |
//! | `list(directory)` | names |
//! | `createDirectory(path)` | |
//! | `rename(from, to)`, `link(from, to)`, `remove(path)` | |
//! | `syncDirectory(path)` | |
//! | `absolute(path)` | a path |
//! | `process()` | `[id, started]` |
//! | `isRunning(id, started)` | a boolean |
//!
//! A call fails by throwing an error whose `code` is that of the operating system (`ENOENT`). What each
//! must do is told at [`FileSystem`] and [`File`].

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;

use super::{File, FileError, FileErrorKind, FileResult, FileSystem, Metadata, OpenMode, Process};
use crate::platform::HostError;

#[wasm_bindgen]
extern "C" {
    #[derive(Debug, Clone)]
    type Calls;

    #[wasm_bindgen(method, catch)]
    fn open(this: &Calls, path: &str, mode: u32) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &Calls, descriptor: u32) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = readAt)]
    fn read_at(this: &Calls, descriptor: u32, buffer: &mut [u8], offset: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = writeAt)]
    fn write_at(this: &Calls, descriptor: u32, bytes: &[u8], offset: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setLength)]
    fn set_length(this: &Calls, descriptor: u32, length: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn sync(this: &Calls, descriptor: u32) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn length(this: &Calls, descriptor: u32) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn metadata(this: &Calls, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn list(this: &Calls, directory: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createDirectory)]
    fn create_directory(this: &Calls, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn rename(this: &Calls, from: &str, to: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn link(this: &Calls, from: &str, to: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn remove(this: &Calls, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = syncDirectory)]
    fn sync_directory(this: &Calls, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn absolute(this: &Calls, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn process(this: &Calls) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = isRunning)]
    fn is_running(this: &Calls, id: u32, started: &str) -> Result<JsValue, JsValue>;
}

const METHODS: [&str; 17] = [
    "open",
    "close",
    "readAt",
    "writeAt",
    "setLength",
    "sync",
    "length",
    "metadata",
    "list",
    "createDirectory",
    "rename",
    "link",
    "remove",
    "syncDirectory",
    "absolute",
    "process",
    "isRunning",
];

/// The largest integer that a number of JavaScript holds exactly.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// The file system that a JavaScript host lends.
#[derive(Debug)]
pub struct HostFiles {
    calls: Calls,
    process: Process,
}

#[derive(Debug)]
struct HostFile {
    calls: Calls,
    descriptor: u32,
    path: Box<str>,
}

impl HostFiles {
    /// Takes the object of calls over.
    ///
    /// # Errors
    /// `Other` if one of the calls is missing, and if `process` fails or gives no process.
    pub fn new(calls: JsValue) -> FileResult<Self> {
        for method in METHODS {
            let found = Reflect::get(&calls, &JsValue::from_str(method));
            if !found.is_ok_and(|found| found.is_function()) {
                return Err(other("the calls on files", format_args!("{method} is missing or no function")));
            }
        }
        let calls: Calls = calls.unchecked_into();
        let answer = calls.process().map_err(thrown("process"))?;
        let process = as_process(&answer).ok_or_else(|| broken("process", "process", &answer))?;
        Ok(Self { calls, process })
    }
}

impl FileSystem for HostFiles {
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>> {
        let mode = match mode {
            OpenMode::Read => 0,
            OpenMode::Write => 1,
            OpenMode::Create => 2,
            OpenMode::CreateNew => 3,
        };
        let answer = self.calls.open(path, mode).map_err(thrown(path))?;
        let descriptor = as_integer(&answer).and_then(|number| u32::try_from(number).ok());
        let descriptor = descriptor.ok_or_else(|| broken(path, "open", &answer))?;
        Ok(Box::new(HostFile { calls: self.calls.clone(), descriptor, path: path.into() }))
    }

    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>> {
        let answer = self.calls.metadata(path).map_err(thrown(path))?;
        if answer.is_null() {
            return Ok(None);
        }
        let found = as_metadata(&answer).ok_or_else(|| broken(path, "metadata", &answer))?;
        Ok(Some(found))
    }

    fn list(&self, directory: &str) -> FileResult<Vec<String>> {
        let answer = self.calls.list(directory).map_err(thrown(directory))?;
        let names =
            answer.dyn_ref::<Array>().and_then(|names| names.iter().map(|name| name.as_string()).collect());
        names.ok_or_else(|| broken(directory, "list", &answer))
    }

    fn create_directory(&self, path: &str) -> FileResult<()> {
        self.calls.create_directory(path).map(drop).map_err(thrown(path))
    }

    fn rename(&self, from: &str, to: &str) -> FileResult<()> {
        self.calls.rename(from, to).map(drop).map_err(thrown(from))
    }

    fn link(&self, from: &str, to: &str) -> FileResult<()> {
        self.calls.link(from, to).map(drop).map_err(thrown(to))
    }

    fn remove(&self, path: &str) -> FileResult<()> {
        self.calls.remove(path).map(drop).map_err(thrown(path))
    }

    fn sync_directory(&self, path: &str) -> FileResult<()> {
        let path = if path.is_empty() { "." } else { path };
        self.calls.sync_directory(path).map(drop).map_err(thrown(path))
    }

    fn absolute(&self, path: &str) -> FileResult<String> {
        let answer = self.calls.absolute(path).map_err(thrown(path))?;
        answer.as_string().ok_or_else(|| broken(path, "absolute", &answer))
    }

    fn process(&self) -> Process {
        self.process.clone()
    }

    fn is_running(&self, process: &Process) -> bool {
        // A host that fails to tell leaves the lock with its owner.
        let answer = self.calls.is_running(process.id, &process.started);
        answer.ok().and_then(|answer| answer.as_bool()).unwrap_or(true)
    }
}

impl HostFile {
    /// An offset or a length, as a number that the host takes for the same.
    fn number(&self, number: u64) -> FileResult<f64> {
        if number > MAX_INTEGER {
            return Err(other(&self.path, format_args!("{number} is beyond the end of any file")));
        }
        Ok(number as f64)
    }
}

impl File for HostFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize> {
        let offset = self.number(offset)?;
        let wanted = buffer.len();
        let answer = self.calls.read_at(self.descriptor, buffer, offset).map_err(thrown(&self.path))?;
        let count = as_integer(&answer).and_then(|count| usize::try_from(count).ok());
        count.filter(|&count| count <= wanted).ok_or_else(|| broken(&self.path, "readAt", &answer))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()> {
        let offset = self.number(offset)?;
        self.calls.write_at(self.descriptor, bytes, offset).map(drop).map_err(thrown(&self.path))
    }

    fn set_length(&self, length: u64) -> FileResult<()> {
        let length = self.number(length)?;
        self.calls.set_length(self.descriptor, length).map(drop).map_err(thrown(&self.path))
    }

    fn sync(&self) -> FileResult<()> {
        self.calls.sync(self.descriptor).map(drop).map_err(thrown(&self.path))
    }

    fn length(&self) -> FileResult<u64> {
        let answer = self.calls.length(self.descriptor).map_err(thrown(&self.path))?;
        as_integer(&answer).ok_or_else(|| broken(&self.path, "length", &answer))
    }
}

impl Drop for HostFile {
    fn drop(&mut self) {
        // What had to be durable was synced before, and there is nobody left to tell.
        let _ = self.calls.close(self.descriptor);
    }
}

fn as_integer(answer: &JsValue) -> Option<u64> {
    let number = answer.as_f64()?;
    (number.fract() == 0.0 && (0.0..=MAX_INTEGER as f64).contains(&number)).then_some(number as u64)
}

fn as_metadata(answer: &JsValue) -> Option<Metadata> {
    let fields = answer.dyn_ref::<Array>().filter(|fields| fields.length() == 3)?;
    Some(Metadata {
        length: as_integer(&fields.get(0))?,
        modified_ms: as_integer(&fields.get(1))?,
        directory: fields.get(2).as_bool()?,
    })
}

fn as_process(answer: &JsValue) -> Option<Process> {
    let fields = answer.dyn_ref::<Array>().filter(|fields| fields.length() == 2)?;
    let id = as_integer(&fields.get(0)).and_then(|id| u32::try_from(id).ok())?;
    Some(Process { id, started: fields.get(1).as_string()? })
}

fn other(path: &str, message: std::fmt::Arguments<'_>) -> FileError {
    FileError { kind: FileErrorKind::Other, message: format!("{path}: {message}") }
}

/// An answer that breaks the contract.
fn broken(path: &str, call: &str, answer: &JsValue) -> FileError {
    other(path, format_args!("the host's {call} gave {answer:?}"))
}

/// A call that threw.
fn thrown(path: &str) -> impl Fn(JsValue) -> FileError + '_ {
    move |exception| {
        let code =
            Reflect::get(&exception, &JsValue::from_str("code")).ok().and_then(|code| code.as_string());
        let kind = match code.as_deref().unwrap_or_default() {
            "ENOENT" => FileErrorKind::NotFound,
            "EEXIST" => FileErrorKind::AlreadyExists,
            "EACCES" | "EPERM" | "EROFS" => FileErrorKind::PermissionDenied,
            "ENOSPC" | "EDQUOT" | "EFBIG" => FileErrorKind::NoSpace,
            "EBUSY" => FileErrorKind::Busy,
            _ => FileErrorKind::Other,
        };
        let error = HostError::new(exception);
        let message = if error.message().is_empty() { "the host threw" } else { error.message() };
        FileError { kind, message: format!("{path}: {message}") }
    }
}

#[cfg(test)]
mod tests;
