//! Files that programs make beside the data. They hold what was written or duplicated into them, in memory only.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::agent::{DATA_FILE, MAX_CONTENT_BYTES};

/// At most so many second files.
pub(super) const MAX_FILES: usize = 256;
/// Inode of the data.
pub(super) const DATA: u64 = 2;

/// All files of the folder by their inodes. The data's content is the agent's.
pub(super) struct SecondFiles {
    data_name: OsString,
    files: BTreeMap<u64, SecondFile>,
    next: u64,
    wiped: bool,
}

struct SecondFile {
    name: OsString,
    content: Zeroizing<Vec<u8>>,
}

/// Why a file cannot be made, renamed or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Exists,
    TooMany,
    TooLong,
    NotThere,
    Wiped,
}

pub(super) fn locked(files: &Mutex<SecondFiles>) -> MutexGuard<'_, SecondFiles> {
    // A panic while it was held leaves a file half written, as a crash of the writing program would.
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SecondFiles {
    pub(super) const fn new(data_name: OsString) -> Self {
        Self {
            data_name,
            files: BTreeMap::new(),
            next: DATA + 1,
            wiped: false,
        }
    }

    /// Of a folder in which the data has its usual name.
    pub(super) fn beside_the_data() -> Self {
        Self::new(DATA_FILE.into())
    }

    /// Inode of the file called `name`.
    pub(super) fn find(&self, name: &OsStr) -> Option<u64> {
        if name == self.data_name {
            return Some(DATA);
        }
        self.files
            .iter()
            .find(|(_, file)| file.name == name)
            .map(|(inode, _)| *inode)
    }

    /// Inodes and names of the second files.
    pub(super) fn names(&self) -> impl Iterator<Item = (u64, &OsStr)> {
        self.files
            .iter()
            .map(|(inode, file)| (*inode, file.name.as_os_str()))
    }

    pub(super) fn data_name(&self) -> &OsStr {
        &self.data_name
    }

    pub(super) fn length(&self, inode: u64) -> Option<u64> {
        self.files.get(&inode).map(|file| file.content.len() as u64)
    }

    /// Makes a file; its inode.
    pub(super) fn create(
        &mut self,
        name: &OsStr,
        content: Zeroizing<Vec<u8>>,
    ) -> Result<u64, Refused> {
        if self.wiped {
            return Err(Refused::Wiped);
        }
        if self.find(name).is_some() {
            return Err(Refused::Exists);
        }
        if self.files.len() >= MAX_FILES {
            return Err(Refused::TooMany);
        }
        let inode = self.next;
        self.next += 1;
        self.files.insert(
            inode,
            SecondFile {
                name: name.to_owned(),
                content,
            },
        );
        Ok(inode)
    }

    pub(super) fn read(&self, inode: u64, offset: u64, length: u64) -> Option<Zeroizing<Vec<u8>>> {
        let content = &self.files.get(&inode)?.content;
        let begin = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(content.len());
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let end = begin.saturating_add(length).min(content.len());
        Some(Zeroizing::new(content[begin..end].to_vec()))
    }

    /// Writes as to a file: what lies between the end and `offset` becomes zeros.
    pub(super) fn write(&mut self, inode: u64, offset: u64, bytes: &[u8]) -> Result<(), Refused> {
        let end = self.room_for(offset.saturating_add(bytes.len() as u64))?;
        let begin = end - bytes.len();
        let content = &mut self.files.get_mut(&inode).ok_or(Refused::NotThere)?.content;
        if begin > content.len() {
            crate::agent::resize(content, begin);
        }
        crate::agent::write_at(content, begin, bytes);
        Ok(())
    }

    pub(super) fn truncate(&mut self, inode: u64, length: u64) -> Result<(), Refused> {
        let length = self.room_for(length)?;
        let content = &mut self.files.get_mut(&inode).ok_or(Refused::NotThere)?.content;
        crate::agent::resize(content, length);
        Ok(())
    }

    /// Gives a file another name, the data as well. Nothing is ever replaced.
    pub(super) fn rename(&mut self, inode: u64, name: &OsStr) -> Result<(), Refused> {
        if self.find(name).is_some_and(|other| other != inode) {
            return Err(Refused::Exists);
        }
        if inode == DATA {
            name.clone_into(&mut self.data_name);
            return Ok(());
        }
        let file = self.files.get_mut(&inode).ok_or(Refused::NotThere)?;
        name.clone_into(&mut file.name);
        Ok(())
    }

    pub(super) fn remove(&mut self, inode: u64) -> Result<(), Refused> {
        self.files.remove(&inode).map(drop).ok_or(Refused::NotThere)
    }

    /// Wipes all of them; no more can be made. Their inodes.
    pub(super) fn wipe(&mut self) -> Vec<u64> {
        self.wiped = true;
        std::mem::take(&mut self.files).into_keys().collect()
    }

    fn room_for(&self, end: u64) -> Result<usize, Refused> {
        if self.wiped {
            return Err(Refused::Wiped);
        }
        if end > MAX_CONTENT_BYTES {
            return Err(Refused::TooLong);
        }
        usize::try_from(end).map_err(|_| Refused::TooLong)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_unique_and_nothing_is_replaced() {
        let mut files = SecondFiles::beside_the_data();
        let second = files.create("b".as_ref(), Zeroizing::default()).unwrap();
        assert_eq!(
            files.create("b".as_ref(), Zeroizing::default()),
            Err(Refused::Exists)
        );
        assert_eq!(
            files.create(DATA_FILE.as_ref(), Zeroizing::default()),
            Err(Refused::Exists)
        );
        assert_eq!(files.rename(DATA, "b".as_ref()), Err(Refused::Exists));
        assert_eq!(
            files.rename(second, DATA_FILE.as_ref()),
            Err(Refused::Exists)
        );
        files.rename(DATA, "c".as_ref()).unwrap();
        assert_eq!(
            (files.find("c".as_ref()), files.find(DATA_FILE.as_ref())),
            (Some(DATA), None)
        );
        files.remove(second).unwrap();
        assert_eq!(files.remove(second), Err(Refused::NotThere));
    }

    #[test]
    fn writing_behind_the_end_fills_with_zeros() {
        let mut files = SecondFiles::beside_the_data();
        let second = files.create("b".as_ref(), Zeroizing::default()).unwrap();
        files.write(second, 3, b"xy").unwrap();
        assert_eq!(files.read(second, 0, 99).unwrap().as_slice(), b"\0\0\0xy");
        files.truncate(second, 4).unwrap();
        assert_eq!(files.read(second, 2, 99).unwrap().as_slice(), b"\0x");
        assert_eq!(files.read(second, 99, 1).unwrap().as_slice(), b"");
        assert_eq!(files.write(second, u64::MAX, b"x"), Err(Refused::TooLong));
        assert_eq!(files.truncate(second, u64::MAX), Err(Refused::TooLong));
    }

    #[test]
    fn after_the_wipe_nothing_is_left_and_nothing_can_be_made() {
        let mut files = SecondFiles::beside_the_data();
        let second = files
            .create("b".as_ref(), Zeroizing::new(b"secret".to_vec()))
            .unwrap();
        files.wipe();
        assert!(files.read(second, 0, 9).is_none());
        assert_eq!(
            files.create("b".as_ref(), Zeroizing::default()),
            Err(Refused::Wiped)
        );
        assert_eq!(files.write(second, 0, b"x"), Err(Refused::Wiped));
    }

    #[test]
    fn files_are_counted() {
        let mut files = SecondFiles::beside_the_data();
        for number in 0..MAX_FILES {
            files
                .create(number.to_string().as_ref(), Zeroizing::default())
                .unwrap();
        }
        assert_eq!(
            files.create("x".as_ref(), Zeroizing::default()),
            Err(Refused::TooMany)
        );
    }
}
