//! Block records: served, taken from peers, pulled from them (P5, P8, P23).

use std::sync::Arc;
use std::time::Duration;

use medshare_protocol::block::{Place, body_of, record_with};
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::merkle::leaf_hash;
use medshare_protocol::wire::{PackageBlocks, StoredBlock};

use crate::error::NodeError;
use crate::running::Inner;
use crate::store::ChainEntry;

/// Missing blocks that are asked for in one round.
const MISSING_AT_ONCE: u32 = 64;
/// Blocks arrive by themselves when their node pushes them; only what has not come after this long is pulled.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause before a block that nobody served is asked for again.
const WITHHELD_PAUSE: Duration = Duration::from_secs(60);

/// Pulls the blocks of other nodes that were anchored but did not arrive, until the node stops.
pub(crate) async fn fetch_forever(inner: Arc<Inner>) {
    loop {
        let round = async {
            inner.to_fetch.notified().await;
            loop {
                tokio::time::sleep(PATIENCE).await;
                match inner.fetch_missing().await {
                    Ok(true) => break,
                    Ok(false) => tokio::time::sleep(WITHHELD_PAUSE).await,
                    Err(error) => {
                        tracing::debug!(%error, "missing blocks cannot be fetched now");
                        tokio::time::sleep(WITHHELD_PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            () = inner.shutdown.cancelled() => return,
            () = round => {}
        }
    }
}

impl Inner {
    /// Asks the peers for blocks that are missing here. Returns whether all came.
    async fn fetch_missing(&self) -> Result<bool, NodeError> {
        let missing = self.store.missing_blocks(MISSING_AT_ONCE).await?;
        let mut complete = missing.len() < MISSING_AT_ONCE as usize;
        for leaf in missing {
            match self.peers.fetch_body(&self.chain, leaf).await {
                Ok(body) => self.store.put_body(leaf, &body).await?,
                Err(error) => {
                    tracing::warn!(%leaf, %error, "an anchored block is withheld");
                    complete = false;
                }
            }
        }
        Ok(complete)
    }

    /// The record of a block at a place; without one, where its leaf hash was anchored first.
    pub(crate) async fn block(
        self: &Arc<Self>,
        leaf: LeafHash,
        place: Option<Place>,
    ) -> Result<Vec<u8>, NodeError> {
        let entry = self.anchored(leaf, place).await?;
        self.store.record(&entry).await?.ok_or_else(|| {
            NodeError::NotFound(format!("this node has no block with the leaf hash {leaf}"))
        })
    }

    /// What is anchored of a leaf hash at a place, or at the first one.
    pub(crate) async fn anchored(
        self: &Arc<Self>,
        leaf: LeafHash,
        place: Option<Place>,
    ) -> Result<ChainEntry, NodeError> {
        if let Some(entry) = self.known(leaf, place).await? {
            return Ok(entry);
        }
        // Whoever asks may have heard of it before this node did.
        self.catch_up_if_behind().await?;
        let entry = self.known(leaf, place).await?;
        entry.ok_or_else(|| {
            NodeError::NotFound(match place {
                None => format!("no block with the leaf hash {leaf} is anchored"),
                Some(place) => format!("{place} does not have the leaf hash {leaf}"),
            })
        })
    }

    async fn known(
        &self,
        leaf: LeafHash,
        place: Option<Place>,
    ) -> Result<Option<ChainEntry>, NodeError> {
        let Some(place) = place else {
            return Ok(self.store.entry_of_leaf(leaf).await?);
        };
        let entry = self.store.entry_at(place).await?;
        Ok(entry.filter(|entry| entry.leaf == leaf))
    }

    pub(crate) async fn accept_block(self: &Arc<Self>, record: Vec<u8>) -> Result<(), NodeError> {
        let body = body_of(&record).ok_or_else(|| {
            NodeError::BadRequest(format!("{} bytes are no block record", record.len()))
        })?;
        let leaf = leaf_hash(body);
        // The leaf hash vouches for the body; what stands before it follows from the chain.
        self.anchored(leaf, None).await?;
        Ok(self.store.put_body(leaf, body).await?)
    }

    pub(crate) async fn package_blocks(&self, id: PackageId) -> Result<PackageBlocks, NodeError> {
        let parent = self
            .store
            .parent_entry(id)
            .await?
            .ok_or_else(|| NodeError::NotFound(format!("no package {id} is issued")))?;
        let mut sides = Vec::new();
        for entry in self.store.side_entries(id).await? {
            sides.push(self.stored_block(&entry).await?);
        }
        Ok(PackageBlocks {
            parent: self.stored_block(&parent).await?,
            sides,
        })
    }

    async fn stored_block(&self, entry: &ChainEntry) -> Result<StoredBlock, NodeError> {
        let record = match self.store.record(entry).await? {
            Some(record) => record,
            // Another custodian's: its node may be asked before ours has pulled it.
            None => {
                let body = self.peers.fetch_body(&self.chain, entry.leaf).await?;
                let parent = self.store.parent_id(entry.chain).await?;
                record_with(&entry.header, parent, &body)
            }
        };
        Ok(StoredBlock {
            leaf: entry.leaf,
            record: record.into(),
            transaction: Some(entry.transaction),
        })
    }
}
