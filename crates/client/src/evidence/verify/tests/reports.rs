//! The reports: a chain that sessions sign, in side-blocks and receipted; and the word that the data is deleted.

use medshare_protocol::block::SideBody;
use medshare_protocol::typed::{Receipt, Report};
use medshare_protocol::usage::{Action, Actions, State};

use super::{Change, Changes, OTHER, SOUND, assert_each, assert_flaws, keys};
use crate::evidence::MAX_REPORTS;

#[test]
fn each_follows_the_one_before() {
    let fields: [(u32, Change<Report>, &str); 5] = [
        (1, |report| report.previous = OTHER, "the report before is"),
        (2, |report| report.previous = OTHER, "the report before is"),
        (3, |report| report.number = 4, "a report's number is"),
        (2, |report| report.package = OTHER, "a report's package is"),
        (
            2,
            |report| report.body = OTHER,
            "the hash of a report's sealed body is",
        ),
    ];
    for (of, report, expected) in fields {
        let changes = Changes {
            of,
            report,
            ..SOUND
        };
        assert_flaws(&changes, &[&format!("reports.json: {expected}")]);
    }
}

#[test]
fn each_is_signed_by_a_session_of_the_wallet_for_the_package() {
    assert_each(&[
        (
            Changes {
                forged: &["Report"],
                ..SOUND
            },
            "reports.json: report 2 is not signed by its session's key",
        ),
        (
            Changes {
                forged: &["Session"],
                ..SOUND
            },
            "reports.json: the session of report 2 is not the wallet's",
        ),
        (
            Changes {
                session: |session| session.package = OTHER,
                ..SOUND
            },
            "reports.json: a session's package is",
        ),
    ]);
    // What a contract wallet agreed to, its code said (EIP-1271).
    let wallet_has_code = Changes {
        forged: &["Session"],
        held: |held| held.wallet_has_code = true,
        ..SOUND
    };
    assert_flaws(&wallet_has_code, &[]);
}

#[test]
fn each_is_earlier_than_its_sessions_end() {
    let late = Changes {
        report: |report| report.time = 2_000_000_000_000,
        session: |session| session.expiry = 2_000_000_000_000,
        ..SOUND
    };
    let expected = "reports.json: report 2 is later than its session's end";
    assert_flaws(&late, &[expected]);
    let in_time = Changes {
        session: |session| session.expiry = 2_000_000_000_001,
        ..late
    };
    assert_flaws(&in_time, &[]);
}

#[test]
fn each_is_what_its_side_block_says() {
    let fields: [(Change<SideBody>, &str); 4] = [
        (|body| body.transaction.report.0 = OTHER, "report"),
        (|body| body.transaction.sealed_report = OTHER, "sealed body"),
        // As much granted as what was reported, which is to read.
        (
            |body| body.transaction.reported = Actions::NONE.with(Action::Decrypt),
            "actions",
        ),
        (|body| body.transaction.time += 1, "time"),
    ];
    for (side, expected) in fields {
        let expected = format!("reports.json: the {expected} of a side-block is");
        assert_flaws(&Changes { side, ..SOUND }, &[&expected]);
    }
}

#[test]
fn each_has_the_receipt_of_its_blocks_node() {
    let fields: [(Change<Receipt>, &str); 3] = [
        (|receipt| receipt.package = OTHER, "package"),
        (|receipt| receipt.number = 3, "number"),
        (|receipt| receipt.report = OTHER, "report"),
    ];
    for (receipt, expected) in fields {
        let expected = format!("reports.json: the {expected} of a receipt is");
        assert_flaws(&Changes { receipt, ..SOUND }, &[&expected]);
    }
    let expected = ["reports.json: the receipt of report 2 is not signed by the node"];
    let forged = Changes {
        forged: &["Receipt"],
        ..SOUND
    };
    assert_flaws(&forged, &expected);
    // Another node of the network may take a report: its block names it. Of what is in no block the parent block's counts.
    let others = Changes {
        side: |body| body.transaction.node = keys::stranger().address(),
        ..forged
    };
    assert_flaws(&others, &[]);
    let not_in_a_block = Changes {
        anchored: 1,
        ..others
    };
    assert_flaws(&not_in_a_block, &expected);
    let first_alone = Changes {
        of: 1,
        ..not_in_a_block
    };
    assert_flaws(&first_alone, &[]);
}

#[test]
fn none_is_missing() {
    assert_each(&[
        (
            Changes {
                held: |held| held.status.settled = 4,
                ..SOUND
            },
            "reports.json: report 4, which the contract has settled, is missing",
        ),
        (
            Changes {
                evidence: |evidence| drop(evidence.dossier.reports.pop()),
                held: |held| held.status.settled = 0,
                ..SOUND
            },
            "reports.json: there are 2 reports for 3 side-blocks",
        ),
        (
            Changes {
                evidence: |evidence| {
                    let report = evidence.dossier.reports[0].clone();
                    evidence.dossier.reports = vec![report; MAX_REPORTS + 1];
                },
                ..SOUND
            },
            "reports.json: there are 10001 reports",
        ),
    ]);
}

#[test]
fn a_package_that_was_retrieved_is_deleted_by_the_requestors_word() {
    const NO_DELETION: Changes = Changes {
        evidence: |evidence| evidence.dossier.deletion = None,
        ..SOUND
    };
    assert_each(&[
        (
            Changes {
                deletion: |deletion| deletion.package = OTHER,
                ..SOUND
            },
            "deletion.json: the package is",
        ),
        (
            Changes {
                forged: &["Deletion"],
                ..SOUND
            },
            "deletion.json: the requestor's signature does not hold",
        ),
        (NO_DELETION, "deletion.json: it is missing"),
    ]);
    let in_use = Changes {
        held: |held| held.status.state = State::Active,
        ..NO_DELETION
    };
    assert_flaws(&in_use, &[]);
}
