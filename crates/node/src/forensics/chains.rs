//! Every block of every chain as it stands in the store, from its origin to the head that the contract holds.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use medshare_protocol::chain_verifier::{
    Blame, ChainName, ChainVerifier, Examined, Fault as BlockFault, examine,
};
use medshare_protocol::id::BlockId;
use medshare_protocol::merkle::Log;
use medshare_protocol::wire::AlertKind;

use super::{CHECKED_AT_ONCE, Fault};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{ChainEntry, EventPoint, StoredEntry};

/// One chain on its way from its origin to its head.
struct Walk {
    verifier: ChainVerifier,
    log: Log,
    /// Whether every entry so far follows from those before, and its merkle root from their leaves.
    is_sound: bool,
}

/// What is wrong with one block as it stands in the store.
struct Bad {
    entry: ChainEntry,
    kind: AlertKind,
    detail: String,
}

/// What a few blocks have shown.
#[derive(Default)]
struct Seen {
    bad: Vec<Bad>,
    /// The subtrees that are complete with them: height, number, hash.
    subtrees: Vec<(u64, u64, B256)>,
}

impl Inner {
    pub(super) async fn check_chains(self: &Arc<Self>, breath: Duration) -> Result<(), NodeError> {
        let mut after = None;
        while let Some(first) = self.store.next_chain(after).await? {
            self.check_chain(&first, breath).await?;
            after = Some(first.chain);
        }
        Ok(())
    }

    async fn check_chain(
        self: &Arc<Self>,
        first: &ChainEntry,
        breath: Duration,
    ) -> Result<(), NodeError> {
        let Some(position) = self.store.event_position().await? else {
            return Ok(());
        };
        let mut walk = Walk {
            verifier: self.verifier(first).await?,
            log: Log::default(),
            is_sound: true,
        };
        loop {
            let from = walk.log.size();
            let page = self
                .store
                .entries_from(first.chain, from, CHECKED_AT_ONCE)
                .await?;
            let is_last = page.len() < CHECKED_AT_ONCE as usize;
            let blocks = page.len() as u64;
            let seen;
            (walk, seen) = tokio::task::spawn_blocking(move || walk.take(page)).await?;
            metrics::counter!("medshare_store_checked_blocks_total").increment(blocks);
            for bad in seen.bad {
                self.bad_block(bad).await?;
            }
            for (height, number) in self
                .store
                .wrong_subtrees(first.chain, &seen.subtrees)
                .await?
            {
                let detail =
                    format!("the subtree {number} of the merkle log is not that of its leaves");
                self.bad_chain(first, AlertKind::Log, height, detail)
                    .await?;
                walk.is_sound = false;
            }
            if is_last {
                break;
            }
            if !breath.is_zero() {
                tokio::time::sleep(breath).await;
            }
        }
        self.check_head(first, &walk, position).await
    }

    /// What a chain's blocks are held to.
    async fn verifier(&self, first: &ChainEntry) -> Result<ChainVerifier, NodeError> {
        Ok(match first.name {
            ChainName::Thread(requestor) => ChainVerifier::thread(requestor, first.chain),
            ChainName::Side(package) => {
                let parent = self.store.parent_entry(package).await?;
                let id = parent.map(|parent| BlockId(parent.hash));
                ChainVerifier::side(package, medshare_protocol::id::LeafHash(first.chain.0), id)
            }
        })
    }

    /// The entries lead to the head that the contract held when they were all there were.
    async fn check_head(
        self: &Arc<Self>,
        first: &ChainEntry,
        walk: &Walk,
        position: EventPoint,
    ) -> Result<(), NodeError> {
        let size = self
            .store
            .chain_size(first.chain, Some(position.block))
            .await?;
        // More was anchored meanwhile: the next pass looks at it.
        if size != walk.log.size() || !walk.is_sound {
            return Ok(());
        }
        let held: B256 = match first.name {
            ChainName::Thread(requestor) => {
                self.chain.thread_head_at(requestor, position.block).await?
            }
            ChainName::Side(package) => self.chain.package_at(package, position.block).await?.head,
        };
        let reorganised = self.store.event_position().await?.is_none_or(|now| {
            now.block < position.block || (now.block == position.block && now.hash != position.hash)
        });
        let found = walk.verifier.head();
        if found == held || reorganised {
            return Ok(());
        }
        let detail =
            format!("the blocks here lead to the head {found}, and the contract holds {held}");
        let height = walk.log.size();
        self.bad_chain(first, AlertKind::Entry, height, detail)
            .await
    }

