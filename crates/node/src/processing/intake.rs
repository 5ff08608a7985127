//! Taking requests and telling how far they are (P2).

use std::sync::Arc;
use std::time::Duration;

use medshare_protocol::digest::sha256d;
use medshare_protocol::filter::MAX_FILTER_BYTES;
use medshare_protocol::form::{self, Step};
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{PackageReady, RequestStatus, SignedRequest, Stage};

use super::selection::MAX_FIELDS;
use crate::authenticator::{BAD_SIGNATURE, purpose_of};
use crate::clock;
use crate::error::NodeError;
use crate::processing;
use crate::running::Inner;
use crate::service::ContainerFile;
use crate::store::{Change, Recorded, StoreError, StoredRequest};

/// Longest name of a field that a selection may have, bytes.
pub const MAX_FIELD_NAME_BYTES: usize = 128;
/// Longest signature that is recorded, bytes: as long as one that a wallet is asked about.
pub const MAX_SIGNATURE_BYTES: usize = 16_384;

impl Inner {
    pub(crate) async fn request(
        self: &Arc<Self>,
        signed: SignedRequest,
    ) -> Result<RequestStatus, NodeError> {
        check_size(&signed)?;
        let id = self.chain.domain().package_id(&signed.request);
        if let Some(known) = self.store.stored_request(id).await? {
            return self.repeated(known, signed).await;
        }
        self.check_room().await?;
        match self
            .store
            .record_request(id, &signed, &self.received(&signed))
            .await?
        {
            Recorded::New => self.admit(id, &signed).await,
            Recorded::Known(known) => self.repeated(*known, signed).await,
        }
    }

    /// Requests that nobody could authenticate yet, because the chain cannot be seen, have a bound of their own: they
    /// take no place of those that are known to be a requestor's.
    async fn check_room(&self) -> Result<(), NodeError> {
        let waiting = self.store.pending_count().await?;
        if waiting >= self.limits.max_pending_requests {
            return Err(NodeError::TooMany { waiting });
        }
        let waiting = self.store.unauthenticated_count().await?;
        if waiting >= self.limits.max_unauthenticated_requests {
            return Err(NodeError::TooMany { waiting });
        }
        Ok(())
    }

    /// A request that is recorded already. Its id does not cover the signature, so a stranger may have sent it with a
    /// bad one: then the requestor's own is heard.
    async fn repeated(
        self: &Arc<Self>,
        known: StoredRequest,
        signed: SignedRequest,
    ) -> Result<RequestStatus, NodeError> {
        let Some(reason) = known
            .reason
            .clone()
            .filter(|_| known.stage == Stage::Refused)
        else {
            return self.status(known.id, 0, Duration::ZERO).await;
        };
        if reason != BAD_SIGNATURE || known.signed.signature == signed.signature {
            return Err(NodeError::Refused { reason });
        }
        let request = &signed.request;
        let holds = self
            .chain
            .verify_wallet_signature(request.requestor, known.id.0, &signed.signature)
            .await?;
        if !holds {
            return Err(NodeError::Refused { reason });
        }
        self.store
            .reopen_request(known.id, &signed, &self.received(&signed))
            .await?;
        self.admit(known.id, &signed).await
    }

    /// Authenticates what was just recorded and has it worked on.
    async fn admit(
        self: &Arc<Self>,
        id: PackageId,
        signed: &SignedRequest,
    ) -> Result<RequestStatus, NodeError> {
        match self.authenticate(signed).await {
            Ok(()) => {
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
                .await
                .or_else(already_moved)?;
                processing::spawn(self, id);
                self.status(id, 0, Duration::ZERO).await
            }
            Err(NodeError::Refused { reason }) => {
                self.refuse(id, &reason).await?;
                Err(NodeError::Refused { reason })
            }
            // Recorded; the task goes on with it when the chain is back.
            Err(error) => {
                processing::spawn(self, id);
                Err(error)
            }
        }
    }

    /// The form's first step (P11).
    fn received(&self, signed: &SignedRequest) -> Step {
        let (now, node, request) = (clock::now_ms(), self.address(), &signed.request);
        match purpose_of(request) {
            Ok(purpose) => form::received(now, node, request.requestor, purpose),
            // It will be refused for its purpose; that it came is recorded all the same.
            Err(_) => Step::new(now, node, "received")
                .with("requestor-hash", sha256d(&[request.requestor.as_slice()])),
        }
    }

