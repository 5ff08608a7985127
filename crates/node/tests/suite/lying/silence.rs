//! Silence, which no lie hides.

use std::time::Duration;

use medshare_node::Limits;
use medshare_protocol::usage::{Action, Actions};

use super::LEASE_SECONDS;
use crate::cluster::Cluster;
use crate::requestor::{Requestor, now};

/// What a node waits behind the end of a lease before it calls that silence, and a little more.
const SILENCE: Duration = Duration::from_millis(5_100);

/// The node looks for silence now and then; who opens again before it looks next is found at the opening.
#[tokio::test(flavor = "multi_thread")]
async fn opening_again_does_not_hide_a_silence() {
    let limits = Limits {
        // It looks each half of a lease, long after this test.
        lease_seconds: LEASE_SECONDS,
        ..Limits::default()
    };
    let cluster = Cluster::with(40, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let (silent, honest) = (
        requestor.obtain(&cluster).await,
        requestor.obtain(&cluster).await,
    );
    let node = cluster.node(0);
    let mut sessions = Vec::new();
    for id in [silent, honest] {
        // No lease is longer than the wallet's word for its session.
        let mut session = requestor.session_until(id, now() + 1_900);
        session.report(&node, Action::Decrypt).await.unwrap();
        sessions.push(session);
    }
    node.end_session(honest, sessions[1].end(now()))
        .await
        .unwrap();
    // A lease ends by time alone: there is nothing else to wait for.
    let lapsed = sessions[1].session.expiry;
    while now() < lapsed {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(SILENCE).await;
    assert!(node.findings(silent).await.unwrap().is_empty());
    let late = node.end_session(silent, sessions[0].end(now())).await;
    let late = late.unwrap_err().to_string();
    assert!(late.contains("nothing is changed"), "{late}");
    for (id, before) in [(silent, &sessions[0]), (honest, &sessions[1])] {
        let mut again = requestor.session(id);
        (again.number, again.previous) = (before.number, before.previous);
        let opened = again.report(&node, Action::Decrypt).await.unwrap();
        assert!(opened.share.is_some());
    }
    let kinds = async |id| -> Vec<String> {
        let findings = node.findings(id).await.unwrap();
        findings.into_iter().map(|it| it.kind).collect()
    };
    assert_eq!(kinds(silent).await, ["silent-lease"]);
    assert!(kinds(honest).await.is_empty(), "it said goodbye");
}

/// Who was told that the package is revoked has no more to say.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_heard_of_a_revocation_is_not_called_silent() {
    let limits = Limits {
        lease_seconds: 1,
        ..Limits::default()
    };
    let cluster = Cluster::with(40, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let (told, silent) = (
        requestor.obtain(&cluster).await,
        requestor.obtain(&cluster).await,
    );
    let node = cluster.node(0);
    let mut session = requestor.session(told);
    session.report(&node, Action::Decrypt).await.unwrap();
    cluster.custodians[0].wallet.revoke(told, 3).await.unwrap();
    let over = node.renew(told, session.renewal(now())).await.unwrap();
    assert_eq!(over.receipt.leaseSeconds, 0);
    let opening = requestor.session(silent);
    let opening = opening.next(Actions::NONE.with(Action::Decrypt), "");
    node.report(silent, opening).await.unwrap();
    // The later of the two is found, the earlier is not.
    let found = async {
        while node.findings(silent).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found)
        .await
        .unwrap();
    assert!(node.findings(told).await.unwrap().is_empty());
}
