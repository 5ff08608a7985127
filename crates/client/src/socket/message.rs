//! What is said over the socket.

use std::path::PathBuf;

use medshare_protocol::id::PackageId;
use medshare_protocol::usage::UsageContract;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::SocketError;
use crate::agent::{Deed, Lock};

/// At most so many bytes a line.
pub const MAX_LINE_BYTES: u64 = 64 * 1024;
/// At most so many bytes a write.
pub const MAX_WRITE_BYTES: u64 = 64 * 1024 * 1024;

/// What is asked of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Reads bytes; without a length, up to the end.
    Read {
        /// First byte.
        offset: u64,
        /// How many.
        length: Option<u64>,
    },
    /// Writes the bytes that follow the line.
    Write {
        /// Where.
        offset: u64,
        /// How many bytes follow.
        length: u64,
    },
    /// Cuts or extends.
    Truncate {
        /// The new length, bytes.
        length: u64,
    },
    /// Deletes the data and the package file.
    Delete,
    /// Makes a second file.
    Duplicate {
        /// The file, an absolute path.
        to: PathBuf,
    },
    /// Moves the data out.
    Move {
        /// The file, an absolute path.
        to: PathBuf,
    },
    /// Copies the data out.
    Copy {
        /// The file, an absolute path.
        to: PathBuf,
    },
    /// Asks how things stand.
    Status,
    /// Closes the data and ends the agent.
    Close,
}

impl Order {
    /// How many bytes follow the line.
    #[must_use]
    pub const fn attachment_bytes(&self) -> u64 {
        match self {
            Self::Write { length, .. } => *length,
            _ => 0,
        }
    }

    /// The deed that is ordered; nothing for `status` and `close`.
    pub(super) fn deed(self, bytes: Zeroizing<Vec<u8>>) -> Option<Deed> {
        Some(match self {
            Self::Read { offset, length } => Deed::Read { offset, length },
            Self::Write { offset, .. } => Deed::Write { offset, bytes },
            Self::Truncate { length } => Deed::Truncate { length },
            Self::Delete => Deed::Delete,
            Self::Duplicate { to } => Deed::Duplicate { to },
            Self::Move { to } => Deed::Move { to },
            Self::Copy { to } => Deed::Copy { to },
            Self::Status | Self::Close => return None,
        })
    }
}

/// What the agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// Done.
    Done {
        /// Number of the report that was receipted; nothing where none was wanted.
        receipt: Option<u32>,
        /// How many bytes follow the line.
        bytes: u64,
    },
    /// Not done, and the data is still open.
    Failed {
        /// What happened and what to do.
        reason: String,
    },
    /// Not done: the data is closed.
    Locked {
        /// Why.
        lock: Lock,
    },
    /// How things stand.
    Status(Box<Status>),
}

/// How things stand with an open package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The package.
    pub package: PackageId,
    /// The rules.
    pub usage: UsageContract,
    /// Why it is closed; nothing while it is open.
    pub lock: Option<Lock>,
    /// Length of the data, bytes; 0 when it is closed.
    pub length: u64,
    /// How long the lease still runs.
    pub lease_seconds: u64,
    /// Number of the last report.
    pub reports: u32,
}

/// Reads a line; nothing when the other side has ended.
pub(super) async fn read_line<T: DeserializeOwned>(
    reader: &mut (impl AsyncBufRead + Unpin),
) -> Result<Option<T>, SocketError> {
    let mut line = Vec::new();
    let mut limited = reader.take(MAX_LINE_BYTES);
    limited
        .read_until(b'\n', &mut line)
        .await
        .map_err(SocketError::Broken)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        let reason = if line.len() as u64 == MAX_LINE_BYTES {
            "it is too long"
        } else {
            "it was cut"
        };
        return Err(SocketError::Malformed(reason.into()));
    }
    serde_json::from_slice(&line)
        .map(Some)
        .map_err(|error| SocketError::Malformed(error.to_string()))
}

/// Writes a line and the bytes behind it.
pub(super) async fn write_line(
    writer: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
    attachment: &[u8],
) -> Result<(), SocketError> {
    let mut line = serde_json::to_vec(message).expect("messages are plain data");
    line.push(b'\n');
    let written = async {
        writer.write_all(&line).await?;
        writer.write_all(attachment).await?;
        writer.flush().await
    };
    written.await.map_err(SocketError::Broken)
}

/// Reads the `length` bytes behind a line.
pub(super) async fn read_attachment(
    reader: &mut (impl AsyncBufRead + Unpin),
    length: u64,
) -> Result<Zeroizing<Vec<u8>>, SocketError> {
    let mut bytes = Zeroizing::new(Vec::new());
    let length = usize::try_from(length).map_err(|_| SocketError::WriteTooLong(length))?;
    bytes
        .try_reserve_exact(length)
        .map_err(|_| SocketError::Malformed(format!("{length} bytes do not fit into memory")))?;
    bytes.resize(length, 0);
    reader
        .read_exact(&mut bytes)
        .await
        .map_err(SocketError::Broken)?;
    Ok(bytes)
}
