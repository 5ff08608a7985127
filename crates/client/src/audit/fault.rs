//! What an audit can find, beyond what is wrong with a chain by itself.

use medshare_chain::{Address, B256};
use medshare_protocol::chain_verifier::{Blame, Fault};
use medshare_protocol::header::RaggedEntries;
use medshare_protocol::id::{PackageId, ReportDigest};
use medshare_protocol::usage::{Actions, State};

use super::FileKind;

/// One fault.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AuditFault {
    /// Of the chain by itself.
    #[error(transparent)]
    Chain(#[from] Fault),
    /// The package id is not the digest of the request in the event.
    #[error(
        "the request on chain has the digest {computed}: the package is not the one that was asked for"
    )]
    PackageId {
        /// What the request's fields make.
        computed: PackageId,
    },
    /// A package was issued twice.
    #[error("the package was issued before")]
    IssuedTwice,
    /// An event is about a package that was never issued.
    #[error("{event} is about a package that was never issued")]
    UnknownPackage {
        /// Name of the event.
        event: &'static str,
    },
    /// A field of a block is not what the contract or another block says.
    #[error("the block's {field} is {found}, but {authority} says {expected}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What the block says.
        found: String,
        /// Who knows better.
        authority: &'static str,
        /// What that says.
        expected: String,
    },
    /// The data version is not one that this auditor knows.
    #[error("the header's data version {found:#010x} is unknown; this auditor knows {known:#010x}")]
    DataVersion {
        /// In the header.
        found: u32,
        /// Known here.
        known: u32,
    },
    /// The header's time is ahead of the EVM block's.
    #[error(
        "the header's time {time} s is more than {limit} s ahead of the EVM block's, {evm_time} s"
    )]
    Ahead {
        /// In the header.
        time: u32,
        /// Of the EVM block.
        evm_time: u64,
        /// What the contract allows.
        limit: u64,
    },
    /// A block was closed after it was mined.
    #[error("the block was closed at {locktime} ms, long after it was mined at {time} s")]
    ClosedLate {
        /// Locktime, ms.
        locktime: u64,
        /// Header's time, s.
        time: u32,
    },
    /// The numbers of the reports are not 1, 2, 3 …
    #[error("the header carries report number {found} where {expected} is due")]
    ReportNumber {
        /// In the header.
        found: u32,
        /// By its place.
        expected: u64,
    },
    /// The first report is not `decrypt`.
    #[error("the first report is `{reported}`, but a package is opened by reporting `decrypt`")]
    FirstReport {
        /// What it reports.
        reported: Actions,
    },
    /// The usage contract answers otherwise.
    #[error(
        "of the reported `{reported}` the block calls `{recorded}` violations, the usage contract `{judged}`"
    )]
    Verdict {
        /// Actions reported.
        reported: Actions,
        /// Violations as recorded.
        recorded: Actions,
        /// Violations as judged again.
        judged: Actions,
    },
    /// A node that did not belong to the owner sent it.
    #[error("{node} anchored it and is no node of the custodian {custodian}")]
    ForeignNode {
        /// Who sent it.
        node: Address,
        /// Whose package it is.
        custodian: Address,
    },
    /// The second node was none (P13).
    #[error("{verifier} signed as the second node, but {why}")]
    SecondNode {
        /// Who signed.
        verifier: Address,
        /// Why that does not count.
        why: &'static str,
    },
    /// An accepted violation has no side-block.
    #[error("the contract accepted a violation in report {number}, but no side-block records it")]
    ViolationUnrecorded {
        /// Number of the report.
        number: u32,
    },
    /// An accepted violation is recorded as something else.
    #[error(
        "the contract accepted a violation in report {number} with digest {accepted}, the side-block says {recorded}"
    )]
    ViolationDiffers {
        /// Number of the report.
        number: u32,
        /// Digest on chain.
        accepted: ReportDigest,
        /// What the side-block records.
        recorded: String,
    },
    /// A recorded violation was never brought to the contract, and access goes on.
    #[error(
        "report {number} records a violation (`{violated}`) that was never settled on chain: access goes on"
    )]
    ViolationUnsettled {
        /// Number of the report.
        number: u32,
        /// What was violated.
        violated: Actions,
    },
    /// The package was in a state in which this cannot happen (paper, Figure 2).
    #[error("{event} happened while the package was {state:?}, which cannot be")]
    Transition {
        /// Name of the event.
        event: &'static str,
        /// State before it, rebuilt from the events.
        state: State,
    },
    /// A settled violation is followed at once by the revocation and by the receipt of it (P7).
    #[error("a violation was settled, and no {due} followed at once")]
    NoConsequence {
        /// What was due.
        due: &'static str,
    },
    /// The event's entries cannot be read.
    #[error(transparent)]
    Ragged(#[from] RaggedEntries),
    /// A file is not the one that its block commits to.
    #[error("the {kind} hashes to {found}, the block says {anchored}: it was altered")]
    FileDiffers {
        /// What the file is.
        kind: FileKind,
        /// Hash of the file, or digest of the form in it.
        found: B256,
        /// What the block says.
        anchored: B256,
    },
    /// A file cannot be read as what it should be.
    #[error("the {kind} cannot be read: {reason}")]
    FileMalformed {
        /// What the file is.
        kind: FileKind,
        /// Why.
        reason: String,
    },
    /// No block commits to a file.
    #[error("no block of this ledger that can be read commits to this {kind}")]
    FileUnanchored {
        /// What the file is.
        kind: FileKind,
    },
    /// A block commits to a file that is not there, though all should be.
    #[error("the {kind} is not there")]
    FileMissing {
        /// What the file is.
        kind: FileKind,
    },
    /// A file is the one that its block commits to, and says something else.
    #[error("the {kind} is the one that was anchored, and contradicts its block: {reason}")]
    FileContradicts {
        /// What the file is.
        kind: FileKind,
        /// In what.
        reason: String,
    },
    /// What lies among the files is none that can be checked.
    #[error("it cannot be checked: {reason}")]
    FileUnnamed {
        /// Why.
        reason: String,
    },
    /// What the contract holds is not what its events make.
    #[error(
        "the package's {field} rebuilt from the events is {rebuilt}, but the contract holds {held}"
    )]
    State {
        /// Which field.
        field: &'static str,
        /// Rebuilt from the events.
        rebuilt: String,
        /// Held by the contract.
        held: String,
    },
}

