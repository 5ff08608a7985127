//! Inclusion and consistency proofs (SPEC.md §2), against RFC 6962's definitions written out here once more.
//!
//! The input says: kind, size of the log, index or old size, size that is claimed, leaf or old log that is claimed; then
//! the proof's hashes, one byte each for a hash that stands somewhere in the tree, or a byte from 0xf0 on and 32 bytes.

use alloy_primitives::B256;
use medshare_protocol::id::{LeafHash, LogRoot};
use medshare_protocol::merkle::{
    Log, consistency_proof, header_root, inclusion_proof, leaf_hash, verify_consistency,
    verify_inclusion,
};
use sha2::{Digest, Sha256};

const LARGEST: u8 = 40;

/// A proof is accepted if and only if it is the one that the definitions give for just this claim.
pub fn check(data: &[u8]) {
    anything(data);
    let Some((&[kind, size, at, claimed, given], rest)) = data.split_first_chunk() else {
        return;
    };
    let leaves = leaves(1 + usize::from(size % LARGEST));
    let mut nodes = Vec::new();
    let root = tree(&leaves, &mut nodes);
    assert_eq!(log(&leaves).root().0, root);
    let proof = proof(rest, &nodes);
    let (at, given) = (usize::from(at), usize::from(given) % leaves.len());
    if kind & 1 == 0 {
        included(&leaves, at, claimed.into(), leaves[given], &proof);
    } else {
        grown(&leaves, at, &leaves[..given], &proof);
    }
}

/// In a header the size is pinned with the root: both are claimed.
fn included(leaves: &[B256], index: usize, size: u64, leaf: B256, proof: &[B256]) {
    let log = log(leaves);
    let accepted = header_root(log.root(), size) == log.header_root()
        && verify_inclusion(LeafHash(leaf), index as u64, size, proof, log.root());
    let right = (index < leaves.len()).then(|| path(index, leaves));
    assert_eq!(inclusion_proof(&named(leaves), index), right);
    let expected = size == leaves.len() as u64
        && leaves.get(index) == Some(&leaf)
        && right.is_some_and(|right| right == proof);
    assert_eq!(
        accepted,
        expected,
        "leaf {index}, {size} claimed, of {}",
        leaves.len()
    );
}

fn grown(leaves: &[B256], old_size: usize, old: &[B256], proof: &[B256]) {
    let (old_root, log) = (self::log(old).root(), log(leaves));
    let accepted = verify_consistency(old_size as u64, old_root, log.size(), log.root(), proof);
    let right = (old_size <= leaves.len()).then(|| growth(old_size, leaves));
    assert_eq!(consistency_proof(&named(leaves), old_size), right);
    let expected = old_size == old.len() && right.is_some_and(|right| right == proof);
    assert_eq!(accepted, expected, "{old_size} of {}", leaves.len());
}

/// Any numbers at all end in an answer, soon: 64 hashes are the longest way up.
fn anything(data: &[u8]) {
    let Some((numbers, rest)) = data.split_first_chunk::<32>() else {
        return;
    };
    let number = |at: usize| u64::from_le_bytes(*numbers[at..].first_chunk().expect("8 bytes"));
    let (hashes, _) = rest.as_chunks();
    let proof: Vec<B256> = hashes.iter().map(B256::from).collect();
    let (one, other) = (LogRoot(B256::from(numbers)), LogRoot(B256::ZERO));
    let _ = verify_inclusion(LeafHash(one.0), number(0), number(8), &proof, one);
    let grown = verify_consistency(number(0), one, number(8), other, &proof);
    assert!(!grown, "nobody knows what hashes to zero");
}

/// Leaf i of merkle.json: the bytes 0, 1 … i − 1.
fn leaves(size: usize) -> Vec<B256> {
    let data: Vec<u8> = (0..LARGEST).collect();
    (0..size).map(|size| leaf_hash(&data[..size]).0).collect()
}

fn named(leaves: &[B256]) -> Vec<LeafHash> {
    leaves.iter().copied().map(LeafHash).collect()
}

fn log(leaves: &[B256]) -> Log {
    Log::from_leaves(named(leaves))
}

fn proof(mut rest: &[u8], nodes: &[B256]) -> Vec<B256> {
    let mut hashes = Vec::new();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match behind.split_first_chunk::<32>() {
            Some((hash, behind)) if *first >= 0xf0 => {
                hashes.push(B256::from(hash));
                rest = behind;
            }
            _ => hashes.push(nodes[usize::from(*first) % nodes.len()]),
        }
    }
    hashes
}

// ---------------------------------------------------------------- RFC 6962 §2.1, by recursion

/// The largest power of two smaller than a number from 2 up.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn tree(leaves: &[B256], nodes: &mut Vec<B256>) -> B256 {
    let hash = match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            let (left, right) = (tree(left, nodes), tree(right, nodes));
            let joined = [&[1], left.as_slice(), right.as_slice()].concat();
            B256::new(Sha256::digest(joined).into())
        }
    };
    nodes.push(hash);
    hash
}

fn root(leaves: &[B256]) -> B256 {
    tree(leaves, &mut Vec::new())
}

fn path(index: usize, leaves: &[B256]) -> Vec<B256> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut inner, sibling) = if index < left.len() {
        (path(index, left), root(right))
    } else {
        (path(index - left.len(), right), root(left))
    };
    inner.push(sibling);
    inner
}

fn growth(old: usize, leaves: &[B256]) -> Vec<B256> {
    if old == 0 {
        Vec::new()
    } else {
        subproof(old, leaves, true)
    }
}

fn subproof(old: usize, leaves: &[B256], is_whole: bool) -> Vec<B256> {
    if old == leaves.len() {
        return if is_whole {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut inner, sibling) = if old <= left.len() {
        (subproof(old, left, is_whole), root(right))
    } else {
        (subproof(old - left.len(), right, false), root(left))
    };
    inner.push(sibling);
    inner
}
