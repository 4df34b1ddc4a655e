//! The file system of a native program.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::{File, FileError, FileErrorKind, FileResult, FileSystem, Metadata, OpenMode, Process};

/// The file system of the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct NativeFiles;

#[derive(Debug)]
struct NativeFile {
    file: fs::File,
    path: Box<str>,
}

fn failed(path: &str) -> impl Fn(io::Error) -> FileError + '_ {
    move |error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => FileErrorKind::NotFound,
            io::ErrorKind::AlreadyExists => FileErrorKind::AlreadyExists,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                FileErrorKind::PermissionDenied
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                FileErrorKind::NoSpace
            }
            io::ErrorKind::ResourceBusy => FileErrorKind::Busy,
            _ => FileErrorKind::Other,
        };
        FileError { kind, message: format!("{path}: {error}") }
    }
}

impl FileSystem for NativeFiles {
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(mode != OpenMode::Read);
        match mode {
            OpenMode::Read | OpenMode::Write => {}
            OpenMode::Create => {
                options.create(true).truncate(false);
            }
            OpenMode::CreateNew => {
                options.create_new(true);
            }
        }
        let file = options.open(path).map_err(failed(path))?;
        Ok(Box::new(NativeFile { file, path: path.into() }))
    }

    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>> {
        match fs::metadata(path) {
            Ok(found) => {
                let modified = found.modified().map_err(failed(path))?;
                let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
                let modified_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
                Ok(Some(Metadata { length: found.len(), modified_ms, directory: found.is_dir() }))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(failed(path)(error)),
        }
    }

    fn list(&self, directory: &str) -> FileResult<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed(directory))? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry.map_err(failed(directory))?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create_directory(&self, path: &str) -> FileResult<()> {
        fs::create_dir_all(path).map_err(failed(path))
    }

    fn rename(&self, from: &str, to: &str) -> FileResult<()> {
        fs::rename(from, to).map_err(failed(from))
    }

    fn link(&self, from: &str, to: &str) -> FileResult<()> {
        fs::hard_link(from, to).map_err(failed(to))
    }

    fn remove(&self, path: &str) -> FileResult<()> {
        fs::remove_file(path).map_err(failed(path))
    }

    fn sync_directory(&self, path: &str) -> FileResult<()> {
        let path = if path.is_empty() { "." } else { path };
        fs::File::open(path).and_then(|directory| directory.sync_all()).map_err(failed(path))
    }

    fn absolute(&self, path: &str) -> FileResult<String> {
        let absolute = std::path::absolute(path).map_err(failed(path))?;
        // What does not exist yet has its name behind the real name of what does.
        let mut behind = Vec::new();
        let mut known: &Path = &absolute;
        let real = loop {
            match (fs::canonicalize(known), known.parent(), known.file_name()) {
                (Ok(real), _, _) => break real,
                (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
                    behind.push(name);
                    known = parent;
                }
                (Err(error), _, _) => return Err(failed(path)(error)),
            }
        };
        let whole = behind.into_iter().rev().fold(real, |path, name| path.join(name));
        whole.into_os_string().into_string().map_err(|_| FileError {
            kind: FileErrorKind::Other,
            message: format!("{path}: its directory has a name that is not UTF-8"),
        })
    }

    fn process(&self) -> Process {
        let id = std::process::id();
        Process { id, started: started(id).unwrap_or_default() }
    }

    fn is_running(&self, process: &Process) -> bool {
        if !Path::new("/proc/self").exists() {
            return true;
        }
        match started(process.id) {
            Some(started) => process.started.is_empty() || started == process.started,
            None => false,
        }
    }
}

/// When a process began: the id of the boot and the 22nd field of its line in `/proc` (proc(5)).
fn started(id: u32) -> Option<String> {
    let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field is a name in brackets, which may hold anything.
    let ticks = line.rsplit_once(") ")?.1.split(' ').nth(19)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{}/{ticks}", boot.trim()))
}

impl File for NativeFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&self.path)(error)),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()> {
        self.file.write_all_at(bytes, offset).map_err(failed(&self.path))
    }

    fn set_length(&self, length: u64) -> FileResult<()> {
        self.file.set_len(length).map_err(failed(&self.path))
    }

    fn sync(&self) -> FileResult<()> {
        self.file.sync_all().map_err(failed(&self.path))
    }

    fn length(&self) -> FileResult<u64> {
        Ok(self.file.metadata().map_err(failed(&self.path))?.len())
    }
}
