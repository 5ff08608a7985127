//! The reports of a package, against their side-blocks: none is lost, none is altered, and each has its session.

use std::sync::Arc;

use medshare_protocol::block::{SideBody, SideTransaction};
use medshare_protocol::digest::sha256d;
use medshare_protocol::id::{PackageId, ReportDigest};
use medshare_protocol::wire::{AlertKind, RecordedReport};

use super::own::{Own, Wrong};
use super::{CHECKED_AT_ONCE, Fault};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{OwnReport, StoredReport};

impl Inner {
    pub(super) async fn report_wrongs(
        self: &Arc<Self>,
        own: &Own,
    ) -> Result<Vec<Wrong>, NodeError> {
        let mut wrongs = Vec::new();
        let mut next = 1;
        loop {
            let page = self
                .store
                .own_reports(own.id, next, CHECKED_AT_ONCE)
                .await?;
            for report in &page {
                if report.number != next {
                    wrongs.push((AlertKind::Report, format!("report {next} is missing")));
                }
                if let Some(what) = self.altered(own.id, report).await? {
                    let detail = format!("report {}: {what}", report.number);
                    wrongs.push((AlertKind::Report, detail));
                }
                next = report.number.saturating_add(1);
            }
            if page.len() < CHECKED_AT_ONCE as usize || next == u32::MAX {
                break;
            }
        }
        for height in self.store.lost_reports(own.id, self.address()).await? {
            let detail = format!("the report behind side-block {height} is gone");
            wrongs.push((AlertKind::Report, detail));
        }
        wrongs.extend(self.tampering_wrongs(own).await?);
        // What was altered must not get on chain as well.
        if wrongs.is_empty() {
            self.remember_unanchored(own.id).await?;
        }
        // The contract judges for itself.
        self.check_settlements(own.id).await?;
        Ok(wrongs)
    }

    /// What is not as it was when the report was recorded.
    async fn altered(
        &self,
        id: PackageId,
        stored: &OwnReport,
    ) -> Result<Option<&'static str>, NodeError> {
        let Some((kept, recorded)) = &stored.content else {
            return Ok(Some("it cannot be read, or its session is gone"));
        };
        let Ok(side) = SideBody::from_bytes(&stored.side_body) else {
            return Ok(Some("the body of its side-block cannot be read"));
        };
        if side.leaf() != stored.leaf {
            return Ok(Some(
                "the body of its side-block is not the one that was signed",
            ));
        }
        let block = side.transaction;
        if let Some(what) = self.differs(id, kept, recorded, &block) {
            return Ok(Some(what));
        }
        let submission = &recorded.submission;
        let digest = self.chain.domain().digest(&submission.session);
        let delegated = submission.session.package == id.0
            && self
                .may_be_signed(block.requestor, digest, &submission.session_signature)
                .await?;
        Ok((!delegated).then_some("its session is not signed by the requestor"))
    }

    fn differs(
        &self,
        id: PackageId,
        kept: &StoredReport,
        recorded: &RecordedReport,
        block: &SideTransaction,
    ) -> Option<&'static str> {
        let domain = self.chain.domain();
        let submission = &recorded.submission;
        let report = &submission.report;
        let checks = [
            (
                report.package == id.0 && domain.report_digest(report) == block.report,
                "it is not the one whose digest stands in the side-block",
            ),
            (
                kept.digest == block.report && kept.violated == block.violated,
                "its digest, or what it violated, is not what stands in the side-block",
            ),
            (
                sha256d(&[&submission.body]) == block.sealed_report,
                "its sealed body is another one",
            ),
            (
                domain.is_signed_by(report, &submission.signature, submission.session.key),
                "its signature does not hold",
            ),
            (
                domain.is_signed_by(&recorded.receipt, &recorded.receipt_signature, block.node),
                "the signature of its receipt does not hold",
            ),
            (
                recorded.receipt.package == id.0
                    && recorded.receipt.number == report.number
                    && ReportDigest(recorded.receipt.report) == block.report,
                "its receipt is of another report",
            ),
        ];
        let failed = checks.into_iter().find(|(holds, _)| !holds);
        failed.map(|(_, what)| what)
    }

    /// A report that waits to be anchored is not forgotten.
    async fn remember_unanchored(self: &Arc<Self>, package: PackageId) -> Result<(), NodeError> {
        let forgotten = self.store.forgotten_reports(package).await?;
        if forgotten == 0 {
            return Ok(());
        }
        self.store.remember_reports(package).await?;
        self.to_anchor.notify_one();
        let fault = Fault {
            kind: AlertKind::Report,
            chain: None,
            height: None,
            package,
            detail: format!("{forgotten} reports were not waiting to be anchored any more"),
        };
        self.alert(fault, Some("the reports themselves".into()))
            .await
    }
}
