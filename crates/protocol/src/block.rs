//! Block records: parent blocks (P20), one for each package, and side-blocks (P21), one for each report.
//!
//! A record is `magic 4 ‖ id 32 ‖ size 4 ‖ header 80 ‖ body`; `size` counts what stands behind it. The body (action
//! counter ‖ transaction ‖ locktime) is the data of the leaf in the chain's [log](crate::merkle). Decoding takes
//! exactly the bytes that encoding gives: whatever else is offered is refused with a [`BlockError`].

mod bytes;
mod error;
mod mining;
mod parent;
mod place;
mod side;
mod signature;

use alloy_primitives::{Address, B256};
use serde::Serialize;

use crate::header::{HEADER_BYTES, Header};
use crate::id::{BlockId, LeafHash, Origin};

pub use error::{BlockError, SigningError};
pub use mining::next_header;
pub use parent::{PARENT_RECORD_BYTES, ParentBlock, ParentBody, ParentTransaction};
pub use place::{Place, record_with};
pub use side::{SIDE_RECORD_BYTES, SideBlock, SideBody, SideTransaction};
pub use signature::{NodeSignature, is_signed_by};

/// First bytes of a parent block's record.
pub const PARENT_MAGIC: [u8; 4] = *b"MDSP";
/// First bytes of a side-block's record.
pub const SIDE_MAGIC: [u8; 4] = *b"MDSS";
/// No record is longer.
pub const MAX_RECORD_BYTES: usize = PARENT_RECORD_BYTES;
/// No body is longer.
pub const MAX_BODY_BYTES: usize = MAX_RECORD_BYTES - ENVELOPE_BYTES;
/// A parent header's version for tabular data: validation rules 1 in the high half, data type 1 in the low half.
pub const DATA_VERSION_TABULAR: u32 = 1 << 16 | 1;

/// magic ‖ id ‖ size: what stands before the header.
const PREFIX_BYTES: usize = 4 + 32 + 4;
/// What stands before the body.
pub(crate) const ENVELOPE_BYTES: usize = PREFIX_BYTES + HEADER_BYTES;

/// A block of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// A package was issued.
    Parent(ParentBlock),
    /// A report was recorded.
    Side(SideBlock),
}

impl Block {
    /// Decodes a record of either kind, told apart by its magic.
    ///
    /// # Errors
    /// When the bytes are not exactly one valid record.
    pub fn from_bytes(record: &[u8]) -> Result<Self, BlockError> {
        match record.first_chunk() {
            Some(&PARENT_MAGIC) => ParentBlock::from_bytes(record).map(Self::Parent),
            Some(&SIDE_MAGIC) => SideBlock::from_bytes(record).map(Self::Side),
            Some(&magic) => Err(BlockError::Magic { magic }),
            None => Err(BlockError::Length {
                length: record.len(),
                expected: SIDE_RECORD_BYTES,
            }),
        }
    }

    /// The record.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Parent(block) => block.to_bytes(),
            Self::Side(block) => block.to_bytes(),
        }
    }

    /// The id that stands in the record.
    #[must_use]
    pub fn id(&self) -> BlockId {
        match self {
            Self::Parent(block) => block.id(),
            Self::Side(block) => block.id(),
        }
    }

    /// The leaf hash of the body.
    #[must_use]
    pub fn leaf(&self) -> LeafHash {
        match self {
            Self::Parent(block) => block.body.leaf(),
            Self::Side(block) => block.body.leaf(),
        }
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        match self {
            Self::Parent(block) => &block.header,
            Self::Side(block) => &block.header,
        }
    }

    /// When it happened, ms since the Unix epoch: the package was ready to send (TTT); the action was done (TSV).
    #[must_use]
    pub const fn time(&self) -> u64 {
        match self {
            Self::Parent(block) => block.body.transaction.sent,
            Self::Side(block) => block.body.transaction.time,
        }
    }

    /// The node that wrote and signed it.
    #[must_use]
    pub const fn node(&self) -> Address {
        match self {
            Self::Parent(block) => block.body.transaction.node,
            Self::Side(block) => block.body.transaction.node,
        }
    }

    /// Whether the node that it names has signed its body under `origin`.
    #[must_use]
    pub fn is_signed(&self, origin: Origin) -> bool {
        match self {
            Self::Parent(block) => block.body.is_signed(origin),
            Self::Side(block) => block.body.is_signed(origin),
        }
    }
}

/// What stands behind the envelope of a record, if it is as long as one may be: the body, whatever it is.
#[must_use]
pub fn body_of(record: &[u8]) -> Option<&[u8]> {
    let body = record.get(ENVELOPE_BYTES..)?;
    (body.len() <= MAX_BODY_BYTES).then_some(body)
}

/// The record of these parts.
fn record(magic: [u8; 4], id: BlockId, header: &Header, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(HEADER_BYTES + body.len()).expect("bodies are a few hundred bytes");
    [
        &magic,
        id.as_slice(),
        &size.to_le_bytes(),
        &header.to_bytes(),
        body,
    ]
    .concat()
}

/// Takes a record apart and checks magic, length and size: id, header and body.
fn parts(
    record: &[u8],
    magic: [u8; 4],
    expected: usize,
) -> Result<(BlockId, Header, &[u8]), BlockError> {
    let found = record.first_chunk().copied().unwrap_or_default();
    if found != magic {
        return Err(BlockError::Magic { magic: found });
    }
    if record.len() != expected {
        return Err(BlockError::Length {
            length: record.len(),
            expected,
        });
    }
    let size = u32::from_le_bytes([record[36], record[37], record[38], record[39]]);
    if size as usize != expected - PREFIX_BYTES {
        return Err(BlockError::Size {
            size,
            expected: expected - PREFIX_BYTES,
        });
    }
    let (header, body) = record[PREFIX_BYTES..]
        .split_first_chunk()
        .expect("the length was checked just now");
    Ok((
        BlockId(B256::from_slice(&record[4..36])),
        Header::from_bytes(header),
        body,
    ))
}
