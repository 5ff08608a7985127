//! P19: data is open while its lease runs, and no longer.

use std::time::Duration;

use axum::http::StatusCode;
use medshare_client::agent::{AgentError, Deed, Lock};
use medshare_protocol::usage::{Action, State, UsageContract};

use crate::stage::{BEGINNING_MS, LEASE_SECONDS, Stage, granting, within};

const THIRD: Duration = Duration::from_secs(LEASE_SECONDS as u64 / 3);

#[tokio::test]
async fn a_lease_is_renewed_each_third_of_it() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    for times in 1..10 {
        // The watcher must be waiting for the next moment before the clock moves there.
        settle().await;
        stage.clock.advance(THIRD);
        stage.node.renewed(times).await;
    }
    assert_eq!(agent.lock(), None, "three leases long");
    let seen = stage.node.seen();
    assert!(seen.renewals.iter().all(|sent| sent.renewal.number == 1));
    assert_eq!(seen.reports.len(), 1, "renewals are no reports");
}

#[tokio::test]
async fn without_renewals_the_data_is_wiped_at_the_end_of_the_lease() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().busy = u32::MAX;
    stage.clock.advance(Duration::from_secs(59));
    assert_eq!(agent.lock(), None);
    assert_eq!(agent.lease_left(), Duration::from_secs(1));
    stage.clock.advance(Duration::from_secs(1));
    // Nobody touches the data: the watcher wipes it.
    assert_eq!(within(agent.locked()).await, Lock::LeaseEnded);
    assert!(matches!(
        agent.bytes(0, 1),
        Err(AgentError::Locked(Lock::LeaseEnded))
    ));
}

#[tokio::test]
async fn an_access_after_the_end_finds_nothing_even_before_any_watcher_ran() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    // As after a suspend: the clock jumps, and this task is the first to run.
    stage.clock.advance(Duration::from_secs(3_600));
    assert!(matches!(
        agent.bytes(0, 1),
        Err(AgentError::Locked(Lock::LeaseEnded))
    ));
}

#[tokio::test]
async fn a_report_prolongs_the_lease_as_a_renewal_does() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.clock.advance(Duration::from_secs(10));
    agent
        .act(
            Deed::Read {
                offset: 0,
                length: None,
            },
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        agent.lease_left(),
        Duration::from_secs(LEASE_SECONDS.into())
    );
}

#[tokio::test]
async fn a_receipt_without_a_lease_ends_it() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().lease_seconds = 0;
    let refused = agent
        .act(
            Deed::Read {
                offset: 0,
                length: None,
            },
            None,
        )
        .await;
    assert!(
        matches!(refused, Err(AgentError::Locked(Lock::LeaseEnded))),
        "{refused:?}"
    );
    let refused = stage.open().await;
    assert!(refused.is_err(), "nor does it open without one");
}

#[tokio::test]
async fn a_revocation_arrives_with_the_next_renewal() {
    for (state, lock) in [
        (State::Revoked, Lock::Revoked),
        (State::Retrieved, Lock::Retrieved),
        (State::Expired, Lock::Expired),
    ] {
        let stage = Stage::granting(&[]).await;
        let agent = stage.open().await.unwrap();
        stage.node.script().state = state;
        settle().await;
        stage.clock.advance(THIRD);
        assert_eq!(within(agent.locked()).await, lock);
    }
}

#[tokio::test]
async fn a_revocation_on_chain_arrives_although_the_node_says_nothing_of_it() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    stage.ledger.tell(|told| told.state = State::Revoked);
    settle().await;
    stage.clock.advance(THIRD);
    assert_eq!(within(agent.locked()).await, Lock::Revoked);
}

#[tokio::test]
async fn a_chain_that_cannot_be_asked_does_not_end_a_lease_that_the_node_renews() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    stage.ledger.tell(|told| told.reachable = false);
    settle().await;
    stage.clock.advance(THIRD);
    stage.node.renewed(1).await;
    assert_eq!(agent.lock(), None);
}

#[tokio::test]
async fn a_refused_renewal_ends_it_with_the_node_s_reason() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().refuse = Some((StatusCode::FORBIDDEN, "another session took over"));
    settle().await;
    stage.clock.advance(THIRD);
    assert_eq!(
        within(agent.locked()).await,
        Lock::Refused("another session took over".into())
    );
}

#[tokio::test]
async fn a_forged_renewal_prolongs_nothing() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().forge_receipts = true;
    settle().await;
    stage.clock.advance(THIRD);
    stage.node.renewed(1).await;
    stage.clock.advance(2 * THIRD);
    assert_eq!(within(agent.locked()).await, Lock::LeaseEnded);
}

#[tokio::test]
async fn an_old_answer_that_is_played_again_prolongs_nothing() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    let old = stage.node.seen().receipts[0].clone();
    stage.node.script().replay = Some(old);
    settle().await;
    stage.clock.advance(THIRD);
    stage.node.renewed(1).await;
    stage.clock.advance(2 * THIRD);
    assert_eq!(within(agent.locked()).await, Lock::LeaseEnded);
}

