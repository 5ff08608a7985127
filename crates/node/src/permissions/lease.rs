//! Leases: how long a client may use the key before it must speak again.

use std::sync::Arc;

use medshare_protocol::id::PackageId;
use medshare_protocol::typed::{Receipt, recover};
use medshare_protocol::usage::State;
use medshare_protocol::wire::{RenewalSubmission, ReportAnswer};

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
        let (session, last) = self.renewing(id, &submission).await?;
        let state = self.chain.package(id).await?.state;
        if !state.is_usable() {
            return self.answer(&last, Lease::over(), state);
        }
        self.refuse_deleted(id, state).await?;
        let now = clock::now_ms();
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
        let time = submission.renewal.time;
        match self.store.renew_lease(id, session.session.key, time, until).await {
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

    /// The session that signed the renewal, and the last report, which it must know of.
    async fn renewing(
        &self,
        id: PackageId,
        submission: &RenewalSubmission,
    ) -> Result<(StoredSession, StoredReport), NodeError> {
        let renewal = &submission.renewal;
        if renewal.package != id.0 {
            return Err(NodeError::BadRequest(
                "the renewal is about another package".into(),
            ));
        }
        let not_signed =
            || NodeError::refused("the renewal is not signed by a session key of this package");
        let digest = self.chain.domain().digest(renewal);
        let key = recover(digest, &submission.signature).ok_or_else(not_signed)?;
        let session = self.store.session(id, key).await?.ok_or_else(not_signed)?;
        let last = self.store.last_report(id).await?.ok_or_else(not_signed)?;
        if renewal.number != last.report.number {
            return Err(NodeError::Conflict(format!(
                "the last report is number {}, the renewal names {}: send what is missing first",
                last.report.number, renewal.number
            )));
        }
        Ok((session, last))
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
