//! Proofs of what the contract holds (EIP-1186): values of its storage, with the nodes of the Merkle-Patricia trees that
//! lead to them from the state root of one EVM block. Whoever knows that block to be real needs nothing else; least of
//! all whoever made the proof.
//!
//! [`Chain::prove`](crate::Chain::prove) asks for one; [`ContractProof::verify`] checks one, offline; `layout` knows in which
//! slots what is (SPEC §9.2).

mod fetch;
mod header;
mod layout;
mod node;
mod path;
mod verify;

use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

pub use verify::{EvmBlock, ProvenStorage};

/// Most trie nodes in a proof of one key: keys have 64 nibbles.
const MAX_PROOF_NODES: usize = 65;
/// Most storage slots in one proof.
const MAX_SLOTS: usize = 256;

/// What one contract held at one EVM block, with the proof of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractProof {
    /// The EVM block's header, RLP: its keccak256 is the block's hash.
    pub header: Bytes,
    /// The contract.
    pub contract: Address,
    /// Its account.
    pub account: AccountProof,
    /// Values of its storage, in ascending order of their slots: there is one spelling of a proof.
    pub storage: Vec<SlotProof>,
}

/// An account in the state trie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountProof {
    /// How many transactions it sent; a contract: how many contracts it created.
    pub nonce: u64,
    /// Its currency, wei.
    pub balance: U256,
    /// Root of its storage trie.
    pub storage_root: B256,
    /// keccak256 of its code.
    pub code_hash: B256,
    /// Trie nodes, root first, RLP.
    pub proof: Vec<Bytes>,
}

/// One slot of the contract's storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotProof {
    /// The slot.
    pub slot: B256,
    /// What it holds; zero: nothing.
    pub value: U256,
    /// Trie nodes, root first, RLP.
    pub proof: Vec<Bytes>,
}

/// What is wrong with a proof of the contract's storage.
#[derive(Debug, thiserror::Error)]
pub enum StorageProofError {
    /// The header is no header.
    #[error("the EVM block's header cannot be read: {0}")]
    Header(String),
    /// The account is not in the state of that block.
    #[error("the account {account} is not shown to be in the state of the EVM block: {reason}")]
    Account {
        /// Its address.
        account: Address,
        /// What the trie says.
        reason: String,
    },
    /// A slot does not hold what the proof says.
    #[error("the slot {slot} is not shown to hold {value:#x}: {reason}")]
    Slot {
        /// The slot.
        slot: B256,
        /// What it is said to hold.
        value: U256,
        /// What the trie says.
        reason: String,
    },
    /// The proof is longer than any can be.
    #[error("the proof has {count} {what}, of which {limit} at most can be needed")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there can be.
        limit: usize,
    },
    /// A slot stands twice, or behind a higher one.
    #[error("the slot {0} stands twice, or not in its place")]
    Order(B256),
    /// A value that is needed is not in the proof.
    #[error("the proof lacks the slot {slot}, which holds {what}")]
    Missing {
        /// The slot.
        slot: B256,
        /// What it would tell.
        what: &'static str,
    },
    /// A slot holds what this contract never writes there.
    #[error("the slot of {what} holds {value:#x}, which this contract does not write")]
    Unreadable {
        /// Of what.
        what: &'static str,
        /// What it holds.
        value: U256,
    },
}
