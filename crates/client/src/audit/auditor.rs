//! Takes the contract's events in order, with the block records behind them, and checks each. No I/O.

mod blocks;

use std::collections::{BTreeMap, HashMap};

use medshare_chain::{Address, B256, Event, LoggedEvent, PackageIssued, PackageStatus, ResponseKind};
use medshare_protocol::block::Block;
use medshare_protocol::chain_verifier::{Anchored, Blame, ChainName, ChainVerifier, Fault};
use medshare_protocol::header::{ENTRY_BYTES, Entry, entries};
use medshare_protocol::id::{BlockId, LeafHash, PackageId};
use medshare_protocol::origin::thread_origin;
use medshare_protocol::typed::Domain;

use super::AuditFault;
use super::registry::Registry;
use super::report::{
    Anchorage, AuditFinding, AuditReport, Check, MAX_FINDINGS, Subject,
};
use super::trail::{Accepted, ConductKey, Epochs, Recorded, Standing, Trail, conduct_key};

/// What the contract holds of everything that its events named, as of the last block read.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// Heads of the threads.
    pub threads: BTreeMap<Address, B256>,
    /// Packages.
    pub packages: BTreeMap<PackageId, PackageStatus>,
    /// Time of the last block, s since the Unix epoch.
    pub evm_time: u64,
    /// The auditor's own clock, s since the Unix epoch: contracts may be asked as of a moment after the last block.
    pub now: u64,
}

/// Leaf hashes of the blocks that an event anchors, in order.
#[must_use]
pub fn leaves(event: &Event) -> Vec<LeafHash> {
    match event {
        Event::PackageIssued(issued) => vec![Entry::from_bytes(&issued.entry).leaf],
        Event::ReportsAnchored { entries, .. } => {
            let (whole, _) = entries.as_chunks::<ENTRY_BYTES>();
            whole.iter().map(|entry| Entry::from_bytes(entry).leaf).collect()
        }
        _ => Vec::new(),
    }
}

/// How often each kind of check was made.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    parent_blocks: u64,
    side_blocks: u64,
    bodies: u64,
    bodies_missing: u64,
    violations: u64,
    heads: u64,
    states: u64,
}

/// An audit under way.
#[derive(Debug)]
pub struct Auditor {
    domain: Domain,
    source: String,
    registry: Registry,
    threads: BTreeMap<Address, ChainVerifier>,
    trails: BTreeMap<PackageId, Trail>,
    /// Violations, and the epoch, of a requestor on a dataset.
    conducts: HashMap<ConductKey, (u32, u32)>,
    owner_epochs: HashMap<(Address, Address), u32>,
    findings: Vec<AuditFinding>,
    findings_left_out: u64,
    counts: Counts,
}

impl Auditor {
    /// An audit of the deployment `domain` with records from `source`.
    #[must_use]
    pub fn new(domain: Domain, source: String) -> Self {
        Self {
            domain,
            source,
            registry: Registry::new(),
            threads: BTreeMap::new(),
            trails: BTreeMap::new(),
            conducts: HashMap::new(),
            owner_epochs: HashMap::new(),
            findings: Vec::new(),
            findings_left_out: 0,
            counts: Counts::default(),
        }
    }

