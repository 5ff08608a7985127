//! Outputs that a usage contract holds back (P18, SPEC §5.3): taken from the requestor, handed out once the custodian has
//! released them. The decision itself is made at the [`desk`](crate::desk).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::B256;
use axum::body::Bytes;
use medshare_protocol::id::PackageId;
use medshare_protocol::output::{MAX_WAITING_OUTPUTS, output_hash};
use medshare_protocol::report::ReportBody;
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::wire::HeldOutput;

use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use crate::secrets::{AtRest, Secret};
use crate::store::{Store, StoredPackage};

impl Inner {
    /// The hash of the output that report `number` tells of: asked before a byte of it is taken in.
    pub(crate) async fn awaited_output(
        &self,
        id: PackageId,
        number: u32,
    ) -> Result<B256, NodeError> {
        let (_, package) = self.ready_package(id).await?;
        let secret = contract_secret(&self.secrets, &package)?;
        let body = report_body(&self.store, &secret, id, number).await?;
        body.held.ok_or_else(|| {
            NodeError::BadRequest(format!(
                "report number {number} tells of no output that is held back"
            ))
        })
    }

    /// Keeps a sealed output that report `number` told of: the requestor has signed for these very bytes. A repeat is
    /// answered alike. Whoever hangs up meanwhile leaves no file that nothing is recorded of.
    pub(crate) async fn take_output(
        self: &Arc<Self>,
        id: PackageId,
        number: u32,
        sealed: Bytes,
    ) -> Result<(), NodeError> {
        let inner = Arc::clone(self);
        let taking = async move { inner.take_whole_output(id, number, sealed).await };
        self.tasks.spawn(taking).await?
    }

    async fn take_whole_output(
        &self,
        id: PackageId,
        number: u32,
        sealed: Bytes,
    ) -> Result<(), NodeError> {
        let output = self.awaited_output(id, number).await?;
        let hashed = sealed.clone();
        if tokio::task::spawn_blocking(move || output_hash(&hashed)).await? != output {
            return Err(NodeError::BadRequest(format!(
                "these are not the bytes that report number {number} tells of: sha256d {output}"
            )));
        }
        // Of two at once the second finds what the first has left, and removes nothing that the first has had recorded.
        let _one = self.taking_output.lock().await;
        if self.store.output(id, number).await?.is_some() {
            return Ok(());
        }
        let held = HeldOutput {
            number,
            output,
            length: sealed.len() as u64,
            received: clock::now_ms(),
            decision: None,
        };
        let path = held_path(&self.packages_dir, id, number);
        write(&path, sealed).await?;
        let most = MAX_WAITING_OUTPUTS;
        if self.store.put_output(id, &held, most).await? {
            return Ok(());
        }
        // What is not taken must not fill the disk either.
        let _ = tokio::fs::remove_file(&path).await;
        Err(NodeError::Conflict(format!(
            "{most} outputs of the package wait for the custodian's decision: send it again then"
        )))
    }

    /// What is held back of a package, and what was decided.
    pub(crate) async fn outputs(&self, id: PackageId) -> Result<Vec<HeldOutput>, NodeError> {
        self.known_request(id).await?;
        let outputs = self.store.outputs(Some(id)).await?;
        Ok(outputs.into_iter().map(|(_, held)| held).collect())
    }

    /// A released output, sealed to the requestor.
    pub(crate) async fn released_output(
        &self,
        id: PackageId,
        number: u32,
    ) -> Result<Vec<u8>, NodeError> {
        self.known_request(id).await?;
        let held = self
            .store
            .output(id, number)
            .await?
            .ok_or_else(|| no_output(id, number))?;
        match held.decision.map(|signed| signed.decision) {
            Some(decision) if decision.released => {
                let path = released_path(&self.packages_dir, id, number);
                tokio::fs::read(&path)
                    .await
                    .map_err(|error| cannot("read", &path, &error))
            }
            Some(decision) => Err(NodeError::refused(format!(
                "the custodian does not release it: {}",
                decision.reason
            ))),
            None => Err(NodeError::Conflict(
                "the custodian has not decided about it yet".into(),
            )),
        }
    }
}

pub(crate) fn no_output(package: PackageId, number: u32) -> NodeError {
    NodeError::NotFound(format!("there is no output {number} of {package} here"))
}

/// The secret half of a package's contract key.
pub(crate) fn contract_secret(
    secrets: &AtRest,
    package: &StoredPackage,
) -> Result<SealingSecret, NodeError> {
    let sealed = &package.processed.contract_secret;
    let secret = secrets.decrypt(Secret::Contract, package.id, sealed)?;
    Ok(SealingSecret::from_bytes(*secret))
}

async fn report_body(
    store: &Store,
    secret: &SealingSecret,
    package: PackageId,
    number: u32,
) -> Result<ReportBody, NodeError> {
    let reports = store.recorded_reports(package, number, 1).await?;
    let report = reports
        .first()
        .filter(|found| found.submission.report.number == number);
    let report = report.ok_or_else(|| {
        NodeError::NotFound(format!("there is no report {number} of {package} here"))
    })?;
    ReportBody::open(&report.submission.body, secret, package, number)
        .map_err(|error| NodeError::BadRequest(format!("report {number}: {error}")))
}

pub(crate) fn held_path(folder: &Path, package: PackageId, number: u32) -> PathBuf {
    folder.join(format!("{package}-{number}.held"))
}

pub(crate) fn released_path(folder: &Path, package: PackageId, number: u32) -> PathBuf {
    folder.join(format!("{package}-{number}.released"))
}

/// Under another name first, so that what has the final name is whole; durable when it returns.
pub(crate) async fn write(
    path: &Path,
    bytes: impl AsRef<[u8]> + Send + 'static,
) -> Result<(), NodeError> {
    let to = path.to_owned();
    let written = tokio::task::spawn_blocking(move || {
        let folder = to.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes.as_ref())?;
        file.as_file().sync_all()?;
        file.persist(&to)?;
        // The new name is durable only with its folder.
        std::fs::File::open(folder)?.sync_all()
    });
    written
        .await?
        .map_err(|error: std::io::Error| cannot("write", path, &error))
}

pub(crate) fn cannot(what: &str, path: &Path, error: &std::io::Error) -> NodeError {
    NodeError::Internal(format!("cannot {what} {}: {error}", path.display()))
}
