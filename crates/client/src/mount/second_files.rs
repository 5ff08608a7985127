//! Files that programs make beside the data. They hold what was written or duplicated into them, in memory only.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::agent::{DATA_FILE, MAX_CONTENT_BYTES};
use crate::hidden::{Hidden, Keeper};

/// At most so many second files.
pub(super) const MAX_FILES: usize = 256;
/// Inode of the data.
pub(super) const DATA: u64 = 2;

/// All files of the folder by their inodes. The data's content is the agent's.
pub(super) struct SecondFiles {
    data_name: OsString,
    /// From the first file on.
    keeper: Option<Arc<Keeper>>,
    files: BTreeMap<u64, SecondFile>,
    next: u64,
    wiped: bool,
}

struct SecondFile {
    /// Nothing once it is unlinked: it stays for those who have it open.
    name: Option<OsString>,
    content: Hidden,
    modified: SystemTime,
    /// Counts the writes.
    version: u64,
    rows: Rows,
}

/// Whether a file has rows of the data (SPEC §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// It has none.
    None,
    /// It was written to since it was last looked at.
    Unknown,
    /// It has, since this time after boot, and is given to nobody: it may yet become the data.
    Held(Duration),
    /// It has, and that is judged.
    Judged,
}

/// Why a file cannot be made, renamed or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Exists,
    TooMany,
    TooLong,
    NotThere,
    Wiped,
    /// Too little memory can be locked for a key.
    NoMemory,
}

