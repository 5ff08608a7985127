//! What a report must be before it is judged: well formed, signed by a session that the wallet delegated, in its place.

use alloy_primitives::Address;
use medshare_protocol::id::{PackageId, ReportDigest};
use medshare_protocol::report::{MAX_SEALED_BODY_BYTES, body_hash};
use medshare_protocol::typed::{Report, recover};
use medshare_protocol::usage::{Action, Actions};
use medshare_protocol::wire::ReportSubmission;

use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{NO_REPORT, StoredPackage, StoredReport, StoredRequest, StoredSession};

/// A report's time may be ahead of the node's clock by so much at most, ms.
pub(super) const MAX_AHEAD_MS: u64 = 120_000;

/// A report whose signatures hold.
pub(super) struct Taken<'a> {
    pub(super) id: PackageId,
    pub(super) request: StoredRequest,
    pub(super) package: StoredPackage,
    pub(super) submission: &'a ReportSubmission,
    pub(super) digest: ReportDigest,
    /// The session as it was before.
    pub(super) known: Option<StoredSession>,
}

impl Taken<'_> {
    pub(super) fn report(&self) -> &Report {
        &self.submission.report
    }

    pub(super) fn actions(&self) -> Actions {
        Actions(self.report().actions)
    }

    pub(super) fn opens(&self) -> bool {
        self.actions().contains(Action::Decrypt)
    }

    pub(super) fn requestor(&self) -> Address {
        self.request.signed.request.requestor
    }

    /// Whether the session that reports holds the lease.
    pub(super) fn is_live(&self, now: u64) -> bool {
        self.known
            .as_ref()
            .is_some_and(|session| !session.ended && session.lease_until > now)
    }
}

impl Inner {
    /// Form, body and both signatures.
    pub(super) async fn checked<'a>(
        &self,
        id: PackageId,
        submission: &'a ReportSubmission,
    ) -> Result<Taken<'a>, NodeError> {
        let (report, session) = (&submission.report, &submission.session);
        let (ready, known) =
            tokio::join!(self.ready_package(id), self.store.session(id, session.key));
        let ((request, package), known) = (ready?, known?);
        check_form(id, submission)?;
        let digest = self.chain.domain().report_digest(report);
        if recover(digest.0, &submission.signature) != Some(session.key) {
            return Err(NodeError::refused(
                "the report is not signed by the session key",
            ));
        }
        let now = clock::now_ms();
        if report.time >= session.expiry {
            return Err(NodeError::refused(
                "the session had ended when the report was made",
            ));
        }
        let same = known.as_ref().is_some_and(|known| {
            known.session == *session && known.signature == submission.session_signature
        });
        let requestor = request.signed.request.requestor;
        if !same {
            let delegation = self.chain.domain().digest(session);
            let signature = &submission.session_signature;
            if !self
                .chain
                .verify_wallet_signature(requestor, delegation, signature)
                .await?
            {
                let detail = format!(
                    "{} tried with a session that is not the requestor's",
                    session.key
                );
                self.note(id, "foreign-session", &detail).await?;
                return Err(NodeError::refused(
                    "the session key is not delegated by the requestor's wallet",
                ));
            }
        }
        let taken = Taken {
            id,
            request,
            package,
            submission,
            digest,
            known,
        };
        if taken.opens() && session.expiry <= now {
            return Err(NodeError::refused(
                "the session has ended: delegate to a new session key",
            ));
        }
        Ok(taken)
    }

    /// Who signed that the data is deleted, and later for having used it, contradicts itself.
    pub(super) async fn note_use_after_deletion(&self, taken: &Taken<'_>) -> Result<(), NodeError> {
        let Some(word) = self.store.deletion(taken.id).await? else {
            return Ok(());
        };
        let (deleted, report) = (word.deletion.time, taken.report());
        if report.time <= deleted {
            return Ok(());
        }
        let detail = format!(
            "report number {} is of {}, and the data was said to be deleted at {deleted} (ms)",
            report.number, report.time
        );
        self.note(taken.id, "used-after-deletion", &detail).await
    }
}

fn check_form(id: PackageId, submission: &ReportSubmission) -> Result<(), NodeError> {
    let report = &submission.report;
    let bad = |text: String| Err(NodeError::BadRequest(text));
    if report.package != id.0 || submission.session.package != id.0 {
        return bad("the report or its session is about another package".into());
    }
    if submission.body.len() > MAX_SEALED_BODY_BYTES {
        let length = submission.body.len();
        return bad(format!(
            "the body has {length} bytes; at most {MAX_SEALED_BODY_BYTES} are taken"
        ));
    }
    if body_hash(&submission.body) != report.body {
        return bad("the body is not the one whose hash the report carries".into());
    }
    let actions = Actions(report.actions);
    if actions.is_empty() {
        return bad("the report names no action".into());
    }
    if actions.contains(Action::Decrypt) && actions.count() > 1 {
        return bad("`decrypt` is reported by itself, before anything else is done".into());
    }
    Ok(())
}

/// A report from the future would make the side-block's time a lie. A late one is evidence all the same.
pub(super) fn check_time(time: u64, now: u64) -> Result<(), NodeError> {
    if time.saturating_sub(now) <= MAX_AHEAD_MS {
        return Ok(());
    }
    Err(NodeError::refused(format!(
        "the report is of {time} and it is {now} here (ms since the Unix epoch): set the clock and report again"
    )))
}

/// A report in the wrong place.
pub(super) struct Misplaced {
    /// What the custodian is to look at: the session has signed for a history that the node does not have.
    pub(super) finding: Option<&'static str>,
    pub(super) detail: String,
}

/// The report continues the chain of reports, which begins with `decrypt`.
pub(super) fn check_place(taken: &Taken<'_>, last: Option<&StoredReport>) -> Result<(), Misplaced> {
    let report = taken.report();
    let (due, previous) = last.map_or((1, NO_REPORT), |last| {
        (last.report.number.saturating_add(1), last.digest.0)
    });
    let misplaced = |finding, detail| Err(Misplaced { finding, detail });
    if report.number != due {
        let detail = format!(
            "report number {due} is due, not {}: send what is missing first",
            report.number
        );
        return misplaced(Some("missing-report"), detail);
    }
    if report.previous != previous {
        let detail = format!(
            "report number {due} must continue {previous}, not {}: a report was swapped",
            report.previous
        );
        return misplaced(Some("swapped-report"), detail);
    }
    if last.is_none() && !taken.opens() {
        return misplaced(None, "the first report of a package is `decrypt`".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_may_be_ahead_by_the_limit_and_late_by_anything() {
        for (time, taken) in [
            (0, true),
            (1_000_000 + MAX_AHEAD_MS, true),
            (1_000_001 + MAX_AHEAD_MS, false),
            (u64::MAX, false),
        ] {
            assert_eq!(check_time(time, 1_000_000).is_ok(), taken, "{time}");
        }
    }
}
