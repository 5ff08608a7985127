//! Takes the contract's events in order, with the block records behind them, and checks each. No I/O.

mod blocks;
mod compare;
mod examining;
mod states;

use std::collections::{BTreeMap, HashMap};

use medshare_chain::{Address, B256, Event, LoggedEvent, PackageStatus};
use medshare_protocol::chain_verifier::{Blame, ChainName, ChainVerifier, Examined};
use medshare_protocol::header::{ENTRY_BYTES, Entry};
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::typed::Domain;
use medshare_protocol::usage::State;

use super::files::{FileKind, Files};
use super::registry::Registry;
use super::report::{Anchorage, AuditFinding, AuditReport, Check, MAX_FINDINGS, Subject};
use super::shelf::{HELD, Shelf};
use super::trail::{ConductKey, Trail};
use super::{AuditError, AuditFault};

pub use examining::Unexamined;

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

/// When the contract was asked for what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// As in [`Heads`].
    pub evm_time: u64,
    /// As in [`Heads`].
    pub now: u64,
}

/// Leaf hashes of the blocks that an event anchors, in order.
#[must_use]
pub fn leaves(event: &Event) -> Vec<LeafHash> {
    match event {
        Event::PackageIssued(issued) => vec![Entry::from_bytes(&issued.entry).leaf],
        Event::ReportsAnchored { entries, .. } => {
            let (whole, _) = entries.as_chunks::<ENTRY_BYTES>();
            whole
                .iter()
                .map(|entry| Entry::from_bytes(entry).leaf)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// How often each kind of check was made.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    packages: u64,
    chains: u64,
    violations_pending: u64,
    parent_blocks: u64,
    side_blocks: u64,
    /// Parent blocks whose body was there and readable; the rest could be compared with nothing.
    parent_bodies: u64,
    /// Side-blocks whose body was there and readable.
    side_bodies: u64,
    bodies: u64,
    bodies_missing: u64,
    violations: u64,
    heads: u64,
    states: u64,
    /// Where files were to be checked.
    files: Option<u64>,
}

/// An audit under way. What it keeps does not grow with the blocks of a chain: see `trail` for what a package takes.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug)]
pub struct Auditor {
    domain: Domain,
    source: String,
    registry: Registry,
    threads: Shelf<Address, ChainVerifier>,
    trails: Shelf<PackageId, Trail>,
    /// Leaf hashes of the parent blocks of packages that are planned and not yet taken.
    ahead: HashMap<PackageId, LeafHash>,
    /// Violations, and the epoch, of a requestor on a dataset.
    conducts: HashMap<ConductKey, (u32, u32)>,
    owner_epochs: HashMap<(Address, Address), u32>,
    findings: Vec<AuditFinding>,
    findings_left_out: u64,
    counts: Counts,
    /// Files to be checked, if any.
    files: Option<Files>,
}

impl Auditor {
    /// An audit of the deployment `domain` with records from `source`.
    #[must_use]
    pub fn new(domain: Domain, source: String) -> Self {
        Self {
            domain,
            source,
            registry: Registry::new(),
            threads: Shelf::new(HELD),
            trails: Shelf::new(HELD),
            ahead: HashMap::new(),
            conducts: HashMap::new(),
            owner_epochs: HashMap::new(),
            findings: Vec::new(),
            findings_left_out: 0,
            counts: Counts::default(),
            files: None,
        }
    }

    /// The same, of files as well that blocks commit to.
    #[must_use]
    pub fn with_files(self, files: Files) -> Self {
        let files = Some(files);
        Self { files, ..self }
    }

    /// Requestors with a thread.
    #[must_use]
    pub fn requestors(&self) -> Vec<Address> {
        self.threads.keys()
    }

    /// Packages issued.
    #[must_use]
    pub fn packages(&self) -> Vec<PackageId> {
        self.trails.keys()
    }

    /// The first of the requestors whose thread is not closed yet, so many at most.
    #[must_use]
    pub fn first_requestors(&self, most: usize) -> Vec<Address> {
        self.threads.first(most)
    }

    /// The first of the packages that are not closed yet, so many at most.
    #[must_use]
    pub fn first_packages(&self, most: usize) -> Vec<PackageId> {
        self.trails.first(most)
    }

    /// Takes in the next event, with one record for each of its [`leaves`]; `None` for one that nobody serves.
    ///
    /// # Errors
    /// [`AuditError::Aside`].
    pub fn take(
        &mut self,
        logged: &LoggedEvent,
        records: Vec<Option<Vec<u8>>>,
    ) -> Result<(), AuditError> {
        let examined = self.plan(&logged.event, records)?.examine();
        self.take_examined(logged, examined)
    }

    /// Takes in the next event, whose records were [planned](Auditor::plan) and examined.
    ///
    /// # Errors
    /// [`AuditError::Aside`].
    pub fn take_examined(
        &mut self,
        logged: &LoggedEvent,
        examined: Vec<Examined>,
    ) -> Result<(), AuditError> {
        self.registry.take(&logged.event);
        let at = |node| Anchorage {
            evm_block: logged.position.block,
            evm_time: logged.time,
            transaction: logged.transaction,
            node,
        };
        match &logged.event {
            Event::PackageIssued(issued) => self.issued(at(issued.node), issued, examined),
            Event::ReportsAnchored {
                package,
                node,
                entries,
            } => self.reports(at(*node), *package, entries, examined),
            event => self.changed(event, logged.time),
        }
    }

    /// Compares what was rebuilt with what the contract holds, and tells everything.
    ///
    /// # Errors
    /// [`AuditError::Aside`].
    pub fn finish(
        mut self,
        heads: &Heads,
        evm_block: u64,
        evm_block_hash: B256,
    ) -> Result<AuditReport, AuditError> {
        for requestor in self.requestors() {
            let held = heads.threads.get(&requestor).copied().unwrap_or_default();
            self.close_thread(requestor, held)?;
        }
        let Heads { evm_time, now, .. } = *heads;
        for package in self.packages() {
            let held = heads.packages.get(&package);
            self.close_package(package, held, Clock { evm_time, now })?;
        }
        Ok(self.report(evm_block, evm_block_hash))
    }

    /// Compares a thread with the head that the contract holds.
    ///
    /// # Errors
    /// [`AuditError::Aside`].
    pub fn close_thread(&mut self, requestor: Address, held: B256) -> Result<(), AuditError> {
        if let Some(thread) = self.threads.take(&requestor)? {
            self.counts.chains += 1;
            self.head(ChainName::Thread(requestor), thread, held);
        }
        Ok(())
    }

    /// Compares a package with what the contract holds of it. Nothing of it stays but the findings.
    ///
    /// # Errors
    /// [`AuditError::Aside`].
    pub fn close_package(
        &mut self,
        package: PackageId,
        held: Option<&PackageStatus>,
        clock: Clock,
    ) -> Result<(), AuditError> {
        if let Some(trail) = self.trails.take(&package)? {
            self.counts.packages += 1;
            self.counts.chains += u64::from(trail.side.height() > 0);
            self.counts.violations_pending += self.package(package, trail, held, clock);
            let is_retrieved = held.is_some_and(|held| held.state == State::Retrieved);
            self.miss(Subject::Package(package), None, package, FileKind::Form);
            if !is_retrieved {
                self.miss(
                    Subject::Package(package),
                    None,
                    package,
                    FileKind::Container,
                );
            }
        }
        Ok(())
    }

    /// Checks the files, once all events are taken; one that cannot be read is a finding. Blocking: files are read.
    ///
    /// # Errors
    /// [`AuditError::Aside`].
    pub fn check_files(&mut self) -> Result<(), AuditError> {
        let Some(files) = self.files.take() else {
            return Ok(());
        };
        self.counts.files = Some(files.comparable());
        let domain = self.domain.clone();
        files.check(&domain, |found| {
            let path = found.path.display().to_string();
            self.note(found.subject, found.at, found.fault, Some(path));
        })
    }

    /// Notes a file that is not there, where all should be.
    fn miss(
        &mut self,
        subject: Subject,
        at: Option<Anchorage>,
        package: PackageId,
        kind: FileKind,
    ) {
        let files = self.files.as_ref();
        if let Some(files) = files.filter(|files| files.misses(package, kind)) {
            let folder = files.folder();
            self.note(subject, at, AuditFault::FileMissing { kind }, Some(folder));
        }
    }

    /// Tells everything, once threads and packages are closed.
    #[must_use]
    pub fn report(self, evm_block: u64, evm_block_hash: B256) -> AuditReport {
        AuditReport {
            chain_id: self.domain.chain_id(),
            contract: self.domain.contract(),
            evm_block,
            evm_block_hash,
            chains: self.counts.chains,
            packages: self.counts.packages,
            parent_blocks: self.counts.parent_blocks,
            side_blocks: self.counts.side_blocks,
            bodies_missing: self.counts.bodies_missing,
            violations_pending: self.counts.violations_pending,
            checks: self.checks(),
            source: self.source,
            findings: self.findings,
            findings_left_out: self.findings_left_out,
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &[AuditFinding] {
        &self.findings
    }

    fn head(&mut self, chain: ChainName, verifier: ChainVerifier, held: B256) {
        self.counts.heads += 1;
        let height = verifier.height();
        for finding in verifier.finish(held) {
            self.find(Subject::Block { chain, height }, None, finding.fault.into());
        }
    }

    /// Notes a finding about what the source serves or what is anchored.
    fn find(&mut self, subject: Subject, anchored: Option<Anchorage>, fault: AuditFault) {
        let served_by = (fault.blame() == Blame::Server).then(|| self.source.clone());
        self.note(subject, anchored, fault, served_by);
    }

    /// Notes a finding; beyond a limit it is only counted.
    fn note(
        &mut self,
        subject: Subject,
        anchored: Option<Anchorage>,
        fault: AuditFault,
        served_by: Option<String>,
    ) {
        if self.findings.len() >= MAX_FINDINGS {
            self.findings_left_out += 1;
            return;
        }
        self.findings.push(AuditFinding {
            subject,
            fault,
            anchored,
            served_by,
        });
    }

    fn checks(&self) -> Vec<Check> {
        let Counts {
            parent_blocks,
            side_blocks,
            parent_bodies,
            side_bodies,
            bodies,
            violations,
            heads,
            states,
            files,
            ..
        } = self.counts;
        let check = |what, count| Check { what, count };
        let mut checks = vec![
            check(
                "links, work, merkle roots and times of headers",
                parent_blocks + side_blocks,
            ),
            check("bodies against the leaf hashes on chain", bodies),
            check("signatures of registered nodes", bodies),
            check(
                "parent blocks against request, usage contract and second node on chain",
                parent_bodies,
            ),
            check(
                "side-blocks in order, and judged again under the usage contract",
                side_bodies,
            ),
            check("settled violations against their side-blocks", violations),
            check("heads of chains against the contract's", heads),
            check(
                "package states rebuilt from the events against the contract's",
                states,
            ),
        ];
        checks.extend(files.map(|count| check("files against the hashes in their blocks", count)));
        checks
    }
}
