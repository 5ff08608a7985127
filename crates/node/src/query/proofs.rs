//! A block by its leaf hash, and proofs: of a block in its chain, of a chain's growth, of what the contract holds.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use medshare_chain::{Address, ContractProof};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::proof::{ConsistencyProof, InclusionProof};
use medshare_protocol::wire;
use serde::Deserialize;
use utoipa::IntoParams;

use super::input::{Asked, Id, place};
use super::problem::Problem;
use crate::ledger::UpTo;
use crate::service::Node;

/// Which block is meant, of those with one leaf hash, and up to where its chain.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProofOf {
    /// So many blocks of the chain.
    size: Option<u64>,
    /// Or: what was anchored up to the EVM block with this number. Without either: all of it.
    evm_block: Option<u64>,
    /// The block of this package. Without: one in the first EVM block that has it.
    #[param(value_type = Option<String>)]
    package: Option<PackageId>,
    /// Number of the block in the package's side-chain, from 0. Without: the package's parent block.
    height: Option<u64>,
}

/// Up to where a chain is meant; without either: all of it.
struct Until {
    size: Option<u64>,
    evm_block: Option<u64>,
}

impl Until {
    fn up_to(&self) -> Result<UpTo, Problem> {
        match (self.size, self.evm_block) {
            (None, None) => Ok(UpTo::Now),
            (Some(size), None) => Ok(UpTo::Size(size)),
            (None, Some(number)) => Ok(UpTo::EvmBlock(number)),
            (Some(_), Some(_)) => Err(Problem::bad_request("give size or evm_block, not both")),
        }
    }
}

/// From where to where a chain grew.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Growth {
    /// How many blocks the chain had before: 1 or more.
    from: u64,
    /// How many afterwards.
    size: Option<u64>,
    /// Or: what was anchored up to the EVM block with this number.
    evm_block: Option<u64>,
}

impl Growth {
    fn until(&self) -> Until {
        Until {
            size: self.size,
            evm_block: self.evm_block,
        }
    }
}

/// The EVM block at which the contract is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct At {
    /// Its number; without: the newest.
    evm_block: Option<u64>,
}

/// Which block is meant, of those with one leaf hash.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BlockAt {
    /// The block of this package. Without: one in the first EVM block that has it.
    #[param(value_type = Option<String>)]
    package: Option<PackageId>,
    /// Number of the block in the package's side-chain, from 0. Without: the package's parent block.
    height: Option<u64>,
}

/// The record behind a leaf hash, byte for byte.
#[utoipa::path(get, path = "/v1/blocks/{leaf}", tag = "ledger", params(("leaf" = String, Path), BlockAt), responses(
    (status = OK, description = "The block record", content_type = "application/octet-stream"),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block(
    State(node): State<Node>,
    Id(leaf): Id<LeafHash>,
    Asked(at): Asked<BlockAt>,
) -> Result<impl IntoResponse, Problem> {
    let record = node.block(leaf, place(at.package, at.height)?).await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], record))
}

/// Proof that a block is in its chain (RFC 6962).
#[utoipa::path(get, path = "/v1/blocks/{leaf}/proof", tag = "ledger", params(("leaf" = String, Path), ProofOf), responses(
    (status = OK, body = InclusionProof),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
    (status = CONFLICT, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn inclusion(
    State(node): State<Node>,
    Id(leaf): Id<LeafHash>,
    Asked(asked): Asked<ProofOf>,
) -> Result<Json<InclusionProof>, Problem> {
    let ProofOf {
        size,
        evm_block,
        package,
        height,
    } = asked;
    let up_to = Until { size, evm_block }.up_to()?;
    let place = place(package, height)?;
    Ok(Json(node.inclusion(leaf, place, up_to).await?))
}

/// Proof that a requestor's thread only grew.
#[utoipa::path(get, path = "/v1/threads/{requestor}/growth", tag = "ledger",
    params(("requestor" = String, Path), Growth), responses(
    (status = OK, body = ConsistencyProof),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn thread_growth(
    State(node): State<Node>,
    Id(requestor): Id<Address>,
    Asked(growth): Asked<Growth>,
) -> Result<Json<ConsistencyProof>, Problem> {
    grown(&node, ChainName::Thread(requestor), &growth).await
}

/// Proof that a package's side-chain only grew.
#[utoipa::path(get, path = "/v1/packages/{id}/growth", tag = "ledger", params(("id" = String, Path), Growth), responses(
    (status = OK, body = ConsistencyProof),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn side_growth(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Asked(growth): Asked<Growth>,
) -> Result<Json<ConsistencyProof>, Problem> {
    grown(&node, ChainName::Side(id), &growth).await
}

async fn grown(
    node: &Node,
    chain: ChainName,
    growth: &Growth,
) -> Result<Json<ConsistencyProof>, Problem> {
    let up_to = growth.until().up_to()?;
    Ok(Json(node.consistency(chain, growth.from, up_to).await?))
}

/// Proof of a package's state, of its head and its thread's head, or that there was no such package, against the state root of
/// an EVM block (EIP-1186).
#[utoipa::path(get, path = "/v1/packages/{id}/state", tag = "ledger", params(("id" = String, Path), At), responses(
    (status = OK, body = Object),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn state(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Asked(at): Asked<At>,
) -> Result<Json<ContractProof>, Problem> {
    Ok(Json(node.contract_proof(id, at.evm_block).await?))
}