#[tokio::test]
async fn after_a_failed_renewal_the_next_one_comes_sooner() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().busy = 1;
    settle().await;
    stage.clock.advance(THIRD);
    stage.node.renewed(1).await;
    while stage.node.seen().renewals.len() < 2 {
        // Together far less than a third of the lease.
        stage.clock.advance(THIRD / 100);
        settle().await;
        assert!(agent.lease_left() > THIRD, "the second renewal is late");
    }
    stage.node.renewed(2).await;
    let seen = stage.node.seen();
    assert!(seen.renewals[0].renewal.time < seen.renewals[1].renewal.time);
}

#[tokio::test]
async fn the_usage_contract_s_expiry_ends_it_inside_a_lease() {
    let usage = UsageContract {
        expiry: BEGINNING_MS + 30_000,
        ..granting(&[Action::Read])
    };
    let stage = Stage::set(usage).await;
    let agent = stage.open().await.unwrap();
    stage.clock.advance(Duration::from_millis(29_999));
    assert_eq!(agent.lock(), None);
    stage.clock.advance(Duration::from_millis(1));
    assert!(matches!(
        agent.bytes(0, 1),
        Err(AgentError::Locked(Lock::Expired))
    ));
}

/// Who sets the clock back has neither a longer lease nor more days, and no chain of reports that ends.
#[tokio::test]
async fn a_wall_clock_that_is_set_back_changes_no_lease_and_ends_no_chain() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    settle().await;
    stage.clock.advance(THIRD);
    stage.node.renewed(1).await;
    let whole = Duration::from_secs(LEASE_SECONDS.into());
    while agent.lease_left() < whole {
        settle().await;
    }
    stage.clock.set_back(Duration::from_secs(3_600));
    assert_eq!(agent.lease_left(), whole);
    settle().await;
    stage.clock.advance(THIRD);
    stage.node.renewed(2).await;
    let read = Deed::Read {
        offset: 0,
        length: None,
    };
    agent.act(read, None).await.unwrap();
    let times: Vec<u64> = {
        let seen = stage.node.seen();
        assert!(seen.reports[1].report.time < seen.reports[0].report.time);
        seen.renewals.iter().map(|sent| sent.renewal.time).collect()
    };
    assert!(times.is_sorted() && times[0] < times[1], "{times:?}");
    stage.node.script().busy = u32::MAX;
    stage.clock.advance(whole);
    assert!(matches!(
        agent.bytes(0, 1),
        Err(AgentError::Locked(Lock::LeaseEnded))
    ));
}

/// The next opening need not wait, and nobody can say that the client fell silent.
#[tokio::test]
async fn whoever_leaves_ends_the_session_and_keeps_the_receipt() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.clock.advance(Duration::from_secs(1));
    within(agent.leave()).await;
    assert_eq!(agent.lock(), Some(Lock::Closed));
    let end = stage.node.seen().ends[0].end.clone();
    assert_eq!((end.number, stage.node.seen().ends.len()), (1, 1));
    let journal = std::fs::read_to_string(&stage.opening.journal).unwrap();
    let kept: serde_json::Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    assert_eq!(kept["receipt"]["leaseSeconds"], 0, "{kept}");
}

#[tokio::test]
async fn a_report_that_is_still_to_be_sent_goes_before_the_end() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().busy = 3;
    let read = Deed::Read {
        offset: 0,
        length: None,
    };
    agent.act(read, None).await.unwrap_err();
    stage.clock.advance(Duration::from_secs(1));
    within(agent.leave()).await;
    assert_eq!(stage.node.reported().len(), 2);
    assert_eq!(stage.node.seen().ends[0].end.number, 2);
}

/// The node knows that it is over, and who closed it: there is nothing to end.
#[tokio::test]
async fn what_the_node_ended_is_not_ended_again() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    let to = stage.path("stolen.csv");
    agent.act(Deed::Copy { to }, None).await.unwrap_err();
    within(agent.leave()).await;
    assert_eq!(stage.node.reported().len(), 2, "the violation is reported");
    assert!(stage.node.seen().ends.is_empty());
}

#[tokio::test]
async fn a_node_that_hangs_does_not_keep_whoever_leaves() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().hangs = true;
    within(agent.leave()).await;
    assert!(stage.node.seen().ends.is_empty());
}

#[tokio::test]
async fn an_agent_that_nobody_holds_renews_no_more() {
    let stage = Stage::granting(&[]).await;
    drop(stage.open().await.unwrap());
    settle().await;
    stage.clock.advance(THIRD);
    settle().await;
    assert!(stage.node.seen().renewals.is_empty());
    stage.open().await.unwrap();
}

/// Lets every task that can run do so until all of them wait.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}
