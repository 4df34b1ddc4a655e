//! SQLite in a browser's worker: a file system over the handles that a dedicated worker gets.
//!
//! The *origin private file system* opens files asynchronously, and SQLite opens them in the middle of a
//! call. So every file that a database can need is opened before SQLite is: the database, its
//! write-ahead log, and the place where a new one is made. The names are fixed, which is all that
//! SQLite asks for; a file of no bytes stands for one that is not there.
//!
//! **Invariants**
//! - One holder at a time: a handle is exclusive in the whole browser, and whoever comes second gets `Blocked`.
//! - Two names never share a directory.
//! - The handles are let go of when the database is closed or dropped, or when opening it fails.
//!
//! A pool of files with headers of its own (`opfs-sahpool`) was not taken: what it keeps is no SQLite file,
//! and it would be a second virtual file system, without checksums on pages.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetDirectoryOptions, FileSystemGetFileOptions, FileSystemReadWriteOptions,
    FileSystemSyncAccessHandle, StorageManager,
};

use super::database::Database;
use crate::backends::offload::Offloaded;
use crate::backends::{Backend, Durability, OpenOptions, file_error};
use crate::platform::files::{
    File, FileError, FileErrorKind, FileResult, FileSystem, Metadata, OpenMode, Process,
};
use crate::platform::{HostError, Monotonic, sleep};
use crate::{Error, ErrorKind, Result};

/// The directory of this crate in the storage of the origin.
const ROOT: &str = "mnemora";

/// What SQLite opens.
const DATABASE: &str = "database.db";

/// Every file that a database can need.
const NAMES: [&str; 3] = [DATABASE, "database.db-wal", "database.db.new"];

/// How long to wait before asking again whether another holder has let go, in milliseconds.
const ASK_AGAIN_MS: u32 = 25;

/// Opens the SQLite database `name` in the origin private file system; makes it if it is not there. In a
/// dedicated worker only.
///
/// # Errors
/// `Unsupported` outside of a dedicated worker and where the browser has no such storage, `Blocked` if
/// another worker or tab holds it, `Version`, `Corrupt`, `Quota`, `Unavailable`.
pub async fn open(name: &str, options: &OpenOptions) -> Result<Arc<dyn Backend>> {
    let what = format!("opening opfs://{name}");
    let storage = storage()?;
    let began = Monotonic::now();
    let files = loop {
        match Handles::take(&storage, name).await.map_err(|exception| failed(DATABASE, exception)) {
            Ok(handles) => break handles,
            Err(error) if error.kind == FileErrorKind::Busy => {
                if began.elapsed_ms() >= f64::from(options.timeout_ms) {
                    let held = format!(
                        "{what}: another worker or tab holds it; close it there, or wait and retry: {}",
                        error.message
                    );
                    return Err(Error::new(ErrorKind::Blocked, held).with_source(error));
                }
            }
            Err(error) => return Err(file_error(&what, error)),
        }
        sleep(ASK_AGAIN_MS).await;
    };
    let files: Arc<dyn FileSystem> = Arc::new(files);
    let durability = options.durability.max(Durability::Relaxed);
    let open = move || Database::open_unlocked(&files, DATABASE, durability, None);
    Ok(Arc::new(Offloaded::open(0, open).await.map_err(|error| error.at(what))?))
}

/// The storage of the origin, as a dedicated worker sees it.
fn storage() -> Result<StorageManager> {
    let worker = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>().map_err(|_| {
        Error::unsupported(
            "opfs: works in a dedicated worker only, since nothing else may wait for files; open it in a \
             worker, or use idb:",
        )
    })?;
    let navigator = worker.navigator();
    let storage = Reflect::get(&navigator, &JsValue::from_str("storage")).unwrap_or_default();
    let offered = storage.is_object()
        && Reflect::has(&storage, &JsValue::from_str("getDirectory")).unwrap_or(false)
        && Reflect::has(&js_sys::global(), &JsValue::from_str("FileSystemSyncAccessHandle")).unwrap_or(false);
    if offered {
        return Ok(storage.unchecked_into());
    }
    Err(Error::unsupported(
        "this browser offers no private file system here (the page has to come over https or from localhost); \
         use idb:",
    ))
}

/// The name of a directory for any name of a database: letters in lower case, digits, `_` and `-` stand for
/// themselves, each other byte is written as `%` and two digits.
fn directory_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => encoded.push(char::from(byte)),
            // Writing to a String does not fail.
            _ => drop(write!(encoded, "%{byte:02x}")),
        }
    }
    encoded
}

async fn settled<T: JsCast>(promise: Promise) -> std::result::Result<T, JsValue> {
    JsFuture::from(promise.unchecked_into::<Promise>()).await.map(JsCast::unchecked_into)
}

fn failed(path: &str, exception: JsValue) -> FileError {
    let error = HostError::new(exception);
    let kind = match error.name() {
        "QuotaExceededError" => FileErrorKind::NoSpace,
        "NoModificationAllowedError" => FileErrorKind::Busy,
        "NotFoundError" => FileErrorKind::NotFound,
        "NotAllowedError" | "SecurityError" => FileErrorKind::PermissionDenied,
        _ => FileErrorKind::Other,
    };
    FileError { kind, message: format!("{path}: {error}") }
}

/// An exclusive handle of a file. Dropping it lets go.
struct Handle {
    access: FileSystemSyncAccessHandle,
    name: &'static str,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.name).finish()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.access.close();
    }
}

