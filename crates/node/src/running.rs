//! What a running node holds, and how it starts and stops.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::Address;
use alloy_signer_local::PrivateKeySigner;
use medshare_chain::Chain;
use medshare_protocol::id::{DatasetId, Origin, PackageId};
use medshare_protocol::origin::thread_origin;
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::wire::{DatasetInfo, NodeInfo, Stage};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::descriptor::Dataset;
use crate::error::NodeError;
use crate::peer::Peers;
use crate::release::Releases;
use crate::secrets::AtRest;
use crate::service::{Limits, Node, NodeParts};
use crate::store::Store;
use crate::vouching::Vouching;
use crate::waiters::Waiters;
use crate::{clock, forensics, ledger, permissions, processing, trigger};

/// Weights of payloads that may be in memory at once; a large one weighs [`processing::LARGE_WEIGHT`].
const PROCESSING_WEIGHT: usize = 8;
/// First pause after a failure that may pass; doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// All of a running node.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) chain: Chain,
    pub(crate) signer: PrivateKeySigner,
    pub(crate) sealing: SealingSecret,
    pub(crate) custodian: Address,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) packages_dir: PathBuf,
    pub(crate) releases: Releases,
    pub(crate) peers: Peers,
    pub(crate) limits: Limits,
    pub(crate) vouching: Vouching,
    pub(crate) secrets: AtRest,
    pub(crate) waiters: Waiters,
    /// Something is sealed and waits to be issued.
    pub(crate) to_issue: Notify,
    /// Something is reported and waits to be anchored or settled.
    pub(crate) to_anchor: Notify,
    /// Somebody else's block is anchored and its body is not here.
    pub(crate) to_fetch: Notify,
    /// One follower of the events at a time.
    pub(crate) following: tokio::sync::Mutex<()>,
    /// One settler of violations at a time: none is sent twice.
    pub(crate) settling: tokio::sync::Mutex<()>,
    /// One taker of outputs that are held back at a time.
    pub(crate) taking_output: tokio::sync::Mutex<()>,
    /// What the check of the store has told already.
    pub(crate) told: forensics::Told,
    /// Something was found wrong in the store.
    pub(crate) alerted: Notify,
    pub(crate) report_locks: permissions::ReportLocks,
    pub(crate) processing_weight: Arc<Semaphore>,
    /// Requests that a task works on.
    pub(crate) driven: Mutex<HashSet<PackageId>>,
    /// The contract's work limit as it was seen last; 0: not yet.
    pub(crate) work_limit: AtomicU32,
    /// Packages that share a transaction at most, as experience has it.
    pub(crate) issue_together: AtomicU32,
    /// Side-blocks that do; the anchoring keeps it within its bounds.
    pub(crate) anchor_together: AtomicU32,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// Makes the node of its parts and starts its workers.
pub(crate) async fn start(
    parts: NodeParts,
    shutdown: CancellationToken,
) -> Result<(Node, JoinHandle<()>), NodeError> {
    for folder in [&parts.packages_dir, &parts.releases_dir] {
        tokio::fs::create_dir_all(folder).await.map_err(|error| {
            NodeError::Internal(format!(
                "cannot make the folder {}: {error}",
                folder.display()
            ))
        })?;
    }
    clock::not_before(parts.store.latest_step_time().await?);
    let inner = Arc::new(Inner::new(parts, shutdown));
    resume(&inner).await?;
    let tasks = inner.tasks.clone();
    tasks.spawn(trigger::follow(Arc::clone(&inner)));
    tasks.spawn(ledger::issue_forever(Arc::clone(&inner)));
    tasks.spawn(ledger::anchor_forever(Arc::clone(&inner)));
    tasks.spawn(ledger::fetch_forever(Arc::clone(&inner)));
    tasks.spawn(permissions::watch_leases(Arc::clone(&inner)));
    tasks.spawn(forensics::watch(Arc::clone(&inner)));
    let handle = tokio::spawn({
        let inner = Arc::clone(&inner);
        async move {
            inner.shutdown.cancelled().await;
            inner.tasks.close();
            inner.tasks.wait().await;
            inner.store.close().await;
        }
    });
    Ok((Node { inner }, handle))
}

