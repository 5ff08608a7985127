//! Everything that goes wrong, as an HTTP answer: `application/problem+json` (RFC 9457). The only such place.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use medshare_protocol::wire;

use crate::error::NodeError;
use crate::peer::envelope::EnvelopeError;

/// What the `type` of every problem begins with.
pub const PROBLEMS: &str = "https://medshare.invalid/problems/";
/// When to come back after a passing trouble, seconds.
const RETRY_SECONDS: u64 = 2;
/// What a caller sends is quoted up to this length, characters.
const MAX_QUOTED_CHARS: usize = 100;

/// An error on its way out.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    retry: bool,
}

impl Problem {
    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            retry: false,
        }
    }

    /// What was sent cannot be understood.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "Not understood",
            detail,
        )
    }

    /// An extractor of axum did not like the request.
    pub(super) fn rejected(status: StatusCode, detail: String) -> Self {
        match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                let detail = "send the body with the header `content-type: application/json`";
                Self::new(
                    status,
                    "unsupported-media-type",
                    "Wrong content type",
                    detail,
                )
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                status,
                "too-large",
                "Too large",
                "the body is longer than this route takes",
            ),
            _ => Self::bad_request(detail),
        }
    }

    /// The byte range lies behind the end.
    pub(super) fn range_not_satisfiable(length: u64) -> Self {
        let detail = format!("the package has {length} bytes, and the range begins behind them");
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range",
            "Range not satisfiable",
            detail,
        )
    }

    /// Took too long.
    pub(super) fn timed_out(seconds: u64) -> Self {
        let detail = format!("this took longer than {seconds} s and was given up; try again");
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "Timed out", detail).retry()
    }

    /// Too many at once.
    pub(super) fn busy() -> Self {
        let detail = "the node answers as many requests as it can; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy", detail).retry()
    }

    /// Only nodes may do this.
    pub(super) fn not_a_node(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not-a-node",
            "Not a registered node",
            detail,
        )
    }

    /// Not ready to serve.
    pub(super) fn unhealthy(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unhealthy",
            "Not ready",
            detail,
        )
        .retry()
    }

    fn internal() -> Self {
        let detail = "something in the node failed; its operator finds the reason in the log";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal fault",
            detail,
        )
    }

    const fn retry(mut self) -> Self {
        self.retry = true;
        self
    }
}

impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        let detail = error.to_string();
        match error {
            NodeError::NotFound(_) => {
                Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
            }
            NodeError::Refused { reason } => {
                Self::new(StatusCode::FORBIDDEN, "refused", "Refused", reason)
            }
            NodeError::BadRequest(_) => Self::bad_request(detail),
            NodeError::Conflict(_) => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "Not what is due now",
                detail,
            ),
            NodeError::TooMany { .. } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many",
                "Too many requests",
                detail,
            )
            .retry(),
            NodeError::ChainUnavailable(_) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(
                    status,
                    "chain-unavailable",
                    "The chain cannot be seen",
                    detail,
                )
                .retry()
            }
            NodeError::LeaseRefused { .. } => {
                Self::new(StatusCode::FORBIDDEN, "lease-refused", "No lease", detail)
            }
            NodeError::PeerRefused(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "peer-refused",
                "The second node refused",
                detail,
            ),
            NodeError::PeerUnavailable(_) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "peer-unavailable", "No second node", detail).retry()
            }
            NodeError::Store(_) | NodeError::Internal(_) => {
                tracing::error!(error = detail, "a request failed inside the node");
                Self::internal()
            }
        }
    }
}

impl From<EnvelopeError> for Problem {
    fn from(error: EnvelopeError) -> Self {
        let detail = error.to_string();
        match error {
            EnvelopeError::TooLarge(_) => Self::rejected(StatusCode::PAYLOAD_TOO_LARGE, detail),
            EnvelopeError::BadSignature(_) => Self::not_a_node(detail),
            _ => Self::bad_request(detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = wire::Problem {
            kind: format!("{PROBLEMS}{}", self.kind),
            title: self.title.into(),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.retry {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        response
    }
}

pub(super) async fn unknown_route(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(MAX_QUOTED_CHARS).collect();
    let detail = format!("there is nothing at {path}; /v1/openapi.json lists what there is");
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-route",
        "Unknown route",
        detail,
    )
}

pub(super) async fn unknown_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(MAX_QUOTED_CHARS).collect();
    let detail = format!("{path} does not take {method}; the header `allow` says what it takes");
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "unknown-method",
        "Unknown method",
        detail,
    )
}

/// A panic ends one request, not the node. What it said stays out of the answer.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}
