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
        Process { id, started: seen(id).map_or_else(|_| String::new(), |seen| seen.started) }
    }

    fn is_running(&self, process: &Process) -> bool {
        match seen(process.id) {
            Ok(Seen { ended, started }) => {
                !ended && (process.started.is_empty() || started == process.started)
            }
            // Every process table has a first process. Where it is not to be seen, others are hidden
            // or there is no `/proc`, and that one is missing tells nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => !Path::new("/proc/1/stat").exists(),
            Err(_) => true,
        }
    }
}

/// What `/proc` tells of a process (proc(5)).
struct Seen {
    /// Killed, and not yet waited for by its parent: it holds nothing any more.
    ended: bool,
    /// The id of the boot and the tick of it that the process began at, the 22nd field of its line.
    started: String,
}

fn seen(id: u32) -> io::Result<Seen> {
    let line = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The second field is a name in brackets, which may hold anything.
    let fields = line.rsplit_once(") ").map(|(_, fields)| fields.split(' '));
    let mut fields = fields.ok_or(io::ErrorKind::InvalidData)?;
    let ended = matches!(fields.next(), Some("Z" | "X"));
    let ticks = fields.nth(18).ok_or(io::ErrorKind::InvalidData)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Ok(Seen { ended, started: format!("{}/{ticks}", boot.trim()) })
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
        // The content and what it takes to read it back, such as the length, but not the times.
        self.file.sync_data().map_err(failed(&self.path))
    }

    fn length(&self) -> FileResult<u64> {
        Ok(self.file.metadata().map_err(failed(&self.path))?.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_runs_until_it_is_killed_and_is_not_taken_for_another() {
        let own = NativeFiles.process();
        assert!(NativeFiles.is_running(&own));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let running =
            |started: &str| NativeFiles.is_running(&Process { id: child.id(), started: started.into() });
        assert!(running(""), "nothing is known of its beginning");
        // Only Linux tells.
        if Path::new("/proc/1/stat").exists() {
            assert!(!running("another-boot/1") && !running(&own.started));
            assert!(!NativeFiles.is_running(&Process { id: u32::MAX, started: String::new() }));
            let process = Process { id: child.id(), started: seen(child.id()).unwrap().started };
            assert!(NativeFiles.is_running(&process));
            child.kill().unwrap();
            // Nobody has waited for it yet.
            let ended = (0..500).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                !NativeFiles.is_running(&process)
            });
            assert!(ended, "what was killed holds nothing");
        }
        // It may have been killed already.
        let _ = child.kill();
        child.wait().unwrap();
    }

    #[test]
    fn failures_are_told_apart_by_what_to_do_and_name_the_path() {
        let place = std::env::temp_dir().join(format!("mnemora-native-{}", std::process::id()));
        let path = |name: &str| place.join(name).into_os_string().into_string().unwrap();
        let kind = |error: FileError| {
            assert!(error.message.contains("mnemora-native-"), "{error}");
            error.kind
        };
        NativeFiles.create_directory(&path("a/b")).unwrap();
        NativeFiles.create_directory(&path("a/b")).expect("that it is there already is no error");
        assert_eq!(
            kind(NativeFiles.open(&path("none"), OpenMode::Write).unwrap_err()),
            FileErrorKind::NotFound
        );
        let file = NativeFiles.open(&path("a/f"), OpenMode::CreateNew).unwrap();
        let again = NativeFiles.open(&path("a/f"), OpenMode::CreateNew).unwrap_err();
        assert_eq!(kind(again), FileErrorKind::AlreadyExists);
        file.write_at(b"abc", 2).unwrap();
        let mut buffer = [9; 8];
        assert_eq!(file.read_at(&mut buffer, 1), Ok(4));
        assert_eq!(&buffer, b"\0abc\x09\x09\x09\x09");
        NativeFiles.link(&path("a/f"), &path("a/g")).unwrap();
        let taken = NativeFiles.link(&path("a/f"), &path("a/g")).unwrap_err();
        assert_eq!(kind(taken), FileErrorKind::AlreadyExists);
        NativeFiles.rename(&path("a/f"), &path("a/g")).unwrap();
        assert_eq!(NativeFiles.metadata(&path("a/f/beyond")), Ok(None));
        let mut names = NativeFiles.list(&path("a")).unwrap();
        names.sort();
        assert_eq!(names.last().map(String::as_str), Some("g"));
        std::fs::remove_dir_all(&place).unwrap();
    }
}
