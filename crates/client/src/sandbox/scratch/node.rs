//! What a folder in memory is made of.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::hidden::Hidden;

use super::tree::{MAX_DEPTH, MAX_NODES, MAX_OUTPUT_BYTES};

/// Why something cannot be done, as programs know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Trouble {
    #[error("it is there already")]
    Exists,
    #[error("it is not there")]
    NotThere,
    #[error("it is no folder")]
    NoFolder,
    #[error("it is a folder")]
    Folder,
    #[error("the folder is not empty")]
    NotEmpty,
    #[error("a folder that is not empty keeps its place")]
    Elsewhere,
    #[error(
        "the output has more than {MAX_OUTPUT_BYTES} bytes, {MAX_NODES} files or {MAX_DEPTH} folders in one another"
    )]
    Full,
    #[error("memory has changed, or the system gives no randomness")]
    Lost,
    #[error("it is open to the sandbox's own processes alone")]
    Forbidden,
}

/// A file or a folder.
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) parent: u64,
    /// Whether a name leads here; without one it stays only as long as the kernel holds it.
    pub(super) named: bool,
    /// How often the kernel was told of it (FUSE's `nlookup`).
    pub(super) held: u64,
}

pub(super) enum Kind {
    File { content: Hidden, executable: bool },
    Folder(BTreeMap<OsString, u64>),
}

/// What the kernel wants to know of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Look {
    pub(in crate::sandbox) inode: u64,
    pub(in crate::sandbox) folder: bool,
    pub(in crate::sandbox) length: u64,
    pub(in crate::sandbox) executable: bool,
}

impl Node {
    pub(super) const fn new(kind: Kind, parent: u64) -> Self {
        Self {
            kind,
            parent,
            named: true,
            held: 0,
        }
    }
}
