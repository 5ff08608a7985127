//! Fields of blocks against what the contract says.

use std::fmt::{self, Display};

use medshare_chain::PackageIssued;
use medshare_protocol::block::{ParentBody, SideBody};
use medshare_protocol::header::Entry;
use medshare_protocol::usage::{Action, Sensitivity, UsageContract};

use crate::audit::AuditFault;
use crate::audit::report::Anchorage;
use crate::audit::trail::Trail;

/// How far a header's time may run ahead of the EVM block's, as the contract has it, and how long after it a block
/// may have been closed.
const MAX_AHEAD_SECONDS: u64 = 120;

pub(super) fn ahead(entry: &Entry, at: &Anchorage) -> Option<AuditFault> {
    let limit = MAX_AHEAD_SECONDS;
    let is_ahead = u64::from(entry.time) > at.evm_time.saturating_add(limit);
    is_ahead.then_some(AuditFault::Ahead {
        time: entry.time,
        evm_time: at.evm_time,
        limit,
    })
}

pub(super) fn closed_late(locktime: u64, entry: &Entry) -> Option<AuditFault> {
    let is_late = locktime / 1000 > u64::from(entry.time) + MAX_AHEAD_SECONDS;
    is_late.then_some(AuditFault::ClosedLate {
        locktime,
        time: entry.time,
    })
}

/// A parent block against the event that issued its package.
pub(super) fn parent_faults(body: &ParentBody, issued: &PackageIssued) -> Vec<AuditFault> {
    let block = &body.transaction;
    let request = &issued.request;
    let usage: &UsageContract = &issued.usage;
    let counter = usage.violation_count();
    let mut differing = Differing::from("the contract");
    differing.field("custodian (OID)", block.owner, request.custodian);
    differing.field("requestor (RID)", block.requestor, request.requestor);
    differing.field(
        "sensitivity (Dsens)",
        Told(block.sensitivity),
        Told(usage.sensitivity),
    );
    differing.field("purpose (DRP)", block.purpose.bytes(), request.purpose);
    differing.field("dataset", block.dataset, request.dataset);
    differing.field("package", block.package, issued.package);
    differing.field("payload hash", block.payload_hash, issued.payload_hash);
    differing.field("second node", block.verifier, issued.verifier);
    differing.field("node (NID)", block.node, issued.node);
    differing.field("action counter", body.action_counter, counter);
    differing.faults
}

/// A side-block against its package.
pub(super) fn side_faults(body: &SideBody, trail: &Trail, height: u64) -> Vec<AuditFault> {
    let block = &body.transaction;
    let mut differing = Differing::from("the package");
    differing.field("custodian (OID)", block.owner, trail.custodian);
    differing.field("requestor (RID)", block.requestor, trail.requestor);
    let mut faults = differing.faults;
    if height == 0 && !block.reported.contains(Action::Decrypt) {
        faults.push(AuditFault::FirstReport {
            reported: block.reported,
        });
    }
    let judged = trail.usage.violations(block.reported);
    if judged != block.violated {
        let (reported, recorded) = (block.reported, block.violated);
        faults.push(AuditFault::Verdict {
            reported,
            recorded,
            judged,
        });
    }
    faults
}

/// Fields that are not what `authority` says. Only these are put into words: nearly all are the same.
struct Differing {
    authority: &'static str,
    faults: Vec<AuditFault>,
}

impl Differing {
    const fn from(authority: &'static str) -> Self {
        let faults = Vec::new();
        Self { authority, faults }
    }

    fn field<T: PartialEq + Display>(&mut self, field: &'static str, found: T, expected: T) {
        if found != expected {
            self.faults.push(AuditFault::Field {
                field,
                found: found.to_string(),
                authority: self.authority,
                expected: expected.to_string(),
            });
        }
    }
}

/// A sensitivity in words.
#[derive(PartialEq)]
struct Told(Sensitivity);

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
