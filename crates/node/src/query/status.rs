//! Who answers here, whether it is well, what it serves, and who broke its rules.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use medshare_protocol::wire::{self, DatasetInfo, NodeInfo};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::permissions::ViolationRecord;
use crate::service::Node;

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

/// The node's figures, in the text form of Prometheus.
pub(super) async fn metrics() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        crate::telemetry::figures(),
    )
}
