//! What can go wrong between us and the chain.

use alloy::primitives::{Address, B256};
use medshare_protocol::id::PackageId;

use crate::issue::MAX_SEGMENT_ENTRIES;
use crate::revert::ContractError;

/// Why a question to the chain or a transaction failed. No message carries a secret: endpoints are shown without user,
/// password, path and query.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The configured address cannot be an RPC endpoint.
    #[error("the RPC address is not usable ({0}): give one such as http://127.0.0.1:8545")]
    BadEndpoint(String),
    /// Nobody answers there.
    #[error("cannot reach the RPC endpoint {endpoint} ({reason}): is the chain running?")]
    Unreachable {
        /// Scheme, host and port.
        endpoint: String,
        /// What the network said.
        reason: String,
    },
    /// The endpoint took too long.
    #[error(
        "the RPC endpoint {endpoint} did not answer {method} within {waited_ms} ms: is it overloaded?"
    )]
    TimedOut {
        /// Scheme, host and port.
        endpoint: String,
        /// The RPC method.
        method: &'static str,
        /// How long we waited, ms.
        waited_ms: u64,
    },
    /// The endpoint answered with an error of its own.
    #[error("the RPC endpoint {endpoint} refused {method}: {message} (code {code})")]
    Rpc {
        /// Scheme, host and port.
        endpoint: String,
        /// The RPC method.
        method: &'static str,
        /// JSON-RPC error code; for a bare HTTP failure the status.
        code: i64,
        /// What it said.
        message: String,
    },
    /// The endpoint serves another chain.
    #[error(
        "the RPC endpoint {endpoint} serves the chain {actual}, not {expected}: check the RPC address and the chain id"
    )]
    WrongChain {
        /// Scheme, host and port.
        endpoint: String,
        /// Chain id of the configuration.
        expected: u64,
        /// Chain id that the endpoint told.
        actual: u64,
    },
    /// Nothing is deployed at the contract's address.
    #[error(
        "there is no contract at {address} on the chain {chain_id}: check the contract's address and the RPC address"
    )]
    NotAContract {
        /// The configured address.
        address: Address,
        /// The chain that was asked.
        chain_id: u64,
    },
    /// Something is deployed there, but it is not MeDShare.
    #[error("the contract at {address} is not MeDShare ({reason}): check the contract's address")]
    NotMedShare {
        /// The configured address.
        address: Address,
        /// What gave it away.
        reason: String,
    },
    /// A transaction was asked for on a connection that can only read.
    #[error("this connection can only read: give it a wallet to send `{0}`")]
    NoSigner(&'static str),
    /// A segment that the contract would skip: nothing was sent.
    #[error(
        "{count} side-blocks of the package {package} in one segment: it takes 1 to {MAX_SEGMENT_ENTRIES}"
    )]
    BadSegment {
        /// The segment's package.
        package: PackageId,
        /// How many side-blocks it has.
        count: usize,
    },
    /// The contract refused; nothing was changed.
    #[error("the contract refused `{function}`: {error}")]
    Reverted {
        /// The contract's function.
        function: &'static str,
        /// Why, as the contract says.
        error: Box<ContractError>,
    },
    /// The sender cannot pay the gas.
    #[error("the account {sender} cannot pay for gas: send it some of the chain's currency")]
    NoFunds {
        /// The sending account.
        sender: Address,
    },
    /// Sent, but not mined in time; it may still be.
    #[error("the transaction {hash} was not mined within {waited_ms} ms; it may still be")]
    NotMined {
        /// Its hash.
        hash: B256,
        /// How long we waited, ms.
        waited_ms: u64,
    },
    /// The chain told something that cannot be.
    #[error("the chain's answer about {what} is not readable: {reason}")]
    Malformed {
        /// What was asked.
        what: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The wallet's key could not sign.
    #[error("the wallet could not sign the transaction: {0}")]
    Signing(String),
}

impl ChainError {
    /// Whether asking again later may help: the endpoint, not the question, was the trouble.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::NotMined { .. } => true,
            // 429 and 5xx of HTTP; -32005 is "limit exceeded" (EIP-1474).
            Self::Rpc { code, .. } => matches!(code, 429 | 500..=599 | -32005),
            _ => false,
        }
    }

    /// The contract's reason, where it was the contract that refused.
    #[must_use]
    pub fn contract_error(&self) -> Option<&ContractError> {
        match self {
            Self::Reverted { error, .. } => Some(error),
            _ => None,
        }
    }
}
