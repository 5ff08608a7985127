//! What the stages are told. It travels as one argument: it holds nothing that the command itself does not show.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use medshare_protocol::id::PackageId;
use serde::{Deserialize, Serialize};

/// Where the packages and the output are, inside.
pub(super) const BASE: &str = "/medshare";
/// The output folder, inside.
pub(super) const OUTPUT: &str = "/medshare/output";
/// For temporary files, inside; gone afterwards.
pub(super) const TEMPORARY: &str = "/medshare/tmp";
/// The folder that the command was started in, inside.
pub(super) const WORK: &str = "/medshare/work";

/// What to run, on what, and how much of the machine it may take.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The packages; the first is also reached as `/medshare/data`.
    pub packages: Vec<PackageId>,
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Shown read-only, as `/medshare/work`: programs and scripts. No file systems may be mounted in it.
    pub work: PathBuf,
    /// Shown read-only, where they are: programs of the requestor's own. Absolute, and as they are without links.
    pub show: Vec<PathBuf>,
    /// Any folder: the new root is mounted on it, where nobody else sees it.
    pub root: PathBuf,
    /// How much of the machine.
    pub limits: Limits,
}

/// Resource limits of each process, setrlimit(2).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Address space, bytes.
    pub memory: u64,
    /// Computing time, seconds.
    pub seconds: u64,
    /// Processes and threads of the user inside; the kernel does not count root's.
    pub processes: u64,
    /// Open files.
    pub files: u64,
    /// Length of a file, bytes.
    pub file_size: u64,
}

impl Limits {
    /// 16 GiB of address space and a day of computing: enough for R, Python and DuckDB on what one package holds.
    pub const DEFAULT: Self = Self {
        memory: 16 << 30,
        seconds: 24 * 60 * 60,
        processes: 512,
        files: 1_024,
        file_size: super::MAX_OUTPUT_BYTES,
    };
}

/// Why a folder is not shown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotShown {
    /// No folder, or none that can be told apart from others.
    #[error("{0} is no folder that can be shown: name it by its whole path, without links")]
    NoFolder(PathBuf),
    /// It would cover what is there already.
    #[error("{0} has a place of its own in the sandbox: name a folder below it, or another one")]
    Taken(PathBuf),
    /// Keys and packages are in it.
    #[error("{folder} holds {secret}, which no command needs to see: name a folder that does not")]
    Secret {
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        secret: PathBuf,
    },
}

impl Plan {
    /// Whether `folder` may be shown beside what is always there; `secret`: what must not be seen.
    ///
    /// # Errors
    /// [`NotShown`].
    pub fn may_show(folder: &Path, secret: &Path) -> Result<(), NotShown> {
        let folder = folder.to_owned();
        let is_itself = folder.canonicalize().is_ok_and(|itself| itself == folder);
        if !folder.is_dir() || !is_itself || folder.parent().is_none() {
            return Err(NotShown::NoFolder(folder));
        }
        let taken = ["/proc", "/dev", "/sys", BASE].into_iter().map(Path::new);
        // Below what is shown anyway there is nothing to do, and above it something would be covered.
        let covered = super::root::shown()
            .map(Path::new)
            .filter(|shown| shown.starts_with(&folder));
        let is_taken = taken.clone().any(|taken| folder.starts_with(taken))
            || covered.chain(taken).any(|taken| taken.starts_with(&folder));
        if is_taken {
            return Err(NotShown::Taken(folder));
        }
        match secret.canonicalize().unwrap_or_else(|_| secret.to_owned()) {
            secret if secret.starts_with(&folder) => Err(NotShown::Secret { folder, secret }),
            _ => Ok(()),
        }
    }

    /// Where the data of `package` is mounted, inside.
    pub(super) fn folder(package: PackageId) -> String {
        format!("{BASE}/{package}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_shown_covers_nothing_and_holds_no_keys() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let [tools, purse] = ["tools", "purse"].map(|name| home.join(name));
        std::fs::create_dir(&tools).unwrap();
        std::fs::create_dir(&purse).unwrap();
        std::os::unix::fs::symlink(&tools, home.join("link")).unwrap();
        let may = |folder: &Path| Plan::may_show(folder, &purse);
        assert_eq!(may(&tools), Ok(()));
        for no_folder in ["nobody", "link", "tools/../tools"] {
            let path = home.join(no_folder);
            assert_eq!(
                may(&path),
                Err(NotShown::NoFolder(path.clone())),
                "{path:?}"
            );
        }
        for taken in ["/proc", "/dev", "/usr", "/etc", "/sys"].map(Path::new) {
            assert_eq!(may(taken), Err(NotShown::Taken(taken.to_owned())));
        }
        assert!(matches!(may(Path::new("/")), Err(NotShown::NoFolder(_))));
        for secret in [&home, &purse] {
            assert!(matches!(may(secret), Err(NotShown::Secret { .. })));
        }
    }
}
