//! The data query layer (P2): the node's HTTP interface.
//!
//! One table of all routes is here; a handler reads its input, calls one method of [`Node`] and shapes the answer.
//! Everything that goes wrong, in handlers and before them, is a [`problem`] (RFC 9457).

mod guards;
mod input;
mod openapi;
mod outputs;
mod packages;
mod peers;
pub mod problem;
mod proofs;
mod range;
mod requests;
mod status;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use medshare_protocol::output::MAX_SEALED_OUTPUT_BYTES;

use crate::peer::MAX_ENVELOPE_BYTES;
use crate::service::Node;

pub use openapi::document;

/// Bodies that people's clients send: a request with its filter is the longest.
pub const MAX_JSON_BODY_BYTES: usize = 1024 * 1024;
/// A sealed block record from a peer.
pub const MAX_BLOCK_ENVELOPE_BYTES: usize = 16 * 1024;

/// The whole interface of `node`.
pub fn router(node: Node) -> Router {
    let guards = guards::Guards::default();
    let validations = routes(&guards);
    let (router, document) = validations.split_for_parts();
    let document = openapi::bytes(document);
    router
        .route(
            "/v1/openapi.json",
            axum::routing::get(move || openapi::serve(document.clone())),
        )
        .route("/metrics", axum::routing::get(status::metrics))
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::unknown_method)
        .layer(from_fn_with_state(guards, guards::shed))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(guards::observe))
        .with_state(node)
}

/// Every route that is in the OpenAPI document, with the limits of each group.
fn routes(guards: &guards::Guards) -> OpenApiRouter<Node> {
    let quick = OpenApiRouter::with_openapi(openapi::description())
        .routes(routes!(status::info))
        .routes(routes!(status::health))
        .routes(routes!(status::datasets))
        .routes(routes!(status::violations))
        .routes(routes!(status::alerts))
        .routes(routes!(requests::submit))
        .routes(routes!(requests::status))
        .routes(routes!(packages::download))
        .routes(routes!(packages::last_report))
        .routes(routes!(packages::renew))
        .routes(routes!(packages::end_session))
        .routes(routes!(packages::submit_deletion, packages::deletion))
        .routes(routes!(packages::dossier))
        .routes(routes!(packages::blocks))
        .routes(routes!(outputs::list))
        .routes(routes!(proofs::block))
        .routes(routes!(proofs::inclusion))
        .routes(routes!(proofs::thread_growth))
        .routes(routes!(proofs::side_growth))
        .routes(routes!(proofs::state))
        .layer(DefaultBodyLimit::max(MAX_JSON_BODY_BYTES))
        .layer(from_fn(guards::quick));
    // These wait for a transaction to be mined.
    let chained = OpenApiRouter::new()
        .routes(routes!(requests::register))
        .routes(routes!(packages::report))
        .layer(DefaultBodyLimit::max(MAX_JSON_BODY_BYTES))
        .layer(from_fn(guards::chained));
    let blocks = OpenApiRouter::new()
        .routes(routes!(peers::block))
        .layer(DefaultBodyLimit::max(MAX_BLOCK_ENVELOPE_BYTES))
        .layer(from_fn(guards::quick));
    let validations = OpenApiRouter::new()
        .routes(routes!(peers::validation))
        .layer(DefaultBodyLimit::max(MAX_ENVELOPE_BYTES))
        .layer(from_fn_with_state(guards.clone(), guards::validation));
    // Long bodies of requestors, a few at a time.
    let outputs = OpenApiRouter::new()
        .routes(routes!(outputs::send, outputs::fetch))
        .layer(DefaultBodyLimit::max(MAX_SEALED_OUTPUT_BYTES))
        .layer(from_fn_with_state(guards.clone(), guards::output));
    quick
        .merge(chained)
        .merge(blocks)
        .merge(validations)
        .merge(outputs)
}
