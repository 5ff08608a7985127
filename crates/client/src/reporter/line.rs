//! Sending what was written down, one report after the other.

use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::Actions;
use medshare_protocol::wire::RenewalSubmission;
use tokio::sync::MutexGuard;

use super::{Answered, ReportError, Reporter, answered, check, deliver};

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

    /// Reports `actions` and returns once the node's receipt is on disk. What is still without a receipt goes first.
    pub(crate) async fn report(
        &self,
        actions: Actions,
        body: &ReportBody,
    ) -> Result<Answered, ReportError> {
        self.flush().await?;
        self.reporter.write_down(actions, body)?;
        let answered = self.flush().await?;
        Ok(answered.expect("a report was pending"))
    }

    /// Asks for a longer lease.
    pub(crate) async fn renew(&self) -> Result<Answered, ReportError> {
        self.flush().await?;
        let reporter = self.reporter;
        let (renewal, expected) = reporter.next_renewal();
        let submission = RenewalSubmission {
            signature: reporter.sign(&renewal)?,
            renewal,
        };
        let asked = reporter.clock.since_boot();
        let answer = reporter.api.renew(reporter.package, &submission).await?;
        check(&reporter.domain, reporter.node, &expected, &answer)?;
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
        book.journal.renewed(&answer)?;
        Ok(answered(&answer, asked))
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
