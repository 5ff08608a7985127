//! What an audit asks of the contract.

use std::future::Future;

use medshare_chain::{Address, B256, Chain, ChainError, LoggedEvent, PackageStatus};
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Domain;

/// A deployment, as somebody shows it: an EVM node, or a [`MadeUp`](super::made_up::MadeUp) ledger.
pub trait ContractView: Sync {
    /// Which deployment.
    fn domain(&self) -> &Domain;

    /// Number of the newest EVM block.
    fn newest_block(&self) -> impl Future<Output = Result<u64, ChainError>> + Send;

    /// Hash of an EVM block; nothing when there is none of this number.
    fn hash_of_block(
        &self,
        number: u64,
    ) -> impl Future<Output = Result<Option<B256>, ChainError>> + Send;

    /// Time of an EVM block, s since the Unix epoch; nothing when there is none of this number.
    fn time_of_block(
        &self,
        number: u64,
    ) -> impl Future<Output = Result<Option<u64>, ChainError>> + Send;

    /// All events of these EVM blocks, both included, in order.
    fn events(
        &self,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<LoggedEvent>, ChainError>> + Send;

    /// Head of a requestor's thread as of an EVM block.
    fn thread_head_at(
        &self,
        requestor: Address,
        block: u64,
    ) -> impl Future<Output = Result<B256, ChainError>> + Send;

    /// A package as of an EVM block.
    fn package_at(
        &self,
        package: PackageId,
        block: u64,
    ) -> impl Future<Output = Result<PackageStatus, ChainError>> + Send;
}

impl ContractView for Chain {
    fn domain(&self) -> &Domain {
        self.domain()
    }

    async fn newest_block(&self) -> Result<u64, ChainError> {
        self.block_number().await
    }

    async fn hash_of_block(&self, number: u64) -> Result<Option<B256>, ChainError> {
        self.block_hash(number).await
    }

    async fn time_of_block(&self, number: u64) -> Result<Option<u64>, ChainError> {
        self.time_of_block(number).await
    }

    async fn events(&self, from: u64, to: u64) -> Result<Vec<LoggedEvent>, ChainError> {
        self.events(from, to).await
    }

    async fn thread_head_at(&self, requestor: Address, block: u64) -> Result<B256, ChainError> {
        self.thread_head_at(requestor, block).await
    }

    async fn package_at(
        &self,
        package: PackageId,
        block: u64,
    ) -> Result<PackageStatus, ChainError> {
        self.package_at(package, block).await
    }
}
