//! P17: nothing is opened before the report is received, and nothing that the chain does not know.

use std::time::Duration;

use alloy_primitives::{Address, B256};
use medshare_chain::PrivateKeySigner;
use medshare_client::agent::{Deed, Lock};
use medshare_client::download::download;
use medshare_client::journal::{Journal, JournalError};
use medshare_client::opening::{OpenError, open_with, read_header};
use medshare_protocol::package::PackageError;
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::usage::{Action, Actions, Environment, State, UsageContract};
use medshare_protocol::wire::{LastReport, RequestStatus, Stage as How};

use crate::stage::{BEGINNING_MS, PAYLOAD, Stage, domain, granting, within};

type Change = fn(&mut medshare_chain::PackageIssued);

const DECRYPT: Actions = Actions::NONE.with(Action::Decrypt);

#[tokio::test]
async fn a_package_opens_after_its_report_and_not_before() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    assert_eq!(agent.bytes(0, u64::MAX).unwrap().as_slice(), PAYLOAD);
    assert_eq!(agent.lock(), None);
    assert_eq!(stage.node.reported(), [DECRYPT]);
    assert!(
        stage.node.body(1).comment.starts_with("Data with DataID"),
        "P17"
    );
    agent.close();
    drop(agent);
    let journal = Journal::open(&stage.opening.journal).unwrap();
    let receipt = journal.kept().last.clone().unwrap();
    assert_eq!(receipt, stage.node.seen().receipts[0].receipt);
    assert!(journal.kept().pending.is_empty());
}

#[tokio::test]
async fn opening_again_continues_the_report_chain() {
    let stage = Stage::granting(&[]).await;
    for number in 1..4 {
        let agent = stage.open().await.unwrap();
        assert_eq!(agent.last_report().await, number);
        agent.close();
    }
    let seen = stage.node.seen();
    let week_ms = 7 * 24 * 3_600_000;
    assert_eq!(seen.reports[0].session.expiry, BEGINNING_MS + week_ms);
    let keys: Vec<Address> = seen.reports.iter().map(|sent| sent.session.key).collect();
    assert_ne!(keys[0], keys[1], "each opening has its own session key");
    assert_eq!(
        seen.reports[2].report.previous,
        domain().digest(&seen.reports[1].report)
    );
}

#[tokio::test]
async fn a_session_ends_with_the_usage_contract_at_the_latest() {
    let usage = UsageContract {
        expiry: BEGINNING_MS + 5_000,
        ..granting(&[])
    };
    let stage = Stage::set(usage).await;
    stage.open().await.unwrap();
    assert_eq!(stage.node.seen().reports[0].session.expiry, usage.expiry);
}

#[tokio::test]
async fn a_package_of_another_requestor_stays_closed_and_says_whose_it_is() {
    let mut stage = Stage::granting(&[]).await;
    let owner = stage.requestor.address();
    stage.requestor.wallet = PrivateKeySigner::random();
    let refused = stage.open().await.unwrap_err();
    assert!(matches!(refused, OpenError::OfAnother { tagged, .. } if tagged == owner));
    let thief = stage.requestor.address().to_string();
    assert!(refused.to_string().contains(&thief), "{refused}");
    assert_eq!(stage.node.seen().calls, 0);
}

