//! The authenticator (P4): signatures, registration, suspension, replay and expiry.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use medshare_protocol::id::DatasetId;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::typed::{AccessRequest, Registration};
use medshare_protocol::wire::{RegistrationAnswer, SignedRegistration, SignedRequest};

use crate::clock;
use crate::descriptor::Dataset;
use crate::error::NodeError;
use crate::running::Inner;
use crate::service::MAX_DEADLINE_AHEAD_MS;

/// The reason when a request's signature does not hold. A later try with another signature is heard.
pub(crate) const BAD_SIGNATURE: &str =
    "the signature over the request is not the requestor's: sign it with the registered wallet";

impl Inner {
    /// Checks a request in full. What is only a matter of the chain being down is no refusal.
    ///
    /// # Errors
    /// [`NodeError::Refused`] with the first thing that is wrong.
    pub(crate) async fn authenticate(&self, signed: &SignedRequest) -> Result<(), NodeError> {
        let request = &signed.request;
        let dataset = self.check_statement(request)?;
        let digest = self.chain.domain().digest(request);
        let (holds, requestor, refused, published) = futures::try_join!(
            self.chain
                .verify_wallet_signature(request.requestor, digest, &signed.signature),
            self.chain.requestor(request.requestor),
            self.chain.is_refused(self.custodian, request.requestor),
            self.chain.dataset(self.custodian, dataset.id),
        )?;
        if !holds {
            return Err(NodeError::refused(BAD_SIGNATURE));
        }
        let requestor = requestor.ok_or_else(|| {
            NodeError::refused(format!(
                "{} is not registered: register first",
                request.requestor
            ))
        })?;
        if requestor.suspended {
            return Err(NodeError::refused(
                "the requestor's credential is suspended",
            ));
        }
        if refused {
            return Err(NodeError::refused(
                "the custodian takes no requests of this requestor after a violation",
            ));
        }
        let published = published
            .filter(|record| record.descriptor == dataset.descriptor_hash)
            .ok_or_else(|| {
                NodeError::refused(
                    "the dataset is not published on chain with the terms it is served under",
                )
            })?;
        let purpose = purpose_of(request)?;
        if published.allows(purpose) {
            return Ok(());
        }
        Err(NodeError::refused(format!(
            "the dataset may not be used for {purpose}"
        )))
    }

    /// What can be said about a request without asking the chain.
    fn check_statement(&self, request: &AccessRequest) -> Result<&Dataset, NodeError> {
        if request.custodian != self.custodian {
            return Err(NodeError::refused(format!(
                "the request is for the custodian {}, this node works for {}",
                request.custodian, self.custodian
            )));
        }
        let id = DatasetId(request.dataset);
        let dataset = self.dataset(id).ok_or_else(|| {
            NodeError::refused(format!(
                "this node serves no dataset {id}: see /v1/datasets"
            ))
        })?;
        purpose_of(request)?;
        check_deadline(request.deadline)?;
        Ok(dataset)
    }

    pub(crate) async fn register(
        self: &Arc<Self>,
        signed: SignedRegistration,
    ) -> Result<RegistrationAnswer, NodeError> {
        let registration = &signed.registration;
        if let Some(answer) = self.registered_already(&signed).await? {
            return Ok(answer);
        }
        check_deadline(registration.deadline)?;
        let digest = self.chain.domain().digest(registration);
        let (holds, nonce) = futures::try_join!(
            self.chain
                .verify_wallet_signature(registration.requestor, digest, &signed.signature),
            self.chain.registration_nonce(registration.requestor),
        )?;
        if !holds {
            return Err(NodeError::refused(
                "the signature over the registration is not the wallet's",
            ));
        }
        if nonce != registration.nonce {
            return Err(NodeError::refused(format!(
                "the registration carries the nonce {}, {nonce} is due: sign again",
                registration.nonce
            )));
        }
        self.check_vouching(registration).await?;
        match self
            .chain
            .register_requestor(registration, &signed.signature)
            .await
        {
            Ok(receipt) => Ok(RegistrationAnswer {
                transaction: receipt.hash,
                custodian: self.custodian,
            }),
            // Two repeats at once: one of them was mined, and the other one is told so.
            Err(error) => match self.registered_already(&signed).await? {
                Some(answer) => Ok(answer),
                None => Err(error.into()),
            },
        }
    }

    /// To register is to vouch: only for credentials that the custodian names, or that it vouched for before (P1).
    async fn check_vouching(&self, registration: &Registration) -> Result<(), NodeError> {
        let credential = registration.credential;
        if self.vouching.covers(credential) {
            return Ok(());
        }
        let record = self.chain.requestor(registration.requestor).await?;
        let is_ours = record.is_some_and(|record| {
            record.credential == credential && record.custodian == self.custodian
        });
        if is_ours {
            return Ok(());
        }
        Err(NodeError::refused(format!(
            "this node does not vouch for the credential {credential}: ask the custodian's operator to add it to `vouch-for` in the node's configuration"
        )))
    }

    /// The answer to a repeat of the registration that holds.
    async fn registered_already(
        self: &Arc<Self>,
        signed: &SignedRegistration,
    ) -> Result<Option<RegistrationAnswer>, NodeError> {
        let registration = &signed.registration;
        let Some(record) = self.chain.requestor(registration.requestor).await? else {
            return Ok(None);
        };
        let same = record.nonce == registration.nonce.saturating_add(U256::ONE)
            && record.sealing_key == registration.sealingKey
            && record.credential == registration.credential
            && record.class as u8 == registration.class;
        if !same {
            return Ok(None);
        }
        self.catch_up().await?;
        let transaction = self
            .store
            .registration(registration.requestor, registration.nonce)
            .await?;
        Ok(transaction.map(|transaction| RegistrationAnswer {
            transaction,
            custodian: record.custodian,
        }))
    }

    /// The key that a requestor's packages and shares are sealed to now.
    pub(crate) async fn sealing_key_of(
        &self,
        requestor: Address,
    ) -> Result<alloy_primitives::B256, NodeError> {
        let record = self.chain.requestor(requestor).await?;
        record.map(|record| record.sealing_key).ok_or_else(|| {
            NodeError::refused(format!("{requestor} is not registered: register first"))
        })
    }
}

/// The purpose, if it is a purpose code.
pub(crate) fn purpose_of(request: &AccessRequest) -> Result<Purpose, NodeError> {
    Purpose::try_from(request.purpose).map_err(|error| NodeError::refused(error.to_string()))
}

fn check_deadline(deadline: u64) -> Result<(), NodeError> {
    let now = clock::now_ms();
    if deadline <= now {
        return Err(NodeError::refused(format!(
            "the deadline {deadline} (ms) has passed, it is {now}: sign again"
        )));
    }
    if deadline - now > MAX_DEADLINE_AHEAD_MS {
        return Err(NodeError::refused(format!(
            "the deadline {deadline} (ms) lies more than 24 hours ahead: sign with an earlier one"
        )));
    }
    Ok(())
}
