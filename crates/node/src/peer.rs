//! Node to node (P13, P23): asking a second node, pushing and pulling block bodies.
//!
//! Nodes find each other in the contract: endpoint, sealing key and custodian are read from the chain. A message is
//! CBOR, sealed to the recipient's registered key and signed by the sender ([`envelope`]), so nobody between them
//! reads or changes it, and a node that is no longer registered is not listened to.

mod directory;
pub mod envelope;
mod http;
mod message;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use alloy_signer_local::PrivateKeySigner;
use medshare_chain::{Chain, ChainError, NodeRecord};
use medshare_protocol::block::body_of;
use medshare_protocol::form::Step;
use medshare_protocol::id::LeafHash;
use medshare_protocol::merkle::leaf_hash;
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::typed::Domain;
use medshare_protocol::usage::UsageContract;
use medshare_protocol::wire::{SignedRequest, ValidationAnswer};

use crate::clock;

use directory::Directory;
use envelope::EnvelopeError;

/// An envelope may have so many bytes at most.
pub const MAX_ENVELOPE_BYTES: usize = 128 * 1024 * 1024;
/// A message may be read until so long after it was sent.
pub const MESSAGE_LIFETIME_MS: u64 = 2 * 60 * 1_000;
/// A message that claims to be good for longer than this is refused.
pub const MAX_MESSAGE_LIFETIME_MS: u64 = 10 * 60 * 1_000;
/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the second node's work.
pub const VALIDATION_TIMEOUT: Duration = Duration::from_secs(120);
/// Longest wait for a block to be taken or given.
pub const BLOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// All that the second node needs.
#[derive(Clone, PartialEq, Eq)]
pub struct ValidationRequest {
    /// What the requestor asked for and signed.
    pub signed_request: SignedRequest,
    /// JSON bytes of the public descriptor: their sha256 is on chain.
    pub descriptor_bytes: Vec<u8>,
    /// The form so far.
    pub form: Vec<Step>,
    /// What will be sealed, as CSV.
    pub payload: Vec<u8>,
    /// Salt of the payload hash.
    pub payload_salt: B256,
    /// The usage contract that was generated.
    pub usage: UsageContract,
    /// The release that the payload was selected from.
    pub release_version: B256,
}

/// Patient records must not reach a log.
impl std::fmt::Debug for ValidationRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValidationRequest")
            .field("requestor", &self.signed_request.request.requestor)
            .field("steps", &self.form.len())
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// What one node says to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Look at my work (P13).
    Validation(Box<ValidationRequest>),
    /// Keep this block record (P23).
    Block(Vec<u8>),
}

/// Why a peer did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// Nobody is there to ask.
    #[error(
        "no other node is registered that may be the second one; a second custodian's node must be registered"
    )]
    NoPeer,
    /// The second node examined the work and refused it. Final.
    #[error("{reason}")]
    Refused {
        /// The second node.
        node: Address,
        /// Its reason.
        reason: String,
    },
    /// Each that could be asked failed.
    #[error("{0}")]
    Unreachable(String),
    /// The message could not be made.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The chain could not be asked who the peers are.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// No peer has the block.
    #[error("no peer serves the block {0}")]
    BlockWithheld(LeafHash),
}

/// The other nodes, as this one sees them. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    signer: PrivateKeySigner,
    sealing: SealingSecret,
    http: reqwest::Client,
    directory: Arc<Directory>,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers")
            .field("node", &self.signer.address())
            .finish_non_exhaustive()
    }
}

