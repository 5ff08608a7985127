//! The six actions as they are done to open data (P18).

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use medshare_protocol::usage::Action;
use zeroize::Zeroizing;

use super::lock::Lock;
use super::vault::MAX_CONTENT_BYTES;
use super::{AgentError, Shared};
use crate::content::Content;
use crate::download::sync_folder;
use crate::returning::files_of;

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Reads bytes; without a length, up to the end.
    Read {
        /// First byte.
        offset: u64,
        /// How many; beyond the end there are none.
        length: Option<u64>,
    },
    /// Writes bytes. Between the end of the data and a later place there are zeros, as in a file.
    Write {
        /// Where.
        offset: u64,
        /// What.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// Cuts, or extends with zeros: a write.
    Truncate {
        /// The new length, bytes.
        length: u64,
    },
    /// Wipes the data and removes the package from this machine.
    Delete,
    /// Makes a second file with the data.
    Duplicate {
        /// The file; must not exist.
        to: PathBuf,
    },
    /// Writes the data there, durably, then wipes it here and removes the package from this machine.
    Move {
        /// The file; must not exist.
        to: PathBuf,
    },
    /// Copies the data out.
    Copy {
        /// The file; must not exist.
        to: PathBuf,
    },
}

impl Deed {
    /// What the usage contract calls it.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Read { .. } => Action::Read,
            Self::Write { .. } | Self::Truncate { .. } => Action::Write,
            Self::Delete => Action::Delete,
            Self::Duplicate { .. } => Action::Duplicate,
            Self::Move { .. } => Action::Move,
            Self::Copy { .. } => Action::Copy,
        }
    }

    /// The other file in it.
    pub(super) fn destination(&self) -> Option<&Path> {
        match self {
            Self::Duplicate { to } | Self::Move { to } | Self::Copy { to } => Some(to),
            _ => None,
        }
    }

    /// What the report names as the file.
    pub(super) fn file(&self) -> Option<String> {
        self.destination().map(|path| path.display().to_string())
    }

    /// The bytes it concerns in data of `length` bytes.
    pub(super) fn range(&self, length: u64) -> Option<(u64, u64)> {
        match self {
            Self::Read {
                offset,
                length: wanted,
            } => {
                let end = offset
                    .saturating_add(wanted.unwrap_or(u64::MAX))
                    .min(length);
                Some((*offset, end.max(*offset)))
            }
            Self::Write { offset, bytes } => {
                Some((*offset, offset.saturating_add(bytes.len() as u64)))
            }
            Self::Truncate { length: new } => Some((length.min(*new), length.max(*new))),
            _ => None,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What was done.
    pub action: Action,
    /// Number of the report that the node receipted; nothing where the usage contract wants none.
    pub receipt: Option<u32>,
    /// What was read.
    pub bytes: Option<Zeroizing<Vec<u8>>>,
}

impl Shared {
    /// Whether `deed` can be done at all.
    pub(super) fn check_deed(&self, deed: &Deed) -> Result<(), AgentError> {
        let length = self.content()?.length();
        let end = match deed {
            Deed::Read { offset, .. } if *offset > length => {
                return Err(AgentError::OutOfRange {
                    position: *offset,
                    length,
                });
            }
            Deed::Write { offset, bytes } => offset.saturating_add(bytes.len() as u64),
            Deed::Truncate { length } => *length,
            _ => 0,
        };
        if end > MAX_CONTENT_BYTES {
            return Err(AgentError::TooLong(end));
        }
        match deed.destination() {
            Some(path) if path.symlink_metadata().is_ok() || self.is_own(path) => {
                Err(AgentError::Destination {
                    path: path.to_owned(),
                    error: ErrorKind::AlreadyExists.into(),
                })
            }
            Some(path) if matches!(deed, Deed::Move { .. }) && self.is_shown_beside(path) => {
                Err(AgentError::Destination {
                    path: path.to_owned(),
                    error: std::io::Error::new(
                        ErrorKind::InvalidInput,
                        "the folder that shows the data goes with it: move it elsewhere",
                    ),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether a file there would stand in the folder that shows the data, and end with it.
    fn is_shown_beside(&self, path: &Path) -> bool {
        let device = |folder: &Path| fs::metadata(folder).map(|found| found.dev()).ok();
        let shown = self.shown.get().and_then(|at| device(at));
        shown.is_some() && shown == folder(path).and_then(|folder| device(&folder))
    }

    /// Whether the package's own files may lie there: what is written to such a place would go with the package.
    fn is_own(&self, path: &Path) -> bool {
        let named = |own: &PathBuf| own.file_name() == path.file_name();
        files_of(&self.container).iter().any(named) && folder(path) == folder(&self.container)
    }

    /// Does what was judged, reported and found possible.
    pub(super) async fn carry_out(
        &self,
        deed: &Deed,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, AgentError> {
        match deed {
            Deed::Read { offset, length } => {
                let (offset, length) = (*offset, length.unwrap_or(u64::MAX));
                let read = self.with_content(move |content| read(content, offset, length));
                return read.await.map(Some);
            }
            Deed::Write { offset, bytes } => {
                let (offset, bytes) = (*offset, bytes.clone());
                self.with_content(move |content| Ok(content.write_at(offset, &bytes)?))
                    .await?;
            }
            Deed::Truncate { length } => {
                let length = *length;
                self.with_content(move |content| Ok(content.set_length(length)?))
                    .await?;
            }
            Deed::Delete => self.remove(Lock::Deleted)?,
            Deed::Duplicate { to } | Deed::Copy { to } => self.write_out(to).await?,
            Deed::Move { to } => self.move_out(to).await?,
        }
        Ok(None)
    }

    /// On a thread that may wait for the disk.
    async fn with_content<T: Send + 'static>(
        &self,
        use_content: impl FnOnce(&Content) -> Result<T, AgentError> + Send + 'static,
    ) -> Result<T, AgentError> {
        let content: Arc<Content> = self.content()?;
        let used = tokio::task::spawn_blocking(move || use_content(&content)).await;
        // It fails when the program is ending.
        let used = used.map_err(|_| AgentError::Locked(Lock::Closed))?;
        used.map_err(|error| self.reason(error))
    }

    async fn move_out(&self, to: &Path) -> Result<(), AgentError> {
        self.write_out(to).await?;
        // Its name has to be on the disk as well before nothing else is left.
        if let Err(error) = sync_folder(to).await {
            // The first error is the one to tell.
            let _ = fs::remove_file(to);
            return Err(AgentError::Destination {
                path: to.to_owned(),
                error,
            });
        }
        self.remove(Lock::Moved(to.to_owned()))
    }

    /// Wipes the data, and removes all that is kept of the package.
    fn remove(&self, reason: Lock) -> Result<(), AgentError> {
        self.lock(reason);
        for path in files_of(&self.container) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(AgentError::Destination { path, error });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the plaintext to a new file that nobody else may read. Half a file is removed.
    async fn write_out(&self, to: &Path) -> Result<(), AgentError> {
        let to = to.to_owned();
        self.with_content(move |content| {
            let failed = |error| AgentError::Destination {
                path: to.clone(),
                error,
            };
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&to)
                .map_err(failed)?;
            let written = content
                .copy_to(|bytes| file.write_all(bytes).map_err(failed))
                .and_then(|()| file.sync_all().map_err(failed));
            if written.is_err() {
                // The first error is the one to tell.
                let _ = fs::remove_file(&to);
            }
            written
        })
        .await
    }
}

/// The folder that a file is in, by its one name.
fn folder(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    let here = folder.as_os_str().is_empty();
    let folder = if here { Path::new(".") } else { folder };
    folder.canonicalize().ok()
}

/// `length` bytes from `offset` on, or as many as there are.
pub(super) fn read(
    content: &Content,
    offset: u64,
    length: u64,
) -> Result<Zeroizing<Vec<u8>>, AgentError> {
    let all = content.length();
    let rest = all.checked_sub(offset).ok_or(AgentError::OutOfRange {
        position: offset,
        length: all,
    })?;
    let wanted = rest.min(length);
    let too_long = |_| AgentError::TooLong(wanted);
    let count = usize::try_from(wanted).map_err(too_long)?;
    let mut bytes = Zeroizing::new(Vec::new());
    let room = bytes.try_reserve_exact(count);
    room.map_err(|_| AgentError::TooLong(wanted))?;
    bytes.resize(count, 0);
    let read = content.read_at(offset, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
