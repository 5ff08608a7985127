//! Which complete subtrees a proof is made of: whoever keeps these hashes makes proofs from a log of any size in
//! O(log n), without its leaves.

use alloy_primitives::B256;

use super::{Log, node_hash};

/// A complete subtree of a log: 2^level leaves, of which the first has the index position · 2^level. A leaf has level 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subtree {
    /// Height above the leaves.
    pub level: u8,
    /// How many subtrees of this level stand before it.
    pub position: u64,
}

impl Subtree {
    /// Its number when all subtrees are counted from left to right, each between its two halves: one integer for a key.
    /// Leaves have the even numbers.
    #[must_use]
    pub const fn number(self) -> u64 {
        (((self.position << 1) | 1) << self.level) - 1
    }
}

/// The hashes of a proof, leaf to root, each as the complete subtrees that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofPlan {
    hashes: Vec<Vec<Subtree>>,
}

impl ProofPlan {
    /// The audit path of the leaf at `index` (RFC 6962 §2.1.1); nothing when there is no such leaf.
    #[must_use]
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut hashes = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                hashes.push(cover(middle, end));
                end = middle;
            } else {
                hashes.push(cover(start, middle));
                start = middle;
            }
        }
        hashes.reverse();
        Some(Self { hashes })
    }

    /// Proof that the log of `new_size` leaves grew out of the one of `old_size` (RFC 6962 §2.1.2); nothing when that
    /// is larger. Empty when the old log is empty or the same.
    #[must_use]
    pub fn consistency(old_size: u64, new_size: u64) -> Option<Self> {
        if old_size > new_size {
            return None;
        }
        let mut hashes = Vec::new();
        let (mut start, mut end) = (0, new_size);
        if old_size > 0 {
            while old_size < end {
                let middle = start + split(end - start);
                if old_size <= middle {
                    hashes.push(cover(middle, end));
                    end = middle;
                } else {
                    hashes.push(cover(start, middle));
                    start = middle;
                }
            }
            // The old log itself is known to whoever verifies; what is left of it is not, once it was split.
            if start > 0 {
                hashes.push(cover(start, end));
            }
        }
        hashes.reverse();
        Some(Self { hashes })
    }

    /// All subtrees that have to be known.
    pub fn subtrees(&self) -> impl Iterator<Item = Subtree> {
        self.hashes.iter().flatten().copied()
    }

    /// The proof, with the hash of each subtree from `known`; nothing when one is missing there.
    #[must_use]
    pub fn proof(&self, known: impl Fn(Subtree) -> Option<B256>) -> Option<Vec<B256>> {
        self.hashes
            .iter()
            .map(|parts| {
                let hashes: Option<Vec<B256>> = parts.iter().map(|part| known(*part)).collect();
                join(&hashes?)
            })
            .collect()
    }
}

impl Log {
    /// The complete subtrees that a log of `size` leaves consists of, largest first: their hashes are all it keeps.
    #[must_use]
    pub fn subtrees(size: u64) -> Vec<Subtree> {
        cover(0, size)
    }

    /// The log of `size` leaves with these hashes of its [`subtrees`](Self::subtrees); nothing when there are more or
    /// fewer of them than that.
    #[must_use]
    pub fn from_subtrees(size: u64, hashes: Vec<B256>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self {
            size,
            peaks: hashes,
        })
    }
}

/// Root of the leaves that these subtrees, largest first, consist of; nothing when there is none.
pub(super) fn join(subtrees: &[B256]) -> Option<B256> {
    subtrees
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(left, right))
}

/// The complete subtrees that the leaves from `start` up to `end` consist of, largest first. `start` is a multiple of a
/// power of two that is at least `end - start`, as wherever RFC 6962 splits a log.
fn cover(start: u64, end: u64) -> Vec<Subtree> {
    let (mut start, mut rest) = (start, end - start);
    let mut parts = Vec::with_capacity(rest.count_ones() as usize);
    while rest > 0 {
        let level = rest.ilog2();
        parts.push(Subtree {
            level: level as u8,
            position: start >> level,
        });
        start += 1 << level;
        rest -= 1 << level;
    }
    parts
}

/// The largest power of two smaller than `size`, which is at least 2.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
