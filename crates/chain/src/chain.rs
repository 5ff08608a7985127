//! The connection to one deployment of the contract.

use std::fmt;

use alloy::primitives::{Address, B256, Bytes};
use alloy::providers::Provider;
use alloy::rpc::types::{BlockId, TransactionReceipt};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use medshare_protocol::typed::Domain;

use crate::bindings::Erc5267;
use crate::config::ChainConfig;
use crate::event::Event;
use crate::rpc::{Rpc, function_name};
use crate::send::{Outgoing, send};
use crate::{ChainError, ContractError};

/// The EIP-712 name that a MeDShare contract tells (ERC-5267).
const DOMAIN_NAME: &str = "MeDShare";
/// The EIP-712 version that this program speaks.
const DOMAIN_VERSION: &str = "1";

/// A checked connection to one MeDShare contract. Cheap to clone. Reads need nothing; writes need
/// [`with_signer`](Self::with_signer).
#[derive(Clone)]
pub struct Chain {
    pub(crate) rpc: Rpc,
    domain: Domain,
    signer: Option<PrivateKeySigner>,
}

/// A mined transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxReceipt {
    /// Hash of the transaction.
    pub hash: B256,
    /// Number of the EVM block it is in.
    pub block: u64,
    /// Hash of that block.
    pub block_hash: B256,
    /// Gas it used.
    pub gas_used: u64,
    /// The contract's events in it, in order.
    pub events: Vec<Event>,
}

impl Chain {
    /// Connects for reading, and checks that this is MeDShare, on the chain that is meant.
    ///
    /// # Errors
    /// `BadEndpoint`, `Unreachable`, `TimedOut`, `WrongChain`, `NotAContract`, `NotMedShare`.
    pub async fn connect(config: &ChainConfig) -> Result<Self, ChainError> {
        let rpc = Rpc::open(config)?;
        let chain_id = chain_id(&rpc).await?;
        if let Some(expected) = config.chain_id.filter(|expected| *expected != chain_id) {
            let endpoint = rpc.endpoint();
            return Err(ChainError::WrongChain {
                endpoint,
                expected,
                actual: chain_id,
            });
        }
        let chain = Self {
            rpc,
            domain: Domain::new(chain_id, config.contract),
            signer: None,
        };
        if chain.code_at(config.contract).await?.is_empty() {
            return Err(ChainError::NotAContract {
                address: config.contract,
                chain_id,
            });
        }
        chain.check_domain().await?;
        Ok(chain)
    }

    /// Asks the contract itself who it is: a signature for another domain would be worthless.
    async fn check_domain(&self) -> Result<(), ChainError> {
        let address = self.contract();
        let not_medshare = |reason: String| ChainError::NotMedShare { address, reason };
        let told = match self.view(&Erc5267::eip712DomainCall {}).await {
            Err(ChainError::Reverted { .. } | ChainError::Malformed { .. }) => {
                return Err(not_medshare("it tells no EIP-712 domain".into()));
            }
            told => told?,
        };
        let same = told.name == DOMAIN_NAME
            && told.version == DOMAIN_VERSION
            && told.chainId == alloy::primitives::U256::from(self.chain_id())
            && told.verifyingContract == address;
        if same {
            return Ok(());
        }
        Err(not_medshare(format!(
            "its EIP-712 domain is {} version {} on the chain {} at {}",
            told.name, told.version, told.chainId, told.verifyingContract
        )))
    }

    /// The same connection, sending as `signer`.
    #[must_use]
    pub fn with_signer(&self, signer: PrivateKeySigner) -> Self {
        Self {
            signer: Some(signer),
            ..self.clone()
        }
    }

    /// The EIP-712 domain of this deployment.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The chain's id.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        self.domain.chain_id()
    }

    /// The contract's address.
    #[must_use]
    pub fn contract(&self) -> Address {
        self.domain.contract()
    }

    /// The account that transactions are sent from.
    #[must_use]
    pub fn sender(&self) -> Option<Address> {
        self.signer.as_ref().map(PrivateKeySigner::address)
    }

    /// The RPC endpoint as it may be shown: scheme, host and port.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.rpc.endpoint()
    }

    pub(crate) async fn view<C: SolCall>(&self, call: &C) -> Result<C::Return, ChainError> {
        self.rpc
            .view(self.contract(), call, BlockId::latest())
            .await
    }

    pub(crate) async fn send<C: SolCall>(&self, call: &C) -> Result<TxReceipt, ChainError> {
        self.send_with(call, 0).await
    }

    /// Sends with so much gas beyond the estimate: [`Outgoing::spare_gas`].
    pub(crate) async fn send_with<C: SolCall>(
        &self,
        call: &C,
        spare_gas: u64,
    ) -> Result<TxReceipt, ChainError> {
        let function = function_name::<C>();
        let signer = self.signer.as_ref().ok_or(ChainError::NoSigner(function))?;
        let data = Bytes::from(call.abi_encode());
        let outgoing = Outgoing {
            function,
            to: Some(self.contract()),
            data,
            spare_gas,
        };
        let receipt = send(&self.rpc, self.chain_id(), signer, &outgoing).await?;
        self.receipt(&receipt)
    }

    fn receipt(&self, receipt: &TransactionReceipt) -> Result<TxReceipt, ChainError> {
        let mut events = Vec::new();
        for log in receipt.inner.logs() {
            if log.address() == self.contract() {
                events.extend(Event::decode(&log.inner)?);
            }
        }
        let placed = receipt.block_number.zip(receipt.block_hash);
        let (block, block_hash) = placed.ok_or_else(|| ChainError::Malformed {
            what: "a receipt",
            reason: "it names no block".into(),
        })?;
        let hash = receipt.transaction_hash;
        Ok(TxReceipt {
            hash,
            block,
            block_hash,
            gas_used: receipt.gas_used,
            events,
        })
    }
}

impl TxReceipt {
    /// Why items or segments of the batch were skipped, in order.
    pub fn skipped(
        &self,
    ) -> impl Iterator<Item = (medshare_protocol::id::PackageId, &ContractError)> {
        self.events.iter().filter_map(|event| match event {
            Event::ItemSkipped {
                package, reason, ..
            }
            | Event::SegmentSkipped {
                package, reason, ..
            } => Some((*package, reason)),
            _ => None,
        })
    }
}

/// The chain id that the endpoint tells.
pub(crate) async fn chain_id(rpc: &Rpc) -> Result<u64, ChainError> {
    rpc.read("eth_chainId", || rpc.provider.get_chain_id())
        .await
        .map_err(|failure| failure.error)
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("endpoint", &self.endpoint())
            .field("chain_id", &self.chain_id())
            .field("contract", &self.contract())
            .field("sender", &self.sender())
            .finish()
    }
}
