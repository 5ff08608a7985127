//! A ledger of any size that nobody lived through: to measure audits with, and to test them on every byte.
//!
//! Its blocks are signed, mined (at difficulty 0) and chained as a node does it, and lie in a file; its events are told
//! and its records served as an EVM node and a custodian's node would. Packages come one behind the other, each with
//! its side-blocks.

mod contents;
mod store;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use medshare_chain::{Address, B256, ChainError, Event, EventPosition, LoggedEvent, PackageStatus};
use medshare_protocol::block::{
    DATA_VERSION_TABULAR, ParentBlock, ParentBody, Place, SideBlock, SideBody, next_header,
};
use medshare_protocol::header::{Entry, Header};
use medshare_protocol::id::{BlockId, LeafHash, PackageId};
use medshare_protocol::merkle::Log;
use medshare_protocol::origin::side_origin;
use medshare_protocol::typed::Domain;
use medshare_protocol::usage::State;

use super::{AuditError, ContractView, Records};
use contents::{ANY_HASH, Contents};
use store::{Anchored, Store};

/// Packages whose blocks are signed at once.
const SIGNED_AT_ONCE: usize = 64;
/// EVM block 0 has the deployment; a block a second follows.
const FOUNDING: u64 = 0;

/// How large a ledger.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Blocks in all: parent blocks and side-blocks.
    pub blocks: u32,
    /// Packages among them, at least 1.
    pub packages: u32,
    /// Requestors that share these packages, at least 1.
    pub requestors: u32,
    /// Side-blocks that are anchored by one event, 1 to 512.
    pub batch: usize,
}

impl Plan {
    /// Side-blocks of a package: as many for each, and one more for the first ones where it does not come out even.
    fn side_blocks(&self, package: u32) -> u32 {
        let rest = self.blocks.saturating_sub(self.packages);
        rest / self.packages + u32::from(package < rest % self.packages)
    }
}

/// A chain of the ledger that grows.
struct Growing {
    log: Log,
    head: B256,
}

impl Growing {
    fn from(origin: B256) -> Self {
        let log = Log::default();
        Self { log, head: origin }
    }

    fn grow(&mut self, version: u32, leaf: LeafHash, seconds: u32) -> Header {
        self.log.push(leaf);
        let header = next_header(version, self.head, &self.log, seconds, 0, ANY_HASH);
        self.head = header.hash().0;
        header
    }
}

/// A package as the contract holds it.
struct Held {
    id: PackageId,
    index: u32,
    head: B256,
}

/// The ledger.
pub struct MadeUp {
    plan: Plan,
    contents: Contents,
    store: Store,
    threads: BTreeMap<Address, B256>,
    /// By id.
    packages: Vec<Held>,
    /// Records of events that were told and are not fetched yet.
    served: Mutex<HashMap<LeafHash, Vec<u8>>>,
}

