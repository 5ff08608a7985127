//! Folders and files in memory, by their inodes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use std::sync::Arc;

use zeroize::Zeroizing;

use super::node::{Kind, Look, Node, Trouble};
use crate::hidden::{Hidden, Keeper};

/// At most so many bytes in all files of one folder together. They are held in memory.
pub const MAX_OUTPUT_BYTES: u64 = 256 * 1024 * 1024;
/// At most so many files and folders.
pub(in crate::sandbox) const MAX_NODES: usize = 4_096;
/// Folders in folders: names of 255 bytes and the folder that they are handed out into stay below the kernel's PATH_MAX.
pub(super) const MAX_DEPTH: usize = 12;
/// Inode of the folder itself.
pub(in crate::sandbox) const ROOT: u64 = 1;

/// All of it.
pub(in crate::sandbox) struct Tree {
    keeper: Arc<Keeper>,
    nodes: BTreeMap<u64, Node>,
    next: u64,
    bytes: u64,
    closed: bool,
}

impl Tree {
    pub(super) fn new(keeper: Arc<Keeper>) -> Self {
        let root = Node::new(Kind::Folder(BTreeMap::new()), ROOT);
        Self {
            keeper,
            nodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT + 1,
            bytes: 0,
            closed: false,
        }
    }

    pub(super) fn look(&self, inode: u64) -> Result<Look, Trouble> {
        let node = self.nodes.get(&inode).ok_or(Trouble::NotThere)?;
        Ok(match &node.kind {
            Kind::Folder(_) => Look {
                inode,
                folder: true,
                length: 0,
                executable: true,
            },
            Kind::File {
                content,
                executable,
            } => Look {
                inode,
                folder: false,
                length: content.length(),
                executable: *executable,
            },
        })
    }

    pub(in crate::sandbox) fn find(&self, folder: u64, name: &OsStr) -> Result<u64, Trouble> {
        self.entries(folder)?
            .get(name)
            .copied()
            .ok_or(Trouble::NotThere)
    }

    pub(super) fn parent(&self, inode: u64) -> u64 {
        self.nodes.get(&inode).map_or(ROOT, |node| node.parent)
    }

    /// Names and inodes in a folder, in order.
    pub(super) fn entries(&self, folder: u64) -> Result<&BTreeMap<OsString, u64>, Trouble> {
        match self.nodes.get(&folder).map(|node| &node.kind) {
            Some(Kind::Folder(entries)) => Ok(entries),
            Some(Kind::File { .. }) => Err(Trouble::NoFolder),
            None => Err(Trouble::NotThere),
        }
    }

    /// Makes an empty file or folder.
    pub(in crate::sandbox) fn create(
        &mut self,
        folder: u64,
        name: &OsStr,
        is_folder: bool,
    ) -> Result<u64, Trouble> {
        let kind = match is_folder {
            true => Kind::Folder(BTreeMap::new()),
            false => Kind::File {
                content: self.keeper.file(),
                executable: false,
            },
        };
        if self.entries(folder)?.contains_key(name) {
            return Err(Trouble::Exists);
        }
        if self.closed || self.nodes.len() >= MAX_NODES || self.depth(folder) >= MAX_DEPTH {
            return Err(Trouble::Full);
        }
        let inode = self.next;
        self.next += 1;
        self.nodes.insert(inode, Node::new(kind, folder));
        self.entries_mut(folder)?.insert(name.to_owned(), inode);
        Ok(inode)
    }

