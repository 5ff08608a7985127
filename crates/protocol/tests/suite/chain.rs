//! Verification of whole chains: every fault is found, named and blamed on the right one.

use alloy_primitives::{Address, B256, U256, b256};
use medshare_protocol::block::{
    Block, DATA_VERSION_TABULAR, ParentBlock, ParentBody, SideBlock, SideBody,
};
use medshare_protocol::chain_verifier::{
    Anchored, Blame, ChainName, ChainVerifier, Fault, Finding, examine, verify_chain,
};
use medshare_protocol::header::{CompactTarget, Entry, Header};
use medshare_protocol::id::{BlockId, LeafHash, Origin};
use medshare_protocol::merkle::leaf_hash;
use medshare_protocol::origin::side_origin;

use crate::ledger::{
    BITS, Chain, PACKAGE, PARENT_ID, PARENT_LEAF, REQUESTOR, node, origin, parent_body, side,
    side_body, thread,
};

type Blocks = Vec<(Entry, Option<Vec<u8>>)>;

fn served(blocks: Vec<(Entry, Vec<u8>)>) -> Blocks {
    blocks
        .into_iter()
        .map(|(entry, record)| (entry, Some(record)))
        .collect()
}

fn verify(verifier: ChainVerifier, blocks: Blocks, head: B256) -> Vec<Finding> {
    let registered = |address: Address| address == node().address();
    let anchored = blocks.into_iter().map(|(entry, record)| Anchored {
        entry,
        record,
        is_registered_node: &registered,
        work_limit: BITS,
    });
    verify_chain(verifier, anchored, head)
}

fn thread_faults(blocks: Blocks, head: B256) -> Vec<(u64, Fault)> {
    verify(ChainVerifier::thread(REQUESTOR, origin()), blocks, head)
        .into_iter()
        .map(|finding| {
            assert_eq!(finding.chain, ChainName::Thread(REQUESTOR));
            (finding.height, finding.fault)
        })
        .collect()
}

fn side_faults(blocks: Blocks, head: B256) -> Vec<(u64, Fault)> {
    verify(
        ChainVerifier::side(PACKAGE, PARENT_LEAF, Some(PARENT_ID)),
        blocks,
        head,
    )
    .into_iter()
    .map(|finding| (finding.height, finding.fault))
    .collect()
}

/// A thread of one block whose author did what `change` does before anchoring.
fn authored(body: ParentBody, change: impl Fn(Header) -> Header) -> (Blocks, B256) {
    let header = change(Chain::from(origin()).header(DATA_VERSION_TABULAR, body.leaf()));
    let record = ParentBlock { header, body }.to_bytes();
    (
        vec![(Entry::of(&header, body.leaf()), Some(record))],
        header.hash().0,
    )
}

fn signed() -> ParentBody {
    parent_body(0).sign(origin(), &node()).unwrap()
}

#[test]
fn sound_chains_have_no_findings() {
    for length in [0, 1, 2, 3, 7, 20] {
        let (blocks, head) = thread(length);
        assert_eq!(thread_faults(served(blocks), head), []);
        let (blocks, head) = side(length.into());
        assert_eq!(side_faults(served(blocks), head), []);
    }
}

#[test]
fn every_flipped_byte_of_a_served_record_is_found_at_its_height() {
    let (blocks, head) = thread(2);
    for position in 0..blocks[1].1.len() {
        let mut blocks = blocks.clone();
        blocks[1].1[position] ^= 1;
        let faults = thread_faults(served(blocks), head);
        assert_eq!(faults.len(), 1, "byte {position}");
        assert_eq!(faults[0].0, 1);
        assert_eq!(faults[0].1.blame(), Blame::Server);
        let kind = match position {
            0..4 => "magic",
            4..36 => "id",
            36..40 => "size",
            44..76 => "link",
            40..120 => "header-differs",
            _ => "leaf",
        };
        assert_eq!(faults[0].1.kind(), kind, "byte {position}");
    }
    let (blocks, head) = side(2);
    for position in 0..blocks[0].1.len() {
        let mut blocks = blocks.clone();
        blocks[0].1[position] ^= 1;
        let faults = side_faults(served(blocks), head);
        assert_eq!(faults.len(), 1, "byte {position}");
        assert_eq!((faults[0].0, faults[0].1.blame()), (0, Blame::Server));
    }
}

