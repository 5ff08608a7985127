//! Why a package does not open, in sentences that say what to do.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use medshare_chain::ChainError;
use medshare_protocol::package::PackageError;

use crate::agent::{Lock, ReportError};
use crate::api::ApiError;
use crate::content::ContentError;
use crate::journal::JournalError;

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("cannot read the package {path}: {error}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file was cut or changed on its way or here. Nothing was reported.
    #[error("the package file is damaged: download it again ({path}: {reason})")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is no package, or opens to something else.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The data cannot be read, or nothing can be kept of it in memory.
    #[error(transparent)]
    Content(ContentError),
    /// It belongs to another contract.
    #[error(
        "this package belongs to the contract {package_contract} on chain {package_chain}, and your profile names {contract} on chain {chain}: use the profile it was requested with"
    )]
    OtherDeployment {
        /// The package's contract.
        package_contract: Address,
        /// The package's chain.
        package_chain: u64,
        /// The profile's contract.
        contract: Address,
        /// The profile's chain.
        chain: u64,
    },
    /// It was made for somebody else (P16).
    #[error(
        "this package is tagged for {tagged}; your wallet is {wallet}: nobody else can open it"
    )]
    OfAnother {
        /// Whom it was made for.
        tagged: Address,
        /// Who tries.
        wallet: Address,
    },
    /// The node that signed it is no registered node of its owner.
    #[error(
        "the package is signed by {node}, which is no registered node of the custodian {owner}: do not trust it, and ask the custodian"
    )]
    UnknownNode {
        /// Who signed.
        node: Address,
        /// Whose data it says it is.
        owner: Address,
    },
    /// The chain knows no such package.
    #[error(
        "the chain does not know the package: it was never issued under this contract; ask the custodian"
    )]
    NotIssued,
    /// Header and chain contradict each other.
    #[error(
        "the package says another {0} than the chain: do not trust it, download it again, and ask the custodian if that does not help"
    )]
    Contradiction(&'static str),
    /// It may not be used.
    #[error("{0}")]
    Closed(Lock),
    /// It may only be opened in the sandbox.
    #[error(
        "the usage contract permits this package in the sandbox only (`medshare run`), not on the open machine"
    )]
    NeedsSandbox,
    /// It was sealed to a key that is not here.
    #[error(
        "the package was sealed to another sealing key than {own}, the one here: use the keystore that was registered when you asked for it, or ask anew"
    )]
    OtherSealingKey {
        /// The public key at hand.
        own: B256,
    },
    /// The node has fewer or other reports than it gave receipts for.
    #[error(
        "the node says the last report is number {theirs}, but it signed a receipt for number {ours} (kept in the journal): it lost or changed reports; show the journal to the custodian or an auditor"
    )]
    ReportsLost {
        /// By our receipts.
        ours: u32,
        /// By the node.
        theirs: u32,
    },
    /// Another session has the lease.
    #[error("{0}: close it there, or wait")]
    LeaseElsewhere(String),
    /// The report was received, but no share came with it.
    #[error("the node took the report but gave no share of the key: ask the custodian")]
    NoShare,
    /// The share is not for us.
    #[error(
        "the custodian's share of the key was not sealed to the sealing key here: register this sealing key again, or use the keystore that is registered"
    )]
    BadShare,
    /// The `decrypt` report has no receipt.
    #[error("the package stays closed, because its `decrypt` report was not received: {0}")]
    Report(#[from] ReportError),
    /// The node.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The client's own records.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The wallet's key could not sign.
    #[error("the wallet could not sign: {0}")]
    Signing(String),
}

impl From<ContentError> for OpenError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Package(error) => Self::Package(error),
            error => Self::Content(error),
        }
    }
}
