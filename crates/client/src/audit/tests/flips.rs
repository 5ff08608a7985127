//! A stored ledger of 1,000 blocks: every byte of every record flipped, one at a time; every record dropped, doubled and
//! swapped. Each is found, and named by chain, height, kind and source.
//!
//! An audit of everything after each of 370,000 flips would take hours. The auditor is copied where it stands before
//! each event instead, and given the damaged record; whole audits of the damaged folder, for some of the flips, show that
//! both find the same.

use std::thread;

use medshare_chain::{Event, LoggedEvent};
use medshare_protocol::chain_verifier::{Blame, ChainName};
use medshare_protocol::id::LeafHash;
use tempfile::{TempDir, tempfile};

use crate::audit::auditor::leaves;
use crate::audit::made_up::{MadeUp, Plan};
use crate::audit::{
    AuditFinding, Auditor, BlockSource, ContractView, Records, Subject, audit_with,
};

const BLOCKS: u32 = 1_000;
/// Every so many flips the whole folder is audited. No divisor of a record's length: all places come up.
const WHOLE_AUDIT: usize = 9_001;

/// A ledger on disk, and where an auditor stands before each of its blocks.
struct Stored {
    made: MadeUp,
    folder: TempDir,
    stands: Vec<Stand>,
}

/// Before a block.
struct Stand {
    auditor: Auditor,
    event: LoggedEvent,
    leaf: LeafHash,
    record: Vec<u8>,
    subject: Subject,
}

impl Stored {
    fn new() -> Self {
        let plan = Plan {
            blocks: BLOCKS,
            packages: 20,
            requestors: 4,
            batch: 1,
        };
        let made = MadeUp::write(tempfile().unwrap(), plan).unwrap();
        let folder = TempDir::new().unwrap();
        let source = BlockSource::Directory(folder.path().to_owned());
        let mut auditor = Auditor::new(made.domain().clone(), source.name());
        let mut heights = std::collections::HashMap::new();
        let mut stands = Vec::new();
        for (event, records) in made.told().unwrap() {
            if let [record] = &records[..] {
                let chain = chain_of(&event.event);
                let height = heights.entry(chain).or_insert(0);
                let leaf = leaves(&event.event)[0];
                let file = folder.path().join(BlockSource::file_name(leaf));
                std::fs::write(file, record).unwrap();
                stands.push(Stand {
                    auditor: auditor.clone(),
                    event: event.clone(),
                    leaf,
                    record: record.clone(),
                    subject: Subject::Block {
                        chain,
                        height: *height,
                    },
                });
                *height += 1;
            }
            auditor
                .take(&event, records.into_iter().map(Some).collect())
                .unwrap();
        }
        assert_eq!(auditor.findings(), []);
        assert_eq!(stands.len(), BLOCKS as usize);
        Self {
            made,
            folder,
            stands,
        }
    }

    fn source(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// The only finding, which must be about this block and what was served for it.
    fn only<'a>(&self, findings: &'a [AuditFinding], stand: &Stand) -> &'a AuditFinding {
        let [finding] = findings else {
            panic!("{:?}: {findings:?}", stand.subject)
        };
        assert_eq!(finding.subject, stand.subject);
        assert_eq!(finding.fault.blame(), Blame::Server);
        assert_eq!(finding.served_by, Some(self.source()));
        let anchored = finding.anchored.unwrap();
        assert_eq!(anchored.transaction, stand.event.transaction);
        finding
    }
}

impl Stand {
    /// What an auditor finds who is served this.
    fn served(&self, record: Option<Vec<u8>>) -> Vec<AuditFinding> {
        let mut auditor = self.auditor.clone();
        auditor.take(&self.event, vec![record]).unwrap();
        auditor.findings().to_vec()
    }

    /// The record with some bits of one byte flipped.
    fn flipped(&self, position: usize) -> Vec<u8> {
        let mut record = self.record.clone();
        record[position] ^= 1 << (position % 8);
        record
    }
}