#[tokio::test]
async fn what_the_chain_says_otherwise_is_not_opened() {
    let stage = Stage::granting(&[Action::Read]).await;
    let issued = |change: Change| {
        stage
            .ledger
            .tell(|told| change(told.issued.as_mut().unwrap()));
    };
    let original = {
        let mut original = None;
        stage.ledger.tell(|told| original = told.issued.clone());
        original
    };
    let changes: [(&str, Change); 7] = [
        ("requestor", |it| it.request.requestor = Address::ZERO),
        ("custodian", |it| it.request.custodian = Address::ZERO),
        ("dataset", |it| it.request.dataset = B256::ZERO.into()),
        ("payload hash", |it| it.payload_hash = B256::ZERO.into()),
        ("node", |it| it.node = Address::ZERO),
        ("second node", |it| it.verifier = Address::ZERO),
        ("usage contract", |it| {
            it.usage = UsageContract {
                granted: Actions::SIX,
                ..it.usage
            }
        }),
    ];
    for (field, change) in changes {
        issued(change);
        let refused = stage.open().await.unwrap_err();
        assert!(
            matches!(refused, OpenError::Contradiction(named) if named == field),
            "{refused}"
        );
        stage.ledger.tell(|told| told.issued = original.clone());
    }
    assert!(
        stage.node.reported().is_empty(),
        "nothing was reported as opened"
    );
    stage.open().await.unwrap();
}

#[tokio::test]
async fn packages_without_a_standing_on_chain_stay_closed() {
    let stage = Stage::granting(&[]).await;
    for (state, lock) in [
        (State::Revoked, Lock::Revoked),
        (State::Retrieved, Lock::Retrieved),
        (State::Expired, Lock::Expired),
    ] {
        stage.ledger.tell(|told| told.state = state);
        let refused = stage.open().await.unwrap_err();
        assert!(
            matches!(&refused, OpenError::Closed(found) if *found == lock),
            "{refused}"
        );
    }
    stage
        .ledger
        .tell(|told| told.node.as_mut().unwrap().custodian = Address::ZERO);
    assert!(matches!(
        stage.open().await,
        Err(OpenError::UnknownNode { .. })
    ));
    stage.ledger.tell(|told| told.node = None);
    assert!(matches!(
        stage.open().await,
        Err(OpenError::UnknownNode { .. })
    ));
    stage.ledger.tell(|told| told.reachable = false);
    assert!(matches!(stage.open().await, Err(OpenError::Chain(_))));
    assert!(stage.node.reported().is_empty());
}

#[tokio::test]
async fn a_package_that_was_never_issued_stays_closed() {
    let stage = Stage::granting(&[]).await;
    stage.ledger.tell(|told| told.issued = None);
    assert!(matches!(stage.open().await, Err(OpenError::NotIssued)));
}

#[tokio::test]
async fn a_package_for_the_sandbox_opens_in_the_sandbox_only() {
    let usage = UsageContract {
        environment: Environment::Sandbox,
        ..granting(&[])
    };
    let mut stage = Stage::set(usage).await;
    assert!(matches!(stage.open().await, Err(OpenError::NeedsSandbox)));
    assert!(stage.node.reported().is_empty());
    stage.opening.environment = Environment::Sandbox;
    stage.open().await.unwrap();
}

#[tokio::test]
async fn without_the_sealing_key_nothing_is_reported() {
    let mut stage = Stage::granting(&[]).await;
    stage.requestor.sealing = SealingSecret::generate().unwrap();
    assert!(matches!(
        stage.open().await,
        Err(OpenError::OtherSealingKey { .. })
    ));
    assert!(stage.node.reported().is_empty());
}

#[tokio::test]
async fn a_share_for_another_key_or_none_opens_nothing() {
    let stage = Stage::granting(&[]).await;
    stage.node.script().share_to = Some(SealingSecret::generate().unwrap().public());
    assert!(matches!(stage.open().await, Err(OpenError::BadShare)));
    stage.node.script().no_share = true;
    assert!(matches!(stage.open().await, Err(OpenError::NoShare)));
}

