//! What the contract and the chain hold.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{BlockId, BlockNumberOrTag};
use medshare_protocol::id::{DatasetId, PackageId};
use tokio::time::sleep;

use crate::bindings::IMedShare as abi;
use crate::convert;
use crate::record::{DatasetRecord, NodeRecord, PackageStatus, RequestorRecord};
use crate::{Chain, ChainError};

/// How many poll intervals the pause of [`Chain::wait_for_block_after`] grows to on a chain that stands still.
const IDLE_POLLS: u32 = 10;

impl Chain {
    /// A package as of the newest block; `State::None` when there is no such package.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn package(&self, package: PackageId) -> Result<PackageStatus, ChainError> {
        convert::package(
            &self
                .view(&abi::packageOfCall { package: package.0 })
                .await?,
        )
    }

    /// A package as of the EVM block with the number `block`: for what must be buried some blocks deep.
    ///
    /// # Errors
    /// When the chain cannot be asked, or no longer has the state of that block.
    pub async fn package_at(
        &self,
        package: PackageId,
        block: u64,
    ) -> Result<PackageStatus, ChainError> {
        let call = abi::packageOfCall { package: package.0 };
        convert::package(
            &self
                .rpc
                .view(self.contract(), &call, BlockId::number(block))
                .await?,
        )
    }

    /// Head of a requestor's thread; before the first block its origin.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn thread_head(&self, requestor: Address) -> Result<B256, ChainError> {
        self.view(&abi::threadHeadCall { requestor }).await
    }

    /// Head of a requestor's thread as of the EVM block with the number `block`: auditors compare what they read up to
    /// that block.
    ///
    /// # Errors
    /// When the chain cannot be asked, or no longer has the state of that block.
    pub async fn thread_head_at(&self, requestor: Address, block: u64) -> Result<B256, ChainError> {
        let call = abi::threadHeadCall { requestor };
        self.rpc
            .view(self.contract(), &call, BlockId::number(block))
            .await
    }

    /// Origin of a requestor's thread as the contract computes it.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn thread_origin(&self, requestor: Address) -> Result<B256, ChainError> {
        self.view(&abi::threadOriginCall { requestor }).await
    }

    /// Compact form of the easiest target that a block may claim.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn work_limit(&self) -> Result<u32, ChainError> {
        self.view(&abi::workLimitCall {}).await
    }

    /// Whether governance has admitted this custodian.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn is_custodian(&self, custodian: Address) -> Result<bool, ChainError> {
        self.view(&abi::isCustodianCall { custodian }).await
    }

    /// How many custodians are admitted now.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn custodian_count(&self) -> Result<u64, ChainError> {
        let count = self.view(&abi::custodianCountCall {}).await?;
        u64::try_from(count).map_err(|_| ChainError::Malformed {
            what: "custodianCount",
            reason: format!("{count} custodians cannot be"),
        })
    }

    /// A node; nothing when it is not registered now.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn node(&self, node: Address) -> Result<Option<NodeRecord>, ChainError> {
        Ok(convert::node(self.view(&abi::nodeOfCall { node }).await?))
    }

    /// A requestor; nothing when it is not registered.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn requestor(
        &self,
        requestor: Address,
    ) -> Result<Option<RequestorRecord>, ChainError> {
        convert::requestor(&self.view(&abi::requestorOfCall { requestor }).await?)
    }

    /// The nonce that the next registration of `requestor` must carry, also before the first.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn registration_nonce(&self, requestor: Address) -> Result<U256, ChainError> {
        Ok(self.view(&abi::requestorOfCall { requestor }).await?.nonce)
    }

    /// A dataset; nothing when it is not published.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn dataset(
        &self,
        custodian: Address,
        dataset: DatasetId,
    ) -> Result<Option<DatasetRecord>, ChainError> {
        let call = abi::datasetOfCall {
            custodian,
            dataset: dataset.0,
        };
        convert::dataset(self.view(&call).await?)
    }

    /// Whether the custodian takes no requests of this requestor any more (P7).
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn is_refused(
        &self,
        custodian: Address,
        requestor: Address,
    ) -> Result<bool, ChainError> {
        self.view(&abi::isRefusedCall {
            custodian,
            requestor,
        })
        .await
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn block_number(&self) -> Result<u64, ChainError> {
        self.rpc
            .read("eth_blockNumber", || self.rpc.provider.get_block_number())
            .await
            .map_err(|failure| failure.error)
    }

    /// Time of the newest block, s since the Unix epoch.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn block_time(&self) -> Result<u64, ChainError> {
        let block = self.header(BlockNumberOrTag::Latest).await?;
        block
            .map(|(_, time)| time)
            .ok_or_else(|| ChainError::Malformed {
                what: "the newest block",
                reason: "there is none".into(),
            })
    }

    /// Hash of the block with this number; nothing when the chain is not that long. When it changes, the chain was
    /// reorganised.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn block_hash(&self, number: u64) -> Result<Option<B256>, ChainError> {
        let block = self.header(BlockNumberOrTag::Number(number)).await?;
        Ok(block.map(|(hash, _)| hash))
    }

    /// Time of the block with this number, s since the Unix epoch; nothing when the chain is not that long.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn time_of_block(&self, number: u64) -> Result<Option<u64>, ChainError> {
        let block = self.header(BlockNumberOrTag::Number(number)).await?;
        Ok(block.map(|(_, time)| time))
    }

    /// Hash and time of a block.
    async fn header(&self, number: BlockNumberOrTag) -> Result<Option<(B256, u64)>, ChainError> {
        let block = self
            .rpc
            .read("eth_getBlockByNumber", || {
                self.rpc.provider.get_block_by_number(number)
            })
            .await
            .map_err(|failure| failure.error)?;
        Ok(block.map(|block| (block.header.hash, block.header.timestamp)))
    }

    /// The code at an address; empty for an account without.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn code_at(&self, address: Address) -> Result<Bytes, ChainError> {
        self.rpc
            .read("eth_getCode", || self.rpc.provider.get_code_at(address))
            .await
            .map_err(|failure| failure.error)
    }

    /// Whether there is code at an address: a contract, or an account that delegates to one (EIP-7702).
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn is_contract(&self, address: Address) -> Result<bool, ChainError> {
        Ok(!self.code_at(address).await?.is_empty())
    }

    /// The currency that an account holds for gas, wei.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        self.rpc
            .read("eth_getBalance", || self.rpc.provider.get_balance(account))
            .await
            .map_err(|failure| failure.error)
    }

    /// Waits until the newest block's number is not `block` any more and returns it: higher, or lower after a
    /// reorganisation. On a chain that stands still the pause grows to ten poll intervals.
    ///
    /// # Errors
    /// When the chain cannot be asked; the caller decides whether to go on waiting.
    pub async fn wait_for_block_after(&self, block: u64) -> Result<u64, ChainError> {
        let mut pause = self.rpc.poll;
        loop {
            let newest = self.block_number().await?;
            if newest != block {
                return Ok(newest);
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(self.rpc.poll * IDLE_POLLS);
        }
    }
}
