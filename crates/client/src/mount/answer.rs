//! What the kernel is told: errors and attributes.

use std::time::SystemTime;

use fuser::{Errno, FileAttr, FileType, INodeNo};

use super::second_files::Refused;
use crate::agent::{AgentError, Lock};

/// What failed, as programs know it. EACCES: the usage contract or the lease forbids it.
pub(super) fn errno(error: &AgentError) -> Errno {
    match error {
        AgentError::Locked(lock) => lock_errno(lock),
        AgentError::Report(_) | AgentError::Content(_) | AgentError::Memory(_) => Errno::EIO,
        AgentError::TooLong(_) => Errno::EFBIG,
        AgentError::OutOfRange { .. }
        | AgentError::Destination { .. }
        | AgentError::NotAnAction(_) => Errno::EINVAL,
    }
}

pub(super) const fn lock_errno(lock: &Lock) -> Errno {
    if lock.is_peaceful() {
        Errno::ENOENT
    } else {
        Errno::EACCES
    }
}

pub(super) const fn refusal(refused: Refused) -> Errno {
    match refused {
        Refused::Exists => Errno::EEXIST,
        Refused::TooMany => Errno::ENOSPC,
        Refused::NoMemory => Errno::ENOMEM,
        Refused::TooLong => Errno::EFBIG,
        Refused::NotThere => Errno::ENOENT,
        Refused::Wiped => Errno::EACCES,
    }
}

/// Attributes of a file of `length` bytes, or of the folder.
pub(super) fn attributes(inode: u64, kind: FileType, length: u64, since: SystemTime) -> FileAttr {
    let (perm, nlink) = match kind {
        FileType::Directory => (0o700, 2),
        _ => (0o600, 1),
    };
    FileAttr {
        ino: INodeNo(inode),
        size: length,
        blocks: length.div_ceil(512),
        atime: since,
        mtime: since,
        ctime: since,
        crtime: since,
        kind,
        perm,
        nlink,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        rdev: 0,
        blksize: 4_096,
        flags: 0,
    }
}
