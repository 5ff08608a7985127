//! Sealing the package for the requestor (P4, P10, P15, P16) and signing its parent block's body (P20).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::block::{NodeSignature, ParentBody, ParentTransaction};
use medshare_protocol::form::{Step, form_digest};
use medshare_protocol::id::{ContainerHash, DatasetId, FormDigest};
use medshare_protocol::package::{PackageHeader, SignedHeader, container_length, write_container};
use medshare_protocol::seal::{self, DataKey, SealedFor, Share};
use medshare_protocol::wire::Stage;

use super::Work;
use crate::authenticator::purpose_of;
use crate::error::NodeError;
use crate::running::Inner;
use crate::secrets::Secret;
use crate::store::{Change, SealedPackage, StoredPackage};

/// A written container and what it was sealed with.
struct Container {
    hash: ContainerHash,
    length: u64,
    custodian_share: Share,
}

impl Inner {
    /// Writes the container, signs the parent block's body, and records both.
    pub(super) async fn seal(
        self: &Arc<Self>,
        package: StoredPackage,
        work: Work,
    ) -> Result<(), NodeError> {
        let Work {
            request,
            payload,
            _weight: weight,
            ..
        } = work;
        let header = self.header(&package, &request).await?;
        let path = self.container_path(package.id);
        let signer = self.signer.clone();
        let sealing_key = self
            .sealing_key_of(request.signed.request.requestor)
            .await?;
        let container = tokio::task::spawn_blocking(move || {
            write(header, sealing_key, &signer, &payload, &path)
        })
        .await??;
        drop(weight);
        let step = self
            .step("sealed")
            .with("container-hash", container.hash)
            .with("container-bytes", container.length);
        let body = self
            .parent_body(&package, &request, &container, &step)
            .await?;
        let sealed = SealedPackage {
            custodian_share: self.secrets.encrypt(
                Secret::Share,
                package.id,
                container.custodian_share.expose(),
            )?,
            container_hash: container.hash,
            container_length: container.length,
            leaf: body.leaf(),
            body: body.to_bytes(),
        };
        let change = Change::Sealed(&sealed);
        self.advance(package.id, Stage::Validated, Stage::Sealed, &[step], change)
            .await
    }

    /// The container's header, but for the sealed share.
    async fn header(
        &self,
        package: &StoredPackage,
        request: &crate::store::StoredRequest,
    ) -> Result<PackageHeader, NodeError> {
        let (_, verifier) = validated(package)?;
        let usage = package.processed.usage.typed();
        Ok(PackageHeader {
            dataset: request.signed.request.dataset,
            package: package.id.0,
            node: self.address(),
            owner: self.custodian,
            requestor: request.signed.request.requestor,
            payload_hash: package.processed.payload_hash.0,
            payload_salt: package.processed.payload_salt,
            payload_length: package.processed.payload_length,
            media_type: "text/csv".into(),
            verifier,
            processed: package.processed.processed,
            chain_id: self.chain.chain_id(),
            contract: self.chain.contract(),
            sensitivity: usage.sensitivity,
            granted: usage.granted,
            exempt: usage.exempt,
            environment: usage.environment,
            expiry: usage.expiry,
            contract_key: usage.contractKey,
            sealed_share: Vec::new(),
        })
    }

    /// The signed body. Its form digest covers the whole form, the step `sealed` included; its times end with it.
    async fn parent_body(
        &self,
        package: &StoredPackage,
        request: &crate::store::StoredRequest,
        container: &Container,
        sealed: &Step,
    ) -> Result<ParentBody, NodeError> {
        let (_, verifier) = validated(package)?;
        let mut form = self.store.form(package.id).await?;
        form.push(sealed.clone());
        let requestor = request.signed.request.requestor;
        let transaction = ParentTransaction {
            received: request.received,
            processing_ms: package.processed.processed.saturating_sub(request.received),
            sent: sealed.time,
            owner: self.custodian,
            requestor,
            sensitivity: package.processed.usage.sensitivity,
            purpose: purpose_of(&request.signed.request)?,
            dataset: DatasetId(request.signed.request.dataset),
            package: package.id,
            payload_hash: package.processed.payload_hash,
            container_hash: container.hash,
            form_digest: FormDigest(form_digest(&form).0),
            verifier,
            node: self.address(),
            signature: NodeSignature::ZERO,
        };
        let body = ParentBody {
            action_counter: package.processed.usage.violation_count(),
            transaction,
            locktime: sealed.time,
        };
        body.sign(self.thread_origin(requestor), &self.signer)
            .map_err(|error| NodeError::Internal(error.to_string()))
    }
}

fn validated(
    package: &StoredPackage,
) -> Result<
    (
        &medshare_protocol::wire::ValidationAnswer,
        alloy_primitives::Address,
    ),
    NodeError,
> {
    let validation = package.validation.as_ref();
    validation
        .map(|(answer, verifier)| (answer, *verifier))
        .ok_or_else(|| NodeError::Internal(format!("the package {} is not validated", package.id)))
}

/// Makes the shares, signs the header and writes the file: under another name first, so that what has the final name
/// is whole.
fn write(
    mut header: PackageHeader,
    sealing_key: alloy_primitives::B256,
    signer: &PrivateKeySigner,
    payload: &[u8],
    path: &Path,
) -> Result<Container, NodeError> {
    let (requestor_share, custodian_share) = (Share::generate()?, Share::generate()?);
    let context = seal::share_context(header.package_id(), header.requestor);
    header.sealed_share = seal::seal(
        sealing_key,
        SealedFor::RequestorShare,
        &context,
        requestor_share.expose(),
    )
    .map_err(|error| NodeError::refused(error.to_string()))?;
    let header = header.sign(signer)?;
    let key = DataKey::derive(&header.bytes, &requestor_share, &custodian_share);
    let hash = write_file(&header, &key, payload, path).map_err(|error| {
        NodeError::Internal(format!("cannot write {}: {error}", path.display()))
    })?;
    Ok(Container {
        hash,
        length: container_length(&header),
        custodian_share,
    })
}

/// Chunks go to the disk as they are encrypted, while a second thread hashes them: beside the payload some of them are in
/// memory, however many there are.
fn write_file(
    header: &SignedHeader,
    key: &DataKey,
    mut payload: &[u8],
    path: &Path,
) -> Result<ContainerHash, medshare_protocol::package::PackageError> {
    let unfinished: PathBuf = path.with_extension("unfinished");
    let mut file = File::create(&unfinished)?;
    let hash = write_container(header, key, &mut payload, &mut file)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    if let Some(folder) = path.parent() {
        // The new name is durable only with its folder.
        File::open(folder)?.sync_all()?;
    }
    Ok(hash)
}
