//! Being the second node (P13): looks at another node's work from its output alone, and finds what is wrong with it.
//!
//! Nothing that the first node says is taken over: hash, columns, rows, k, identifiers and sensitivity are measured on
//! the data itself; terms and purposes are compared with what its custodian published on chain.

mod checks;

use alloy_primitives::{Address, B256};
use medshare_anonymiser::{Measures, Ranking};
use medshare_chain::{Chain, ChainError, DatasetRecord};
use medshare_protocol::id::{DatasetId, FormDigest, PackageId, PayloadHash};
use medshare_protocol::typed::Domain;
use medshare_protocol::usage::Sensitivity;
use medshare_protocol::wire::PublicDescriptor;

use crate::peer::ValidationRequest;

/// What has to be known besides the work itself. All of it comes from the chain and the clock.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The deployment.
    pub domain: Domain,
    /// The node whose work this is, authenticated.
    pub sender: Address,
    /// Its custodian, by the chain; nothing when it is no registered node.
    pub sender_custodian: Option<Address>,
    /// The dataset as it is published; nothing when it is not.
    pub published: Option<DatasetRecord>,
    /// Whether the requestor's signature over the request holds.
    pub signature_holds: bool,
    /// Now, ms since the Unix epoch.
    pub time: u64,
}

/// What was found in work that is in order.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The package.
    pub package: PackageId,
    /// sha256d(salt ‖ payload), computed here.
    pub payload_hash: PayloadHash,
    /// Digest of the form as it was sent.
    pub form_digest: FormDigest,
    /// How sensitive the payload is, ranked here.
    pub sensitivity: Sensitivity,
    /// EIP-712 struct hash of the usage contract.
    pub usage_hash: B256,
    /// k, classes and rows, measured here.
    pub measures: Measures,
    /// Why it is ranked so.
    pub ranking: Ranking,
    /// The terms it was held to.
    pub descriptor: PublicDescriptor,
}

/// Why the work is not signed. One sentence that names the fault and never a value of the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The sentence.
    pub reason: String,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// Asks the chain for what [`check`] has to know.
///
/// # Errors
/// When the chain cannot be seen.
pub async fn gather(
    chain: &Chain,
    request: &ValidationRequest,
    sender: Address,
    time: u64,
) -> Result<Facts, ChainError> {
    let access = &request.signed_request.request;
    let digest = chain.domain().digest(access);
    let signature = &request.signed_request.signature;
    let (node, published, signature_holds) = futures::try_join!(
        chain.node(sender),
        chain.dataset(access.custodian, DatasetId(access.dataset)),
        chain.verify_wallet_signature(access.requestor, digest, signature),
    )?;
    Ok(Facts {
        domain: chain.domain().clone(),
        sender,
        sender_custodian: node.map(|node| node.custodian),
        published,
        signature_holds,
        time,
    })
}

/// Decides. Pure, and heavy with a large payload: call it where blocking is allowed.
///
/// # Errors
/// The first fault found: terms, then request, form and usage contract, then the data.
pub fn check(request: &ValidationRequest, facts: &Facts) -> Result<Checked, Refusal> {
    checks::check(request, facts)
}

#[cfg(test)]
mod tests;
