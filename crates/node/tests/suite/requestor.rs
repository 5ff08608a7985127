//! A requestor: signs, asks, opens, reports.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use medshare_chain::{Chain, PrivateKeySigner};
use medshare_node::{Node, NodeError};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::package::{PayloadCipher, SignedHeader};
use medshare_protocol::report::{ReportBody, body_hash};
use medshare_protocol::seal::{self, DataKey, SealedFor, SealingSecret, Share};
use medshare_protocol::typed::{
    AccessRequest, Deletion, Domain, Registration, Renewal, Report, Selection, Session, SessionEnd,
};
use medshare_protocol::usage::{Action, Actions};
use medshare_protocol::wire::{
    DeletionSubmission, RegistrationAnswer, RenewalSubmission, ReportAnswer, ReportSubmission,
    RequestStatus, SessionEndSubmission, SignedRegistration, SignedRequest, Stage,
};

use crate::cluster::Cluster;

pub const MINUTE_MS: u64 = 60_000;
const WAIT: Duration = Duration::from_secs(30);

pub struct Requestor {
    pub wallet: PrivateKeySigner,
    pub sealing: SealingSecret,
    pub domain: Domain,
}

pub fn now() -> u64 {
    medshare_node::clock::now_ms()
}

impl Requestor {
    pub fn new(chain: &Chain) -> Self {
        Self::of(chain.domain().clone())
    }

    pub fn of(domain: Domain) -> Self {
        Self {
            wallet: PrivateKeySigner::random(),
            sealing: SealingSecret::generate().unwrap(),
            domain,
        }
    }

    /// A requestor that the first custodian's node has registered.
    pub async fn registered(cluster: &Cluster) -> Self {
        let requestor = Self::new(&cluster.governance);
        requestor.register(&cluster.node(0), 0).await.unwrap();
        requestor
    }

    pub fn address(&self) -> Address {
        self.wallet.address()
    }

    pub fn registration(&self, nonce: u64) -> SignedRegistration {
        let registration = Registration {
            requestor: self.address(),
            sealingKey: self.sealing.public(),
            class: 1,
            credential: B256::left_padding_from(self.address().as_slice()),
            nonce: U256::from(nonce),
            deadline: now() + MINUTE_MS,
        };
        let signature = self.signature(&registration);
        SignedRegistration {
            registration,
            signature,
        }
    }

    pub async fn register(&self, node: &Node, nonce: u64) -> Result<RegistrationAnswer, NodeError> {
        node.register(self.registration(nonce)).await
    }

    fn signature<T: alloy_sol_types::SolStruct>(&self, message: &T) -> Bytes {
        self.domain
            .sign(message, &self.wallet)
            .unwrap()
            .to_vec()
            .into()
    }

    pub fn access(&self, custodian: Address, dataset: DatasetId) -> AccessRequest {
        AccessRequest {
            requestor: self.address(),
            custodian,
            dataset: dataset.0,
            purpose: "HRESCH"
                .parse::<medshare_protocol::purpose::Purpose>()
                .unwrap()
                .bytes(),
            selection: Selection {
                fields: Vec::new(),
                filter: String::new(),
            },
            salt: B256::random(),
            deadline: now() + 10 * MINUTE_MS,
        }
    }

    pub fn sign(&self, request: AccessRequest) -> SignedRequest {
        let signature = self.signature(&request);
        SignedRequest { request, signature }
    }

    /// A good request to the first custodian.
    pub fn asks(&self, cluster: &Cluster) -> SignedRequest {
        self.sign(self.access(cluster.custodians[0].address, cluster.dataset().id))
    }

    pub fn id(&self, request: &SignedRequest) -> PackageId {
        self.domain.package_id(&request.request)
    }

    /// Asks and waits for the package.
    pub async fn obtain(&self, cluster: &Cluster) -> PackageId {
        let request = self.asks(cluster);
        let id = self.id(&request);
        cluster.node(0).request(request).await.unwrap();
        let status = finished(&cluster.node(0), id).await;
        assert_eq!(status.stage, Stage::Ready, "{:?}", status.reason);
        id
    }

    /// Opens a new session for the package.
    pub fn session(&self, package: PackageId) -> OpenSession {
        self.session_until(package, now() + 60 * MINUTE_MS)
    }

    /// One that ends at `expiry`, ms since the Unix epoch.
    pub fn session_until(&self, package: PackageId, expiry: u64) -> OpenSession {
        let key = PrivateKeySigner::random();
        let session = Session {
            package: package.0,
            key: key.address(),
            expiry,
        };
        let signature = self.signature(&session);
        let domain = self.domain.clone();
        OpenSession {
            domain,
            package,
            key,
            session,
            signature,
            number: 0,
            previous: B256::ZERO,
        }
    }

