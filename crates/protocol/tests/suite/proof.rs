//! Proofs about a chain, made by the log and checked against nothing but heads.

use alloy_primitives::{Address, B256, FixedBytes};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::{CompactTarget, Header};
use medshare_protocol::id::LeafHash;
use medshare_protocol::merkle::{Log, consistency_proof, header_root, inclusion_proof};
use medshare_protocol::proof::{ChainEnd, ConsistencyProof, InclusionProof, ProofError};
use serde_json::Value;

use crate::vectors;

const SIZE: usize = 11;

/// A chain of [`SIZE`] blocks: its leaves, and its end at every size.
fn chain() -> (Vec<LeafHash>, Vec<ChainEnd>) {
    let leaves: Vec<LeafHash> = (1..=SIZE)
        .map(|byte| LeafHash(B256::repeat_byte(byte as u8)))
        .collect();
    let mut previous = B256::ZERO;
    let mut log = Log::default();
    let mut ends = Vec::new();
    for leaf in &leaves {
        log.push(*leaf);
        let header = Header {
            version: 0x0001_0001,
            previous,
            merkle_root: log.header_root(),
            time: 1_700_000_000,
            bits: CompactTarget(0x2000_ffff),
            nonce: 0,
        };
        previous = header.hash().0;
        ends.push(ChainEnd {
            size: log.size(),
            root: log.root(),
            header: FixedBytes(header.to_bytes()),
        });
    }
    (leaves, ends)
}

fn inclusion(index: usize, size: usize) -> InclusionProof {
    let (leaves, ends) = chain();
    InclusionProof {
        chain: ChainName::Thread(Address::repeat_byte(9)),
        leaf: leaves[index],
        index: index as u64,
        end: ends[size - 1],
        path: inclusion_proof(&leaves[..size], index).unwrap(),
    }
}

fn consistency(old: usize, new: usize) -> ConsistencyProof {
    let (leaves, ends) = chain();
    ConsistencyProof {
        chain: ChainName::Thread(Address::repeat_byte(9)),
        old: ends[old - 1],
        new: ends[new - 1],
        path: consistency_proof(&leaves[..new], old).unwrap(),
    }
}

#[test]
fn every_block_is_shown_to_be_in_every_later_chain_and_in_no_other() {
    for size in 1..=SIZE {
        for index in 0..size {
            let proof = inclusion(index, size);
            let head = proof.end.head();
            assert_eq!(proof.check(head), Ok(()), "{index} of {size}");
            let elsewhere = InclusionProof {
                index: proof.index + 1,
                ..proof.clone()
            };
            assert_eq!(elsewhere.check(head), Err(ProofError::Path(proof.end.root)));
            let mut resized = proof.clone();
            resized.end.size += 1;
            assert!(matches!(resized.check(head), Err(ProofError::Root { .. })));
            let expected = B256::repeat_byte(7);
            assert!(matches!(
                proof.check(expected),
                Err(ProofError::Head { .. })
            ));
        }
    }
}

#[test]
fn every_growth_is_shown_and_no_exchange_is() {
    for new in 1..=SIZE {
        for old in 1..=new {
            let proof = consistency(old, new);
            let (before, after) = (proof.old.head(), proof.new.head());
            assert_eq!(proof.check(before, after), Ok(()), "{old} to {new}");
            let other = B256::repeat_byte(7);
            assert!(matches!(
                proof.check(other, after),
                Err(ProofError::Head { .. })
            ));
            assert!(matches!(
                proof.check(before, other),
                Err(ProofError::Head { .. })
            ));
            let mut resized = proof.clone();
            resized.new.size += 1;
            assert!(matches!(
                resized.check(before, after),
                Err(ProofError::Root { .. })
            ));
            let mut forked = proof.clone();
            forked.new.header.0[79] ^= 1;
            let fork = forked.check(before, forked.new.head());
            assert!(fork.is_err() || old < new, "{old} to {new}");
            let mut exchanged = proof.clone();
            exchanged.old.root.0[0] ^= 1;
            assert!(matches!(
                exchanged.check(before, after),
                Err(ProofError::Root { .. })
            ));
            if let Some(hash) = exchanged.path.first_mut() {
                hash.0[0] ^= 1;
                exchanged.old = proof.old;
                assert_eq!(
                    exchanged.check(before, after),
                    Err(ProofError::Path(proof.new.root))
                );
            }
        }
    }
}

