//! The ledger (P5, P8, P20, P21): mines blocks on the heads that the chain holds, has them anchored, and serves their
//! records.
//!
//! What is to be sent is in the store before it is sent: sealed packages, recorded reports. What was sent is known
//! from the contract's events only. So after a crash, a lost answer or a reorganisation the same work is simply taken
//! up again, and the contract refuses what it has already.

mod anchoring;
mod issuing;
mod proofs;
mod records;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use medshare_protocol::block::next_header;
use medshare_protocol::header::{CompactTarget, Entry};
use medshare_protocol::id::LeafHash;

use crate::clock;
use crate::error::NodeError;
use crate::running::{Inner, Pauses};
use crate::store::ChainHead;

pub(crate) use anchoring::{FEWEST_TOGETHER, anchor_forever};
pub(crate) use issuing::issue_forever;
pub use proofs::UpTo;
pub(crate) use records::fetch_forever;

/// How a round of sending ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Nothing waits.
    Idle,
    /// Something was sent; more may wait.
    Sent,
    /// Something waits for what only time can bring: a clock, a registration, a chain.
    Later,
}

/// A mined block, ready to be anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mined {
    expected_head: alloy_primitives::B256,
    entry: Entry,
}

/// Mines a block with this leaf on top of `head`, and moves `head` there.
fn mine(head: &mut ChainHead, version: u32, leaf: LeafHash, bits: CompactTarget) -> Mined {
    head.log.push(leaf);
    let now = u32::try_from(clock::now_ms() / 1_000).unwrap_or(u32::MAX);
    let header = next_header(version, head.hash, &head.log, now, head.time, bits);
    let mined = Mined {
        expected_head: head.hash,
        entry: Entry::of(&header, leaf),
    };
    head.hash = header.hash().0;
    head.time = header.time;
    mined
}

impl Inner {
    /// The target to mine at: the easiest that the contract takes. It is asked once, and again when it refuses.
    async fn target(&self) -> Result<CompactTarget, NodeError> {
        let known = self.work_limit.load(Ordering::Relaxed);
        if known != 0 {
            return Ok(CompactTarget(known));
        }
        let bits = self.chain.work_limit().await?;
        self.work_limit.store(bits, Ordering::Relaxed);
        Ok(CompactTarget(bits))
    }

    /// Governance has made the work harder: ask again.
    fn forget_target(&self) {
        self.work_limit.store(0, Ordering::Relaxed);
    }
}

/// Runs rounds until the node stops: at once while there is something to send, after a bell when there is nothing,
/// after a growing pause when it failed.
async fn forever<F, R>(inner: &Arc<Inner>, bell: &tokio::sync::Notify, what: &str, mut round: F)
where
    F: FnMut() -> R,
    R: Future<Output = Result<Round, NodeError>>,
{
    let mut pauses = Pauses::default();
    loop {
        let pause: Option<Duration> = tokio::select! {
            () = inner.shutdown.cancelled() => return,
            done = round() => match done {
                Ok(Round::Idle) => { pauses.reset(); None }
                Ok(Round::Sent) => { pauses.reset(); Some(Duration::ZERO) }
                Ok(Round::Later) => Some(pauses.grow()),
                Err(error) => {
                    tracing::warn!(%error, "{what} failed; trying again");
                    Some(pauses.grow())
                }
            },
        };
        tokio::select! {
            () = inner.shutdown.cancelled() => return,
            () = async {
                match pause {
                    // Also without a bell: what waits only for time is looked at now and then.
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => bell.notified().await,
                }
            } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use medshare_protocol::merkle::Log;

    #[test]
    fn blocks_that_are_mined_together_stand_on_each_other() {
        let origin = B256::repeat_byte(1);
        let mut head = ChainHead {
            hash: origin,
            time: 0,
            log: Log::default(),
        };
        let bits = CompactTarget(0x2000_ffff);
        let first = mine(&mut head, 1, LeafHash(B256::repeat_byte(2)), bits);
        let second = mine(&mut head, 1, LeafHash(B256::repeat_byte(3)), bits);
        assert_eq!(first.expected_head, origin);
        assert_eq!(second.expected_head, first.entry.header(origin).hash().0);
        assert_eq!(
            head.hash,
            second.entry.header(second.expected_head).hash().0
        );
        assert!(second.entry.header(second.expected_head).meets_its_target());
        assert_eq!(head.log.size(), 2);
        assert_eq!(second.entry.merkle_root, head.log.header_root());
    }
}
