//! A file system in memory that fails when it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::platform::files::{
    File, FileError, FileErrorKind, FileResult, FileSystem, Metadata, OpenMode, Process,
};

type Content = Arc<Mutex<Vec<u8>>>;

/// The file system.
#[derive(Debug, Default)]
pub(super) struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Content>,
    /// How many more bytes fit, if there is a limit.
    room: Option<u64>,
    /// How many more changes happen before every one fails, if there is a limit.
    changes: Option<u64>,
    /// What fails, by name: `sync`, `set_length`, `overwrite`, `sync_directory`.
    failing: Vec<&'static str>,
    syncs: u64,
    writes: u64,
}

fn error(kind: FileErrorKind, what: &str) -> FileError {
    FileError { kind, message: what.to_owned() }
}

impl State {
    fn change(&mut self, what: &'static str) -> FileResult<()> {
        if self.failing.contains(&what) {
            return Err(error(FileErrorKind::Other, "told to fail"));
        }
        match &mut self.changes {
            Some(0) => Err(error(FileErrorKind::Other, "the process is dead")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A disk with the same files and no faults.
    pub(super) fn copy(&self) -> Arc<Self> {
        let state = self.state();
        let files = state
            .files
            .iter()
            .map(|(path, content)| (path.clone(), Arc::new(Mutex::new(content.lock().unwrap().clone()))));
        // A dead process holds no lock.
        let files = files.filter(|(path, _)| !path.ends_with("/lock")).collect();
        let state = State { files, ..State::default() };
        Arc::new(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// Lets this many more bytes in.
    pub(super) fn room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// Lets this many more changes happen.
    pub(super) fn changes(&self, changes: Option<u64>) {
        self.state().changes = changes;
    }

    /// Makes these calls fail.
    pub(super) fn fail(&self, what: &[&'static str]) {
        self.state().failing = what.to_vec();
    }

    /// How many syncs and writes there were.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.syncs, state.writes)
    }

    /// The paths there are.
    pub(super) fn paths(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    /// The content of a file.
    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        self.state().files[path].lock().unwrap().clone()
    }

    /// The same as text.
    pub(super) fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).unwrap()
    }

    /// Puts a file there, past all faults.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) {
        self.state().files.insert(path.to_owned(), Arc::new(Mutex::new(bytes.to_vec())));
    }

    /// Takes a file away.
    pub(super) fn delete(&self, path: &str) {
        self.state().files.remove(path).unwrap();
    }
}

impl FileSystem for Disk {
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>> {
        let mut state = self.state();
        let found = state.files.get(path).map(Arc::clone);
        let content = match (found, mode) {
            (Some(_), OpenMode::CreateNew) => return Err(error(FileErrorKind::AlreadyExists, path)),
            (Some(content), _) => content,
            (None, OpenMode::Read | OpenMode::Write) => return Err(error(FileErrorKind::NotFound, path)),
            (None, OpenMode::Create | OpenMode::CreateNew) => {
                state.change("create")?;
                let content = Content::default();
                state.files.insert(path.to_owned(), Arc::clone(&content));
                content
            }
        };
        Ok(Box::new(Open { state: Arc::clone(&self.state), content }))
    }

    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>> {
        let found = self.state().files.get(path).map(Arc::clone);
        Ok(found.map(|content| {
            let length = content.lock().unwrap().len() as u64;
            Metadata { length, modified_ms: 0, directory: false }
        }))
    }

    fn list(&self, directory: &str) -> FileResult<Vec<String>> {
        let own = format!("{directory}/");
        Ok(self.state().files.keys().filter_map(|path| path.strip_prefix(&own)).map(str::to_owned).collect())
    }

    fn create_directory(&self, _: &str) -> FileResult<()> {
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> FileResult<()> {
        let mut state = self.state();
        state.change("rename")?;
        let content = state.files.remove(from).ok_or_else(|| error(FileErrorKind::NotFound, from))?;
        state.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> FileResult<()> {
        let mut state = self.state();
        if state.files.contains_key(to) {
            return Err(error(FileErrorKind::AlreadyExists, to));
        }
        let content =
            state.files.get(from).map(Arc::clone).ok_or_else(|| error(FileErrorKind::NotFound, from))?;
        state.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &str) -> FileResult<()> {
        let mut state = self.state();
        state.change("remove")?;
        state.files.remove(path).map(drop).ok_or_else(|| error(FileErrorKind::NotFound, path))
    }

    fn sync_directory(&self, _: &str) -> FileResult<()> {
        self.state().change("sync_directory")
    }

    fn absolute(&self, path: &str) -> FileResult<String> {
        Ok(path.to_owned())
    }

    fn process(&self) -> Process {
        Process { id: 1, started: "now".to_owned() }
    }

    fn is_running(&self, _: &Process) -> bool {
        true
    }
}

#[derive(Debug)]
struct Open {
    state: Arc<Mutex<State>>,
    content: Content,
}

impl File for Open {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> FileResult<usize> {
        let content = self.content.lock().unwrap();
        let rest = content.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> FileResult<()> {
        let mut state = self.state.lock().unwrap();
        let mut content = self.content.lock().unwrap();
        let end = offset as usize + bytes.len();
        let grows = end.saturating_sub(content.len()) as u64;
        state.change(if grows == 0 { "overwrite" } else { "write" })?;
        state.writes += 1;
        // What fits is written before it fails, as a real disk does.
        let fits = state.room.map_or(grows, |room| room.min(grows));
        if let Some(room) = &mut state.room {
            *room -= fits;
        }
        let kept = bytes.len() - (grows - fits) as usize;
        let length = content.len().max(offset as usize + kept);
        content.resize(length, 0);
        content[offset as usize..offset as usize + kept].copy_from_slice(&bytes[..kept]);
        if fits < grows { Err(error(FileErrorKind::NoSpace, "the disk is full")) } else { Ok(()) }
    }

    fn set_length(&self, length: u64) -> FileResult<()> {
        let mut state = self.state.lock().unwrap();
        let mut content = self.content.lock().unwrap();
        if content.len() as u64 != length {
            state.change("set_length")?;
        }
        let freed = (content.len() as u64).saturating_sub(length);
        if let Some(room) = &mut state.room {
            *room += freed;
        }
        content.resize(length as usize, 0);
        Ok(())
    }

    fn sync(&self) -> FileResult<()> {
        let mut state = self.state.lock().unwrap();
        state.change("sync")?;
        state.syncs += 1;
        Ok(())
    }

    fn length(&self) -> FileResult<u64> {
        Ok(self.content.lock().unwrap().len() as u64)
    }
}
