//! Checks a proof, and reads what it proves.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{KECCAK_EMPTY as KECCAK256_EMPTY, Nibbles, TrieAccount};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::typed::Usage;
use medshare_protocol::usage::{State, UsageContract};

use super::layout::{self, packed};
use super::{
    AccountProof, ContractProof, MAX_PROOF_NODES, MAX_SLOTS, SlotProof, StorageProofError,
};
use super::{header, path};
use crate::record::PackageStatus;

/// An EVM block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EvmBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, s since the Unix epoch.
    pub time: u64,
}

/// What a proof proves, if its EVM block is real.
#[derive(Clone, Debug)]
pub struct ProvenStorage {
    /// The EVM block.
    pub block: EvmBlock,
    /// The contract.
    pub contract: Address,
    /// keccak256 of the contract's code.
    pub code_hash: B256,
    state_root: B256,
    slots: BTreeMap<B256, U256>,
}

impl ContractProof {
    /// Checks everything against the header's state root.
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(&self) -> Result<ProvenStorage, StorageProofError> {
        at_most("slots", self.storage.len(), MAX_SLOTS)?;
        let header = header::read(&self.header)
            .map_err(|error| StorageProofError::Header(error.to_string()))?;
        self.account.prove(header.state_root, self.contract)?;
        let mut before = None;
        for slot in &self.storage {
            if before
                .replace(slot.slot)
                .is_some_and(|before| before >= slot.slot)
            {
                return Err(StorageProofError::Order(slot.slot));
            }
            slot.prove(self.account.storage_root)?;
        }
        Ok(ProvenStorage {
            block: EvmBlock {
                number: header.number,
                // Of the bytes as they are, so that nothing depends on how they are read.
                hash: keccak256(&self.header),
                time: header.time,
            },
            contract: self.contract,
            code_hash: self.account.code_hash,
            state_root: header.state_root,
            slots: self
                .storage
                .iter()
                .map(|slot| (slot.slot, slot.value))
                .collect(),
        })
    }
}

impl SlotProof {
    /// Checks that the storage with this root held the value. A slot that holds nothing is not in Ethereum's trie; some chains
    /// for development keep the zero there.
    fn prove(&self, storage_root: B256) -> Result<(), StorageProofError> {
        let key = keccak256(self.slot);
        let value = Some(alloy::rlp::encode(self.value));
        let held = prove(storage_root, key, value, &self.proof)?;
        let shown = match held {
            Err(_) if self.value.is_zero() => prove(storage_root, key, None, &self.proof)?,
            shown => shown,
        };
        shown.map_err(|reason| StorageProofError::Slot {
            slot: self.slot,
            value: self.value,
            reason,
        })
    }
}

impl AccountProof {
    /// Checks that this was the account at `address` in the state with this root. An account that nobody has used is in
    /// no state: shown by the lack of it.
    fn prove(&self, state_root: B256, address: Address) -> Result<(), StorageProofError> {
        let account = TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: self.storage_root,
            code_hash: self.code_hash,
        };
        let key = keccak256(address);
        let held = prove(
            state_root,
            key,
            Some(alloy::rlp::encode(account)),
            &self.proof,
        )?;
        let shown = match held {
            Err(_) if account == TrieAccount::default() => {
                prove(state_root, key, None, &self.proof)?
            }
            shown => shown,
        };
        shown.map_err(|reason| StorageProofError::Account {
            account: address,
            reason,
        })
    }
}

impl ProvenStorage {
    /// Whether another account had code in that block.
    ///
    /// # Errors
    /// When `account` is not what the state held at `address`.
    pub fn has_code(
        &self,
        address: Address,
        account: &AccountProof,
    ) -> Result<bool, StorageProofError> {
        account.prove(self.state_root, address)?;
        Ok(account.code_hash != KECCAK256_EMPTY)
    }

    /// The package as the contract would have told it in that block; `State::None` when there is none.
    ///
    /// # Errors
    /// When the proof lacks a slot, or one holds what the contract does not write.
    pub fn package(&self, id: PackageId) -> Result<PackageStatus, StorageProofError> {
        let first = self.slot(layout::package(id, 0), "the package")?;
        let second = self.slot(layout::package(id, 1), "the package's usage contract")?;
        let key = self.slot(layout::package(id, 2), "the package's contract key")?;
        let requestor = layout::address(first);
        let dataset = packed(second, 0, 4) as u32;
        let owner = self.slot(layout::dataset_owner(dataset), "the dataset's owner")?;
        let custodian = layout::address(owner);
        let dataset_id = self.slot(layout::dataset_id(dataset), "the dataset's id")?;
        let record = self.slot(layout::record(requestor, dataset), "the violations")?;
        let relation = layout::relation(requestor, custodian);
        let relation = self.slot(relation, "the requestor's standing with the owner")?;
        let head: B256 = self.slot(layout::head(custodian, id), "the head")?.into();
        self.slot(layout::thread(requestor), "the thread's head")?;
        let origin: B256 = second.into();
        let started = head[..16] != origin[..16];
        let overtaken = packed(first, 24, 3) != packed(record, 4, 3)
            || packed(first, 27, 3) != packed(relation, 0, 3);
        let expiry = packed(second, 4, 8);
        let now_ms = self.block.time.saturating_mul(1_000);
        let state = match packed(first, 30, 1) {
            0 => State::None,
            3 => State::Retrieved,
            1 | 2 if now_ms >= expiry => State::Expired,
            1 if overtaken => State::Revoked,
            1 if started => State::Active,
            1 => State::Issued,
            2 => State::Revoked,
            _ => return Err(unreadable("the package", first)),
        };
        let usage = match state {
            State::None => None,
            _ => Some(usage(second, key, expiry)?),
        };
        Ok(PackageStatus {
            state,
            started,
            refused: packed(relation, 3, 1) != 0,
            requestor,
            custodian,
            dataset: DatasetId(dataset_id.into()),
            usage,
            settled: packed(first, 20, 4) as u32,
            violations: packed(record, 0, 4) as u32,
            head,
        })
    }

