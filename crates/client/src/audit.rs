//! The audit (P8, P23, P26): with nothing but the chain and any one node, everything from genesis to head is verified,
//! or it is shown exactly what is wrong, where, and whom to ask.
//!
//! | module | what |
//! |---|---|
//! | [`source`] | where block records come from: a node, or a folder |
//! | [`auditor`] | takes the contract's events in order and checks each; no I/O |
//! | `registry` | who was a node at each event, and how much work was asked |
//! | `trail` | one package: its side-chain, and its state rebuilt from the events |
//! | [`fault`], [`report`] | what can be wrong, and how it is told |
//!
//! Events are read in ranges and forgotten; what stays is O(log n) for each chain, and the findings.

pub mod auditor;
pub mod fault;
mod registry;
pub mod report;
pub mod source;
#[cfg(test)]
mod tests;
mod trail;

use std::time::{SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt, stream};
use medshare_chain::{Address, B256, Chain, ChainError, LoggedEvent};
use medshare_protocol::id::LeafHash;

use crate::api::ApiError;

pub use auditor::{Auditor, Heads};
pub use fault::AuditFault;
pub use report::{Anchorage, AuditFinding, AuditReport, Check, Subject};
pub use source::BlockSource;

/// EVM blocks whose events are held at once.
const RANGE_BLOCKS: u64 = 2_000;
/// Block records that are asked for at once.
const FETCHES_AT_ONCE: usize = 16;

/// How far an audit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditProgress {
    /// EVM blocks read.
    pub evm_block: u64,
    /// EVM blocks to read.
    pub last_evm_block: u64,
    /// Blocks of the ledger verified so far.
    pub blocks: u64,
}

/// Why an audit could not be carried out. What an audit finds is no error, see [`AuditReport`].
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The node cannot be asked.
    #[error(transparent)]
    Node(#[from] ApiError),
    /// The node serves another deployment.
    #[error(
        "the node {address} serves contract {node_contract} on chain {node_chain}, not {contract} on chain {chain}: \
         check the node's address and the contract's"
    )]
    OtherDeployment {
        /// Scheme, host and port.
        address: String,
        /// The contract that the node serves.
        node_contract: Address,
        /// On which chain.
        node_chain: u64,
        /// The contract that is audited.
        contract: Address,
        /// On which chain.
        chain: u64,
    },
    /// The folder of block records cannot be read.
    #[error("cannot read {path}: {reason}")]
    Folder {
        /// File or folder.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The chain was reorganised while it was read.
    #[error(
        "the chain was reorganised below EVM block {block} while it was audited: run the audit again"
    )]
    Reorganised {
        /// The block that was the newest when the audit began.
        block: u64,
    },
}

/// Audits everything against the records that a node serves.
///
/// # Errors
/// When chain or node cannot be asked. Findings are in the report.
pub async fn audit(
    chain: &Chain,
    node_url: &str,
    progress: &(dyn Fn(AuditProgress) + Sync),
) -> Result<AuditReport, AuditError> {
    audit_with(chain, &BlockSource::node(node_url)?, progress).await
}

/// Audits everything against the records of any source.
///
/// # Errors
/// When chain or source cannot be asked. Findings are in the report.
pub async fn audit_with(
    chain: &Chain,
    source: &BlockSource,
    progress: &(dyn Fn(AuditProgress) + Sync),
) -> Result<AuditReport, AuditError> {
    source.check(chain).await?;
    let last_evm_block = chain.block_number().await?;
    let block_hash = hash_of(chain, last_evm_block).await?;
    let mut auditor = Auditor::new(chain.domain().clone(), source.name());
    let mut next = 0;
    while next <= last_evm_block {
        let last = last_evm_block.min(next + RANGE_BLOCKS - 1);
        let events = chain.events(next, last).await?;
        take(&mut auditor, source, &events).await?;
        progress(AuditProgress {
            evm_block: last,
            last_evm_block,
            blocks: auditor.blocks(),
        });
        next = last + 1;
    }
    let heads = heads(chain, &auditor, last_evm_block).await?;
    if hash_of(chain, last_evm_block).await? != block_hash {
        return Err(AuditError::Reorganised {
            block: last_evm_block,
        });
    }
    Ok(auditor.finish(&heads, last_evm_block, block_hash))
}

/// Fetches the records of all blocks that these events anchor, several at once, and checks event by event.
async fn take(
    auditor: &mut Auditor,
    source: &BlockSource,
    events: &[LoggedEvent],
) -> Result<(), AuditError> {
    let leaves: Vec<LeafHash> = events
        .iter()
        .flat_map(|event| auditor::leaves(&event.event))
        .collect();
    let fetches = stream::iter(leaves)
        .map(|leaf| source.fetch(leaf))
        .buffered(FETCHES_AT_ONCE);
    let mut records = std::pin::pin!(fetches);
    for event in events {
        let mut own = Vec::new();
        for _ in auditor::leaves(&event.event) {
            // `buffered` keeps the order: these are this event's.
            own.push(records.try_next().await?.flatten());
        }
        auditor.take(event, own);
    }
    Ok(())
}

/// What the contract holds at the last block, of everything that the events named.
async fn heads(chain: &Chain, auditor: &Auditor, block: u64) -> Result<Heads, AuditError> {
    let threads = stream::iter(auditor.requestors())
        .map(|name| async move {
            chain
                .thread_head_at(name, block)
                .await
                .map(|head| (name, head))
        })
        .buffered(FETCHES_AT_ONCE)
        .try_collect()
        .await?;
    let packages = stream::iter(auditor.packages())
        .map(|id| async move { chain.package_at(id, block).await.map(|status| (id, status)) })
        .buffered(FETCHES_AT_ONCE)
        .try_collect()
        .await?;
    let evm_time = chain
        .time_of_block(block)
        .await?
        .ok_or(AuditError::Reorganised { block })?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(evm_time, |since| since.as_secs());
    Ok(Heads {
        threads,
        packages,
        evm_time,
        now,
    })
}

async fn hash_of(chain: &Chain, block: u64) -> Result<B256, AuditError> {
    chain
        .block_hash(block)
        .await?
        .ok_or(AuditError::Reorganised { block })
}
