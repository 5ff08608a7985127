//! P18, P19: six actions, judged before they are carried out.

use std::time::Duration;

use axum::http::StatusCode;
use medshare_client::agent::{Agent, AgentError, DATA_FILE, Deed, Lock, ReportError};
use medshare_protocol::usage::{Action, Actions, Sensitivity, State, UsageContract};
use zeroize::Zeroizing;

use crate::stage::{PAYLOAD, Stage, granting, within};

fn deed(stage: &Stage, action: Action) -> Deed {
    let to = stage.path("elsewhere.csv");
    match action {
        Action::Read => Deed::Read {
            offset: 4,
            length: Some(3),
        },
        Action::Write => Deed::Write {
            offset: 0,
            bytes: Zeroizing::new(b"AGE".to_vec()),
        },
        Action::Delete => Deed::Delete,
        Action::Duplicate => Deed::Duplicate { to },
        Action::Move => Deed::Move { to },
        Action::Copy => Deed::Copy { to },
        Action::Decrypt | Action::Tampering => panic!("no deed"),
    }
}

/// What must be true after a deed was done.
fn assert_done(stage: &Stage, agent: &Agent, action: Action) {
    let elsewhere = std::fs::read(stage.path("elsewhere.csv")).ok();
    let written = matches!(action, Action::Duplicate | Action::Move | Action::Copy);
    assert_eq!(elsewhere.as_deref(), written.then_some(PAYLOAD), "{action}");
    let here = agent.bytes(0, u64::MAX).ok().map(|bytes| bytes.to_vec());
    match action {
        Action::Delete | Action::Move => assert_eq!(here, None, "{action}"),
        Action::Write => assert!(here.unwrap().starts_with(b"AGE,sex"), "{action}"),
        _ => assert_eq!(here.as_deref(), Some(PAYLOAD), "{action}"),
    }
    let gone = matches!(action, Action::Delete | Action::Move);
    assert_eq!(stage.opening.container.exists(), !gone, "{action}");
}

#[tokio::test]
async fn what_was_moved_out_is_not_here_any_more() {
    let stage = Stage::granting(&[Action::Write, Action::Move]).await;
    let agent = stage.open().await.unwrap();
    agent.act(deed(&stage, Action::Write), None).await.unwrap();
    let kept = |file: &str| stage.path(file).exists();
    assert!(kept("package.mds") && kept("package.mds.overlay"));
    agent.act(deed(&stage, Action::Move), None).await.unwrap();
    assert!(!kept("package.mds") && !kept("package.mds.overlay"));
    let moved = std::fs::read(stage.path("elsewhere.csv")).unwrap();
    assert!(moved.starts_with(b"AGE,sex"));
    assert_eq!(agent.lock(), Some(Lock::Moved(stage.path("elsewhere.csv"))));
    within(agent.leave()).await;
    assert!(stage.open().await.is_err(), "it can be opened again");
}

/// It would be removed with the package.
#[tokio::test]
async fn nothing_is_written_where_the_package_s_own_files_lie() {
    let stage = Stage::granting(&[Action::Move, Action::Copy]).await;
    let agent = stage.open().await.unwrap();
    for own in ["package.mds.overlay", "./package.mds.part"] {
        for to in [
            Deed::Move {
                to: stage.path(own),
            },
            Deed::Copy {
                to: stage.path(own),
            },
        ] {
            let refused = agent.act(to, None).await.unwrap_err();
            assert!(
                matches!(refused, AgentError::Destination { .. }),
                "{refused}"
            );
        }
    }
    assert_eq!(agent.lock(), None);
}

#[tokio::test]
async fn a_granted_action_is_reported_and_then_done() {
    for action in Action::SIX {
        let stage = Stage::granting(&[action]).await;
        let agent = stage.open().await.unwrap();
        let outcome = agent
            .act(deed(&stage, action), Some("test".into()))
            .await
            .unwrap();
        assert_eq!((outcome.action, outcome.receipt), (action, Some(2)));
        assert_eq!(stage.node.reported()[1], Actions::NONE.with(action));
        assert_eq!(stage.node.body(2).program.as_deref(), Some("test"));
        assert_done(&stage, &agent, action);
        assert!(
            agent.lock().is_none_or(|lock| lock.is_peaceful()),
            "{action}"
        );
    }
}

