//! Which files there are, and what blocks say of them: 64 bytes of memory for each, and as many again while the list grows. Paths and blocks lie in a temporary file
//! without a name, written once each and gone with the audit, so that a million files fit beside a million blocks.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use medshare_protocol::id::PackageId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::FileKind;
use crate::audit::AuditError;

/// A place in the temporary file.
type Place = u64;

/// A file.
#[derive(Clone, Copy, Debug)]
struct Entry {
    package: PackageId,
    kind: FileKind,
    path: Place,
    block: Option<Place>,
}

/// All files, by package and kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    entries: Vec<Entry>,
    aside: Aside,
}

impl Index {
    pub(super) fn add(
        &mut self,
        path: &Path,
        package: PackageId,
        kind: FileKind,
    ) -> Result<(), AuditError> {
        let path = self.aside.append(path.as_os_str().as_bytes())?;
        let block = None;
        self.entries.push(Entry {
            package,
            kind,
            path,
            block,
        });
        Ok(())
    }

    /// To be called when all are there.
    pub(super) fn sort(&mut self) {
        let key = |entry: &Entry| (entry.package, entry.kind, entry.path);
        self.entries.sort_unstable_by_key(key);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn has(&self, package: PackageId, kind: FileKind) -> bool {
        !self.range(package, kind).is_empty()
    }

    fn range(&self, package: PackageId, kind: FileKind) -> Range<usize> {
        let wanted = (package, kind);
        let key = |entry: &Entry| (entry.package, entry.kind);
        let start = self.entries.partition_point(|entry| key(entry) < wanted);
        let behind = self.entries[start..].partition_point(|entry| key(entry) == wanted);
        start..start + behind
    }

    /// Says which block commits to the files of this package and these kinds. The first one counts.
    pub(super) fn commit(
        &mut self,
        package: PackageId,
        kinds: &[FileKind],
        block: &impl Serialize,
    ) -> Result<(), AuditError> {
        let mut place = None;
        for kind in kinds {
            for index in self.range(package, *kind) {
                if self.entries[index].block.is_some() {
                    continue;
                }
                let written = match place {
                    Some(written) => written,
                    None => self.aside.append(&encoded(block)?)?,
                };
                place = Some(written);
                self.entries[index].block = place;
            }
        }
        Ok(())
    }

    /// Package, kind and path of each file, in order, and what to ask for its block.
    pub(super) fn files(
        &self,
    ) -> impl Iterator<Item = Result<(PackageId, FileKind, PathBuf, Option<Place>), AuditError>>
    {
        self.entries.iter().map(|entry| {
            let path = OsString::from_vec(self.aside.read(entry.path)?);
            Ok((entry.package, entry.kind, path.into(), entry.block))
        })
    }

    pub(super) fn block<B: DeserializeOwned>(&self, place: Place) -> Result<B, AuditError> {
        postcard::from_bytes(&self.aside.read(place)?).map_err(lost)
    }
}

fn encoded(block: &impl Serialize) -> Result<Vec<u8>, AuditError> {
    postcard::to_allocvec(block).map_err(lost)
}

fn lost(error: postcard::Error) -> AuditError {
    AuditError::Aside(io::Error::other(error))
}

/// A temporary file that only grows: lengths (u32, little-endian), each with so many bytes behind it.
#[derive(Clone, Debug, Default)]
struct Aside {
    file: Option<Arc<File>>,
    end: Place,
}

impl Aside {
    fn append(&mut self, bytes: &[u8]) -> Result<Place, AuditError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => Arc::new(tempfile::tempfile().map_err(AuditError::Aside)?),
        };
        let file = self.file.insert(file);
        let length = u32::try_from(bytes.len())
            .map_err(|error| AuditError::Aside(io::Error::other(error)))?;
        let written = [&length.to_le_bytes(), bytes].concat();
        file.write_all_at(&written, self.end)
            .map_err(AuditError::Aside)?;
        let place = self.end;
        self.end += written.len() as u64;
        Ok(place)
    }

    fn read(&self, place: Place) -> Result<Vec<u8>, AuditError> {
        let read = || {
            let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
            let mut length = [0; 4];
            file.read_exact_at(&mut length, place)?;
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            file.read_exact_at(&mut bytes, place + 4)?;
            Ok(bytes)
        };
        read().map_err(AuditError::Aside)
    }
}
