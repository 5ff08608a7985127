//! The node as its callers see it: the HTTP interface, the tests, the demonstration.
//!
//! Every method is a few lines that hand over to the module whose name the paper gives it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use alloy_signer_local::PrivateKeySigner;
use medshare_chain::{Chain, ContractProof};
use medshare_protocol::block::Place;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{ContainerHash, DatasetId, LeafHash, PackageId};
use medshare_protocol::proof::{ConsistencyProof, InclusionProof};
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::wire::{
    Alert, DatasetInfo, DeletionSubmission, Dossier, LastReport, NodeInfo, PackageBlocks,
    RegistrationAnswer, RenewalSubmission, ReportAnswer, ReportSubmission, RequestStatus,
    SessionEndSubmission, SignedDisclosure, SignedRegistration, SignedRequest, ValidationAnswer,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::descriptor::Dataset;
use crate::error::NodeError;
use crate::ledger::UpTo;
use crate::peer::{Peers, ValidationRequest};
use crate::permissions::ViolationRecord;
use crate::store::{Finding, Store};
use crate::vouching::Vouching;

/// Length of a lease when the configuration names none.
pub const DEFAULT_LEASE_SECONDS: u32 = 60;
/// Requests that may wait at once when the configuration names no limit.
pub const DEFAULT_MAX_PENDING_REQUESTS: u64 = 1_024;
/// Requests that may wait to be authenticated when the configuration names no limit.
pub const DEFAULT_MAX_UNAUTHENTICATED_REQUESTS: u64 = 4_096;
/// Pause between two checks of the store when the configuration names none.
pub const DEFAULT_STORE_CHECK_SECONDS: u32 = 600;
/// A long poll waits no longer than this, whatever is asked for.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// A request's deadline may lie so far ahead at most: 24 hours.
pub const MAX_DEADLINE_AHEAD_MS: u64 = 24 * 60 * 60 * 1_000;

/// What an operator may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of a lease.
    pub lease_seconds: u32,
    /// EVM blocks on top of the one that issued a package before it is handed out.
    pub confirmations: u64,
    /// Authenticated requests that may be under way at once; more are told to come later.
    pub max_pending_requests: u64,
    /// Requests that may wait at once for the chain to be seen, so that they can be authenticated.
    pub max_unauthenticated_requests: u64,
    /// Pause between two checks of the store (P23).
    pub store_check_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease_seconds: DEFAULT_LEASE_SECONDS,
            confirmations: 0,
            max_pending_requests: DEFAULT_MAX_PENDING_REQUESTS,
            max_unauthenticated_requests: DEFAULT_MAX_UNAUTHENTICATED_REQUESTS,
            store_check_seconds: DEFAULT_STORE_CHECK_SECONDS,
        }
    }
}

/// What a node is made of.
#[derive(Debug)]
pub struct NodeParts {
    /// The opened store.
    pub store: Store,
    /// The chain, with the node's signer.
    pub chain: Chain,
    /// The node's key (NID): signs transactions, blocks, packages and receipts.
    pub signer: PrivateKeySigner,
    /// X25519 secret that peers seal to.
    pub sealing: SealingSecret,
    /// The custodian it works for (OID).
    pub custodian: Address,
    /// What it serves.
    pub datasets: Vec<Dataset>,
    /// Folder of the finished containers.
    pub packages_dir: PathBuf,
    /// Folder of the anonymised snapshots.
    pub releases_dir: PathBuf,
    /// The other nodes.
    pub peers: Peers,
    /// What the operator set.
    pub limits: Limits,
    /// For whom it vouches.
    pub vouching: Vouching,
}

/// A finished container on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size, bytes.
    pub length: u64,
    /// sha256d of all its bytes.
    pub container_hash: ContainerHash,
}

/// A running node. Cheap to clone: all clones are the same node.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) inner: Arc<crate::running::Inner>,
}

impl Node {
    /// Starts the workers and resumes what was under way when the last process ended. The handle ends after
    /// `shutdown` was cancelled and every worker and server has stopped; what they had not finished goes on at the next
    /// start.
    ///
    /// # Errors
    /// When the store cannot be read or a folder cannot be made. A chain that is down is no error: requests wait.
    pub async fn start(
        parts: NodeParts,
        shutdown: CancellationToken,
    ) -> Result<(Self, JoinHandle<()>), NodeError> {
        crate::running::start(parts, shutdown).await
    }

