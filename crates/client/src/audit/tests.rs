#![allow(clippy::unwrap_used)]

mod exports;
mod files;
mod flips;
mod large;
mod lies;
mod sources;
mod world;

use medshare_chain::{B256, Response, ResponseKind};
use medshare_protocol::chain_verifier::{Blame, ChainName};
use medshare_protocol::header::{CompactTarget, Header};
use medshare_protocol::id::LeafHash;
use medshare_protocol::merkle::leaf_hash;
use medshare_protocol::usage::{Action, Actions, Sensitivity};

use super::report::Subject;
use world::{Changes, World};

/// Everything that a ledger can go through without a fault.
async fn lively() -> World {
    let revoke_all = Response {
        kind: ResponseKind::RevokeDataset,
        threshold: 2,
    };
    let mut world = World::with_responses(&[revoke_all]).await;
    let (first, second) = (world.issue(1).await, world.issue(2).await);
    let third = world.issue(3).await;
    world.report(first, &[Action::Decrypt]).await;
    world.report(first, &[Action::Read]).await;
    let copied = world.report(first, &[Action::Copy]).await;
    world.settle(first, copied, &[Action::Copy]).await;
    world.custodians[0].regrant(first).await.unwrap();
    world.report(first, &[Action::Read]).await;
    // The second violation on this dataset revokes the other packages as well.
    world.report(second, &[Action::Decrypt]).await;
    let deleted = world.report(second, &[Action::Read, Action::Delete]).await;
    world
        .settle(second, deleted, &[Action::Read, Action::Delete])
        .await;
    world.custodians[0].regrant(second).await.unwrap();
    world.retrieve(second).await;
    world.custodians[0].regrant(third).await.unwrap();
    world.custodians[0].revoke(third, 2).await.unwrap();
    world
}

#[tokio::test]
async fn a_sound_ledger_has_no_findings_and_everything_is_counted() {
    let world = lively().await;
    let report = world.audit().await;
    assert_eq!(report.findings, []);
    assert!(report.is_sound());
    assert_eq!((report.packages, report.chains), (3, 3));
    assert_eq!((report.parent_blocks, report.side_blocks), (3, 6));
    assert_eq!((report.bodies_missing, report.violations_pending), (0, 0));
    assert_eq!(
        report.evm_block,
        world.governance.block_number().await.unwrap()
    );
    let counts: Vec<u64> = report.checks.iter().map(|check| check.count).collect();
    assert_eq!(counts, [9, 9, 9, 3, 6, 2, 4, 3]);
}

#[tokio::test]
async fn checks_that_need_a_body_are_counted_only_where_one_was_served() {
    let world = lively().await;
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let report = world.audit().await;
    assert_eq!((report.parent_blocks, report.side_blocks), (3, 6));
    assert_eq!(report.bodies_missing, 9);
    let counts: Vec<u64> = report.checks.iter().map(|check| check.count).collect();
    assert_eq!(counts, [9, 0, 0, 0, 0, 0, 4, 3]);
}

#[tokio::test]
async fn an_empty_ledger_is_sound() {
    let world = World::new().await;
    let report = world.audit().await;
    assert!(report.is_sound());
    assert_eq!(report.chains, 0);
}

#[tokio::test]
async fn expiry_is_rebuilt_too() {
    let mut world = World::new().await;
    world.issue(1).await;
    world.pass(90_000).await;
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test]
async fn one_changed_byte_is_named_with_chain_height_transaction_and_server() {
    let mut world = World::new().await;
    world.issue(1).await;
    let package = world.issue(2).await;
    let file = world.file(world.leaf(package));
    let sound = std::fs::read(&file).unwrap();
    let issuing = world.governance.block_number().await.unwrap();
    for (position, kind) in [
        (0, "magic"),
        (10, "id"),
        (36, "size"),
        (41, "header-differs"),
        (50, "link"),
        (119, "header-differs"),
        (120, "leaf"),
        (492, "leaf"),
    ] {
        let mut damaged = sound.clone();
        damaged[position] ^= 0x10;
        std::fs::write(&file, damaged).unwrap();
        let report = world.audit().await;
        let [finding] = &report.findings[..] else {
            panic!("byte {position}: {report:?}")
        };
        assert_eq!(
            (finding.fault.kind(), finding.fault.blame()),
            (kind, Blame::Server)
        );
        let chain = ChainName::Thread(world.wallet.address());
        assert_eq!(finding.subject, Subject::Block { chain, height: 1 });
        let anchored = finding.anchored.unwrap();
        assert_eq!(anchored.evm_block, issuing);
        assert_eq!(Some(anchored.node), world.nodes[0].sender());
        assert_eq!(
            finding.served_by,
            Some(world.folder.path().display().to_string())
        );
        let sentence = finding.to_string();
        let beginning = format!("thread of requestor {}, block 1: ", world.wallet.address());
        assert!(sentence.starts_with(&beginning), "{sentence}");
        assert!(
            sentence.contains(&format!("{:#x}", anchored.transaction)),
            "{sentence}"
        );
    }
    std::fs::write(&file, [sound.as_slice(), &[0; 5000]].concat()).unwrap();
    assert_eq!(world.findings().await, ["leaf"]);
    std::fs::remove_file(&file).unwrap();
    let report = world.audit().await;
    assert_eq!(report.bodies_missing, 1);
    assert_eq!(report.findings[0].fault.kind(), "body-missing");
    std::fs::write(&file, sound).unwrap();
    assert!(world.audit().await.is_sound());
}

