//! What other nodes send: sealed, signed, and only from registered ones.

use alloy_primitives::Address;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use medshare_protocol::wire::{self, ValidationAnswer};

use super::input::RawBody;
use super::problem::Problem;
use crate::clock;
use crate::error::NodeError;
use crate::peer::Content;
use crate::service::Node;

/// Examines another node's work and signs it, or refuses with the reason (P13).
#[utoipa::path(post, path = "/v1/peer/validations", tag = "peers",
    request_body(content = Vec<u8>, content_type = "application/cbor", description = "A sealed envelope"), responses(
    (status = OK, body = ValidationAnswer),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn validation(
    State(node): State<Node>,
    RawBody(envelope): RawBody,
) -> Result<Json<ValidationAnswer>, Problem> {
    let (sender, content) = opened(&node, envelope).await?;
    let Content::Validation(request) = content else {
        return Err(Problem::bad_request("this is no work to be examined"));
    };
    Ok(Json(node.validate(*request, sender).await?))
}

/// Keeps a block record (P23).
#[utoipa::path(post, path = "/v1/peer/blocks", tag = "peers",
    request_body(content = Vec<u8>, content_type = "application/cbor", description = "A sealed envelope"), responses(
    (status = NO_CONTENT, description = "Kept"),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block(
    State(node): State<Node>,
    RawBody(envelope): RawBody,
) -> Result<StatusCode, Problem> {
    let (_, content) = opened(&node, envelope).await?;
    let Content::Block(record) = content else {
        return Err(Problem::bad_request("this is no block"));
    };
    node.accept_block(record).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Opens an envelope from a registered node. The chain is asked before anything is decrypted.
async fn opened(node: &Node, envelope: axum::body::Bytes) -> Result<(Address, Content), Problem> {
    let (peers, domain) = (node.inner.peers.clone(), node.inner.chain.domain().clone());
    let sender = peers.sender_of(&domain, &envelope, clock::now_ms())?;
    let record = node
        .inner
        .chain
        .node(sender)
        .await
        .map_err(NodeError::from)?;
    if record.is_none() {
        return Err(Problem::not_a_node(format!(
            "{sender} is no registered node of this contract"
        )));
    }
    let content = tokio::task::spawn_blocking(move || peers.open(&envelope))
        .await
        .map_err(NodeError::from)??;
    Ok((sender, content))
}
