//! Leases: how long a client may use the key before it must speak again.

use std::sync::Arc;

use alloy_primitives::B256;
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::{Receipt, recover};
use medshare_protocol::usage::State;
use medshare_protocol::wire::{RenewalSubmission, ReportAnswer, SessionEndSubmission};

use super::GRACE_MS;
use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{StoreError, StoredReport, StoredSession};

/// What becomes of a session's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// What the receipt says.
    pub seconds: u32,
    /// When it ends, ms since the Unix epoch; nothing: as before.
    pub until: Option<u64>,
    /// Whether none is to follow.
    pub ended: bool,
}

impl Lease {
    /// It ends now.
    pub(super) const fn over() -> Self {
        Self {
            seconds: 0,
            until: Some(0),
            ended: true,
        }
    }

    /// There is none, and this changes nothing.
    pub(super) const fn none(ended: bool) -> Self {
        Self {
            seconds: 0,
            until: None,
            ended,
        }
    }

    /// What is left of one that ends at `until`.
    pub(super) fn rest_of(until: u64, now: u64) -> Self {
        let seconds = u32::try_from(until.saturating_sub(now) / 1_000).unwrap_or(u32::MAX);
        Self {
            seconds,
            until: None,
            ended: false,
        }
    }
}

/// What a session says of itself between reports: a renewal, or its end.
struct Word<'a> {
    what: &'static str,
    package: B256,
    /// Of the last report that it has sent.
    number: u32,
    digest: B256,
    signature: &'a [u8],
}

impl Inner {
    /// A whole lease from `now`, but none that outlives the usage contract or the wallet's delegation, both ms since
    /// the Unix epoch.
    pub(super) fn full_lease(&self, usage_expiry: u64, session_expiry: u64, now: u64) -> Lease {
        let expiry = usage_expiry.min(session_expiry);
        let left_seconds = u32::try_from(expiry.saturating_sub(now) / 1_000).unwrap_or(u32::MAX);
        let seconds = self.limits.lease_seconds.min(left_seconds);
        Lease {
            seconds,
            until: Some(now + u64::from(seconds) * 1_000),
            ended: false,
        }
    }

    pub(crate) async fn renew(
        self: &Arc<Self>,
        id: PackageId,
        submission: RenewalSubmission,
    ) -> Result<ReportAnswer, NodeError> {
        let _one_at_a_time = self.report_locks.lock(id).await;
        let (_, package) = self.ready_package(id).await?;
        let renewal = &submission.renewal;
        let word = Word {
            what: "renewal",
            package: renewal.package,
            number: renewal.number,
            digest: self.chain.domain().digest(renewal),
            signature: &submission.signature,
        };
        let (session, last) = self.speaking(id, &word).await?;
        let state = self.chain.package(id).await?.state;
        let now = clock::now_ms();
        if !state.is_usable() {
            // Who has been told that it is over is not silent when it says no more.
            self.close_session(id, &session, renewal.time, now).await?;
            return self.answer(&last, Lease::over(), state);
        }
        self.refuse_deleted(id, state).await?;
        if session.session.expiry <= now {
            let reason =
                "the session has ended: delegate to a new session key and report `decrypt`";
            return Err(NodeError::LeaseRefused {
                state,
                reason: reason.into(),
            });
        }
        if session.ended || session.lease_until <= now {
            let reason = "the lease has lapsed: report `decrypt` to open the package again".into();
            return Err(NodeError::LeaseRefused { state, reason });
        }
        let lease = self.full_lease(package.processed.usage.expiry, session.session.expiry, now);
        let until = lease.until.unwrap_or(now);
        match self.store.renew_lease(id, session.session.key, renewal.time, until).await {
            Ok(()) => self.answer(&last, lease, state),
            Err(StoreError::MovedOn { .. }) => Err(NodeError::Conflict(
                "a renewal of this time or a later one was taken before: sign one with the present time"
                    .into(),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// Whoever said that the data is deleted gets no key to it again (P19).
    pub(super) async fn refuse_deleted(
        &self,
        id: PackageId,
        state: State,
    ) -> Result<(), NodeError> {
        if self.store.deletion(id).await?.is_none() {
            return Ok(());
        }
        let reason = "the requestor has signed that the data is deleted: ask for the data again";
        Err(NodeError::LeaseRefused {
            state,
            reason: reason.into(),
        })
    }

    /// Ends a session by its own word (SPEC §8.1). The chain is asked last, and only for the answer: it decides nothing.
    pub(crate) async fn end_session(
        self: &Arc<Self>,
        id: PackageId,
        submission: SessionEndSubmission,
    ) -> Result<ReportAnswer, NodeError> {
        let _one_at_a_time = self.report_locks.lock(id).await;
        self.ready_package(id).await?;
        let end = &submission.end;
        let word = Word {
            what: "end of the session",
            package: end.package,
            number: end.number,
            digest: self.chain.domain().digest(end),
            signature: &submission.signature,
        };
        let (session, last) = self.speaking(id, &word).await?;
        if !self
            .close_session(id, &session, end.time, clock::now_ms())
            .await?
        {
            return Err(NodeError::Conflict(
                "the session has ended already, or its lease has lapsed: nothing is changed".into(),
            ));
        }
        let state = self.chain.package(id).await;
        let state = state.map_or(State::Active, |status| status.state);
        self.answer(&last, Lease::over(), state)
    }

    /// Whether the session was still to be ended.
    async fn close_session(
        &self,
        id: PackageId,
        session: &StoredSession,
        time: u64,
        now: u64,
    ) -> Result<bool, NodeError> {
        let (key, before) = (session.session.key, now.saturating_sub(GRACE_MS));
        Ok(self.store.end_session(id, key, time, before).await?)
    }

    /// The session whose word it is, and the last report, which it must know of.
    async fn speaking(
        &self,
        id: PackageId,
        word: &Word<'_>,
    ) -> Result<(StoredSession, StoredReport), NodeError> {
        let what = word.what;
        if word.package != id.0 {
            return Err(NodeError::BadRequest(format!(
                "the {what} is about another package"
            )));
        }
        let not_signed = || {
            NodeError::refused(format!(
                "the {what} is not signed by a session key of this package"
            ))
        };
        let key = recover(word.digest, word.signature).ok_or_else(not_signed)?;
        let session = self.store.session(id, key).await?.ok_or_else(not_signed)?;
        let last = self.store.last_report(id).await?.ok_or_else(not_signed)?;
        let (sent, known) = (word.number, last.report.number);
        if sent == known {
            return Ok((session, last));
        }
        let detail = format!(
            "the last report is number {known}, the {what} names {sent}: send what is missing first"
        );
        if sent > known {
            // Its own word that it keeps a report back.
            self.note(id, "missing-report", &detail).await?;
        }
        Err(NodeError::Conflict(detail))
    }

    fn answer(
        &self,
        last: &StoredReport,
        lease: Lease,
        state: State,
    ) -> Result<ReportAnswer, NodeError> {
        let receipt = Receipt {
            package: last.package.0,
            number: last.report.number,
            report: last.digest.0,
            received: clock::now_ms(),
            leaseSeconds: lease.seconds,
        };
        let signature = self.chain.domain().sign(&receipt, &self.signer)?;
        Ok(ReportAnswer {
            receipt,
            signature: signature.to_vec().into(),
            state,
            share: None,
        })
    }
}
