//! The node's HTTP server: bounded connections, bounded patience, a graceful end.

use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::query;
use crate::service::Node;

/// So many connections are open at once; further ones wait to be accepted.
pub const MAX_CONNECTIONS: usize = 1_024;
/// A client has so long to send the head of a request, and may be silent so long between two of them: a little longer
/// than usual clients keep a silent connection (90 s), so that it is they who close it, never in the middle of a
/// request.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(95);
/// After the end was asked for, requests under way have so long to finish.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after the system could not accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `node` until `shutdown` completes, then finishes what is under way, within [`DRAIN_TIMEOUT`].
///
/// # Errors
/// When the listener is not usable.
pub async fn run(
    node: Node,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    crate::telemetry::start();
    tracing::info!(address = %listener.local_addr()?, node = %node.info().node, "serving");
    let service = TowerToHyperService::new(query::router(node));
    let graceful = GracefulShutdown::new();
    let places = std::sync::Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else {
            continue;
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still under way when the server ended");
    }
    Ok(())
}

/// The next connection and its place. Nothing, after a pause, when the system has none to give: too many open files
/// pass, and the server must outlive them.
async fn accept(
    listener: &TcpListener,
    places: &std::sync::Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = std::sync::Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are small and waited for: sent at once.
            let _ = stream.set_nodelay(true);
            Some((stream, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
