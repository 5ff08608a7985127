//! Who the other nodes are: read from the contract's events, verified at the newest block before use.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use alloy_primitives::Address;
use medshare_chain::{Chain, ChainError, Event, NodeRecord};
use tokio::sync::Mutex;

/// A peer that failed is asked after all others for so long.
const REST: Duration = Duration::from_secs(30);

/// Every node that was ever registered, and who failed lately.
#[derive(Default)]
pub(super) struct Directory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_block: u64,
    seen: BTreeSet<Address>,
    resting: HashMap<Address, Instant>,
    turn: usize,
}

impl Directory {
    /// All other nodes that are registered now.
    pub(super) async fn others(
        &self,
        chain: &Chain,
        own: Address,
    ) -> Result<Vec<(Address, NodeRecord)>, ChainError> {
        let seen = self.refresh(chain).await?;
        let others = seen.into_iter().filter(|node| *node != own);
        let records = others.map(|node| async move { Ok((node, chain.node(node).await?)) });
        let records: Vec<(Address, Option<NodeRecord>)> =
            futures::future::try_join_all(records).await?;
        Ok(records
            .into_iter()
            .filter_map(|(node, record)| Some((node, record?)))
            .collect())
    }

    /// Those that may be the second node for `own`, in the order in which to ask them: taking turns, the ones that
    /// failed lately last.
    pub(super) async fn candidates(
        &self,
        chain: &Chain,
        own: Address,
    ) -> Result<Vec<(Address, NodeRecord)>, ChainError> {
        let (others, own_record, custodians) = futures::try_join!(
            self.others(chain, own),
            chain.node(own),
            chain.custodian_count()
        )?;
        // The contract demands another custodian as soon as there is one (P13).
        let own_custodian = own_record.map(|record| record.custodian);
        let mut candidates: Vec<_> = others
            .into_iter()
            .filter(|(_, record)| custodians < 2 || Some(record.custodian) != own_custodian)
            .collect();
        let mut state = self.state.lock().await;
        if !candidates.is_empty() {
            let turn = state.turn % candidates.len();
            candidates.rotate_left(turn);
            state.turn = state.turn.wrapping_add(1);
        }
        state.resting.retain(|_, since| since.elapsed() < REST);
        candidates.sort_by_key(|(node, _)| state.resting.contains_key(node));
        Ok(candidates)
    }

    /// Notes that a peer failed.
    pub(super) async fn rest(&self, node: Address) {
        self.state.lock().await.resting.insert(node, Instant::now());
    }

    /// Reads the events since the last time. A reorganisation can only leave names too many, which `others` drops, or
    /// re-order recent ones, which are read again because the newest block is never counted as read.
    async fn refresh(&self, chain: &Chain) -> Result<BTreeSet<Address>, ChainError> {
        let mut state = self.state.lock().await;
        let newest = chain.block_number().await?;
        let from = state.next_block.min(newest);
        for logged in chain.events(from, newest).await? {
            if let Event::NodeRegistered { node, .. } = logged.event {
                state.seen.insert(node);
            }
        }
        state.next_block = newest;
        Ok(state.seen.clone())
    }
}
