//! The parent block: its place, its work, its signature, and what it says.

use medshare_protocol::block::ParentBody;
use medshare_protocol::header::CompactTarget;
use medshare_protocol::usage::Sensitivity;

use super::{Change, Changes, OTHER, SOUND, assert_each, assert_flaws, keys};

/// A target that no hash meets.
const HARDEST: CompactTarget = CompactTarget(0x0300_0001);

/// What is changed in the block, and what is told.
type Field = (Change<ParentBody>, &'static str);

#[test]
fn fields_are_those_of_request_contract_and_validation() {
    let fields: [Field; 7] = [
        (
            |body| body.transaction.package.0 = OTHER,
            "the package (parent block) is",
        ),
        (
            |body| body.transaction.requestor = keys::stranger().address(),
            "the requestor (RID) is",
        ),
        (
            |body| body.transaction.owner = keys::stranger().address(),
            "the custodian (OID) is",
        ),
        (|body| body.transaction.dataset.0 = OTHER, "the dataset is"),
        (
            |body| body.transaction.purpose = "DUO:0000042".parse().unwrap(),
            "the purpose (DRP) is",
        ),
        (
            |body| body.transaction.sensitivity = Sensitivity::Low,
            "the sensitivity (Dsens) is",
        ),
        (|body| body.action_counter -= 1, "the action counter is"),
    ];
    for (parent, expected) in fields {
        let changes = Changes { parent, ..SOUND };
        assert_flaws(&changes, &[&format!("blocks.json: {expected}")]);
    }
}

#[test]
fn the_second_node_is_the_one_that_signed_and_another_than_the_first() {
    assert_each(&[
        (
            Changes {
                forged: &["Validation", "Certification"],
                evidence: |evidence| evidence.dossier.verifier = keys::stranger().address(),
                ..SOUND
            },
            "blocks.json: the second node is",
        ),
        (
            Changes {
                parent: |body| body.transaction.node = keys::second().address(),
                ..SOUND
            },
            "blocks.json: the node is its own second node",
        ),
        // Whose it was no proof tells.
        (
            Changes {
                parent: |body| body.transaction.node = keys::session().address(),
                ..SOUND
            },
            "contract.json: the proof lacks",
        ),
    ]);
}

#[test]
fn it_is_read_signed_mined_and_in_its_place() {
    assert_each(&[
        (
            Changes {
                evidence: |evidence| evidence.blocks.parent = vec![0; 4].into(),
                ..SOUND
            },
            "blocks.json: the parent block: ",
        ),
        (
            Changes {
                forged: &["Parent"],
                ..SOUND
            },
            "has not signed the parent block",
        ),
        (
            Changes {
                header: |header| header.bits = HARDEST,
                ..SOUND
            },
            "blocks.json: the parent block's header does not meet its target",
        ),
        (
            Changes {
                header: |header| {
                    header.merkle_root = OTHER;
                    *header = header.mine();
                },
                ..SOUND
            },
            "blocks.json: the parent block's header is not the one of its place",
        ),
        (
            Changes {
                held: |held| held.thread = Some(OTHER),
                ..SOUND
            },
            "proofs.json: the proof ends at the head",
        ),
        (
            Changes {
                evidence: |evidence| evidence.proofs.parent.chain = evidence.proofs.sides[0].chain,
                ..SOUND
            },
            "proofs.json: the chain of a proof is",
        ),
    ]);
}

/// A sound proof, of the block before.
#[test]
fn the_proof_is_the_blocks_own() {
    let changes = Changes {
        evidence: |evidence| {
            let proof = &mut evidence.proofs.parent;
            (proof.path[0], proof.leaf.0, proof.index) = (proof.leaf.0, OTHER, 0);
        },
        ..SOUND
    };
    let elsewhere = "blocks.json: the parent block's header is not the one of its place";
    assert_flaws(
        &changes,
        &["proofs.json: the block of a proof is", elsewhere],
    );
}
