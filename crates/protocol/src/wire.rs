//! The JSON that nodes, clients and auditors exchange over HTTP. Hashes, addresses and bytes are `0x` and lower-case
//! hexadecimal digits; times are ms since the Unix epoch.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use crate::certificate::SignedCertificate;
use crate::chain_verifier::ChainName;
use crate::form::Step;
use crate::id::{ContainerHash, DatasetId, LeafHash, PackageId};
use crate::purpose::Purpose;
use crate::typed::{
    AccessRequest, Deletion, Disclosure, OutputDecision, Receipt, Registration, Renewal, Report,
    Session, SessionEnd, Validation,
};
use crate::usage::{Actions, Environment, State, UsageContract};

/// The class of organisation a requestor belongs to (P1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[repr(u8)]
pub enum Class {
    /// A hospital.
    Hospital = 0,
    /// A university.
    University = 1,
    /// A research institution.
    ResearchInstitution = 2,
    /// A single person.
    Individual = 3,
    /// A government body.
    Government = 4,
    /// Another.
    Other = 5,
}

impl Class {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Hospital,
        Self::University,
        Self::ResearchInstitution,
        Self::Individual,
        Self::Government,
        Self::Other,
    ];

    /// The class with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// `GET /v1/info`: who answers here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeInfo {
    /// Version of the software.
    pub version: String,
    /// The node's signing address (NID).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub node: Address,
    /// Its custodian (OID).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub custodian: Address,
    /// X25519 public key that peers seal to.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub sealing_key: B256,
    /// The EVM chain.
    pub chain_id: u64,
    /// The contract on it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub contract: Address,
    /// Length of a lease.
    pub lease_seconds: u32,
}

/// A column that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetColumn {
    /// Its name.
    pub name: String,
    /// `text`, `integer`, `decimal`, `date`.
    pub kind: String,
    /// `identifier`, `pseudonym`, `quasi-identifier`, `sensitive`, `plain` or `text`.
    pub role: String,
    /// Of a sensitive column, what each class of a release meets: objects with `model` and its parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub models: Vec<serde_json::Value>,
    /// Rules of HIPAA Safe Harbor whose finds in this column are released.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// Of free text, whether it is released, without what detectors find in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scrub: bool,
}

/// What is public of a dataset: its sha256, over exactly these JSON bytes, is the descriptor hash on chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicDescriptor {
    /// The custodian's name for it.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The columns of a release (and the identifiers that are left out of it).
    pub columns: Vec<DatasetColumn>,
    /// k of k-anonymity.
    pub k: u32,
    /// Share of records that may be suppressed, 0 to 1.
    pub suppression_limit: f64,
    /// Actions that its usage contracts grant.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub granted: Actions,
    /// Actions that its usage contracts exempt when sensitivity is low.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub exempt: Actions,
    /// Where its packages may be opened.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub environment: Environment,
    /// Days a package may be used.
    pub retention_days: u32,
    /// Limits of the risk that somebody is found again: objects with `attacker`, `figure` and `at-most`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub risks: Vec<serde_json::Value>,
    /// Whether a release keeps HIPAA Safe Harbor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub safe_harbor: bool,
}

/// `GET /v1/datasets`: a dataset that this node serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetInfo {
    /// Its id on chain.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub dataset: DatasetId,
    /// Purposes it may be asked for; empty: any.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub purposes: Vec<Purpose>,
    /// Whether it is published on chain with this descriptor.
    pub published: bool,
    /// What is public of it.
    pub descriptor: PublicDescriptor,
}

/// `POST /v1/requestors`: the node relays it to the chain, so a requestor needs no currency (P1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedRegistration {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub registration: Registration,
    /// By the requestor's wallet.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrationAnswer {
    /// The transaction that registered.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub transaction: B256,
    /// The custodian that vouches.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub custodian: Address,
}

