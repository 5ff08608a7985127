//! Ctrl-C and SIGTERM.

use std::future::Future;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Listens from now on; the future ends with the first signal.
///
/// # Errors
/// When the system does not let us listen.
pub fn listen() -> Result<impl Future<Output = ()> + Send> {
    let listening = |kind| signal(kind).context("cannot listen for signals");
    let mut interrupt = listening(SignalKind::interrupt())?;
    let mut terminate = listening(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
