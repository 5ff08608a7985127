//! One package: its side-chain, and its state rebuilt from the events as the contract's `Packages` and `Violations`
//! keep it.

use std::fmt::Debug;

use medshare_chain::{Address, Event, PackageIssued, PackageStatus, ResponseKind};
use medshare_protocol::chain_verifier::ChainVerifier;
use medshare_protocol::id::{BlockId, DatasetId, LeafHash};
use medshare_protocol::usage::{State, UsageContract};
use serde::{Deserialize, Serialize};

use super::AuditFault;
use super::violations::Violations;

/// What was decided about a package; expiry and epochs come on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Standing {
    Granted,
    Revoked,
    Retrieved,
}

/// What must follow a settled violation at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Due {
    Nothing,
    Revocation,
    Receipt,
}

/// Counters that revoke many packages at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Epochs {
    pub dataset: u32,
    pub owner: u32,
}

/// What is kept of a package: about half a kilobyte, with 32 bytes more for each doubling of its side-chain, and with
/// what is open between violations and their side-blocks. Of most packages it lies on a [shelf](super::shelf).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Trail {
    pub requestor: Address,
    pub custodian: Address,
    pub dataset: DatasetId,
    pub usage: UsageContract,
    pub side: ChainVerifier,
    pub standing: Standing,
    pub due: Due,
    /// As they were at issue or at the last re-grant.
    pub epochs: Epochs,
    pub settled: u32,
    pub last_regrant_time: u64,
    /// Nothing as long as there are none: few packages have any.
    pub violations: Option<Box<Violations>>,
}

impl Trail {
    pub(super) fn new(
        issued: &PackageIssued,
        parent: LeafHash,
        parent_id: BlockId,
        epochs: Epochs,
    ) -> Self {
        let PackageIssued {
            package,
            request,
            usage,
            ..
        } = issued;
        Self {
            requestor: request.requestor,
            custodian: request.custodian,
            dataset: request.dataset,
            usage: *usage,
            side: ChainVerifier::side(*package, parent, Some(parent_id)),
            standing: Standing::Granted,
            due: Due::Nothing,
            epochs,
            settled: 0,
            last_regrant_time: 0,
            violations: None,
        }
    }

    /// The state at `evm_time`, in seconds, with the epochs of that time.
    pub(super) fn state(&self, epochs: Epochs, evm_time: u64) -> State {
        match self.standing {
            Standing::Retrieved => State::Retrieved,
            _ if evm_time.saturating_mul(1000) >= self.usage.expiry => State::Expired,
            Standing::Revoked => State::Revoked,
            Standing::Granted if self.epochs != epochs => State::Revoked,
            Standing::Granted if self.side.height() > 0 => State::Active,
            Standing::Granted => State::Issued,
        }
    }

    /// Notes the next event, and tells what should have come instead.
    pub(super) fn consequence(&mut self, next: Option<&Event>) -> Option<AuditFault> {
        let is_receipt = matches!(
            next,
            Some(Event::ResponseTaken {
                kind: ResponseKind::RevokePackage,
                ..
            })
        );
        let due = match self.due {
            Due::Revocation if !matches!(next, Some(Event::PackageRevoked { .. })) => {
                Some("revocation")
            }
            Due::Receipt if !is_receipt => Some("receipt of the revocation"),
            _ => None,
        };
        self.due = match (self.due, next) {
            (_, Some(Event::ViolationAccepted { .. })) => Due::Revocation,
            (Due::Revocation, Some(Event::PackageRevoked { .. })) => Due::Receipt,
            _ => Due::Nothing,
        };
        due.map(|due| AuditFault::NoConsequence { due })
    }

    /// Where what the contract holds differs from what its events make. Expiry goes by the clock of whoever answers
    /// the call, which may be ahead of the last block: up to `now` it is taken.
    pub(super) fn differences(
        &self,
        held: &PackageStatus,
        epochs: Epochs,
        violations: u32,
        evm_time: u64,
        now: u64,
    ) -> Vec<AuditFault> {
        let mut state = self.state(epochs, evm_time);
        if held.state == State::Expired && self.state(epochs, now.max(evm_time)) == State::Expired {
            state = State::Expired;
        }
        let mut faults = Vec::new();
        let mut add = |fault: Option<AuditFault>| faults.extend(fault);
        add(differs("state", state, held.state, debug));
        add(differs(
            "requestor",
            self.requestor,
            held.requestor,
            ToString::to_string,
        ));
        add(differs(
            "custodian",
            self.custodian,
            held.custodian,
            ToString::to_string,
        ));
        add(differs(
            "dataset",
            self.dataset,
            held.dataset,
            ToString::to_string,
        ));
        add(differs(
            "usage contract",
            Some(self.usage),
            held.usage,
            debug,
        ));
        add(differs(
            "last settled report",
            self.settled,
            held.settled,
            ToString::to_string,
        ));
        add(differs(
            "number of violations",
            violations,
            held.violations,
            ToString::to_string,
        ));
        faults
    }
}

/// The fault, when both are not the same. Only then are they put into words: nearly all are the same.
fn differs<T: PartialEq>(
    field: &'static str,
    rebuilt: T,
    held: T,
    tell: impl Fn(&T) -> String,
) -> Option<AuditFault> {
    (rebuilt != held).then(|| AuditFault::State {
        field,
        rebuilt: tell(&rebuilt),
        held: tell(&held),
    })
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// Names what the epochs and violation counters are kept for.
pub(super) type ConductKey = (Address, Address, DatasetId);

/// The key of a package's conduct.
pub(super) fn conduct_key(trail: &Trail) -> ConductKey {
    (trail.requestor, trail.custodian, trail.dataset)
}
