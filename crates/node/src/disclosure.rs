//! The dossier of a package: what this node holds about it besides blocks, for the two whom it concerns.
//!
//! Blocks are for everybody; a request's filter and a form's particulars are not: they may tell what somebody is looking
//! for.

use alloy_primitives::Address;
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::AccessRequest;
use medshare_protocol::wire::{Dossier, MAX_REPORTS_TOLD, SignedDisclosure};

use crate::clock;
use crate::error::NodeError;
use crate::running::Inner;
use crate::service::MAX_DEADLINE_AHEAD_MS;

impl Inner {
    pub(crate) async fn dossier(
        &self,
        id: PackageId,
        asked: SignedDisclosure,
    ) -> Result<Dossier, NodeError> {
        let unknown = || NodeError::NotFound(format!("this node has not made a package {id}"));
        let request = self.store.stored_request(id).await?.ok_or_else(unknown)?;
        self.may_see(id, &request.signed.request, &asked).await?;
        let package = self.store.package(id).await?.ok_or_else(unknown)?;
        let (validation, verifier) = package.validation.ok_or_else(|| {
            NodeError::Conflict(format!(
                "the package {id} is not validated yet: ask again later"
            ))
        })?;
        Ok(Dossier {
            request: request.signed,
            form: self.store.form(id).await?,
            usage: package.processed.usage,
            verifier,
            validation,
            reports: self
                .store
                .recorded_reports(id, asked.reports_from, MAX_REPORTS_TOLD)
                .await?,
            deletion: self.store.deletion(id).await?,
        })
    }

    /// The requestor and the custodian may, and nobody else.
    async fn may_see(
        &self,
        id: PackageId,
        request: &AccessRequest,
        asked: &SignedDisclosure,
    ) -> Result<(), NodeError> {
        let (disclosure, now) = (&asked.disclosure, clock::now_ms());
        if disclosure.package != id.0 {
            return Err(NodeError::BadRequest(format!(
                "what is signed asks for the package {}, not {id}",
                disclosure.package
            )));
        }
        if disclosure.deadline < now {
            return Err(NodeError::refused(
                "the deadline of the question has passed: sign it anew",
            ));
        }
        if disclosure.deadline > now + MAX_DEADLINE_AHEAD_MS {
            return Err(NodeError::refused(
                "the deadline of the question lies more than 24 hours ahead",
            ));
        }
        let digest = self.chain.domain().digest(disclosure);
        for person in [request.requestor, self.custodian] {
            if self.signed_by(person, digest, &asked.signature).await? {
                return Ok(());
            }
        }
        Err(NodeError::refused(format!(
            "only the requestor {} and the custodian {} may see what is kept about the package {id}: \
             sign with one of their wallets",
            request.requestor, self.custodian
        )))
    }

    async fn signed_by(
        &self,
        person: Address,
        digest: alloy_primitives::B256,
        signature: &[u8],
    ) -> Result<bool, NodeError> {
        let signed = self
            .chain
            .verify_wallet_signature(person, digest, signature);
        Ok(signed.await?)
    }
}
