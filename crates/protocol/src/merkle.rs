//! RFC 6962 log over the blocks of one chain (P22): SHA-256, leaf prefix 0x00, node prefix 0x01.
//!
//! The prefixes keep a leaf from being read as a node, and no leaf is ever doubled (CVE-2012-2459 does not arise). RFC
//! 6962 does not bind the size of the tree to its root; [`header_root`] does.

mod plan;
mod proof;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::digest::sha256;
use crate::id::{LeafHash, LogRoot};

pub use plan::{ProofPlan, Subtree};
pub use proof::{
    consistency_proof, inclusion_proof, root_until, verify_consistency, verify_inclusion,
};

const LEAF_PREFIX: &[u8] = &[0];
const NODE_PREFIX: &[u8] = &[1];

/// sha256(0x00 ‖ data).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> LeafHash {
    LeafHash(sha256(&[LEAF_PREFIX, data]))
}

/// sha256(0x01 ‖ left ‖ right).
fn node_hash(left: B256, right: B256) -> B256 {
    sha256(&[NODE_PREFIX, left.as_slice(), right.as_slice()])
}

/// What a header carries as its merkle root: sha256(root ‖ size as u64 little-endian).
#[must_use]
pub fn header_root(root: LogRoot, size: u64) -> B256 {
    sha256(&[root.as_slice(), &size.to_le_bytes()])
}

/// An append-only log that keeps the roots of its complete subtrees only: at most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, Vec<B256>)", try_from = "(u64, Vec<B256>)")]
pub struct Log {
    size: u64,
    /// Roots of the complete subtrees, largest first: one for each bit that is set in `size`.
    peaks: Vec<B256>,
}

impl From<Log> for (u64, Vec<B256>) {
    fn from(log: Log) -> Self {
        (log.size, log.peaks)
    }
}

impl TryFrom<(u64, Vec<B256>)> for Log {
    type Error = &'static str;

    fn try_from((size, peaks): (u64, Vec<B256>)) -> Result<Self, Self::Error> {
        if peaks.len() == size.count_ones() as usize {
            return Ok(Self { size, peaks });
        }
        Err("a log has one peak for each bit that is set in its size")
    }
}

impl Log {
    /// The log of these leaves.
    #[must_use]
    pub fn from_leaves(leaves: impl IntoIterator<Item = LeafHash>) -> Self {
        let mut log = Self::default();
        for leaf in leaves {
            log.push(leaf);
        }
        log
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        self.push_noting(leaf, |_, _| {});
    }

    /// Appends a leaf, and tells every subtree above it that is complete now, the smallest first: who keeps them can
    /// make proofs by a [`ProofPlan`].
    pub fn push_noting(&mut self, leaf: LeafHash, mut completed: impl FnMut(Subtree, B256)) {
        let mut hash = leaf.0;
        for level in 1..=self.size.trailing_ones() {
            let left = self
                .peaks
                .pop()
                .expect("one peak for each bit that is set in the size");
            hash = node_hash(left, hash);
            let position = self.size >> level;
            let level = level as u8;
            completed(Subtree { level, position }, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The Merkle tree hash (MTH); of no leaves, sha256 of nothing.
    #[must_use]
    pub fn root(&self) -> LogRoot {
        LogRoot(plan::join(&self.peaks).unwrap_or_else(|| sha256(&[])))
    }

    /// What the header of the last leaf's block carries.
    #[must_use]
    pub fn header_root(&self) -> B256 {
        header_root(self.root(), self.size)
    }
}
