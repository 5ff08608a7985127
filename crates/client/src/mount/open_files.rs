//! What programs have open.

use std::collections::BTreeMap;

use crate::handle::Handle;

/// At most so many files are open at once.
const MAX_OPEN: usize = 4_096;

/// One open file.
#[derive(Clone)]
pub(super) struct OpenFile {
    pub(super) inode: u64,
    /// Where it is the data.
    pub(super) data: Option<Handle>,
}

/// All of them, by the number that the kernel was given.
#[derive(Default)]
pub(super) struct OpenFiles {
    files: BTreeMap<u64, OpenFile>,
    next: u64,
}

impl OpenFiles {
    /// Its number; nothing when too many are open.
    pub(super) fn add(&mut self, file: OpenFile) -> Option<u64> {
        if self.files.len() >= MAX_OPEN {
            return None;
        }
        self.next += 1;
        self.files.insert(self.next, file);
        Some(self.next)
    }

    pub(super) fn get(&self, number: u64) -> Option<OpenFile> {
        self.files.get(&number).cloned()
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<OpenFile> {
        self.files.remove(&number)
    }

    pub(super) fn has(&self, inode: u64) -> bool {
        self.inodes().any(|open| open == inode)
    }

    pub(super) fn inodes(&self) -> impl Iterator<Item = u64> {
        self.files.values().map(|file| file.inode)
    }

    pub(super) fn handles(&self) -> Vec<Handle> {
        self.files
            .values()
            .filter_map(|file| file.data.clone())
            .collect()
    }
}