    pub(crate) async fn status(
        &self,
        id: PackageId,
        after: usize,
        wait: Duration,
    ) -> Result<RequestStatus, NodeError> {
        self.known_request(id).await?;
        let mut bell = self.waiters.listen(id);
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let status = self.status_now(id).await?;
            let is_final = matches!(status.stage, Stage::Delivered | Stage::Refused);
            if status.form.len() > after || is_final {
                return Ok(status);
            }
            tokio::select! {
                _ = bell.changed() => {}
                () = tokio::time::sleep_until(deadline) => return Ok(status),
                () = self.shutdown.cancelled() => return Ok(status),
            }
        }
    }

    async fn status_now(&self, id: PackageId) -> Result<RequestStatus, NodeError> {
        let request = self.known_request(id).await?;
        let form = self.store.form(id).await?;
        let package = match request.stage {
            Stage::Ready | Stage::Delivered => self.package_ready(id).await?,
            _ => None,
        };
        Ok(RequestStatus {
            id,
            stage: request.stage,
            reason: request.reason,
            form,
            package,
        })
    }

    async fn package_ready(&self, id: PackageId) -> Result<Option<PackageReady>, NodeError> {
        let sealed = self
            .store
            .package(id)
            .await?
            .and_then(|package| package.sealed);
        let parent = self.store.parent_entry(id).await?;
        Ok(sealed.zip(parent).map(|(sealed, parent)| PackageReady {
            length: sealed.container_length,
            container_hash: sealed.container_hash,
            parent: sealed.leaf,
            transaction: parent.transaction,
        }))
    }

    pub(crate) async fn container(&self, id: PackageId) -> Result<ContainerFile, NodeError> {
        let request = self.known_request(id).await?;
        if !matches!(request.stage, Stage::Ready | Stage::Delivered) {
            return Err(NodeError::Conflict(format!(
                "the package {id} is not ready: its request is {:?}",
                request.stage
            )));
        }
        let ready = self.package_ready(id).await?.ok_or_else(|| {
            NodeError::Internal(format!("the package {id} is ready but not sealed"))
        })?;
        Ok(ContainerFile {
            path: self.container_path(id),
            length: ready.length,
            container_hash: ready.container_hash,
        })
    }

    pub(crate) async fn delivered(&self, id: PackageId) -> Result<(), NodeError> {
        let step = self.step("delivered");
        match self
            .advance(id, Stage::Ready, Stage::Delivered, &[step], Change::None)
            .await
        {
            // Downloaded before: the first time counts.
            Err(NodeError::Store(StoreError::MovedOn { .. })) => {
                self.known_request(id).await.map(drop)
            }
            other => other,
        }
    }
}

/// The task that resumes requests may have been faster.
fn already_moved(error: NodeError) -> Result<(), NodeError> {
    match error {
        NodeError::Store(StoreError::MovedOn { .. }) => Ok(()),
        other => Err(other),
    }
}

fn check_size(signed: &SignedRequest) -> Result<(), NodeError> {
    let selection = &signed.request.selection;
    if selection.fields.len() > MAX_FIELDS {
        return Err(NodeError::BadRequest(format!(
            "the selection names {} fields; at most {MAX_FIELDS} are taken",
            selection.fields.len()
        )));
    }
    for name in &selection.fields {
        if name.len() > MAX_FIELD_NAME_BYTES {
            return Err(NodeError::BadRequest(format!(
                "the selection names a field in {} bytes; at most {MAX_FIELD_NAME_BYTES} are taken",
                name.len()
            )));
        }
    }
    if signed.signature.len() > MAX_SIGNATURE_BYTES {
        return Err(NodeError::BadRequest(format!(
            "the signature has {} bytes; at most {MAX_SIGNATURE_BYTES} are taken",
            signed.signature.len()
        )));
    }
    if selection.filter.len() > MAX_FILTER_BYTES {
        return Err(NodeError::BadRequest(format!(
            "the filter has {} bytes; at most {MAX_FILTER_BYTES} are taken",
            selection.filter.len()
        )));
    }
    Ok(())
}
