//! Sending what was written down, one report after the other.

use medshare_protocol::report::ReportBody;
use medshare_protocol::typed::{Renewal, SessionEnd};
use medshare_protocol::usage::Actions;
use medshare_protocol::wire::{RenewalSubmission, ReportAnswer, SessionEndSubmission};
use tokio::sync::MutexGuard;

use super::{Answered, Expected, ReportError, Reporter, answered, check, deliver};

/// The right to send.
pub(crate) struct Line<'a> {
    reporter: &'a Reporter,
    _sending: MutexGuard<'a, ()>,
}

impl<'a> Line<'a> {
    pub(super) const fn new(reporter: &'a Reporter, sending: MutexGuard<'a, ()>) -> Self {
        Self {
            reporter,
            _sending: sending,
        }
    }

    /// Reports `actions` and returns once the node has it durably and its receipt is written down. What is still without a receipt goes first.
    pub(crate) async fn report(
        &self,
        actions: Actions,
        body: &ReportBody,
    ) -> Result<Answered, ReportError> {
        self.flush().await?;
        self.reporter.write_down(actions, body, false)?;
        let answered = self.flush().await?;
        Ok(answered.expect("a report was pending"))
    }

    /// Asks for a longer lease.
    pub(crate) async fn renew(&self) -> Result<Answered, ReportError> {
        let reporter = self.reporter;
        let (renewal, expected) = self.next_renewal().await?;
        let submission = RenewalSubmission {
            signature: reporter.sign(&renewal)?,
            renewal,
        };
        let asked = reporter.clock.since_boot();
        let answer = reporter.api.renew(reporter.package, &submission).await?;
        self.keep(&expected, &answer)?;
        Ok(answered(&answer, asked))
    }

    /// Ends the session. The node's receipt, which has no lease, is kept: nobody can call this silence.
    pub(crate) async fn end(&self) -> Result<(), ReportError> {
        let reporter = self.reporter;
        let (renewal, expected) = self.next_renewal().await?;
        // It says the same of where the session stands.
        let end = SessionEnd {
            package: renewal.package,
            number: renewal.number,
            time: renewal.time,
        };
        let submission = SessionEndSubmission {
            signature: reporter.sign(&end)?,
            end,
        };
        let ended = reporter.api.end_session(reporter.package, &submission);
        self.keep(&expected, &ended.await?)
    }

    /// The next renewal, once all reports are sent, also those that are written down meanwhile.
    async fn next_renewal(&self) -> Result<(Renewal, Expected), ReportError> {
        loop {
            self.flush().await?;
            if let Some(next) = self.reporter.next_renewal() {
                return Ok(next);
            }
        }
    }

    /// Checks the receipt of a renewal, or of the session's end, and keeps it.
    fn keep(&self, expected: &Expected, answer: &ReportAnswer) -> Result<(), ReportError> {
        let reporter = self.reporter;
        check(&reporter.domain, reporter.node, expected, answer)?;
        let received = answer.receipt.received;
        let mut book = reporter.book();
        if received <= book.received_ms {
            // Somebody between us and the node plays an old answer again.
            return Err(ReportError::BadReceipt {
                number: expected.number,
                reason: "it is not newer than the one before".into(),
            });
        }
        book.received_ms = received;
        Ok(book.journal.renewed(answer)?)
    }

    /// Sends what has no receipt yet, oldest first; the answer to the last of it.
    pub(crate) async fn flush(&self) -> Result<Option<Answered>, ReportError> {
        let reporter = self.reporter;
        let mut last = None;
        while let Some(submission) = reporter.first_pending() {
            let asked = reporter.clock.since_boot();
            let sent = deliver(&reporter.api, &reporter.domain, reporter.node, &submission).await;
            let mut book = reporter.book();
            match sent {
                Ok(answer) => {
                    book.journal.received(&answer)?;
                    book.received_ms = book.received_ms.max(answer.receipt.received);
                    last = Some(answered(&answer, asked));
                }
                Err(error) => {
                    if error.is_refusal() {
                        book.journal
                            .refused(submission.report.number, &error.to_string())?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use alloy_primitives::{Address, B256, Bytes};
    use alloy_signer_local::PrivateKeySigner;
    use medshare_protocol::id::PackageId;
    use medshare_protocol::report::ReportBody;
    use medshare_protocol::seal::SealingSecret;
    use medshare_protocol::typed::{Domain, Session};
    use medshare_protocol::usage::{Action, Actions};

    use crate::api::NodeApi;
    use crate::clock::MachineClock;
    use crate::journal::Journal;
    use crate::reporter::{Parts, Reporter, SessionKey};

    /// A renewal that named it would say to the node that it is kept back.
    #[test]
    fn nothing_is_renewed_while_a_report_waits_to_be_sent() {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKeySigner::random();
        let package = PackageId(B256::repeat_byte(2));
        let reporter = Reporter::new(Parts {
            package,
            domain: Domain::new(31_337, Address::repeat_byte(1)),
            node: Address::repeat_byte(3),
            contract_key: SealingSecret::generate().unwrap().public(),
            api: NodeApi::new("http://127.0.0.1:9").unwrap(),
            session: SessionKey {
                delegation: Session {
                    package: package.0,
                    key: key.address(),
                    expiry: u64::MAX,
                },
                signature: Bytes::new(),
                key,
            },
            clock: Arc::new(MachineClock),
            journal: Journal::open(&folder.path().join("journal.jsonl")).unwrap(),
        });
        assert!(reporter.next_renewal().is_some());
        let read = Actions::NONE.with(Action::Read);
        reporter
            .write_down(read, &ReportBody::default(), true)
            .unwrap();
        assert!(reporter.next_renewal().is_none());
    }
}
