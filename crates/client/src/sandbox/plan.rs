//! What the stages are told. It travels as one argument: it holds nothing that the command itself does not show.

use std::ffi::OsString;
use std::path::PathBuf;

use medshare_protocol::id::PackageId;
use serde::{Deserialize, Serialize};

/// Where the packages and the output are, inside.
pub(super) const BASE: &str = "/medshare";
/// The output folder, inside.
pub(super) const OUTPUT: &str = "/medshare/output";
/// For temporary files, inside; gone afterwards.
pub(super) const TEMPORARY: &str = "/medshare/tmp";
/// The folder that the command was started in, inside.
pub(super) const WORK: &str = "/work";

/// What to run, on what, and how much of the machine it may take.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The packages; the first is also reached as `/medshare/data`.
    pub packages: Vec<PackageId>,
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Shown read-only, as `/work`: programs and scripts. No file systems may be mounted in it.
    pub work: PathBuf,
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

impl Plan {
    /// Where the data of `package` is mounted, inside.
    pub(super) fn folder(package: PackageId) -> String {
        format!("{BASE}/{package}")
    }
}
