//! The side-blocks: a chain up to the head, and what each of them says.

use medshare_protocol::block::SideBody;
use medshare_protocol::usage::{Action, Actions};

use super::{Change, Changes, OTHER, SOUND, assert_each, assert_flaws, keys};
use crate::evidence::MAX_REPORTS;

/// Which side-block, what is changed in it, and what is told.
type Field = (u32, Change<SideBody>, &'static [&'static str]);

#[test]
fn fields_are_those_of_package_and_usage_contract() {
    let fields: [Field; 6] = [
        (
            2,
            |body| body.transaction.requestor = keys::stranger().address(),
            &["blocks.json: the requestor of a side-block is"],
        ),
        (
            2,
            |body| body.transaction.owner = keys::stranger().address(),
            &["blocks.json: the custodian of a side-block is"],
        ),
        // The usage contract grants to read (report 2) and nothing else: not to copy (report 3).
        (
            2,
            |body| body.transaction.violated = body.transaction.reported,
            &["blocks.json: what violated (VLN) is"],
        ),
        (
            3,
            |body| body.transaction.violated = Actions::NONE,
            &["blocks.json: what violated (VLN) is"],
        ),
        (
            2,
            |body| body.transaction.package.0 = OTHER,
            &["block 1: the block names package"],
        ),
        // A proof's index follows from the number.
        (
            2,
            |body| body.transaction.number = 3,
            &[
                "proofs.json: the index of a side-block's proof is",
                "blocks.json: the report's number in a side-block is",
            ],
        ),
    ];
    for (of, side, expected) in fields {
        assert_flaws(&Changes { of, side, ..SOUND }, expected);
    }
}

#[test]
fn first_of_all_the_package_is_decrypted() {
    let changes = Changes {
        of: 1,
        report: |report| report.actions = Actions::NONE.with(Action::Read).0,
        ..SOUND
    };
    assert_flaws(&changes, &["blocks.json: what was reported first is"]);
}

/// Those that were not reported in a block yet are none of the chain's.
#[test]
fn there_may_be_fewer_side_blocks_than_reports() {
    for anchored in 0..3 {
        assert_flaws(&Changes { anchored, ..SOUND }, &[]);
    }
}

#[test]
fn each_is_signed_and_has_its_proof() {
    assert_each(&[
        (
            Changes {
                forged: &["Side"],
                ..SOUND
            },
            "which has not signed what the block says",
        ),
        (
            Changes {
                evidence: |evidence| drop(evidence.proofs.sides.pop()),
                ..SOUND
            },
            "proofs.json: the number of side-blocks is 2, and should be 3",
        ),
        (
            Changes {
                evidence: |evidence| evidence.proofs.sides[1].chain = evidence.proofs.parent.chain,
                ..SOUND
            },
            "proofs.json: the chain of a proof is",
        ),
        (
            Changes {
                evidence: |evidence| evidence.proofs.sides[1].path[0] = OTHER,
                ..SOUND
            },
            "proofs.json: the path does not lead to the root",
        ),
    ]);
}

#[test]
fn they_lead_to_the_head_that_the_contract_held() {
    let changes = Changes {
        anchored: 1,
        held: |held| held.status.head = OTHER,
        ..SOUND
    };
    let elsewhere = "blocks.json: side-chain of package";
    assert_flaws(
        &changes,
        &[elsewhere, "proofs.json: the proof ends at the head"],
    );
}

#[test]
fn only_side_blocks_are_read_and_not_without_end() {
    assert_each(&[
        (
            Changes {
                anchored: 0,
                evidence: |evidence| evidence.blocks.sides.push(evidence.blocks.parent.clone()),
                ..SOUND
            },
            "blocks.json: a parent block stands among the side-blocks",
        ),
        (
            Changes {
                anchored: 0,
                evidence: |evidence| evidence.blocks.sides.push(vec![0; 4].into()),
                ..SOUND
            },
            "blocks.json: side-block 1:",
        ),
        (
            Changes {
                evidence: |evidence| {
                    let record = evidence.blocks.sides[0].clone();
                    evidence.blocks.sides = vec![record; MAX_REPORTS + 1];
                },
                ..SOUND
            },
            "blocks.json: there are 10001 side-blocks",
        ),
    ]);
}
