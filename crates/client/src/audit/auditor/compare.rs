//! Fields of blocks against what the contract says.

use medshare_chain::PackageIssued;
use medshare_protocol::block::{ParentBody, SideBody};
use medshare_protocol::header::Entry;
use medshare_protocol::usage::{Action, UsageContract};

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
    differing(
        "the contract",
        [
            (
                "custodian (OID)",
                block.owner.to_string(),
                request.custodian.to_string(),
            ),
            (
                "requestor (RID)",
                block.requestor.to_string(),
                request.requestor.to_string(),
            ),
            (
                "sensitivity (Dsens)",
                format!("{:?}", block.sensitivity),
                format!("{:?}", usage.sensitivity),
            ),
            (
                "purpose (DRP)",
                block.purpose.bytes().to_string(),
                request.purpose.to_string(),
            ),
            (
                "dataset",
                block.dataset.to_string(),
                request.dataset.to_string(),
            ),
            (
                "package",
                block.package.to_string(),
                issued.package.to_string(),
            ),
            (
                "payload hash",
                block.payload_hash.to_string(),
                issued.payload_hash.to_string(),
            ),
            (
                "second node",
                block.verifier.to_string(),
                issued.verifier.to_string(),
            ),
            (
                "node (NID)",
                block.node.to_string(),
                issued.node.to_string(),
            ),
            (
                "action counter",
                body.action_counter.to_string(),
                counter.to_string(),
            ),
        ],
    )
}

/// A side-block against its package.
pub(super) fn side_faults(body: &SideBody, trail: &Trail, height: u64) -> Vec<AuditFault> {
    let block = &body.transaction;
    let mut faults = differing(
        "the package",
        [
            (
                "custodian (OID)",
                block.owner.to_string(),
                trail.custodian.to_string(),
            ),
            (
                "requestor (RID)",
                block.requestor.to_string(),
                trail.requestor.to_string(),
            ),
        ],
    );
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

fn differing<const N: usize>(
    authority: &'static str,
    fields: [(&'static str, String, String); N],
) -> Vec<AuditFault> {
    fields
        .into_iter()
        .filter(|(_, found, expected)| found != expected)
        .map(|(field, found, expected)| AuditFault::Field {
            field,
            found,
            authority,
            expected,
        })
        .collect()
}
