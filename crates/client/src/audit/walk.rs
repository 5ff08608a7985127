//! Goes through the contract's events in order, with the records of the blocks that they anchor.

use futures::{StreamExt, TryStreamExt, stream};
use medshare_chain::{B256, Chain, LoggedEvent};
use medshare_protocol::id::LeafHash;

use super::auditor::leaves;
use super::{AuditError, AuditProgress, BlockSource, FETCHES_AT_ONCE};

/// EVM blocks whose events are held at once.
const RANGE_BLOCKS: u64 = 2_000;

/// What is done with an event and with one record for each of its [`leaves`]; `None` for one that nobody serves.
pub(super) type Take<'a> =
    dyn FnMut(&LoggedEvent, Vec<Option<Vec<u8>>>) -> Result<(), AuditError> + Send + 'a;

/// The newest EVM block, up to which everything is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tip {
    pub number: u64,
    pub hash: B256,
}

impl Tip {
    pub(super) async fn of(chain: &Chain) -> Result<Self, AuditError> {
        let number = chain.block_number().await?;
        let hash = hash_of(chain, number).await?;
        Ok(Self { number, hash })
    }

    /// Fails when the chain was reorganised below it meanwhile.
    pub(super) async fn check(self, chain: &Chain) -> Result<(), AuditError> {
        if hash_of(chain, self.number).await? == self.hash {
            return Ok(());
        }
        Err(AuditError::Reorganised { block: self.number })
    }
}

/// Hands every event up to `tip` to `take`.
pub(super) async fn walk(
    chain: &Chain,
    source: &BlockSource,
    tip: Tip,
    progress: &(dyn Fn(AuditProgress) + Sync),
    take: &mut Take<'_>,
) -> Result<(), AuditError> {
    let mut blocks = 0;
    let mut next = 0;
    while next <= tip.number {
        let last = tip.number.min(next + RANGE_BLOCKS - 1);
        let events = chain.events(next, last).await?;
        blocks += hand_over(source, &events, take).await?;
        progress(AuditProgress {
            evm_block: last,
            last_evm_block: tip.number,
            blocks,
        });
        next = last + 1;
    }
    Ok(())
}

/// Fetches the records of all blocks that these events anchor, several at once; answers how many there are.
async fn hand_over(
    source: &BlockSource,
    events: &[LoggedEvent],
    take: &mut Take<'_>,
) -> Result<u64, AuditError> {
    let wanted: Vec<LeafHash> = events
        .iter()
        .flat_map(|event| leaves(&event.event))
        .collect();
    let blocks = wanted.len() as u64;
    let fetches = stream::iter(wanted)
        .map(|leaf| source.fetch(leaf))
        .buffered(FETCHES_AT_ONCE);
    let mut records = std::pin::pin!(fetches);
    for event in events {
        let mut own = Vec::new();
        for _ in leaves(&event.event) {
            // `buffered` keeps the order: these are this event's.
            own.push(records.try_next().await?.flatten());
        }
        take(event, own)?;
    }
    Ok(blocks)
}

async fn hash_of(chain: &Chain, block: u64) -> Result<B256, AuditError> {
    chain
        .block_hash(block)
        .await?
        .ok_or(AuditError::Reorganised { block })
}
