//! The trigger (P3): follows the contract's events and turns them into local rows and actions.
//!
//! It holds no information: its only state is the position in the event log, kept in the store in the same transaction
//! as what the events brought. So it goes on where it was after a crash, and after a reorganisation of the chain takes
//! back what is no longer true and applies what is.

use std::sync::Arc;
use std::time::Duration;

use medshare_protocol::block::Place;

use crate::clock;
use crate::error::NodeError;
use crate::running::{Inner, Pauses};
use crate::store::{Applied, EventContext, EventPoint, Store, StoreError};

/// EVM blocks whose events are applied in one transaction at most.
const BLOCKS_AT_ONCE: u64 = 2_000;
/// On a chain that stands still the newest block is compared again after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Known blocks that are compared with the chain at once when looking for the point where it was reorganised.
const CANDIDATES_AT_ONCE: u32 = 32;

/// Follows the events until the node stops.
pub(crate) async fn follow(inner: Arc<Inner>) {
    let mut pauses = Pauses::default();
    let mut silent = false;
    loop {
        let followed = tokio::select! {
            () = inner.shutdown.cancelled() => return,
            followed = follow_once(&inner) => followed,
        };
        match followed {
            Ok(()) => {
                pauses.reset();
                if std::mem::take(&mut silent) {
                    tracing::info!("the chain answers again");
                    inner.to_issue.notify_one();
                    inner.to_anchor.notify_one();
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut silent, true) {
                    tracing::warn!(%error, "the events cannot be followed; trying again");
                }
                tokio::select! {
                    () = inner.shutdown.cancelled() => return,
                    () = tokio::time::sleep(pauses.grow()) => {}
                }
            }
        }
    }
}

/// Catches up, then waits for the next block.
async fn follow_once(inner: &Arc<Inner>) -> Result<(), NodeError> {
    let reached = inner.catch_up().await?;
    let next = inner.chain.wait_for_block_after(reached.block);
    match tokio::time::timeout(LOOK_AGAIN, next).await {
        Ok(newest) => newest.map(drop).map_err(NodeError::from),
        // The newest block may have been replaced by another one of the same height.
        Err(_) => Ok(()),
    }
}

impl Inner {
    /// Applies all events up to the newest block. Whoever has just sent a transaction calls this instead of waiting
    /// for the follower.
    pub(crate) async fn catch_up(self: &Arc<Self>) -> Result<EventPoint, NodeError> {
        let _one_at_a_time = self.following.lock().await;
        let mut position = self.safe_position().await?;
        loop {
            let newest = self.chain.block_number().await?;
            if let Some(point) = position
                && newest <= point.block
            {
                return Ok(point);
            }
            if let Some((point, applied)) = self.apply_next(&self.store, position, newest).await? {
                self.react(applied);
                position = Some(point);
            }
        }
    }

    /// As [`Self::catch_up`], for what anybody may ask as often as they like: where there is nothing new, nobody waits for
    /// whoever follows.
    pub(crate) async fn catch_up_if_behind(self: &Arc<Self>) -> Result<(), NodeError> {
        let newest = self.chain.block_number().await?;
        let reached = self.store.event_position().await?;
        if reached.is_none_or(|point| point.block < newest) {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Applies the next events behind `position` to a store, those of the block `newest` the last. Nothing: a block
    /// was just replaced; the next try finds out.
    pub(crate) async fn apply_next(
        &self,
        store: &Store,
        position: Option<EventPoint>,
        newest: u64,
    ) -> Result<Option<(EventPoint, Applied)>, NodeError> {
        let next = position.map_or(0, |point| point.block + 1);
        let last = newest.min(next.saturating_add(BLOCKS_AT_ONCE - 1));
        // The hash first: should the chain be reorganised before the events are read, the next look finds out.
        let Some(hash) = self.chain.block_hash(last).await? else {
            return Ok(None);
        };
        let events = self.chain.events(next, last).await?;
        let point = EventPoint { block: last, hash };
        let origin = |requestor| self.thread_origin(requestor);
        let context = EventContext {
            node: self.address(),
            thread_origin: &origin,
            confirmations: self.limits.confirmations,
            now: clock::now_ms(),
        };
        let applied = store.apply_events(&events, point, context).await?;
        Ok(Some((point, applied)))
    }

    /// The position, after taking back what a reorganisation has made untrue.
    async fn safe_position(self: &Arc<Self>) -> Result<Option<EventPoint>, NodeError> {
        let position = match self.store.event_position().await {
            Ok(Some(position)) => position,
            // Who does not know how far it was begins anew: of a new store there is nothing to take back.
            Ok(None) | Err(StoreError::Corrupt { .. }) => {
                return self.take_back(None).await;
            }
            Err(error) => return Err(error.into()),
        };
        if self.holds(position).await? {
            return Ok(Some(position));
        }
        let safe = self.last_common_point(position).await?;
        tracing::warn!(
            from = position.block,
            to = safe.map(|point| point.block),
            "the chain was reorganised; events are applied again"
        );
        self.take_back(safe).await
    }

    /// Takes back everything behind the safe point; nothing: everything.
    async fn take_back(
        self: &Arc<Self>,
        safe: Option<EventPoint>,
    ) -> Result<Option<EventPoint>, NodeError> {
        let applied = self
            .store
            .rewind_events(safe, self.address(), clock::now_ms())
            .await?;
        self.react(applied);
        self.to_issue.notify_one();
        self.to_anchor.notify_one();
        Ok(safe)
    }

    pub(crate) async fn holds(&self, point: EventPoint) -> Result<bool, NodeError> {
        Ok(self.chain.block_hash(point.block).await? == Some(point.hash))
    }

    /// The newest block that events were applied from and that the chain still has.
    async fn last_common_point(
        &self,
        mut position: EventPoint,
    ) -> Result<Option<EventPoint>, NodeError> {
        loop {
            let candidates = self
                .store
                .event_blocks_before(position.block, CANDIDATES_AT_ONCE)
                .await?;
            for candidate in &candidates {
                if self.holds(*candidate).await? {
                    return Ok(Some(*candidate));
                }
            }
            match candidates.last() {
                Some(oldest) => position = *oldest,
                None => return Ok(None),
            }
        }
    }

    /// Tells everybody whom it concerns what the events brought.
    fn react(self: &Arc<Self>, applied: Applied) {
        for package in applied.packages {
            self.waiters.ring(package);
        }
        if !applied.anchored.is_empty() {
            // Reports of a package can be anchored from the moment that its parent block is, also the second time.
            self.to_anchor.notify_one();
        }
        for place in applied.anchored {
            self.tasks.spawn(push(Arc::clone(self), place));
        }
        if applied.foreign > 0 {
            self.to_fetch.notify_one();
        }
    }
}

/// Gives a newly anchored block to the other nodes. Who misses it pulls it later.
async fn push(inner: Arc<Inner>, place: Place) {
    let work = async {
        let Some(entry) = inner.store.entry_at(place).await? else {
            return Ok(());
        };
        let Some(record) = inner.store.record(&entry).await? else {
            return Ok(());
        };
        inner
            .peers
            .push_block(&inner.chain, &record)
            .await
            .map_err(NodeError::from)?;
        Ok::<(), NodeError>(())
    };
    tokio::select! {
        () = inner.shutdown.cancelled() => {}
        pushed = work => if let Err(error) = pushed {
            tracing::debug!(%place, %error, "a block could not be pushed");
        },
    }
}
