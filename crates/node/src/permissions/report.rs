//! Taking reports (P17, P18): checked, judged, recorded together with their side-block, and only then answered.

use std::sync::Arc;

use alloy_primitives::Bytes;
use medshare_protocol::block::{NodeSignature, SideBody, SideTransaction};
use medshare_protocol::id::PackageId;
use medshare_protocol::origin::side_origin;
use medshare_protocol::seal::{self, SealedFor};
use medshare_protocol::typed::Receipt;
use medshare_protocol::usage::{Actions, State};
use medshare_protocol::wire::{LastReport, ReportAnswer, ReportSubmission};

use super::lease::Lease;
use super::taking::{Taken, check_place, check_time};
use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use crate::secrets::Secret;
use crate::store::{NO_REPORT, NewReport, NewSession, StoredReport, StoredSession};

impl Inner {
    pub(crate) async fn report(
        self: &Arc<Self>,
        id: PackageId,
        submission: ReportSubmission,
    ) -> Result<ReportAnswer, NodeError> {
        let _one_at_a_time = self.report_locks.lock(id).await;
        let taken = self.checked(id, &submission).await?;
        let last = self.store.last_report(id).await?;
        let last_number = last.as_ref().map_or(0, |last| last.report.number);
        if taken.report().number <= last_number {
            return self.heard_before(&taken).await;
        }
        if let Err(misplaced) = check_place(&taken, last.as_ref()) {
            if let Some(finding) = misplaced.finding {
                self.note(id, finding, &misplaced.detail).await?;
            }
            return Err(NodeError::Conflict(misplaced.detail));
        }
        check_time(taken.report().time, clock::now_ms())?;
        let state = self.state_for(&taken).await?;
        let share = if taken.opens() {
            Some(self.open(&taken, state).await?)
        } else {
            None
        };
        let violated = taken.package.processed.usage.violations(taken.actions());
        let receipt = self.record(&taken, violated, state).await?;
        if taken.opens() {
            self.note_opened(id).await;
        } else {
            self.note_use_after_deletion(&taken).await?;
        }
        if violated.is_empty() {
            return Ok(ReportAnswer {
                state: state.unwrap_or(State::Active),
                share,
                ..receipt
            });
        }
        self.settle_now().await;
        Ok(ReportAnswer {
            state: State::Revoked,
            share: None,
            ..receipt
        })
    }

    /// Who opens a package has it: `decrypt` is the requestor's own word that it was delivered (P16).
    async fn note_opened(&self, id: PackageId) {
        if let Err(error) = self.delivered(id).await {
            // The report is recorded, and the client is to have its answer; the next `decrypt` notes it again.
            tracing::warn!(%id, %error, "the delivery could not be noted");
        }
    }

    /// The package's state on chain. A report that opens nothing is recorded also when the chain cannot be seen.
    async fn state_for(&self, taken: &Taken<'_>) -> Result<Option<State>, NodeError> {
        match self.chain.package(taken.id).await.map_err(NodeError::from) {
            Ok(status) => Ok(Some(status.state)),
            Err(error) if taken.opens() || !error.is_transient() => Err(error),
            Err(error) => {
                tracing::warn!(package = %taken.id, %error, "a report is taken without seeing the chain");
                Ok(None)
            }
        }
    }

    /// Decides whether the package may be opened, and seals the custodian's share to the requestor.
    async fn open(&self, taken: &Taken<'_>, state: Option<State>) -> Result<Bytes, NodeError> {
        let state = state.unwrap_or(State::None);
        let now = clock::now_ms();
        // Who comes back after a silence was silent all the same, and a new lease would hide it.
        self.note_silence(now).await?;
        if !state.is_usable() {
            let reason = "it cannot be opened".to_owned();
            let detail = format!("opening was refused: the package is {state:?}");
            self.note(taken.id, "refused-opening", &detail).await?;
            return Err(NodeError::LeaseRefused { state, reason });
        }
        if let Err(deleted) = self.refuse_deleted(taken.id, state).await {
            let detail = format!("opening was refused: {deleted}");
            self.note(taken.id, "refused-opening", &detail).await?;
            return Err(deleted);
        }
        if let Some(live) = self.store.live_session(taken.id, now).await?
            && live.session.key != taken.submission.session.key
        {
            // Once for a session, however often it asks: an honest one that waits does.
            let key = taken.submission.session.key;
            let detail = format!(
                "{key} asked for what another session, {}, had open",
                live.session.key
            );
            let noted = self.store.findings(taken.id).await?;
            if noted.iter().all(|noted| noted.detail != detail) {
                self.note(taken.id, "second-opening", &detail).await?;
            }
            return Err(NodeError::Conflict(format!(
                "the package is open: another session holds the lease until {} (ms)",
                live.lease_until
            )));
        }
        self.sealed_share(taken).await
    }

    async fn sealed_share(&self, taken: &Taken<'_>) -> Result<Bytes, NodeError> {
        let sealed = taken.package.sealed.as_ref().ok_or_else(|| {
            NodeError::Internal(format!("the package {} is ready but not sealed", taken.id))
        })?;
        let share = self
            .secrets
            .decrypt(Secret::Share, taken.id, &sealed.custodian_share)?;
        let key = self.sealing_key_of(taken.requestor()).await?;
        let context = seal::share_context(taken.id, taken.requestor());
        Ok(seal::seal(key, SealedFor::CustodianShare, &context, share.as_slice())?.into())
    }

