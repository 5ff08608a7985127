//! The violations of one package: those that the contract accepted against those that its side-blocks record.

use std::collections::{BTreeMap, BTreeSet};

use medshare_protocol::id::ReportDigest;
use medshare_protocol::usage::{Action, Actions};
use serde::{Deserialize, Serialize};

use super::AuditFault;
use super::report::Anchorage;

/// A settled violation, or a recorded one, is looked for on the other side only after so long: both are sent at once,
/// side-blocks in batches.
const GRACE_SECONDS: u64 = 60;

/// A violation that the contract accepted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub number: u32,
    pub actions: Actions,
    pub report: ReportDigest,
    pub evm_time: u64,
}

/// A violation that a side-block records.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Recorded {
    pub violated: Actions,
    pub report: ReportDigest,
    pub locktime: u64,
    pub height: u64,
    pub anchored: Anchorage,
}

/// What is open on either side. What is the same on both is only counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Violations {
    accepted: Vec<Accepted>,
    recorded: BTreeMap<u32, Recorded>,
    /// Reports whose body could not be read: they may be anything.
    unread: BTreeSet<u32>,
    matched: u64,
}

impl Violations {
    /// The contract accepted one.
    pub(super) fn accept(&mut self, accepted: Accepted) {
        let recorded = self.recorded.get(&accepted.number);
        if recorded.is_some_and(|recorded| recorded.report == accepted.report) {
            self.recorded.remove(&accepted.number);
            self.matched += 1;
        } else {
            self.accepted.push(accepted);
        }
    }

    /// A side-block records one as report `number`.
    pub(super) fn record(&mut self, number: u32, recorded: Recorded) {
        let is_same =
            |accepted: &Accepted| accepted.number == number && accepted.report == recorded.report;
        if let Some(index) = self.accepted.iter().position(is_same) {
            self.accepted.remove(index);
            self.matched += 1;
        } else {
            self.recorded.insert(number, recorded);
        }
    }

    /// The body of report `number` could not be read.
    pub(super) fn miss(&mut self, number: u32) {
        self.unread.insert(number);
    }

    /// Accepted violations against their side-blocks, of which there are `height`: faults, and how many may still be on
    /// the way.
    pub(super) fn unmatched(&self, height: u64, evm_time: u64) -> (Vec<AuditFault>, u64) {
        let mut faults = Vec::new();
        let mut pending = 0;
        for accepted in &self.accepted {
            let number = accepted.number;
            let is_anchored = height >= u64::from(number);
            if !is_anchored && evm_time.saturating_sub(accepted.evm_time) < GRACE_SECONDS {
                pending += 1;
            } else if !is_anchored {
                faults.push(AuditFault::ViolationUnrecorded { number });
            } else if !self.unread.contains(&number) {
                faults.extend(self.difference(accepted));
            }
        }
        (faults, pending)
    }

    /// How many accepted violations had a readable side-block to be compared with.
    pub(super) fn compared(&self, height: u64) -> u64 {
        let is_compared = |accepted: &&Accepted| {
            height >= u64::from(accepted.number) && !self.unread.contains(&accepted.number)
        };
        self.matched + self.accepted.iter().filter(is_compared).count() as u64
    }

    /// Tampering is proven by two reports with one number; which of them was recorded does not matter.
    fn difference(&self, accepted: &Accepted) -> Option<AuditFault> {
        if accepted.actions.contains(Action::Tampering) {
            return None;
        }
        let recorded = match self.recorded.get(&accepted.number) {
            Some(recorded) if recorded.report == accepted.report => return None,
            Some(recorded) => recorded.report.to_string(),
            None => "no violation".to_owned(),
        };
        Some(AuditFault::ViolationDiffers {
            number: accepted.number,
            accepted: accepted.report,
            recorded,
        })
    }

    /// Recorded violations behind the last settled one that were never settled: of interest while access goes on.
    pub(super) fn unsettled(
        &self,
        settled: u32,
        last_regrant_time: u64,
        evm_time: u64,
    ) -> Vec<(u64, Anchorage, AuditFault)> {
        let is_open = |(number, recorded): &(&u32, &Recorded)| {
            **number > settled
                && recorded.locktime / 1000 >= last_regrant_time
                && evm_time.saturating_sub(recorded.anchored.evm_time) >= GRACE_SECONDS
        };
        let open = self.recorded.iter().filter(is_open);
        open.map(|(number, recorded)| {
            let violated = recorded.violated;
            let fault = AuditFault::ViolationUnsettled {
                number: *number,
                violated,
            };
            (recorded.height, recorded.anchored, fault)
        })
        .collect()
    }
}