#[tokio::test]
async fn an_exempted_action_is_done_in_silence_where_sensitivity_is_low() {
    for action in Action::SIX {
        let exempt = Actions::NONE.with(action);
        let usage = UsageContract {
            sensitivity: Sensitivity::Low,
            exempt,
            ..granting(&[])
        };
        let stage = Stage::set(usage).await;
        let agent = stage.open().await.unwrap();
        let outcome = agent.act(deed(&stage, action), None).await.unwrap();
        assert_eq!(outcome.receipt, None, "{action}");
        assert_eq!(
            stage.node.reported().len(),
            1,
            "{action}: nothing but the decrypt report"
        );
        assert_done(&stage, &agent, action);
    }
}

#[tokio::test]
async fn an_action_that_is_not_granted_is_not_done_and_locks() {
    for action in Action::SIX {
        let others: Vec<Action> = Action::SIX.into_iter().filter(|it| *it != action).collect();
        // Exempted, but of high sensitivity: exemptions count for nothing.
        let usage = UsageContract {
            exempt: Actions::NONE.with(action),
            ..granting(&others)
        };
        let stage = Stage::set(usage).await;
        let agent = stage.open().await.unwrap();
        let refused = agent.act(deed(&stage, action), None).await.unwrap_err();
        assert!(
            matches!(refused, AgentError::Locked(Lock::Violation(found)) if found == action),
            "{action}: {refused}"
        );
        assert!(
            refused.to_string().contains("ask the custodian"),
            "{refused}"
        );
        assert!(!stage.path("elsewhere.csv").exists() && stage.opening.container.exists());
        within(agent.told()).await;
        assert_eq!(
            stage.node.reported()[1],
            Actions::NONE.with(action),
            "it is reported"
        );
        assert_eq!(stage.node.script().state, State::Revoked);

        assert!(
            matches!(agent.bytes(0, 1), Err(AgentError::Locked(_))),
            "{action}"
        );
        for other in others {
            let refused = agent.act(deed(&stage, other), None).await;
            assert!(
                matches!(refused, Err(AgentError::Locked(Lock::Violation(_)))),
                "{other}"
            );
        }
        assert_eq!(within(agent.locked()).await, Lock::Violation(action));
        assert_eq!(stage.node.reported().len(), 2, "nothing more was sent");
    }
}

#[tokio::test]
async fn a_violation_that_the_network_hides_is_reported_at_the_next_opening() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().busy = u32::MAX;
    let refused = agent
        .act(deed(&stage, Action::Copy), None)
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        AgentError::Locked(Lock::Violation(Action::Copy))
    ));
    assert!(
        matches!(agent.bytes(0, 1), Err(AgentError::Locked(_))),
        "wiped all the same"
    );
    within(agent.told()).await;
    drop(agent);
    stage.node.script().busy = 0;
    assert_eq!(stage.node.reported().len(), 1);

    let refused = stage.open().await.unwrap_err();
    assert!(refused.to_string().contains("revoked"), "{refused}");
    assert_eq!(stage.node.reported()[1], Actions::NONE.with(Action::Copy));
    assert_eq!(stage.node.script().state, State::Revoked);
}

