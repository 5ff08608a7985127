//! Repairs: nothing is believed, everything is checked by hash.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use medshare_chain::Event;
use medshare_protocol::block::{Block, ParentBlock, ParentBody, SideBlock, SideBody};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::{Entry, entries};
use medshare_protocol::id::{BlockId, PackageId};
use medshare_protocol::merkle::leaf_hash;

use crate::error::NodeError;
use crate::running::Inner;
use crate::store::ChainEntry;

/// EVM blocks whose events are read at once.
const BLOCKS_AT_ONCE: u64 = 2_000;

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

    /// Puts back the entries of a chain, and its merkle log, from the contract's events. Says whether the entries were
    /// others.
    pub(super) async fn restore_chain(
        self: &Arc<Self>,
        first: &ChainEntry,
    ) -> Result<bool, NodeError> {
        let _one_at_a_time = self.following.lock().await;
        let Some(position) = self.store.event_position().await? else {
            return Ok(false);
        };
        let mut found = Vec::new();
        let mut next = 0;
        while next <= position.block {
            let last = position.block.min(next + BLOCKS_AT_ONCE - 1);
            for logged in self.chain.events(next, last).await? {
                for (package, node, entry) in entries_of(&logged.event, first.name) {
                    found.push(ChainEntry {
                        chain: first.chain,
                        name: first.name,
                        position: found.len() as u64,
                        package,
                        hash: B256::ZERO,
                        entry,
                        node,
                        transaction: logged.transaction,
                        evm_block: logged.position.block,
                    });
                }
            }
            next = last + 1;
        }
        let mut previous = first.chain.0;
        for entry in &mut found {
            previous = entry.entry.header(previous).hash().0;
            entry.hash = previous;
        }
        Ok(self.store.replace_chain(first.chain, &found).await?)
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

/// What an event anchored on this chain.
fn entries_of(event: &Event, chain: ChainName) -> Vec<(PackageId, Address, Entry)> {
    match (event, chain) {
        (Event::PackageIssued(issued), ChainName::Thread(requestor))
            if issued.request.requestor == requestor =>
        {
            vec![(
                issued.package,
                issued.node,
                Entry::from_bytes(&issued.entry),
            )]
        }
        (
            Event::ReportsAnchored {
                package,
                node,
                entries: bytes,
            },
            ChainName::Side(of),
        ) if *package == of => {
            let all = entries(bytes).unwrap_or_default();
            all.into_iter()
                .map(|entry| (*package, *node, entry))
                .collect()
        }
        _ => Vec::new(),
    }
}