    /// Makes side-block and receipt and records them with the report.
    async fn record(
        &self,
        taken: &Taken<'_>,
        violated: Actions,
        state: Option<State>,
    ) -> Result<ReportAnswer, NodeError> {
        let now = clock::now_ms();
        let lease = if !violated.is_empty() {
            Lease::over()
        } else if taken.opens() {
            self.lease_of(taken, now)
        } else {
            self.lease_after(
                taken.known.as_ref().filter(|_| taken.is_live(now)),
                state,
                taken,
                now,
            )
        };
        let report = taken.report();
        let receipt = Receipt {
            package: taken.id.0,
            number: report.number,
            report: taken.digest.0,
            received: now,
            leaseSeconds: lease.seconds,
        };
        let signature = self.chain.domain().sign(&receipt, &self.signer)?;
        let side = self.side_body(taken, violated, now).await?;
        let signature = Bytes::from(signature.to_vec());
        let new = NewReport {
            report: report.clone(),
            digest: taken.digest,
            signature: taken.submission.signature.clone(),
            session_key: taken.submission.session.key,
            body: taken.submission.body.clone(),
            violated,
            receipt: receipt.clone(),
            receipt_signature: signature.clone(),
            leaf: side.leaf(),
            side_body: side.to_bytes(),
        };
        let session = NewSession {
            session: taken.submission.session.clone(),
            signature: taken.submission.session_signature.clone(),
            lease_until: lease.until,
            ended: lease.ended,
        };
        self.store.record_report(taken.id, new, session).await?;
        self.to_anchor.notify_one();
        let state = state.unwrap_or(State::Active);
        Ok(ReportAnswer {
            receipt,
            signature,
            state,
            share: None,
        })
    }

    /// A whole lease for the session that reports.
    fn lease_of(&self, taken: &Taken<'_>, now: u64) -> Lease {
        let usage = &taken.package.processed.usage;
        self.full_lease(usage.expiry, taken.submission.session.expiry, now)
    }

    /// The lease after a report that neither opens nor violates.
    fn lease_after(
        &self,
        live: Option<&StoredSession>,
        state: Option<State>,
        taken: &Taken<'_>,
        now: u64,
    ) -> Lease {
        match (live, state) {
            // Late evidence is taken, but a lapsed lease is not revived by it.
            (None, _) => Lease::none(taken.known.as_ref().is_none_or(|session| session.ended)),
            (Some(_), Some(state)) if !state.is_usable() => Lease::over(),
            (Some(_), Some(_)) => self.lease_of(taken, now),
            // The chain cannot be seen: what was given stays, nothing is added.
            (Some(session), None) => Lease::rest_of(session.lease_until, now),
        }
    }

    async fn side_body(
        &self,
        taken: &Taken<'_>,
        violated: Actions,
        now: u64,
    ) -> Result<SideBody, NodeError> {
        let sealed = taken.package.sealed.as_ref().ok_or_else(|| {
            NodeError::Internal(format!("the package {} is ready but not sealed", taken.id))
        })?;
        let report = taken.report();
        let transaction = SideTransaction {
            time: report.time,
            owner: self.custodian,
            requestor: taken.requestor(),
            reported: taken.actions(),
            violated,
            package: taken.id,
            number: report.number,
            report: taken.digest,
            sealed_report: report.body,
            node: self.address(),
            signature: NodeSignature::ZERO,
        };
        SideBody {
            action_counter: violated.count(),
            transaction,
            locktime: now,
        }
        .sign(side_origin(sealed.leaf), &self.signer)
        .map_err(|error| NodeError::Internal(error.to_string()))
    }

    /// A report with a number that was recorded before: the same one gets the same receipt; another one is tampering,
    /// if the same session key signed both.
    async fn heard_before(self: &Arc<Self>, taken: &Taken<'_>) -> Result<ReportAnswer, NodeError> {
        let number = taken.report().number;
        let recorded = self.store.report(taken.id, number).await?.ok_or_else(|| {
            NodeError::BadRequest(format!(
                "there is no report number {number}; they begin at 1"
            ))
        })?;
        if recorded.digest == taken.digest {
            return self.repeat(taken, recorded).await;
        }
        if recorded.session_key != taken.submission.session.key {
            // No malice where two openings raced; of state that was copied it is the trace.
            let detail = format!("report number {number} was sent by another session");
            self.note(taken.id, "rival-session", &detail).await?;
            return Err(NodeError::Conflict(format!(
                "{detail}: ask for the last report and go on behind it"
            )));
        }
        let now = clock::now_ms();
        self.store
            .record_tampering(taken.id, taken.report(), &taken.submission.signature, now)
            .await?;
        let detail =
            format!("two different reports number {number} were signed by one session key");
        self.note(taken.id, "fork", &detail).await?;
        self.settle_now().await;
        let outcome = self.outcome_of_tampering(taken.id, number).await;
        Err(NodeError::refused(format!(
            "{detail}: this is tampering, and {outcome}"
        )))
    }

    async fn repeat(
        self: &Arc<Self>,
        taken: &Taken<'_>,
        recorded: StoredReport,
    ) -> Result<ReportAnswer, NodeError> {
        let violated = !recorded.violated.is_empty();
        if violated {
            self.settle_now().await;
        }
        let state = self.chain.package(taken.id).await?.state;
        let opens = taken.opens() && state.is_usable() && taken.is_live(clock::now_ms());
        let share = if opens {
            Some(self.sealed_share(taken).await?)
        } else {
            None
        };
        Ok(ReportAnswer {
            receipt: recorded.receipt,
            signature: recorded.receipt_signature,
            state,
            share,
        })
    }

    pub(crate) async fn last_report(&self, id: PackageId) -> Result<LastReport, NodeError> {
        self.known_request(id).await?;
        let last = self.store.last_report(id).await?;
        Ok(last.map_or(
            LastReport {
                number: 0,
                digest: NO_REPORT,
            },
            |last| LastReport {
                number: last.report.number,
                digest: last.digest.0,
            },
        ))
    }
}