#[tokio::test]
async fn a_violation_is_answered_at_once_though_the_node_hangs_and_outlives_the_client() {
    let mut stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().hangs = true;
    // Another report is on its way, and will be for long.
    let (reader, reading) = (agent.clone(), deed(&stage, Action::Read));
    let hanging = tokio::spawn(async move { reader.act(reading, None).await.map(drop) });
    while agent.last_report().await < 2 {
        tokio::task::yield_now().await;
    }
    let mut attempt = Box::pin(agent.act(deed(&stage, Action::Copy), None));
    // Ready when it is first asked: it waits for nobody.
    let std::task::Poll::Ready(refused) = futures::poll!(&mut attempt) else {
        panic!("the answer waits for the network");
    };
    assert!(matches!(
        refused,
        Err(AgentError::Locked(Lock::Violation(Action::Copy)))
    ));
    assert!(matches!(
        agent.bytes(0, 1),
        Err(AgentError::Locked(Lock::Violation(_)))
    ));
    assert_eq!(stage.node.reported().len(), 1, "nothing has arrived");

    // What is on disk at this moment is what a killed client leaves.
    let left = stage.path("left.jsonl");
    std::fs::copy(&stage.opening.journal, &left).unwrap();
    hanging.abort();
    stage.node.script().hangs = false;
    stage.opening.journal = left;
    let refused = stage.open().await.unwrap_err();
    assert!(refused.to_string().contains("revoked"), "{refused}");
    let actions: Vec<u8> = stage.node.reported().iter().map(|it| it.0).collect();
    assert_eq!(actions, [0x40, 1, 0x20]);
    assert_eq!(stage.node.script().state, State::Revoked);
}

#[tokio::test]
async fn of_a_violation_it_is_told_within_a_second_whether_the_node_knows() {
    for (busy, hangs, told) in [
        (0, false, Lock::Violation(Action::Copy)),
        (u32::MAX, false, Lock::Untold(Action::Copy)),
        (0, true, Lock::Untold(Action::Copy)),
    ] {
        let stage = Stage::granting(&[Action::Read]).await;
        let agent = stage.open().await.unwrap();
        (stage.node.script().busy, stage.node.script().hangs) = (busy, hangs);
        let copied = agent.act(deed(&stage, Action::Copy), None);
        copied.await.unwrap_err();
        let settled = tokio::time::timeout(Duration::from_secs(1), agent.settled());
        let settled = settled.await.unwrap();
        assert_eq!(settled, told);
        let says_revoked = settled.to_string().contains("access is revoked pending");
        let state = stage.node.script().state;
        assert_eq!(says_revoked, state == State::Revoked, "{settled}");
        // What closed the data is the same, whatever is told of it.
        assert_eq!(agent.lock(), Some(Lock::Violation(Action::Copy)));
    }
}

#[tokio::test]
async fn a_report_that_never_arrived_goes_first_when_the_package_is_opened_again() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().busy = 3;
    agent
        .act(deed(&stage, Action::Read), None)
        .await
        .unwrap_err();
    drop(agent);
    let agent = stage.open().await.unwrap();
    let actions: Vec<u8> = stage
        .node
        .reported()
        .iter()
        .map(|actions| actions.0)
        .collect();
    assert_eq!(actions, [0x40, 1, 0x40]);
    assert_eq!(agent.last_report().await, 3);
}

#[tokio::test]
async fn without_a_receipt_nothing_is_done_and_the_report_goes_again() {
    let stage = Stage::granting(&[Action::Read, Action::Copy]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().forge_receipts = true;
    let refused = agent
        .act(deed(&stage, Action::Copy), None)
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        AgentError::Report(ReportError::BadReceipt { number: 2, .. })
    ));
    assert!(!stage.path("elsewhere.csv").exists());
    assert_eq!(agent.lock(), None);

    stage.node.script().forge_receipts = false;
    let outcome = agent.act(deed(&stage, Action::Read), None).await.unwrap();
    assert_eq!(outcome.receipt, Some(3));
    assert_eq!(outcome.bytes.unwrap().as_slice(), &PAYLOAD[4..7]);
    assert_eq!(
        stage.node.reported().len(),
        3,
        "number 2 was repeated, not made anew"
    );
}

#[tokio::test]
async fn a_node_that_is_away_stops_actions_but_does_not_lock() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    stage.node.script().busy = 3;
    let refused = agent
        .act(deed(&stage, Action::Read), None)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, AgentError::Report(ReportError::Api(_))),
        "{refused}"
    );
    stage.node.script().busy = 2;
    agent.act(deed(&stage, Action::Read), None).await.unwrap();
    let actions: Vec<u8> = stage
        .node
        .reported()
        .iter()
        .map(|actions| actions.0)
        .collect();
    assert_eq!(
        actions,
        [0x40, 1, 1],
        "the read that got no receipt is reported as well"
    );
}