impl Peers {
    /// For the node that signs with `signer` and opens with `sealing`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(signer: PrivateKeySigner, sealing: SealingSecret) -> Result<Self, PeerError> {
        let http = http::client()?;
        Ok(Self {
            signer,
            sealing,
            http,
            directory: Arc::default(),
        })
    }

    /// Who sent an envelope that came in. Its signature holds; whether it is a registered node, the caller asks the
    /// chain before it opens anything.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn sender_of(
        &self,
        domain: &Domain,
        envelope: &[u8],
        time: u64,
    ) -> Result<Address, EnvelopeError> {
        let parts = envelope::Parts::read(envelope)?;
        parts.check(domain, self.signer.address(), time)?;
        Ok(parts.sender)
    }

    /// Opens an envelope whose sender was checked.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open(&self, envelope: &[u8]) -> Result<Content, EnvelopeError> {
        envelope::Parts::read(envelope)?.open(&self.sealing)
    }

    /// Has the work examined by a registered node of another custodian; of the same one only while there is no other
    /// custodian. One that cannot be reached is followed by the next; a refusal is final.
    ///
    /// # Errors
    /// [`PeerError::Refused`] with the second node's reason, or why nobody could be asked.
    pub async fn validate(
        &self,
        chain: &Chain,
        request: &ValidationRequest,
    ) -> Result<(Address, ValidationAnswer), PeerError> {
        let candidates = self
            .directory
            .candidates(chain, self.signer.address())
            .await?;
        if candidates.is_empty() {
            return Err(PeerError::NoPeer);
        }
        let plain = message::encode_validation(request);
        let mut failures = Vec::new();
        for (node, record) in candidates {
            match self
                .ask(chain.domain(), node, &record, &plain, request)
                .await
            {
                Ok(answer) => return Ok((node, answer)),
                Err(http::Failure::Refused(reason)) => {
                    return Err(PeerError::Refused { node, reason });
                }
                Err(http::Failure::Other(reason)) => {
                    tracing::warn!(%node, reason, "the second node could not be asked");
                    self.directory.rest(node).await;
                    failures.push(format!("{node} at {}: {reason}", record.endpoint));
                }
            }
        }
        Err(PeerError::Unreachable(failures.join("; ")))
    }

    async fn ask(
        &self,
        domain: &Domain,
        node: Address,
        record: &NodeRecord,
        plain: &[u8],
        request: &ValidationRequest,
    ) -> Result<ValidationAnswer, http::Failure> {
        let envelope = self.seal(domain, node, record, plain)?;
        let answer = http::post_validation(&self.http, &record.endpoint, envelope).await?;
        let right_package = domain.package_id(&request.signed_request.request).0;
        let signed = domain.is_signed_by(&answer.validation, &answer.signature, node);
        if !signed || answer.validation.package != right_package {
            return Err(http::Failure::Other(
                "its answer is not signed by it for this package".into(),
            ));
        }
        Ok(answer)
    }

    fn seal(
        &self,
        domain: &Domain,
        node: Address,
        record: &NodeRecord,
        plain: &[u8],
    ) -> Result<Vec<u8>, EnvelopeError> {
        let deadline = clock::now_ms() + MESSAGE_LIFETIME_MS;
        envelope::seal(
            domain,
            &self.signer,
            (node, record.sealing_key),
            deadline,
            plain,
        )
    }

    /// Gives a block record to every other node. Returns how many took it.
    ///
    /// # Errors
    /// When the chain cannot be asked who they are. A peer that does not take it can pull it later.
    pub async fn push_block(&self, chain: &Chain, record: &[u8]) -> Result<usize, PeerError> {
        let others = self.directory.others(chain, self.signer.address()).await?;
        let plain = message::encode_block(record);
        let pushes = others.iter().map(|(node, peer)| async {
            let envelope = self.seal(chain.domain(), *node, peer, &plain)?;
            http::post_block(&self.http, &peer.endpoint, envelope).await
        });
        let results = futures::future::join_all(pushes).await;
        Ok(results.into_iter().filter(Result::is_ok).count())
    }

    /// Fetches the body with this leaf hash from whoever has it. What arrives is verified by what was asked for.
    ///
    /// # Errors
    /// [`PeerError::BlockWithheld`] when nobody serves it.
    pub async fn fetch_body(&self, chain: &Chain, leaf: LeafHash) -> Result<Vec<u8>, PeerError> {
        for (node, peer) in self.directory.others(chain, self.signer.address()).await? {
            let Ok(record) = http::get_block(&self.http, &peer.endpoint, leaf).await else {
                continue;
            };
            match body_of(&record) {
                Some(body) if leaf_hash(body) == leaf => return Ok(body.to_vec()),
                _ => {
                    tracing::warn!(%node, %leaf, "a peer serves another block than it was asked for")
                }
            }
        }
        Err(PeerError::BlockWithheld(leaf))
    }
}