/// Goes on with every request that was under way when the last process ended.
async fn resume(inner: &Arc<Inner>) -> Result<(), NodeError> {
    let waiting = inner
        .store
        .requests_between(Stage::Received, Stage::Validated, u32::MAX)
        .await?;
    for request in waiting {
        tracing::info!(request = %request.id, stage = ?request.stage, "resuming");
        processing::spawn(inner, request.id);
    }
    inner.to_issue.notify_one();
    inner.to_anchor.notify_one();
    inner.to_fetch.notify_one();
    Ok(())
}

impl Inner {
    fn new(parts: NodeParts, shutdown: CancellationToken) -> Self {
        Self {
            store: parts.store,
            secrets: AtRest::new(&parts.signer),
            releases: Releases::new(parts.releases_dir, &parts.signer),
            chain: parts.chain,
            signer: parts.signer,
            sealing: parts.sealing,
            custodian: parts.custodian,
            datasets: parts.datasets,
            packages_dir: parts.packages_dir,
            peers: parts.peers,
            limits: parts.limits,
            vouching: parts.vouching,
            waiters: Waiters::default(),
            to_issue: Notify::new(),
            to_anchor: Notify::new(),
            to_fetch: Notify::new(),
            following: tokio::sync::Mutex::default(),
            settling: tokio::sync::Mutex::default(),
            taking_output: tokio::sync::Mutex::default(),
            told: forensics::Told::default(),
            alerted: Notify::new(),
            report_locks: permissions::ReportLocks::default(),
            processing_weight: Arc::new(Semaphore::new(PROCESSING_WEIGHT)),
            driven: Mutex::default(),
            work_limit: AtomicU32::new(0),
            issue_together: AtomicU32::new(u32::MAX),
            anchor_together: AtomicU32::new(ledger::FEWEST_TOGETHER),
            shutdown,
            tasks: TaskTracker::new(),
        }
    }

    /// This node's address (NID).
    pub(crate) fn address(&self) -> Address {
        self.signer.address()
    }

    /// Origin of a requestor's thread on this deployment.
    pub(crate) fn thread_origin(&self, requestor: Address) -> Origin {
        thread_origin(self.chain.chain_id(), self.chain.contract(), requestor)
    }

    pub(crate) fn dataset(&self, id: DatasetId) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.id == id)
    }

    pub(crate) fn container_path(&self, id: PackageId) -> PathBuf {
        self.packages_dir.join(format!("{id}.mds"))
    }

    pub(crate) fn info(&self) -> NodeInfo {
        NodeInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            node: self.address(),
            custodian: self.custodian,
            sealing_key: self.sealing.public(),
            chain_id: self.chain.chain_id(),
            contract: self.chain.contract(),
            lease_seconds: self.limits.lease_seconds,
        }
    }

    pub(crate) async fn dataset_infos(&self) -> Result<Vec<DatasetInfo>, NodeError> {
        let mut infos = Vec::with_capacity(self.datasets.len());
        for dataset in &self.datasets {
            let published = self.chain.dataset(self.custodian, dataset.id).await?;
            infos.push(DatasetInfo {
                dataset: dataset.id,
                purposes: dataset.purposes.clone(),
                published: published
                    .is_some_and(|record| record.descriptor == dataset.descriptor_hash),
                descriptor: dataset.descriptor.clone(),
            });
        }
        Ok(infos)
    }

    pub(crate) async fn ready(&self) -> Result<(), NodeError> {
        self.store.ping().await?;
        self.chain.block_number().await?;
        Ok(())
    }

    /// Takes a request for the calling task; nothing when another one has it.
    pub(crate) fn take(self: &Arc<Self>, id: PackageId) -> Option<Driven> {
        let mut driven = self.driven.lock().unwrap_or_else(PoisonError::into_inner);
        driven.insert(id).then(|| Driven {
            inner: Arc::clone(self),
            id,
        })
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// A request that the holder works on, and nobody else meanwhile.
pub(crate) struct Driven {
    inner: Arc<Inner>,
    id: PackageId,
}

impl Drop for Driven {
    fn drop(&mut self) {
        let mut driven = self
            .inner
            .driven
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        driven.remove(&self.id);
    }
}

/// Pauses that grow while something outside does not answer.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            next: SHORTEST_PAUSE,
        }
    }
}

impl Pauses {
    /// The pause before the next try.
    pub(crate) fn grow(&mut self) -> Duration {
        let pause = self.next;
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        pause
    }

    /// It answered: the next failure begins small again.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}
