//! The body of every block of every chain as it stands in the store, from its origin to the head that the contract
//! holds.

use std::sync::Arc;
use std::time::Duration;

use medshare_protocol::block::record_with;
use medshare_protocol::chain_verifier::{
    Blame, ChainName, ChainVerifier, Fault as BlockFault, examine,
};
use medshare_protocol::id::BlockId;
use medshare_protocol::wire::AlertKind;

use super::{CHECKED_AT_ONCE, Fault};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{ChainEntry, EventPoint, StoredEntry};

/// Missing bodies of others that one pass asks for in vain at most.
const MISSING_ASKED: u32 = 16;
/// And so long each.
const MISSING_PATIENCE: Duration = Duration::from_secs(1);

/// What is wrong with one block.
struct Bad {
    entry: ChainEntry,
    kind: AlertKind,
    detail: String,
}

impl Inner {
    pub(super) async fn check_chains(self: &Arc<Self>, breath: Duration) -> Result<(), NodeError> {
        let mut after = None;
        let mut questions = MISSING_ASKED;
        while let Some(first) = self.store.next_chain(after).await? {
            self.check_chain(&first, breath, &mut questions).await?;
            after = Some(first.chain);
        }
        Ok(())
    }

    async fn check_chain(
        self: &Arc<Self>,
        first: &ChainEntry,
        breath: Duration,
        questions: &mut u32,
    ) -> Result<(), NodeError> {
        let Some(position) = self.store.event_position().await? else {
            return Ok(());
        };
        let Some(mut verifier) = self.verifier(first.chain).await? else {
            return Ok(());
        };
        let parent = self.store.parent_id(first.chain).await?;
        loop {
            let page = self
                .store
                .entries_from(first.chain, verifier.height(), CHECKED_AT_ONCE)
                .await?;
            let is_last = page.len() < CHECKED_AT_ONCE as usize;
            metrics::counter!("medshare_store_checked_blocks_total").increment(page.len() as u64);
            let bad;
            (verifier, bad) =
                tokio::task::spawn_blocking(move || take(verifier, parent, page)).await?;
            // After a reorganisation what was read before does not belong to what was read behind it.
            if !bad.is_empty() && !self.holds(position).await? {
                return Ok(());
            }
            for bad in bad {
                self.bad_block(bad, questions).await?;
            }
            if is_last {
                break;
            }
            if !breath.is_zero() {
                tokio::time::sleep(breath).await;
            }
        }
        self.check_head(first, &verifier, position).await
    }

    /// What a chain's blocks are held to; nothing of a side-chain without parent block, which is told elsewhere.
    async fn verifier(&self, chain: ChainName) -> Result<Option<ChainVerifier>, NodeError> {
        Ok(match chain {
            ChainName::Thread(requestor) => Some(ChainVerifier::thread(
                requestor,
                self.thread_origin(requestor),
            )),
            ChainName::Side(package) => {
                let parent = self.store.parent_entry(package).await?;
                parent.map(|parent| {
                    ChainVerifier::side(package, parent.leaf, Some(BlockId(parent.hash)))
                })
            }
        })
    }

    /// The entries lead to the head that the contract held when they were all there were: else its endpoint has told
    /// events that were not all.
    async fn check_head(
        &self,
        first: &ChainEntry,
        verifier: &ChainVerifier,
        position: EventPoint,
    ) -> Result<(), NodeError> {
        let size = self
            .store
            .chain_size(first.chain, Some(position.block))
            .await?;
        // More was anchored meanwhile: the next pass looks at it.
        if size != verifier.height() {
            return Ok(());
        }
        let held = self.held_head(first.chain, position).await?;
        let found = verifier.head();
        if found == held || !self.holds(position).await? {
            return Ok(());
        }
        let fault = Fault {
            kind: AlertKind::Entry,
            chain: Some(first.chain),
            height: Some(size),
            package: first.package,
            detail: format!(
                "the blocks here lead to the head {found}, and the contract holds {held}: the chain's endpoint has not told all events"
            ),
        };
        self.alert(fault, None).await
    }

    async fn bad_block(self: &Arc<Self>, bad: Bad, questions: &mut u32) -> Result<(), NodeError> {
        let Bad {
            entry,
            kind,
            detail,
        } = bad;
        // It may have been replaced, or come, since it was read.
        if !self.store.still_holds(&entry).await? {
            return Ok(());
        }
        let repaired = if kind == AlertKind::Missing {
            self.restore_missing(&entry, questions).await?
        } else {
            self.restore_body(&entry).await?
        };
        // A block of another node that has not come yet is not lost: it is being fetched.
        if kind == AlertKind::Missing && repaired.is_none() {
            self.to_fetch.notify_one();
            return Ok(());
        }
        let fault = Fault {
            kind,
            chain: Some(entry.chain),
            height: Some(entry.position),
            package: entry.package,
            detail,
        };
        self.alert(fault, repaired).await
    }
}

impl Inner {
    /// Whoever withholds bodies must not hold up the check: few are asked for, and for a moment. The others are fetched
    /// elsewhere.
    async fn restore_missing(
        self: &Arc<Self>,
        entry: &ChainEntry,
        questions: &mut u32,
    ) -> Result<Option<String>, NodeError> {
        if self.store.own_body(entry).await?.is_some() {
            return self.restore_body(entry).await;
        }
        let Some(left) = questions.checked_sub(1) else {
            return Ok(None);
        };
        let restored = tokio::time::timeout(MISSING_PATIENCE, self.restore_body(entry)).await;
        let restored = restored.unwrap_or(Ok(None))?;
        if restored.is_none() {
            *questions = left;
        }
        Ok(restored)
    }
}

/// Takes in the next blocks. Faults of authors are for auditors: here it is asked whether what is stored is what was
/// anchored.
fn take(
    mut verifier: ChainVerifier,
    parent: Option<BlockId>,
    page: Vec<StoredEntry>,
) -> (ChainVerifier, Vec<Bad>) {
    let mut bad = Vec::new();
    for StoredEntry { entry, body } in page {
        let (chain, origin) = (verifier.chain(), verifier.origin());
        let record = body.map(|body| record_with(&entry.header, parent, &body));
        let examined = examine(chain, origin, entry.leaf, record.as_deref());
        verifier.push_examined(entry.entry(), examined, &|_| true, entry.header.bits);
        let mut faults = verifier.take_findings().into_iter();
        let told = faults.find_map(|finding| match finding.fault {
            BlockFault::BodyMissing { .. } => Some((AlertKind::Missing, finding.fault)),
            fault if fault.blame() == Blame::Server => Some((AlertKind::Record, fault)),
            _ => None,
        });
        if let Some((kind, fault)) = told {
            bad.push(Bad {
                entry,
                kind,
                detail: fault.to_string(),
            });
        }
    }
    (verifier, bad)
}
