//! Reports, leases, violations (P7, P17 to P19, P24). The lies about them are in `lying`.

use std::time::Duration;

use medshare_node::NodeError;
use medshare_protocol::usage::{Action, Actions, State};

use crate::cluster::Cluster;
use crate::requestor::{OpenSession, Requestor, now};
use medshare_protocol::id::PackageId;

async fn opened(cluster: &Cluster) -> (Requestor, PackageId, OpenSession) {
    let requestor = Requestor::registered(cluster).await;
    let id = requestor.obtain(cluster).await;
    let mut session = requestor.session(id);
    let answer = session
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    assert!(answer.share.is_some());
    assert_eq!(answer.receipt.leaseSeconds, 5);
    (requestor, id, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_revokes_on_chain_before_it_is_answered_and_leaves_receipts() {
    let cluster = Cluster::start().await;
    let (requestor, id, mut session) = opened(&cluster).await;
    let node = cluster.node(0);
    let read = session.report(&node, Action::Read).await.unwrap();
    assert_eq!(
        (read.state.is_usable(), read.receipt.leaseSeconds),
        (true, 5)
    );
    let answer = session.report(&node, Action::Copy).await.unwrap();
    assert_eq!(
        (answer.state, answer.receipt.leaseSeconds),
        (State::Revoked, 0)
    );
    assert_eq!(
        cluster.governance.package(id).await.unwrap().state,
        State::Revoked
    );
    let violations = node.violations().await.unwrap();
    assert_eq!(violations.len(), 1);
    assert_eq!((violations[0].package, violations[0].number), (id, 3));
    assert_eq!(violations[0].actions, Actions::NONE.with(Action::Copy));
    assert_eq!(violations[0].receipts.len(), 1);
    assert_eq!(violations[0].receipts[0].requestor, requestor.address());
    assert_eq!(violations[0].list.len(), 2);

    let renewed = node.renew(id, session.renewal(now())).await.unwrap();
    assert_eq!(
        (renewed.state, renewed.receipt.leaseSeconds),
        (State::Revoked, 0)
    );
    let error = session.report(&node, Action::Decrypt).await.unwrap_err();
    assert!(
        matches!(
            error,
            NodeError::LeaseRefused {
                state: State::Revoked,
                ..
            }
        ),
        "{error}"
    );

    cluster.custodians[0].wallet.regrant(id).await.unwrap();
    let again = session.report(&node, Action::Decrypt).await.unwrap();
    assert!(again.share.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_for_a_first_report_that_is_not_an_opening() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let session = requestor.session(id);
    let good = session.next(Actions::NONE.with(Action::Decrypt), "first");
    let ended = requestor.session_until(id, now() - 1);
    let behind = session.behind(&good);
    let cases = [
        (
            session.next(Actions::NONE.with(Action::Read), ""),
            "first report",
        ),
        (
            behind.next(Actions::NONE.with(Action::Decrypt), ""),
            "number 1 is due",
        ),
        (ended.next(Actions::NONE.with(Action::Decrypt), ""), "ended"),
    ];
    for (submission, word) in cases {
        let error = node.report(id, submission).await.unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    assert_eq!(node.last_report(id).await.unwrap().number, 0);
    node.report(id, good).await.unwrap();
    assert_eq!(node.last_report(id).await.unwrap().number, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identical_repeat_gets_the_same_receipt_and_share() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let submission = requestor
        .session(id)
        .next(Actions::NONE.with(Action::Decrypt), "");
    let first = node.report(id, submission.clone()).await.unwrap();
    let again = node.report(id, submission).await.unwrap();
    assert_eq!(
        (&first.receipt, &first.signature),
        (&again.receipt, &again.signature)
    );
    assert!(again.share.is_some());
    assert_eq!(node.last_report(id).await.unwrap().number, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_try_to_open_anothers_package_is_recorded() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let other = Requestor::registered(&cluster).await;
    let node = cluster.node(0);
    let error = other
        .session(id)
        .report(&node, Action::Decrypt)
        .await
        .unwrap_err();
    assert!(matches!(error, NodeError::Refused { .. }), "{error}");
    assert_eq!(node.findings(id).await.unwrap()[0].kind, "foreign-session");
    assert_eq!(node.last_report(id).await.unwrap().number, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_lease_is_renewed_by_opening_again_only() {
    let limits = medshare_node::Limits {
        lease_seconds: 1,
        ..medshare_node::Limits::default()
    };
    let cluster = Cluster::with(40, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let mut session = requestor.session(id);
    session.report(&node, Action::Decrypt).await.unwrap();
    // A lease ends by time alone: there is nothing else to wait for.
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    let error = node.renew(id, session.renewal(now())).await.unwrap_err();
    assert!(matches!(error, NodeError::LeaseRefused { .. }), "{error}");
    let late = session.report(&node, Action::Read).await.unwrap();
    assert_eq!(late.receipt.leaseSeconds, 0);
    let mut second = requestor.session(id);
    (second.number, second.previous) = (session.number, session.previous);
    assert!(
        second
            .report(&node, Action::Decrypt)
            .await
            .unwrap()
            .share
            .is_some()
    );
}

/// Nobody has to ask: the node sees by itself that a client, which opened the package, no longer says anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_falls_silent_is_found() {
    let limits = medshare_node::Limits {
        lease_seconds: 1,
        ..medshare_node::Limits::default()
    };
    let cluster = Cluster::with(40, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let (silent, closed) = (
        requestor.obtain(&cluster).await,
        requestor.obtain(&cluster).await,
    );
    let node = cluster.node(0);
    let open = async |id| {
        let mut session = requestor.session(id);
        session.report(&node, Action::Decrypt).await.unwrap();
    };
    open(silent).await;
    open(closed).await;
    node.deletion(closed, requestor.deletion(closed))
        .await
        .unwrap();
    let found = async {
        while node.findings(silent).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found)
        .await
        .unwrap();
    assert_eq!(node.findings(silent).await.unwrap()[0].kind, "silent-lease");
    assert!(node.findings(closed).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_that_the_data_is_deleted_is_kept_for_the_custodian() {
    let cluster = Cluster::start().await;
    let (requestor, id, _) = opened(&cluster).await;
    let node = cluster.node(0);
    assert_eq!(node.deletion_of(id).await.unwrap(), None);
    let word = requestor.deletion(id);
    let forged = Requestor::new(&cluster.governance).deletion(id);
    assert!(matches!(
        node.deletion(id, forged).await,
        Err(NodeError::Refused { .. })
    ));
    node.deletion(id, word.clone()).await.unwrap();
    assert_eq!(node.deletion_of(id).await.unwrap(), Some(word.clone()));
    cluster.custodians[0]
        .wallet
        .retrieve(id, word.deletion.time, &word.signature)
        .await
        .unwrap();
    assert_eq!(
        cluster.governance.package(id).await.unwrap().state,
        State::Retrieved
    );
}

/// Opens a package and copies from it.
async fn violate(cluster: &Cluster, requestor: &Requestor, id: PackageId) {
    let mut session = requestor.session(id);
    session
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    session
        .report(&cluster.node(0), Action::Copy)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_list_of_actions_is_carried_out_with_a_receipt_each() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let node = cluster.node(0);
    let mut packages = Vec::new();
    for _ in 0..4 {
        packages.push(requestor.obtain(&cluster).await);
    }
    let mut bystander = requestor.session(packages[3]);
    bystander.report(&node, Action::Decrypt).await.unwrap();
    violate(&cluster, &requestor, packages[0]).await;
    node.renew(packages[3], bystander.renewal(now()))
        .await
        .unwrap();
    // The second violation on the dataset takes all its packages away.
    violate(&cluster, &requestor, packages[1]).await;
    let answer = node
        .renew(packages[3], bystander.renewal(now()))
        .await
        .unwrap();
    assert_eq!(
        (answer.state, answer.receipt.leaseSeconds),
        (State::Revoked, 0)
    );
    // The third one, and no request is taken any more.
    cluster.custodians[0]
        .wallet
        .regrant(packages[2])
        .await
        .unwrap();
    node.request(requestor.asks(&cluster)).await.unwrap();
    violate(&cluster, &requestor, packages[2]).await;
    let error = node.request(requestor.asks(&cluster)).await.unwrap_err();
    assert!(error.to_string().contains("after a violation"), "{error}");
    let violations = node.violations().await.unwrap();
    let receipts: Vec<usize> = violations
        .iter()
        .map(|violation| violation.receipts.len())
        .collect();
    assert_eq!(receipts, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_package_is_not_opened() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    cluster
        .rpc("evm_increaseTime", serde_json::json!([31 * 86_400]))
        .await;
    cluster.rpc("anvil_mine", serde_json::json!([1])).await;
    let error = requestor
        .session(id)
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            NodeError::LeaseRefused {
                state: State::Expired,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        cluster.node(0).findings(id).await.unwrap()[0].kind,
        "refused-opening"
    );
}

/// Whether it is a refusal of a lease with this word in it.
fn is_lease_refused(error: &NodeError, word: &str) -> bool {
    matches!(error, NodeError::LeaseRefused { .. }) && error.to_string().contains(word)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signed_that_the_data_is_deleted_gets_no_key_to_it_again() {
    let cluster = Cluster::start().await;
    let (requestor, id, mut session) = opened(&cluster).await;
    let node = cluster.node(0);
    let open_again = session.next(Actions::NONE.with(Action::Decrypt), "again");
    node.deletion(id, requestor.deletion(id)).await.unwrap();
    let error = node.renew(id, session.renewal(now())).await.unwrap_err();
    assert!(is_lease_refused(&error, "deleted"), "{error}");
    let error = node.report(id, open_again).await.unwrap_err();
    assert!(is_lease_refused(&error, "deleted"), "{error}");
    let mut other = requestor.session(id);
    (other.number, other.previous) = (session.number, session.previous);
    let error = other.report(&node, Action::Decrypt).await.unwrap_err();
    assert!(is_lease_refused(&error, "deleted"), "{error}");
    // What was still done before is evidence, and revives nothing.
    let late = session.report(&node, Action::Read).await.unwrap();
    assert_eq!((late.receipt.leaseSeconds, late.share), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_share_comes_with_the_repeat_of_an_opening_after_the_deletion() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let submission = requestor
        .session(id)
        .next(Actions::NONE.with(Action::Decrypt), "");
    node.report(id, submission.clone()).await.unwrap();
    node.deletion(id, requestor.deletion(id)).await.unwrap();
    assert_eq!(node.report(id, submission).await.unwrap().share, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_with_the_session_and_is_not_renewed_behind_it() {
    let limits = medshare_node::Limits {
        lease_seconds: 60,
        ..medshare_node::Limits::default()
    };
    let cluster = Cluster::with(40, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let mut session = requestor.session_until(id, now() + 2_900);
    let answer = session.report(&node, Action::Decrypt).await.unwrap();
    assert!(answer.receipt.leaseSeconds <= 2, "{:?}", answer.receipt);
    // A session ends by time alone: there is nothing else to wait for.
    while now() < session.session.expiry {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let error = node.renew(id, session.renewal(now())).await.unwrap_err();
    assert!(is_lease_refused(&error, "session has ended"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn to_open_a_package_is_to_have_it() {
    let cluster = Cluster::start().await;
    let (_, id, mut session) = opened(&cluster).await;
    let node = cluster.node(0);
    session.report(&node, Action::Decrypt).await.unwrap();
    let status = node.status(id, 0, std::time::Duration::ZERO).await.unwrap();
    let delivered = status.form.iter().filter(|step| step.action == "delivered");
    assert_eq!(delivered.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_below_what_was_settled_revokes_after_a_regrant() {
    let cluster = Cluster::start().await;
    let (_, id, mut session) = opened(&cluster).await;
    let node = cluster.node(0);
    let fork = session.next(Actions::NONE.with(Action::Write), "another story");
    session.report(&node, Action::Read).await.unwrap();
    session.report(&node, Action::Copy).await.unwrap();
    cluster.custodians[0].wallet.regrant(id).await.unwrap();
    session.report(&node, Action::Decrypt).await.unwrap();
    let error = node.report(id, fork.clone()).await.unwrap_err();
    assert!(error.to_string().ends_with("access is revoked"), "{error}");
    let state = async || cluster.governance.package(id).await.unwrap().state;
    assert_eq!(state().await, State::Revoked);
    // The custodian's second thought stands against the same fork, and the answer says so.
    cluster.custodians[0].wallet.regrant(id).await.unwrap();
    let error = node.report(id, fork).await.unwrap_err();
    assert!(error.to_string().contains("settled before"), "{error}");
    assert!(state().await.is_usable());
}
