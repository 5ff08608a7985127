//! Asks the chain for a proof.

use alloy::consensus::Header;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider;
use alloy::rpc::types::BlockId;
use alloy_trie::{KECCAK_EMPTY, TrieAccount};
use medshare_protocol::id::PackageId;

use super::layout::{self, packed};
use super::{AccountProof, ContractProof, SlotProof};
use crate::{Chain, ChainError};

impl Chain {
    /// Proof of a package's state, of its head and its thread's head, and of the custodians of `nodes`, at the EVM block
    /// with this number, or the newest one; or that there was no such package. Nothing when there was no contract then, or
    /// when there is no such block yet.
    ///
    /// # Errors
    /// When the chain cannot be asked, does not answer `eth_getProof`, or no longer has the state of that block.
    pub async fn prove(
        &self,
        package: PackageId,
        nodes: &[Address],
        block: Option<u64>,
    ) -> Result<Option<ContractProof>, ChainError> {
        let Some(header) = self.whole_header(block).await? else {
            return Ok(None);
        };
        let at = BlockId::number(header.number);
        // The slots of one thing are named by what others hold.
        let requestor = layout::address(self.slot(layout::package(package, 0), at).await?);
        let second = self.slot(layout::package(package, 1), at).await?;
        let dataset = u32::try_from(packed(second, 0, 4)).unwrap_or_default();
        let custodian = layout::address(self.slot(layout::dataset_owner(dataset), at).await?);
        let mut slots = vec![
            layout::package(package, 0),
            layout::package(package, 1),
            layout::package(package, 2),
            layout::dataset_owner(dataset),
            layout::dataset_id(dataset),
            layout::record(requestor, dataset),
            layout::relation(requestor, custodian),
            layout::head(custodian, package),
            layout::thread(requestor),
        ];
        slots.extend(nodes.iter().copied().map(layout::node));
        slots.sort_unstable();
        slots.dedup();
        self.proof(&header, slots, at).await
    }

    async fn proof(
        &self,
        header: &Header,
        slots: Vec<B256>,
        at: BlockId,
    ) -> Result<Option<ContractProof>, ChainError> {
        let provider = &self.rpc.provider;
        let answer = self
            .rpc
            .read("eth_getProof", || {
                provider
                    .get_proof(self.contract(), slots.clone())
                    .block_id(at)
            })
            .await
            .map_err(|failure| failure.error)?;
        if matches!(answer.code_hash, B256::ZERO | KECCAK_EMPTY) {
            return Ok(None);
        }
        let account = AccountProof {
            nonce: answer.nonce,
            balance: answer.balance,
            storage_root: answer.storage_hash,
            code_hash: answer.code_hash,
            proof: answer.account_proof,
        };
        let storage = answer.storage_proof.into_iter().map(|slot| SlotProof {
            slot: slot.key.as_b256(),
            value: slot.value,
            proof: slot.proof,
        });
        let proof = ContractProof {
            header: Bytes::from(alloy::rlp::encode(header)),
            contract: self.contract(),
            account,
            storage: storage.collect(),
        };
        // A chain that answers with what does not hold is found out here, not by whoever gets the proof.
        proof.verify().map_err(|error| ChainError::Malformed {
            what: "eth_getProof",
            reason: error.to_string(),
        })?;
        Ok(Some(proof))
    }

    /// Proof of what kind of account a wallet was, at the EVM block with this number.
    ///
    /// # Errors
    /// As of [`prove`](Self::prove).
    pub async fn prove_account(
        &self,
        address: Address,
        block: u64,
    ) -> Result<AccountProof, ChainError> {
        let provider = &self.rpc.provider;
        let answer = self
            .rpc
            .read("eth_getProof", || {
                provider
                    .get_proof(address, Vec::new())
                    .block_id(BlockId::number(block))
            })
            .await
            .map_err(|failure| failure.error)?;
        let is_used = answer.nonce > 0 || !answer.balance.is_zero();
        let is_there = is_used || !matches!(answer.code_hash, B256::ZERO | KECCAK_EMPTY);
        // Some chains tell zeros of an account that nobody has used, some the hashes of nothing.
        let nothing = TrieAccount::default();
        Ok(AccountProof {
            nonce: answer.nonce,
            balance: answer.balance,
            storage_root: if is_there {
                answer.storage_hash
            } else {
                nothing.storage_root
            },
            code_hash: if is_there {
                answer.code_hash
            } else {
                nothing.code_hash
            },
            proof: answer.account_proof,
        })
    }

    async fn slot(&self, slot: B256, at: BlockId) -> Result<U256, ChainError> {
        let provider = &self.rpc.provider;
        self.rpc
            .read("eth_getStorageAt", || {
                provider
                    .get_storage_at(self.contract(), slot.into())
                    .block_id(at)
            })
            .await
            .map_err(|failure| failure.error)
    }

    async fn whole_header(&self, block: Option<u64>) -> Result<Option<Header>, ChainError> {
        let number = block.map_or(BlockNumberOrTag::Latest, BlockNumberOrTag::Number);
        let block = self
            .rpc
            .read("eth_getBlockByNumber", || {
                self.rpc.provider.get_block_by_number(number)
            })
            .await
            .map_err(|failure| failure.error)?;
        let Some(block) = block else {
            return Ok(None);
        };
        let (header, told) = (block.header.inner, block.header.hash);
        if header.hash_slow() == told {
            return Ok(Some(header));
        }
        let reason = format!(
            "the hash {told} is not that of its header: this chain has other headers than Ethereum's"
        );
        Err(ChainError::Malformed {
            what: "an EVM block",
            reason,
        })
    }
}
