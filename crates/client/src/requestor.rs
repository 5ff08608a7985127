//! The requestor: registers, asks, waits (P1, P2).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use medshare_chain::ChainError;
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::typed::{AccessRequest, Registration, Selection};
use medshare_protocol::wire::{
    Class, PackageReady, RegistrationAnswer, RequestStatus, SignedRegistration, SignedRequest,
    Stage,
};

use crate::api::{ApiError, LONGEST_POLL, NodeApi, serves};
use crate::clock::{Clock, MachineClock};
use crate::ledger::Ledger;

/// How long a signed registration may be used, ms.
pub const REGISTRATION_LIFETIME_MS: u64 = 60 * 60 * 1000;
/// How long a signed request may be used, ms: nodes take no more than a day.
pub const REQUEST_LIFETIME_MS: u64 = 23 * 60 * 60 * 1000;

/// How often a signed request is handed in before it is left to the requestor to ask what became of it.
const SUBMISSIONS: u32 = 4;
/// Pause before it is handed in for the second time; doubled each time.
const SUBMISSION_PAUSE: Duration = Duration::from_millis(250);
/// Pause before the next poll when the last one brought nothing.
const NO_NEWS_PAUSE: Duration = Duration::from_millis(250);

/// Why asking for data failed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The node.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The node belongs to another deployment than the profile's.
    #[error(
        "the node {address} serves the contract {node_contract} on chain {node_chain}, and your profile names {contract} on chain {chain}: correct the profile or take another node"
    )]
    OtherDeployment {
        /// The node's address.
        address: String,
        /// The node's contract.
        node_contract: Address,
        /// The node's chain.
        node_chain: u64,
        /// The profile's contract.
        contract: Address,
        /// The profile's chain.
        chain: u64,
    },
    /// The wallet is not registered.
    #[error("your wallet {0} is not registered; run `medshare register` first")]
    NotRegistered(Address),
    /// Registered, but with another sealing key.
    #[error(
        "your wallet {wallet} is registered with the sealing key {registered}, and the one here is {own}: packages would be sealed to a key that is not here; run `medshare register` again to register this one"
    )]
    OtherSealingKey {
        /// The wallet.
        wallet: Address,
        /// Registered.
        registered: B256,
        /// At hand.
        own: B256,
    },
    /// Its credential is suspended.
    #[error(
        "the credential of your wallet {0} is suspended; ask the custodian that vouches for you"
    )]
    Suspended(Address),
    /// The node answered for another request.
    #[error("the node answered for the request {answered} instead of {asked}; nothing was used")]
    AnotherRequest {
        /// Asked for.
        asked: PackageId,
        /// Answered for.
        answered: PackageId,
    },
    /// The request was refused.
    #[error("the request was refused: {0}")]
    Refused(String),
    /// Nothing to tell within the time the caller gave.
    #[error(
        "the package is not ready after {seconds} s (the request is {stage:?}); ask again with its id"
    )]
    NotReady {
        /// How far it is.
        stage: Stage,
        /// How long it was waited.
        seconds: u64,
    },
    /// The wallet's key could not sign.
    #[error("the wallet could not sign: {0}")]
    Signing(String),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whose data.
    pub custodian: Address,
    /// Which dataset of theirs.
    pub dataset: DatasetId,
    /// For which purpose.
    pub purpose: Purpose,
    /// Which columns and rows.
    pub selection: Selection,
}

/// A person or program that asks for data: its keys, the chain and the node it talks to.
#[derive(Clone)]
pub struct Requestor {
    /// Signs (P10).
    pub wallet: PrivateKeySigner,
    /// Opens what is sealed to the registered sealing key (P10).
    pub sealing: SealingSecret,
    /// The chain.
    pub ledger: Arc<dyn Ledger>,
    /// The custodian's node.
    pub node: NodeApi,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Requestor {
    /// With the machine's clock.
    #[must_use]
    pub fn new(
        wallet: PrivateKeySigner,
        sealing: SealingSecret,
        ledger: Arc<dyn Ledger>,
        node: NodeApi,
    ) -> Self {
        Self {
            wallet,
            sealing,
            ledger,
            node,
            clock: Arc::new(MachineClock),
        }
    }

    /// The wallet's address (RID).
    #[must_use]
    pub const fn address(&self) -> Address {
        self.wallet.address()
    }

    /// Registers wallet and sealing key through the node, or rotates the sealing key: the requestor needs no
    /// currency (P1). `credential`: hash of what the custodian has seen of the requestor.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn register(
        &self,
        class: Class,
        credential: B256,
    ) -> Result<RegistrationAnswer, RequestError> {
        self.check_deployment().await?;
        let registration = Registration {
            requestor: self.address(),
            sealingKey: self.sealing.public(),
            class: class as u8,
            credential,
            nonce: self.ledger.registration_nonce(self.address()).await?,
            deadline: self.clock.wall_ms() + REGISTRATION_LIFETIME_MS,
        };
        let signature = self.sign(&registration)?;
        Ok(self
            .node
            .register(&SignedRegistration {
                registration,
                signature,
            })
            .await?)
    }

    /// Signs a request that no other will ever equal.
    ///
    /// # Errors
    /// [`RequestError::Signing`], [`RequestError::NoRandomness`].
    pub fn sign_request(&self, ask: &Ask) -> Result<SignedRequest, RequestError> {
        let mut salt = B256::ZERO;
        getrandom::fill(salt.as_mut_slice()).map_err(|_| RequestError::NoRandomness)?;
        let request = AccessRequest {
            requestor: self.address(),
            custodian: ask.custodian,
            dataset: ask.dataset.0,
            purpose: ask.purpose.bytes(),
            selection: ask.selection.clone(),
            salt,
            deadline: self.clock.wall_ms() + REQUEST_LIFETIME_MS,
        };
        let signature = self.sign(&request)?;
        Ok(SignedRequest { request, signature })
    }

