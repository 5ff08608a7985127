//! Data forensics (P23): the node checks its own store, at its start and then all the time, alerts, and repairs what
//! somebody else can vouch for.
//!
//! | module | what |
//! |---|---|
//! | `chains` | every block of every chain, from its origin to the head that the contract holds |
//! | `own` | what only this node has: forms, reports, containers |
//! | `repair` | records from one's own bodies or from peers, checked by hash; entries from the contract's events |
//!
//! What is found is logged, counted, kept, and told to whoever waits at `GET /v1/alerts`.
//!
//! Not yet seen: chains and packages whose every row is gone, columns that no block commits to, and, behind a row that
//! cannot be read, the rest of the store.

mod chains;
mod own;
mod repair;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{Alert, AlertKind};

use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::StoreError;

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
    fn knows(&self, fault: &Fault) -> bool {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.contains(fault)
    }

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
    loop {
        let pass = async {
            // What the store lacks only because it has not yet followed the chain is no fault.
            inner.catch_up().await?;
            inner.check_store(breath).await
        };
        let checked = tokio::select! {
            () = inner.shutdown.cancelled() => return,
            checked = pass => checked,
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

impl Inner {
    async fn check_store(self: &Arc<Self>, breath: Duration) -> Result<(), NodeError> {
        self.check_chains(breath).await?;
        self.check_own(breath).await
    }

    /// A check that did not come to its end: a row that cannot be read is a fault of its own.
    async fn stopped(&self, error: &NodeError) {
        tracing::warn!(%error, "the store could not be checked to its end");
        if matches!(error, NodeError::Store(StoreError::Corrupt { .. })) {
            let fault = Fault {
                kind: AlertKind::Unreadable,
                chain: None,
                height: None,
                package: PackageId::default(),
                detail: error.to_string(),
            };
            if let Err(error) = self.alert(fault, None).await {
                tracing::error!(%error, "the alert could not be kept");
            }
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
                tracing::error!(kind = name, chain = place, height, %package, "{detail}; restore it from a backup");
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
