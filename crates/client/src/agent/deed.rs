//! The six actions as they are done to open data (P18).

use std::path::{Path, PathBuf};

use medshare_protocol::usage::Action;
use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

use super::lock::Lock;
use super::vault::{self, MAX_CONTENT_BYTES};
use super::{AgentError, Shared};

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
    /// Writes bytes, at the end at the latest: open data has no holes.
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
    /// Writes the data there and wipes it here.
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
        let length = self.with_content(|content| content.len() as u64)?;
        let end = match deed {
            Deed::Read { offset, .. } if *offset > length => {
                return Err(AgentError::OutOfRange {
                    position: *offset,
                    length,
                });
            }
            Deed::Write { offset, .. } if *offset > length => {
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
            Some(path) if path.symlink_metadata().is_ok() => Err(AgentError::Destination {
                path: path.to_owned(),
                error: std::io::ErrorKind::AlreadyExists.into(),
            }),
            _ => Ok(()),
        }
    }

    /// Does what was judged, reported and found possible.
    pub(super) async fn carry_out(
        &self,
        deed: &Deed,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, AgentError> {
        match deed {
            Deed::Read { offset, length } => {
                return self.read(*offset, length.unwrap_or(u64::MAX)).map(Some);
            }
            Deed::Write { offset, bytes } => {
                self.with_content(|content| write(content, *offset, bytes))??;
            }
            Deed::Truncate { length } => {
                let length = usize::try_from(*length).map_err(|_| AgentError::TooLong(*length))?;
                self.with_content(|content| vault::resize(content, length))?;
            }
            Deed::Delete => self.delete().await?,
            Deed::Duplicate { to } | Deed::Copy { to } => self.write_out(to).await?,
            Deed::Move { to } => {
                self.write_out(to).await?;
                self.lock(Lock::Moved(to.clone()));
            }
        }
        Ok(None)
    }

    pub(super) fn read(&self, offset: u64, length: u64) -> Result<Zeroizing<Vec<u8>>, AgentError> {
        self.with_content(|content| {
            let out_of_range = AgentError::OutOfRange {
                position: offset,
                length: content.len() as u64,
            };
            let begin = usize::try_from(offset).unwrap_or(usize::MAX);
            let Some(rest) = content.get(begin..) else {
                return Err(out_of_range);
            };
            let length = usize::try_from(length)
                .unwrap_or(usize::MAX)
                .min(rest.len());
            Ok(Zeroizing::new(rest[..length].to_vec()))
        })?
    }

    async fn delete(&self) -> Result<(), AgentError> {
        self.lock(Lock::Deleted);
        match fs::remove_file(&self.container).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(AgentError::Destination {
                    path: self.container.clone(),
                    error,
                })
            }
            _ => Ok(()),
        }
    }

    /// Writes the plaintext to a new file that nobody else may read. Half a file is removed.
    async fn write_out(&self, to: &Path) -> Result<(), AgentError> {
        let bytes = self.read(0, u64::MAX)?;
        let failed = |error| AgentError::Destination {
            path: to.to_owned(),
            error,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)
            .await
            .map_err(failed)?;
        let written = async {
            file.write_all(&bytes).await?;
            file.flush().await?;
            file.sync_all().await
        };
        if let Err(error) = written.await {
            // The first error is the one to tell.
            let _ = fs::remove_file(to).await;
            return Err(failed(error));
        }
        Ok(())
    }
}

/// Checked again: between judging and doing, another write may have changed the length.
fn write(content: &mut Zeroizing<Vec<u8>>, offset: u64, bytes: &[u8]) -> Result<(), AgentError> {
    let length = content.len();
    match usize::try_from(offset) {
        Ok(offset) if offset <= length => {
            vault::write_at(content, offset, bytes);
            Ok(())
        }
        _ => Err(AgentError::OutOfRange {
            position: offset,
            length: length as u64,
        }),
    }
}
