//! Lies in leases and sessions: renewals that are held back, repeated and borrowed, second machines, ends of sessions.

use alloy_primitives::B256;
use medshare_protocol::usage::{Action, Actions};

use super::Answer::{Evidence, No, Over, Taken, Tampering};
use super::client::Said;
use super::{Row, found, refused, revoked, tell};
use crate::requestor::{MINUTE_MS, Requestor, now};

const RENEWALS: &[Row] = &[
    refused(
        "repeats a renewal",
        |client| vec![Said::Renewal(client.renewed.clone())],
        &[No("was taken before")],
    ),
    refused(
        "renews with a clock that was turned back, and with the right one",
        |client| {
            let yesterday = client.session.renewal(now() - 1_440 * MINUTE_MS);
            let today = client.session.renewal(now() + 1);
            vec![Said::Renewal(yesterday), Said::Renewal(today)]
        },
        &[No("was taken before"), Taken],
    ),
    found(
        "keeps a report back, and renews",
        |client| {
            let kept = client.session.behind(&client.next(Action::Write));
            vec![Said::Renewal(kept.renewal(now() + 1))]
        },
        &[No("send what is missing first")],
        &["missing-report"],
    ),
    refused(
        "renews as if the last report had not been",
        |client| {
            let earlier = client.session.behind(&client.sent[0]);
            vec![Said::Renewal(earlier.renewal(now() + 1))]
        },
        &[No("the last report is number 2")],
    ),
    refused(
        "lets a second machine renew",
        |client| vec![Said::Renewal(client.second_machine().renewal(now() + 1))],
        &[No("not signed by a session key")],
    ),
    refused(
        "edits a renewal",
        |client| {
            let mut edited = client.renewed.clone();
            edited.renewal.time += 1;
            vec![Said::Renewal(edited)]
        },
        &[No("not signed by a session key")],
    ),
    refused(
        "renews another package",
        |client| {
            let mut moved = client.session.clone();
            moved.package = B256::repeat_byte(7).into();
            vec![Said::Renewal(moved.renewal(now() + 1))]
        },
        &[No("about another package")],
    ),
];

const MACHINES: &[Row] = &[
    found(
        "opens on a second machine",
        |client| {
            let second = client.second_machine();
            vec![Said::Report(
                second.next(Actions::NONE.with(Action::Decrypt), ""),
            )]
        },
        &[No("the package is open")],
        &["second-opening"],
    ),
    found(
        "uses the data on a second machine that did not open it, and on the first",
        |client| {
            let second = client.second_machine();
            let read = second.next(Actions::NONE.with(Action::Read), "");
            vec![Said::Report(read), Said::Report(client.next(Action::Read))]
        },
        &[Evidence, No("was sent by another session")],
        &["rival-session"],
    ),
    revoked(
        "copies the session key to a second machine, and both go on",
        |client| {
            let second = client.session.clone();
            let read = second.next(Actions::NONE.with(Action::Read), "there");
            vec![Said::Report(client.next(Action::Read)), Said::Report(read)]
        },
        &[Taken, Tampering],
        &["fork"],
        &[Action::Tampering],
    ),
    found(
        "copies the session key, and the second machine goes on alone",
        |client| {
            let there = client.next(Action::Read);
            let more = client.behind(&there, Action::Read);
            let here = client.session.renewal(now() + 1);
            vec![Said::Report(there), Said::Report(more), Said::Renewal(here)]
        },
        &[Taken, Taken, No("the last report is number 4")],
        &[],
    ),
    found(
        "signs that the data is deleted, opens it again, uses it",
        |client| {
            vec![
                Said::Deletion(client.requestor.deletion(client.id)),
                Said::Report(client.next(Action::Decrypt)),
                Said::Report(client.session.signed_at(now() + 1_000, Action::Read)),
            ]
        },
        &[Over, No("deleted"), Evidence],
        &["refused-opening", "used-after-deletion"],
    ),
];

const ENDS: &[Row] = &[
    refused(
        "ends its session, and goes on",
        |client| {
            let read = client.next(Action::Read);
            let renewal = client.session.behind(&read).renewal(now() + 2);
            vec![
                Said::End(client.session.end(now() + 1)),
                Said::Report(read),
                Said::Renewal(renewal),
            ]
        },
        &[Over, Evidence, No("lapsed")],
    ),
    refused(
        "ends its session twice",
        |client| {
            let end = client.session.end(now() + 1);
            vec![Said::End(end.clone()), Said::End(end)]
        },
        &[Over, No("ended already")],
    ),
    refused(
        "ends its session, opens on another machine, and repeats the end",
        |client| {
            let (end, second) = (client.session.end(now() + 1), client.second_machine());
            let opening = second.next(Actions::NONE.with(Action::Decrypt), "");
            let later = client.session.behind(&opening).end(now() + 2);
            vec![
                Said::End(end.clone()),
                Said::Report(opening),
                Said::End(end),
                Said::End(later),
            ]
        },
        &[
            Over,
            Taken,
            No("the last report is number 3"),
            No("ended already"),
        ],
    ),
    refused(
        "ends its session, opens again with its key, and repeats the end",
        |client| {
            let end = client.session.end(now() + 1);
            let opening = client.next(Action::Decrypt);
            vec![
                Said::End(end.clone()),
                Said::Report(opening),
                Said::End(end),
            ]
        },
        &[Over, Taken, No("the last report is number 3")],
    ),
    refused(
        "holds an end back until it has renewed again",
        |client| {
            let end = client.session.end(now() + 1);
            let renewal = client.session.renewal(now() + 2);
            vec![Said::Renewal(renewal), Said::End(end)]
        },
        &[Taken, No("nothing is changed")],
    ),
    refused(
        "lets a second machine end the session of the first",
        |client| vec![Said::End(client.second_machine().end(now() + 1))],
        &[No("not signed by a session key")],
    ),
    refused(
        "lets a stranger end it",
        |client| {
            let stranger = Requestor::of(client.requestor.domain.clone());
            let session = stranger.session(client.id).behind(&client.sent[1]);
            vec![Said::End(session.end(now() + 1))]
        },
        &[No("not signed by a session key")],
    ),
    refused(
        "passes a renewal off as an end",
        |client| {
            let renewal = client.session.renewal(now() + 1);
            let mut end = client.session.end(now() + 1);
            end.signature = renewal.signature;
            vec![Said::End(end)]
        },
        &[No("not signed by a session key")],
    ),
    found(
        "ends its session with a report kept back",
        |client| {
            let kept = client.session.behind(&client.next(Action::Write));
            vec![Said::End(kept.end(now() + 1))]
        },
        &[No("send what is missing first")],
        &["missing-report"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_lease_is_longer_for_a_renewal_that_lies() {
    tell(RENEWALS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copied_state_opens_nothing_and_leaves_a_trace() {
    tell(MACHINES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_ended_by_itself_once_and_no_other_by_it() {
    tell(ENDS).await;
}
