//! Files that blocks commit to (SPEC §3.1): containers, forms and sealed report bodies, checked without any key.
//!
//! A file is named after its package, or lies in a folder that is. What blocks say of files that are there is put aside while
//! the audit goes by; the files themselves are read in the end, piece by piece.

mod check;
mod index;

use std::fmt;
use std::fs::ReadDir;
use std::path::{Path, PathBuf};

use medshare_chain::{B256, PackageIssued};
use medshare_protocol::block::{ParentBody, SideBody};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{FormDigest, PackageId};
use medshare_protocol::usage::UsageContract;
use serde::{Deserialize, Serialize};

use super::report::{Anchorage, Subject};
use super::source::folder_error;
use super::{AuditError, AuditFault};
use index::Index;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `PACKAGE.mds`: the container.
    Container,
    /// `PACKAGE.form.json`: the finished form, a JSON array of its steps.
    Form,
    /// `PACKAGE-NUMBER.report`: the sealed body of the report with this number.
    ReportBody(u32),
}

impl FileKind {
    /// The kind of the faults of such files.
    #[must_use]
    pub const fn fault(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Form => "form",
            Self::ReportBody(_) => "report-body",
        }
    }
}

impl FileKind {
    /// The field of the block that commits to it.
    pub(super) const fn committed_by(self) -> &'static str {
        match self {
            Self::Container => "container hash",
            Self::Form => "form digest",
            Self::ReportBody(_) => "sealed report",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container => f.write_str("container"),
            Self::Form => f.write_str("form"),
            Self::ReportBody(number) => write!(f, "sealed body of report {number}"),
        }
    }
}

/// Where the block stands that commits to a file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Stand {
    pub chain: ChainName,
    pub height: u64,
    pub at: Anchorage,
}

/// What a package's parent block and its event say of container and form.
#[derive(Debug, Serialize, Deserialize)]
struct Parent {
    stand: Stand,
    /// As in a record (SPEC §1.2).
    body: Vec<u8>,
    usage: UsageContract,
    /// The form that the second node signed.
    validated: FormDigest,
}

/// What a side-block says of a report's sealed body.
#[derive(Debug, Serialize, Deserialize)]
struct Side {
    stand: Stand,
    sealed_report: B256,
}

/// What is wrong with a file.
#[derive(Debug)]
pub(super) struct FileFinding {
    pub subject: Subject,
    pub at: Option<Anchorage>,
    pub fault: AuditFault,
    pub path: PathBuf,
}

/// The files of a folder, and the blocks that commit to them as far as they were seen.
#[derive(Clone, Debug, Default)]
pub struct Files {
    folder: PathBuf,
    index: Index,
    /// What cannot be checked, and why; [`MAX_ODD`] at most.
    odd: Vec<(PathBuf, String)>,
    is_complete: bool,
}

/// So many files that cannot be checked are told; where there are more, the folder is another one.
const MAX_ODD: usize = 10_000;
/// Folders are looked into so far below the one that was named: each is open until those below it are read.
const MAX_DEPTH: usize = 64;
const TOO_DEEP: &str = "it lies too many folders deep, and is not looked into";

impl Files {
    /// All containers, forms and sealed report bodies in a folder and in those below it. What has such an ending and names no
    /// package, or is no file, and folders that cannot be read or lie more than 64 deep are told as faults.
    ///
    /// # Errors
    /// When the folder itself cannot be read, or more than 10,000 things in it cannot be checked.
    pub fn in_folder(folder: &Path) -> Result<Self, AuditError> {
        let folder = folder.to_owned();
        let mut files = Self {
            folder,
            ..Self::default()
        };
        let entries = std::fs::read_dir(&files.folder)
            .map_err(|error| folder_error(&files.folder, &error.to_string()))?;
        files.collect(entries, 0)?;
        files.index.sort();
        Ok(files)
    }

    /// The same, where every file has to be there that a block commits to: of each package the form, the sealed body of
    /// each report, and, unless the data was taken back, the container.
    #[must_use]
    pub fn complete(self) -> Self {
        let is_complete = true;
        Self {
            is_complete,
            ..self
        }
    }

