//! Who lies: a wallet, a session key, and everything that was said so far.

use medshare_node::NodeError;
use medshare_node::store::Store;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::{Action, Actions};
use medshare_protocol::wire::{
    DeletionSubmission, RenewalSubmission, ReportAnswer, ReportSubmission, SessionEndSubmission,
};

use super::{Answer, LEASE_SECONDS};
use crate::cluster::Cluster;
use crate::requestor::{OpenSession, Requestor, now};

/// One message to the node.
pub(super) enum Said {
    Report(ReportSubmission),
    Renewal(RenewalSubmission),
    End(SessionEndSubmission),
    Deletion(DeletionSubmission),
}

pub(super) struct LyingClient {
    pub(super) requestor: Requestor,
    pub(super) id: PackageId,
    /// Behind report 2.
    pub(super) session: OpenSession,
    /// Reports 1 and 2, as they were sent.
    pub(super) sent: [ReportSubmission; 2],
    pub(super) renewed: RenewalSubmission,
}

impl LyingClient {
    /// A new requestor with a package that was opened, read and renewed honestly. Its own: the owner's response to a second
    /// violation would take the others' packages, too.
    pub(super) async fn opened(cluster: &Cluster) -> Self {
        let requestor = Requestor::registered(cluster).await;
        let id = requestor.obtain(cluster).await;
        let node = cluster.node(0);
        let begun = requestor.session(id);
        let opening = begun.next(Actions::NONE.with(Action::Decrypt), "");
        let open = begun.behind(&opening);
        let reading = open.next(Actions::NONE.with(Action::Read), "");
        let session = open.behind(&reading);
        for sent in [&opening, &reading] {
            node.report(id, sent.clone()).await.unwrap();
        }
        let renewed = session.renewal(now());
        node.renew(id, renewed.clone()).await.unwrap();
        Self {
            requestor,
            id,
            session,
            sent: [opening, reading],
            renewed,
        }
    }

    /// The next report.
    pub(super) fn next(&self, action: Action) -> ReportSubmission {
        self.session.next(Actions::NONE.with(action), "")
    }

    /// The one behind `before`.
    pub(super) fn behind(&self, before: &ReportSubmission, action: Action) -> ReportSubmission {
        let session = self.session.behind(before);
        session.next(Actions::NONE.with(action), "")
    }

    /// The same wallet with the same state on a second machine: another session key.
    pub(super) fn second_machine(&self) -> OpenSession {
        self.requestor.session(self.id).behind(&self.sent[1])
    }

    /// Says it, and holds the node to the answer.
    pub(super) async fn say(
        &self,
        cluster: &Cluster,
        store: &Store,
        lie: &str,
        said: Said,
        expected: Answer,
    ) {
        let node = cluster.node(0);
        let before = (self.lease(store).await, self.reports(cluster).await);
        let opens = matches!(&said, Said::Report(it) if it.report.actions == 1 << 6);
        let is_report = matches!(said, Said::Report(_));
        let answer = match said {
            Said::Report(report) => node.report(self.id, report).await,
            Said::Renewal(renewal) => node.renew(self.id, renewal).await,
            Said::End(end) => node.end_session(self.id, end).await,
            Said::Deletion(deletion) => {
                node.deletion(self.id, deletion).await.unwrap();
                return assert_eq!(self.lease(store).await, 0, "{lie}");
            }
        };
        let after = (self.lease(store).await, self.reports(cluster).await);
        let one_more = before.1 + u32::from(is_report);
        let given = match &answer {
            Ok(answer) => (answer.receipt.leaseSeconds, answer.share.is_some()),
            Err(_) => (0, false),
        };
        match expected {
            Answer::No(word) => {
                assert_refused(lie, &answer, word);
                assert_eq!(after, before, "{lie}");
            }
            Answer::Tampering => {
                assert_refused(lie, &answer, "tampering");
                assert_eq!(after, (0, before.1), "{lie}");
            }
            Answer::Taken => {
                assert_eq!(given, (LEASE_SECONDS, opens), "{lie}: {answer:?}");
                assert!(after.0 > 0, "{lie}");
                assert_eq!(after.1, one_more, "{lie}");
            }
            Answer::Evidence => {
                assert!(answer.is_ok(), "{lie}: {answer:?}");
                assert_eq!(given, (0, false), "{lie}: {answer:?}");
                assert_eq!(after, (before.0, one_more), "{lie}");
            }
            Answer::Same => {
                assert!(answer.is_ok(), "{lie}: {answer:?}");
                assert_eq!(after, before, "{lie}");
            }
            Answer::Over => {
                assert!(answer.is_ok(), "{lie}: {answer:?}");
                assert_eq!(given, (0, false), "{lie}: {answer:?}");
                assert_eq!(after, (0, one_more), "{lie}");
            }
        }
    }

    /// When the lease ends of whoever has one; 0: nobody has.
    async fn lease(&self, store: &Store) -> u64 {
        let live = store.live_session(self.id, now()).await.unwrap();
        live.map_or(0, |live| live.lease_until)
    }

    /// How many reports are on record.
    async fn reports(&self, cluster: &Cluster) -> u32 {
        cluster.node(0).last_report(self.id).await.unwrap().number
    }
}

fn assert_refused(lie: &str, answer: &Result<ReportAnswer, NodeError>, word: &str) {
    match answer {
        Ok(answer) => panic!("{lie}: {answer:?}"),
        Err(error) => assert!(error.to_string().contains(word), "{lie}: {error}"),
    }
}
