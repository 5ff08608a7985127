//! Registering, asking, and seeing how far a request is.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{
    self, RegistrationAnswer, RequestStatus, SignedRegistration, SignedRequest,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::input::{Asked, Body, Id};
use super::problem::Problem;
use crate::service::Node;

/// Longest wait of a long poll, seconds.
pub const MAX_WAIT_SECONDS: u64 = 30;

/// Registers a wallet and its sealing key; the node relays it to the chain, so nobody needs currency (P1).
#[utoipa::path(post, path = "/v1/requestors", tag = "requests", request_body = SignedRegistration, responses(
    (status = OK, body = RegistrationAnswer),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn register(
    State(node): State<Node>,
    Body(registration): Body<SignedRegistration>,
) -> Result<Json<RegistrationAnswer>, Problem> {
    Ok(Json(node.register(registration).await?))
}

/// Asks for data. It is recorded before it is answered, also when it is refused (P2).
#[utoipa::path(post, path = "/v1/requests", tag = "requests", request_body = SignedRequest, responses(
    (status = ACCEPTED, body = RequestStatus),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
    (status = TOO_MANY_REQUESTS, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn submit(
    State(node): State<Node>,
    Body(request): Body<SignedRequest>,
) -> Result<(StatusCode, Json<RequestStatus>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(node.request(request).await?)))
}

/// How a long poll waits.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wait {
    /// Answer when the form has more steps than this.
    #[serde(default)]
    after: usize,
    /// But no later than after so many seconds, 30 at most.
    #[serde(default)]
    wait_seconds: u64,
}

/// How far a request is. Waits for news when asked to.
#[utoipa::path(get, path = "/v1/requests/{id}", tag = "requests",
    params(("id" = String, Path, description = "Id of the request and of its package"), Wait), responses(
    (status = OK, body = RequestStatus),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn status(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Asked(wait): Asked<Wait>,
) -> Result<Json<RequestStatus>, Problem> {
    if wait.wait_seconds > MAX_WAIT_SECONDS {
        return Err(Problem::bad_request(format!(
            "wait_seconds is at most {MAX_WAIT_SECONDS}"
        )));
    }
    let patience = Duration::from_secs(wait.wait_seconds);
    Ok(Json(node.status(id, wait.after, patience).await?))
}
