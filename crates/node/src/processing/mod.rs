//! A request's life (P2, P5, P11): received → authenticated → retrieved → processed → validated → sealed → issued →
//! ready → delivered, or refused with a reason.
//!
//! Each step is one transaction of the store that also appends to the form, and a step begins only from the stage
//! before: a node killed at any instant goes on where it was and does nothing twice. What is not kept between two
//! steps (the payload in clear) is made again from the release, which does not change.

mod certificate;
mod generating;
mod intake;
mod sealing;
mod selection;
mod validation;

use std::sync::Arc;

use medshare_anonymiser::Table;
use medshare_protocol::form::{self, Step};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::wire::Stage;
use tokio::sync::OwnedSemaphorePermit;

use crate::clock;
use crate::descriptor::public_plan;
use crate::error::NodeError;
use crate::release::Release;
use crate::running::{Inner, Pauses};
use crate::store::{Change, StoredPackage, StoredRequest};

/// What the version of the release is called in a form.
pub(crate) const RELEASE: &str = "release";
/// Cells from which on a table is a large one: only two of them are in memory at once.
const LARGE_CELLS: usize = 500_000;
/// What a large payload weighs against the others.
pub(crate) const LARGE_WEIGHT: u32 = 4;

/// Works on a request in a task of its own until it is sealed or refused.
pub(crate) fn spawn(inner: &Arc<Inner>, id: PackageId) {
    let Some(driven) = inner.take(id) else { return };
    let inner = Arc::clone(inner);
    let tasks = inner.tasks.clone();
    tasks.spawn(async move {
        let _driven = driven;
        tokio::select! {
            () = inner.shutdown.cancelled() => {}
            () = drive(&inner, id) => {}
        }
    });
}

/// Tries until the request is sealed or refused; pauses while chain or peers are away.
async fn drive(inner: &Arc<Inner>, id: PackageId) {
    let mut pauses = Pauses::default();
    loop {
        match inner.process(id).await {
            Ok(()) => return,
            Err(error) if is_final(&error) => {
                if inner.refuse(id, &reason_of(&error)).await.is_ok() {
                    return;
                }
            }
            Err(error) => tracing::warn!(request = %id, %error, "processing failed; trying again"),
        }
        tokio::time::sleep(pauses.grow()).await;
    }
}

fn is_final(error: &NodeError) -> bool {
    matches!(
        error,
        NodeError::Refused { .. } | NodeError::PeerRefused(_) | NodeError::BadRequest(_)
    )
}

fn reason_of(error: &NodeError) -> String {
    match error {
        NodeError::Refused { reason } => reason.clone(),
        other => other.to_string(),
    }
}

/// What is in memory of a request while it is worked on. The payload holds patients' records in clear: it is dropped
/// as soon as the container is written.
struct Work {
    request: StoredRequest,
    release: Arc<Release>,
    payload: Vec<u8>,
    _weight: OwnedSemaphorePermit,
}

impl Inner {
    /// All steps that are left, up to sealed.
    async fn process(self: &Arc<Self>, id: PackageId) -> Result<(), NodeError> {
        let request = self.known_request(id).await?;
        if request.stage >= Stage::Sealed {
            return Ok(());
        }
        if request.stage == Stage::Received {
            self.authenticate(&request.signed).await?;
            let step = self
                .step("authenticated")
                .with("requestor-signature", "holds");
            self.advance(
                id,
                Stage::Received,
                Stage::Authenticated,
                &[step],
                Change::None,
            )
            .await?;
        }
        if request.signed.request.deadline <= clock::now_ms() {
            return Err(NodeError::refused(
                "the request's deadline has passed before it could be answered",
            ));
        }
        let work = self.retrieve(id).await?;
        let package = self.processed_package(id).await?;
        let (package, work) = self.validate_by_peer(package, work).await?;
        self.seal(package, work).await?;
        self.to_issue.notify_one();
        Ok(())
    }

