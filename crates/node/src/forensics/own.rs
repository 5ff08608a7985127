//! What only this node has: the forms, reports and containers of its packages, against their blocks. No peer can give
//! them back.

use std::sync::Arc;
use std::time::Duration;

use medshare_protocol::block::{ParentBody, SideBody};
use medshare_protocol::digest::{Sha256d, sha256d};
use medshare_protocol::form::steps_until;
use medshare_protocol::id::{ContainerHash, PackageId};
use medshare_protocol::wire::AlertKind;

use super::{CHECKED_AT_ONCE, Fault};
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{OwnReport, SealedPackage};

/// Bytes of a container that are read at once.
const PIECE_BYTES: usize = 1024 * 1024;

impl Inner {
    pub(super) async fn check_own(self: &Arc<Self>, breath: Duration) -> Result<(), NodeError> {
        let mut after = None;
        while let Some((id, sealed)) = self.store.next_sealed(after).await? {
            self.check_package(id, sealed).await?;
            self.check_reports(id).await?;
            after = Some(id);
            if !breath.is_zero() {
                tokio::time::sleep(breath).await;
            }
        }
        Ok(())
    }

    async fn check_package(&self, id: PackageId, sealed: SealedPackage) -> Result<(), NodeError> {
        let body = match ParentBody::from_bytes(&sealed.body) {
            Ok(body) if body.leaf() == sealed.leaf => body,
            _ => {
                let detail = "the body of the parent block is not the one that was signed";
                return self.lost(AlertKind::Body, id, detail.into()).await;
            }
        };
        let block = body.transaction;
        let form = self.store.form(id).await?;
        if steps_until(&form, block.form_digest).is_none() {
            let detail = "the form is not the one whose digest stands in the parent block";
            self.lost(AlertKind::Form, id, detail.into()).await?;
        }
        let path = self.container_path(id);
        let found = tokio::task::spawn_blocking(move || container_hash(&path)).await?;
        match found {
            Ok(found) if found == block.container_hash => Ok(()),
            Ok(found) => {
                let sealed = block.container_hash;
                let detail = format!(
                    "the container's hash is {found}, and {sealed} stands in the parent block"
                );
                self.lost(AlertKind::Container, id, detail).await
            }
            Err(error) => {
                let detail = format!("the container cannot be read: {error}");
                self.lost(AlertKind::Container, id, detail).await
            }
        }
    }

    async fn check_reports(&self, id: PackageId) -> Result<(), NodeError> {
        let mut next = 1;
        loop {
            let page = self.store.own_reports(id, next, CHECKED_AT_ONCE).await?;
            for report in &page {
                if report.number != next {
                    let detail = format!("report {next} is missing");
                    self.lost(AlertKind::Report, id, detail).await?;
                }
                if let Some(what) = self.altered(id, report) {
                    let detail = format!("report {}: {what}", report.number);
                    self.lost(AlertKind::Report, id, detail).await?;
                }
                next = report.number + 1;
            }
            if page.len() < CHECKED_AT_ONCE as usize {
                return Ok(());
            }
        }
    }

    /// What is not as it was when the report was recorded.
    fn altered(&self, id: PackageId, stored: &OwnReport) -> Option<&'static str> {
        let domain = self.chain.domain();
        let Some((submission, receipt, receipt_signature)) = &stored.content else {
            return Some("it cannot be read");
        };
        let report = &submission.report;
        let Ok(side) = SideBody::from_bytes(&stored.side_body) else {
            return Some("the body of its side-block cannot be read");
        };
        let block = side.transaction;
        let checks = [
            (
                side.leaf() == stored.leaf,
                "the body of its side-block is not the one that was signed",
            ),
            (
                report.package == id.0 && domain.report_digest(report) == block.report,
                "it is not the one whose digest stands in the side-block",
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
                domain.is_signed_by(receipt, receipt_signature, block.node),
                "the signature of its receipt does not hold",
            ),
        ];
        checks
            .into_iter()
            .find(|(holds, _)| !holds)
            .map(|(_, what)| what)
    }

    async fn lost(
        &self,
        kind: AlertKind,
        package: PackageId,
        detail: String,
    ) -> Result<(), NodeError> {
        let fault = Fault {
            kind,
            chain: None,
            height: None,
            package,
            detail,
        };
        self.alert(fault, None).await
    }
}

fn container_hash(path: &std::path::Path) -> std::io::Result<ContainerHash> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256d::default();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match std::io::Read::read(&mut file, &mut piece)? {
            0 => return Ok(ContainerHash(hasher.finish())),
            count => hasher.update(&piece[..count]),
        }
    }
}