    pub(in crate::sandbox) fn read(
        &self,
        inode: u64,
        offset: u64,
        length: u64,
    ) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let content = self.content(inode)?;
        content.read_at(offset, length).map_err(|_| Trouble::Lost)
    }

    /// The whole of a file.
    pub(in crate::sandbox) fn content(&self, inode: u64) -> Result<&Hidden, Trouble> {
        match self.nodes.get(&inode).map(|node| &node.kind) {
            Some(Kind::File { content, .. }) => Ok(content),
            Some(Kind::Folder(_)) => Err(Trouble::Folder),
            None => Err(Trouble::NotThere),
        }
    }

    /// Writes as to a file: what lies between its end and `offset` becomes zeros.
    pub(in crate::sandbox) fn write(
        &mut self,
        inode: u64,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        let end = offset.saturating_add(bytes.len() as u64);
        if self.closed {
            return Err(Trouble::Full);
        }
        if end > self.look(inode)?.length {
            self.set_length(inode, end)?;
        }
        let content = self.content_mut(inode)?;
        content.write_at(offset, bytes).map_err(|_| Trouble::Lost)
    }

    pub(super) fn set_length(&mut self, inode: u64, length: u64) -> Result<(), Trouble> {
        let before = self.look(inode)?.length;
        let bytes = (self.bytes - before).saturating_add(length);
        if self.closed || bytes > MAX_OUTPUT_BYTES {
            return Err(Trouble::Full);
        }
        let content = self.content_mut(inode)?;
        content.set_length(length).map_err(|_| Trouble::Lost)?;
        self.bytes = bytes;
        Ok(())
    }

    pub(super) fn set_executable(&mut self, inode: u64, to: bool) {
        if let Some(Kind::File { executable, .. }) =
            self.nodes.get_mut(&inode).map(|node| &mut node.kind)
        {
            *executable = to;
        }
    }

    /// Takes a name away, of a file or of an empty folder.
    pub(super) fn remove(
        &mut self,
        folder: u64,
        name: &OsStr,
        is_folder: bool,
    ) -> Result<(), Trouble> {
        let inode = self.find(folder, name)?;
        match (self.look(inode)?.folder, is_folder) {
            (true, false) => return Err(Trouble::Folder),
            (false, true) => return Err(Trouble::NoFolder),
            (true, true) if !self.entries(inode)?.is_empty() => return Err(Trouble::NotEmpty),
            _ => {}
        }
        self.entries_mut(folder)?.remove(name);
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.named = false;
        }
        self.drop_unheld(inode);
        Ok(())
    }

    /// Gives another name, and another folder; what has that name goes, where rename(2) says so.
    pub(super) fn rename(
        &mut self,
        from: (u64, &OsStr),
        to: (u64, &OsStr),
        replace: bool,
    ) -> Result<(), Trouble> {
        let inode = self.find(from.0, from.1)?;
        let is_folder = self.look(inode)?.folder;
        self.entries(to.0)?;
        // A folder that holds something keeps its place, so that no path grows beyond its limit: `mv` then copies.
        if is_folder && from.0 != to.0 && !self.entries(inode)?.is_empty() {
            return Err(Trouble::Elsewhere);
        }
        match self.find(to.0, to.1) {
            Ok(other) if other == inode => return Ok(()),
            Ok(_) if !replace => return Err(Trouble::Exists),
            Ok(_) => self.remove(to.0, to.1, is_folder)?,
            Err(_) => {}
        }
        self.entries_mut(from.0)?.remove(from.1);
        self.entries_mut(to.0)?.insert(to.1.to_owned(), inode);
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.parent = to.0;
        }
        Ok(())
    }

    /// The kernel was told of it once more.
    pub(super) fn hold(&mut self, inode: u64) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.held += 1;
        }
    }

    /// The kernel forgot it so often.
    pub(super) fn forget(&mut self, inode: u64, times: u64) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.held = node.held.saturating_sub(times);
        }
        self.drop_unheld(inode);
    }

    /// All files with their paths, in order.
    pub(in crate::sandbox) fn files(&self) -> Vec<(PathBuf, u64)> {
        let mut found = Vec::new();
        let mut waiting = vec![(PathBuf::new(), ROOT)];
        while let Some((path, inode)) = waiting.pop() {
            match self.entries(inode) {
                Ok(entries) => {
                    let below = |(name, inode): (&OsString, &u64)| (path.join(name), *inode);
                    waiting.extend(entries.iter().map(below));
                }
                Err(_) => found.push((path, inode)),
            }
        }
        found.sort();
        found
    }

    /// Nothing grows or is made any more.
    pub(in crate::sandbox) fn close(&mut self) {
        self.closed = true;
    }

    /// All of it goes.
    pub(super) fn wipe(&mut self) {
        *self = Self::new(Arc::clone(&self.keeper));
        self.close();
    }

    fn depth(&self, folder: u64) -> usize {
        let mut depth = 0;
        let mut inode = folder;
        while inode != ROOT && depth <= MAX_DEPTH {
            inode = self.parent(inode);
            depth += 1;
        }
        depth
    }

    fn drop_unheld(&mut self, inode: u64) {
        let gone = |node: &Node| !node.named && node.held == 0;
        if self.nodes.get(&inode).is_some_and(gone) {
            let length = self.look(inode).map_or(0, |look| look.length);
            self.bytes -= length;
            self.nodes.remove(&inode);
        }
    }

    fn entries_mut(&mut self, folder: u64) -> Result<&mut BTreeMap<OsString, u64>, Trouble> {
        match self.nodes.get_mut(&folder).map(|node| &mut node.kind) {
            Some(Kind::Folder(entries)) => Ok(entries),
            Some(Kind::File { .. }) => Err(Trouble::NoFolder),
            None => Err(Trouble::NotThere),
        }
    }

    fn content_mut(&mut self, inode: u64) -> Result<&mut Hidden, Trouble> {
        match self.nodes.get_mut(&inode).map(|node| &mut node.kind) {
            Some(Kind::File { content, .. }) => Ok(content),
            Some(Kind::Folder(_)) => Err(Trouble::Folder),
            None => Err(Trouble::NotThere),
        }
    }
}

/// A path that leads nowhere but into the folder: what the kernel hands over has no separators, and `.` and `..` are
/// its own.
pub(in crate::sandbox) fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    parts.all(|part| matches!(part, std::path::Component::Normal(_)))
}

#[cfg(test)]
mod tests;