#[tokio::test]
async fn a_damaged_package_file_is_found_out_before_anything_is_reported() {
    let stage = Stage::granting(&[]).await;
    let container = std::fs::read(&stage.opening.container).unwrap();
    let cut = container.len() - 1;
    let longer = [&container[..], b"x"].concat();
    let damages = [
        (&container[..cut], "bytes instead of"),
        (&longer, "bytes instead of"),
        (&changed(&container), "not those that the node announced"),
        (&container[..40], "it ends within its header"),
        (&container[..10], "it ends within its header"),
        (b"", "it is empty"),
    ];
    for (bytes, reason) in damages {
        std::fs::write(&stage.opening.container, bytes).unwrap();
        let refused = stage.open().await.unwrap_err();
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
        let said = refused.to_string();
        assert!(
            said.starts_with("the package file is damaged: download it again"),
            "{said}"
        );
        assert!(said.contains(reason), "{said}");
    }
    assert!(
        stage.node.reported().is_empty(),
        "nothing was reported as opened"
    );
    std::fs::write(&stage.opening.container, b"%PDF-1.7 something").unwrap();
    let refused = stage.open().await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Package(PackageError::NotAPackage)),
        "{refused}"
    );
    std::fs::remove_file(&stage.opening.container).unwrap();
    assert!(matches!(
        read_header(&stage.opening.container),
        Err(OpenError::Disk { .. })
    ));
    // Downloaded again, it opens at once: no lease was taken in vain.
    std::fs::write(&stage.opening.container, &container).unwrap();
    stage.open().await.unwrap();
}

#[tokio::test]
async fn without_the_node_s_word_the_decryption_finds_a_changed_file_out() {
    let stage = Stage::granting(&[]).await;
    let container = std::fs::read(&stage.opening.container).unwrap();
    stage.node.script().statuses = vec![RequestStatus {
        id: stage.header.package_id(),
        stage: How::Ready,
        reason: None,
        form: Vec::new(),
        package: None,
    }];
    std::fs::write(&stage.opening.container, changed(&container)).unwrap();
    let refused = stage.open().await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Package(PackageError::BadChunk(0))),
        "{refused}"
    );
}

/// Opens, and tells how many bytes of the package file were hashed for it.
async fn hashed_at_opening(stage: &Stage) -> u64 {
    let (told, hashed) = std::sync::mpsc::channel();
    let progress = move |done, _| told.send(done).unwrap();
    let agent = open_with(&stage.requestor, &stage.opening, progress).await;
    assert_eq!(
        agent.unwrap().bytes(0, u64::MAX).unwrap().as_slice(),
        PAYLOAD
    );
    hashed.into_iter().last().unwrap_or(0)
}

#[tokio::test]
async fn a_package_file_is_hashed_once_and_again_when_it_was_touched() {
    let stage = Stage::granting(&[]).await;
    let container = std::fs::read(&stage.opening.container).unwrap();
    let all = container.len() as u64;
    assert_eq!(hashed_at_opening(&stage).await, all);
    assert_eq!(hashed_at_opening(&stage).await, 0);
    std::fs::write(&stage.opening.container, &container).unwrap();
    assert_eq!(hashed_at_opening(&stage).await, all);

    // Changed, it is refused, whatever the stamp says of what it was.
    std::fs::write(&stage.opening.container, changed(&container)).unwrap();
    assert!(matches!(stage.open().await, Err(OpenError::Damaged { .. })));
}

#[tokio::test]
async fn what_was_downloaded_here_is_opened_without_hashing() {
    let mut stage = Stage::granting(&[]).await;
    stage.opening.container = stage.path("fetched.mds");
    let (id, ready) = (stage.header.package_id(), stage.node.ready());
    let target = &stage.opening.container;
    let fetched = download(&stage.requestor.node, id, &ready, target, |_, _| ()).await;
    fetched.unwrap();
    assert_eq!(hashed_at_opening(&stage).await, 0);
}

