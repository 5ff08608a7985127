//! What a lying RPC endpoint could tell: the events are changed behind the contract's back.

use medshare_chain::{B256, Event, LoggedEvent};
use medshare_protocol::chain_verifier::Blame;

use super::world::World;
use crate::audit::{AuditReport, Auditor, Heads};

type Told = (Vec<(LoggedEvent, Vec<Option<Vec<u8>>>)>, Heads);

fn judged(world: &World, (events, heads): &Told) -> AuditReport {
    let mut auditor = Auditor::new(world.governance.domain().clone(), "a folder".into());
    for (event, records) in events {
        auditor.take(event, records.clone()).unwrap();
    }
    auditor.finish(heads, 9, B256::ZERO).unwrap()
}

fn kinds(world: &World, told: &Told) -> Vec<&'static str> {
    judged(world, told)
        .findings
        .iter()
        .map(|finding| finding.fault.kind())
        .collect()
}

/// The index of the first event of this name.
fn first(told: &Told, name: &str) -> usize {
    told.0
        .iter()
        .position(|(event, _)| event.event.name() == name)
        .unwrap()
}

#[tokio::test]
async fn every_event_that_is_left_out_shows() {
    let world = super::lively().await;
    let told = world.told().await;
    assert_eq!(kinds(&world, &told), [""; 0]);
    let silent = ["DatasetPublished", "RequestorRegistered"];
    let mut left_out = 0;
    for index in 0..told.0.len() {
        let event = &told.0[index].0.event;
        if silent.contains(&event.name()) || is_overtaken(&told, index) {
            continue;
        }
        let mut fewer = told.clone();
        fewer.0.remove(index);
        assert_ne!(
            kinds(&world, &fewer),
            [""; 0],
            "without {event:?} nothing shows"
        );
        left_out += 1;
    }
    assert!(left_out > 15, "only {left_out} events were tried");
}

/// A re-grant of what is revoked with all others, or taken back, before anything else is decided about it leaves no
/// trace: no state and no transition depends on it.
fn is_overtaken(told: &Told, index: usize) -> bool {
    let event = &told.0[index].0.event;
    let is_next_decision = |(other, _): &&(LoggedEvent, _)| {
        other.event.package() == event.package()
            && matches!(
                other.event,
                Event::PackageRevoked { .. }
                    | Event::PackageRetrieved { .. }
                    | Event::ViolationAccepted { .. }
            )
    };
    let next = told.0[index + 1..].iter().find(is_next_decision);
    matches!(event, Event::PackageRegranted { .. })
        && next.is_none_or(|(next, _)| matches!(next.event, Event::PackageRetrieved { .. }))
}

#[tokio::test]
async fn a_step_that_the_state_machine_does_not_have_is_found() {
    let world = super::lively().await;
    let told = world.told().await;
    let mut repeated = told.clone();
    let index = first(&told, "PackageRegranted");
    let again = repeated.0[index].clone();
    repeated.0.insert(index + 1, again);
    assert_eq!(kinds(&world, &repeated), ["transition"]);
}

#[tokio::test]
async fn a_changed_request_is_not_the_package_that_was_asked_for() {
    let world = super::lively().await;
    let mut told = world.told().await;
    let index = first(&told, "PackageIssued");
    let Event::PackageIssued(issued) = &mut told.0[index].0.event else {
        unreachable!()
    };
    issued.request.selection = B256::ZERO;
    let report = judged(&world, &told);
    let kinds: Vec<_> = report
        .findings
        .iter()
        .map(|finding| finding.fault.kind())
        .collect();
    assert_eq!(kinds, ["package-id"]);
    assert_eq!(report.findings[0].fault.blame(), Blame::Chain);
}

#[tokio::test]
async fn a_foreign_sender_and_a_false_second_node_are_found() {
    let world = super::lively().await;
    let told = world.told().await;
    let index = first(&told, "PackageIssued");
    let with = |change: &dyn Fn(&mut medshare_chain::PackageIssued)| {
        let mut told = told.clone();
        let Event::PackageIssued(issued) = &mut told.0[index].0.event else {
            unreachable!()
        };
        change(issued);
        kinds(&world, &told)
    };
    let first_node = world.nodes[0].sender().unwrap();
    assert_eq!(
        with(&|issued| issued.verifier = first_node),
        ["second-node", "field"]
    );
    assert_eq!(
        with(&|issued| issued.verifier = [9; 20].into()),
        ["second-node", "field"]
    );
    let other = world.nodes[1].sender().unwrap();
    assert_eq!(
        with(&|issued| issued.node = other),
        ["foreign-node", "second-node", "field"]
    );

    let mut told = told;
    let index = first(&told, "ReportsAnchored");
    let Event::ReportsAnchored { node, .. } = &mut told.0[index].0.event else {
        unreachable!()
    };
    *node = other;
    assert_eq!(kinds(&world, &told), ["foreign-node"]);
}

#[tokio::test]
async fn a_package_issued_twice_and_ragged_entries_are_found() {
    let world = super::lively().await;
    let told = world.told().await;
    let index = first(&told, "PackageIssued");
    let mut twice = told.clone();
    let copy = twice.0[index].clone();
    twice.0.insert(index + 1, copy);
    assert!(kinds(&world, &twice).contains(&"issued-twice"));

    let mut ragged = told.clone();
    let index = first(&ragged, "ReportsAnchored");
    let Event::ReportsAnchored { entries, .. } = &mut ragged.0[index].0.event else {
        unreachable!()
    };
    entries.pop();
    assert!(kinds(&world, &ragged).contains(&"ragged-entries"));
}

#[tokio::test]
async fn a_time_ahead_of_the_chain_and_a_false_head_are_found() {
    let world = super::lively().await;
    let told = world.told().await;
    let mut early = told.clone();
    let index = first(&early, "PackageIssued");
    early.0[index].0.time -= 1000;
    assert_eq!(kinds(&world, &early), ["ahead-of-time"]);

    let mut heads = told.clone();
    for head in heads.1.threads.values_mut() {
        *head = B256::ZERO;
    }
    heads.1.packages.values_mut().next().unwrap().settled += 1;
    heads.1.packages.pop_last();
    assert_eq!(kinds(&world, &heads), ["head-differs", "state", "state"]);
}