    /// The id of a request and of the package that will answer it.
    #[must_use]
    pub fn package_id(&self, request: &AccessRequest) -> PackageId {
        self.ledger.domain().package_id(request)
    }

    /// Hands a signed request in. May be repeated: the same request is the same package.
    ///
    /// # Errors
    /// [`RequestError`]; [`RequestError::Refused`] when the node recorded it and refused it,
    /// [`ApiError::Unconfirmed`] when it went out and no answer came.
    pub async fn submit(&self, signed: &SignedRequest) -> Result<RequestStatus, RequestError> {
        self.check_deployment().await?;
        self.check_registration().await?;
        let id = self.package_id(&signed.request);
        let status = self.hand_in(id, signed).await?;
        judge_status(id, status)
    }

    /// An answer that got lost on its way is asked for again.
    async fn hand_in(
        &self,
        id: PackageId,
        signed: &SignedRequest,
    ) -> Result<RequestStatus, ApiError> {
        let mut pause = SUBMISSION_PAUSE;
        for _ in 1..SUBMISSIONS {
            match self.node.request(signed).await {
                Err(error @ ApiError::Unreachable { .. }) => {
                    tracing::warn!(%id, %error, "no answer came; handing the same request in again");
                    tokio::time::sleep(pause).await;
                }
                answer => return confirmed(id, answer),
            }
            pause *= 2;
        }
        confirmed(id, self.node.request(signed).await)
    }

    /// Waits for the package; `progress` is called with each change. Survives a node that is away for a while.
    ///
    /// # Errors
    /// [`RequestError::Refused`] with the node's reason, [`RequestError::NotReady`] after `patience`, and what the
    /// node and the network say.
    pub async fn wait(
        &self,
        id: PackageId,
        patience: Duration,
        mut progress: impl FnMut(&RequestStatus),
    ) -> Result<PackageReady, RequestError> {
        let end = self.clock.since_boot() + patience;
        let mut seen = 0;
        loop {
            let left = end.saturating_sub(self.clock.since_boot());
            let status = match self.node.status(id, seen, left.min(LONGEST_POLL)).await {
                Err(error) if error.may_pass() && !left.is_zero() => {
                    tracing::warn!(%id, %error, "the request goes on; asking again");
                    tokio::time::sleep(NO_NEWS_PAUSE).await;
                    continue;
                }
                answer => judge_status(id, answer?)?,
            };
            let news = status.form.len() > seen;
            if news {
                seen = status.form.len();
                progress(&status);
            }
            if let Some(ready) = status.package {
                return Ok(ready);
            }
            if left.is_zero() {
                let seconds = patience.as_secs();
                return Err(RequestError::NotReady {
                    stage: status.stage,
                    seconds,
                });
            }
            if !news {
                // The node did not hold the poll, or held it to its end.
                tokio::time::sleep(NO_NEWS_PAUSE).await;
            }
        }
    }

    async fn check_deployment(&self) -> Result<(), RequestError> {
        let info = self.node.info().await?;
        let domain = self.ledger.domain();
        if serves(&info, domain.chain_id(), domain.contract()) {
            return Ok(());
        }
        Err(RequestError::OtherDeployment {
            address: self.node.address(),
            node_contract: info.contract,
            node_chain: info.chain_id,
            contract: domain.contract(),
            chain: domain.chain_id(),
        })
    }

    /// What the node would refuse anyway is better told before anything is signed away.
    async fn check_registration(&self) -> Result<(), RequestError> {
        let wallet = self.address();
        let Some(record) = self.ledger.requestor(wallet).await? else {
            return Err(RequestError::NotRegistered(wallet));
        };
        if record.suspended {
            return Err(RequestError::Suspended(wallet));
        }
        if record.sealing_key != self.sealing.public() {
            return Err(RequestError::OtherSealingKey {
                wallet,
                registered: record.sealing_key,
                own: self.sealing.public(),
            });
        }
        Ok(())
    }

    pub(crate) fn sign(
        &self,
        message: &impl alloy_sol_types::SolStruct,
    ) -> Result<Bytes, RequestError> {
        let signature = self.ledger.domain().sign(message, &self.wallet);
        signature
            .map(|signature| Bytes::copy_from_slice(signature.as_slice()))
            .map_err(|error| RequestError::Signing(error.to_string()))
    }
}

impl fmt::Debug for Requestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requestor")
            .field("wallet", &self.address())
            .finish_non_exhaustive()
    }
}

/// An attempt without an answer may have been recorded.
fn confirmed(
    id: PackageId,
    answer: Result<RequestStatus, ApiError>,
) -> Result<RequestStatus, ApiError> {
    answer.map_err(|error| match error {
        ApiError::Unreachable { .. } | ApiError::TimedOut { .. } => ApiError::Unconfirmed {
            id,
            error: Box::new(error),
        },
        error => error,
    })
}

fn judge_status(id: PackageId, status: RequestStatus) -> Result<RequestStatus, RequestError> {
    if status.id != id {
        return Err(RequestError::AnotherRequest {
            asked: id,
            answered: status.id,
        });
    }
    if status.stage == Stage::Refused {
        let reason = status
            .reason
            .unwrap_or_else(|| "the node gave no reason".into());
        return Err(RequestError::Refused(reason));
    }
    Ok(status)
}
