//! Asking the second node, and being it (P13).

use std::sync::Arc;

use alloy_primitives::Address;
use alloy_sol_types::SolStruct;
use medshare_protocol::certificate::{MAX_CERTIFICATE_BYTES, SignedCertificate, certification};
use medshare_protocol::digest::sha256d;
use medshare_protocol::form::form_digest;
use medshare_protocol::id::{PackageId, PayloadHash};
use medshare_protocol::package::payload_hash;
use medshare_protocol::typed::Validation;
use medshare_protocol::wire::{Stage, ValidationAnswer};

use super::{Work, certificate};
use crate::clock;
use crate::descriptor::Dataset;
use crate::error::NodeError;
use crate::peer::ValidationRequest;
use crate::running::Inner;
use crate::store::{Change, StoredPackage};
use crate::verifier::{self, Checked};

impl Inner {
    /// Has the work validated, unless it is. Gives back the work, whose payload the question had borrowed.
    pub(super) async fn validate_by_peer(
        self: &Arc<Self>,
        package: StoredPackage,
        mut work: Work,
    ) -> Result<(StoredPackage, Work), NodeError> {
        let found = payload_hash(package.processed.payload_salt, &work.payload);
        if found != package.processed.payload_hash {
            return Err(NodeError::refused(
                "the custodian's data changed while the request was under way: ask again",
            ));
        }
        if package.validation.is_some() {
            return Ok((package, work));
        }
        let dataset = self
            .dataset(medshare_protocol::id::DatasetId(
                work.request.signed.request.dataset,
            ))
            .ok_or_else(|| NodeError::refused("the dataset is not served here any more"))?;
        let question = self.question(&package, dataset, &mut work).await?;
        let (verifier, answer) = self.peers.validate(&self.chain, &question).await?;
        self.check_answer(&question, verifier, &answer)?;
        let step = self
            .step("validated")
            .with("verifier", verifier)
            .with("form-digest", answer.validation.formDigest)
            .with("payload-hash", answer.validation.payloadHash)
            .with("certificate", answer.certificate.content());
        let change = Change::Validated(&answer, verifier);
        self.advance(
            package.id,
            Stage::Processed,
            Stage::Validated,
            &[step],
            change,
        )
        .await?;
        work.payload = question.payload;
        Ok((
            StoredPackage {
                validation: Some((answer, verifier)),
                ..package
            },
            work,
        ))
    }

    async fn question(
        &self,
        package: &StoredPackage,
        dataset: &Dataset,
        work: &mut Work,
    ) -> Result<ValidationRequest, NodeError> {
        Ok(ValidationRequest {
            signed_request: work.request.signed.clone(),
            descriptor_bytes: dataset.descriptor_bytes.clone(),
            form: self.store.form(package.id).await?,
            payload: std::mem::take(&mut work.payload),
            payload_salt: package.processed.payload_salt,
            usage: package.processed.usage,
            release_version: work.release.version,
        })
    }

    /// The second node signed what it was asked about, and nothing else: the contract would find out, but late.
    fn check_answer(
        &self,
        question: &ValidationRequest,
        verifier: Address,
        answer: &ValidationAnswer,
    ) -> Result<(), NodeError> {
        let id = self
            .chain
            .domain()
            .package_id(&question.signed_request.request);
        let said = &answer.validation;
        let expected = Validation {
            package: id.0,
            payloadHash: payload_hash(question.payload_salt, &question.payload).0,
            formDigest: form_digest(&question.form).0,
            sensitivity: question.usage.sensitivity as u8,
            usage: question.usage.typed().eip712_hash_struct(),
            deadline: said.deadline,
        };
        let signed = self
            .chain
            .domain()
            .is_signed_by(said, &answer.signature, verifier);
        let (package, payload_hash) = (PackageId(said.package), PayloadHash(said.payloadHash));
        let certified =
            answer
                .certificate
                .open(self.chain.domain(), package, payload_hash, verifier);
        if signed && *said == expected && said.deadline > clock::now_ms() && certified.is_ok() {
            return Ok(());
        }
        Err(NodeError::PeerUnavailable(format!(
            "the second node {verifier} signed something else than it was asked about"
        )))
    }

    pub(crate) async fn validate(
        &self,
        request: ValidationRequest,
        sender: Address,
    ) -> Result<ValidationAnswer, NodeError> {
        if sender == self.address() {
            return Err(NodeError::refused("a node cannot be its own second node"));
        }
        let package = self
            .chain
            .domain()
            .package_id(&request.signed_request.request);
        let now = clock::now_ms();
        let facts = verifier::gather(&self.chain, &request, sender, now).await?;
        let deadline = request.signed_request.request.deadline;
        // The data goes no further than this closure and is dropped with it.
        let checked =
            tokio::task::spawn_blocking(move || verifier::check(&request, &facts)).await?;
        let checked = match checked {
            Ok(checked) => checked,
            Err(refusal) => {
                let reason = refusal.to_string();
                self.store
                    .record_validation(package, sender, None, Some(&reason), now)
                    .await?;
                return Err(NodeError::Refused { reason });
            }
        };
        let validation = Validation {
            package: checked.package.0,
            payloadHash: checked.payload_hash.0,
            formDigest: checked.form_digest.0,
            sensitivity: checked.sensitivity as u8,
            usage: checked.usage_hash,
            deadline,
        };
        let signature = self.chain.domain().sign(&validation, &self.signer)?;
        let certificate = self.certify(&checked, now)?;
        let hash = Some(checked.payload_hash.0);
        self.store
            .record_validation(package, sender, hash, None, now)
            .await?;
        Ok(ValidationAnswer {
            validation,
            signature: signature.to_vec().into(),
            certificate,
        })
    }

    /// What was measured, signed.
    fn certify(&self, checked: &Checked, time: u64) -> Result<SignedCertificate, NodeError> {
        let certificate = certificate::of(checked, time).map_err(|error| {
            NodeError::refused(format!("what was measured cannot be certified: {error}"))
        })?;
        let text = certificate.to_text();
        if text.len() > MAX_CERTIFICATE_BYTES {
            return Err(NodeError::refused(format!(
                "what was measured takes {} bytes, and a certificate has {MAX_CERTIFICATE_BYTES} at most: ask for fewer sensitive columns",
                text.len()
            )));
        }
        let content = sha256d(&[text.as_bytes()]);
        let signed = certification(checked.package, checked.payload_hash, content);
        let signature = self.chain.domain().sign(&signed, &self.signer)?;
        Ok(SignedCertificate {
            text,
            signature: signature.to_vec().into(),
        })
    }
}