impl MadeUp {
    /// Signs, mines and chains everything into `file`, on all cores.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(file: File, plan: Plan) -> io::Result<Self> {
        let mut made = Self {
            plan,
            contents: Contents::new(),
            store: Store::new(file),
            threads: BTreeMap::new(),
            packages: Vec::new(),
            served: Mutex::default(),
        };
        let mut threads = BTreeMap::new();
        let all: Vec<u32> = (0..plan.packages).collect();
        for some in all.chunks(SIGNED_AT_ONCE) {
            for (index, (parent, sides)) in some.iter().zip(made.signed(some)) {
                made.put(*index, &mut threads, parent, &sides)?;
            }
        }
        made.store.end_writing()?;
        made.packages.sort_unstable_by_key(|package| package.id);
        let heads = threads.into_iter();
        made.threads = heads
            .map(|(name, thread): (_, Growing)| (name, thread.head))
            .collect();
        Ok(made)
    }

    /// The signed bodies of these packages.
    fn signed(&self, packages: &[u32]) -> Vec<(ParentBody, Vec<SideBody>)> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = packages.len().div_ceil(cores);
        let sign = |index: &u32| {
            let sides = self.plan.side_blocks(*index);
            self.contents.signed(*index, self.requestor(*index), sides)
        };
        let sign = &sign;
        thread::scope(|scope| {
            let shares = packages.chunks(share);
            let shares: Vec<_> = shares
                .map(|share| scope.spawn(move || share.iter().map(sign).collect::<Vec<_>>()))
                .collect();
            let done = shares.into_iter();
            done.flat_map(|share| share.join().expect("signing does not panic"))
                .collect()
        })
    }

    /// Mines and anchors the blocks of a package.
    fn put(
        &mut self,
        index: u32,
        threads: &mut BTreeMap<Address, Growing>,
        parent: ParentBody,
        sides: &[SideBody],
    ) -> io::Result<()> {
        let requestor = self.requestor(index);
        let thread = threads
            .entry(requestor)
            .or_insert_with(|| Growing::from(self.contents.thread_origin(requestor).0));
        let leaf = parent.leaf();
        let now = contents::seconds(self.store.next_block());
        let header = thread.grow(DATA_VERSION_TABULAR, leaf, now);
        let block = ParentBlock {
            header,
            body: parent,
        };
        let id = BlockId(thread.head);
        self.store
            .put(index, true, &[(Entry::of(&header, leaf), block.to_bytes())])?;
        let mut side = Growing::from(side_origin(leaf).0);
        for batch in sides.chunks(self.plan.batch) {
            let now = contents::seconds(self.store.next_block());
            let blocks: Vec<_> = batch
                .iter()
                .map(|body| {
                    let leaf = body.leaf();
                    let header = side.grow(body.transaction.number, leaf, now);
                    let block = SideBlock::new(id, header, *body);
                    (Entry::of(&header, leaf), block.to_bytes())
                })
                .collect();
            self.store.put(index, false, &blocks)?;
        }
        self.packages.push(Held {
            id: parent.transaction.package,
            index,
            head: side.head,
        });
        Ok(())
    }

    fn requestor(&self, package: u32) -> Address {
        contents::requestor(package % self.plan.requestors)
    }

    /// Everything that an auditor is told, in order, with the records that are served. It is held as a whole: for small
    /// ledgers.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn told(&self) -> io::Result<Vec<(LoggedEvent, Vec<Vec<u8>>)>> {
        let founding = self.contents.founding().into_iter();
        let mut told: Vec<_> = (0..)
            .zip(founding)
            .map(|(index, event)| (placed(FOUNDING, index, event), Vec::new()))
            .collect();
        for block in 1..self.store.next_block() {
            let (event, records) = self.event(block)?;
            told.push((event, records));
        }
        Ok(told)
    }

    /// The event of an EVM block behind the founding one, with its records.
    fn event(&self, block: u64) -> io::Result<(LoggedEvent, Vec<Vec<u8>>)> {
        let Anchored {
            package,
            is_parent,
            entries,
            records,
        } = self.store.get(block)?;
        let requestor = self.requestor(package);
        let event = if is_parent {
            self.contents.issued(package, requestor, &entries)
        } else {
            self.contents.anchored(package, requestor, entries)
        };
        Ok((placed(block, 0, event), records))
    }

    fn served(&self) -> MutexGuard<'_, HashMap<LeafHash, Vec<u8>>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn placed(block: u64, log_index: u64, event: Event) -> LoggedEvent {
    let hash = B256::left_padding_from(&block.to_be_bytes());
    LoggedEvent {
        position: EventPosition {
            block,
            log_index,
            block_hash: hash,
        },
        transaction: hash,
        time: u64::from(contents::seconds(block)),
        event,
    }
}

fn unreadable(error: &io::Error) -> ChainError {
    ChainError::Malformed {
        what: "the made-up ledger",
        reason: error.to_string(),
    }
}

impl ContractView for MadeUp {
    fn domain(&self) -> &Domain {
        self.contents.domain()
    }

    async fn newest_block(&self) -> Result<u64, ChainError> {
        Ok(self.store.next_block() - 1)
    }

    async fn hash_of_block(&self, number: u64) -> Result<Option<B256>, ChainError> {
        Ok(Some(B256::left_padding_from(&number.to_be_bytes())))
    }

    async fn time_of_block(&self, number: u64) -> Result<Option<u64>, ChainError> {
        Ok(Some(u64::from(contents::seconds(number))))
    }

    async fn events(&self, from: u64, to: u64) -> Result<Vec<LoggedEvent>, ChainError> {
        let mut events = Vec::new();
        if from == FOUNDING {
            let founding = (0..).zip(self.contents.founding());
            events.extend(founding.map(|(index, event)| placed(FOUNDING, index, event)));
        }
        for block in from.max(1)..=to {
            let (event, records) = self.event(block).map_err(|error| unreadable(&error))?;
            let leaves = super::auditor::leaves(&event.event);
            self.served().extend(leaves.into_iter().zip(records));
            events.push(event);
        }
        Ok(events)
    }

    async fn thread_head_at(&self, requestor: Address, _: u64) -> Result<B256, ChainError> {
        Ok(self.threads.get(&requestor).copied().unwrap_or_default())
    }

    async fn package_at(&self, package: PackageId, _: u64) -> Result<PackageStatus, ChainError> {
        let found = self.packages.binary_search_by_key(&package, |held| held.id);
        let held = found.ok().map(|at| &self.packages[at]);
        let started = held.is_some_and(|held| self.plan.side_blocks(held.index) > 0);
        Ok(PackageStatus {
            state: match held {
                None => State::None,
                Some(_) if started => State::Active,
                Some(_) => State::Issued,
            },
            started,
            refused: false,
            requestor: held.map_or(Address::ZERO, |held| self.requestor(held.index)),
            custodian: self.contents.custodian(),
            dataset: self.contents.dataset(),
            usage: held.map(|_| self.contents.usage()),
            settled: 0,
            violations: 0,
            head: held.map_or(B256::ZERO, |held| held.head),
        })
    }
}

impl Records for MadeUp {
    fn name(&self) -> String {
        "a made-up ledger".to_owned()
    }

    async fn check(&self, _: &Domain) -> Result<(), AuditError> {
        Ok(())
    }

    /// Each is served once, so that no more than what was told lately is held.
    async fn fetch(&self, leaf: LeafHash, _: Place) -> Result<Option<Vec<u8>>, AuditError> {
        Ok(self.served().remove(&leaf))
    }
}
