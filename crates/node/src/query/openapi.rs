//! The OpenAPI document. `openapi.json` beside this crate is what it must be; a test compares.

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "MeDShare node",
        description = "The custodian's node: requests, packages, reports, blocks. Errors are RFC 9457 problems."
    ),
    tags(
        (name = "node", description = "Who answers, and what it serves"),
        (name = "requests", description = "Registering and asking"),
        (name = "packages", description = "Downloading, reporting, returning"),
        (name = "ledger", description = "Blocks, for everybody"),
        (name = "peers", description = "For registered nodes"),
    )
)]
struct Description;

pub(super) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// The document as it is served at `/v1/openapi.json`.
#[must_use]
pub fn document() -> Bytes {
    bytes(super::routes(&super::guards::Guards::default()).into_openapi())
}

pub(super) fn bytes(document: utoipa::openapi::OpenApi) -> Bytes {
    let mut text = document
        .to_pretty_json()
        .expect("an OpenAPI document is JSON");
    text.push('\n');
    text.into()
}

pub(super) async fn serve(document: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document)
}
