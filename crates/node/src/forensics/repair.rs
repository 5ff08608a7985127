//! Repairs: nothing is believed, everything is checked by hash.

use std::sync::Arc;

use medshare_protocol::merkle::leaf_hash;

use crate::error::NodeError;
use crate::running::Inner;
use crate::store::ChainEntry;

impl Inner {
    /// Puts back the body of a block: as this node made it, or from a peer. Says from where; nothing: nobody has it.
    pub(super) async fn restore_body(
        self: &Arc<Self>,
        entry: &ChainEntry,
    ) -> Result<Option<String>, NodeError> {
        let leaf = entry.leaf;
        let own = self.store.own_body(entry).await?;
        if let Some(body) = own.filter(|body| leaf_hash(body) == leaf) {
            self.store.put_body(leaf, &body).await?;
            return Ok(Some("the body that this node had made".into()));
        }
        match self.peers.fetch_body(&self.chain, leaf).await {
            Ok(body) => {
                self.store.put_body(leaf, &body).await?;
                Ok(Some("a peer".into()))
            }
            Err(error) => {
                tracing::debug!(%leaf, %error, "no peer has the block");
                Ok(None)
            }
        }
    }
}
