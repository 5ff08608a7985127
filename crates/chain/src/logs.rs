//! The contract's events in the order of the chain.

use alloy::primitives::B256;
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, Log};

use crate::event::{Event, EventPosition, LoggedEvent};
use crate::{Chain, ChainError};

impl Chain {
    /// All events of the contract from one block to another, both included, in order. Blocks that do not exist yet
    /// have none. The caller keeps the range short enough for its memory.
    ///
    /// # Errors
    /// When the chain cannot be asked, or tells what cannot be read.
    pub async fn events(
        &self,
        from_block: u64,
        to_block: u64,
    ) -> Result<Vec<LoggedEvent>, ChainError> {
        let mut events = Vec::new();
        let mut times = BlockTimes::default();
        let mut next = from_block;
        let mut chunk = self.rpc.log_chunk_blocks;
        // Endpoints refuse a range that goes beyond their newest block.
        let to_block = to_block.min(self.block_number().await?);
        while next <= to_block {
            let last = to_block.min(next.saturating_add(chunk - 1));
            match self.logs(next, last).await {
                Ok(logs) => {
                    for log in logs {
                        events.extend(self.logged_event(&log, &mut times).await?);
                    }
                    let Some(behind) = last.checked_add(1) else {
                        break;
                    };
                    next = behind;
                }
                // Endpoints limit range and size of an answer, each in its own words.
                Err(ChainError::Rpc { .. }) if chunk > 1 => chunk /= 2,
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    async fn logs(&self, from: u64, to: u64) -> Result<Vec<Log>, ChainError> {
        let filter = Filter::new()
            .address(self.contract())
            .from_block(from)
            .to_block(to);
        self.rpc
            .read("eth_getLogs", || self.rpc.provider.get_logs(&filter))
            .await
            .map_err(|failure| failure.error)
    }

    async fn logged_event(
        &self,
        log: &Log,
        times: &mut BlockTimes,
    ) -> Result<Option<LoggedEvent>, ChainError> {
        let Some(event) = Event::decode(&log.inner)? else {
            return Ok(None);
        };
        let placed = (
            log.block_number,
            log.log_index,
            log.block_hash,
            log.transaction_hash,
        );
        let (Some(block), Some(log_index), Some(block_hash), Some(transaction)) = placed else {
            return Err(ChainError::Malformed {
                what: "an event",
                reason: "it names no block or transaction".into(),
            });
        };
        let time = match log.block_timestamp {
            Some(time) => time,
            None => times.of(self, block_hash).await?,
        };
        let position = EventPosition {
            block,
            log_index,
            block_hash,
        };
        Ok(Some(LoggedEvent {
            position,
            transaction,
            time,
            event,
        }))
    }
}

/// Time of the block asked for last: events come block by block.
#[derive(Default)]
struct BlockTimes(Option<(B256, u64)>);

impl BlockTimes {
    async fn of(&mut self, chain: &Chain, hash: B256) -> Result<u64, ChainError> {
        if let Some((_, time)) = self.0.filter(|(known, _)| *known == hash) {
            return Ok(time);
        }
        let block = chain
            .rpc
            .read("eth_getBlockByHash", || {
                chain.rpc.provider.get_block_by_hash(hash)
            })
            .await
            .map_err(|failure| failure.error)?;
        let time = block.map(|block| block.header.timestamp).ok_or_else(|| {
            let reason = format!("the block {hash} is gone: the chain was reorganised");
            ChainError::Malformed {
                what: "an event",
                reason,
            }
        })?;
        self.0 = Some((hash, time));
        Ok(time)
    }
}
