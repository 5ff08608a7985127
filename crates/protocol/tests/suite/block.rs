//! Block records against vectors made elsewhere, and against damage.

use alloy_primitives::{Address, B256, FixedBytes};
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::block::{
    Block, BlockError, MAX_RECORD_BYTES, PARENT_RECORD_BYTES, ParentBlock, ParentBody,
    ParentTransaction, SIDE_RECORD_BYTES, SideBlock, SideBody, SideTransaction, SigningError,
};
use medshare_protocol::digest::sha256d;
use medshare_protocol::header::{Entry, Header};
use medshare_protocol::id::{BlockId, HeaderHash, LeafHash, Origin, PackageId, ReportDigest};
use medshare_protocol::merkle::Log;
use medshare_protocol::origin::{side_origin, thread_origin};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Action, Actions, Sensitivity};
use proptest::prelude::*;
use serde_json::Value;

use crate::ledger;
use crate::vectors::{bytes, number, parsed, read};

fn signer(file: &Value) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&parsed(file, "node_key")).unwrap()
}

/// What both kinds have in common: the record reads as `block` and gives every derived value of the vector.
fn agrees(vector: &Value, block: &Block) {
    let record = bytes(vector, "record");
    assert_eq!(Block::from_bytes(&record).as_ref(), Ok(block));
    assert_eq!(block.to_bytes(), record);
    assert_eq!(block.id(), parsed::<BlockId>(vector, "id"));
    assert_eq!(block.leaf(), parsed::<LeafHash>(vector, "leaf"));
    assert_eq!(
        block.header().hash(),
        parsed::<HeaderHash>(vector, "header_hash")
    );
    assert_eq!(block.header().to_bytes().to_vec(), bytes(vector, "header"));
    let entry = Entry::of(block.header(), block.leaf());
    assert_eq!(entry.to_bytes().to_vec(), bytes(vector, "entry"));
    assert!(block.header().meets_its_target());
    // Mining is a search from nonce 0: the same everywhere.
    assert_eq!(
        Header {
            nonce: 0,
            ..*block.header()
        }
        .mine(),
        *block.header()
    );
    assert!(block.is_signed(parsed(vector, "origin")));
    assert!(!block.is_signed(Origin::default()));
}

#[test]
fn a_parent_block_is_made_byte_for_byte_as_the_vector_says() {
    let file = read("blocks.json");
    let vector = &file["parent"];
    let fields = &vector["fields"];
    let requestor = parsed(fields, "requestor");
    let origin = thread_origin(
        number(&file, "chain_id"),
        parsed(&file, "contract"),
        requestor,
    );
    assert_eq!(origin, parsed::<Origin>(vector, "origin"));
    let unsigned = ParentBody {
        action_counter: number(fields, "action_counter"),
        transaction: ParentTransaction {
            received: number(fields, "received"),
            processing_ms: number(fields, "processing_ms"),
            sent: number(fields, "sent"),
            owner: parsed(fields, "owner"),
            requestor,
            sensitivity: Sensitivity::High,
            purpose: parsed(fields, "purpose"),
            dataset: parsed(fields, "dataset"),
            package: parsed(fields, "package"),
            payload_hash: parsed(fields, "payload_hash"),
            container_hash: parsed(fields, "container_hash"),
            form_digest: parsed(fields, "form_digest"),
            verifier: parsed(fields, "verifier"),
            node: parsed(fields, "node"),
            signature: FixedBytes::ZERO,
        },
        locktime: number(fields, "locktime"),
    };
    assert_eq!(
        unsigned.signing_digest(origin),
        parsed::<B256>(vector, "signing_digest")
    );
    let body = unsigned.sign(origin, &signer(&file)).unwrap();
    assert_eq!(body.to_bytes(), bytes(vector, "body"));
    let header = Header::from_bytes(&bytes(vector, "header").try_into().unwrap());
    assert_eq!(
        header.merkle_root,
        Log::from_leaves([body.leaf()]).header_root()
    );
    agrees(vector, &Block::Parent(ParentBlock { header, body }));
}

