//! The node's HTTP server: bounded connections, bounded patience, a graceful end.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::query;
use crate::service::Node;

/// So many connections are open at once; further ones wait to be accepted.
pub const MAX_CONNECTIONS: usize = 1_024;
/// A client has so long to send the head of a request, and may be silent so long between two of them: a little longer
/// than usual clients keep a silent connection (90 s), so that it is they who close it, never in the middle of a
/// request.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(95);
/// A new connection has so long for the head of its first request: usual clients connect because they have one.
pub const FIRST_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// After the end was asked for, requests under way have so long to finish.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after the system could not accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `node` until `shutdown` completes, then finishes what is under way, within [`DRAIN_TIMEOUT`]. The node's store
/// stays open as long.
///
/// # Errors
/// When the listener is not usable.
pub async fn run(
    node: Node,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    crate::telemetry::start();
    let _open = node.inner.tasks.token();
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
        let connection = serve(stream, service.clone(), &graceful, FIRST_HEADER_TIMEOUT);
        tokio::spawn(async move {
            connection.await;
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

/// Serves one connection until it ends, or until its first request has not come within `patience`.
fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: TowerToHyperService<Router>,
    graceful: &GracefulShutdown,
    patience: Duration,
) -> impl Future<Output = ()> + Send + 'static {
    let asked = CancellationToken::new();
    let asks = asked.clone();
    let noting = service_fn(move |request| {
        asks.cancel();
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), noting);
    let connection = graceful.watch(connection);
    async move {
        let is_silent = async {
            if tokio::time::timeout(patience, asked.cancelled())
                .await
                .is_ok()
            {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            },
            () = is_silent => tracing::debug!("a connection asked for nothing and was closed"),
        }
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    const PATIENCE: Duration = Duration::from_millis(100);

    /// The client's end, and what ends all connections when it is dropped.
    fn connected() -> (DuplexStream, GracefulShutdown) {
        let (client, server) = tokio::io::duplex(4_096);
        let router = Router::new().route("/", get(|| async { "here" }));
        let service = TowerToHyperService::new(router);
        let graceful = GracefulShutdown::new();
        tokio::spawn(serve(server, service, &graceful, PATIENCE));
        (client, graceful)
    }

    async fn ask(client: &mut DuplexStream) -> String {
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            assert_ne!(
                client.read_buf(&mut answer).await.unwrap(),
                0,
                "it was closed"
            );
        }
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn who_does_not_finish_the_first_head_is_not_waited_for() {
        let (mut client, _open) = connected();
        client.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"");
    }

    #[tokio::test]
    async fn who_has_asked_may_be_silent_for_longer() {
        let (mut client, _open) = connected();
        ask(&mut client).await;
        // The patience ends by time alone: there is nothing else to wait for.
        tokio::time::sleep(2 * PATIENCE).await;
        assert!(ask(&mut client).await.starts_with("HTTP/1.1 200"));
    }
}