#[tokio::test]
async fn a_payload_that_was_not_validated_is_closed_and_the_custodian_is_told() {
    let stage = Stage::claiming(granting(&[Action::Read]), B256::repeat_byte(1)).await;
    let agent = stage.open().await.unwrap();
    let lock = within(agent.locked()).await;
    assert!(
        matches!(&lock, Lock::Damaged(reason) if reason.contains("not the one that the second node validated")),
        "{lock}"
    );
    assert!(agent.bytes(0, 1).is_err());
    within(async {
        while stage.node.reported().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(stage.node.reported(), [DECRYPT, DECRYPT]);
    let told = stage.node.body(2).comment;
    assert!(
        told.contains("not the one that the second node validated"),
        "{told}"
    );
}

#[tokio::test]
async fn what_was_written_is_there_when_the_package_is_opened_again() {
    let stage = Stage::granting(&[Action::Read, Action::Write]).await;
    let agent = stage.open().await.unwrap();
    let write = |offset, bytes: &[u8]| Deed::Write {
        offset,
        bytes: bytes.to_vec().into(),
    };
    agent.act(write(0, b"AGE"), None).await.unwrap();
    let end = PAYLOAD.len() as u64;
    // Two bytes behind the end, as in a file.
    agent.act(write(end + 2, b"tail"), None).await.unwrap();
    agent.close();
    drop(agent);
    let agent = stage.open().await.unwrap();
    let expected = [b"AGE", &PAYLOAD[3..], b"\0\0tail"].concat();
    assert_eq!(agent.bytes(0, u64::MAX).unwrap().as_slice(), expected);
    let mut out = [0; 10];
    assert_eq!(agent.read_into(end + 2, &mut out).unwrap(), 4);
    assert_eq!(&out[..4], b"tail");
    assert_eq!(agent.read_into(end + 100, &mut out).unwrap(), 0);
    agent.act(Deed::Delete, None).await.unwrap_err();
}

fn changed(container: &[u8]) -> Vec<u8> {
    let mut changed = container.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    changed
}

#[tokio::test]
async fn a_forged_receipt_opens_nothing_and_the_same_report_goes_again() {
    let stage = Stage::granting(&[]).await;
    stage.node.script().forge_receipts = true;
    let refused = stage.open().await.unwrap_err();
    assert!(matches!(refused, OpenError::Report(_)), "{refused}");
    assert!(
        refused
            .to_string()
            .contains("not signed by the package's node"),
        "{refused}"
    );
    stage.node.script().forge_receipts = false;
    let agent = stage.open().await.unwrap();
    // The first one was repeated to the letter and receipted; the second opening has a number of its own.
    assert_eq!(stage.node.reported(), [DECRYPT, DECRYPT]);
    assert_eq!(agent.last_report().await, 2);
}

#[tokio::test]
async fn the_lease_of_another_session_is_waited_for_if_there_is_patience() {
    let mut stage = Stage::granting(&[]).await;
    stage.node.script().lease_elsewhere = 1;
    let refused = stage.open().await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::LeaseElsewhere(said) if said.contains("9 s")),
        "{refused}"
    );

    stage.node.script().lease_elsewhere = 2;
    stage.opening.patience = Duration::from_secs(60);
    let clock = stage.clock.clone();
    let moving = tokio::spawn(async move {
        loop {
            clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    });
    let agent = stage.open().await.unwrap();
    moving.abort();
    assert_eq!(agent.last_report().await, 1);
    assert_eq!(stage.node.script().lease_elsewhere, 0);
}

#[tokio::test]
async fn a_node_that_lost_receipted_reports_is_told_so() {
    let stage = Stage::granting(&[]).await;
    stage.open().await.unwrap().close();
    stage.node.script().last_report = Some(LastReport {
        number: 0,
        digest: B256::ZERO,
    });
    let refused = stage.open().await.unwrap_err();
    assert!(
        matches!(refused, OpenError::ReportsLost { ours: 1, theirs: 0 }),
        "{refused}"
    );
}

#[tokio::test]
async fn one_machine_opens_a_package_once_at_a_time() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    let refused = stage.open().await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Journal(JournalError::InUse(_))),
        "{refused}"
    );
    drop(agent);
}

#[tokio::test]
async fn a_revocation_that_the_node_sees_first_keeps_it_closed() {
    let stage = Stage::granting(&[]).await;
    stage.node.script().state = State::Revoked;
    let refused = stage.open().await.unwrap_err();
    assert!(refused.to_string().contains("revoked"), "{refused}");
}