    /// Who answers here.
    #[must_use]
    pub fn info(&self) -> NodeInfo {
        self.inner.info()
    }

    /// What is served, and whether each dataset is published on chain as it is served.
    ///
    /// # Errors
    /// [`NodeError::ChainUnavailable`].
    pub async fn datasets(&self) -> Result<Vec<DatasetInfo>, NodeError> {
        self.inner.dataset_infos().await
    }

    /// The dataset with this id.
    #[must_use]
    pub fn dataset(&self, id: DatasetId) -> Option<&Dataset> {
        self.inner.dataset(id)
    }

    /// Checks a registration and relays it to the chain (P1). A repeat of the one that holds is answered again.
    ///
    /// # Errors
    /// Refused signature, nonce or deadline; unreachable chain.
    pub async fn register(
        &self,
        registration: SignedRegistration,
    ) -> Result<RegistrationAnswer, NodeError> {
        self.inner.register(registration).await
    }

    /// Takes a request: records it, checks it, and starts to work on it (P2, P4). Repeats are answered with the
    /// status. A request that was refused before is refused again with the same reason.
    ///
    /// # Errors
    /// [`NodeError::Refused`] with the recorded reason, [`NodeError::TooMany`], [`NodeError::ChainUnavailable`] (it is
    /// recorded and goes on by itself).
    pub async fn request(&self, request: SignedRequest) -> Result<RequestStatus, NodeError> {
        self.inner.request(request).await
    }

    /// How far a request is, as soon as its form has more than `after` steps, or after `wait`.
    ///
    /// # Errors
    /// [`NodeError::NotFound`].
    pub async fn status(
        &self,
        id: PackageId,
        after: usize,
        wait: Duration,
    ) -> Result<RequestStatus, NodeError> {
        self.inner.status(id, after, wait.min(MAX_WAIT)).await
    }

    /// The finished container of a package, once it is issued deep enough.
    ///
    /// # Errors
    /// [`NodeError::NotFound`], [`NodeError::Conflict`] while it is not ready.
    pub async fn container(&self, id: PackageId) -> Result<ContainerFile, NodeError> {
        self.inner.container(id).await
    }

    /// Notes that a package was delivered: downloaded whole, or opened.
    ///
    /// # Errors
    /// [`NodeError::NotFound`].
    pub async fn delivered(&self, id: PackageId) -> Result<(), NodeError> {
        self.inner.delivered(id).await
    }

    /// Records what was done to the data, judges it, and answers with a receipt; to `decrypt` also with the
    /// custodian's share (P17, P18, P19).
    ///
    /// # Errors
    /// Refused signatures, gaps and forks, packages that are not usable.
    pub async fn report(
        &self,
        id: PackageId,
        submission: ReportSubmission,
    ) -> Result<ReportAnswer, NodeError> {
        self.inner.report(id, submission).await
    }

    /// Where the report chain of a package stands.
    ///
    /// # Errors
    /// [`NodeError::NotFound`].
    pub async fn last_report(&self, id: PackageId) -> Result<LastReport, NodeError> {
        self.inner.last_report(id).await
    }

    /// Renews the lease of the live session, if the package is still usable.
    ///
    /// # Errors
    /// Refused signature, missing reports, lapsed lease.
    pub async fn renew(
        &self,
        id: PackageId,
        submission: RenewalSubmission,
    ) -> Result<ReportAnswer, NodeError> {
        self.inner.renew(id, submission).await
    }

    /// Ends the session that signed for it: the next opening need not wait for its lease to run out.
    ///
    /// # Errors
    /// Refused signature, missing reports, a session that has ended or lapsed.
    pub async fn end_session(
        &self,
        id: PackageId,
        submission: SessionEndSubmission,
    ) -> Result<ReportAnswer, NodeError> {
        self.inner.end_session(id, submission).await
    }

    /// Keeps the requestor's word that the data is deleted (P19).
    ///
    /// # Errors
    /// Refused signature; unknown package.
    pub async fn deletion(
        &self,
        id: PackageId,
        submission: DeletionSubmission,
    ) -> Result<(), NodeError> {
        self.inner.deletion(id, submission).await
    }

