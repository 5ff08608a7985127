//! Data forensics (P23): the node checks its own store, at its start and then all the time, alerts, and repairs what
//! somebody else can vouch for.
//!
//! | module | what |
//! |---|---|
//! | `derived` | every row that follows from the contract's events, against the same row made again; tables, indices and triggers |
//! | `chains` | the body of every block of every chain, from its origin to the head that the contract holds |
//! | `own`, `reports` | what only this node has: requests, forms, packages, containers, deletions, reports |
//! | `settlements` | what is said to have become of violations, against what the contract settled |
//! | `repair` | bodies as this node made them or from peers, checked by hash |
//!
//! What is found is logged, counted, kept, and told to whoever waits at `GET /v1/alerts`. Not seen is what nobody has
//! signed or anchored: how far a request is before it is issued, why it was refused, the steps behind the last digest of
//! its form, what is said to have become of reports that the contract has settled or never has to, when a contradicting
//! report came, what it answered as a second node (`validation`), leases, findings, alerts; reports that were deleted
//! before they were anchored. A test goes through every column of the tables that are seen.

mod chains;
mod derived;
mod own;
mod repair;
mod reports;
mod settlements;

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{Alert, AlertKind};

use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use derived::Again;

/// Blocks or rows that are checked in one go.
const CHECKED_AT_ONCE: u32 = 256;
/// Between two goes of a pass in the background: requests come first.
const BREATH: Duration = Duration::from_millis(20);
/// A check that could not see the chain is tried again after so long.
const CHAIN_PAUSE: Duration = Duration::from_secs(5);
/// Alerts that one answer holds at most.
pub const MAX_ALERTS_TOLD: u32 = 1_000;
/// Faults that are remembered as told; beyond, some may be told again.
const MAX_REMEMBERED: usize = 100_000;

/// What was found wrong, before it is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Fault {
    kind: AlertKind,
    chain: Option<ChainName>,
    height: Option<u64>,
    package: PackageId,
    detail: String,
}

/// Faults that were told and could not be repaired: once is enough.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<HashSet<Fault>>);

impl Told {
    fn is_new(&self, fault: &Fault) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MAX_REMEMBERED {
            told.clear();
        }
        told.insert(fault.clone())
    }
}

/// Checks the whole store, again and again, until the node stops. The first pass takes no breath.
pub(crate) async fn watch(inner: Arc<Inner>) {
    let mut breath = Duration::ZERO;
    let between = Duration::from_secs(inner.limits.store_check_seconds.into());
    let mut again = None;
    loop {
        let checked = tokio::select! {
            () = inner.shutdown.cancelled() => return,
            checked = guarded(inner.check_store(&mut again, breath)) => checked,
        };
        let pause = match checked {
            Ok(()) => {
                metrics::counter!("medshare_store_checks_total").increment(1);
                breath = BREATH;
                between
            }
            // The chain will be back.
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, "the store cannot be checked now");
                between.min(CHAIN_PAUSE)
            }
            Err(error) => {
                inner.stopped(&error).await;
                between
            }
        };
        tokio::select! {
            () = inner.shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Whatever a pass stumbles over, the check goes on: nobody else would notice that it has ended.
async fn guarded(pass: impl Future<Output = Result<(), NodeError>>) -> Result<(), NodeError> {
    let panicked = |_| {
        Err(NodeError::Internal(
            "the check of the store panicked".into(),
        ))
    };
    let checked = AssertUnwindSafe(pass).catch_unwind().await;
    checked.unwrap_or_else(panicked)
}

/// What of the store is damaged, when that is why something failed.
fn damage(error: &NodeError) -> Option<String> {
    match error {
        NodeError::Store(error) => error.damage(),
        _ => None,
    }
}

impl Inner {
    async fn check_store(
        self: &Arc<Self>,
        again: &mut Option<Again>,
        breath: Duration,
    ) -> Result<(), NodeError> {
        self.check_file().await?;
        // What the store lacks only because it has not yet followed the chain is no fault. Rows that are in the way of
        // following it are found next.
        match self.catch_up().await {
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => tracing::warn!(%error, "the events cannot be applied to the store"),
            Ok(_) => {}
        }
        if !self.check_derived(again).await? {
            return Ok(());
        }
        self.check_chains(breath).await?;
        self.check_own(breath).await
    }

    /// The file as SQLite sees it. Indices can be made again from their tables.
    async fn check_file(&self) -> Result<(), NodeError> {
        let faults = self.store.file_faults().await?;
        if faults.is_empty() {
            return Ok(());
        }
        self.store.make_indices_again().await?;
        let left = self.store.file_faults().await?;
        let repaired = left.is_empty().then(|| "its own tables".to_owned());
        let faults = if left.is_empty() { faults } else { left };
        let fault = Fault {
            kind: AlertKind::Unreadable,
            chain: None,
            height: None,
            package: PackageId::default(),
            detail: format!("SQLite finds the file damaged: {}", faults.join("; ")),
        };
        self.alert(fault, repaired).await
    }

    /// A check that did not come to its end: that is told as well, for what lies behind was not looked at.
    async fn stopped(&self, error: &NodeError) {
        tracing::warn!(%error, "the store could not be checked to its end");
        let detail = damage(error).unwrap_or_else(|| error.to_string());
        let fault = Fault {
            kind: AlertKind::Unreadable,
            chain: None,
            height: None,
            package: PackageId::default(),
            detail: format!("the store could not be checked to its end: {detail}"),
        };
        if let Err(error) = self.alert(fault, None).await {
            tracing::error!(%error, "the alert could not be kept");
        }
    }

    /// Tells a fault, unless it was told before.
    async fn alert(&self, fault: Fault, repaired: Option<String>) -> Result<(), NodeError> {
        if repaired.is_none() && !self.told.is_new(&fault) {
            return Ok(());
        }
        let Fault {
            kind,
            chain,
            height,
            package,
            detail,
        } = fault;
        let name = kind.name();
        let place = chain.map(|chain| chain.to_string());
        metrics::counter!("medshare_store_faults_total", "kind" => name).increment(1);
        match &repaired {
            Some(source) => {
                metrics::counter!("medshare_store_repairs_total", "kind" => name).increment(1);
                tracing::error!(kind = name, chain = place, height, %package, %source, "{detail}; it was repaired");
            }
            None => {
                let advice = match kind {
                    AlertKind::Schema => "find out who built it and what it does, and undo it",
                    _ => "restore it from a backup",
                };
                tracing::error!(kind = name, chain = place, height, %package, "{detail}; {advice}");
            }
        }
        let alert = Alert {
            id: 0,
            time: clock::now_ms(),
            kind,
            chain,
            height,
            package,
            detail,
            repaired,
        };
        self.store.insert_alert(&alert).await?;
        self.alerted.notify_waiters();
        Ok(())
    }

    /// Alerts behind the one with this number, as soon as there are some, or after `wait`.
    pub(crate) async fn alerts(&self, after: u64, wait: Duration) -> Result<Vec<Alert>, NodeError> {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            // Listened for before it is looked up: none is missed in between.
            let mut next = std::pin::pin!(self.alerted.notified());
            next.as_mut().enable();
            let alerts = self.store.alerts_after(after, MAX_ALERTS_TOLD).await?;
            if !alerts.is_empty() || tokio::time::timeout_at(deadline, next).await.is_err() {
                return Ok(alerts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_pass_that_panics_is_an_error_and_no_end() {
        assert!(guarded(async { Ok(()) }).await.is_ok());
        let error = guarded(async { panic!("an index out of bounds") }).await;
        let error = error.unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        assert!(!error.is_transient());
    }
}
