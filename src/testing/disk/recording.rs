//! What was done to a disk, step by step.

use super::state::NodeId;

/// One step that changed a disk or made a change durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A file was made.
    Create { path: String, node: NodeId },
    /// A directory was made.
    CreateDirectory { path: String },
    /// Bytes were written.
    Write { node: NodeId, offset: usize, bytes: Vec<u8> },
    /// A file was cut, or grown with zeros.
    SetLength { node: NodeId, length: usize },
    /// A file was synced.
    Sync { node: NodeId },
    /// A file was to be synced, and that failed.
    SyncFailed { node: NodeId },
    /// A file was given another name.
    Rename { from: String, to: String, node: NodeId },
    /// A file was given a second name.
    Link { to: String, node: NodeId },
    /// A name was removed.
    Remove { path: String, node: NodeId },
    /// The names in a directory were synced.
    SyncDirectory { path: String },
}

/// Everything that was done to a disk since it was made.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// In their order.
    pub operations: Vec<Operation>,
}
