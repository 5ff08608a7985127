//! A node that is killed at any step, a chain that is away or reorganised, a second node that is down: nothing is
//! lost, nothing is done twice.

use std::time::Duration;

use medshare_chain::Event;
use medshare_node::{Limits, NodeError};
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::{Action, State};
use medshare_protocol::wire::{RequestStatus, Stage};

use crate::blocks::with_sides;
use crate::cluster::Cluster;
use crate::requestor::{Requestor, finished};

const STEPS: usize = 10;

/// What was issued, by the chain's own events.
async fn issued(cluster: &Cluster, id: PackageId) -> usize {
    let newest = cluster.governance.block_number().await.unwrap();
    let events = cluster.governance.events(0, newest).await.unwrap();
    let of_id =
        |event: &Event| matches!(event, Event::PackageIssued(issued) if issued.package == id);
    events.iter().filter(|logged| of_id(&logged.event)).count()
}

fn assert_whole(status: &RequestStatus) {
    assert_eq!(status.stage, Stage::Ready, "{:?}", status.reason);
    let steps: Vec<&str> = status
        .form
        .iter()
        .map(|step| step.action.as_str())
        .collect();
    assert_eq!(
        steps,
        [
            "received",
            "authenticated",
            "retrieved",
            "ranked",
            "anonymised",
            "contract-generated",
            "validated",
            "sealed",
            "issued",
            "ready"
        ]
    );
    assert!(status.form.is_sorted_by_key(|step| step.time));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_after_any_step_goes_on_and_does_nothing_twice() {
    let mut cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let mut interrupted = 0;
    for steps in 1..STEPS {
        let request = requestor.asks(&cluster);
        let id = requestor.id(&request);
        let node = cluster.node(0);
        node.request(request).await.unwrap();
        let seen = node
            .status(id, steps - 1, Duration::from_secs(20))
            .await
            .unwrap();
        cluster.kill_node(0).await;
        interrupted += usize::from(seen.stage < Stage::Ready);
        let node = cluster.start_node(0).await;
        assert_whole(&finished(&node, id).await);
        assert_eq!(issued(&cluster, id).await, 1);
        let container = std::fs::read(node.container(id).await.unwrap().path).unwrap();
        let answer = requestor
            .session(id)
            .report(&node, Action::Decrypt)
            .await
            .unwrap();
        assert!(!requestor.decrypt(&container, &answer).is_empty());
    }
    assert!(
        interrupted >= 5,
        "only {interrupted} of the kills came before the end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_chain_is_away_a_request_is_recorded_and_goes_on_when_it_is_back() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let request = requestor.asks(&cluster);
    let id = requestor.id(&request);
    cluster.custodians[0].rpc.cut().await;
    let error = cluster.node(0).request(request).await.unwrap_err();
    assert!(matches!(error, NodeError::ChainUnavailable(_)), "{error}");
    let recorded = cluster.node(0).status(id, 0, Duration::ZERO).await.unwrap();
    assert_eq!(recorded.stage, Stage::Received);
    assert!(cluster.node(0).ready().await.is_err());
    cluster.custodians[0].rpc.mend();
    assert_whole(&finished(&cluster.node(0), id).await);
    cluster.node(0).ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_chain_no_key_is_given_and_reports_are_kept() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let mut session = requestor.session(id);
    cluster.custodians[0].rpc.cut().await;
    let error = session.report(&node, Action::Decrypt).await.unwrap_err();
    assert!(matches!(error, NodeError::ChainUnavailable(_)), "{error}");
    assert_eq!(node.last_report(id).await.unwrap().number, 0);
    cluster.custodians[0].rpc.mend();
    session.report(&node, Action::Decrypt).await.unwrap();
    cluster.custodians[0].rpc.cut().await;
    let read = session.report(&node, Action::Read).await.unwrap();
    assert!(read.receipt.leaseSeconds <= 5);
    let copy = session.report(&node, Action::Copy).await.unwrap();
    assert_eq!((copy.state, copy.receipt.leaseSeconds), (State::Revoked, 0));
    cluster.custodians[0].rpc.mend();
    with_sides(&node, id, 3).await;
    assert_eq!(
        cluster.governance.package(id).await.unwrap().state,
        State::Revoked
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_after_a_violation_settles_it_when_it_is_back() {
    let mut cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let mut session = requestor.session(id);
    session
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    with_sides(&cluster.node(0), id, 1).await;
    cluster.custodians[0].rpc.cut().await;
    session
        .report(&cluster.node(0), Action::Copy)
        .await
        .unwrap();
    cluster.kill_node(0).await;
    assert_eq!(
        cluster.governance.package(id).await.unwrap().state,
        State::Active
    );
    cluster.custodians[0].rpc.mend();
    let node = cluster.start_node(0).await;
    with_sides(&node, id, 2).await;
    assert_eq!(
        cluster.governance.package(id).await.unwrap().state,
        State::Revoked
    );
    assert_eq!(node.violations().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_a_second_node() {
    let mut cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    cluster.kill_node(1).await;
    let request = requestor.asks(&cluster);
    let id = requestor.id(&request);
    let node = cluster.node(0);
    node.request(request).await.unwrap();
    let waiting = node.status(id, 5, Duration::from_secs(20)).await.unwrap();
    assert_eq!(waiting.stage, Stage::Processed);
    cluster.start_node(1).await;
    assert_whole(&finished(&node, id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_reorganisation_what_is_gone_is_sent_again() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let first = requestor.obtain(&cluster).await;
    let before = cluster.governance.block_number().await.unwrap();
    let second = requestor.obtain(&cluster).await;
    let mut session = requestor.session(second);
    session
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    with_sides(&cluster.node(0), second, 1).await;
    let depth = cluster.governance.block_number().await.unwrap() - before;
    // The blocks are replaced by empty ones: the transactions are gone.
    cluster
        .rpc("anvil_reorg", serde_json::json!([depth, []]))
        .await;
    let node = cluster.node(0);
    let begun = std::time::Instant::now();
    loop {
        let status = node.status(second, 0, Duration::ZERO).await.unwrap();
        let again = status.form.iter().any(|step| step.action == "reorganised");
        if again && status.stage == Stage::Ready {
            break;
        }
        // An end to waiting for what never comes, not a measure of speed.
        assert!(begun.elapsed() < Duration::from_secs(20), "{status:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let blocks = with_sides(&node, second, 1).await;
    assert_eq!(blocks.sides.len(), 1);
    assert_eq!(issued(&cluster, first).await, 1);
    assert_eq!(issued(&cluster, second).await, 1);
    assert_eq!(
        cluster.governance.package(second).await.unwrap().state,
        State::Active
    );
    let head = cluster
        .governance
        .thread_head(requestor.address())
        .await
        .unwrap();
    let record = node.package_blocks(second).await.unwrap().parent.record;
    let parent = medshare_protocol::block::Block::from_bytes(&record).unwrap();
    assert_eq!(parent.header().hash().0, head);
    // The other node had the old records; it serves the blocks as they are anchored now.
    assert_eq!(with_sides(&cluster.node(1), second, 1).await, blocks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_handed_out_only_when_it_is_buried_as_deep_as_configured() {
    let limits = Limits {
        confirmations: 3,
        lease_seconds: 5,
        ..Limits::default()
    };
    let cluster = Cluster::with(40, limits).await;
    let requestor = Requestor::registered(&cluster).await;
    let request = requestor.asks(&cluster);
    let id = requestor.id(&request);
    let node = cluster.node(0);
    node.request(request).await.unwrap();
    let issued = node.status(id, 8, Duration::from_secs(20)).await.unwrap();
    assert_eq!((issued.stage, issued.package), (Stage::Issued, None));
    assert!(matches!(
        node.container(id).await,
        Err(NodeError::Conflict(_))
    ));
    let early = requestor
        .session(id)
        .report(&node, Action::Decrypt)
        .await
        .unwrap_err();
    assert!(matches!(early, NodeError::Conflict(_)), "{early}");
    cluster.rpc("anvil_mine", serde_json::json!([3])).await;
    assert_whole(&finished(&node, id).await);
    requestor
        .session(id)
        .report(&node, Action::Decrypt)
        .await
        .unwrap();
}
