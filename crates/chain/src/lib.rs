//! The chain that MeDShare's contract lives on: typed calls, events, wallets. The only user of an EVM provider.
//!
//! | module | what | paper |
//! |---|---|---|
//! | [`chain`], [`config`] | connecting, and checking what one is connected to | P8 |
//! | `read`, `write` | the contract's views and functions, as methods of [`Chain`] | P5, P6, P19 |
//! | [`event`], `logs` | what happened, in order | P7, P8 |
//! | [`issue`], [`record`] | what is sent, what is held | P14, P20 |
//! | [`proof`] | what the contract held at an EVM block, provable offline (EIP-1186) | P23, P26 |
//! | [`revert`], [`error`] | why it failed, in sentences | |
//! | `wallet` | signatures of wallets with and without code | P4 |
//! | [`keystore`] | wallet keys and sealing secrets at rest | P10 |
//! | [`anvil`] | a chain on this machine, for development | |
//!
//! ```no_run
//! # async fn example() -> Result<(), medshare_chain::ChainError> {
//! use medshare_chain::{Address, Chain, ChainConfig};
//! let config = ChainConfig::new("http://127.0.0.1:8545", Address::repeat_byte(0x42));
//! let chain = Chain::connect(&config).await?;
//! println!("{} custodians", chain.custodian_count().await?);
//! # Ok(())
//! # }
//! ```

pub mod anvil;
mod bindings;
pub mod chain;
pub mod config;
mod convert;
mod deploy;
mod endpoint;
pub mod error;
pub mod event;
pub mod issue;
pub mod keystore;
mod logs;
pub mod proof;
mod read;
pub mod record;
pub mod revert;
mod rpc;
mod send;
mod wallet;
mod write;

pub use alloy::primitives::{Address, B256, Bytes, U256};
pub use alloy::signers::SignerSync;
pub use alloy::signers::local::PrivateKeySigner;

pub use chain::{Chain, TxReceipt};
pub use config::ChainConfig;
pub use deploy::is_medshare_code;
pub use error::ChainError;
pub use event::{Event, EventPosition, LoggedEvent, PackageIssued};
pub use issue::{IssueItem, MAX_SEGMENT_ENTRIES, ReportSegment};
pub use proof::{AccountProof, ContractProof, EvmBlock, ProvenStorage, StorageProofError};
pub use record::{
    DatasetRecord, IssuedRequest, NodeRecord, PackageStatus, RequestorRecord, Response,
    ResponseKind,
};
pub use revert::ContractError;
pub use write::{OWNERS_REASON, RESERVED_REASONS, SignedSession};