    /// Fixes the release, selects from it, and on the first time ranks and generates the usage contract.
    async fn retrieve(self: &Arc<Self>, id: PackageId) -> Result<Work, NodeError> {
        let request = self.known_request(id).await?;
        let dataset = self
            .dataset(DatasetId(request.signed.request.dataset))
            .ok_or_else(|| NodeError::refused("the dataset is not served here any more"))?;
        let release = self.releases.get(dataset).await.map_err(|error| {
            tracing::error!(dataset = %dataset.id, %error, "there is no release");
            NodeError::refused(
                "the custodian's data cannot be released at present; ask the custodian",
            )
        })?;
        let weight = self.weigh(&release.table).await?;
        if request.stage == Stage::Authenticated {
            self.fix_release(id, &release).await?;
        } else if request.release != Some(release.version) {
            return Err(NodeError::refused(
                "the custodian made a new release while the request was under way: ask again",
            ));
        }
        let selection = request.signed.request.selection.clone();
        let table = Arc::clone(&release.table);
        let plan = public_plan(&dataset.descriptor)
            .ok_or_else(|| NodeError::Internal("a loaded descriptor has known roles".into()))?;
        let (selected, payload) = tokio::task::spawn_blocking(move || {
            let selected = selection::select(&table, &plan, &selection)?;
            let payload = selected.table.to_csv();
            Ok::<_, NodeError>((selected, payload))
        })
        .await??;
        let request = self.known_request(id).await?;
        if request.stage == Stage::Retrieved {
            self.generate(&request, dataset, &release, &selected, &payload)
                .await?;
        }
        Ok(Work {
            request,
            release,
            payload,
            _weight: weight,
        })
    }

    async fn weigh(&self, table: &Table) -> Result<OwnedSemaphorePermit, NodeError> {
        let cells = table.rows().saturating_mul(table.column_names().count());
        let weight = if cells > LARGE_CELLS { LARGE_WEIGHT } else { 1 };
        Arc::clone(&self.processing_weight)
            .acquire_many_owned(weight)
            .await
            .map_err(|_| NodeError::Internal("the semaphore is never closed".into()))
    }

    async fn fix_release(&self, id: PackageId, release: &Release) -> Result<(), NodeError> {
        let step = form::retrieved(clock::now_ms(), self.address())
            .with(RELEASE, release.version)
            .with("rows", release.table.rows());
        let change = Change::Retrieved {
            release: release.version,
        };
        self.advance(id, Stage::Authenticated, Stage::Retrieved, &[step], change)
            .await
    }

    async fn processed_package(&self, id: PackageId) -> Result<StoredPackage, NodeError> {
        self.store
            .package(id)
            .await?
            .ok_or_else(|| NodeError::Internal(format!("the package {id} has no row")))
    }

    pub(crate) async fn known_request(&self, id: PackageId) -> Result<StoredRequest, NodeError> {
        self.store
            .stored_request(id)
            .await?
            .ok_or_else(|| NodeError::NotFound(format!("there is no request {id} here")))
    }

    /// A step of this node, now.
    pub(crate) fn step(&self, action: &str) -> Step {
        Step::new(clock::now_ms(), self.address(), action)
    }

    /// Moves a request on and rings its bell.
    pub(crate) async fn advance(
        &self,
        id: PackageId,
        from: Stage,
        to: Stage,
        steps: &[Step],
        change: Change<'_>,
    ) -> Result<(), NodeError> {
        self.store.advance(id, from, to, steps, change).await?;
        self.waiters.ring(id);
        Ok(())
    }

    /// Refuses a request, wherever it stands, with the reason in its form.
    pub(crate) async fn refuse(&self, id: PackageId, reason: &str) -> Result<(), NodeError> {
        let request = self.known_request(id).await?;
        tracing::info!(request = %id, reason, "refused");
        let step = self.step("refused").with("reason", reason);
        let change = Change::Refused { reason };
        self.advance(id, request.stage, Stage::Refused, &[step], change)
            .await
    }
}
