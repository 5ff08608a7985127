use alloy_primitives::hex;

use crate::id::BlockId;
use crate::purpose::BadPurpose;

/// Why bytes are no block record, or why a body must not be signed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BlockError {
    /// Neither kind of record begins so.
    #[error("a record begins with MDSP or MDSS, not with the bytes {}", hex::encode(.magic))]
    Magic {
        /// The first four bytes.
        magic: [u8; 4],
    },
    /// Cut short, or something stands behind it.
    #[error("there are {length} bytes where {expected} are due")]
    Length {
        /// Bytes that there are.
        length: usize,
        /// Bytes that this kind of record has.
        expected: usize,
    },
    /// The size field is wrong.
    #[error("the size field says {size} where {expected} bytes follow")]
    Size {
        /// What the field says.
        size: u32,
        /// Bytes that follow in this kind of record.
        expected: usize,
    },
    /// The id does not belong to the header.
    #[error("the id is {found}, but the header makes it {expected}")]
    Id {
        /// What the record says.
        found: BlockId,
        /// What follows from the header.
        expected: BlockId,
    },
    /// Sensitivity is 0 or 1.
    #[error("sensitivity {0} does not exist; 0 is low, 1 is high")]
    Sensitivity(u8),
    /// The purpose is not in its canonical form.
    #[error(transparent)]
    Purpose(#[from] BadPurpose),
    /// The action counter cannot be right.
    #[error("the action counter is {found} where {allowed}")]
    ActionCounter {
        /// What the block says.
        found: u32,
        /// What it may say.
        allowed: &'static str,
    },
    /// A parent block's times run backwards.
    #[error(
        "received at {received}, sent at {sent}, closed at {locktime} (ms): each must be no earlier than the one before"
    )]
    Times {
        /// TTR.
        received: u64,
        /// TTT.
        sent: u64,
        /// Locktime.
        locktime: u64,
    },
    /// A side-block reports nothing, or violations that it does not report.
    #[error(
        "actions reported {reported:#010b}, violated {violated:#010b}: something must be reported, and what is violated must be among it"
    )]
    Violations {
        /// Bitmap of the actions reported.
        reported: u8,
        /// Bitmap of those that violated.
        violated: u8,
    },
    /// A side-block's number is not its header's version, or zero.
    #[error("report number {number} under header version {version}: they are the same, from 1")]
    Number {
        /// Number of the report.
        number: u32,
        /// Version of the header.
        version: u32,
    },
}

impl BlockError {
    /// The field of the record that it is about.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Magic { .. } => "magic",
            Self::Length { .. } | Self::Size { .. } => "size",
            Self::Id { .. } => "id",
            Self::Sensitivity(_) => "sensitivity (Dsens)",
            Self::Purpose(_) => "purpose",
            Self::ActionCounter { .. } => "action counter",
            Self::Times { .. } => "times",
            Self::Violations { .. } => "violations",
            Self::Number { .. } => "number",
        }
    }
}

/// Why a body was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// Every verifier would refuse it.
    #[error("the block would be invalid: {0}")]
    Invalid(#[from] BlockError),
    /// The key could not be used.
    #[error("the node key could not sign the block: {0}")]
    Signer(#[from] alloy_signer::Error),
}
