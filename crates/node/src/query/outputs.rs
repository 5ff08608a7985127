//! Outputs that are held back (SPEC §5.3): sent, asked for, fetched.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{self, HeldOutput};

use super::input::{Id, Numbered, RawBody};
use super::problem::Problem;
use crate::service::Node;

/// A client has so long to send an output, seconds.
pub const OUTPUT_BODY_SECONDS: u64 = 100;

/// Takes an output that a report has told of. The report has its hash, so the bytes need no other signature.
#[utoipa::path(put, path = "/v1/packages/{id}/outputs/{number}", tag = "packages",
    params(("id" = String, Path), ("number" = u32, Path, description = "Number of the report that told of it")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The sealed output"), responses(
    (status = NO_CONTENT, description = "Kept until the custodian has decided"),
    (status = BAD_REQUEST, body = wire::Problem, content_type = "application/problem+json"),
    (status = CONFLICT, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn send(
    State(node): State<Node>,
    Numbered(id, number): Numbered,
    request: Request,
) -> Result<StatusCode, Problem> {
    // Nothing is taken into memory that nobody waits for.
    node.inner.awaited_output(id, number).await?;
    let body = RawBody::from_request(request, &node);
    let RawBody(sealed) = tokio::time::timeout(Duration::from_secs(OUTPUT_BODY_SECONDS), body)
        .await
        .map_err(|_| Problem::timed_out(OUTPUT_BODY_SECONDS))??;
    node.inner.take_output(id, number, sealed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is held back of a package, and what was decided.
#[utoipa::path(get, path = "/v1/packages/{id}/outputs", tag = "packages", params(("id" = String, Path)), responses(
    (status = OK, body = Vec<HeldOutput>),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
) -> Result<Json<Vec<HeldOutput>>, Problem> {
    Ok(Json(node.inner.outputs(id).await?))
}

/// A released output, sealed to the requestor.
#[utoipa::path(get, path = "/v1/packages/{id}/outputs/{number}", tag = "packages",
    params(("id" = String, Path), ("number" = u32, Path, description = "Number of the report that told of it")), responses(
    (status = OK, description = "The output", content_type = "application/octet-stream"),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
    (status = CONFLICT, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn fetch(
    State(node): State<Node>,
    Numbered(id, number): Numbered,
) -> Result<Response, Problem> {
    let sealed = node.inner.released_output(id, number).await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], sealed).into_response())
}
