//! Goes through the contract's events in order, with the records of the blocks that they anchor.
//!
//! What is held at once is bounded, however long the ledger is and wherever its blocks are crowded: the events of one
//! [range](super::ranges), and the records of one [`Stretch`].

use std::collections::{HashMap, VecDeque};

use futures::{StreamExt, TryStreamExt, stream};
use medshare_chain::{B256, Event, LoggedEvent};
use medshare_protocol::block::Place;
use medshare_protocol::id::{LeafHash, PackageId};

use super::auditor::leaves;
use super::ranges::Ranges;
use super::{AuditError, AuditProgress, ContractView, FETCHES_AT_ONCE, Records};

/// A stretch ends with the event that makes it this many records, or events, long. One event has at most 512 records.
const STRETCH_RECORDS: usize = 256;
const STRETCH_EVENTS: usize = 1_024;
/// Progress is told after so many EVM blocks, or blocks of the ledger.
const TELLING_EVM_BLOCKS: u64 = 2_000;
const TELLING_BLOCKS: u64 = 1_000;

/// An event, with one record for each of its [`leaves`]; `None` for one that nobody serves.
pub(super) type Recorded = (LoggedEvent, Vec<Option<Vec<u8>>>);

/// Some events in order; none where none are in a range.
pub(super) struct Stretch {
    pub events: Vec<Recorded>,
    /// The EVM block up to which everything is handed out with this.
    pub evm_block: u64,
}

/// The newest EVM block, up to which everything is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tip {
    pub number: u64,
    pub hash: B256,
}

impl Tip {
    pub(super) async fn of(view: &impl ContractView) -> Result<Self, AuditError> {
        let number = view.newest_block().await?;
        let hash = hash_of(view, number).await?;
        Ok(Self { number, hash })
    }

    /// Fails when the chain was reorganised below it meanwhile.
    pub(super) async fn check(self, view: &impl ContractView) -> Result<(), AuditError> {
        if hash_of(view, self.number).await? == self.hash {
            return Ok(());
        }
        Err(AuditError::Reorganised { block: self.number })
    }
}

/// A walk from EVM block 0 to a tip.
pub(super) struct Walk<'a, V, R> {
    view: &'a V,
    records: &'a R,
    ranges: Ranges,
    /// Events of the last range that are not handed out yet.
    events: VecDeque<LoggedEvent>,
    /// Last block of that range.
    end: u64,
    /// How many blocks the side-chains have so far.
    heights: HashMap<PackageId, u64>,
}

impl<'a, V: ContractView, R: Records> Walk<'a, V, R> {
    pub(super) fn new(view: &'a V, records: &'a R, tip: Tip) -> Self {
        Self {
            view,
            records,
            ranges: Ranges::up_to(tip.number),
            events: VecDeque::new(),
            end: 0,
            heights: HashMap::new(),
        }
    }

    /// The next events with their records; nothing behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Stretch>, AuditError> {
        if self.events.is_empty() {
            let Some((begin, end)) = self.ranges.next() else {
                return Ok(None);
            };
            let events = self.view.events(begin, end).await?;
            let entries: usize = events.iter().map(|event| leaves(&event.event).len()).sum();
            self.ranges.read(end, events.len() + entries);
            (self.events, self.end) = (events.into(), end);
        }
        let mut stretch = Vec::new();
        let mut wanted = Vec::new();
        while wanted.len() < STRETCH_RECORDS && stretch.len() < STRETCH_EVENTS {
            let Some(event) = self.events.pop_front() else {
                break;
            };
            let own = self.places(&event.event);
            stretch.push((event, Vec::with_capacity(own.len())));
            wanted.extend(own.into_iter().map(|block| (stretch.len() - 1, block)));
        }
        let records = self.records;
        // `buffered` keeps the order.
        let mut fetched = stream::iter(wanted)
            .map(|(event, (leaf, place))| async move {
                let record = records.fetch(leaf, place).await?;
                Ok::<_, AuditError>((event, record))
            })
            .buffered(FETCHES_AT_ONCE);
        while let Some((event, record)) = fetched.try_next().await? {
            stretch[event].1.push(record);
        }
        let evm_block = match self.events.front() {
            Some(next) => next.position.block.saturating_sub(1),
            None => self.end,
        };
        Ok(Some(Stretch {
            events: stretch,
            evm_block,
        }))
    }
}

impl<V, R> Walk<'_, V, R> {
    /// The blocks that the next event anchors, and where they come to stand.
    fn places(&mut self, event: &Event) -> Vec<(LeafHash, Place)> {
        let leaves = leaves(event).into_iter();
        match event {
            Event::ReportsAnchored { package, .. } => {
                let height = self.heights.entry(*package).or_default();
                let next = |leaf| {
                    let place = Place::Side(*package, *height);
                    *height += 1;
                    (leaf, place)
                };
                leaves.map(next).collect()
            }
            _ => {
                let package = event.package().unwrap_or_default();
                leaves.map(|leaf| (leaf, Place::Parent(package))).collect()
            }
        }
    }
}

/// Tells how far a walk is: now and then, and in the end.
pub(super) struct Teller<'a> {
    tell: &'a (dyn Fn(AuditProgress) + Sync),
    tip: Tip,
    evm_block: u64,
    blocks: u64,
    told: (u64, u64),
}

impl<'a> Teller<'a> {
    pub(super) const fn new(tell: &'a (dyn Fn(AuditProgress) + Sync), tip: Tip) -> Self {
        Self {
            tell,
            tip,
            evm_block: 0,
            blocks: 0,
            told: (0, 0),
        }
    }

    /// Everything up to `evm_block` was dealt with, and so many more blocks of the ledger.
    pub(super) fn done(&mut self, evm_block: u64, blocks: u64) {
        self.evm_block = evm_block;
        self.blocks += blocks;
        let (evm_block, blocks) = self.told;
        if self.evm_block >= evm_block + TELLING_EVM_BLOCKS
            || self.blocks >= blocks + TELLING_BLOCKS
        {
            self.tell(self.evm_block);
        }
    }

    pub(super) fn end(mut self) {
        self.tell(self.tip.number);
    }

    fn tell(&mut self, evm_block: u64) {
        self.told = (self.evm_block, self.blocks);
        (self.tell)(AuditProgress {
            evm_block,
            last_evm_block: self.tip.number,
            blocks: self.blocks,
        });
    }
}

async fn hash_of(view: &impl ContractView, block: u64) -> Result<B256, AuditError> {
    view.hash_of_block(block)
        .await?
        .ok_or(AuditError::Reorganised { block })
}