    /// Something that only the contract's events can mend, or deny.
    async fn bad_chain(
        self: &Arc<Self>,
        first: &ChainEntry,
        kind: AlertKind,
        height: u64,
        detail: String,
    ) -> Result<(), NodeError> {
        let fault = Fault {
            kind,
            chain: Some(first.name),
            height: Some(height),
            package: first.package,
            detail,
        };
        // What stood the comparison once is an author's fault, which is for auditors.
        if self.denied.knows(&fault) {
            return Ok(());
        }
        if self.restore_chain(first).await? || kind == AlertKind::Log {
            return self
                .alert(fault, Some("the contract's events".into()))
                .await;
        }
        self.denied.is_new(&fault);
        Ok(())
    }

    async fn bad_block(self: &Arc<Self>, bad: Bad) -> Result<(), NodeError> {
        let Bad {
            entry,
            kind,
            detail,
        } = bad;
        // It may have been replaced, or come, since it was read.
        if !self.store.still_holds(&entry).await? {
            return Ok(());
        }
        if kind == AlertKind::Entry {
            let height = entry.position;
            return self.bad_chain(&entry, kind, height, detail).await;
        }
        let repaired = self.restore_record(&entry).await?;
        // A block of another node that has not come yet is not lost: it is being fetched.
        if kind == AlertKind::Missing && repaired.is_none() {
            self.to_fetch.notify_one();
            return Ok(());
        }
        let fault = Fault {
            kind,
            chain: Some(entry.name),
            height: Some(entry.position),
            package: entry.package,
            detail,
        };
        self.alert(fault, repaired).await
    }
}

impl Walk {
    /// Takes in the next blocks.
    fn take(mut self, page: Vec<StoredEntry>) -> (Self, Seen) {
        let mut seen = Seen::default();
        for StoredEntry {
            entry,
            is_indexed,
            record,
        } in page
        {
            let height = self.log.size();
            let header = entry.entry.header(self.verifier.head());
            if entry.position != height || header.hash().0 != entry.hash || !is_indexed {
                self.is_sound = false;
                seen.bad.push(Bad {
                    kind: AlertKind::Entry,
                    detail: format!(
                        "the entry of block {height} does not follow from the one before"
                    ),
                    entry,
                });
                // What stands behind it is looked at once it is mended.
                break;
            }
            let leaf = entry.entry.leaf;
            let (chain, origin) = (self.verifier.chain(), self.verifier.origin());
            let examined = examine(chain, origin, leaf, record.as_deref());
            seen.bad.extend(self.push(entry, examined));
            let subtrees = &mut seen.subtrees;
            self.log.push_noting(leaf, |part, hash| {
                subtrees.push((height, part.number(), hash))
            });
        }
        (self, seen)
    }

    /// Other faults of authors are for auditors: here it is asked whether what is stored is what was anchored. A wrong
    /// merkle root may be its author's fault as well as a changed leaf: the contract's events tell.
    fn push(&mut self, entry: ChainEntry, examined: Examined) -> Option<Bad> {
        let bits = entry.entry.bits;
        self.verifier
            .push_examined(entry.entry, examined, &|_| true, bits);
        let faults = self.verifier.take_findings().into_iter();
        let told = faults.filter_map(|finding| match finding.fault {
            BlockFault::MerkleRoot { .. } if self.is_sound => {
                Some((AlertKind::Entry, finding.fault))
            }
            BlockFault::BodyMissing { .. } => Some((AlertKind::Missing, finding.fault)),
            fault if fault.blame() == Blame::Server => Some((AlertKind::Record, fault)),
            _ => None,
        });
        let (kind, fault) = told.min_by_key(|(kind, _)| *kind != AlertKind::Entry)?;
        // All later roots are wrong with it.
        self.is_sound &= kind != AlertKind::Entry;
        Some(Bad {
            entry,
            kind,
            detail: fault.to_string(),
        })
    }
}
