//! One process holds the open data; others on the same machine act on it over a Unix socket.
//!
//! An order is a JSON object on one line, at most [`MAX_LINE_BYTES`]; the bytes of a write follow it. The answer is a
//! JSON line as well; the bytes of a read follow it. One order at a time on a connection, any number one after the
//! other. The socket has mode 0600 in a folder of mode 0700, and only the same user is served.

mod call;
mod message;
mod serve;

use std::path::PathBuf;

pub use call::AgentConnection;
pub use message::{Answer, MAX_LINE_BYTES, MAX_WRITE_BYTES, Order, Status};
pub use serve::{AgentSocket, MAX_CONNECTIONS};

/// Why socket or connection do not work.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Nobody listens.
    #[error("no open package listens at {0}; run `medshare open` first")]
    NotOpen(PathBuf),
    /// Somebody listens already.
    #[error("the package is open already: an agent listens at {0}")]
    InUse(PathBuf),
    /// The system.
    #[error("cannot use the socket {path}: {error}")]
    Disk {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The connection broke.
    #[error(
        "the connection to the agent broke: {0}; see why the process that has the package open ended"
    )]
    Broken(std::io::Error),
    /// A line that is too long or no order.
    #[error("a message was not understood: {0}")]
    Malformed(String),
    /// More bytes than are taken at once.
    #[error("{0} bytes are more than one write may have ({MAX_WRITE_BYTES}); write in pieces")]
    WriteTooLong(u64),
}