    /// The requestor's word that the data is deleted: the custodian's `retrieve` needs it.
    ///
    /// # Errors
    /// [`NodeError::NotFound`] for an unknown package.
    pub async fn deletion_of(
        &self,
        id: PackageId,
    ) -> Result<Option<DeletionSubmission>, NodeError> {
        self.inner.deletion_of(id).await
    }

    /// What this node holds about a package besides its blocks, to the requestor or the custodian who signs for it.
    ///
    /// # Errors
    /// [`NodeError::NotFound`], [`NodeError::Refused`], [`NodeError::Conflict`] before a second node has signed.
    pub async fn dossier(
        &self,
        id: PackageId,
        asked: SignedDisclosure,
    ) -> Result<Dossier, NodeError> {
        self.inner.dossier(id, asked).await
    }

    /// Does the second node's work (P13): measures, and signs or refuses. `sender` is the node that asks, already
    /// authenticated. The data is not kept.
    ///
    /// # Errors
    /// [`NodeError::Refused`] with the reason, which is recorded here as well.
    pub async fn validate(
        &self,
        request: ValidationRequest,
        sender: Address,
    ) -> Result<ValidationAnswer, NodeError> {
        self.inner.validate(request, sender).await
    }

    /// The block record behind a leaf hash, from this node's own store: at a place, or at one in the first EVM
    /// block that has it.
    ///
    /// # Errors
    /// [`NodeError::NotFound`].
    pub async fn block(&self, leaf: LeafHash, place: Option<Place>) -> Result<Vec<u8>, NodeError> {
        self.inner.block(leaf, place).await
    }

    /// Takes a block record from a peer, if its leaf hash is anchored.
    ///
    /// # Errors
    /// [`NodeError::BadRequest`] for what is no record, [`NodeError::NotFound`] for one that nobody anchored.
    pub async fn accept_block(&self, record: Vec<u8>) -> Result<(), NodeError> {
        self.inner.accept_block(record).await
    }

    /// All blocks of a package in one query (P8).
    ///
    /// # Errors
    /// [`NodeError::NotFound`].
    pub async fn package_blocks(&self, id: PackageId) -> Result<PackageBlocks, NodeError> {
        self.inner.package_blocks(id).await
    }

    /// Proof that a block is in its chain as it was at some size, or EVM block: at a place, or at one in the first EVM
    /// block that has the leaf hash.
    ///
    /// # Errors
    /// [`NodeError::NotFound`], [`NodeError::Conflict`] when it came later.
    pub async fn inclusion(
        &self,
        leaf: LeafHash,
        place: Option<Place>,
        up_to: UpTo,
    ) -> Result<InclusionProof, NodeError> {
        self.inner.inclusion(leaf, place, up_to).await
    }

    /// Proof that a chain only grew since it had `old_size` blocks.
    ///
    /// # Errors
    /// [`NodeError::NotFound`], [`NodeError::BadRequest`] when it was longer than that.
    pub async fn consistency(
        &self,
        chain: ChainName,
        old_size: u64,
        up_to: UpTo,
    ) -> Result<ConsistencyProof, NodeError> {
        self.inner.consistency(chain, old_size, up_to).await
    }

    /// Proof of what the contract holds of a package, at an EVM block or the newest (EIP-1186).
    ///
    /// # Errors
    /// [`NodeError::NotFound`], [`NodeError::ChainUnavailable`].
    pub async fn contract_proof(
        &self,
        id: PackageId,
        evm_block: Option<u64>,
    ) -> Result<ContractProof, NodeError> {
        self.inner.contract_proof(id, evm_block).await
    }

    /// The permissions database (P7): every violation with the response actions that were carried out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn violations(&self) -> Result<Vec<ViolationRecord>, NodeError> {
        self.inner.violations().await
    }

    /// What the custodian should look at about a package: silent leases, refused openings, forks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn findings(&self, id: PackageId) -> Result<Vec<Finding>, NodeError> {
        Ok(self.inner.store.findings(id).await?)
    }

    /// What the node has found wrong in its own store, behind the alert with this number: as soon as there is some, or
    /// after `wait` (P23).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn alerts(&self, after: u64, wait: Duration) -> Result<Vec<Alert>, NodeError> {
        self.inner.alerts(after, wait.min(MAX_WAIT)).await
    }

    /// Whether store and chain can be reached.
    ///
    /// # Errors
    /// What cannot be.
    pub async fn ready(&self) -> Result<(), NodeError> {
        self.inner.ready().await
    }
}