    fn collect(&mut self, entries: ReadDir, depth: usize) -> Result<(), AuditError> {
        for entry in entries {
            let entry = entry.map_err(|error| folder_error(&self.folder, &error.to_string()))?;
            let path = entry.path();
            // Links to folders are not followed: a folder could be in itself.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if named(&path).is_some() {
                    self.put_aside(path.clone(), "it is no file".into())?;
                }
                match std::fs::read_dir(&path) {
                    Ok(_) if depth == MAX_DEPTH => self.put_aside(path, TOO_DEEP.into())?,
                    Ok(below) => self.collect(below, depth + 1)?,
                    Err(error) => self.put_aside(path, error.to_string())?,
                }
            } else if let Some(named) = named(&path) {
                match named.ok_or_else(|| NO_NAME.to_owned()) {
                    Err(reason) => self.put_aside(path, reason)?,
                    Ok((package, kind)) => match fault_of(&path) {
                        Some(reason) => self.put_aside(path, reason)?,
                        None => self.index.add(&path, package, kind)?,
                    },
                }
            }
        }
        Ok(())
    }

    fn put_aside(&mut self, path: PathBuf, reason: String) -> Result<(), AuditError> {
        if self.odd.len() == MAX_ODD {
            let reason = format!("more than {MAX_ODD} files in it cannot be checked: {reason}");
            return Err(folder_error(&path, &reason));
        }
        self.odd.push((path, reason));
        Ok(())
    }

    /// How many there are, with those that cannot be checked.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.comparable() + self.odd.len() as u64
    }

    /// How many can be compared with what a block says.
    pub(super) fn comparable(&self) -> u64 {
        self.index.len() as u64
    }

    /// Whether there is anything to say of them: files, or that all should be there.
    pub(super) fn are_asked_for(&self) -> bool {
        self.count() > 0 || self.is_complete
    }

    /// Where they are.
    pub(super) fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    /// Whether a file is missed: it is not there, though all should be.
    pub(super) fn misses(&self, package: PackageId, kind: FileKind) -> bool {
        self.is_complete && !self.index.has(package, kind)
    }

    /// A readable parent block comes by. The first one of a package counts.
    pub(super) fn parent(
        &mut self,
        stand: Stand,
        body: &ParentBody,
        issued: &PackageIssued,
    ) -> Result<(), AuditError> {
        let block = Parent {
            stand,
            body: body.to_bytes(),
            usage: issued.usage,
            validated: issued.form_digest,
        };
        let kinds = [FileKind::Container, FileKind::Form];
        self.index.commit(issued.package, &kinds, &block)
    }

    /// A readable side-block of `package` comes by.
    pub(super) fn side(
        &mut self,
        package: PackageId,
        stand: Stand,
        body: &SideBody,
    ) -> Result<(), AuditError> {
        let block = Side {
            stand,
            sealed_report: body.transaction.sealed_report,
        };
        let kind = FileKind::ReportBody(body.transaction.number);
        self.index.commit(package, &[kind], &block)
    }
}

const NO_NAME: &str =
    "its name names no package: PACKAGE.mds, PACKAGE.form.json and PACKAGE-NUMBER.report are read";

/// Why a file cannot be read: what is read from anything else, such as a pipe, may never end.
fn fault_of(path: &Path) -> Option<String> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => None,
        Ok(_) => Some("it is no file".into()),
        Err(error) => Some(error.to_string()),
    }
}

/// What a file is by its name: nothing when it is none of these, `Some(None)` when it is one and names no package.
fn named(path: &Path) -> Option<Option<(PackageId, FileKind)>> {
    let name = &path.file_name()?.to_string_lossy();
    let folder = || path.parent()?.file_name()?.to_str()?.parse().ok();
    let package = |stem: &str| stem.parse().ok().or_else(folder);
    if let Some(stem) = name.strip_suffix(".mds") {
        return Some(package(stem).map(|package| (package, FileKind::Container)));
    }
    if let Some(stem) = name.strip_suffix(".form.json") {
        return Some(package(stem).map(|package| (package, FileKind::Form)));
    }
    let stem = name.strip_suffix(".report")?;
    let (before, number) = stem.rsplit_once('-').unwrap_or(("", stem));
    // A number has one spelling, or two files would be of one report.
    let spelt = |parsed: &u32| parsed.to_string() == number;
    let body = number.parse().ok().filter(spelt).map(FileKind::ReportBody);
    Some(body.and_then(|kind| Some((package(before)?, kind))))
}