pub(super) fn locked(files: &Mutex<SecondFiles>) -> MutexGuard<'_, SecondFiles> {
    // A panic while it was held leaves a file half written, as a crash of the writing program would.
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SecondFiles {
    /// Of a folder in which the data has its usual name.
    pub(super) fn beside_the_data() -> Self {
        Self {
            data_name: DATA_FILE.into(),
            keeper: None,
            files: BTreeMap::new(),
            next: DATA + 1,
            wiped: false,
        }
    }

    /// Inode of the file called `name`.
    pub(super) fn find(&self, name: &OsStr) -> Option<u64> {
        if name == self.data_name {
            return Some(DATA);
        }
        self.names()
            .find(|(_, other)| *other == name)
            .map(|(inode, _)| inode)
    }

    /// Inodes and names of the second files.
    pub(super) fn names(&self) -> impl Iterator<Item = (u64, &OsStr)> {
        self.files
            .iter()
            .filter_map(|(inode, file)| Some((*inode, file.name.as_deref()?)))
    }

    /// Name of any file, as it was last.
    pub(super) fn name(&self, inode: u64) -> OsString {
        match self.files.get(&inode) {
            Some(file) => file.name.clone().unwrap_or_default(),
            None => self.data_name.clone(),
        }
    }

    pub(super) fn data_name(&self) -> &OsStr {
        &self.data_name
    }

    /// Length and time of the last change.
    pub(super) fn look(&self, inode: u64) -> Option<(u64, SystemTime)> {
        let file = self.files.get(&inode)?;
        Some((file.content.length(), file.modified))
    }

    /// Makes a file; its inode.
    pub(super) fn create(&mut self, name: &OsStr) -> Result<u64, Refused> {
        if self.wiped {
            return Err(Refused::Wiped);
        }
        if self.find(name).is_some() {
            return Err(Refused::Exists);
        }
        if self.files.len() >= MAX_FILES {
            return Err(Refused::TooMany);
        }
        let content = self.keeper()?.file();
        let inode = self.next;
        self.next += 1;
        let file = SecondFile {
            name: Some(name.to_owned()),
            content,
            modified: SystemTime::now(),
            version: 0,
            rows: Rows::None,
        };
        self.files.insert(inode, file);
        Ok(inode)
    }

    fn keeper(&mut self) -> Result<&Arc<Keeper>, Refused> {
        if self.keeper.is_none() {
            self.keeper = Some(Keeper::new().map_err(|_| Refused::NoMemory)?);
        }
        self.keeper.as_ref().ok_or(Refused::NoMemory)
    }

    pub(super) fn read(&self, inode: u64, offset: u64, length: u64) -> Option<Zeroizing<Vec<u8>>> {
        let content = &self.files.get(&inode)?.content;
        content.read_at(offset, length).ok()
    }

    /// Writes as to a file: what lies between the end and `offset` becomes zeros.
    pub(super) fn write(&mut self, inode: u64, offset: u64, bytes: &[u8]) -> Result<(), Refused> {
        self.room_for(offset.saturating_add(bytes.len() as u64))?;
        let written = self.written(inode)?.content.write_at(offset, bytes);
        written.map_err(|_| Refused::NoMemory)
    }

    pub(super) fn truncate(&mut self, inode: u64, length: u64) -> Result<(), Refused> {
        self.room_for(length)?;
        let file = self.written(inode)?;
        let done = file.content.set_length(length);
        done.map_err(|_| Refused::NoMemory)?;
        if length == 0 {
            file.rows = Rows::None;
        }
        Ok(())
    }

    fn written(&mut self, inode: u64) -> Result<&mut SecondFile, Refused> {
        let file = self.files.get_mut(&inode).ok_or(Refused::NotThere)?;
        file.modified = SystemTime::now();
        file.version += 1;
        if file.rows == Rows::None {
            file.rows = Rows::Unknown;
        }
        Ok(file)
    }

    /// Takes a program's word for the time of the last change.
    pub(super) fn set_modified(&mut self, inode: u64, modified: SystemTime) {
        if let Some(file) = self.files.get_mut(&inode) {
            file.modified = modified;
        }
    }

    /// Whether it has rows of the data, as of which write.
    pub(super) fn rows(&self, inode: u64) -> Option<(Rows, u64)> {
        let file = self.files.get(&inode)?;
        Some((file.rows, file.version))
    }

    /// Notes whether it has, unless it was written to since `version`.
    pub(super) fn set_rows(&mut self, inode: u64, version: u64, rows: Rows) {
        if let Some(file) = self.files.get_mut(&inode)
            && (file.version == version || rows == Rows::Judged)
        {
            file.rows = rows;
        }
    }

    /// Those that have to be looked at.
    pub(super) fn unjudged(&self) -> Vec<u64> {
        let unjudged = |file: &SecondFile| matches!(file.rows, Rows::Unknown | Rows::Held(_));
        self.files
            .iter()
            .filter(|(_, file)| unjudged(file))
            .map(|(inode, _)| *inode)
            .collect()
    }

    /// Gives a file another name, the data as well. The second file that had it is unlinked.
    pub(super) fn rename(&mut self, inode: u64, name: &OsStr) -> Result<(), Refused> {
        match self.find(name) {
            Some(same) if same == inode => return Ok(()),
            Some(DATA) => return Err(Refused::Exists),
            Some(other) => self.unlink(other)?,
            None => {}
        }
        if inode == DATA {
            name.clone_into(&mut self.data_name);
            return Ok(());
        }
        let file = self.files.get_mut(&inode).ok_or(Refused::NotThere)?;
        file.name = Some(name.to_owned());
        Ok(())
    }

    /// Takes a file's name away.
    pub(super) fn unlink(&mut self, inode: u64) -> Result<(), Refused> {
        let file = self.files.get_mut(&inode).ok_or(Refused::NotThere)?;
        file.name = None;
        Ok(())
    }

    /// Removes a file that has no name and that nobody has open.
    pub(super) fn forget_nameless(&mut self, inode: u64) {
        if self
            .files
            .get(&inode)
            .is_some_and(|file| file.name.is_none())
        {
            self.files.remove(&inode);
        }
    }

    /// Removes a file and gives out what it held.
    pub(super) fn take(&mut self, inode: u64) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let file = self.files.remove(&inode).ok_or(Refused::NotThere)?;
        let content = file.content.read_at(0, u64::MAX);
        content.map_err(|_| Refused::NoMemory)
    }

    /// Wipes all of them; no more can be made. Their inodes.
    pub(super) fn wipe(&mut self) -> Vec<u64> {
        self.wiped = true;
        std::mem::take(&mut self.files).into_keys().collect()
    }

    fn room_for(&self, end: u64) -> Result<(), Refused> {
        if self.wiped {
            return Err(Refused::Wiped);
        }
        if end > MAX_CONTENT_BYTES {
            return Err(Refused::TooLong);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
