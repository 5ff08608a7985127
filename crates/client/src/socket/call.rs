//! The side that wants something done.

use std::path::Path;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use zeroize::Zeroizing;

use super::SocketError;
use super::message::{Answer, MAX_WRITE_BYTES, Order, read_attachment, read_line, write_line};

/// A connection to the agent that has a package open.
#[derive(Debug)]
pub struct AgentConnection {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl AgentConnection {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// [`SocketError::NotOpen`].
    pub async fn open(path: &Path) -> Result<Self, SocketError> {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        match UnixStream::connect(path).await {
            Ok(stream) => {
                let (reader, writer) = stream.into_split();
                Ok(Self {
                    reader: BufReader::new(reader),
                    writer,
                })
            }
            Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => {
                Err(SocketError::NotOpen(path.to_owned()))
            }
            Err(error) => Err(SocketError::Disk {
                path: path.to_owned(),
                error,
            }),
        }
    }

    /// Gives an order and waits for the answer. For a read its bytes come with it.
    ///
    /// # Errors
    /// [`SocketError`]; what was refused is an [`Answer`], not an error.
    pub async fn order(
        &mut self,
        order: &Order,
    ) -> Result<(Answer, Zeroizing<Vec<u8>>), SocketError> {
        self.send(order, &[]).await
    }

    /// Writes `bytes` at `offset`.
    ///
    /// # Errors
    /// [`SocketError::WriteTooLong`], and as [`AgentConnection::order`].
    pub async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<Answer, SocketError> {
        let length = bytes.len() as u64;
        if length > MAX_WRITE_BYTES {
            return Err(SocketError::WriteTooLong(length));
        }
        let (answer, _) = self.send(&Order::Write { offset, length }, bytes).await?;
        Ok(answer)
    }

    async fn send(
        &mut self,
        order: &Order,
        attachment: &[u8],
    ) -> Result<(Answer, Zeroizing<Vec<u8>>), SocketError> {
        write_line(&mut self.writer, order, attachment).await?;
        let answer = read_line(&mut self.reader)
            .await?
            .ok_or_else(|| SocketError::Broken(std::io::ErrorKind::UnexpectedEof.into()))?;
        let attached = match answer {
            Answer::Done { bytes, .. } => bytes,
            _ => 0,
        };
        let bytes = read_attachment(&mut self.reader, attached).await?;
        Ok((answer, bytes))
    }
}
