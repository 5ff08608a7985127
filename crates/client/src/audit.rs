//! The audit (P8, P23, P26): with nothing but the chain and any one node, everything from genesis to head is verified,
//! or it is shown exactly what is wrong, where, and whom to ask.
//!
//! | module | what |
//! |---|---|
//! | [`source`] | where block records come from: a node, or a folder |
//! | [`auditor`] | takes the contract's events in order and checks each; no I/O |
//! | `registry` | who was a node at each event, and how much work was asked |
//! | `trail` | one package: its side-chain, and its state rebuilt from the events |
//! | `walk` | goes through events and records, for the auditor and for [`mod@export`], which writes them as one text |
//! | [`fault`], [`report`] | what can be wrong, and how it is told |
//!
//! Events are read in ranges and forgotten; what stays is O(log n) for each chain, and the findings.

pub mod auditor;
pub mod export;
pub mod fault;
mod registry;
pub mod report;
pub mod source;
#[cfg(test)]
mod tests;
mod trail;
mod walk;

use std::time::{SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt, stream};
use medshare_chain::{Address, Chain, ChainError};

use crate::api::ApiError;
use walk::{Tip, walk};

pub use auditor::{Auditor, Heads};
pub use export::{Exported, export};
pub use fault::AuditFault;
pub use report::{Anchorage, AuditFinding, AuditReport, Check, Subject};
pub use source::BlockSource;

/// Block records, or heads, that are asked for at once.
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
    /// An export cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
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
    let tip = Tip::of(chain).await?;
    let mut auditor = Auditor::new(chain.domain().clone(), source.name());
    walk(chain, source, tip, progress, &mut |event, records| {
        auditor.take(event, records);
        Ok(())
    })
    .await?;
    let heads = heads(chain, &auditor, tip.number).await?;
    tip.check(chain).await?;
    Ok(auditor.finish(&heads, tip.number, tip.hash))
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
