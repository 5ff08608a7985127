//! What the client asks of the chain. Behind a trait, so that tests can play a chain.

use alloy_primitives::{Address, U256};
use futures::future::BoxFuture;
use medshare_chain::{
    Chain, ChainError, Event, NodeRecord, PackageIssued, PackageStatus, RequestorRecord,
};
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Domain;

/// An answer that is on its way.
pub type Asked<'a, T> = BoxFuture<'a, Result<T, ChainError>>;

/// The questions. All are about the newest block.
pub trait Ledger: Send + Sync {
    /// The deployment that is asked.
    fn domain(&self) -> Domain;
    /// A package as the contract sees it now.
    fn package(&self, package: PackageId) -> Asked<'_, PackageStatus>;
    /// The event that issued a package; nothing when it was never issued.
    fn issued(&self, package: PackageId) -> Asked<'_, Option<PackageIssued>>;
    /// A node that is registered now.
    fn node(&self, node: Address) -> Asked<'_, Option<NodeRecord>>;
    /// A requestor as it is registered now.
    fn requestor(&self, requestor: Address) -> Asked<'_, Option<RequestorRecord>>;
    /// The nonce that a requestor's next registration must carry.
    fn registration_nonce(&self, requestor: Address) -> Asked<'_, U256>;
}

/// EVM blocks that are searched at once for the event that issued a package.
const SEARCH_BLOCKS: u64 = 2_000;

impl Ledger for Chain {
    fn domain(&self) -> Domain {
        self.domain().clone()
    }

    fn package(&self, package: PackageId) -> Asked<'_, PackageStatus> {
        Box::pin(self.package(package))
    }

    fn issued(&self, package: PackageId) -> Asked<'_, Option<PackageIssued>> {
        Box::pin(search_issued(self, package))
    }

    fn node(&self, node: Address) -> Asked<'_, Option<NodeRecord>> {
        Box::pin(self.node(node))
    }

    fn requestor(&self, requestor: Address) -> Asked<'_, Option<RequestorRecord>> {
        Box::pin(self.requestor(requestor))
    }

    fn registration_nonce(&self, requestor: Address) -> Asked<'_, U256> {
        Box::pin(self.registration_nonce(requestor))
    }
}

/// Backwards from the newest block: most packages are opened soon after they were issued.
async fn search_issued(
    chain: &Chain,
    package: PackageId,
) -> Result<Option<PackageIssued>, ChainError> {
    let mut last = chain.block_number().await?;
    loop {
        let first = last.saturating_sub(SEARCH_BLOCKS - 1);
        let events = chain.events(first, last).await?;
        let found = events.into_iter().find_map(|logged| match logged.event {
            Event::PackageIssued(issued) if issued.package == package => Some(*issued),
            _ => None,
        });
        if found.is_some() || first == 0 {
            return Ok(found);
        }
        last = first - 1;
    }
}
