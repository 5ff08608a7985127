//! Ctrl-C, SIGTERM and the end of the terminal.

use std::future::Future;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens from now on; the future ends with the first signal.
///
/// # Errors
/// When the system does not let us listen.
pub fn listen() -> Result<impl Future<Output = ()> + Send> {
    let listening = |kind| signal(kind).context("cannot listen for signals");
    let mut interrupt = listening(SignalKind::interrupt())?;
    let mut terminate = listening(SignalKind::terminate())?;
    // Listening would undo `nohup`, so who ignores it goes on doing so.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut hang_up = match ignores_hang_up(&status) {
        true => None,
        false => Some(listening(SignalKind::hangup())?),
    };
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = next(&mut hang_up) => {}
        }
    })
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether this process was started with SIGHUP ignored (proc(5), `SigIgn`; signal 1 is the lowest bit).
fn ignores_hang_up(status: &str) -> bool {
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_set_is_seen() {
        assert!(ignores_hang_up("Name:\tx\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hang_up("SigBlk:\t1\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hang_up(""));
    }
}