fn chain_of(event: &Event) -> ChainName {
    match event {
        Event::PackageIssued(issued) => ChainName::Thread(issued.request.requestor),
        Event::ReportsAnchored { package, .. } => ChainName::Side(*package),
        other => panic!("{other:?} anchors nothing"),
    }
}

/// The kind of fault that a flip at this place of a record is (SPEC §1.5).
fn kind(position: usize) -> &'static str {
    match position {
        0..4 => "magic",
        4..36 => "id",
        36..40 => "size",
        44..76 => "link",
        40..120 => "header-differs",
        _ => "leaf",
    }
}

/// The field that it is in.
fn field(position: usize) -> &'static str {
    match position {
        0..4 => "magic",
        4..36 => "id",
        36..40 => "size",
        40..44 => "version",
        44..76 => "previous hash",
        76..108 => "merkle root",
        108..112 => "time",
        112..116 => "bits",
        116..120 => "nonce",
        _ => "body",
    }
}

#[test]
fn every_flipped_byte_of_a_stored_ledger_is_found_and_named() {
    let stored = Stored::new();
    let flip_all = |stands: &[Stand]| -> usize {
        let flips = stands.iter().map(|stand| {
            for position in 0..stand.record.len() {
                let findings = stand.served(Some(stand.flipped(position)));
                let finding = stored.only(&findings, stand);
                let told = (finding.fault.kind(), finding.fault.field());
                assert_eq!(
                    told,
                    (kind(position), Some(field(position))),
                    "byte {position}"
                );
            }
            stand.record.len()
        });
        flips.sum()
    };
    let flip_all = &flip_all;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let flips: usize = thread::scope(|scope| {
        let shares = stored.stands.chunks(stored.stands.len().div_ceil(cores));
        let shares: Vec<_> = shares
            .map(|share| scope.spawn(move || flip_all(share)))
            .collect();
        shares.into_iter().map(|share| share.join().unwrap()).sum()
    });
    assert_eq!(flips, 20 * 493 + 980 * 366);
}

#[tokio::test]
async fn a_whole_audit_finds_what_the_auditor_finds_at_the_block() {
    let stored = Stored::new();
    let source = BlockSource::Directory(stored.folder.path().to_owned());
    let bytes = stored.stands.iter().flat_map(|stand| {
        let positions = 0..stand.record.len();
        positions.map(move |position| (stand, position))
    });
    let mut audits = 0;
    for (stand, position) in bytes.step_by(WHOLE_AUDIT) {
        let file = stored
            .folder
            .path()
            .join(BlockSource::file_name(stand.leaf));
        std::fs::write(&file, stand.flipped(position)).unwrap();
        let report = audit_with(&stored.made, &source, &|_| ()).await.unwrap();
        assert_eq!(report.findings, stand.served(Some(stand.flipped(position))));
        stored.only(&report.findings, stand);
        std::fs::write(&file, &stand.record).unwrap();
        audits += 1;
    }
    assert!(audits > 40, "{audits} audits");
    let report = audit_with(&stored.made, &source, &|_| ()).await.unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.parent_blocks + report.side_blocks, u64::from(BLOCKS));
}

#[test]
fn every_dropped_doubled_and_swapped_record_is_found_and_named() {
    let stored = Stored::new();
    for (stand, neighbour) in stored.stands.iter().zip(&stored.stands[1..]) {
        let missing = stand.served(None);
        assert_eq!(stored.only(&missing, stand).fault.kind(), "body-missing");

        let doubled = stand.served(Some(neighbour.record.clone()));
        assert_eq!(stored.only(&doubled, stand).fault.kind(), "leaf");

        let mut auditor = stand.auditor.clone();
        auditor
            .take(&stand.event, vec![Some(neighbour.record.clone())])
            .unwrap();
        auditor
            .take(&neighbour.event, vec![Some(stand.record.clone())])
            .unwrap();
        let [first, second] = auditor.findings() else {
            panic!("{:?}", auditor.findings())
        };
        for (finding, stand) in [(first, stand), (second, neighbour)] {
            assert_eq!(
                stored
                    .only(std::slice::from_ref(finding), stand)
                    .fault
                    .kind(),
                "leaf"
            );
        }
    }
}
