//! What stands between the network and the handlers: limits of time and number, names for requests, figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::problem::Problem;

/// So many requests are answered at once; further ones are told to come back.
pub const MAX_CONCURRENT_REQUESTS: usize = 512;
/// So many payloads of other nodes are in memory at once; further ones wait.
pub const MAX_CONCURRENT_VALIDATIONS: usize = 2;
/// So many outputs are in memory at once; further ones wait.
pub const MAX_CONCURRENT_OUTPUTS: usize = 2;
/// Longest answer that waits for nobody; a long poll of 30 s is among them.
pub const QUICK_TIMEOUT_SECONDS: u64 = 60;
/// Longest answer that waits for a transaction.
pub const CHAINED_TIMEOUT_SECONDS: u64 = 180;
/// Longest examination of another node's work, its upload included.
pub const VALIDATION_TIMEOUT_SECONDS: u64 = 120;

const REQUEST_ID: &str = "x-request-id";

/// What a supervisor looks at is answered however busy the node is: or it would end a node that only has much to do.
const ALWAYS_ANSWERED: [&str; 2] = ["/v1/health", "/metrics"];

/// The places that are left.
#[derive(Clone)]
pub(super) struct Guards {
    requests: Arc<Semaphore>,
    validations: Arc<Semaphore>,
    outputs: Arc<Semaphore>,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            requests: Arc::new(Semaphore::new(MAX_CONCURRENT_REQUESTS)),
            validations: Arc::new(Semaphore::new(MAX_CONCURRENT_VALIDATIONS)),
            outputs: Arc::new(Semaphore::new(MAX_CONCURRENT_OUTPUTS)),
        }
    }
}

/// Counts a request as long as it is under way, also one whose client goes away.
struct UnderWay(metrics::Gauge);

impl UnderWay {
    fn on(route: &str) -> Self {
        let gauge =
            metrics::gauge!("medshare_http_requests_under_way", "route" => route.to_owned());
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Gives the request a name, and counts how it ended. Neither headers nor queries nor bodies are logged.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let method = request.method().clone();
    // The pattern, not the path: a path holds package ids, and anybody can make up any number of others.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unknown".into());
    let span = tracing::info_span!("request", id, %method, route);
    let begin = Instant::now();
    let _under_way = UnderWay::on(&route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let elapsed = begin.elapsed();
    span.in_scope(|| tracing::debug!(status, elapsed_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    let method = crate::telemetry::method_label(&method);
    let labels = [
        ("method", method.to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("medshare_http_requests_total", &labels).increment(1);
    metrics::histogram!("medshare_http_request_seconds", &labels[..2]).record(elapsed);
    response
        .headers_mut()
        .insert(REQUEST_ID, HeaderValue::from(id));
    response
}

/// Refuses what is too much instead of queueing it: a queue would only answer everybody late.
pub(super) async fn shed(State(guards): State<Guards>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    if path.is_some_and(|path| ALWAYS_ANSWERED.contains(&path.as_str())) {
        return next.run(request).await;
    }
    match guards.requests.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => Problem::busy().into_response(),
    }
}

pub(super) async fn quick(request: Request, next: Next) -> Response {
    within(QUICK_TIMEOUT_SECONDS, next.run(request)).await
}

pub(super) async fn chained(request: Request, next: Next) -> Response {
    within(CHAINED_TIMEOUT_SECONDS, next.run(request)).await
}

/// A place is taken before the body is read, so only so many payloads are ever in memory.
pub(super) async fn validation(
    State(guards): State<Guards>,
    request: Request,
    next: Next,
) -> Response {
    let answer = in_turn(&guards.validations, next.run(request));
    within(VALIDATION_TIMEOUT_SECONDS, answer).await
}

/// As [`validation`], of what requestors send and fetch: neither waits for the other.
pub(super) async fn output(State(guards): State<Guards>, request: Request, next: Next) -> Response {
    let answer = in_turn(&guards.outputs, next.run(request));
    within(VALIDATION_TIMEOUT_SECONDS, answer).await
}

async fn in_turn(places: &Semaphore, answer: impl Future<Output = Response>) -> Response {
    match places.acquire().await {
        Ok(_place) => answer.await,
        Err(_) => Problem::busy().into_response(),
    }
}

async fn within(seconds: u64, answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(Duration::from_secs(seconds), answer).await {
        Ok(answer) => answer,
        Err(_) => Problem::timed_out(seconds).into_response(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use tower_http::catch_panic::CatchPanicLayer;

    async fn answer(router: Router) -> (StatusCode, String) {
        answer_at(router, "/").await
    }

    async fn answer_at(router: Router, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = TowerToHyperService::new(router)
            .call(request)
            .await
            .unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_is_too_much_is_told_to_come_back() {
        let guards = Guards {
            requests: Arc::new(Semaphore::new(1)),
            ..Guards::default()
        };
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/metrics", get(|| async { "figures" }))
            .route("/v1/health", get(|| async { "well" }))
            .layer(from_fn_with_state(guards.clone(), shed));
        let place = guards.requests.clone().try_acquire_owned().unwrap();
        let (status, body) = answer(router.clone()).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("/busy"), "{body}");
        for (path, word) in [("/metrics", "figures"), ("/v1/health", "well")] {
            let answered = answer_at(router.clone(), path).await;
            assert_eq!(answered, (StatusCode::OK, word.into()));
        }
        drop(place);
        assert_eq!(
            answer(router.clone()).await,
            (StatusCode::OK, "here".into())
        );
        assert_eq!(
            answer(router).await.0,
            StatusCode::OK,
            "the place is given back"
        );
    }

    #[tokio::test]
    async fn what_takes_too_long_is_given_up_with_a_problem() {
        let response = within(0, std::future::pending()).await;
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(
            body.windows(15).any(|window| window == b"longer than 0 s"),
            "{body:?}"
        );
    }

    #[tokio::test]
    async fn payloads_wait_for_a_place_before_they_are_read() {
        let guards = Guards {
            validations: Arc::new(Semaphore::new(0)),
            ..Guards::default()
        };
        let router = Router::new()
            .route("/", get(|| async { "examined" }))
            .layer(from_fn_with_state(guards.clone(), validation));
        let mut waiting = std::pin::pin!(answer(router));
        assert!(futures::poll!(&mut waiting).is_pending());
        guards.validations.add_permits(1);
        assert_eq!(waiting.await, (StatusCode::OK, "examined".into()));
    }

    #[tokio::test]
    async fn a_panic_ends_one_request_and_says_nothing_of_itself() {
        async fn falls() -> &'static str {
            panic!("secret 4711")
        }
        let router = Router::new()
            .route("/", get(falls))
            .layer(CatchPanicLayer::custom(super::super::problem::panicked));
        let (status, body) = answer(router).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            body.contains("/internal") && !body.contains("4711"),
            "{body}"
        );
    }
}
