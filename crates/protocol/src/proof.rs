//! Proofs about one chain of the ledger that need nothing but its head (P8, P22): that a block is in it, and that it
//! only grew. They travel as JSON (SPEC §2.1).

use alloy_primitives::{B256, FixedBytes};
use serde::{Deserialize, Serialize};

use crate::chain_verifier::ChainName;
use crate::header::{HEADER_BYTES, Header};
use crate::id::{LeafHash, LogRoot};
use crate::merkle::{header_root, root_until, verify_consistency, verify_inclusion};

/// The end of a chain at some size: its last header, and what that header's merkle root is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainEnd {
    /// How many blocks the chain has there.
    pub size: u64,
    /// RFC 6962 root of their leaves.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub root: LogRoot,
    /// Header of the last of them, 80 bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub header: FixedBytes<HEADER_BYTES>,
}

/// Shows that the block with this leaf is the one at `index` of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InclusionProof {
    /// The chain.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub chain: ChainName,
    /// The block's leaf hash.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub leaf: LeafHash,
    /// Its height, from 0.
    pub index: u64,
    /// The chain that it is shown to be in.
    pub end: ChainEnd,
    /// The audit path (RFC 6962 §2.1.1), leaf to root.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub path: Vec<B256>,
}

/// Shows that a chain only grew from one end to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsistencyProof {
    /// The chain.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub chain: ChainName,
    /// How it was.
    pub old: ChainEnd,
    /// What it has become.
    pub new: ChainEnd,
    /// The proof (RFC 6962 §2.1.2), leaf to root.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub path: Vec<B256>,
}

/// What is wrong with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It ends somewhere else.
    #[error("the proof ends at the head {found}, not at {expected}")]
    Head {
        /// Hash of the header in the proof.
        found: B256,
        /// The head that is known.
        expected: B256,
    },
    /// The header was made for another log.
    #[error("the header of block {size} does not carry the root {root} of {size} leaves")]
    Root {
        /// Size as the proof says.
        size: u64,
        /// Root as the proof says.
        root: LogRoot,
    },
    /// The path leads somewhere else.
    #[error("the path does not lead to the root {0}")]
    Path(LogRoot),
}

impl ChainEnd {
    /// Checks that the header is the one with the hash `head`, and that it carries root and size.
    ///
    /// # Errors
    /// `Head`, `Root`.
    pub fn check(&self, head: B256) -> Result<(), ProofError> {
        let header = Header::from_bytes(&self.header.0);
        let found = header.hash().0;
        if found != head {
            let expected = head;
            return Err(ProofError::Head { found, expected });
        }
        if header.merkle_root != header_root(self.root, self.size) {
            let (size, root) = (self.size, self.root);
            return Err(ProofError::Root { size, root });
        }
        Ok(())
    }

    /// Hash of its header: the head of the chain at this size.
    #[must_use]
    pub fn head(&self) -> B256 {
        Header::from_bytes(&self.header.0).hash().0
    }
}

impl InclusionProof {
    /// Checks that the block is in the chain with this head.
    ///
    /// # Errors
    /// What is wrong, see [`ProofError`].
    pub fn check(&self, head: B256) -> Result<(), ProofError> {
        self.end.check(head)?;
        let ChainEnd { size, root, .. } = self.end;
        if verify_inclusion(self.leaf, self.index, size, &self.path, root) {
            return Ok(());
        }
        Err(ProofError::Path(root))
    }

    /// Whether this may be the header of the block that the proof was checked for: its merkle root is that of the chain up to there,
    /// and of the last block it is the chain's end. Of an earlier one version, previous hash, time, bits and nonce are not shown.
    #[must_use]
    pub fn is_of(&self, header: &Header) -> bool {
        let Some(size) = self.index.checked_add(1) else {
            return false;
        };
        let root = root_until(self.leaf, self.index, self.end.size, &self.path);
        header.merkle_root == header_root(root, size)
            && (size != self.end.size || header.to_bytes() == self.end.header.0)
    }
}

impl ConsistencyProof {
    /// Checks that the chain with the head `new` grew out of the one with the head `old`.
    ///
    /// # Errors
    /// What is wrong, see [`ProofError`].
    pub fn check(&self, old: B256, new: B256) -> Result<(), ProofError> {
        self.old.check(old)?;
        self.new.check(new)?;
        let [from, to] = [self.old, self.new];
        // A chain of one size has one head, and of none there is no header.
        let is_fork = from.size == to.size && from.header != to.header;
        if is_fork || from.size == 0 {
            return Err(ProofError::Path(to.root));
        }
        if verify_consistency(from.size, from.root, to.size, to.root, &self.path) {
            return Ok(());
        }
        Err(ProofError::Path(to.root))
    }
}
