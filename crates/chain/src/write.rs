//! What is sent to the contract. Each call waits until it is mined.

use std::ops::RangeInclusive;

use alloy::primitives::{Address, B256, Bytes};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::typed::{Registration, Report, Session};

use crate::bindings::IMedShare as abi;
use crate::convert;
use crate::issue::{IssueItem, ReportSegment};
use crate::record::Response;
use crate::wallet::spare_gas;
use crate::{Chain, ChainError, TxReceipt};

/// Reason codes of the event `PackageRevoked` that the contract keeps for what it has judged itself: violation and
/// tampering.
pub const RESERVED_REASONS: RangeInclusive<u8> = 0..=1;
/// Reason code of a revocation that is the owner's own decision.
pub const OWNERS_REASON: u8 = 2;

/// A session delegation with the wallet's signature over it.
pub type SignedSession<'a> = (&'a Session, &'a [u8]);

/// All of these fail with [`ChainError::NoSigner`] without a wallet, [`ChainError::Reverted`] when the contract refuses
/// and [`ChainError::NotMined`] when the chain takes too long; the errors of reading apply as well.
#[allow(clippy::missing_errors_doc)] // Said once, above.
impl Chain {
    /// Governance admits a custodian.
    pub async fn admit_custodian(&self, custodian: Address) -> Result<TxReceipt, ChainError> {
        self.send(&abi::admitCustodianCall { custodian }).await
    }

    /// Governance removes a custodian.
    pub async fn remove_custodian(&self, custodian: Address) -> Result<TxReceipt, ChainError> {
        self.send(&abi::removeCustodianCall { custodian }).await
    }

    /// Governance sets the easiest target that a block may claim, in compact form.
    pub async fn set_work_limit(&self, bits: u32) -> Result<TxReceipt, ChainError> {
        self.send(&abi::setWorkLimitCall { bits }).await
    }

    /// A custodian registers a node of its own, or changes its key and endpoint.
    pub async fn register_node(
        &self,
        node: Address,
        sealing_key: B256,
        endpoint: &str,
    ) -> Result<TxReceipt, ChainError> {
        let endpoint = endpoint.to_owned();
        self.send(&abi::registerNodeCall {
            node,
            sealingKey: sealing_key,
            endpoint,
        })
        .await
    }

    /// A custodian removes one of its nodes.
    pub async fn remove_node(&self, node: Address) -> Result<TxReceipt, ChainError> {
        self.send(&abi::removeNodeCall { node }).await
    }

    /// A node registers a requestor, or rotates its keys (P1). The requestor signed; the node pays.
    pub async fn register_requestor(
        &self,
        registration: &Registration,
        signature: &[u8],
    ) -> Result<TxReceipt, ChainError> {
        let registration = convert::raw_registration(registration)?;
        let signature = Bytes::copy_from_slice(signature);
        self.send(&abi::registerRequestorCall {
            registration,
            signature,
        })
        .await
    }

    /// Suspends the credential of a requestor, whatever wallet uses it.
    pub async fn suspend(&self, requestor: Address) -> Result<TxReceipt, ChainError> {
        self.send(&abi::suspendCall { requestor }).await
    }

    /// Takes a suspension back.
    pub async fn reinstate(&self, requestor: Address) -> Result<TxReceipt, ChainError> {
        self.send(&abi::reinstateCall { requestor }).await
    }

    /// A custodian publishes a dataset or a new version of it. No purposes: any.
    pub async fn publish_dataset(
        &self,
        dataset: DatasetId,
        descriptor: B256,
        purposes: &[Purpose],
        responses: &[Response],
    ) -> Result<TxReceipt, ChainError> {
        self.send(&abi::publishDatasetCall {
            dataset: dataset.0,
            descriptor,
            purposes: purposes.iter().map(|purpose| purpose.bytes()).collect(),
            responses: convert::raw_responses(responses),
        })
        .await
    }

