//! Having the contract settle violations: access is taken away on chain, by nobody's decision (P19).

use std::sync::Arc;
use std::time::Duration;

use medshare_chain::{ChainError, ContractError, OWNERS_REASON, TxReceipt};
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::State;

use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{Settlement, StoredReport, StoredTampering};

/// A client waits so long at most for the contract's word; what takes longer goes on behind its back.
const PATIENCE: Duration = Duration::from_secs(10);

impl Inner {
    /// Settles what is pending before the client is answered, as far as that can be done now. What cannot stays in the
    /// store for the worker.
    pub(super) async fn settle_now(self: &Arc<Self>) {
        // A task of its own: a client that hangs up does not stop it. The node's end does, and what was pending stays so.
        let task = self.tasks.spawn({
            let inner = Arc::clone(self);
            async move {
                tokio::select! {
                    () = inner.shutdown.cancelled() => Ok(0),
                    settled = inner.settle_pending() => settled,
                }
            }
        });
        match tokio::time::timeout(PATIENCE, task).await {
            Ok(Ok(Ok(0))) => {}
            Ok(Ok(Ok(left))) => tracing::warn!(left, "violations wait to be settled"),
            Ok(Ok(Err(error))) => tracing::warn!(%error, "a violation could not be settled yet"),
            Ok(Err(error)) => tracing::error!(%error, "settling ended early"),
            Err(_) => {
                tracing::warn!("settling takes long; the client is answered before it is done")
            }
        }
        self.to_anchor.notify_one();
    }

    /// Sends all violations that are not settled. Returns how many still are not.
    pub(crate) async fn settle_pending(self: &Arc<Self>) -> Result<usize, NodeError> {
        let _one_at_a_time = self.settling.lock().await;
        let mut left = 0;
        for violation in self.store.pending_violations().await? {
            let Some(sent) = not_damaged(self.send_violation(&violation).await)? else {
                left += 1;
                continue;
            };
            left += usize::from(
                !self
                    .settled(violation.package, violation.report.number, sent)
                    .await?,
            );
        }
        for tampering in self.store.pending_tamperings().await? {
            let Some(sent) = not_damaged(self.send_tampering(&tampering).await)? else {
                left += 1;
                continue;
            };
            let (package, number) = (tampering.first.package, tampering.second.number);
            if !self.revoked_if_settled_before(package, &sent).await? {
                left += 1;
                continue;
            }
            left += usize::from(!self.settled(package, number, sent).await?);
        }
        Ok(left)
    }

    async fn send_violation(
        &self,
        violation: &StoredReport,
    ) -> Result<Result<TxReceipt, ChainError>, NodeError> {
        let session = self.session_of(violation).await?;
        let session = (&session.session, session.signature.as_ref());
        Ok(self
            .chain
            .report_violation(&violation.report, &violation.signature, Some(session))
            .await)
    }

    async fn send_tampering(
        &self,
        tampering: &StoredTampering,
    ) -> Result<Result<TxReceipt, ChainError>, NodeError> {
        let session = self.session_of(&tampering.first).await?;
        let session = (&session.session, session.signature.as_ref());
        let first = (&tampering.first.report, tampering.first.signature.as_ref());
        let second = (&tampering.second, tampering.second_signature.as_ref());
        Ok(self
            .chain
            .report_tampering(first, second, Some(session))
            .await)
    }

    /// The contract settles no number twice. A fork below the last settled number that comes to light after a re-grant
    /// is new evidence all the same: the owner's node takes access away itself, which is then the owner's word and not the
    /// contract's. False: that has to be tried again.
    async fn revoked_if_settled_before(
        &self,
        package: PackageId,
        sent: &Result<TxReceipt, ChainError>,
    ) -> Result<bool, NodeError> {
        let is_old = sent.as_ref().is_err_and(|error| {
            matches!(
                error.contract_error(),
                Some(ContractError::AlreadySettled { .. })
            )
        });
        if !is_old || !self.chain.package(package).await?.state.is_usable() {
            return Ok(true);
        }
        match self.chain.revoke(package, OWNERS_REASON).await {
            Ok(receipt) => {
                tracing::warn!(%package, transaction = %receipt.hash, "revoked for tampering that was found late");
                Ok(true)
            }
            Err(error) => {
                tracing::warn!(%package, %error, "a package could not be revoked for tampering yet");
                Ok(false)
            }
        }
    }

    /// What became of a fork, as the chain has it now, in the words of an answer.
    pub(super) async fn outcome_of_tampering(&self, package: PackageId, number: u32) -> String {
        let state = match self.chain.package(package).await {
            Ok(status) => status.state,
            Err(error) => {
                tracing::warn!(%package, %error, "the outcome of tampering cannot be seen");
                return "access is revoked as soon as the chain can be reached".into();
            }
        };
        if state == State::Revoked {
            return "access is revoked".into();
        }
        if !state.is_usable() {
            return format!("the package is {state:?} already");
        }
        match self.store.pending_tamperings().await {
            Ok(pending)
                if !pending.iter().any(|tampering| {
                    tampering.first.package == package && tampering.second.number == number
                }) =>
            {
                "it was settled before the custodian granted access again; this session ends".into()
            }
            _ => "access is revoked as soon as the contract takes it".into(),
        }
    }

    async fn session_of(
        &self,
        report: &StoredReport,
    ) -> Result<crate::store::StoredSession, NodeError> {
        self.store
            .session(report.package, report.session_key)
            .await?
            .ok_or_else(|| {
                NodeError::Internal(format!(
                    "the session of a report of {} is not recorded",
                    report.package
                ))
            })
    }

    /// Draws the conclusion from a sending; whether nothing is left to do.
    async fn settled(
        self: &Arc<Self>,
        package: PackageId,
        number: u32,
        sent: Result<TxReceipt, ChainError>,
    ) -> Result<bool, NodeError> {
        let settlement = match sent {
            Ok(_) => Settlement::Settled,
            Err(error) => match error.contract_error() {
                Some(reason) if !may_change(reason) => Settlement::Moot(reason.to_string()),
                _ => {
                    tracing::warn!(%package, number, %error, "a violation could not be settled yet");
                    return Ok(false);
                }
            },
        };
        // The events first: should an earlier sending of it have been mined, they say `settled`.
        self.catch_up().await?;
        if let Settlement::Moot(reason) = &settlement {
            tracing::info!(%package, number, reason, "there is nothing to settle");
        }
        self.store.settle(package, number, &settlement).await?;
        Ok(true)
    }
}

/// Nothing where a row beside it cannot be read: that must not be in the way of the others.
fn not_damaged<T>(sent: Result<T, NodeError>) -> Result<Option<T>, NodeError> {
    match sent {
        Err(error @ NodeError::Internal(_)) => {
            tracing::error!(%error, "a violation is passed over");
            Ok(None)
        }
        Err(NodeError::Store(error)) if error.damage().is_some() => {
            tracing::error!(%error, "a violation is passed over");
            Ok(None)
        }
        sent => sent.map(Some),
    }
}

/// Reasons that are not about the report itself.
fn may_change(reason: &ContractError) -> bool {
    matches!(
        reason,
        ContractError::NotNode { .. }
            | ContractError::NotOwner { .. }
            | ContractError::GasTooLow { .. }
            | ContractError::Silent
    )
}