#[test]
fn side_blocks_are_made_byte_for_byte_as_the_vectors_say() {
    let file = read("blocks.json");
    let parent: BlockId = parsed(&file["parent"], "id");
    let origin = side_origin(parsed(&file["parent"], "leaf"));
    let mut log = Log::default();
    for vector in file["side"].as_array().unwrap() {
        let fields = &vector["fields"];
        let body = SideBody {
            action_counter: number(fields, "action_counter"),
            transaction: SideTransaction {
                time: number(fields, "time"),
                owner: parsed(fields, "owner"),
                requestor: parsed(fields, "requestor"),
                reported: Actions(number(fields, "reported")),
                violated: Actions(number(fields, "violated")),
                package: parsed::<PackageId>(fields, "package"),
                number: number(fields, "number"),
                report: parsed::<ReportDigest>(fields, "report"),
                sealed_report: parsed(fields, "sealed_report"),
                node: parsed(fields, "node"),
                signature: FixedBytes::ZERO,
            },
            locktime: number(fields, "locktime"),
        }
        .sign(origin, &signer(&file))
        .unwrap();
        assert_eq!(body.to_bytes(), bytes(vector, "body"));
        log.push(body.leaf());
        let header = Header::from_bytes(&bytes(vector, "header").try_into().unwrap());
        assert_eq!(header.merkle_root, log.header_root());
        let block = SideBlock::new(parent, header, body);
        assert!(block.is_of_parent(parent) && !block.is_of_parent(BlockId::default()));
        agrees(vector, &Block::Side(block));
    }
}

