//! Who answers here, whether it is well, what it serves, and who broke its rules.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use medshare_protocol::wire::{self, Alert, DatasetInfo, NodeInfo};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::input::Asked;
use super::problem::Problem;
use crate::permissions::ViolationRecord;
use crate::service::{MAX_WAIT, Node};

/// `GET /v1/health`, when all is well.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ready`.
    status: &'static str,
}

/// Who answers here.
#[utoipa::path(get, path = "/v1/info", tag = "node", responses((status = OK, body = NodeInfo)))]
pub(super) async fn info(State(node): State<Node>) -> Json<NodeInfo> {
    Json(node.info())
}

/// Whether store and chain can be reached.
#[utoipa::path(get, path = "/v1/health", tag = "node", responses(
    (status = OK, body = Health),
    (status = SERVICE_UNAVAILABLE, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn health(State(node): State<Node>) -> Result<Json<Health>, Problem> {
    match node.ready().await {
        Ok(()) => Ok(Json(Health { status: "ready" })),
        Err(error) => Err(Problem::unhealthy(error.to_string())),
    }
}

/// What can be asked for.
#[utoipa::path(get, path = "/v1/datasets", tag = "node", responses(
    (status = OK, body = Vec<DatasetInfo>),
    (status = SERVICE_UNAVAILABLE, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn datasets(State(node): State<Node>) -> Result<Json<Vec<DatasetInfo>>, Problem> {
    Ok(Json(node.datasets().await?))
}

/// The permissions database: violations, with the response actions that were carried out (P7). All of it is public on
/// chain.
#[utoipa::path(get, path = "/v1/violations", tag = "node", responses(
    (status = OK, body = Vec<Object>),
))]
pub(super) async fn violations(
    State(node): State<Node>,
) -> Result<Json<Vec<ViolationRecord>>, Problem> {
    Ok(Json(node.violations().await?))
}

/// Where a long poll for alerts goes on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listening {
    /// Number of the last alert that is known.
    #[serde(default)]
    after: u64,
    /// Answer after so many seconds at the latest, 30 at most.
    #[serde(default)]
    wait_seconds: u64,
}

/// What the node has found wrong in its own store, and what it has repaired. Waits for news when asked to (P23).
#[utoipa::path(get, path = "/v1/alerts", tag = "node", params(Listening), responses(
    (status = OK, body = Vec<Alert>),
    (status = BAD_REQUEST, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn alerts(
    State(node): State<Node>,
    Asked(listening): Asked<Listening>,
) -> Result<Json<Vec<Alert>>, Problem> {
    let Listening {
        after,
        wait_seconds,
    } = listening;
    let patience = Duration::from_secs(wait_seconds);
    if patience > MAX_WAIT {
        return Err(Problem::bad_request(format!(
            "wait_seconds is at most {}",
            MAX_WAIT.as_secs()
        )));
    }
    Ok(Json(node.alerts(after, patience).await?))
}

/// The node's figures, in the text form of Prometheus.
pub(super) async fn metrics() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        crate::telemetry::figures(),
    )
}
