//! The disk as the running process sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::recording::Operation;
use super::{Fault, failed};
use crate::platform::files::{FileErrorKind, FileResult, Metadata, OpenMode};

/// Which file, whatever its names.
pub type NodeId = usize;

#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) modified_ms: u64,
}

/// What is to fail, and from which call on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) fault: Fault,
    pub(super) from: usize,
    pub(super) lasting: bool,
    /// The number of the first call that failed.
    pub(super) met: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) nodes: Vec<Node>,
    pub(super) names: BTreeMap<String, NodeId>,
    /// Without the root, which is always there.
    pub(super) directories: BTreeSet<String>,
    pub(super) operations: Vec<Operation>,
    pub(super) calls: usize,
    /// How many processes and restarts came before.
    pub(super) runs: usize,
    pub(super) fault: Option<Planned>,
    pub(super) capacity: Option<u64>,
}

/// What a call needs, for the faults that apply to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Space,
    Sync,
}

/// The path from the root: `/a/b`; the root itself is empty.
pub(super) fn clean(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.fold(String::new(), |path, part| path + "/" + part)
}

pub(super) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

impl State {
    /// The same files, as if they had always been there.
    pub(super) fn settled(&self) -> Self {
        Self {
            nodes: self.nodes.clone(),
            names: self.names.clone(),
            directories: self.directories.clone(),
            runs: self.runs + 1,
            ..Self::default()
        }
    }

    fn call(&mut self, path: &str, needs: Needs) -> FileResult<()> {
        self.calls += 1;
        let calls = self.calls;
        let Some(planned) = &mut self.fault else { return Ok(()) };
        let applies = match planned.fault {
            Fault::Io => true,
            Fault::NoSpace => needs == Needs::Space,
            Fault::Sync => needs == Needs::Sync,
        };
        if !applies || calls <= planned.from || (planned.met.is_some() && !planned.lasting) {
            return Ok(());
        }
        planned.met.get_or_insert(calls - 1);
        Err(match planned.fault {
            Fault::NoSpace => failed(FileErrorKind::NoSpace, path, "no space left (on purpose)"),
            Fault::Io | Fault::Sync => failed(FileErrorKind::Other, path, "I/O error (on purpose)"),
        })
    }

    fn node(&self, path: &str) -> FileResult<NodeId> {
        self.names.get(path).copied().ok_or_else(|| failed(FileErrorKind::NotFound, path, "is not there"))
    }

    fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || self.directories.contains(path)
    }

    fn check_directory(&self, path: &str) -> FileResult<()> {
        if self.is_directory(path) {
            return Ok(());
        }
        Err(failed(FileErrorKind::NotFound, path, "is no directory"))
    }

    /// The bytes of space that are left.
    fn space(&self) -> u64 {
        let Some(capacity) = self.capacity else { return u64::MAX };
        // What has no name any more takes no space.
        let named: BTreeSet<NodeId> = self.names.values().copied().collect();
        let used: usize = named.iter().map(|&node| self.nodes[node].bytes.len()).sum();
        capacity.saturating_sub(used as u64)
    }

    pub(super) fn open(&mut self, path: &str, mode: OpenMode) -> FileResult<NodeId> {
        let makes = matches!(mode, OpenMode::Create | OpenMode::CreateNew) && !self.names.contains_key(path);
        self.call(path, if makes { Needs::Space } else { Needs::Nothing })?;
        if self.is_directory(path) {
            return Err(failed(FileErrorKind::Other, path, "is a directory"));
        }
        if !makes {
            if mode == OpenMode::CreateNew {
                return Err(failed(FileErrorKind::AlreadyExists, path, "is there already"));
            }
            return self.node(path);
        }
        self.check_directory(directory_of(path))?;
        let node = self.nodes.len();
        self.nodes.push(Node { bytes: Arc::default(), modified_ms: self.calls as u64 });
        self.names.insert(path.to_owned(), node);
        self.operations.push(Operation::Create { path: path.to_owned(), node });
        Ok(node)
    }

    pub(super) fn metadata(&mut self, path: &str) -> FileResult<Option<Metadata>> {
        self.call(path, Needs::Nothing)?;
        if self.is_directory(path) {
            return Ok(Some(Metadata { length: 0, modified_ms: 0, directory: true }));
        }
        Ok(self.names.get(path).map(|&node| {
            let Node { bytes, modified_ms } = &self.nodes[node];
            Metadata { length: bytes.len() as u64, modified_ms: *modified_ms, directory: false }
        }))
    }

    pub(super) fn list(&mut self, directory: &str) -> FileResult<Vec<String>> {
        self.call(directory, Needs::Nothing)?;
        self.check_directory(directory)?;
        let paths = self.names.keys().chain(&self.directories);
        let inside = paths.filter(|path| directory_of(path) == directory);
        Ok(inside.map(|path| path[directory.len() + 1..].to_owned()).collect())
    }

    pub(super) fn create_directory(&mut self, path: &str) -> FileResult<()> {
        self.call(path, Needs::Space)?;
        for end in path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]) {
            let path = &path[..end];
            if self.names.contains_key(path) {
                return Err(failed(FileErrorKind::AlreadyExists, path, "is a file"));
            }
            if !self.is_directory(path) {
                self.directories.insert(path.to_owned());
                self.operations.push(Operation::CreateDirectory { path: path.to_owned() });
            }
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> FileResult<()> {
        self.call(from, Needs::Space)?;
        let node = self.node(from)?;
        self.check_directory(directory_of(to))?;
        if self.is_directory(to) {
            return Err(failed(FileErrorKind::Other, to, "is a directory"));
        }
        if self.names.get(to) == Some(&node) {
            // POSIX: of two names of one file, none goes.
            return Ok(());
        }
        self.names.remove(from);
        self.names.insert(to.to_owned(), node);
        self.operations.push(Operation::Rename { from: from.to_owned(), to: to.to_owned(), node });
        Ok(())
    }

    pub(super) fn link(&mut self, from: &str, to: &str) -> FileResult<()> {
        self.call(to, Needs::Space)?;
        let node = self.node(from)?;
        self.check_directory(directory_of(to))?;
        if self.names.contains_key(to) || self.is_directory(to) {
            return Err(failed(FileErrorKind::AlreadyExists, to, "is there already"));
        }
        self.names.insert(to.to_owned(), node);
        self.operations.push(Operation::Link { to: to.to_owned(), node });
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) -> FileResult<()> {
        self.call(path, Needs::Nothing)?;
        let node = self.node(path)?;
        self.names.remove(path);
        self.operations.push(Operation::Remove { path: path.to_owned(), node });
        Ok(())
    }

    pub(super) fn sync_directory(&mut self, path: &str) -> FileResult<()> {
        self.call(path, Needs::Sync)?;
        self.check_directory(path)?;
        self.operations.push(Operation::SyncDirectory { path: path.to_owned() });
        Ok(())
    }

    pub(super) fn read(
        &mut self,
        node: NodeId,
        path: &str,
        buffer: &mut [u8],
        offset: u64,
    ) -> FileResult<usize> {
        self.call(path, Needs::Nothing)?;
        let bytes = &self.nodes[node].bytes;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let length = buffer.len().min(bytes.len() - start);
        buffer[..length].copy_from_slice(&bytes[start..start + length]);
        Ok(length)
    }

    pub(super) fn write(&mut self, node: NodeId, path: &str, bytes: &[u8], offset: u64) -> FileResult<()> {
        self.call(path, Needs::Space)?;
        let offset = position(path, offset)?;
        let end = position(path, (offset as u64).saturating_add(bytes.len() as u64))?;
        let growth = end.saturating_sub(self.nodes[node].bytes.len()) as u64;
        let missing = usize::try_from(growth.saturating_sub(self.space())).unwrap_or(usize::MAX);
        let fits = bytes.len().saturating_sub(missing);
        if fits > 0 || bytes.is_empty() {
            self.nodes[node].modified_ms = self.calls as u64;
            write(Arc::make_mut(&mut self.nodes[node].bytes), &bytes[..fits], offset);
            self.operations.push(Operation::Write { node, offset, bytes: bytes[..fits].to_vec() });
        }
        if fits < bytes.len() {
            return Err(failed(FileErrorKind::NoSpace, path, "no space left"));
        }
        Ok(())
    }

    pub(super) fn set_length(&mut self, node: NodeId, path: &str, length: u64) -> FileResult<()> {
        let now = self.nodes[node].bytes.len() as u64;
        self.call(path, if length > now { Needs::Space } else { Needs::Nothing })?;
        if length.saturating_sub(now) > self.space() {
            return Err(failed(FileErrorKind::NoSpace, path, "no space left"));
        }
        let length = position(path, length)?;
        self.nodes[node].modified_ms = self.calls as u64;
        Arc::make_mut(&mut self.nodes[node].bytes).resize(length, 0);
        self.operations.push(Operation::SetLength { node, length });
        Ok(())
    }

    pub(super) fn sync(&mut self, node: NodeId, path: &str) -> FileResult<()> {
        let synced = self.call(path, Needs::Sync);
        self.operations.push(match synced {
            Ok(()) => Operation::Sync { node },
            Err(_) => Operation::SyncFailed { node },
        });
        synced
    }

    pub(super) fn length(&mut self, node: NodeId, path: &str) -> FileResult<u64> {
        self.call(path, Needs::Nothing)?;
        Ok(self.nodes[node].bytes.len() as u64)
    }
}

/// A position in a file that fits into memory.
fn position(path: &str, offset: u64) -> FileResult<usize> {
    const MOST: u64 = 1 << 32;
    if offset > MOST {
        return Err(failed(FileErrorKind::NoSpace, path, "is too large for a simulated disk"));
    }
    usize::try_from(offset).map_err(|_| failed(FileErrorKind::NoSpace, path, "is too large for this machine"))
}

/// Writes `bytes` at `offset`; what lies before and was not there is zero.
pub(super) fn write(file: &mut Vec<u8>, bytes: &[u8], offset: usize) {
    if bytes.is_empty() {
        return;
    }
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}