    /// Decrypts a container with the share that came with the answer to `decrypt`.
    pub fn decrypt(&self, container: &[u8], answer: &ReportAnswer) -> Vec<u8> {
        let mut rest = container;
        let header = SignedHeader::read(&mut rest).unwrap();
        let context = seal::share_context(header.header.package_id(), self.address());
        let open = |purpose, sealed: &[u8]| {
            Share::from_slice(&seal::open(&self.sealing, purpose, &context, sealed).unwrap())
                .unwrap()
        };
        let own = open(SealedFor::RequestorShare, &header.header.sealed_share);
        let custodian = open(SealedFor::CustodianShare, answer.share.as_ref().unwrap());
        let key = DataKey::derive(&header.bytes, &own, &custodian);
        let cipher = PayloadCipher::new(&key, header.header.payload_length).unwrap();
        cipher.decrypt_all(&header, &mut rest).unwrap().to_vec()
    }

    pub fn deletion(&self, package: PackageId) -> DeletionSubmission {
        let deletion = Deletion {
            package: package.0,
            time: now(),
        };
        let signature = self.signature(&deletion);
        DeletionSubmission {
            deletion,
            signature,
        }
    }
}

/// Waits until a request is ready or refused.
pub async fn finished(node: &Node, id: PackageId) -> RequestStatus {
    let mut steps = 0;
    loop {
        let status = node.status(id, steps, WAIT).await.unwrap();
        if matches!(
            status.stage,
            Stage::Ready | Stage::Delivered | Stage::Refused
        ) {
            return status;
        }
        assert!(
            status.form.len() > steps,
            "nothing happened for {WAIT:?}: {status:?}"
        );
        steps = status.form.len();
    }
}

/// A session key with its chain of reports.
#[derive(Clone)]
pub struct OpenSession {
    pub domain: Domain,
    pub package: PackageId,
    pub key: PrivateKeySigner,
    pub session: Session,
    pub signature: Bytes,
    pub number: u32,
    pub previous: B256,
}

impl OpenSession {
    /// The next report, signed; the session does not move on.
    pub fn next(&self, actions: Actions, comment: &str) -> ReportSubmission {
        let sealed = ReportBody {
            comment: comment.into(),
            ..ReportBody::default()
        };
        let contract_key = SealingSecret::from_bytes([9; 32]).public();
        self.saying(actions, &sealed, contract_key)
    }

    /// The next report, with a body that the node can read.
    pub fn saying(
        &self,
        actions: Actions,
        body: &ReportBody,
        contract_key: B256,
    ) -> ReportSubmission {
        let number = self.number + 1;
        let body = body.seal(contract_key, self.package, number).unwrap();
        let report = Report {
            package: self.package.0,
            number,
            previous: self.previous,
            actions: actions.0,
            time: now(),
            body: body_hash(&body),
        };
        self.signed(report, body.into())
    }

    /// The next report, as if it were made at `time`.
    pub fn signed_at(&self, time: u64, action: Action) -> ReportSubmission {
        let ReportSubmission { report, body, .. } = self.next(Actions::NONE.with(action), "");
        self.signed(Report { time, ..report }, body)
    }

    pub fn signed(&self, report: Report, body: Bytes) -> ReportSubmission {
        ReportSubmission {
            signature: self.signature_of(&report),
            report,
            session: self.session.clone(),
            session_signature: self.signature.clone(),
            body,
        }
    }

    /// Sends the next report and moves on when it was taken.
    pub async fn report(&mut self, node: &Node, action: Action) -> Result<ReportAnswer, NodeError> {
        let submission = self.next(Actions::NONE.with(action), "a test");
        self.send(node, submission).await
    }

    pub async fn send(
        &mut self,
        node: &Node,
        submission: ReportSubmission,
    ) -> Result<ReportAnswer, NodeError> {
        let digest = self.domain.digest(&submission.report);
        let number = submission.report.number;
        let answer = node.report(self.package, submission).await?;
        assert_eq!(answer.receipt.report, digest);
        let signer = node.info().node;
        assert!(
            self.domain
                .is_signed_by(&answer.receipt, &answer.signature, signer)
        );
        (self.number, self.previous) = (number, digest);
        Ok(answer)
    }

    /// As it is once `sent` was taken.
    pub fn behind(&self, sent: &ReportSubmission) -> Self {
        Self {
            number: sent.report.number,
            previous: self.domain.digest(&sent.report),
            ..self.clone()
        }
    }

    pub fn renewal(&self, time: u64) -> RenewalSubmission {
        let renewal = Renewal {
            package: self.package.0,
            number: self.number,
            time,
        };
        let signature = self.signature_of(&renewal);
        RenewalSubmission { renewal, signature }
    }

    pub fn end(&self, time: u64) -> SessionEndSubmission {
        let end = SessionEnd {
            package: self.package.0,
            number: self.number,
            time,
        };
        let signature = self.signature_of(&end);
        SessionEndSubmission { end, signature }
    }

    fn signature_of(&self, message: &impl alloy_sol_types::SolStruct) -> Bytes {
        let signature = self.domain.sign(message, &self.key).unwrap();
        signature.to_vec().into()
    }
}