/// `POST /v1/requests` (P2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedRequest {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub request: AccessRequest,
    /// By the requestor's wallet.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
}

/// How far a request is. Every change is a database transaction that also appends to the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Stage {
    /// Recorded.
    Received,
    /// Signature and permission checked.
    Authenticated,
    /// Records retrieved from the release.
    Retrieved,
    /// Ranked and selected.
    Processed,
    /// Signed by a second node.
    Validated,
    /// Sealed for the requestor.
    Sealed,
    /// On chain, with its parent block.
    Issued,
    /// To be downloaded.
    Ready,
    /// Downloaded at least once.
    Delivered,
    /// Refused; final.
    Refused,
}

/// `GET /v1/requests/{id}?after=STEPS&wait_seconds=N`: answers when the form has more than `after` steps, or after
/// the wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestStatus {
    /// Id of request and package.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: PackageId,
    /// How far it is.
    pub stage: Stage,
    /// Why it was refused.
    pub reason: Option<String>,
    /// The form so far (P11).
    pub form: Vec<Step>,
    /// The finished package, from [`Stage::Ready`] on.
    pub package: Option<PackageReady>,
}

/// A package that can be downloaded from `GET /v1/packages/{id}` (byte ranges are served).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackageReady {
    /// Size of the container, bytes.
    pub length: u64,
    /// sha256d of the container.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub container_hash: ContainerHash,
    /// The parent block's leaf hash.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub parent: LeafHash,
    /// The transaction that issued it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub transaction: B256,
}

/// `POST /v1/packages/{id}/reports` (P17, P18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportSubmission {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub report: Report,
    /// By the session key.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
    /// The wallet's delegation.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub session: Session,
    /// By the wallet.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub session_signature: Bytes,
    /// The body, sealed to the contract key; `report.body` is its sha256d.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub body: Bytes,
}

/// `POST /v1/packages/{id}/lease`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenewalSubmission {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub renewal: Renewal,
    /// By the session key of the live session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
}

/// `POST /v1/packages/{id}/lease/end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionEndSubmission {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub end: SessionEnd,
    /// By the session key.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
}

/// `GET /v1/packages/{id}/outputs`: an output that is held back, or was (SPEC §5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldOutput {
    /// Number of the report that told of it.
    pub number: u32,
    /// sha256d of its sealed bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub output: B256,
    /// How many they are.
    pub length: u64,
    /// When they came, ms since the Unix epoch.
    pub received: u64,
    /// What the custodian decided; nothing: it waits.
    pub decision: Option<SignedDecision>,
}

/// The custodian's decision about an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedDecision {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub decision: OutputDecision,
    /// By the package's node.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
}

/// The answer to a report or a renewal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportAnswer {
    /// What the node signed: the client keeps it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub receipt: Receipt,
    /// By the node.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
    /// The package's state as the node sees it on chain. Not usable: the client wipes the key.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: State,
    /// The custodian's share of the data key, sealed to the requestor; only to a `decrypt` report that was accepted.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub share: Option<Bytes>,
}

/// `GET /v1/packages/{id}/reports/last`: where the report chain stands, for a client that opens again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastReport {
    /// Number of the last report; 0: none.
    pub number: u32,
    /// Its EIP-712 digest; zero: none.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: B256,
}

/// `POST /v1/packages/{id}/deletion`: the requestor's word that the data is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletionSubmission {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub deletion: Deletion,
    /// By the requestor's wallet.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
}

/// `GET /v1/packages/{id}/blocks`: all blocks of a request in one query (P8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackageBlocks {
    /// The parent block.
    pub parent: StoredBlock,
    /// Its side-blocks, in order.
    pub sides: Vec<StoredBlock>,
}

/// A block record as the node holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredBlock {
    /// Its leaf hash.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub leaf: LeafHash,
    /// The whole record (`SPEC.md`).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub record: Bytes,
    /// The transaction that anchored it, once it is.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub transaction: Option<B256>,
}