/// The first words of the lines of the first example are the record of the second report.
#[test]
fn the_example_of_the_specification_is_a_vector() {
    let specification = include_str!("../../SPEC.md");
    let (_, example) = specification.split_once("```text\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let digits: String = example
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let file = read("blocks.json");
    assert_eq!(
        format!("0x{digits}"),
        file["side"][1]["record"].as_str().unwrap()
    );
}

/// The offsets that the specification prints, on records whose fields are all different.
#[test]
fn fields_stand_where_the_specification_says() {
    let file = read("blocks.json");
    let at = |vector: &Value, offset: usize, field: &str| {
        let expected = bytes(&vector["fields"], field);
        assert_eq!(
            bytes(vector, "record")[offset..offset + expected.len()],
            expected,
            "{field}"
        );
    };
    let parent = &file["parent"];
    for (offset, field) in [
        (148, "owner"),
        (168, "requestor"),
        (221, "dataset"),
        (253, "package"),
        (285, "payload_hash"),
        (317, "container_hash"),
        (349, "form_digest"),
        (381, "verifier"),
        (401, "node"),
    ] {
        at(parent, offset, field);
    }
    ends(parent, 421);
    let side = &file["side"][1];
    for (offset, field) in [
        (132, "owner"),
        (152, "requestor"),
        (174, "package"),
        (210, "report"),
        (242, "sealed_report"),
        (274, "node"),
    ] {
        at(side, offset, field);
    }
    ends(side, 294);
}

/// Nsig is the only thing that is not signed, and the locktime ends the record.
fn ends(vector: &Value, offset: usize) {
    let record = bytes(vector, "record");
    let (domain, locktime) = (&record[..4], offset + 64);
    let domain: &[u8] = match domain {
        b"MDSP" => b"medshare/parent/v1",
        _ => b"medshare/side/v1",
    };
    let unsigned = [&record[120..offset], &record[locktime..]].concat();
    let digest = sha256d(&[domain, &bytes(vector, "origin"), &unsigned]);
    assert_eq!(digest, parsed::<B256>(vector, "signing_digest"));
    let expected: u64 = number(&vector["fields"], "locktime");
    assert_eq!(record[locktime..], expected.to_le_bytes());
}

/// Every bit of every byte: either the record no longer decodes, or it is visibly another block.
#[test]
fn every_flipped_bit_of_a_record_is_found() {
    for record in [
        ledger::thread(1).0.remove(0).1,
        ledger::side(1).0.remove(0).1,
    ] {
        let block = Block::from_bytes(&record).unwrap();
        for position in 0..record.len() {
            for bit in 0..8 {
                let mut damaged = record.clone();
                damaged[position] ^= 1 << bit;
                let Ok(other) = Block::from_bytes(&damaged) else {
                    continue;
                };
                assert_eq!(other.to_bytes(), damaged);
                let is_parent_half = (4..20).contains(&position) && matches!(other, Block::Side(_));
                assert_ne!(
                    other.leaf() == block.leaf(),
                    !is_parent_half,
                    "byte {position} bit {bit}"
                );
                if is_parent_half {
                    let Block::Side(side) = other else {
                        unreachable!()
                    };
                    assert!(!side.is_of_parent(ledger::PARENT_ID));
                }
            }
        }
    }
}

#[test]
fn cut_and_overlong_records_are_refused() {
    for (record, expected) in [
        (ledger::thread(1).0.remove(0).1, PARENT_RECORD_BYTES),
        (ledger::side(1).0.remove(0).1, SIDE_RECORD_BYTES),
    ] {
        assert_eq!(record.len(), expected);
        assert!(record.len() <= MAX_RECORD_BYTES);
        for length in 4..record.len() {
            let cut = Block::from_bytes(&record[..length]);
            assert_eq!(cut, Err(BlockError::Length { length, expected }));
        }
        for length in 0..4 {
            assert!(Block::from_bytes(&record[..length]).is_err());
        }
        let longer = [record.as_slice(), &[0]].concat();
        assert_eq!(
            Block::from_bytes(&longer),
            Err(BlockError::Length {
                length: expected + 1,
                expected
            })
        );
    }
}

#[test]
fn what_every_verifier_refuses_is_not_signed() {
    let origin = ledger::origin();
    let node = ledger::node();
    let refused = |result: Result<ParentBody, SigningError>| match result {
        Err(SigningError::Invalid(error)) => error,
        other => panic!("{other:?}"),
    };
    let body = ledger::parent_body(1);
    let bad = ParentBody {
        action_counter: 7,
        ..body
    }
    .sign(origin, &node);
    assert!(matches!(
        refused(bad),
        BlockError::ActionCounter { found: 7, .. }
    ));
    let bad = ParentBody {
        locktime: body.transaction.sent - 1,
        ..body
    }
    .sign(origin, &node);
    assert!(matches!(refused(bad), BlockError::Times { .. }));

    let body = ledger::side_body(2);
    let side = |change: fn(&mut SideBody)| {
        let mut body = body;
        change(&mut body);
        match body.sign(origin, &node) {
            Err(SigningError::Invalid(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let nothing = side(|body| body.transaction.reported = Actions::NONE);
    assert_eq!(
        nothing,
        BlockError::Violations {
            reported: 0,
            violated: 0
        }
    );
    let unreported = side(|body| body.transaction.violated = Actions::NONE.with(Action::Copy));
    assert_eq!(
        unreported,
        BlockError::Violations {
            reported: 1,
            violated: 32
        }
    );
    assert!(matches!(
        side(|body| body.action_counter = 1),
        BlockError::ActionCounter { .. }
    ));
    assert!(matches!(
        side(|body| body.transaction.number = 0),
        BlockError::Number { .. }
    ));
}

#[test]
fn a_side_block_under_another_number_is_refused() {
    let body = ledger::side_body(2)
        .sign(ledger::origin(), &ledger::node())
        .unwrap();
    let header = ledger::Chain::from(ledger::origin()).header(3, body.leaf());
    let record = SideBlock::new(ledger::PARENT_ID, header, body).to_bytes();
    assert_eq!(
        Block::from_bytes(&record),
        Err(BlockError::Number {
            number: 2,
            version: 3
        })
    );
}

prop_compose! {
    fn any_parent()(
        counter in 0u32..=6, times in any::<[u32; 4]>(), hashes in any::<[[u8; 32]; 5]>(),
        names in any::<[[u8; 20]; 3]>(), high: bool, purpose in "[A-Za-z0-9:_-]{1,32}", header in any::<[[u8; 20]; 4]>(),
    ) -> ParentBlock {
        let at = |index: usize| u64::from(times[index]);
        let header = Header::from_bytes(&header.concat().try_into().unwrap());
        let body = ParentBody {
            action_counter: counter,
            transaction: ParentTransaction {
                received: at(0),
                processing_ms: at(1),
                sent: at(0) + at(2),
                owner: Address::from(names[0]),
                requestor: Address::from(names[1]),
                sensitivity: if high { Sensitivity::High } else { Sensitivity::Low },
                purpose: purpose.parse::<Purpose>().unwrap(),
                dataset: B256::from(hashes[0]).into(),
                package: B256::from(hashes[1]).into(),
                payload_hash: B256::from(hashes[2]).into(),
                container_hash: B256::from(hashes[3]).into(),
                form_digest: B256::from(hashes[4]).into(),
                verifier: Address::from(names[2]),
                node: ledger::node().address(),
                signature: FixedBytes::ZERO,
            },
            locktime: at(0) + at(2) + at(3),
        };
        let body = body.sign(ledger::origin(), &ledger::node()).unwrap();
        ParentBlock { header, body }
    }
}

prop_compose! {
    fn any_side()(
        number in 1u32.., time: u64, locktime: u64, hashes in any::<[[u8; 32]; 3]>(),
        names in any::<[[u8; 20]; 2]>(), reported in 1u8.., mask: u8, header in any::<[[u8; 20]; 4]>(),
        parent: [u8; 32],
    ) -> SideBlock {
        let header = Header::from_bytes(&header.concat().try_into().unwrap());
        let violated = Actions(reported & mask);
        let body = SideBody {
            action_counter: violated.count(),
            transaction: SideTransaction {
                time,
                owner: Address::from(names[0]),
                requestor: Address::from(names[1]),
                reported: Actions(reported),
                violated,
                package: B256::from(hashes[0]).into(),
                number,
                report: B256::from(hashes[1]).into(),
                sealed_report: B256::from(hashes[2]),
                node: ledger::node().address(),
                signature: FixedBytes::ZERO,
            },
            locktime,
        };
        let body = body.sign(ledger::origin(), &ledger::node()).unwrap();
        SideBlock::new(BlockId(B256::from(parent)), Header { version: number, ..header }, body)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parent_blocks_survive_their_bytes(block in any_parent()) {
        prop_assert_eq!(Block::from_bytes(&block.to_bytes()), Ok(Block::Parent(block)));
        prop_assert!(block.body.is_signed(ledger::origin()));
        prop_assert!(!block.body.is_signed(Origin::default()));
    }

    #[test]
    fn side_blocks_survive_their_bytes(block in any_side()) {
        prop_assert_eq!(Block::from_bytes(&block.to_bytes()), Ok(Block::Side(block)));
        prop_assert!(block.body.is_signed(ledger::origin()));
        prop_assert!(!block.body.is_signed(Origin::default()));
    }

    #[test]
    fn random_bytes_are_refused_without_panic(
        magic in prop::sample::select(vec![*b"MDSP", *b"MDSS", *b"MDSX"]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        prop_assert!(Block::from_bytes(&[magic.as_slice(), &rest].concat()).is_err());
    }

    #[test]
    fn random_fields_behind_a_right_envelope_never_panic(body in prop::collection::vec(any::<u8>(), 373)) {
        if let Ok(read) = ParentBody::from_bytes(&body) {
            prop_assert_eq!(read.to_bytes(), body.clone());
        }
        if let Ok(read) = SideBody::from_bytes(&body[..246]) {
            prop_assert_eq!(read.to_bytes(), &body[..246]);
        }
    }
}
