//! The loss of power: what of a recording is there afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::SimulatedDisk;
use super::recording::Operation;
use super::state::{Node, NodeId, State, directory_of, write};
use crate::testing::rng::SplitMix64;

/// What a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// More processes than a recording has.
const RUNS_OF_A_BOOT: usize = 1 << 20;

/// What becomes of that which was not synced.
#[derive(Debug, Clone)]
pub enum Loss {
    /// All of it is lost.
    Everything,
    /// None of it is lost.
    Nothing,
    /// Any part of it, as the seed decides.
    Seeded(u64),
}

/// A disk on its way through a recording, as a loss of power at each step would find it.
#[derive(Debug, Clone)]
pub struct Outage {
    files: Vec<Data>,
    names: BTreeMap<String, NodeId>,
    directories: BTreeSet<String>,
    /// Steps with names that were not synced, in their order.
    unsynced: Vec<Operation>,
    /// How many processes came before.
    runs: usize,
}

/// The data of one file.
#[derive(Debug, Clone, Default)]
struct Data {
    /// What is there in any case.
    durable: Arc<Vec<u8>>,
    /// Later writes, in their order.
    later: Vec<(Operation, Standing)>,
    /// The length that the running process sees.
    length: usize,
}

/// Whether a write will be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The next sync makes it durable.
    Unsynced,
    /// A sync of it failed, and no later one tells.
    Doubtful,
    /// It is durable, and lies over others that are in doubt.
    Durable,
}

impl Outage {
    /// At the beginning of the recording of `disk`, which has not been written to yet: an empty one, or
    /// one that [`restart`](Self::restart) or [`SimulatedDisk::copy`] gave. What is there is durable.
    #[must_use]
    pub fn at_the_beginning_of(disk: &SimulatedDisk) -> Self {
        let state = disk.state();
        assert!(state.operations.is_empty(), "what was written before is not known to be durable");
        let data = |node: &Node| Data {
            durable: Arc::clone(&node.bytes),
            length: node.bytes.len(),
            ..Data::default()
        };
        Self {
            files: state.nodes.iter().map(data).collect(),
            names: state.names.clone(),
            directories: state.directories.clone(),
            unsynced: Vec::new(),
            runs: state.runs,
        }
    }

    /// Goes one step on.
    pub fn step(&mut self, operation: &Operation) {
        match operation {
            Operation::Create { node, .. } => {
                self.files.resize_with(self.files.len().max(node + 1), Data::default);
                self.unsynced.push(operation.clone());
            }
            Operation::CreateDirectory { .. }
            | Operation::Rename { .. }
            | Operation::Link { .. }
            | Operation::Remove { .. } => self.unsynced.push(operation.clone()),
            Operation::Write { node, offset, bytes } => {
                let file = &mut self.files[*node];
                if !bytes.is_empty() {
                    file.length = file.length.max(offset + bytes.len());
                }
                file.later.push((operation.clone(), Standing::Unsynced));
            }
            Operation::SetLength { node, length } => {
                let file = &mut self.files[*node];
                file.length = *length;
                file.later.push((operation.clone(), Standing::Unsynced));
            }
            Operation::Sync { node } => self.files[*node].sync(),
            Operation::SyncFailed { node } => {
                self.files[*node].settle(Standing::Doubtful);
            }
            Operation::SyncDirectory { path } => self.sync_directory(path),
        }
    }

    fn sync_directory(&mut self, directory: &str) {
        let (synced, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.unsynced)
            .into_iter()
            .partition(|operation| directory_of(name_of(operation)) == directory);
        self.unsynced = left;
        for operation in synced {
            self.apply_name(&operation);
        }
    }

    fn apply_name(&mut self, operation: &Operation) {
        match operation {
            Operation::CreateDirectory { path } => {
                self.directories.insert(path.clone());
            }
            Operation::Create { path: to, node } | Operation::Link { to, node } => {
                self.names.insert(to.clone(), *node);
            }
            Operation::Rename { from, to, node } => {
                if self.names.get(from) == Some(node) {
                    self.names.remove(from);
                }
                self.names.insert(to.clone(), *node);
            }
            Operation::Remove { path, node } => {
                if self.names.get(path) == Some(node) {
                    self.names.remove(path);
                }
            }
            Operation::Write { .. }
            | Operation::SetLength { .. }
            | Operation::Sync { .. }
            | Operation::SyncFailed { .. }
            | Operation::SyncDirectory { .. } => {}
        }
    }