/// What a node can find wrong in its own store (P23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AlertKind {
    /// A block's record is not the one that was anchored.
    Record,
    /// A block's record is gone.
    Missing,
    /// The list of a chain's blocks is not the contract's.
    Entry,
    /// The merkle log of a chain is not that of its blocks.
    Log,
    /// What follows from another event of the contract is not what the event tells.
    Event,
    /// A request is not the one that its id names.
    Request,
    /// What is kept of an own package is not what was signed for it, or is gone.
    Package,
    /// The signed body of an own block was changed.
    Body,
    /// A form is not the one that its block names.
    Form,
    /// A report is not the one that its block names, or its session is not the requestor's.
    Report,
    /// The requestor's word that the data is deleted is not the requestor's, or is gone.
    Deletion,
    /// A container is not the one that its block names.
    Container,
    /// A table, index, trigger or view in the store's file is not the one that the node builds.
    Schema,
    /// A row cannot be read.
    Unreadable,
}

impl AlertKind {
    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Missing => "missing",
            Self::Entry => "entry",
            Self::Log => "log",
            Self::Event => "event",
            Self::Request => "request",
            Self::Package => "package",
            Self::Body => "body",
            Self::Form => "form",
            Self::Report => "report",
            Self::Deletion => "deletion",
            Self::Container => "container",
            Self::Schema => "schema",
            Self::Unreadable => "unreadable",
        }
    }
}

/// `GET /v1/alerts?after=ID&wait_seconds=N`: something that a node found wrong in its own store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its number; a later alert has a higher one.
    pub id: u64,
    /// When it was found, by the node's clock.
    pub time: u64,
    /// What kind of thing is wrong.
    pub kind: AlertKind,
    /// The chain, when it is about a block.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub chain: Option<ChainName>,
    /// The block's height from 0.
    pub height: Option<u64>,
    /// The package.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub package: PackageId,
    /// What is wrong.
    pub detail: String,
    /// From where it was repaired; nothing: it could not be.
    pub repaired: Option<String>,
}

/// The second node's answer to `POST /v1/peer/validations` (P13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValidationAnswer {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub validation: Validation,
    /// By the second node.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
    /// What it measured.
    pub certificate: SignedCertificate,
}

/// Reports that one answer to [`SignedDisclosure`] holds at most.
pub const MAX_REPORTS_TOLD: u32 = 500;

/// `POST /v1/packages/{id}/dossier`: asks for the [`Dossier`] of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedDisclosure {
    /// What is signed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub disclosure: Disclosure,
    /// By the requestor's or the custodian's wallet.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub signature: Bytes,
    /// Number of the first report that is wanted, from 1: one answer holds [`MAX_REPORTS_TOLD`] at most.
    #[serde(default)]
    pub reports_from: u32,
}

/// All that a custodian's node holds about a package besides its blocks: for those whom it concerns, since a request's
/// filter may tell what somebody is looking for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dossier {
    /// The requestor's request (P2).
    pub request: SignedRequest,
    /// The form (P11).
    pub form: Vec<Step>,
    /// The usage contract (P14).
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub usage: UsageContract,
    /// The second node (P13).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub verifier: Address,
    /// Its word, and what it measured.
    pub validation: ValidationAnswer,
    /// What the requestor's side reported, from the number asked for on, in order (P17); none: there are no more.
    pub reports: Vec<RecordedReport>,
    /// The requestor's word that the data is deleted (P19).
    pub deletion: Option<DeletionSubmission>,
}

/// A report as the node holds it, with the node's receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedReport {
    /// What was handed in: report, session, sealed body.
    #[serde(flatten)]
    pub submission: ReportSubmission,
    /// What the node answered.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub receipt: Receipt,
    /// By the node.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub receipt_signature: Bytes,
}

/// An error, as RFC 9457 has it (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `https://medshare.invalid/problems/` and the kind: one word or two, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
}