impl AuditFault {
    /// Its kind in one word, for machines.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Chain(fault) => fault.kind(),
            Self::PackageId { .. } => "package-id",
            Self::IssuedTwice => "issued-twice",
            Self::UnknownPackage { .. } => "unknown-package",
            Self::Field { .. } => "field",
            Self::DataVersion { .. } => "data-version",
            Self::Ahead { .. } => "ahead-of-time",
            Self::ClosedLate { .. } => "closed-late",
            Self::ReportNumber { .. } => "report-number",
            Self::FirstReport { .. } => "first-report",
            Self::Verdict { .. } => "verdict",
            Self::ForeignNode { .. } => "foreign-node",
            Self::SecondNode { .. } => "second-node",
            Self::ViolationUnrecorded { .. } => "violation-unrecorded",
            Self::ViolationDiffers { .. } => "violation-differs",
            Self::ViolationUnsettled { .. } => "violation-unsettled",
            Self::Transition { .. } => "transition",
            Self::NoConsequence { .. } => "no-consequence",
            Self::Ragged(_) => "ragged-entries",
            Self::FileDiffers { kind, .. }
            | Self::FileMalformed { kind, .. }
            | Self::FileUnanchored { kind }
            | Self::FileMissing { kind }
            | Self::FileContradicts { kind, .. } => kind.fault(),
            Self::FileUnnamed { .. } => "file",
            Self::State { .. } => "state",
        }
    }

    /// The field it is about, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Chain(fault) => fault.field(),
            Self::DataVersion { .. } => Some("version"),
            Self::Ahead { .. } => Some("time"),
            Self::ClosedLate { .. } => Some("locktime"),
            Self::ReportNumber { .. } => Some("version"),
            Self::FirstReport { .. } => Some("actions"),
            Self::Verdict { .. } | Self::ViolationUnsettled { .. } => Some("violations"),
            Self::ViolationDiffers { .. } => Some("report digest"),
            Self::PackageId { .. } => Some("package"),
            Self::ForeignNode { .. } => Some("node (NID)"),
            Self::SecondNode { .. } => Some("second node"),
            Self::FileDiffers { kind, .. }
            | Self::FileMalformed { kind, .. }
            | Self::FileContradicts { kind, .. } => Some(kind.committed_by()),
            Self::Field { field, .. } | Self::State { field, .. } => Some(*field),
            _ => None,
        }
    }

    /// Who is to be asked about it.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Chain(fault) => fault.blame(),
            Self::FileDiffers { .. }
            | Self::FileMalformed { .. }
            | Self::FileUnanchored { .. }
            | Self::FileMissing { .. }
            | Self::FileUnnamed { .. } => Blame::Server,
            // The contract does not let these happen.
            Self::PackageId { .. }
            | Self::IssuedTwice
            | Self::UnknownPackage { .. }
            | Self::Ahead { .. }
            | Self::ForeignNode { .. }
            | Self::SecondNode { .. }
            | Self::Transition { .. }
            | Self::NoConsequence { .. }
            | Self::Ragged(_)
            | Self::State { .. } => Blame::Chain,
            _ => Blame::Author,
        }
    }
}
