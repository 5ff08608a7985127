//! Permissions (P7, P17 to P19): reports and leases, violations, the owner's list of actions for them, and a receipt
//! for each action that was carried out.

mod lease;
mod report;
mod settling;
mod taking;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use medshare_chain::ResponseKind;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::Actions;
use medshare_protocol::wire::{DeletionSubmission, Stage};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{StoredPackage, StoredRequest, StoredViolation};

/// A client may be late by so much before its lease counts as silent.
const GRACE_MS: u64 = 5_000;

/// A violation, what the owner wants done about it, and what was done: all of it can be proven from the chain's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ViolationRecord {
    /// The package.
    #[schema(value_type = String)]
    pub package: PackageId,
    /// Number of the report that proves it.
    pub number: u32,
    /// The actions that were reported.
    #[schema(value_type = Vec<String>)]
    pub actions: Actions,
    /// EIP-712 digest of the report.
    #[schema(value_type = String)]
    pub report: B256,
    /// The transaction that settled it.
    #[schema(value_type = String)]
    pub transaction: B256,
    /// Time of its EVM block, s since the Unix epoch.
    pub time: u64,
    /// The owner's list of actions for violations on this dataset; empty for packages of other nodes.
    pub list: Vec<ListedAction>,
    /// What was carried out.
    pub receipts: Vec<ActionReceipt>,
}

/// An action that the owner wants taken from a certain violation on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ListedAction {
    /// What is to be done.
    #[schema(value_type = String)]
    pub action: ResponseKind,
    /// From which violation on.
    pub after: u32,
}

/// The receipt of an action that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActionReceipt {
    /// What was done.
    #[schema(value_type = String)]
    pub action: ResponseKind,
    /// To whom.
    #[schema(value_type = String)]
    pub requestor: Address,
    /// How many violations there had been, this one included.
    pub violation: u32,
    /// The transaction that did it.
    #[schema(value_type = String)]
    pub transaction: B256,
    /// Time of its EVM block, s since the Unix epoch.
    pub time: u64,
}

/// One report of a package at a time: two at once would take the same number.
#[derive(Debug, Default)]
pub(crate) struct ReportLocks {
    locks: Mutex<HashMap<PackageId, Arc<tokio::sync::Mutex<()>>>>,
}

impl ReportLocks {
    async fn lock(&self, package: PackageId) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(package).or_default())
        };
        lock.lock_owned().await
    }
}

/// Notes leases that ran out without a word, until the node stops. What follows from that is the custodian's decision.
pub(crate) async fn watch_leases(inner: Arc<Inner>) {
    let every = Duration::from_secs(u64::from(inner.limits.lease_seconds / 2).max(1));
    loop {
        tokio::select! {
            () = inner.shutdown.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if let Err(error) = inner.note_silence(clock::now_ms()).await {
            tracing::warn!(%error, "leases cannot be watched");
        }
    }
}

impl Inner {
    /// Notes which leases have run out without a word until now.
    async fn note_silence(&self, now: u64) -> Result<(), NodeError> {
        let before = now.saturating_sub(GRACE_MS);
        for package in self.store.end_silent_sessions(before, now).await? {
            tracing::warn!(%package, "a lease ran out without a word");
        }
        Ok(())
    }

    /// Notes something the custodian should look at.
    async fn note(&self, id: PackageId, kind: &str, detail: &str) -> Result<(), NodeError> {
        let now = clock::now_ms();
        Ok(self.store.record_finding(id, kind, detail, now).await?)
    }

    pub(crate) async fn violations(&self) -> Result<Vec<ViolationRecord>, NodeError> {
        let mut records = Vec::new();
        for violation in self.store.violations().await? {
            records.push(self.violation_record(violation).await?);
        }
        Ok(records)
    }

    async fn violation_record(
        &self,
        violation: StoredViolation,
    ) -> Result<ViolationRecord, NodeError> {
        let list = match self.store.stored_request(violation.package).await? {
            Some(request) => {
                let dataset = medshare_protocol::id::DatasetId(request.signed.request.dataset);
                self.store.responses(self.custodian, dataset).await?
            }
            None => Vec::new(),
        };
        let receipts = self
            .store
            .receipts(violation.package, violation.transaction)
            .await?;
        Ok(ViolationRecord {
            package: violation.package,
            number: violation.number,
            actions: violation.actions,
            report: violation.report,
            transaction: violation.transaction,
            time: violation.time,
            list: list
                .into_iter()
                .map(|response| ListedAction {
                    action: response.kind,
                    after: response.threshold,
                })
                .collect(),
            receipts: receipts
                .into_iter()
                .map(|receipt| ActionReceipt {
                    action: receipt.kind,
                    requestor: receipt.requestor,
                    violation: receipt.violation,
                    transaction: receipt.transaction,
                    time: receipt.time,
                })
                .collect(),
        })
    }

    /// A package of this node that is ready, with its request.
    pub(crate) async fn ready_package(
        &self,
        id: PackageId,
    ) -> Result<(StoredRequest, StoredPackage), NodeError> {
        let not_here = || NodeError::NotFound(format!("there is no package {id} here"));
        let request = self.store.stored_request(id).await?.ok_or_else(not_here)?;
        if !matches!(request.stage, Stage::Ready | Stage::Delivered) {
            return Err(NodeError::Conflict(format!(
                "the package {id} is not ready"
            )));
        }
        let package = self.store.package(id).await?.ok_or_else(not_here)?;
        Ok((request, package))
    }

    pub(crate) async fn deletion(
        &self,
        id: PackageId,
        submission: DeletionSubmission,
    ) -> Result<(), NodeError> {
        let (request, _) = self.ready_package(id).await?;
        if submission.deletion.package != id.0 {
            return Err(NodeError::BadRequest(
                "the deletion is about another package".into(),
            ));
        }
        let digest = self.chain.domain().digest(&submission.deletion);
        let requestor = request.signed.request.requestor;
        if !self
            .chain
            .verify_wallet_signature(requestor, digest, &submission.signature)
            .await?
        {
            return Err(NodeError::refused(
                "the deletion is not signed by the requestor's wallet",
            ));
        }
        // No report slips in between: from here on there is no key.
        let _one_at_a_time = self.report_locks.lock(id).await;
        self.store.put_deletion(id, &submission).await?;
        Ok(())
    }

    pub(crate) async fn deletion_of(
        &self,
        id: PackageId,
    ) -> Result<Option<DeletionSubmission>, NodeError> {
        self.known_request(id).await?;
        Ok(self.store.deletion(id).await?)
    }
}
