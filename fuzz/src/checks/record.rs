//! Block records, and whole chains with a foreign record in them (SPEC.md §1.5, §3).

use std::sync::OnceLock;

use alloy_primitives::Address;
use medshare_protocol::block::{Block, MAX_RECORD_BYTES, ParentBody, SIDE_RECORD_BYTES, SideBody};
use medshare_protocol::chain_verifier::{Anchored, Blame, ChainVerifier};
use medshare_protocol::header::{CompactTarget, Entry};
use medshare_protocol::id::{LeafHash, Origin, PackageId};
use medshare_protocol::merkle::leaf_hash;
use serde_json::Value;

/// Any bytes as a record, as a body, and as what somebody serves for a block of a sound chain.
pub fn check(data: &[u8]) {
    if let Ok(block) = Block::from_bytes(data) {
        assert_eq!(block.to_bytes(), data, "a record has one encoding");
        assert!(matches!(data.len(), SIDE_RECORD_BYTES | MAX_RECORD_BYTES));
        assert_eq!(block.leaf(), leaf_hash(&data[120..]));
        let _ = block.is_signed(Origin::default());
    }
    if let Ok(mut body) = ParentBody::from_bytes(data) {
        assert_eq!(body.to_bytes(), data, "a body has one encoding");
        body.transaction.node = super::key().address();
        let signed = body.sign(Origin::default(), &super::key());
        let signed = signed.expect("what is read can be signed");
        assert!(signed.is_signed(Origin::default()));
    }
    if let Ok(mut body) = SideBody::from_bytes(data) {
        assert_eq!(body.to_bytes(), data, "a body has one encoding");
        body.transaction.node = super::key().address();
        let signed = body.sign(Origin::default(), &super::key());
        let signed = signed.expect("what is read can be signed");
        assert!(signed.is_signed(Origin::default()));
    }
    served(data);
}

/// The chains of blocks.json.
struct Chains {
    requestor: Address,
    origin: Origin,
    package: PackageId,
    parent: LeafHash,
    parent_id: medshare_protocol::id::BlockId,
    /// Entry and record of the parent block and of the two side-blocks.
    blocks: Vec<(Entry, Vec<u8>)>,
}

fn chains() -> &'static Chains {
    static CHAINS: OnceLock<Chains> = OnceLock::new();
    CHAINS.get_or_init(|| {
        let file = super::vector(include_str!("../../../test/vectors/blocks.json"));
        let block = |block: &Value| {
            let entry = super::bytes(&block["entry"]).try_into();
            let entry = Entry::from_bytes(&entry.expect("80 bytes"));
            (entry, super::bytes(&block["record"]))
        };
        let parent = &file["parent"];
        Chains {
            requestor: Address::from_slice(&super::bytes(&parent["fields"]["requestor"])),
            origin: Origin(super::hash(&parent["origin"])),
            package: PackageId(super::hash(&parent["fields"]["package"])),
            parent: LeafHash(super::hash(&parent["leaf"])),
            parent_id: super::hash(&parent["id"]).into(),
            blocks: [parent, &file["side"][0], &file["side"][1]]
                .map(block)
                .into(),
        }
    })
}

/// Nothing but the record itself passes in its place, and who served it is blamed, not its author.
fn served(data: &[u8]) {
    let Chains {
        requestor,
        origin,
        package,
        parent,
        parent_id,
        blocks,
    } = chains();
    let (thread, side) = blocks.split_at(1);
    judge(ChainVerifier::thread(*requestor, *origin), thread, 0, data);
    for height in [0, 1] {
        let verifier = ChainVerifier::side(*package, *parent, Some(*parent_id));
        judge(verifier, side, height, data);
    }
}

fn judge(mut verifier: ChainVerifier, blocks: &[(Entry, Vec<u8>)], height: usize, data: &[u8]) {
    for (index, (entry, record)) in blocks.iter().enumerate() {
        let served = if index == height { data } else { record };
        verifier.push(&Anchored {
            entry: *entry,
            record: Some(served.to_vec()),
            is_registered_node: &|_| true,
            work_limit: CompactTarget::DEFAULT_LIMIT,
        });
    }
    let head = verifier.head();
    let findings = verifier.finish(head);
    assert_eq!(
        findings.is_empty(),
        blocks[height].1 == data,
        "{findings:?}"
    );
    for finding in findings {
        assert_eq!(finding.height, height as u64, "{finding:?}");
        assert_eq!(finding.fault.blame(), Blame::Server, "{finding:?}");
    }
}
