//! The side that has the data.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::SocketError;
use super::message::{
    Answer, MAX_WRITE_BYTES, Order, Status, read_attachment, read_line, write_line,
};
use crate::agent::{Agent, AgentError, Lock};

/// Connections that are served at once; more wait.
pub const MAX_CONNECTIONS: usize = 16;
/// How long a caller has, once the data is closed, to take its last answer. Bytes of the data are not waited for.
const FAREWELL: Duration = Duration::from_secs(2);

/// The listening socket; its file goes when this is dropped.
#[derive(Debug)]
pub struct AgentSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AgentSocket {
    /// Listens at `path`, in a folder that nobody else may enter. A socket that a killed agent left is replaced.
    ///
    /// # Errors
    /// [`SocketError::InUse`], [`SocketError::Disk`].
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        let disk = |error| SocketError::Disk {
            path: path.to_owned(),
            error,
        };
        if UnixStream::connect(path).await.is_ok() {
            return Err(SocketError::InUse(path.to_owned()));
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(disk(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(disk)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(disk)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Serves until the data is closed, for whatever reason; returns the reason once those who are connected have
    /// their answers, or have not taken them for two seconds.
    ///
    /// # Errors
    /// [`SocketError::Disk`] when the socket fails.
    pub async fn serve(self, agent: &Agent) -> Result<Lock, SocketError> {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        let lock = loop {
            let place = Arc::clone(&places).acquire_owned();
            let accepted = async {
                let place = place.await.expect("the semaphore is never closed");
                self.listener
                    .accept()
                    .await
                    .map(|(stream, _)| (stream, place))
            };
            tokio::select! {
                lock = agent.locked() => break lock,
                accepted = accepted => {
                    let (stream, place) = accepted.map_err(|error| SocketError::Disk {
                        path: self.path.clone(),
                        error,
                    })?;
                    let agent = agent.clone();
                    connections.spawn(async move {
                        if let Err(error) = converse(stream, &agent).await {
                            tracing::warn!(%error, "a caller was dropped");
                        }
                        drop(place);
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        };
        // No caller can hold this up: after the lock its bytes are not waited for, and its answer only shortly. What is
        // waited for is the report of the violation that closed the data.
        while connections.join_next().await.is_some() {}
        Ok(lock)
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        // A file that stays is replaced by the next agent.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves one caller until it hangs up or the data is closed.
async fn converse(stream: UnixStream, agent: &Agent) -> Result<(), SocketError> {
    let Some(caller) = Caller::of(&stream).map_err(SocketError::Broken)? else {
        return Err(SocketError::Malformed("the caller is another user".into()));
    };
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let order = tokio::select! {
            order = read_line::<Order>(&mut reader) => order,
            lock = agent.locked() => {
                // Nobody waits for an answer now; one who asks later is told by the missing socket.
                tracing::debug!(%lock, "a caller is sent away");
                return Ok(());
            }
        };
        match order {
            Ok(None) => return Ok(()),
            Ok(Some(order)) => answer(order, &mut reader, &mut writer, agent, &caller).await?,
            Err(error) => {
                let refusal = Answer::Failed {
                    reason: error.to_string(),
                };
                reply(&mut writer, &refusal, &[], agent).await?;
                return Err(error);
            }
        }
    }
}

async fn answer(
    order: Order,
    reader: &mut BufReader<tokio::net::unix::OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    agent: &Agent,
    caller: &Caller,
) -> Result<(), SocketError> {
    let attached = order.attachment_bytes();
    if attached > MAX_WRITE_BYTES {
        let error = SocketError::WriteTooLong(attached);
        let refusal = Answer::Failed {
            reason: error.to_string(),
        };
        reply(writer, &refusal, &[], agent).await?;
        return Err(error);
    }
    let bytes = tokio::select! {
        bytes = read_attachment(reader, attached) => bytes?,
        // What the caller announced and does not send must not keep the agent alive.
        lock = agent.settled() => return reply(writer, &Answer::Locked { lock }, &[], agent).await,
    };
    let (answer, bytes) = carry_out(order, bytes, agent, caller).await;
    reply(writer, &answer, &bytes, agent).await
}

/// Writes an answer. Once the data is closed, not one byte more of it is handed over, and a caller that does not take
/// an answer without data is left.
async fn reply(
    writer: &mut OwnedWriteHalf,
    answer: &Answer,
    bytes: &[u8],
    agent: &Agent,
) -> Result<(), SocketError> {
    let too_late = async {
        let lock = agent.locked().await;
        if bytes.is_empty() {
            tokio::time::sleep(FAREWELL).await;
        }
        lock
    };
    tokio::select! {
        biased;
        lock = too_late => {
            tracing::debug!(%lock, "a caller did not take its answer in time");
            Err(SocketError::Broken(std::io::ErrorKind::TimedOut.into()))
        }
        written = write_line(writer, answer, bytes) => written,
    }
}

async fn carry_out(
    order: Order,
    bytes: Zeroizing<Vec<u8>>,
    agent: &Agent,
    caller: &Caller,
) -> (Answer, Zeroizing<Vec<u8>>) {
    let nothing = Zeroizing::default();
    if order == Order::Status {
        return (Answer::Status(Box::new(status(agent).await)), nothing);
    }
    let Some(deed) = order.deed(bytes) else {
        agent.close();
        return (
            Answer::Done {
                receipt: None,
                bytes: 0,
            },
            nothing,
        );
    };
    match agent.act(deed, caller.program.clone()).await {
        Ok(outcome) => {
            let bytes = outcome.bytes.unwrap_or_default();
            (
                Answer::Done {
                    receipt: outcome.receipt,
                    bytes: bytes.len() as u64,
                },
                bytes,
            )
        }
        Err(AgentError::Locked(Lock::Violation(_))) => {
            // The caller is a person's terminal: what it says of a violation is to be true.
            let lock = agent.settled().await;
            (Answer::Locked { lock }, nothing)
        }
        Err(AgentError::Locked(lock)) => (Answer::Locked { lock }, nothing),
        Err(error) => (
            Answer::Failed {
                reason: error.to_string(),
            },
            nothing,
        ),
    }
}

async fn status(agent: &Agent) -> Status {
    Status {
        package: agent.package(),
        usage: *agent.usage(),
        lock: agent.lock(),
        length: agent.length().unwrap_or(0),
        lease_seconds: agent.lease_left().as_secs(),
        reports: agent.last_report().await,
    }
}

/// Who is at the other end.
struct Caller {
    /// Name of its program: evidence for the report, not proof.
    program: Option<String>,
}

impl Caller {
    /// Nothing when it is another user: the socket's mode keeps all but root out already.
    fn of(stream: &UnixStream) -> std::io::Result<Option<Self>> {
        let peer = stream.peer_cred()?;
        if peer.uid() != rustix::process::geteuid().as_raw() {
            return Ok(None);
        }
        let program = peer
            .pid()
            .and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok())
            .map(|name| name.trim_end().to_owned());
        Ok(Some(Self { program }))
    }
}