impl Handle {
    fn at(offset: u64) -> FileSystemReadWriteOptions {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(offset as f64);
        options
    }

    fn failed(&self) -> impl Fn(JsValue) -> FileError + '_ {
        |exception| failed(self.name, exception)
    }
}

/// The files of one database.
#[derive(Debug)]
struct Handles([Arc<Handle>; NAMES.len()]);

impl Handles {
    /// Takes the handles, exclusively.
    async fn take(storage: &StorageManager, name: &str) -> std::result::Result<Self, JsValue> {
        let make = FileSystemGetDirectoryOptions::new();
        make.set_create(true);
        let origin: FileSystemDirectoryHandle = settled(storage.get_directory().unchecked_into()).await?;
        let root = origin.get_directory_handle_with_options(ROOT, &make).unchecked_into();
        let root: FileSystemDirectoryHandle = settled(root).await?;
        let directory = root.get_directory_handle_with_options(&directory_name(name), &make).unchecked_into();
        let directory: FileSystemDirectoryHandle = settled(directory).await?;
        let mut taken = Vec::with_capacity(NAMES.len());
        for name in NAMES {
            let make = FileSystemGetFileOptions::new();
            make.set_create(true);
            let file = directory.get_file_handle_with_options(name, &make).unchecked_into();
            let file: FileSystemFileHandle = settled(file).await?;
            let access = settled(file.create_sync_access_handle().unchecked_into()).await?;
            taken.push(Arc::new(Handle { access, name }));
        }
        let handles = <[Arc<Handle>; NAMES.len()]>::try_from(taken);
        handles.map(Self).map_err(|_| JsValue::from_str("a file is missing"))
    }

    fn find(&self, path: &str) -> FileResult<&Arc<Handle>> {
        let found = self.0.iter().find(|handle| handle.name == path);
        found.ok_or_else(|| FileError {
            kind: FileErrorKind::NotFound,
            message: format!("{path}: a database in a browser has no such file"),
        })
    }
}

fn not_offered(call: &str) -> FileError {
    FileError { kind: FileErrorKind::Other, message: format!("{call} is not offered in a browser") }
}

impl FileSystem for Handles {
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>> {
        let handle = self.find(path)?;
        let there = handle.length()? > 0;
        let (kind, why) = match mode {
            OpenMode::Read | OpenMode::Write if !there => (FileErrorKind::NotFound, "it is not there"),
            OpenMode::CreateNew if there => (FileErrorKind::AlreadyExists, "it is there already"),
            _ => return Ok(Box::new(Arc::clone(handle))),
        };
        Err(FileError { kind, message: format!("{path}: {why}") })
    }

    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>> {
        let Ok(handle) = self.find(path) else { return Ok(None) };
        let length = handle.length()?;
        Ok((length > 0).then_some(Metadata { length, modified_ms: 0, directory: false }))
    }

    fn list(&self, _: &str) -> FileResult<Vec<String>> {
        let mut names = Vec::new();
        for handle in &self.0 {
            if handle.length()? > 0 {
                names.push(handle.name.to_owned());
            }
        }
        Ok(names)
    }

    fn create_directory(&self, _: &str) -> FileResult<()> {
        Err(not_offered("making a directory"))
    }

    /// Copies: only the first page of a new database goes this way, and a write of one page that a crash cuts
    /// off leaves a file that is refused as cut off, never one that is wrong.
    fn rename(&self, from: &str, to: &str) -> FileResult<()> {
        let (from, to) = (self.find(from)?, self.find(to)?);
        let length = usize::try_from(from.length()?).map_err(|_| not_offered("a copy of this size"))?;
        let mut content = vec![0; length];
        let count = from.read_at(&mut content, 0)?;
        to.set_length(0)?;
        to.write_at(&content[..count], 0)?;
        to.sync()?;
        from.set_length(0)
    }

    fn link(&self, _: &str, _: &str) -> FileResult<()> {
        Err(not_offered("a second name for a file"))
    }

    fn remove(&self, path: &str) -> FileResult<()> {
        self.find(path)?.set_length(0)
    }

    fn sync_directory(&self, _: &str) -> FileResult<()> {
        // The names are there for good.
        Ok(())
    }

    fn absolute(&self, path: &str) -> FileResult<String> {
        Ok(path.to_owned())
    }

    fn process(&self) -> Process {
        Process { id: 0, started: String::new() }
    }

    fn is_running(&self, _: &Process) -> bool {
        true
    }
}

impl File for Arc<Handle> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize> {
        let read = self.access.read_with_u8_array_and_options(buffer, &Handle::at(offset));
        Ok((read.map_err(self.failed())? as usize).min(buffer.len()))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()> {
        let written = self.access.write_with_u8_array_and_options(bytes, &Handle::at(offset));
        let written = written.map_err(self.failed())? as usize;
        if written == bytes.len() {
            return Ok(());
        }
        Err(FileError {
            kind: FileErrorKind::NoSpace,
            message: format!("{}: only {written} of {} bytes were taken", self.name, bytes.len()),
        })
    }

    fn set_length(&self, length: u64) -> FileResult<()> {
        self.access.truncate_with_f64(length as f64).map_err(self.failed())
    }

    fn sync(&self) -> FileResult<()> {
        self.access.flush().map_err(self.failed())
    }

    fn length(&self) -> FileResult<u64> {
        Ok(self.access.get_size().map_err(self.failed())? as u64)
    }
}