#[tokio::test]
async fn a_finding_is_told_in_json() {
    let mut world = World::new().await;
    let changes = Changes::body(|body: &mut medshare_protocol::block::ParentBody| {
        body.transaction.sensitivity = Sensitivity::Low;
    });
    world.issue_with(1, changes).await;
    let json = serde_json::to_value(world.audit().await).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["fault"], "field");
    assert_eq!(finding["field"], "sensitivity (Dsens)");
    assert_eq!(finding["blame"], "author");
    assert_eq!(finding["subject"]["block"]["height"], 0);
    assert!(
        finding["anchored"]["transaction"]
            .as_str()
            .unwrap()
            .starts_with("0x")
    );
    assert_eq!(
        finding["message"],
        "the block's sensitivity (Dsens) is Low, but the contract says High"
    );
}

#[tokio::test]
async fn a_parent_block_that_contradicts_the_contract_is_found_field_by_field() {
    let mut world = World::new().await;
    type Change = fn(&mut medshare_protocol::block::ParentBody);
    let changes: [(&str, Change); 8] = [
        ("custodian (OID)", |body| {
            body.transaction.owner = [9; 20].into()
        }),
        ("purpose (DRP)", |body| {
            body.transaction.purpose = "TREAT".parse().unwrap()
        }),
        ("dataset", |body| body.transaction.dataset.0 = B256::ZERO),
        ("package", |body| body.transaction.package.0 = B256::ZERO),
        ("payload hash", |body| {
            body.transaction.payload_hash.0 = B256::ZERO
        }),
        ("second node", |body| {
            body.transaction.verifier = [9; 20].into()
        }),
        ("action counter", |body| body.action_counter = 0),
        ("sensitivity (Dsens)", |body| {
            body.transaction.sensitivity = Sensitivity::Low
        }),
    ];
    for (salt, (_, change)) in (1..).zip(&changes) {
        world.issue_with(salt, Changes::body(*change)).await;
    }
    let report = world.audit().await;
    assert_eq!(report.findings.len(), changes.len());
    for (height, (finding, (field, _))) in (0..).zip(report.findings.iter().zip(&changes)) {
        assert_eq!(finding.fault.field(), Some(*field));
        let chain = ChainName::Thread(world.wallet.address());
        assert_eq!(finding.subject, Subject::Block { chain, height });
        assert_eq!(
            (finding.fault.blame(), &finding.served_by),
            (Blame::Author, &None)
        );
    }
}

#[tokio::test]
async fn a_wrong_root_an_invalid_body_and_a_foreign_signature_are_blamed_and_stop_nobody() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    world.report(package, &[Action::Decrypt]).await;
    let wrong_root = Changes::header(|header| Header {
        merkle_root: B256::ZERO,
        ..header
    });
    world
        .report_with(package, &[Action::Read], wrong_root)
        .await;
    let junk = b"not a block".to_vec();
    let leaf = leaf_hash(&junk);
    world.anchor_junk(package, leaf).await;
    std::fs::write(world.file(leaf), [vec![0; 120], junk].concat()).unwrap();
    let foreign = Changes {
        signer: Some(world.anvil.keys[7].clone()),
        ..Changes::none()
    };
    world.report_with(package, &[Action::Read], foreign).await;
    world.report(package, &[Action::Read]).await;
    let report = world.audit().await;
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            assert_eq!(finding.fault.blame(), Blame::Author);
            let Subject::Block { chain, height } = finding.subject else {
                panic!("{finding}")
            };
            assert_eq!(chain, ChainName::Side(package));
            (height, finding.fault.kind())
        })
        .collect();
    assert_eq!(
        found,
        [(1, "merkle-root"), (2, "malformed"), (3, "signature")]
    );
}

