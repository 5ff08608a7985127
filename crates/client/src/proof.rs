//! Proofs from any node, checked against the chain (P8, P22, P26): the node that made one need not be believed.

use alloy_primitives::B256;
use medshare_chain::{
    Chain, ChainError, ContractProof, EvmBlock, PackageStatus, StorageProofError,
};
use medshare_protocol::block::Place;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::proof::{ConsistencyProof, InclusionProof, ProofError};
use serde::de::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{ApiError, NodeApi};

/// A proof as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "kebab-case")]
pub enum Proof {
    /// A block is in a chain.
    Inclusion(InclusionProof),
    /// A chain only grew.
    Growth(ConsistencyProof),
    /// What the contract held of a package.
    State(StateProof),
}

impl Proof {
    /// Reads a proof as JSON. White space and the order of fields are free, and nothing else is (SPEC §2.1).
    ///
    /// # Errors
    /// When it is no proof, or one in another spelling.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        let proof: Self = serde_json::from_slice(text)?;
        let (read, written): (Value, Value) =
            (serde_json::from_slice(text)?, serde_json::to_value(&proof)?);
        if read == written {
            return Ok(proof);
        }
        Err(serde_json::Error::custom(
            "bytes are written as `0x` and lower-case digits, and there are no other fields",
        ))
    }
}

/// What the contract held of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateProof {
    /// The package.
    pub package: PackageId,
    /// The contract's storage.
    pub contract: ContractProof,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The node cannot be asked, or knows no such block.
    #[error(transparent)]
    Node(#[from] ApiError),
    /// What the node gave proves nothing.
    #[error("what the node gave is no proof: {0}")]
    Unsound(#[from] ProofError),
    /// What the node gave proves nothing about the contract.
    #[error("what the node gave is no proof: {0}")]
    UnsoundState(#[from] StorageProofError),
    /// It is about something else.
    #[error("the node proved something else than it was asked: {0}")]
    OfAnother(&'static str),
    /// The EVM block is none of this chain.
    #[error(
        "the proof stands on the EVM block {number} with the hash {told}, which is not on this chain: \
         it was reorganised meanwhile, or the node sees another chain; try again"
    )]
    OtherChain {
        /// The block's number.
        number: u64,
        /// Its hash in the proof.
        told: B256,
    },
}

/// The newest EVM block, and the head that the contract holds of a chain there.
struct Held {
    evm_block: u64,
    head: B256,
}

impl Held {
    async fn of(chain: &Chain, name: ChainName) -> Result<Self, ProveError> {
        let evm_block = chain.block_number().await?;
        let head = match name {
            ChainName::Thread(requestor) => chain.thread_head_at(requestor, evm_block).await?,
            ChainName::Side(package) => chain.package_at(package, evm_block).await?.head,
        };
        Ok(Self { evm_block, head })
    }
}

/// That the block with this leaf hash is in its chain, of which the contract holds the head now: the one at a place, or
/// the first that was anchored.
///
/// # Errors
/// When somebody cannot be asked, or what the node gave does not hold.
pub async fn prove_block(
    chain: &Chain,
    node: &NodeApi,
    leaf: LeafHash,
    place: Option<Place>,
) -> Result<InclusionProof, ProveError> {
    // Which chain the block is in, only the node can tell.
    let name = node.inclusion(leaf, place, None).await?.chain;
    let held = Held::of(chain, name).await?;
    let proof = node.inclusion(leaf, place, Some(held.evm_block)).await?;
    let asked = place.and_then(Place::height);
    if proof.leaf != leaf
        || proof.chain != name
        || asked.is_some_and(|height| height != proof.index)
    {
        return Err(ProveError::OfAnother("the block is another one"));
    }
    proof.check(held.head)?;
    Ok(proof)
}

/// That a chain only grew since it had `old_size` blocks, up to the head that the contract holds now. Whoever noted the
/// head of that time compares it with the proof's.
///
/// # Errors
/// When somebody cannot be asked, or what the node gave does not hold.
pub async fn prove_growth(
    chain: &Chain,
    node: &NodeApi,
    name: ChainName,
    old_size: u64,
) -> Result<ConsistencyProof, ProveError> {
    let held = Held::of(chain, name).await?;
    let proof = node
        .consistency(name, old_size, Some(held.evm_block))
        .await?;
    if proof.chain != name || proof.old.size != old_size {
        return Err(ProveError::OfAnother(
            "the chain or its size is another one",
        ));
    }
    proof.check(proof.old.head(), held.head)?;
    Ok(proof)
}

/// What the contract held of a package at an EVM block, or holds at the newest.
///
/// # Errors
/// When somebody cannot be asked, or what the node gave does not hold.
pub async fn prove_state(
    chain: &Chain,
    node: &NodeApi,
    package: PackageId,
    evm_block: Option<u64>,
) -> Result<(StateProof, EvmBlock, PackageStatus), ProveError> {
    let contract = node.contract_proof(package, evm_block).await?;
    if contract.contract != chain.contract() {
        return Err(ProveError::OfAnother("the contract is another one"));
    }
    let proven = contract.verify()?;
    let EvmBlock { number, hash, .. } = proven.block;
    if evm_block.is_some_and(|asked| asked != number) {
        return Err(ProveError::OfAnother("the EVM block is another one"));
    }
    if chain.block_hash(number).await? != Some(hash) {
        return Err(ProveError::OtherChain { number, told: hash });
    }
    let status = proven.package(package)?;
    let proof = StateProof { package, contract };
    Ok((proof, proven.block, status))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_proof_has_one_spelling() {
        let end = |size| medshare_protocol::proof::ChainEnd {
            size,
            root: medshare_protocol::merkle::Log::default().root(),
            header: alloy_primitives::FixedBytes::repeat_byte(0xab),
        };
        let proof = Proof::Growth(ConsistencyProof {
            chain: ChainName::Side(PackageId(B256::repeat_byte(0xcd))),
            old: end(1),
            new: end(2),
            path: Vec::new(),
        });
        let text = serde_json::to_string_pretty(&proof).unwrap();
        assert_eq!(Proof::from_json(text.as_bytes()).unwrap(), proof);
        for changed in [
            text.replace("abab", "ABAB"),
            text.replace("0xcd", "cd"),
            text.replace("\"old\"", "\"more\": 1, \"old\""),
        ] {
            assert!(Proof::from_json(changed.as_bytes()).is_err(), "{changed}");
        }
    }
}
