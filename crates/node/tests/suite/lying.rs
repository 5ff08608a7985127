//! A client that lies in every way (P17 to P19, P24): what the node answers, what it puts on record, that nothing was given.
//!
//! Each row of the tables has a package of its own, which was opened (report 1), read (report 2), and whose lease was renewed
//! once. Then come the client's messages.

mod client;
mod reports;
mod sessions;
mod silence;

use medshare_node::Limits;
use medshare_node::store::Store;
use medshare_protocol::usage::{Action, Actions, State};

use crate::cluster::Cluster;
use client::{LyingClient, Said};

/// Nothing lapses while a row is told.
const LEASE_SECONDS: u32 = 600;

/// One lie.
struct Row {
    lie: &'static str,
    /// What the client says, one after the other.
    says: fn(&LyingClient) -> Vec<Said>,
    answers: &'static [Answer],
    /// What the custodian finds.
    found: &'static [&'static str],
    /// What the contract settled.
    violated: &'static [Action],
    state: State,
}

/// A lie that the node refuses with this word, and that leaves no trace: anybody could have sent it.
const fn refused(
    lie: &'static str,
    says: fn(&LyingClient) -> Vec<Said>,
    answers: &'static [Answer],
) -> Row {
    found(lie, says, answers, &[])
}

/// A lie that changes nothing, and is on record.
const fn found(
    lie: &'static str,
    says: fn(&LyingClient) -> Vec<Said>,
    answers: &'static [Answer],
    found: &'static [&'static str],
) -> Row {
    Row {
        lie,
        says,
        answers,
        found,
        violated: &[],
        state: State::Active,
    }
}

/// A lie that takes the package away.
const fn revoked(
    lie: &'static str,
    says: fn(&LyingClient) -> Vec<Said>,
    answers: &'static [Answer],
    found: &'static [&'static str],
    violated: &'static [Action],
) -> Row {
    Row {
        lie,
        says,
        answers,
        found,
        violated,
        state: State::Revoked,
    }
}

/// What must come of one message.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// Refused, with this word; no lease is longer or shorter for it.
    No(&'static str),
    /// Refused as tampering, and the lease is over.
    Tampering,
    /// Taken: an honest message.
    Taken,
    /// Taken as evidence: no share, no lease, and whoever has a lease keeps it.
    Evidence,
    /// The receipt that there was, and no longer lease.
    Same,
    /// Taken, and the lease is over.
    Over,
}

/// Tells each lie of a table.
async fn tell(rows: &[Row]) {
    let limits = Limits {
        lease_seconds: LEASE_SECONDS,
        ..Limits::default()
    };
    let cluster = Cluster::with(40, limits).await;
    let database = cluster.custodians[0].folder.join("node.db");
    let store = Store::open_existing(&database).await.unwrap();
    for row in rows {
        let client = LyingClient::opened(&cluster).await;
        let messages = (row.says)(&client);
        assert_eq!(messages.len(), row.answers.len(), "{}", row.lie);
        for (said, answer) in messages.into_iter().zip(row.answers) {
            client.say(&cluster, &store, row.lie, said, *answer).await;
        }
        check_record(&cluster, &client, row).await;
    }
}

/// What is on record in the end, at the node and on chain.
async fn check_record(cluster: &Cluster, client: &LyingClient, row: &Row) {
    let (lie, node, id) = (row.lie, cluster.node(0), client.id);
    let findings = node.findings(id).await.unwrap();
    let kinds: Vec<&str> = findings.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, row.found, "{lie}: {findings:?}");
    let violations = node.violations().await.unwrap();
    let violated = violations.iter().filter(|it| it.package == id);
    let violated: Vec<Actions> = violated.map(|it| it.actions).collect();
    let expected = row.violated.iter().map(|it| Actions::NONE.with(*it));
    assert_eq!(violated, expected.collect::<Vec<_>>(), "{lie}");
    let state = cluster.governance.package(id).await.unwrap().state;
    let state = match state {
        // Its side-blocks may not be anchored yet.
        State::Issued => State::Active,
        state => state,
    };
    assert_eq!(state, row.state, "{lie}");
}