/// Of the last block the proof has the whole header, of an earlier one only what its merkle root is made of.
#[test]
fn a_proof_is_of_the_header_at_its_place() {
    for size in 1..=SIZE {
        for index in 0..size {
            let (proof, place) = (inclusion(index, size), format!("{index} of {size}"));
            let end = chain().1[index];
            let header = Header::from_bytes(&end.header.0);
            assert!(proof.is_of(&header), "{place}");
            let mut other_root = header;
            other_root.merkle_root.0[0] ^= 1;
            assert!(!proof.is_of(&other_root), "{place}");
            let mut other_size = header;
            other_size.merkle_root = header_root(end.root, end.size + 1);
            assert!(!proof.is_of(&other_size), "{place}");
            let mut mined_again = header;
            mined_again.nonce += 1;
            assert_eq!(proof.is_of(&mined_again), index + 1 < size, "{place}");
        }
    }
    let mut nowhere = inclusion(0, SIZE);
    nowhere.index = u64::MAX;
    assert!(!nowhere.is_of(&Header::from_bytes(&nowhere.end.header.0)));
}

/// Whatever its header, a chain without a block would grow into every chain (SPEC §2.1: an end has at least one).
#[test]
fn nothing_grows_out_of_a_chain_without_a_block() {
    let mut proof = consistency(1, SIZE);
    let none = Log::default();
    let mut header = Header::from_bytes(&proof.old.header.0);
    header.merkle_root = none.header_root();
    proof.old = ChainEnd {
        size: 0,
        root: none.root(),
        header: FixedBytes(header.to_bytes()),
    };
    proof.path.clear();
    for new in [proof.new, proof.old] {
        proof.new = new;
        let checked = proof.check(proof.old.head(), new.head());
        assert_eq!(checked, Err(ProofError::Path(new.root)));
    }
}

#[test]
fn a_proof_is_the_same_after_a_journey_as_json_and_takes_no_strange_field() {
    let proof = inclusion(3, SIZE);
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(
        serde_json::from_str::<InclusionProof>(&json).unwrap(),
        proof
    );
    let strange = json.replacen('{', r#"{"also":1,"#, 1);
    assert!(serde_json::from_str::<InclusionProof>(&strange).is_err());
    let short = json.replace(&format!("{}", proof.end.header), "0x00");
    assert!(serde_json::from_str::<InclusionProof>(&short).is_err());
}

/// Those that a network made, and that the second implementation reads, too.
#[test]
fn the_vectors_proofs_hold_of_their_heads() {
    let vector = vectors::read("proofs.json");
    let head = |size: &str| vectors::parsed::<B256>(&vector["heads"], size);
    let read = |name: &str| {
        let mut proof = vector[name].as_object().unwrap().clone();
        assert_eq!(proof.remove("proof").unwrap(), name);
        Value::Object(proof)
    };
    let inclusion: InclusionProof = serde_json::from_value(read("inclusion")).unwrap();
    inclusion.check(head("3")).unwrap();
    assert!(matches!(
        inclusion.check(head("1")),
        Err(ProofError::Head { .. })
    ));
    let growth: ConsistencyProof = serde_json::from_value(read("growth")).unwrap();
    growth.check(head("1"), head("3")).unwrap();
    assert_eq!(serde_json::to_value(&inclusion).unwrap(), read("inclusion"));
    assert_eq!(serde_json::to_value(&growth).unwrap(), read("growth"));
}