#[tokio::test]
async fn a_refused_report_locks_with_the_chain_s_reason_or_the_node_s() {
    for (state, expected) in [
        (State::Retrieved, Lock::Retrieved),
        (
            State::Active,
            Lock::Refused("there is a gap in the reports".into()),
        ),
    ] {
        let stage = Stage::granting(&[Action::Read]).await;
        let agent = stage.open().await.unwrap();
        stage.node.script().refuse = Some((StatusCode::CONFLICT, "there is a gap in the reports"));
        stage.ledger.tell(|told| told.state = state);
        let refused = agent
            .act(deed(&stage, Action::Read), None)
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, AgentError::Locked(lock) if *lock == expected),
            "{refused}"
        );
        assert!(matches!(agent.bytes(0, 1), Err(AgentError::Locked(_))));
    }
}

#[tokio::test]
async fn reports_of_simultaneous_actions_have_no_gap() {
    let stage = Stage::granting(&[Action::Read]).await;
    let agent = stage.open().await.unwrap();
    let reads = (0..20).map(|_| agent.act(deed(&stage, Action::Read), None));
    let outcomes = futures::future::join_all(reads).await;
    let mut numbers: Vec<u32> = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap().receipt.unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..22).collect::<Vec<u32>>());
}

#[tokio::test]
async fn what_cannot_be_done_is_not_reported_as_done() {
    let stage = Stage::granting(&Action::SIX).await;
    let agent = stage.open().await.unwrap();
    let taken = stage.path("taken.csv");
    std::fs::write(&taken, b"mine").unwrap();
    let beyond = PAYLOAD.len() as u64 + 1;
    for impossible in [
        Deed::Copy { to: taken.clone() },
        Deed::Duplicate { to: taken.clone() },
        Deed::Move { to: taken.clone() },
        Deed::Read {
            offset: beyond,
            length: None,
        },
        Deed::Write {
            offset: u64::MAX,
            bytes: Zeroizing::new(vec![1]),
        },
        Deed::Truncate { length: u64::MAX },
    ] {
        let refused = agent.act(impossible.clone(), None).await;
        assert!(refused.is_err() && agent.lock().is_none(), "{impossible:?}");
    }
    assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
    assert_eq!(stage.node.reported().len(), 1);
    let nowhere = Deed::Copy {
        to: stage.path("no/such/folder.csv"),
    };
    assert!(matches!(
        agent.act(nowhere, None).await,
        Err(AgentError::Destination { .. })
    ));
    assert!(matches!(
        agent.authorise(Action::Decrypt, &Default::default()).await,
        Err(AgentError::NotAnAction(Action::Decrypt))
    ));
}

#[tokio::test]
async fn reads_and_writes_say_in_the_report_which_bytes() {
    let stage = Stage::granting(&[Action::Read, Action::Write]).await;
    let agent = stage.open().await.unwrap();
    let length = PAYLOAD.len() as u64;
    let all = Deed::Read {
        offset: 0,
        length: None,
    };
    assert_eq!(
        agent
            .act(all, None)
            .await
            .unwrap()
            .bytes
            .unwrap()
            .as_slice(),
        PAYLOAD
    );
    let append = Deed::Write {
        offset: length,
        bytes: Zeroizing::new(b"0-19,F,J45\n".to_vec()),
    };
    agent.act(append, None).await.unwrap();
    agent.act(Deed::Truncate { length: 8 }, None).await.unwrap();
    assert_eq!(agent.bytes(0, 99).unwrap().as_slice(), b"age,sex,");
    assert_eq!(stage.node.body(2).file.as_deref(), Some(DATA_FILE));
    assert_eq!(stage.node.body(2).ranges, [(0, length)]);
    assert_eq!(stage.node.body(3).ranges, [(length, length + 11)]);
    assert_eq!(stage.node.body(4).ranges, [(8, length + 11)]);
}
