//! Where the chain is and how long to wait for it.

use std::fmt;

use alloy::primitives::Address;

use crate::endpoint::Endpoint;

/// Pause between two questions to a chain on this machine: it mines at once, so a longer one is pure delay.
pub const LOCAL_POLL_MS: u64 = 7;
/// Pause between two questions to a chain elsewhere.
pub const REMOTE_POLL_MS: u64 = 1_000;
/// Longest wait for one answer of the RPC endpoint.
pub const RPC_TIMEOUT_MS: u64 = 10_000;
/// Longest wait for a sent transaction to be mined.
pub const RECEIPT_TIMEOUT_MS: u64 = 120_000;
/// Most EVM blocks that one question for events covers; halved when the endpoint finds it too many.
pub const LOG_CHUNK_BLOCKS: u64 = 2_000;

/// What [`Chain::connect`](crate::Chain::connect) needs to know.
#[derive(Clone)]
pub struct ChainConfig {
    /// HTTP address of the JSON-RPC endpoint. User and password in it are sent as a header and never shown.
    pub rpc_url: String,
    /// Address of the deployed `MedShare` contract.
    pub contract: Address,
    /// The chain id that is expected; nothing: whatever the endpoint says.
    pub chain_id: Option<u64>,
    /// Pause between two questions while waiting for a receipt or a block, ms.
    pub poll_ms: u64,
    /// Longest wait for one answer, ms.
    pub rpc_timeout_ms: u64,
    /// Longest wait for a sent transaction to be mined, ms.
    pub receipt_timeout_ms: u64,
    /// Most EVM blocks that one question for events covers.
    pub log_chunk_blocks: u64,
}

impl ChainConfig {
    /// The defaults: a short poll interval when the endpoint is on this machine, one second elsewhere.
    #[must_use]
    pub fn new(rpc_url: &str, contract: Address) -> Self {
        let local = Endpoint::parse(rpc_url).is_ok_and(|endpoint| endpoint.is_local());
        Self {
            rpc_url: rpc_url.to_owned(),
            contract,
            chain_id: None,
            poll_ms: if local { LOCAL_POLL_MS } else { REMOTE_POLL_MS },
            rpc_timeout_ms: RPC_TIMEOUT_MS,
            receipt_timeout_ms: RECEIPT_TIMEOUT_MS,
            log_chunk_blocks: LOG_CHUNK_BLOCKS,
        }
    }
}

impl fmt::Debug for ChainConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Endpoint::parse(&self.rpc_url)
            .map_or_else(|_| "unreadable".into(), |endpoint| endpoint.to_string());
        f.debug_struct("ChainConfig")
            .field("rpc_url", &shown)
            .field("contract", &self.contract)
            .field("chain_id", &self.chain_id)
            .field("poll_ms", &self.poll_ms)
            .field("rpc_timeout_ms", &self.rpc_timeout_ms)
            .field("receipt_timeout_ms", &self.receipt_timeout_ms)
            .field("log_chunk_blocks", &self.log_chunk_blocks)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_on_this_machine_is_polled_fast_and_others_gently() {
        for local in [
            "http://localhost:8545",
            "http://127.0.0.1:1",
            "http://[::1]:8545",
        ] {
            assert_eq!(
                ChainConfig::new(local, Address::ZERO).poll_ms,
                LOCAL_POLL_MS,
                "{local}"
            );
        }
        let remote = ChainConfig::new("https://rpc.example.org", Address::ZERO);
        assert_eq!(remote.poll_ms, REMOTE_POLL_MS);
    }

    #[test]
    fn debug_shows_no_password_and_no_key_in_the_path() {
        let config = ChainConfig::new(
            "https://user:s3cret@rpc.example.org/v3/k3y?t=t0ken",
            Address::ZERO,
        );
        let shown = format!("{config:?}");
        assert!(shown.contains("https://rpc.example.org"), "{shown}");
        for secret in ["user", "s3cret", "k3y", "t0ken"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
