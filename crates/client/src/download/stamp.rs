//! What was found out about a package file, beside it: so that opening need not read all of it again.
//!
//! It protects against accidents, as the hash does; every chunk is authenticated when it is read, whatever stands here.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use medshare_protocol::id::ContainerHash;
use serde::{Deserialize, Serialize};

/// A file as it was at a moment: whatever changes its bytes changes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds since the Unix epoch.
    modified: [i64; 2],
    /// As above; this one no program can set.
    changed: [i64; 2],
}

impl Identity {
    pub(crate) fn of(file: &Metadata) -> Self {
        Self {
            inode: file.ino(),
            size: file.size(),
            modified: [file.mtime(), file.mtime_nsec()],
            changed: [file.ctime(), file.ctime_nsec()],
        }
    }
}

/// What was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    identity: Identity,
    /// sha256d of the file.
    container_hash: ContainerHash,
    /// Whether the payload in it was found to be what the second node validated.
    pub(crate) payload_checked: bool,
}

/// Where the stamp of `container` lies.
#[must_use]
pub fn stamp_of(container: &Path) -> PathBuf {
    let mut name = container.as_os_str().to_owned();
    name.push(".checked");
    name.into()
}

impl Stamp {
    pub(crate) const fn new(identity: Identity, container_hash: ContainerHash) -> Self {
        Self {
            identity,
            container_hash,
            payload_checked: false,
        }
    }

    /// The stamp of a file that is still what it was when it was found to have this hash. One that cannot be read is as good
    /// as none.
    pub(crate) fn find(
        container: &Path,
        identity: Identity,
        container_hash: ContainerHash,
    ) -> Option<Self> {
        let text = fs::read(stamp_of(container)).ok()?;
        let stamp: Self = serde_json::from_slice(&text).ok()?;
        let same = stamp.identity == identity && stamp.container_hash == container_hash;
        same.then_some(stamp)
    }

    /// Without it the file is hashed again, which is no reason to fail.
    pub(crate) fn keep(&self, container: &Path) {
        let text = serde_json::to_vec(self).expect("a stamp is plain data");
        if let Err(error) = fs::write(stamp_of(container), text) {
            tracing::warn!(path = %stamp_of(container).display(), %error, "not kept");
        }
    }
}
