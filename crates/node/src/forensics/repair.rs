//! Repairs: nothing is believed, everything is checked by hash.

use std::sync::Arc;

use alloy_primitives::B256;
use medshare_protocol::block::{Block, ParentBlock, ParentBody, SideBlock, SideBody};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::BlockId;
use medshare_protocol::merkle::leaf_hash;

use crate::error::NodeError;
use crate::running::Inner;
use crate::store::ChainEntry;

impl Inner {
    /// Puts back the record of a block: from the body that this node made, or from a peer. Says from where; nothing:
    /// nobody has it.
    pub(super) async fn restore_record(
        self: &Arc<Self>,
        entry: &ChainEntry,
    ) -> Result<Option<String>, NodeError> {
        let leaf = entry.entry.leaf;
        let own = self.store.own_body(entry).await?;
        if let Some(block) = own
            .filter(|body| leaf_hash(body) == leaf)
            .and_then(|body| around(entry, &body))
        {
            self.keep_block(&block.to_bytes()).await?;
            return Ok(Some("the body that this node had made".into()));
        }
        match self.peers.fetch_block(&self.chain, leaf).await {
            Ok(record) => {
                self.keep_block(&record).await?;
                Ok(Some("a peer".into()))
            }
            Err(error) => {
                tracing::debug!(%leaf, %error, "no peer has the block");
                Ok(None)
            }
        }
    }
}

/// A block with this body; keeping it puts the anchored header around it.
fn around(entry: &ChainEntry, body: &[u8]) -> Option<Block> {
    let header = entry.entry.header(B256::ZERO);
    match entry.name {
        ChainName::Thread(_) => {
            let body = ParentBody::from_bytes(body).ok()?;
            Some(Block::Parent(ParentBlock { header, body }))
        }
        ChainName::Side(_) => {
            let body = SideBody::from_bytes(body).ok()?;
            Some(Block::Side(SideBlock::new(
                BlockId::default(),
                header,
                body,
            )))
        }
    }
}