    /// Blocks of the ledger taken in so far.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.counts.parent_blocks + self.counts.side_blocks
    }

    /// Requestors with a thread.
    #[must_use]
    pub fn requestors(&self) -> Vec<Address> {
        self.threads.keys().copied().collect()
    }

    /// Packages issued.
    #[must_use]
    pub fn packages(&self) -> Vec<PackageId> {
        self.trails.keys().copied().collect()
    }

    /// Takes in the next event, with one record for each of its [`leaves`]; `None` for one that nobody serves.
    pub fn take(&mut self, logged: &LoggedEvent, records: Vec<Option<Vec<u8>>>) {
        self.registry.take(&logged.event);
        let at = |node| Anchorage {
            evm_block: logged.position.block,
            evm_time: logged.time,
            transaction: logged.transaction,
            node,
        };
        match &logged.event {
            Event::PackageIssued(issued) => {
                let record = records.into_iter().next().flatten();
                self.issued(at(issued.node), issued, record);
            }
            Event::ReportsAnchored { package, node, entries } => {
                self.reports(at(*node), *package, entries, records);
            }
            event => self.changed(event, logged.time),
        }
    }

    /// Events that change the state of a package.
    fn changed(&mut self, event: &Event, time: u64) {
        let package = match event {
            Event::ViolationAccepted { package, .. }
            | Event::PackageRevoked { package, .. }
            | Event::PackageRegranted { package, .. }
            | Event::PackageRetrieved { package, .. }
            | Event::ResponseTaken { package, .. } => *package,
            _ => return,
        };
        let Some(trail) = self.trails.get_mut(&package) else {
            let fault = AuditFault::UnknownPackage { event: event.name() };
            return self.find(Subject::Package(package), None, fault);
        };
        let key = conduct_key(trail);
        match event {
            Event::ViolationAccepted { number, actions, report, .. } => {
                let (number, actions, report) = (*number, *actions, *report);
                trail.accepted.push(Accepted { number, actions, report, evm_time: time });
                trail.settled = number;
                self.conducts.entry(key).or_default().0 += 1;
            }
            Event::PackageRevoked { .. } => trail.standing = Standing::Revoked,
            Event::PackageRegranted { .. } => {
                trail.standing = Standing::Granted;
                trail.last_regrant_time = time;
                let epochs = self.epochs(key);
                if let Some(trail) = self.trails.get_mut(&package) {
                    trail.epochs = epochs;
                }
            }
            Event::PackageRetrieved { .. } => trail.standing = Standing::Retrieved,
            Event::ResponseTaken { kind: ResponseKind::RevokeDataset, .. } => {
                self.conducts.entry(key).or_default().1 += 1;
            }
            Event::ResponseTaken { kind: ResponseKind::RevokeOwner, .. } => {
                *self.owner_epochs.entry((key.0, key.1)).or_default() += 1;
            }
            _ => {}
        }
    }

    fn epochs(&self, key: ConductKey) -> Epochs {
        Epochs {
            dataset: self.conducts.get(&key).map_or(0, |(_, epoch)| *epoch),
            owner: self.owner_epochs.get(&(key.0, key.1)).copied().unwrap_or_default(),
        }
    }

    /// Compares what was rebuilt with what the contract holds, and tells everything.
    #[must_use]
    pub fn finish(mut self, heads: &Heads, evm_block: u64, evm_block_hash: B256) -> AuditReport {
        let threads = std::mem::take(&mut self.threads);
        let trails = std::mem::take(&mut self.trails);
        let side_chains = trails.values().filter(|trail| trail.side.height() > 0).count();
        let chains = (threads.len() + side_chains) as u64;
        let packages = trails.len() as u64;
        for (requestor, thread) in threads {
            let held = heads.threads.get(&requestor).copied().unwrap_or_default();
            self.head(ChainName::Thread(requestor), thread, held);
        }
        let mut violations_pending = 0;
        for (package, trail) in trails {
            violations_pending += self.package(package, trail, heads);
        }
        AuditReport {
            chain_id: self.domain.chain_id(),
            contract: self.domain.contract(),
            evm_block,
            evm_block_hash,
            chains,
            packages,
            parent_blocks: self.counts.parent_blocks,
            side_blocks: self.counts.side_blocks,
            bodies_missing: self.counts.bodies_missing,
            violations_pending,
            checks: self.checks(),
            source: self.source,
            findings: self.findings,
            findings_left_out: self.findings_left_out,
        }
    }

    fn head(&mut self, chain: ChainName, verifier: ChainVerifier, held: B256) {
        self.counts.heads += 1;
        let height = verifier.height();
        for finding in verifier.finish(held) {
            self.find(Subject::Block { chain, height }, None, finding.fault.into());
        }
    }

    /// The end of one package: state, head, violations. How many of these may still be on the way.
    fn package(&mut self, package: PackageId, trail: Trail, heads: &Heads) -> u64 {
        let Some(held) = heads.packages.get(&package) else {
            let (rebuilt, held) = ("known".to_owned(), "nothing".to_owned());
            let fault = AuditFault::State { field: "existence", rebuilt, held };
            self.find(Subject::Package(package), None, fault);
            return 0;
        };
        self.counts.states += 1;
        self.counts.violations += trail.accepted.len() as u64;
        let key = conduct_key(&trail);
        let epochs = self.epochs(key);
        let violations = self.conducts.get(&key).map_or(0, |(count, _)| *count);
        for fault in trail.differences(held, epochs, violations, heads.evm_time, heads.now) {
            self.find(Subject::Package(package), None, fault);
        }
        let (faults, pending) = trail.unmatched_violations(heads.evm_time);
        for fault in faults {
            self.find(Subject::Package(package), None, fault);
        }
        let chain = ChainName::Side(package);
        for (height, at, fault) in trail.unsettled(trail.state(epochs, heads.evm_time), heads.evm_time) {
            self.find(Subject::Block { chain, height }, Some(at), fault);
        }
        self.head(chain, trail.side, held.head);
        pending
    }

    /// Notes a finding; beyond a limit it is only counted.
    fn find(&mut self, subject: Subject, anchored: Option<Anchorage>, fault: AuditFault) {
        if self.findings.len() >= MAX_FINDINGS {
            self.findings_left_out += 1;
            return;
        }
        let served_by = (fault.blame() == Blame::Server).then(|| self.source.clone());
        self.findings.push(AuditFinding { subject, fault, anchored, served_by });
    }

    fn checks(&self) -> Vec<Check> {
        let Counts { parent_blocks, side_blocks, bodies, violations, heads, states, .. } = self.counts;
        let check = |what, count| Check { what, count };
        vec![
            check("links, work, merkle roots and times of headers", parent_blocks + side_blocks),
            check("bodies against the leaf hashes on chain", bodies),
            check("signatures of registered nodes", bodies),
            check("parent blocks against request, usage contract and second node on chain", parent_blocks),
            check("side-blocks in order, and judged again under the usage contract", side_blocks),
            check("settled violations against their side-blocks", violations),
            check("heads of chains against the contract's", heads),
            check("package states rebuilt from the events against the contract's", states),
        ]
    }
}
