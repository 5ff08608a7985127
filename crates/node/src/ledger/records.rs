//! Block records: served, taken from peers, pulled from them (P5, P8, P23).

use std::sync::Arc;
use std::time::Duration;

use medshare_protocol::block::{Block, ParentBlock, SideBlock};
use medshare_protocol::id::{BlockId, LeafHash, PackageId};
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
            match self.peers.fetch_block(&self.chain, leaf).await {
                Ok(record) => self.keep_block(&record).await?,
                Err(error) => {
                    tracing::warn!(%leaf, %error, "an anchored block is withheld");
                    complete = false;
                }
            }
        }
        Ok(complete)
    }

    pub(crate) async fn block(&self, leaf: LeafHash) -> Result<Vec<u8>, NodeError> {
        self.store.block(leaf).await?.ok_or_else(|| {
            NodeError::NotFound(format!("this node has no block with the leaf hash {leaf}"))
        })
    }

    pub(crate) async fn accept_block(self: &Arc<Self>, record: Vec<u8>) -> Result<(), NodeError> {
        let block = parsed(&record)?;
        if self.store.entry_of_leaf(block.leaf()).await?.is_none() {
            // The push may be faster than the chain's news of it.
            self.catch_up().await?;
        }
        self.keep_block(&record).await
    }

    /// Keeps a block whose leaf hash is anchored, with the header that is anchored: the leaf hash vouches for the
    /// body only.
    pub(crate) async fn keep_block(&self, record: &[u8]) -> Result<(), NodeError> {
        let block = parsed(record)?;
        let leaf = block.leaf();
        let entry = self.store.entry_of_leaf(leaf).await?.ok_or_else(|| {
            NodeError::NotFound(format!("no block with the leaf hash {leaf} is anchored"))
        })?;
        let anchored = self.with_anchored_header(&block, &entry).await?;
        self.store.put_block(leaf, entry.package, &anchored).await?;
        Ok(())
    }

    async fn with_anchored_header(
        &self,
        block: &Block,
        entry: &ChainEntry,
    ) -> Result<Vec<u8>, NodeError> {
        let previous = self.store.hash_before(entry).await?;
        let header = entry.entry.header(previous);
        Ok(match block {
            Block::Parent(parent) => ParentBlock {
                header,
                body: parent.body,
            }
            .to_bytes(),
            Block::Side(side) => {
                let parent = self.store.parent_entry(entry.package).await?;
                let parent = parent.map_or(BlockId::default(), |parent| BlockId(parent.hash));
                SideBlock::new(parent, header, side.body).to_bytes()
            }
        })
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
        let leaf = entry.entry.leaf;
        let record = match self.store.block(leaf).await? {
            Some(record) => record,
            // Another custodian's: its node may be asked before ours has pulled it.
            None => self.peers.fetch_block(&self.chain, leaf).await?,
        };
        Ok(StoredBlock {
            leaf,
            record: record.into(),
            transaction: Some(entry.transaction),
        })
    }
}

fn parsed(record: &[u8]) -> Result<Block, NodeError> {
    Block::from_bytes(record)
        .map_err(|error| NodeError::BadRequest(format!("this is no block record: {error}")))
}
