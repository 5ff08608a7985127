//! What can be wrong with a chain.

use std::fmt;

use alloy_primitives::{Address, B256, hex};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::block::BlockError;
use crate::header::{CompactTarget, Header};
use crate::id::{BlockId, HeaderHash, LeafHash, PackageId};

/// Which chain.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChainName {
    /// The thread of a requestor.
    Thread(Address),
    /// The side-chain of a package.
    Side(PackageId),
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(requestor) => write!(f, "thread of requestor {requestor}"),
            Self::Side(package) => write!(f, "side-chain of package {package}"),
        }
    }
}

/// Who is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// Whoever anchored the block: the fault is in what the contract holds or commits to.
    Author,
    /// Whoever served the record: what was anchored may be sound.
    Server,
    /// Whoever answered for the contract.
    Chain,
}

/// One fault of one block.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Fault {
    /// Link: the served header stands on another one.
    #[error(
        "the served header links to {found}, but the block before it, or the chain's origin, is {expected}"
    )]
    Link {
        /// Head before, or origin.
        expected: B256,
        /// What the served header says.
        found: B256,
    },
    /// Proof of work.
    #[error("the header's hash {hash} does not meet its target {bits}")]
    ProofOfWork {
        /// Hash of the header.
        hash: HeaderHash,
        /// The target it claims.
        bits: CompactTarget,
    },
    /// The target is easier than allowed at the time.
    #[error("the target {bits} is easier than the limit {limit}")]
    WorkLimit {
        /// The target it claims.
        bits: CompactTarget,
        /// The limit.
        limit: CompactTarget,
    },
    /// Merkle root.
    #[error("the merkle root is {found}, but the chain's blocks so far make {expected}")]
    MerkleRoot {
        /// What the leaves make.
        expected: B256,
        /// What the header says.
        found: B256,
    },
    /// The header's time is before the previous one's.
    #[error("the header's time {time} is before the previous header's, {previous} (seconds)")]
    TimeOrder {
        /// Latest time before, in seconds.
        previous: u32,
        /// The header's, in seconds.
        time: u32,
    },
    /// The signature is not that of the node named in the block. Whose it is instead, it does not say.
    #[error("the block names node {node}, which has not signed what the block says")]
    Signature {
        /// NID.
        node: Address,
    },
    /// The node was not registered when the block was anchored.
    #[error("{node} was not a registered node when the block was anchored")]
    UnknownNode {
        /// NID.
        node: Address,
    },
    /// The block on this thread names another requestor.
    #[error("the block names requestor {found}, the thread is {expected}'s")]
    Requestor {
        /// What the block says.
        found: Address,
        /// Whose thread it is.
        expected: Address,
    },
    /// The block on this side-chain names another package.
    #[error("the block names package {found}, the side-chain is that of {expected}")]
    Package {
        /// What the block says.
        found: PackageId,
        /// Whose side-chain it is.
        expected: PackageId,
    },
    /// The body has the right hash and still is no body of a block.
    #[error("what was anchored is no valid block: {0}")]
    Malformed(BlockError),
    /// The body is not what the leaf says.
    #[error(
        "the served body hashes to {found}, the leaf anchored on chain is {anchored}: it was altered"
    )]
    Leaf {
        /// The leaf hash on chain.
        anchored: LeafHash,
        /// The leaf hash of what was served.
        found: LeafHash,
    },
    /// The served header is not the one anchored.
    #[error("the served header differs from the anchored one in {}", differing(.anchored, .served).join(", "))]
    HeaderDiffers {
        /// As the chain has it.
        anchored: Box<Header>,
        /// As it was served.
        served: Box<Header>,
    },
    /// The record begins with other bytes than its kind does.
    #[error("the record begins with {} where {} is due", hex::encode(.found), hex::encode(.expected))]
    Magic {
        /// What it begins with.
        found: [u8; 4],
        /// What it must begin with.
        expected: [u8; 4],
    },
    /// The size field, or the length, is wrong.
    #[error("the record's size is {found} bytes where {expected} are due")]
    Size {
        /// What there is.
        found: usize,
        /// What is due (at least).
        expected: usize,
    },
    /// The id does not follow from the header and the parent.
    #[error("the record's id is {found}, but header and parent make it {expected}")]
    Id {
        /// What the record says.
        found: BlockId,
        /// What it must be.
        expected: BlockId,
    },
    /// Nobody serves the body.
    #[error("nobody serves the body of leaf {leaf}: it is withheld or lost")]
    BodyMissing {
        /// The leaf hash on chain.
        leaf: LeafHash,
    },
    /// The head computed from all entries is not the one that the contract holds.
    #[error("the anchored entries lead to head {computed}, but the contract holds {held}")]
    HeadDiffers {
        /// What the entries lead to.
        computed: B256,
        /// What the contract holds.
        held: B256,
    },
}

