//! Proofs for those who trust no node (P8, P22, P26): that a block is in its chain, that a chain only grew, what the
//! contract held.

use std::sync::Arc;

use medshare_chain::{Address, ContractProof};
use medshare_protocol::block::{ParentBody, Place};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::proof::{ChainEnd, ConsistencyProof, InclusionProof};

use crate::error::NodeError;
use crate::running::Inner;

/// Up to where a chain is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpTo {
    /// All of it.
    #[default]
    Now,
    /// So many blocks.
    Size(u64),
    /// What was anchored up to the EVM block with this number.
    EvmBlock(u64),
}

impl Inner {
    pub(crate) async fn inclusion(
        self: &Arc<Self>,
        leaf: LeafHash,
        place: Option<Place>,
        up_to: UpTo,
    ) -> Result<InclusionProof, NodeError> {
        let entry = self.anchored(leaf, place).await?;
        let size = self.size(entry.chain, up_to).await?;
        let proven = self.store.inclusion(entry.chain, entry.position, size);
        let Some((end, path)) = proven.await? else {
            self.end(entry.chain, UpTo::Size(size)).await?;
            return Err(NodeError::Conflict(format!(
                "the block is number {} of the {}, which had {size} blocks then",
                entry.position, entry.chain
            )));
        };
        Ok(InclusionProof {
            chain: entry.chain,
            leaf,
            index: entry.position,
            end,
            path,
        })
    }

    pub(crate) async fn consistency(
        self: &Arc<Self>,
        chain: ChainName,
        old_size: u64,
        up_to: UpTo,
    ) -> Result<ConsistencyProof, NodeError> {
        let new = self.end(chain, up_to).await?;
        let old = self.end(chain, UpTo::Size(old_size)).await?;
        let path = self
            .store
            .consistency_path(chain, old.size, new.size)
            .await?;
        let path = path.ok_or_else(|| {
            NodeError::BadRequest(format!(
                "a chain of {} blocks cannot have grown out of one of {}",
                new.size, old.size
            ))
        })?;
        Ok(ConsistencyProof {
            chain,
            old,
            new,
            path,
        })
    }

    /// With the custodians of the nodes that the package's parent block names, as far as its record is here.
    pub(crate) async fn contract_proof(
        &self,
        package: PackageId,
        evm_block: Option<u64>,
    ) -> Result<ContractProof, NodeError> {
        let nodes = self.nodes_of(package).await?;
        let proof = self.chain.prove(package, &nodes, evm_block).await?;
        if let Some(proof) = proof {
            return Ok(proof);
        }
        Err(NodeError::NotFound(match evm_block {
            Some(number) if self.chain.block_hash(number).await?.is_none() => {
                format!("there is no EVM block {number}")
            }
            Some(number) => format!("there was no contract yet at the EVM block {number}"),
            None => "there is no contract at the newest EVM block".into(),
        }))
    }

    async fn nodes_of(&self, package: PackageId) -> Result<Vec<Address>, NodeError> {
        let Some(parent) = self.store.parent_entry(package).await? else {
            return Ok(Vec::new());
        };
        let body = self.store.body(parent.leaf).await?;
        let body = body.and_then(|body| ParentBody::from_bytes(&body).ok());
        Ok(match body {
            Some(body) => vec![body.transaction.node, body.transaction.verifier],
            None => vec![parent.node],
        })
    }

    async fn end(self: &Arc<Self>, chain: ChainName, up_to: UpTo) -> Result<ChainEnd, NodeError> {
        let size = self.size(chain, up_to).await?;
        let end = self.store.chain_end(chain, size).await?;
        if let (None, ChainName::Side(package)) = (&end, chain)
            && self.store.parent_entry(package).await?.is_none()
        {
            return Err(NodeError::NotFound(format!(
                "no package {package} is issued"
            )));
        }
        end.ok_or_else(|| match size {
            0 => NodeError::NotFound(format!("the {chain} has no block there")),
            _ => NodeError::NotFound(format!("the {chain} has fewer than {size} blocks")),
        })
    }

    async fn size(self: &Arc<Self>, chain: ChainName, up_to: UpTo) -> Result<u64, NodeError> {
        Ok(match up_to {
            UpTo::Now => self.store.chain_size(chain, None).await?,
            UpTo::Size(size) => size,
            UpTo::EvmBlock(number) => {
                let seen = self.store.event_position().await?;
                if seen.is_none_or(|seen| seen.block < number) {
                    self.catch_up().await?;
                }
                self.store.chain_size(chain, Some(number)).await?
            }
        })
    }
}
