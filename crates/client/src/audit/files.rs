//! Files that blocks commit to (SPEC §3.1): containers, forms and sealed report bodies, checked without any key.
//!
//! A file is named after its package, or lies in a folder that is. Only what is named by a file is remembered while the
//! audit goes by; the files themselves are read in the end, piece by piece.

mod check;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use medshare_chain::PackageIssued;
use medshare_protocol::block::{ParentBody, SideBody};
use medshare_protocol::id::PackageId;

use super::report::{Anchorage, Subject};
use super::source::folder_error;
use super::{AuditError, AuditFault};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container => f.write_str("container"),
            Self::Form => f.write_str("form"),
            Self::ReportBody(number) => write!(f, "sealed body of report {number}"),
        }
    }
}

/// A file to be checked.
#[derive(Clone, Debug)]
struct Found {
    path: PathBuf,
    package: PackageId,
    kind: FileKind,
}

/// A block that commits to files.
#[derive(Clone, Copy, Debug)]
struct Block<B> {
    subject: Subject,
    at: Anchorage,
    body: B,
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
    found: Vec<Found>,
    /// Of the packages that files name; nothing until the block comes by.
    parents: HashMap<PackageId, Option<Block<(ParentBody, PackageIssued)>>>,
    sides: HashMap<(PackageId, u32), Option<Block<SideBody>>>,
}

impl Files {
    /// All containers, forms and sealed report bodies in a folder and in those below it.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file with such an ending names no package.
    pub fn in_folder(folder: &Path) -> Result<Self, AuditError> {
        let mut files = Self::default();
        files.collect(folder)?;
        files.found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    fn collect(&mut self, folder: &Path) -> Result<(), AuditError> {
        let unreadable = |error: std::io::Error| folder_error(folder, &error.to_string());
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            // Links are not followed: a folder could be in itself.
            if entry.file_type().map_err(unreadable)?.is_dir() {
                self.collect(&path)?;
            } else if let Some(named) = named(&path) {
                let (package, kind) = named.ok_or_else(|| {
                    let reason = "its name names no package: PACKAGE.mds, PACKAGE.form.json and \
                                  PACKAGE-NUMBER.report are read";
                    folder_error(&path, reason)
                })?;
                self.add(path, package, kind);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf, package: PackageId, kind: FileKind) {
        match kind {
            FileKind::ReportBody(number) => drop(self.sides.entry((package, number)).or_default()),
            FileKind::Container | FileKind::Form => drop(self.parents.entry(package).or_default()),
        }
        self.found.push(Found {
            path,
            package,
            kind,
        });
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.found.len() as u64
    }

    /// A readable parent block comes by. The first one of a package counts.
    pub(super) fn parent(
        &mut self,
        subject: Subject,
        at: Anchorage,
        body: &ParentBody,
        issued: &PackageIssued,
    ) {
        if let Some(wanted) = self.parents.get_mut(&issued.package) {
            let body = (*body, issued.clone());
            wanted.get_or_insert(Block { subject, at, body });
        }
    }

    /// A readable side-block of `package` comes by.
    pub(super) fn side(
        &mut self,
        package: PackageId,
        subject: Subject,
        at: Anchorage,
        body: &SideBody,
    ) {
        if let Some(wanted) = self.sides.get_mut(&(package, body.transaction.number)) {
            let body = *body;
            wanted.get_or_insert(Block { subject, at, body });
        }
    }
}

/// What a file is by its name: nothing when it is none of these, `Some(None)` when it is one and names no package.
fn named(path: &Path) -> Option<Option<(PackageId, FileKind)>> {
    let name = path.file_name()?.to_str()?;
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
    let body = number.parse().ok().map(FileKind::ReportBody);
    Some(body.and_then(|kind| Some((package(before)?, kind))))
}