#[tokio::test]
async fn a_copied_leaf_hash_is_its_copiers_fault_and_no_servers() {
    let mut world = World::new().await;
    let copied = world.issue(1).await;
    let package = world.issue(2).await;
    world.report(package, &[Action::Decrypt]).await;
    world.report(copied, &[Action::Decrypt]).await;
    let (parent, side) = (world.leaf(copied), world.last_leaf(copied));
    // Of another package; twice; and of the wrong kind.
    for leaf in [side, side, parent] {
        world.copy(leaf, package).await;
    }
    let report = world.audit().await;
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            assert_eq!(finding.fault.blame(), Blame::Author, "{finding}");
            let Subject::Block { chain, height } = finding.subject else {
                panic!("{finding}")
            };
            assert_eq!(chain, ChainName::Side(package), "{finding}");
            (height, finding.fault.kind())
        })
        .collect();
    for height in [1, 2] {
        for kind in ["package", "malformed", "signature"] {
            assert!(told.contains(&(height, kind)), "{told:?}");
        }
    }
    let last: Vec<_> = told.iter().filter(|(height, _)| *height == 3).collect();
    assert_eq!(last, [&(3, "malformed")]);
}

#[tokio::test]
async fn withheld_bodies_are_named_and_stop_nobody() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    world
        .anchor_junk(package, LeafHash(B256::repeat_byte(9)))
        .await;
    world.report(package, &[Action::Read]).await;
    assert_eq!(world.findings().await, ["body-missing"]);
}

#[tokio::test]
async fn numbers_and_the_first_report_are_checked() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    world.report(package, &[Action::Read]).await;
    let skipping = Changes {
        body: |body: &mut medshare_protocol::block::SideBody| body.transaction.number = 7,
        header: |header| Header {
            version: 7,
            ..header
        },
        signer: None,
    };
    world.report_with(package, &[Action::Read], skipping).await;
    let times = Changes::header(|header| Header { time: 1, ..header });
    world.report_with(package, &[Action::Read], times).await;
    assert_eq!(
        world.findings().await,
        ["first-report", "report-number", "time-order", "closed-late"]
    );
}

#[tokio::test]
async fn a_violation_that_is_recorded_as_none_is_found() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    world.report(package, &[Action::Decrypt]).await;
    let hushed = Changes::body(|body: &mut medshare_protocol::block::SideBody| {
        body.transaction.violated = Actions::NONE;
        body.action_counter = 0;
    });
    let number = world.report_with(package, &[Action::Copy], hushed).await;
    assert_eq!(world.findings().await, ["verdict"]);
    world.settle(package, number, &[Action::Copy]).await;
    assert_eq!(world.findings().await, ["verdict", "violation-differs"]);
}

#[tokio::test]
async fn a_recorded_violation_must_be_settled_while_access_goes_on() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    world.report(package, &[Action::Decrypt]).await;
    world.report(package, &[Action::Move]).await;
    assert_eq!(world.findings().await, [""; 0], "it may be on the way");
    world.pass(120).await;
    let report = world.audit().await;
    assert_eq!(report.findings[0].fault.kind(), "violation-unsettled");
    let chain = ChainName::Side(package);
    assert_eq!(
        report.findings[0].subject,
        Subject::Block { chain, height: 1 }
    );
    world.custodians[0].revoke(package, 2).await.unwrap();
    assert_eq!(world.findings().await, [""; 0], "access has ended");
    world.custodians[0].regrant(package).await.unwrap();
    assert_eq!(world.findings().await, [""; 0], "the owner has reviewed it");
}

#[tokio::test]
async fn a_settled_violation_must_have_its_side_block() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    world.report(package, &[Action::Decrypt]).await;
    world.settle(package, 2, &[Action::Write]).await;
    let report = world.audit().await;
    assert!(report.is_sound());
    assert_eq!(report.violations_pending, 1);
    world.pass(120).await;
    let report = world.audit().await;
    assert_eq!(report.findings[0].fault.kind(), "violation-unrecorded");
    assert_eq!(report.findings[0].subject, Subject::Package(package));
    world.report(package, &[Action::Write]).await;
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test]
async fn what_was_right_at_its_time_stays_right() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    world.report(package, &[Action::Decrypt]).await;
    world
        .governance
        .set_work_limit(CompactTarget::DEFAULT_LIMIT.0)
        .await
        .unwrap();
    world.custodians[0]
        .remove_node(world.nodes[0].sender().unwrap())
        .await
        .unwrap();
    world
        .governance
        .remove_custodian(world.custodians[1].sender().unwrap())
        .await
        .unwrap();
    assert_eq!(world.findings().await, [""; 0]);
}