    /// A custodian withdraws a dataset; packages go on as they are.
    pub async fn withdraw_dataset(&self, dataset: DatasetId) -> Result<TxReceipt, ChainError> {
        self.send(&abi::withdrawDatasetCall { dataset: dataset.0 })
            .await
    }

    /// The owner lets a requestor ask again.
    pub async fn allow_requests(&self, requestor: Address) -> Result<TxReceipt, ChainError> {
        self.send(&abi::allowRequestsCall { requestor }).await
    }

    /// Issues packages. A bad or stale item is skipped and does not spoil the batch: look at
    /// [`TxReceipt::skipped`].
    pub async fn issue(&self, items: &[IssueItem]) -> Result<TxReceipt, ChainError> {
        let spare_gas = spare_gas(items, self.domain());
        let items = items.iter().map(convert::raw_item).collect();
        self.send_with(&abi::issueCall { items }, spare_gas).await
    }

    /// Anchors side-blocks. A bad or stale segment is skipped: look at [`TxReceipt::skipped`]. One without side-blocks, or
    /// with too many, is [`ChainError::BadSegment`] before anything is sent.
    pub async fn anchor_reports(
        &self,
        segments: &[ReportSegment],
    ) -> Result<TxReceipt, ChainError> {
        self.send(&convert::anchoring(segments)?).await
    }

    /// Settles a signed report of a violation: judged by the contract, package revoked, response actions taken (P19).
    /// Without a session the wallet itself signed the report.
    pub async fn report_violation(
        &self,
        report: &Report,
        signature: &[u8],
        session: Option<SignedSession<'_>>,
    ) -> Result<TxReceipt, ChainError> {
        let (session, session_signature) = self.session(session, PackageId(report.package));
        self.send(&abi::reportViolationCall {
            report: convert::raw_report(report),
            signature: Bytes::copy_from_slice(signature),
            session,
            sessionSignature: session_signature,
        })
        .await
    }

    /// Two different signed reports with one number are proof of tampering and revoke.
    pub async fn report_tampering(
        &self,
        first: (&Report, &[u8]),
        second: (&Report, &[u8]),
        session: Option<SignedSession<'_>>,
    ) -> Result<TxReceipt, ChainError> {
        let (session, session_signature) = self.session(session, PackageId(first.0.package));
        self.send(&abi::reportTamperingCall {
            first: convert::raw_report(first.0),
            firstSignature: Bytes::copy_from_slice(first.1),
            second: convert::raw_report(second.0),
            secondSignature: Bytes::copy_from_slice(second.1),
            session,
            sessionSignature: session_signature,
        })
        .await
    }

    /// The owner revokes a package on findings of its own. `reason`: [`OWNERS_REASON`], 3 silent lease, 4 leak; 5 to 255
    /// are the owner's to define. The contract refuses [`RESERVED_REASONS`].
    pub async fn revoke(&self, package: PackageId, reason: u8) -> Result<TxReceipt, ChainError> {
        self.send(&abi::revokeCall {
            package: package.0,
            reason,
        })
        .await
    }

    /// The custodian grants access again after review.
    pub async fn regrant(&self, package: PackageId) -> Result<TxReceipt, ChainError> {
        self.send(&abi::regrantCall { package: package.0 }).await
    }

    /// The owner takes the data back: final. `signature` is the requestor's over `Deletion(package, time)`, `time` in
    /// ms since the Unix epoch.
    pub async fn retrieve(
        &self,
        package: PackageId,
        time: u64,
        signature: &[u8],
    ) -> Result<TxReceipt, ChainError> {
        let signature = Bytes::copy_from_slice(signature);
        self.send(&abi::retrieveCall {
            package: package.0,
            time,
            signature,
        })
        .await
    }

    fn session(
        &self,
        session: Option<SignedSession<'_>>,
        package: PackageId,
    ) -> (crate::bindings::Session, Bytes) {
        let signature = session.map_or_else(Bytes::new, |(_, bytes)| Bytes::copy_from_slice(bytes));
        (
            convert::raw_session(session.map(|(session, _)| session), package),
            signature,
        )
    }
}
