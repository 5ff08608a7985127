//! The log against the RFC's definitions and against another library.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use medshare_protocol::id::{LeafHash, LogRoot};
use medshare_protocol::merkle::{
    Log, ProofPlan, Subtree, consistency_proof, inclusion_proof, leaf_hash, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;
use serde_json::Value;
use sha2::Sha256;

use crate::vectors;

const LARGEST_LOG: usize = 100;

fn hashes(list: &Value) -> Vec<B256> {
    serde_json::from_value(list.clone()).unwrap()
}

fn data(size: usize) -> Vec<Vec<u8>> {
    (0..size)
        .map(|index| format!("leaf {index}").into_bytes())
        .collect()
}

fn leaves(size: usize) -> Vec<LeafHash> {
    data(size).iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn root(leaves: &[LeafHash]) -> LogRoot {
    Log::from_leaves(leaves.iter().copied()).root()
}

fn digests(proof: &[u8]) -> Vec<B256> {
    proof.chunks(32).map(B256::from_slice).collect()
}

#[test]
fn roots_and_proofs_are_the_rfcs() {
    let file = vectors::read("merkle.json");
    let data: Vec<alloy_primitives::Bytes> =
        serde_json::from_value(file["leaves"].clone()).unwrap();
    let leaves: Vec<LeafHash> = data.iter().map(|leaf| leaf_hash(leaf)).collect();
    assert_eq!(
        leaves,
        serde_json::from_value::<Vec<LeafHash>>(file["leaf_hashes"].clone()).unwrap()
    );
    let logs = file["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 9);
    for (size, vector) in logs.iter().enumerate() {
        let log = Log::from_leaves(leaves[..size].iter().copied());
        assert_eq!(log.size(), size as u64);
        assert_eq!(log.root(), vectors::parsed(vector, "root"), "size {size}");
        assert_eq!(
            log.header_root(),
            vectors::parsed::<B256>(vector, "header_root")
        );
        for index in 0..size {
            let expected = hashes(&vector["inclusion"][index]);
            assert_eq!(inclusion_proof(&leaves[..size], index), Some(expected));
            let expected = hashes(&vector["consistency"][index]);
            assert_eq!(
                consistency_proof(&leaves[..size], index + 1),
                Some(expected)
            );
        }
    }
}

#[test]
fn another_library_agrees_on_every_inclusion_proof() {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for (size, leaf) in (1..=LARGEST_LOG).zip(data(LARGEST_LOG)) {
        tree.push(leaf);
        let leaves = leaves(size);
        let root = root(&leaves);
        assert_eq!(root.as_slice(), tree.root().as_bytes().as_slice());
        for index in 0..size {
            let proof = inclusion_proof(&leaves, index).unwrap();
            assert_eq!(
                proof,
                digests(tree.prove_inclusion(index).as_bytes()),
                "{index} of {size}"
            );
            assert!(verify_inclusion(
                leaves[index],
                index as u64,
                size as u64,
                &proof,
                root
            ));
        }
    }
}

#[test]
fn what_a_log_tells_while_it_grows_is_enough_for_every_proof() {
    let mut kept = BTreeMap::new();
    let mut log = Log::default();
    for (size, leaf) in (1..=LARGEST_LOG).zip(leaves(LARGEST_LOG)) {
        let (level, position) = (0, log.size());
        kept.insert(Subtree { level, position }, leaf.0);
        log.push_noting(leaf, |part, hash| assert_eq!(kept.insert(part, hash), None));
        let peaks = Log::subtrees(log.size());
        let peaks = peaks.iter().map(|part| kept[part]).collect();
        assert_eq!(Log::from_subtrees(log.size(), peaks), Some(log.clone()));
        for index in 0..size {
            let plan = ProofPlan::inclusion(index as u64, log.size()).unwrap();
            let proof = plan.proof(|part| kept.get(&part).copied()).unwrap();
            assert!(verify_inclusion(
                leaves(size)[index],
                index as u64,
                log.size(),
                &proof,
                log.root()
            ));
            let old = root(&leaves(index));
            let plan = ProofPlan::consistency(index as u64, log.size()).unwrap();
            let proof = plan.proof(|part| kept.get(&part).copied()).unwrap();
            assert!(verify_consistency(
                index as u64,
                old,
                log.size(),
                log.root(),
                &proof
            ));
        }
    }
    let numbers: BTreeSet<u64> = kept.keys().map(|part| part.number()).collect();
    assert_eq!(numbers.len(), kept.len(), "a number each");
    assert!(
        kept.keys()
            .all(|part| part.number() < 2 * LARGEST_LOG as u64)
    );
    assert_eq!(Log::from_subtrees(3, vec![B256::ZERO]), None);
    let plan = ProofPlan::inclusion(0, 3).unwrap();
    assert_eq!(plan.proof(|_| None), None, "a subtree that is not kept");
}

#[test]
fn another_library_agrees_on_every_consistency_proof() {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for (size, leaf) in (1..=LARGEST_LOG).zip(data(LARGEST_LOG)) {
        tree.push(leaf);
        let leaves = leaves(size);
        let new_root = root(&leaves);
        for old in 1..size {
            let proof = consistency_proof(&leaves, old).unwrap();
            assert_eq!(
                proof,
                digests(tree.prove_consistency(size - old).as_bytes()),
                "{old} to {size}"
            );
            let old_root = root(&leaves[..old]);
            assert!(verify_consistency(
                old as u64,
                old_root,
                size as u64,
                new_root,
                &proof
            ));
        }
    }
}

#[test]
fn there_is_no_proof_of_what_is_not_there() {
    assert_eq!(inclusion_proof(&leaves(3), 3), None);
    assert_eq!(consistency_proof(&leaves(3), 4), None);
    let leaf = leaves(1)[0];
    assert!(!verify_inclusion(leaf, 0, 0, &[], root(&[])));
    assert!(verify_inclusion(leaf, 0, 1, &[], LogRoot(leaf.0)));
}

#[test]
fn every_log_grew_out_of_the_empty_one_and_out_of_itself() {
    let (empty, three) = (root(&[]), root(&leaves(3)));
    assert!(verify_consistency(0, empty, 3, three, &[]));
    assert!(verify_consistency(0, empty, 0, empty, &[]));
    assert!(verify_consistency(3, three, 3, three, &[]));
    assert!(!verify_consistency(0, three, 3, three, &[]));
    assert!(!verify_consistency(0, empty, 0, three, &[]));
    assert!(!verify_consistency(3, three, 3, root(&leaves(4)), &[]));
    assert!(!verify_consistency(3, three, 4, root(&leaves(4)), &[]));
    assert!(!verify_consistency(
        4,
        root(&leaves(4)),
        3,
        three,
        &[B256::ZERO]
    ));
}

proptest! {
    #[test]
    fn a_changed_inclusion_proof_is_refused(
        size in 2usize..200, index: prop::sample::Index, at: prop::sample::Index, bit in 0u8..8, cut: bool,
    ) {
        let leaves = leaves(size);
        let index = index.index(size);
        let (root, size) = (root(&leaves), size as u64);
        let good = inclusion_proof(&leaves, index).unwrap();
        let accepts = |leaf, index, size, proof: &[B256]| verify_inclusion(leaf, index, size, proof, root);
        prop_assert!(accepts(leaves[index], index as u64, size, &good));
        let mut bad = good.clone();
        let hash = at.index(bad.len());
        bad[hash][usize::from(bit)] ^= 1 << bit;
        prop_assert!(!accepts(leaves[index], index as u64, size, &bad));
        let mut longer = good.clone();
        if cut { longer.pop(); } else { longer.push(B256::ZERO); }
        prop_assert!(!accepts(leaves[index], index as u64, size, &longer));
        let other = (index + 1) % leaves.len();
        prop_assert!(!accepts(leaves[other], index as u64, size, &good));
        prop_assert!(!accepts(leaves[index], size, size, &good));
    }

    #[test]
    fn a_changed_consistency_proof_is_refused(
        size in 3usize..200, old: prop::sample::Index, at: prop::sample::Index, bit in 0u8..8,
    ) {
        let leaves = leaves(size);
        let old = old.index(size - 1) + 1;
        let (old_root, new_root) = (root(&leaves[..old]), root(&leaves));
        let good = consistency_proof(&leaves, old).unwrap();
        let accepts = |old_root, proof: &[B256]| verify_consistency(old as u64, old_root, size as u64, new_root, proof);
        prop_assert!(accepts(old_root, &good));
        let mut bad = good.clone();
        let hash = at.index(bad.len());
        bad[hash][usize::from(bit)] ^= 1 << bit;
        prop_assert!(!accepts(old_root, &bad));
        prop_assert!(!accepts(old_root, &good[1..]));
        let mut longer = good.clone();
        longer.push(B256::ZERO);
        prop_assert!(!accepts(old_root, &longer));
        let mut forged = leaves[..old].to_vec();
        forged[0].0[0] ^= 1;
        prop_assert!(!accepts(root(&forged), &good));
    }

    #[test]
    fn any_numbers_and_hashes_are_judged_without_panic(
        index: u64, size: u64, old: u64, proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<B256> = proof.into_iter().map(B256::from).collect();
        let root = LogRoot(B256::ZERO);
        prop_assert!(!verify_inclusion(LeafHash(B256::repeat_byte(1)), index, size, &proof, root));
        prop_assert!(!verify_consistency(old, LogRoot(B256::repeat_byte(1)), size, root, &proof));
    }
}
