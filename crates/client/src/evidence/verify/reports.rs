//! What the requestor's side reported, and what it gave its word for in the end.

use alloy_primitives::Address;
use medshare_protocol::digest::sha256d;
use medshare_protocol::usage::{Actions, State};
use medshare_protocol::wire::{RecordedReport, ReportSubmission};

use super::Assumption::{Algorithms, Clocks, Contract, EvmBlock, NodesWord};
use super::{Examination, Held, Parent, Sides, counted};
use crate::evidence::MAX_REPORTS;
use crate::times::rfc3339;

const REPORTS: &str = "reports.json";
const DELETION: &str = "deletion.json";

impl Examination<'_> {
    /// Every report is chained, signed, in its side-block, and receipted.
    pub(super) fn reports(&mut self, held: &Held, parent: &Parent, sides: &Sides) {
        let reports = &self.evidence.dossier.reports;
        if !self.at_most(REPORTS, "reports", reports.len(), MAX_REPORTS) {
            return;
        }
        if !self.hold(
            reports.len() >= sides.len(),
            REPORTS,
            format_args!(
                "there are {} for {}",
                counted(reports.len(), "report"),
                counted(sides.len(), "side-block")
            ),
        ) {
            return;
        }
        let settled = held.status.settled as usize;
        self.hold(
            reports.len() >= settled,
            REPORTS,
            format_args!("report {settled}, which the contract has settled, is missing"),
        );
        let flaws = self.flaws.len();
        let mut previous = alloy_primitives::B256::ZERO;
        let mut basis = vec![Algorithms, Clocks];
        for (number, recorded) in (1_u32..).zip(reports) {
            let report = &recorded.submission.report;
            self.same(REPORTS, "a report's number", report.number, number);
            self.same(REPORTS, "the report before", report.previous, previous);
            self.same(
                REPORTS,
                "a report's package",
                report.package,
                self.evidence.subject.package.0,
            );
            previous = self.domain.digest(report);
            basis.extend(self.report_signatures(held, recorded));
            let side = sides.get(number as usize - 1);
            if let Some(side) = side {
                self.report_in_block(recorded, side);
            }
            let parents_node = parent.body.transaction.node;
            self.receipt(
                recorded,
                side.map_or(parents_node, |side| side.body.transaction.node),
            );
        }
        if self.flaws.len() > flaws || reports.is_empty() {
            return;
        }
        let delegated = match basis.contains(&NodesWord) {
            false => "by keys that the wallet delegated",
            true => {
                "by keys of which the custodian's node says that the wallet, a contract, delegated them"
            }
        };
        let reported = counted(reports.len(), "report");
        let what = format!(
            "the requestor's side signed {reported} in one chain without a gap, {delegated}; the node signed a receipt for each"
        );
        self.shows(REPORTS, &basis, what);
        self.violations(held, reports);
        let later = reports.len() - sides.len();
        if later > 0 {
            let text = format!(
                "{} of them in no block at that time",
                counted(later, "report")
            );
            self.shows(REPORTS, &[EvmBlock, Contract, Algorithms], text);
        }
    }

    fn violations(&mut self, held: &Held, reports: &[RecordedReport]) {
        let usage = self.evidence.dossier.usage;
        for recorded in reports {
            let report = &recorded.submission.report;
            let violated = usage.violations(Actions(report.actions));
            if !violated.is_empty() {
                let names: Vec<_> = violated.iter().map(|action| action.name()).collect();
                let names = names.join(", ");
                let basis = self.session_basis(held, recorded).unwrap_or(NodesWord);
                self.shows(
                    REPORTS,
                    &[EvmBlock, Contract, Algorithms, basis, Clocks],
                    format!(
                        "report {} of {}: {names}, which the usage contract does not grant: a violation",
                        report.number,
                        rfc3339(report.time),
                    ),
                );
            }
        }
    }

    /// On what the wallet's delegation rests.
    fn report_signatures(
        &mut self,
        held: &Held,
        recorded: &RecordedReport,
    ) -> Option<super::Assumption> {
        let submission = &recorded.submission;
        let (report, session) = (&submission.report, &submission.session);
        let number = report.number;
        let by_key = self
            .domain
            .is_signed_by(report, &submission.signature, session.key);
        self.hold(
            by_key,
            REPORTS,
            format_args!("report {number} is not signed by its session's key"),
        );
        self.same(
            REPORTS,
            "a session's package",
            session.package,
            self.evidence.subject.package.0,
        );
        let body = sha256d(&[&submission.body]);
        self.same(
            REPORTS,
            "the hash of a report's sealed body",
            body,
            report.body,
        );
        self.hold(
            report.time < session.expiry,
            REPORTS,
            format_args!("report {number} is later than its session's end"),
        );
        let basis = self.session_basis(held, recorded);
        let delegated = basis.is_some();
        self.hold(
            delegated,
            REPORTS,
            format_args!("the session of report {number} is not the wallet's"),
        );
        basis
    }

    /// On what it rests that the wallet delegated.
    fn session_basis(&self, held: &Held, recorded: &RecordedReport) -> Option<super::Assumption> {
        let ReportSubmission {
            session,
            session_signature,
            ..
        } = &recorded.submission;
        self.signed_by_requestor(
            held,
            self.domain.digest(session),
            session_signature,
            NodesWord,
        )
    }

    /// The custodian cannot deny the report.
    fn receipt(&mut self, recorded: &RecordedReport, node: Address) {
        let (receipt, report) = (&recorded.receipt, &recorded.submission.report);
        let digest = self.domain.digest(report);
        self.same(REPORTS, "the report of a receipt", receipt.report, digest);
        self.same(
            REPORTS,
            "the number of a receipt",
            receipt.number,
            report.number,
        );
        self.same(
            REPORTS,
            "the package of a receipt",
            receipt.package,
            report.package,
        );
        let signed = self
            .domain
            .is_signed_by(receipt, &recorded.receipt_signature, node);
        self.hold(
            signed,
            REPORTS,
            format_args!(
                "the receipt of report {} is not signed by the node {node}",
                report.number
            ),
        );
    }

    fn report_in_block(
        &mut self,
        recorded: &RecordedReport,
        side: &medshare_protocol::block::SideBlock,
    ) {
        let report = &recorded.submission.report;
        let block = &side.body.transaction;
        let digest = self.domain.report_digest(report);
        self.same(REPORTS, "the report of a side-block", block.report, digest);
        self.same(
            REPORTS,
            "the sealed body of a side-block",
            block.sealed_report,
            report.body,
        );
        self.same(
            REPORTS,
            "the actions of a side-block",
            block.reported,
            Actions(report.actions),
        );
        self.same(REPORTS, "the time of a side-block", block.time, report.time);
    }

    /// The requestor's word that the data is deleted.
    pub(super) fn deletion(&mut self, held: &Held) {
        let is_retrieved = held.status.state == State::Retrieved;
        let Some(submission) = &self.evidence.dossier.deletion else {
            let text = "it is missing: the contract holds the package as retrieved, for which the requestor signed it";
            self.hold(!is_retrieved, DELETION, text);
            return;
        };
        let deletion = &submission.deletion;
        self.same(
            DELETION,
            "the package",
            deletion.package,
            self.evidence.subject.package.0,
        );
        let digest = self.domain.digest(deletion);
        let signature = &submission.signature;
        match self.signed_by_requestor(held, digest, signature, NodesWord) {
            None => self.flaw(DELETION, "the requestor's signature does not hold"),
            Some(NodesWord) => self.deletion_by_contract(is_retrieved, deletion.time),
            Some(basis) => {
                let (retrieved, also): (_, &[_]) = match is_retrieved {
                    true => (
                        ", and the contract holds it as retrieved",
                        &[EvmBlock, Contract],
                    ),
                    false => ("", &[]),
                };
                let time = rfc3339(deletion.time);
                let what =
                    format!("the requestor signed that the data was deleted at {time}{retrieved}");
                self.shows(
                    DELETION,
                    &[&[Algorithms, basis, Clocks], also].concat(),
                    what,
                );
            }
        }
    }

    /// The signature of a wallet that is a contract shows nothing by itself: that there was one, the contract saw when it took
    /// the data back, but not of which time.
    fn deletion_by_contract(&mut self, is_retrieved: bool, time: u64) {
        if is_retrieved {
            let what = "the requestor's wallet, which is a contract, agreed that the data was deleted: the contract holds it as \
                        retrieved";
            self.shows(DELETION, &[EvmBlock, Contract, Algorithms], what);
        }
        let time = rfc3339(time);
        let what = format!(
            "the custodian's node says that this wallet gave {time} as the time of the deletion"
        );
        self.shows(DELETION, &[NodesWord, Clocks], what);
    }
}
