//! The contract's events: the whole state can be rebuilt from them.

mod decode;

use alloy::primitives::{Address, B256, U256};
use medshare_protocol::id::{DatasetId, FormDigest, PackageId, PayloadHash, ReportDigest};
use medshare_protocol::usage::{Actions, UsageContract};
use medshare_protocol::wire::Class;

use crate::record::{IssuedRequest, Response, ResponseKind};
use crate::revert::ContractError;

/// Where an event stands in the chain's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventPosition {
    /// Number of the EVM block.
    pub block: u64,
    /// Index of the event in the block.
    pub log_index: u64,
    /// Hash of the block: when the chain tells another one for this number, it was reorganised.
    pub block_hash: B256,
}

/// An event with its place and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Where it stands.
    pub position: EventPosition,
    /// Hash of the transaction that caused it.
    pub transaction: B256,
    /// The EVM block's time, s since the Unix epoch.
    pub time: u64,
    /// What happened.
    pub event: Event,
}

/// An issued package as the chain tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageIssued {
    /// The package.
    pub package: PackageId,
    /// The request it answers.
    pub request: IssuedRequest,
    /// The rules that travel with it.
    pub usage: UsageContract,
    /// sha256d(salt ‖ plaintext).
    pub payload_hash: PayloadHash,
    /// Digest of the form as the second node saw it.
    pub form_digest: FormDigest,
    /// The node that issued it.
    pub node: Address,
    /// The second node.
    pub verifier: Address,
    /// The parent block's entry.
    pub entry: [u8; 80],
}

/// What happened in the contract. Fields are named as in `IMedShareEvents.sol`, in the protocol's types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields are documented in `IMedShareEvents.sol`.
pub enum Event {
    /// Governance admitted a custodian.
    CustodianAdmitted { custodian: Address },
    /// Governance removed a custodian.
    CustodianRemoved { custodian: Address },
    /// Governance set the easiest target of a block.
    WorkLimitSet { bits: u32 },
    /// A custodian registered a node or changed its key and endpoint.
    NodeRegistered {
        custodian: Address,
        node: Address,
        sealing_key: B256,
        endpoint: String,
    },
    /// A custodian removed a node.
    NodeRemoved { custodian: Address, node: Address },
    /// A requestor was registered or rotated its keys; `custodian` vouches for it.
    RequestorRegistered {
        requestor: Address,
        custodian: Address,
        credential: B256,
        node: Address,
        sealing_key: B256,
        class: Class,
        nonce: U256,
    },
    /// A credential was suspended.
    CredentialSuspended { credential: B256, by: Address },
    /// A suspension was taken back.
    CredentialReinstated { credential: B256, by: Address },
    /// A dataset was published, or a new version of it.
    DatasetPublished {
        custodian: Address,
        dataset: DatasetId,
        descriptor: B256,
        purposes: Vec<B256>,
        responses: Vec<Response>,
    },
    /// A dataset was withdrawn.
    DatasetWithdrawn {
        custodian: Address,
        dataset: DatasetId,
    },
    /// A package was issued, and its parent block anchored.
    PackageIssued(Box<PackageIssued>),
    /// An item of a batch was refused.
    ItemSkipped {
        package: PackageId,
        node: Address,
        reason: ContractError,
    },
    /// Side-blocks were anchored; `entries` are whole entries of 80 bytes each.
    ReportsAnchored {
        package: PackageId,
        node: Address,
        entries: Vec<u8>,
    },
    /// A segment of a batch was refused.
    SegmentSkipped {
        package: PackageId,
        node: Address,
        reason: ContractError,
    },
    /// A violation, or tampering, was proven; `report` is the report's EIP-712 digest.
    ViolationAccepted {
        package: PackageId,
        number: u32,
        actions: Actions,
        report: ReportDigest,
    },
    /// Access was taken away. `reason`: 0 violation, 1 tampering, 2 the owner's own, 3 silent lease, 4 leak.
    PackageRevoked {
        package: PackageId,
        by: Address,
        reason: u8,
    },
    /// Access was granted again after review.
    PackageRegranted { package: PackageId, by: Address },
    /// The data was taken back; `deletion` is the digest of the requestor's signed `Deletion`, `time` its time in ms.
    PackageRetrieved {
        package: PackageId,
        by: Address,
        time: u64,
        deletion: B256,
    },
    /// A response action was carried out; `violation` counts this requestor's on this dataset, this one included.
    ResponseTaken {
        package: PackageId,
        requestor: Address,
        custodian: Address,
        kind: ResponseKind,
        violation: u32,
    },
    /// The owner lets a requestor ask again.
    RequestsAllowed {
        custodian: Address,
        requestor: Address,
    },
}

impl Event {
    /// Its name in the contract.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CustodianAdmitted { .. } => "CustodianAdmitted",
            Self::CustodianRemoved { .. } => "CustodianRemoved",
            Self::WorkLimitSet { .. } => "WorkLimitSet",
            Self::NodeRegistered { .. } => "NodeRegistered",
            Self::NodeRemoved { .. } => "NodeRemoved",
            Self::RequestorRegistered { .. } => "RequestorRegistered",
            Self::CredentialSuspended { .. } => "CredentialSuspended",
            Self::CredentialReinstated { .. } => "CredentialReinstated",
            Self::DatasetPublished { .. } => "DatasetPublished",
            Self::DatasetWithdrawn { .. } => "DatasetWithdrawn",
            Self::PackageIssued(_) => "PackageIssued",
            Self::ItemSkipped { .. } => "ItemSkipped",
            Self::ReportsAnchored { .. } => "ReportsAnchored",
            Self::SegmentSkipped { .. } => "SegmentSkipped",
            Self::ViolationAccepted { .. } => "ViolationAccepted",
            Self::PackageRevoked { .. } => "PackageRevoked",
            Self::PackageRegranted { .. } => "PackageRegranted",
            Self::PackageRetrieved { .. } => "PackageRetrieved",
            Self::ResponseTaken { .. } => "ResponseTaken",
            Self::RequestsAllowed { .. } => "RequestsAllowed",
        }
    }

    /// The package it is about.
    #[must_use]
    pub const fn package(&self) -> Option<PackageId> {
        match self {
            Self::PackageIssued(issued) => Some(issued.package),
            Self::ItemSkipped { package, .. }
            | Self::ReportsAnchored { package, .. }
            | Self::SegmentSkipped { package, .. }
            | Self::ViolationAccepted { package, .. }
            | Self::PackageRevoked { package, .. }
            | Self::PackageRegranted { package, .. }
            | Self::PackageRetrieved { package, .. }
            | Self::ResponseTaken { package, .. } => Some(*package),
            _ => None,
        }
    }
}
