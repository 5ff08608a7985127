//! Lies in reports: dropped, repeated, reordered, edited, swapped, forked; actions that are not permitted.

use alloy_primitives::B256;
use medshare_protocol::report::body_hash;
use medshare_protocol::usage::{Action, Actions};

use super::Answer::{Evidence, No, Over, Same, Taken, Tampering};
use super::client::Said;
use super::{Row, found, refused, revoked, tell};
use crate::requestor::{MINUTE_MS, Requestor, now};

const HISTORY: &[Row] = &[
    found(
        "drops a report",
        |client| {
            let dropped = client.next(Action::Write);
            vec![Said::Report(client.behind(&dropped, Action::Read))]
        },
        &[No("number 3 is due")],
        &["missing-report"],
    ),
    found(
        "sends two reports in the wrong order",
        |client| {
            let first = client.next(Action::Write);
            let second = client.behind(&first, Action::Read);
            vec![
                Said::Report(second.clone()),
                Said::Report(first),
                Said::Report(second),
            ]
        },
        &[No("number 3 is due"), Taken, Taken],
        &["missing-report"],
    ),
    refused(
        "repeats reports",
        |client| client.sent.clone().map(Said::Report).into(),
        &[Same, Same],
    ),
    found(
        "swaps a report for another history's",
        |client| {
            let kept = client.next(Action::Write);
            let shown = client.next(Action::Read);
            let behind_the_kept = client.behind(&kept, Action::Read);
            vec![Said::Report(shown), Said::Report(behind_the_kept)]
        },
        &[Taken, No("a report was swapped")],
        &["swapped-report"],
    ),
    found(
        "begins the history anew",
        |client| {
            let mut anew = client.session.clone();
            anew.previous = B256::ZERO;
            let again = anew.next(Actions::NONE.with(Action::Decrypt), "");
            vec![Said::Report(again)]
        },
        &[No("a report was swapped")],
        &["swapped-report"],
    ),
    revoked(
        "tells two stories of what comes next",
        |client| {
            let (one, other) = (client.next(Action::Read), client.next(Action::Write));
            vec![Said::Report(one), Said::Report(other)]
        },
        &[Taken, Tampering],
        &["fork"],
        &[Action::Tampering],
    ),
    revoked(
        "tells a new story of what was long ago",
        |client| vec![Said::Report(client.behind(&client.sent[0], Action::Write))],
        &[Tampering],
        &["fork"],
        &[Action::Tampering],
    ),
    revoked(
        "tells the same story with another body",
        |client| {
            let again = client.session.behind(&client.sent[0]);
            vec![Said::Report(
                again.next(Actions::NONE.with(Action::Read), "x"),
            )]
        },
        &[Tampering],
        &["fork"],
        &[Action::Tampering],
    ),
];

const EDITS: &[Row] = &[
    refused(
        "edits the actions",
        |client| {
            let mut edited = client.next(Action::Copy);
            edited.report.actions = 1;
            vec![Said::Report(edited)]
        },
        &[No("not signed by the session key")],
    ),
    refused(
        "edits the body",
        |client| {
            let mut edited = client.next(Action::Read);
            edited.body = vec![1, 2, 3].into();
            vec![Said::Report(edited)]
        },
        &[No("whose hash the report carries")],
    ),
    refused(
        "edits the body and its hash",
        |client| {
            let mut edited = client.next(Action::Read);
            edited.body = vec![1, 2, 3].into();
            edited.report.body = body_hash(&edited.body);
            vec![Said::Report(edited)]
        },
        &[No("not signed by the session key")],
    ),
    refused(
        "names no action",
        |client| vec![Said::Report(client.session.next(Actions::NONE, ""))],
        &[No("no action")],
    ),
    refused(
        "opens and reads at once",
        |client| vec![Said::Report(client.session.next(Actions(0b0100_0001), ""))],
        &[No("by itself")],
    ),
    refused(
        "reports to another package",
        |client| {
            let mut moved = client.next(Action::Read).report;
            moved.package = B256::repeat_byte(7);
            let body = client.next(Action::Read).body;
            vec![Said::Report(client.session.signed(moved, body))]
        },
        &[No("about another package")],
    ),
    found(
        "lets a stranger report",
        |client| {
            let stranger = Requestor::of(client.requestor.domain.clone());
            let session = stranger.session(client.id).behind(&client.sent[1]);
            vec![Said::Report(
                session.next(Actions::NONE.with(Action::Read), ""),
            )]
        },
        &[No("not delegated by the requestor's wallet")],
        &["foreign-session"],
    ),
    refused(
        "reports from tomorrow",
        |client| {
            let time = now() + 1_440 * MINUTE_MS;
            vec![Said::Report(client.session.signed_at(time, Action::Read))]
        },
        // A day ahead is also behind the end of the session, which an hour is not.
        &[No("the session had ended")],
    ),
    refused(
        "reports from a little later",
        |client| {
            let time = now() + 3 * MINUTE_MS;
            vec![Said::Report(client.session.signed_at(time, Action::Read))]
        },
        &[No("set the clock")],
    ),
    refused(
        "reports from yesterday: the lease is counted by the node's clock all the same",
        |client| {
            let time = now() - 1_440 * MINUTE_MS;
            vec![Said::Report(client.session.signed_at(time, Action::Read))]
        },
        &[Taken],
    ),
];

const FORBIDDEN: &[Row] = &[
    revoked(
        "deletes",
        |client| vec![Said::Report(client.next(Action::Delete))],
        &[Over],
        &[],
        &[Action::Delete],
    ),
    revoked(
        "duplicates",
        |client| vec![Said::Report(client.next(Action::Duplicate))],
        &[Over],
        &[],
        &[Action::Duplicate],
    ),
    revoked(
        "moves, and goes on",
        |client| {
            let moved = client.next(Action::Move);
            let read = client.behind(&moved, Action::Read);
            vec![Said::Report(moved), Said::Report(read)]
        },
        &[Over, Evidence],
        &[],
        &[Action::Move],
    ),
    revoked(
        "copies, and opens again",
        |client| {
            let copied = client.next(Action::Copy);
            let opened = client.behind(&copied, Action::Decrypt);
            vec![Said::Report(copied), Said::Report(opened)]
        },
        &[Over, No("Revoked")],
        &["refused-opening"],
        &[Action::Copy],
    ),
    revoked(
        "confesses a copy, and then signs that it was a read",
        |client| {
            let (copied, read) = (client.next(Action::Copy), client.next(Action::Read));
            vec![Said::Report(copied), Said::Report(read)]
        },
        &[Over, Tampering],
        &["fork"],
        // What is settled with a number is settled.
        &[Action::Copy],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_history_of_reports_is_dropped_reordered_swapped_or_forked() {
    tell(HISTORY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_report_is_edited_borrowed_or_of_another_time() {
    tell(EDITS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_over_at_once_and_stays_so() {
    tell(FORBIDDEN).await;
}