#[test]
fn missing_cut_and_swapped_records_are_found() {
    let (blocks, head) = thread(3);
    let leaf = blocks[2].0.leaf;
    let mut missing = served(blocks.clone());
    missing[2].1 = None;
    assert_eq!(
        thread_faults(missing, head),
        [(2, Fault::BodyMissing { leaf })]
    );
    let mut cut = served(blocks.clone());
    cut[0].1 = Some(vec![0; 119]);
    assert_eq!(
        thread_faults(cut, head),
        [(
            0,
            Fault::Size {
                found: 119,
                expected: 120
            }
        )]
    );
    let mut swapped = served(blocks.clone());
    swapped[0].1 = Some(blocks[1].1.clone());
    swapped[1].1 = Some(blocks[0].1.clone());
    let faults = thread_faults(swapped, head);
    let (zero, one) = (blocks[0].0.leaf, blocks[1].0.leaf);
    assert_eq!(
        faults,
        [
            (
                0,
                Fault::Leaf {
                    anchored: zero,
                    found: one
                }
            ),
            (
                1,
                Fault::Leaf {
                    anchored: one,
                    found: zero
                }
            )
        ]
    );
}

#[test]
fn dropped_and_reordered_entries_are_found() {
    let (blocks, head) = thread(4);
    let mut dropped = served(blocks.clone());
    dropped.pop();
    let faults = thread_faults(dropped, head);
    assert!(
        matches!(faults[..], [(3, Fault::HeadDiffers { .. })]),
        "{faults:?}"
    );
    let mut reordered = served(blocks);
    reordered.swap(1, 2);
    let faults = thread_faults(reordered, head);
    let roots = faults
        .iter()
        .filter(|(_, fault)| fault.kind() == "merkle-root");
    // Every later header commits to the order as well.
    assert_eq!(
        roots.map(|(height, _)| *height).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(matches!(
        faults.last(),
        Some((4, Fault::HeadDiffers { .. }))
    ));
}

#[test]
fn weak_work_and_a_target_above_the_limit_are_blamed_on_the_author() {
    let hard = CompactTarget(0x1d00_ffff);
    let (blocks, head) = authored(signed(), |header| Header {
        bits: hard,
        nonce: 0,
        ..header
    });
    let faults = thread_faults(blocks, head);
    assert!(matches!(faults[..], [(0, Fault::ProofOfWork { bits, .. })] if bits == hard));
    let easy = CompactTarget(0x2100_ffff);
    let (blocks, head) = authored(signed(), |header| {
        Header {
            bits: easy,
            ..header
        }
        .mine()
    });
    let fault = Fault::WorkLimit {
        bits: easy,
        limit: BITS,
    };
    assert_eq!(fault.field(), Some("bits"));
    assert_eq!(thread_faults(blocks, head), [(0, fault)]);
}

#[test]
fn a_wrong_merkle_root_is_blamed_on_its_author_and_stops_nobody() {
    let mut chain = Chain::from(origin());
    let mut blocks = Vec::new();
    for index in 0..3 {
        let body = parent_body(index).sign(origin(), &node()).unwrap();
        let mut header = chain.header(DATA_VERSION_TABULAR, body.leaf());
        if index == 1 {
            header = Header {
                merkle_root: B256::ZERO,
                ..header
            }
            .mine();
            chain.head = header.hash().0;
        }
        let record = ParentBlock { header, body }.to_bytes();
        blocks.push((Entry::of(&header, body.leaf()), Some(record)));
    }
    let faults = thread_faults(blocks, chain.head);
    assert!(
        matches!(
            faults[..],
            [(
                1,
                Fault::MerkleRoot {
                    found: B256::ZERO,
                    ..
                }
            )]
        ),
        "{faults:?}"
    );
    assert_eq!(faults[0].1.blame(), Blame::Author);
}

#[test]
fn time_that_runs_backwards_is_found() {
    let mut chain = Chain::from(origin());
    let mut blocks = Vec::new();
    for (index, time) in [(0, 500), (1, 400), (2, 450)] {
        let body = parent_body(index).sign(origin(), &node()).unwrap();
        let header = Header {
            time,
            ..chain.header(DATA_VERSION_TABULAR, body.leaf())
        }
        .mine();
        chain.head = header.hash().0;
        let record = ParentBlock { header, body }.to_bytes();
        blocks.push((Entry::of(&header, body.leaf()), Some(record)));
    }
    let expected = [
        (
            1,
            Fault::TimeOrder {
                previous: 500,
                time: 400,
            },
        ),
        (
            2,
            Fault::TimeOrder {
                previous: 500,
                time: 450,
            },
        ),
    ];
    assert_eq!(thread_faults(blocks, chain.head), expected);
}

#[test]
fn an_s_in_the_upper_half_is_no_signature_of_the_node() {
    let mut body = signed();
    let (_, s) = body.transaction.signature.split_at_mut(32);
    let order = b256!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let twin = U256::from_be_bytes(order.0) - U256::from_be_slice(s);
    s.copy_from_slice(&twin.to_be_bytes::<32>());
    let (blocks, head) = authored(body, |header| header);
    // ECDSA by itself does not mind.
    let node = node().address();
    assert_eq!(
        thread_faults(blocks, head),
        [(0, Fault::Signature { node })]
    );
}

#[test]
fn a_record_that_was_examined_for_another_leaf_is_not_taken() {
    let (blocks, _) = thread(2);
    let [(first, record), (second, _)] = &blocks[..] else {
        unreachable!()
    };
    let mut verifier = ChainVerifier::thread(REQUESTOR, origin());
    let examined = examine(
        verifier.chain(),
        verifier.origin(),
        first.leaf,
        Some(record),
    );
    let block = verifier.push_examined(*second, examined, &|_| true, BITS);
    assert_eq!(block, None);
    let fault = verifier.take_findings().pop().unwrap().fault;
    let (anchored, found) = (second.leaf, first.leaf);
    assert_eq!(fault, Fault::Leaf { anchored, found });
}

#[test]
fn foreign_and_invented_signatures_are_found() {
    let stranger =
        alloy_signer_local::PrivateKeySigner::from_bytes(&B256::repeat_byte(0x22)).unwrap();
    let name = node().address();
    let (blocks, head) = authored(
        parent_body(0).sign(origin(), &stranger).unwrap(),
        |header| header,
    );
    let signature = Fault::Signature { node: name };
    assert_eq!(thread_faults(blocks, head), [(0, signature.clone())]);

    let (blocks, head) = authored(parent_body(0), |header| header);
    assert_eq!(thread_faults(blocks, head), [(0, signature)]);

    let mut body = parent_body(0);
    body.transaction.node = stranger.address();
    let (blocks, head) = authored(body.sign(origin(), &stranger).unwrap(), |header| header);
    let node = stranger.address();
    assert_eq!(
        thread_faults(blocks, head),
        [(0, Fault::UnknownNode { node })]
    );

    // A block of another thread, signature and all, does not fit here.
    let elsewhere = parent_body(0)
        .sign(Origin::default(), &self::node())
        .unwrap();
    let (blocks, head) = authored(elsewhere, |header| header);
    assert!(matches!(
        thread_faults(blocks, head)[..],
        [(0, Fault::Signature { .. })]
    ));
}

#[test]
fn a_block_about_somebody_else_is_found() {
    let mut body = parent_body(0);
    body.transaction.requestor = Address::repeat_byte(1);
    let (blocks, head) = authored(body.sign(origin(), &node()).unwrap(), |header| header);
    let expected = Fault::Requestor {
        found: Address::repeat_byte(1),
        expected: REQUESTOR,
    };
    assert_eq!(thread_faults(blocks, head), [(0, expected)]);
}

fn side_of(body: SideBody, parent: BlockId, version: u32) -> (Blocks, B256) {
    let header = Chain::from(side_origin(PARENT_LEAF)).header(version, body.leaf());
    let record = SideBlock::new(parent, header, body).to_bytes();
    (
        vec![(Entry::of(&header, body.leaf()), Some(record))],
        header.hash().0,
    )
}

#[test]
fn side_blocks_of_another_package_parent_or_number_are_found() {
    let origin = side_origin(PARENT_LEAF);
    let mut body = side_body(1);
    body.transaction.package = B256::ZERO.into();
    let (blocks, head) = side_of(body.sign(origin, &node()).unwrap(), PARENT_ID, 1);
    assert!(matches!(
        side_faults(blocks, head)[..],
        [(0, Fault::Package { .. })]
    ));

    let body = side_body(1).sign(origin, &node()).unwrap();
    let (blocks, head) = side_of(body, BlockId::default(), 1);
    assert!(matches!(
        side_faults(blocks.clone(), head)[..],
        [(0, Fault::Id { .. })]
    ));
    // Whoever does not know the parent's id takes the half that the record has.
    let unknown = ChainVerifier::side(PACKAGE, PARENT_LEAF, None);
    assert_eq!(verify(unknown, blocks, head), []);

    let (blocks, head) = side_of(body, PARENT_ID, 2);
    assert!(matches!(
        side_faults(blocks, head)[..],
        [(0, Fault::Malformed(_))]
    ));
}

#[test]
fn anything_at_all_may_stand_behind_a_leaf_and_is_blamed_on_the_author() {
    let junk = b"no block at all".to_vec();
    let leaf = leaf_hash(&junk);
    let header = Chain::from(origin()).header(DATA_VERSION_TABULAR, leaf);
    let record = [vec![0; 120], junk].concat();
    let blocks = vec![(Entry::of(&header, leaf), Some(record))];
    let faults = thread_faults(blocks, header.hash().0);
    assert!(matches!(faults[..], [(0, Fault::Malformed(_))]));
    assert_eq!(faults[0].1.blame(), Blame::Author);
}

#[test]
fn push_gives_back_what_was_anchored_and_nothing_else() {
    let (blocks, _) = thread(1);
    let (entry, record) = blocks[0].clone();
    let nobody = |_: Address| false;
    let take = |record: Option<Vec<u8>>, entry| {
        let mut verifier = ChainVerifier::thread(REQUESTOR, origin());
        let anchored = Anchored {
            entry,
            record,
            is_registered_node: &nobody,
            work_limit: BITS,
        };
        let block = verifier.push(&anchored);
        assert_eq!((verifier.height(), verifier.findings().len()), (1, 1));
        block
    };
    assert_eq!(
        take(Some(record.clone()), entry),
        Block::from_bytes(&record).ok()
    );
    assert_eq!(take(None, entry), None);
    let mut altered = record;
    altered[200] ^= 1;
    assert_eq!(take(Some(altered), entry), None);
}

#[test]
fn a_finding_reads_as_a_sentence_and_as_json() {
    let leaf = LeafHash(B256::repeat_byte(0xab));
    let finding = Finding {
        chain: ChainName::Thread(REQUESTOR),
        height: 4,
        fault: Fault::BodyMissing { leaf },
    };
    let digits = "ab".repeat(32);
    assert_eq!(
        finding.to_string(),
        format!(
            "thread of requestor {REQUESTOR}, block 4: nobody serves the body of leaf 0x{digits}: it is withheld or lost"
        )
    );
    let json = serde_json::to_value(&finding).unwrap();
    assert_eq!(json["fault"], "body-missing");
    assert_eq!(json["blame"], "server");
    assert_eq!(json["height"], 4);
}