    /// Head of a requestor's thread; nothing before its first block.
    ///
    /// # Errors
    /// When the proof lacks the slot.
    pub fn thread_head(&self, requestor: Address) -> Result<Option<B256>, StorageProofError> {
        let head = self.slot(layout::thread(requestor), "the thread's head")?;
        Ok((!head.is_zero()).then(|| head.into()))
    }

    /// The custodian of a node; nothing when it was not registered in that block.
    ///
    /// # Errors
    /// When the proof lacks the slot.
    pub fn custodian_of(&self, node: Address) -> Result<Option<Address>, StorageProofError> {
        let custodian = layout::address(self.slot(layout::node(node), "a node's custodian")?);
        Ok((!custodian.is_zero()).then_some(custodian))
    }

    fn slot(&self, slot: B256, what: &'static str) -> Result<U256, StorageProofError> {
        let value = self.slots.get(&slot).copied();
        value.ok_or(StorageProofError::Missing { slot, what })
    }
}

fn usage(second: U256, key: U256, expiry: u64) -> Result<UsageContract, StorageProofError> {
    let byte = |offset| packed(second, offset, 1) as u8;
    let held = Usage {
        sensitivity: byte(12),
        granted: byte(13),
        exempt: byte(14),
        environment: byte(15),
        expiry,
        contractKey: key.into(),
    };
    UsageContract::from_typed(&held).ok_or_else(|| unreadable("the usage contract", second))
}

const fn unreadable(what: &'static str, value: U256) -> StorageProofError {
    StorageProofError::Unreadable { what, value }
}

/// Whether the trie with this root holds `value` under `key`; in words, what it holds instead.
pub(super) fn prove(
    root: B256,
    key: B256,
    value: Option<Vec<u8>>,
    nodes: &[Bytes],
) -> Result<Result<(), String>, StorageProofError> {
    at_most("trie nodes", nodes.len(), MAX_PROOF_NODES)?;
    if let Some(fault) = path::fault(key, nodes) {
        return Ok(Err(fault.into()));
    }
    let proven = verify_proof(root, Nibbles::unpack(key), value, nodes);
    Ok(proven.map_err(|error| error.to_string()))
}

const fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), StorageProofError> {
    if count <= limit {
        return Ok(());
    }
    Err(StorageProofError::TooLong { what, count, limit })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Tries {
        root: B256,
        good: Vec<Case>,
        refused: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        slot: B256,
        value: U256,
        nodes: Vec<Bytes>,
        /// Of a trie of its own.
        root: Option<B256>,
        #[serde(default)]
        why: String,
    }

    #[test]
    fn proofs_with_more_or_fewer_nodes_than_the_way_has_are_refused() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../test/vectors/refused.json"
        );
        let vectors: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let tries = Tries::deserialize(&vectors["trie"]).unwrap();
        let prove = |case: &Case| {
            let slot = SlotProof {
                slot: case.slot,
                value: case.value,
                proof: case.nodes.clone(),
            };
            slot.prove(case.root.unwrap_or(tries.root))
        };
        for case in &tries.good {
            prove(case).unwrap();
        }
        assert!(!tries.refused.is_empty());
        for case in &tries.refused {
            assert!(prove(case).is_err(), "took {}", case.why);
        }
    }

    #[test]
    fn no_way_is_longer_than_a_key() {
        let nodes = |count| vec![Bytes::new(); count];
        let tried = |count| prove(B256::ZERO, B256::ZERO, None, &nodes(count));
        assert!(tried(65).is_ok());
        let refused = tried(66).unwrap_err().to_string();
        assert!(refused.contains("66"), "{refused}");
    }

    #[test]
    fn no_more_slots_are_read_than_a_proof_has() {
        let slot = SlotProof {
            slot: B256::ZERO,
            value: U256::ZERO,
            proof: Vec::new(),
        };
        let tried = |count| {
            let proof = ContractProof {
                header: Bytes::new(),
                contract: Address::ZERO,
                account: AccountProof {
                    nonce: 0,
                    balance: U256::ZERO,
                    storage_root: B256::ZERO,
                    code_hash: B256::ZERO,
                    proof: Vec::new(),
                },
                storage: vec![slot.clone(); count],
            };
            proof.verify().unwrap_err()
        };
        assert!(matches!(tried(256), StorageProofError::Header(_)));
        let refused = tried(257).to_string();
        assert!(refused.contains("257"), "{refused}");
    }
}
