//! Checks of the blocks that an event anchors.

use medshare_chain::PackageIssued;
use medshare_protocol::block::{Block, DATA_VERSION_TABULAR, SideBody};
use medshare_protocol::chain_verifier::{ChainName, ChainVerifier, Examined, Fault};
use medshare_protocol::header::{Entry, entries};
use medshare_protocol::id::{BlockId, PackageId};

use super::Auditor;
use super::compare::{ahead, closed_late, parent_faults, side_faults};
use crate::audit::files::{FileKind, Stand};
use crate::audit::report::{Anchorage, Subject};
use crate::audit::trail::Trail;
use crate::audit::violations::Recorded;
use crate::audit::{AuditError, AuditFault};

impl Auditor {
    /// A parent block (P20).
    pub(super) fn issued(
        &mut self,
        at: Anchorage,
        issued: &PackageIssued,
        examined: Vec<Examined>,
    ) -> Result<(), AuditError> {
        let requestor = issued.request.requestor;
        let entry = Entry::from_bytes(&issued.entry);
        let mut thread = self
            .threads
            .take(&requestor)?
            .unwrap_or_else(|| ChainVerifier::thread(requestor, self.thread_origin(requestor)));
        let (chain, height) = (ChainName::Thread(requestor), thread.height());
        let subject = Subject::Block { chain, height };
        let mut faults = self.issue_faults(issued);
        faults.extend(ahead(&entry, &at));
        let examined = examined.into_iter().next();
        let examined = examined.unwrap_or_else(Examined::missing);
        let block = self.push(&mut thread, entry, examined, &mut faults);
        // The head is the hash of the header that was just put on.
        let parent_id = BlockId(thread.head());
        self.threads.put(requestor, thread)?;
        self.counts.parent_blocks += 1;
        if entry.version != DATA_VERSION_TABULAR {
            let (found, known) = (entry.version, DATA_VERSION_TABULAR);
            faults.push(AuditFault::DataVersion { found, known });
        }
        if let Some(Block::Parent(block)) = block {
            self.counts.parent_bodies += 1;
            faults.extend(parent_faults(&block.body, issued));
            if let Some(files) = &mut self.files {
                let stand = Stand { chain, height, at };
                files.parent(stand, &block.body, issued)?;
            }
            faults.extend(closed_late(block.body.locktime, &entry));
        }
        if self.trails.has(&issued.package) {
            faults.push(AuditFault::IssuedTwice);
        } else {
            let key = (requestor, issued.request.custodian, issued.request.dataset);
            let trail = Trail::new(issued, entry.leaf, parent_id, self.epochs(key));
            self.trails.put(issued.package, trail)?;
            self.ahead.remove(&issued.package);
        }
        for fault in faults {
            self.find(subject, Some(at), fault);
        }
        Ok(())
    }

    /// What the contract must have made sure of before it emitted the event.
    fn issue_faults(&self, issued: &PackageIssued) -> Vec<AuditFault> {
        let mut faults = Vec::new();
        let computed = issued.request.package_id(&self.domain);
        if computed != issued.package {
            faults.push(AuditFault::PackageId { computed });
        }
        let custodian = issued.request.custodian;
        if self.registry.custodian_of(issued.node) != Some(custodian) {
            faults.push(AuditFault::ForeignNode {
                node: issued.node,
                custodian,
            });
        }
        let verifier = issued.verifier;
        let why = match self.registry.custodian_of(verifier) {
            None => "it was no registered node",
            Some(_) if verifier == issued.node => "it is the first one too",
            Some(second) if second == custodian && self.registry.custodian_count() > 1 => {
                "it belongs to the same custodian although there was another"
            }
            Some(_) => return faults,
        };
        faults.push(AuditFault::SecondNode { verifier, why });
        faults
    }

    /// Side-blocks (P21).
    pub(super) fn reports(
        &mut self,
        at: Anchorage,
        package: PackageId,
        bytes: &[u8],
        examined: Vec<Examined>,
    ) -> Result<(), AuditError> {
        let Some(mut trail) = self.trails.take(&package)? else {
            let fault = AuditFault::UnknownPackage {
                event: "ReportsAnchored",
            };
            self.find(Subject::Package(package), Some(at), fault);
            return Ok(());
        };
        if self.registry.custodian_of(at.node) != Some(trail.custodian) {
            let fault = AuditFault::ForeignNode {
                node: at.node,
                custodian: trail.custodian,
            };
            self.find(Subject::Package(package), Some(at), fault);
        }
        match entries(bytes) {
            Ok(entries) => {
                let missing = std::iter::repeat_with(Examined::missing);
                for (entry, examined) in
                    entries.into_iter().zip(examined.into_iter().chain(missing))
                {
                    self.side_block(at, package, &mut trail, entry, examined)?;
                }
            }
            Err(ragged) => self.find(Subject::Package(package), Some(at), ragged.into()),
        }
        self.trails.put(package, trail)
    }

    fn side_block(
        &mut self,
        at: Anchorage,
        package: PackageId,
        trail: &mut Trail,
        entry: Entry,
        examined: Examined,
    ) -> Result<(), AuditError> {
        let height = trail.side.height();
        let subject = Subject::Block {
            chain: ChainName::Side(package),
            height,
        };
        let mut faults: Vec<AuditFault> = ahead(&entry, &at).into_iter().collect();
        let block = self.push(&mut trail.side, entry, examined, &mut faults);
        self.counts.side_blocks += 1;
        if u64::from(entry.version) != height + 1 {
            faults.push(AuditFault::ReportNumber {
                found: entry.version,
                expected: height + 1,
            });
        }
        match block {
            Some(Block::Side(block)) => {
                self.counts.side_bodies += 1;
                faults.extend(side_faults(&block.body, trail, height));
                if let Some(files) = &mut self.files {
                    let chain = ChainName::Side(package);
                    files.side(package, Stand { chain, height, at }, &block.body)?;
                }
                let kind = FileKind::ReportBody(block.body.transaction.number);
                self.miss(subject, Some(at), package, kind);
                faults.extend(closed_late(block.body.locktime, &entry));
                let SideBody {
                    transaction: side,
                    locktime,
                    ..
                } = block.body;
                if !side.violated.is_empty() {
                    let (violated, report) = (side.violated, side.report);
                    let recorded = Recorded {
                        violated,
                        report,
                        locktime,
                        height,
                        anchored: at,
                    };
                    trail
                        .violations
                        .get_or_insert_default()
                        .record(side.number, recorded);
                }
            }
            _ => trail.violations.get_or_insert_default().miss(entry.version),
        }
        for fault in faults {
            self.find(subject, Some(at), fault);
        }
        Ok(())
    }

    /// Puts a block on its chain; the chain's own faults go to `faults`.
    fn push(
        &mut self,
        verifier: &mut ChainVerifier,
        entry: Entry,
        examined: Examined,
        faults: &mut Vec<AuditFault>,
    ) -> Option<Block> {
        let registry = &self.registry;
        let block = verifier.push_examined(
            entry,
            examined,
            &|account| registry.custodian_of(account).is_some(),
            registry.work_limit(),
        );
        self.counts.bodies += u64::from(block.is_some());
        for finding in verifier.take_findings() {
            let is_missing = matches!(finding.fault, Fault::BodyMissing { .. });
            self.counts.bodies_missing += u64::from(is_missing);
            faults.push(finding.fault.into());
        }
        block
    }
}
