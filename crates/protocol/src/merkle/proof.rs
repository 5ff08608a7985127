//! Inclusion and consistency proofs (RFC 6962 §2.1.1 and §2.1.2), verified as RFC 9162 §2.1.3 and §2.1.4 say.

use alloy_primitives::B256;

use super::{Log, ProofPlan, Subtree, node_hash};
use crate::id::{LeafHash, LogRoot};

/// The audit path of the leaf at `index`, from the leaf to the root; nothing when there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[LeafHash], index: usize) -> Option<Vec<B256>> {
    ProofPlan::inclusion(index as u64, leaves.len() as u64)?.proof(|part| subtree(leaves, part))
}

/// Whether `proof` shows `leaf` at `index` in the log of `size` leaves with this root.
#[must_use]
pub fn verify_inclusion(
    leaf: LeafHash,
    index: u64,
    size: u64,
    proof: &[B256],
    root: LogRoot,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf.0;
    for sibling in proof {
        if last == 0 {
            return false; // The path is longer than the tree is high.
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root.0
}

/// Root of the log up to the leaf that a path was verified for, that one included: it is made of what lies before it.
#[must_use]
pub fn root_until(leaf: LeafHash, index: u64, size: u64, proof: &[B256]) -> LogRoot {
    let (mut node, mut last) = (index, size.saturating_sub(1));
    let mut hash = leaf.0;
    for sibling in proof {
        if node & 1 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        }
        node >>= 1;
        last >>= 1;
    }
    LogRoot(hash)
}

/// Proof that the log of all `leaves` grew out of the log of the first `old_size`; nothing when that is more than
/// there are. Empty when the old log is empty or the same.
#[must_use]
pub fn consistency_proof(leaves: &[LeafHash], old_size: usize) -> Option<Vec<B256>> {
    ProofPlan::consistency(old_size as u64, leaves.len() as u64)?
        .proof(|part| subtree(leaves, part))
}

/// Whether `proof` shows that the log of `new_size` leaves grew out of the one of `old_size`.
#[must_use]
pub fn verify_consistency(
    old_size: u64,
    old_root: LogRoot,
    new_size: u64,
    new_root: LogRoot,
    proof: &[B256],
) -> bool {
    if old_size == 0 {
        return proof.is_empty()
            && old_root == Log::default().root()
            && (new_size > 0 || new_root == old_root);
    }
    if old_size == new_size {
        return proof.is_empty() && old_root == new_root;
    }
    // When the old log is one complete subtree its root is the first hash of the path and is not sent.
    let (first, path) = match (old_size.is_power_of_two(), proof) {
        (_, []) => return false,
        (true, path) => (old_root.0, path),
        (false, [first, path @ ..]) => (*first, path),
    };
    old_size < new_size && walk(old_size, old_root, new_size, new_root, first, path)
}

/// Rebuilds both roots on the way up.
fn walk(
    old_size: u64,
    old_root: LogRoot,
    new_size: u64,
    new_root: LogRoot,
    first: B256,
    path: &[B256],
) -> bool {
    let shift = (old_size - 1).trailing_ones();
    let (mut node, mut last) = ((old_size - 1) >> shift, (new_size - 1) >> shift);
    let (mut old, mut new) = (first, first);
    for hash in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(*hash, old);
            new = node_hash(*hash, new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(new, *hash);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old == old_root.0 && new == new_root.0
}

fn subtree(leaves: &[LeafHash], part: Subtree) -> Option<B256> {
    let start = usize::try_from(part.position << part.level).ok()?;
    let leaves = leaves.get(start..start + (1 << part.level))?;
    Some(Log::from_leaves(leaves.iter().copied()).root().0)
}
