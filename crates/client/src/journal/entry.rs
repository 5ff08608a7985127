//! The lines of a journal, and what they amount to.

use std::collections::VecDeque;

use alloy_primitives::Bytes;
use medshare_protocol::typed::Receipt;
use medshare_protocol::usage::State;
use medshare_protocol::wire::{ReportAnswer, ReportSubmission};
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "entry")]
pub enum Entry {
    /// A report, before it is sent.
    Sending {
        /// All of it: an identical repeat is no tampering.
        submission: Box<ReportSubmission>,
    },
    /// The node's receipt for a report.
    Receipt {
        /// What the node signed.
        receipt: Receipt,
        /// Its signature.
        signature: Bytes,
        /// The package's state as the node told it.
        state: State,
    },
    /// The node's receipt for a renewal; without a lease, for the session's end.
    Renewal {
        /// What the node signed.
        receipt: Receipt,
        /// Its signature.
        signature: Bytes,
    },
    /// The node refused a report: it was never taken.
    Refused {
        /// Number of the report.
        number: u32,
        /// Why, in the node's words.
        reason: String,
    },
}

impl Entry {
    pub(super) fn receipt(answer: &ReportAnswer) -> Self {
        Self::Receipt {
            receipt: answer.receipt.clone(),
            signature: answer.signature.clone(),
            state: answer.state,
        }
    }

    pub(super) fn renewal(answer: &ReportAnswer) -> Self {
        Self::Renewal {
            receipt: answer.receipt.clone(),
            signature: answer.signature.clone(),
        }
    }
}

/// What a journal amounts to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Kept {
    /// Reports without a receipt, oldest first: they are sent again before anything else.
    pub pending: VecDeque<ReportSubmission>,
    /// The receipt of the latest report.
    pub last: Option<Receipt>,
}

impl Kept {
    pub(super) fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Sending { submission } => self.pending.push_back(*submission),
            Entry::Receipt { receipt, .. } => {
                self.pending
                    .retain(|pending| pending.report.number != receipt.number);
                self.last = Some(receipt);
            }
            // What follows a refused report refers to it, and can only be refused as well.
            Entry::Refused { number, .. } => {
                self.pending
                    .retain(|pending| pending.report.number < number);
            }
            Entry::Renewal { .. } => {}
        }
    }
}