impl Fault {
    /// Its kind in one word, for machines.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Link { .. } => "link",
            Self::ProofOfWork { .. } => "proof-of-work",
            Self::WorkLimit { .. } => "work-limit",
            Self::MerkleRoot { .. } => "merkle-root",
            Self::TimeOrder { .. } => "time-order",
            Self::Signature { .. } => "signature",
            Self::UnknownNode { .. } => "unknown-node",
            Self::Requestor { .. } => "requestor",
            Self::Package { .. } => "package",
            Self::Malformed(_) => "malformed",
            Self::Leaf { .. } => "leaf",
            Self::HeaderDiffers { .. } => "header-differs",
            Self::Magic { .. } => "magic",
            Self::Size { .. } => "size",
            Self::Id { .. } => "id",
            Self::BodyMissing { .. } => "body-missing",
            Self::HeadDiffers { .. } => "head-differs",
        }
    }

    /// The field of the record that it is about, where there is one; `body` and `header` of what only its hash tells, or of
    /// several at once. Of a body that is not there, and of a head, there is none.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Link { .. } => "previous hash",
            Self::ProofOfWork { .. } => "nonce",
            Self::WorkLimit { .. } => "bits",
            Self::MerkleRoot { .. } => "merkle root",
            Self::TimeOrder { .. } => "time",
            Self::Signature { .. } => "signature (Nsig)",
            Self::UnknownNode { .. } => "node (NID)",
            Self::Requestor { .. } => "requestor (RID)",
            Self::Package { .. } => "package",
            Self::Malformed(error) => error.field(),
            Self::Leaf { .. } => "body",
            Self::HeaderDiffers { anchored, served } => match differing(anchored, served)[..] {
                [only] => only,
                _ => "header",
            },
            Self::Magic { .. } => "magic",
            Self::Size { .. } => "size",
            Self::Id { .. } => "id",
            Self::BodyMissing { .. } | Self::HeadDiffers { .. } => return None,
        })
    }

    /// Who is to be asked about it.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::ProofOfWork { .. }
            | Self::WorkLimit { .. }
            | Self::MerkleRoot { .. }
            | Self::TimeOrder { .. }
            | Self::Signature { .. }
            | Self::UnknownNode { .. }
            | Self::Requestor { .. }
            | Self::Package { .. }
            | Self::Malformed(_) => Blame::Author,
            Self::Link { .. }
            | Self::Leaf { .. }
            | Self::HeaderDiffers { .. }
            | Self::Magic { .. }
            | Self::Size { .. }
            | Self::Id { .. }
            | Self::BodyMissing { .. } => Blame::Server,
            Self::HeadDiffers { .. } => Blame::Chain,
        }
    }
}

/// A fault and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The chain.
    pub chain: ChainName,
    /// Index of the block in its chain, from 0; for the head, how many blocks there are.
    pub height: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, block {}: {}", self.chain, self.height, self.fault)
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 6)?;
        fields.serialize_field("chain", &self.chain)?;
        fields.serialize_field("height", &self.height)?;
        fields.serialize_field("fault", self.fault.kind())?;
        fields.serialize_field("field", &self.fault.field())?;
        fields.serialize_field("blame", &self.fault.blame())?;
        fields.serialize_field("message", &self.fault.to_string())?;
        fields.end()
    }
}

fn differing(anchored: &Header, served: &Header) -> Vec<&'static str> {
    let names = [
        ("version", anchored.version != served.version),
        ("previous hash", anchored.previous != served.previous),
        ("merkle root", anchored.merkle_root != served.merkle_root),
        ("time", anchored.time != served.time),
        ("bits", anchored.bits != served.bits),
        ("nonce", anchored.nonce != served.nonce),
    ];
    let differing = names.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(name, _)| name).collect()
}
