//! The audit (P8, P23, P26): with nothing but the chain and any one node, everything from genesis to head is verified,
//! or it is shown exactly what is wrong, where, and whom to ask.
//!
//! | module | what |
//! |---|---|
//! | [`source`] | where block records come from: a node, or a folder |
//! | [`auditor`] | takes the contract's events in order and checks each; no I/O |
//! | `registry` | who was a node at each event, and how much work was asked |
//! | `trail`, `violations` | one package: its side-chain, and its state rebuilt from the events |
//! | `shelf` | where what is known of many threads and packages is put aside |
//! | [`files`] | containers, forms and report bodies against the hashes in their blocks |
//! | [`view`] | what is asked of the contract |
//! | `walk`, `ranges` | goes through events and records, for an audit and for [`mod@export`], which writes them as one text |
//! | `run` | an audit from beginning to end, on all cores |
//! | [`fault`], [`report`] | what can be wrong, and how it is told |
//! | [`made_up`] | a ledger of any size, to measure and to test with |
//!
//! Events are read in ranges and forgotten; what stays is O(log n) for each chain, and the findings.

pub mod auditor;
pub mod export;
pub mod fault;
pub mod files;
pub mod made_up;
mod ranges;
mod registry;
pub mod report;
mod run;
mod shelf;
pub mod source;
#[cfg(test)]
mod tests;
mod trail;
pub mod view;
mod violations;
mod walk;

use medshare_chain::{Address, Chain, ChainError};

use crate::api::ApiError;

pub use auditor::{Auditor, Heads};
pub use export::{Exported, export};
pub use fault::AuditFault;
pub use files::{FileKind, Files};
pub use report::{Anchorage, AuditFinding, AuditReport, Check, Subject};
pub use run::{audit_with, audit_with_files};
pub use source::{BlockSource, Records};
pub use view::ContractView;

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
    /// What is put aside meanwhile can be neither written nor read.
    #[error(
        "a temporary file cannot be written or read ({0}): free space in the folder for temporary files, or name another one in TMPDIR"
    )]
    Aside(std::io::Error),
    /// The program is ending.
    #[error("the audit was interrupted")]
    Interrupted,
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