    /// Whether everything was synced, so that a loss of power leaves the same whatever the seed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.unsynced.is_empty() && self.files.iter().all(|file| file.later.is_empty())
    }

    /// The disk after the power went here and came back.
    #[must_use]
    pub fn restart(&self, loss: &Loss) -> SimulatedDisk {
        let mut fate = Fate::new(loss);
        let mut left = Self {
            files: Vec::new(),
            names: self.names.clone(),
            directories: self.directories.clone(),
            unsynced: Vec::new(),
            runs: self.runs,
        };
        for operation in &self.unsynced {
            if fate.survives() {
                left.apply_name(operation);
            }
        }
        let directories = &left.directories;
        let reachable = |path: &str| {
            std::iter::successors(Some(directory_of(path)), |path| Some(directory_of(path)))
                .take_while(|path| !path.is_empty())
                .all(|path| directories.contains(path))
        };
        left.names.retain(|path, _| reachable(path));
        let kept = left.directories.iter().filter(|path| reachable(path)).cloned().collect();
        let nodes = self.files.iter().map(|file| Node { bytes: file.after(&mut fate), modified_ms: 0 });
        SimulatedDisk::over(State {
            nodes: nodes.collect(),
            names: left.names,
            directories: kept,
            // The processes of before are dead, however many there were.
            runs: self.runs + RUNS_OF_A_BOOT,
            ..State::default()
        })
    }
}

/// The name that a step with names ends in.
fn name_of(operation: &Operation) -> &str {
    match operation {
        Operation::Create { path, .. }
        | Operation::CreateDirectory { path }
        | Operation::Remove { path, .. }
        | Operation::SyncDirectory { path } => path,
        Operation::Rename { to, .. } | Operation::Link { to, .. } => to,
        Operation::Write { .. }
        | Operation::SetLength { .. }
        | Operation::Sync { .. }
        | Operation::SyncFailed { .. } => "",
    }
}

impl Data {
    fn sync(&mut self) {
        self.settle(Standing::Durable);
        // Nothing lies below these that may yet turn out otherwise.
        let certain = self.later.iter().take_while(|(_, standing)| *standing == Standing::Durable).count();
        let bytes = Arc::make_mut(&mut self.durable);
        for (operation, _) in self.later.drain(..certain) {
            match operation {
                Operation::Write { offset, bytes: written, .. } => write(bytes, &written, offset),
                Operation::SetLength { length, .. } => bytes.resize(length, 0),
                _ => {}
            }
        }
    }

    fn settle(&mut self, settled: Standing) {
        for (_, standing) in &mut self.later {
            if *standing == Standing::Unsynced {
                *standing = settled;
            }
        }
    }

    fn after(&self, fate: &mut Fate) -> Arc<Vec<u8>> {
        if self.later.is_empty() {
            return Arc::clone(&self.durable);
        }
        let mut bytes = self.durable.to_vec();
        for (operation, standing) in &self.later {
            let certain = *standing == Standing::Durable;
            match operation {
                Operation::Write { offset, bytes: written, .. } if certain => {
                    write(&mut bytes, written, *offset)
                }
                Operation::Write { offset, bytes: written, .. } => fate.write(&mut bytes, written, *offset),
                Operation::SetLength { length, .. } if certain || fate.survives() => bytes.resize(*length, 0),
                _ => {}
            }
        }
        if bytes.len() < self.length && fate.survives() {
            bytes.resize(self.length, 0);
        }
        Arc::new(bytes)
    }
}

/// Decides what survives.
enum Fate {
    Fixed(bool),
    Seeded { rng: SplitMix64, sixteenths: usize },
}

impl Fate {
    fn new(loss: &Loss) -> Self {
        match loss {
            Loss::Everything => Self::Fixed(false),
            Loss::Nothing => Self::Fixed(true),
            Loss::Seeded(seed) => {
                let mut rng = SplitMix64::new(*seed);
                // From nearly nothing to nearly everything, so that rare survivors and rare losses
                // among many writes are met as well.
                let sixteenths = 1 + rng.below(15);
                Self::Seeded { rng, sixteenths }
            }
        }
    }

    fn survives(&mut self) -> bool {
        match self {
            Self::Fixed(survives) => *survives,
            Self::Seeded { rng, sixteenths } => rng.below(16) < *sixteenths,
        }
    }

    /// Applies all of a write, nothing, or some of its sectors.
    fn write(&mut self, file: &mut Vec<u8>, bytes: &[u8], offset: usize) {
        let torn = match self {
            Self::Fixed(_) => false,
            Self::Seeded { rng, .. } => rng.below(4) == 0,
        };
        if !torn {
            if self.survives() {
                write(file, bytes, offset);
            }
            return;
        }
        let mut start = 0;
        while start < bytes.len() {
            let end = bytes.len().min(start + SECTOR_BYTES - (offset + start) % SECTOR_BYTES);
            if self.survives() {
                write(file, &bytes[start..end], offset + start);
            }
            start = end;
        }
    }
}
