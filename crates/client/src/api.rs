//! The node's HTTP interface, as requestors and auditors use it (P2).
//!
//! Every call is bounded in time and size. Redirects are never followed: a signed report goes to the node that was
//! named, or nowhere. Calls are repeated only when the network failed or the node was busy, and only those that are
//! idempotent by the protocol (a request is named by its digest, a report by its number, and an identical repeat gets
//! the same answer): all but renewals.

mod container;
mod error;
mod outputs;

use std::time::Duration;

use alloy_primitives::Address;
use medshare_chain::ContractProof;
use medshare_protocol::block::{MAX_RECORD_BYTES, Place};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::proof::{ConsistencyProof, InclusionProof};
use medshare_protocol::wire::{
    DatasetInfo, DeletionSubmission, Dossier, LastReport, NodeInfo, PackageBlocks,
    RegistrationAnswer, RenewalSubmission, ReportAnswer, ReportSubmission, RequestStatus,
    SessionEndSubmission, SignedDisclosure, SignedRegistration, SignedRequest,
};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use container::ContainerStream;
pub use error::ApiError;

/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest silence in the middle of an answer.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time a node is asked to hold a long poll.
pub const LONGEST_POLL: Duration = Duration::from_secs(30);
/// At most so many bytes of a JSON answer or a block record are taken.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// How often a call is made in all before it fails.
const ATTEMPTS: u32 = 3;
/// Pause before the second attempt; doubled before the third.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A node's interface.
#[derive(Clone, Debug)]
pub struct NodeApi {
    client: Client,
    base: Url,
    attempts: u32,
}

impl NodeApi {
    /// Of the node at `url`, such as `http://127.0.0.1:8080`. Connects to nothing yet.
    ///
    /// # Errors
    /// [`ApiError::BadUrl`].
    pub fn new(url: &str) -> Result<Self, ApiError> {
        let bad = |reason: &str| ApiError::BadUrl(error::printable(reason));
        let base = Url::parse(url.trim()).map_err(|error| bad(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(bad("it is no http or https address"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(bad("it has a query or a fragment"));
        }
        let client = Client::builder()
            .user_agent(concat!("medshare/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            .build()
            .map_err(|error| bad(&error::root_cause(&error)))?;
        Ok(Self {
            client,
            base,
            attempts: ATTEMPTS,
        })
    }

    /// Scheme, host and port: what messages show of the address.
    #[must_use]
    pub fn address(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// `GET /v1/info`: who answers.
    ///
    /// # Errors
    /// [`ApiError`], as of all calls.
    pub async fn info(&self) -> Result<NodeInfo, ApiError> {
        self.get(&["info"]).await
    }

    /// `GET /v1/datasets`: what it serves.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn datasets(&self) -> Result<Vec<DatasetInfo>, ApiError> {
        self.get(&["datasets"]).await
    }

    /// `POST /v1/requestors`: has a registration relayed to the chain (P1).
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn register(
        &self,
        registration: &SignedRegistration,
    ) -> Result<RegistrationAnswer, ApiError> {
        self.post(&["requestors"], registration).await
    }

    /// `POST /v1/requests`: hands in a request.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn request(&self, request: &SignedRequest) -> Result<RequestStatus, ApiError> {
        self.post(&["requests"], request).await
    }

    /// `GET /v1/requests/{id}`: answers when the form has more than `after` steps, or after `wait` (at most
    /// [`LONGEST_POLL`]).
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn status(
        &self,
        id: PackageId,
        after: usize,
        wait: Duration,
    ) -> Result<RequestStatus, ApiError> {
        let wait = wait.min(LONGEST_POLL);
        let mut url = self.url(&["requests", &id.to_string()]);
        url.query_pairs_mut()
            .append_pair("after", &after.to_string())
            .append_pair("wait_seconds", &wait.as_secs().to_string());
        self.ask(|| self.client.get(url.clone()).timeout(wait + ANSWER_TIMEOUT))
            .await
    }

    /// `GET /v1/packages/{id}`: the container from byte `from` on.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn container(&self, id: PackageId, from: u64) -> Result<ContainerStream, ApiError> {
        let url = self.url(&["packages", &id.to_string()]);
        let response = self
            .send(|| match from {
                0 => self.client.get(url.clone()),
                _ => self
                    .client
                    .get(url.clone())
                    .header("range", format!("bytes={from}-")),
            })
            .await?;
        ContainerStream::begin(self.address(), response, from)
    }

    /// `POST /v1/packages/{id}/reports` (P17, P18).
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn report(
        &self,
        id: PackageId,
        report: &ReportSubmission,
    ) -> Result<ReportAnswer, ApiError> {
        self.post(&["packages", &id.to_string(), "reports"], report)
            .await
    }

    /// `GET /v1/packages/{id}/reports/last`: where the report chain stands.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn last_report(&self, id: PackageId) -> Result<LastReport, ApiError> {
        self.get(&["packages", &id.to_string(), "reports", "last"])
            .await
    }

    /// `POST /v1/packages/{id}/lease`: asks for a longer lease. Tried once: a node takes no renewal twice.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn renew(
        &self,
        id: PackageId,
        renewal: &RenewalSubmission,
    ) -> Result<ReportAnswer, ApiError> {
        self.post_once(&["packages", &id.to_string(), "lease"], renewal)
            .await
    }

    /// `POST /v1/packages/{id}/lease/end`: ends a session. Tried once, as a renewal is.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn end_session(
        &self,
        id: PackageId,
        end: &SessionEndSubmission,
    ) -> Result<ReportAnswer, ApiError> {
        self.post_once(&["packages", &id.to_string(), "lease", "end"], end)
            .await
    }

    /// `POST /v1/packages/{id}/deletion`: the requestor's word that the data is deleted (P19).
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn delete(
        &self,
        id: PackageId,
        deletion: &DeletionSubmission,
    ) -> Result<(), ApiError> {
        let url = self.url(&["packages", &id.to_string(), "deletion"]);
        self.send(|| {
            self.client
                .post(url.clone())
                .json(deletion)
                .timeout(ANSWER_TIMEOUT)
        })
        .await
        .map(drop)
    }

    /// `GET /v1/packages/{id}/deletion`: the deletion that the requestor handed in.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn deletion(&self, id: PackageId) -> Result<DeletionSubmission, ApiError> {
        self.get(&["packages", &id.to_string(), "deletion"]).await
    }

    /// `POST /v1/packages/{id}/dossier`: what the node holds about a package besides its blocks.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn dossier(
        &self,
        id: PackageId,
        asked: &SignedDisclosure,
    ) -> Result<Dossier, ApiError> {
        self.post(&["packages", &id.to_string(), "dossier"], asked)
            .await
    }

    /// `GET /v1/packages/{id}/blocks`: all blocks of a request (P8).
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn blocks(&self, id: PackageId) -> Result<PackageBlocks, ApiError> {
        self.get(&["packages", &id.to_string(), "blocks"]).await
    }

    /// `GET /v1/blocks/{leaf}`: a block record by its leaf hash and its place; nothing when the node has none. Of more
    /// bytes than any record has, the first ones and one too many: whoever verifies it refuses it then.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn block(&self, leaf: LeafHash, place: Place) -> Result<Option<Vec<u8>>, ApiError> {
        let mut url = self.url(&["blocks", &leaf.to_string()]);
        ask_at(&mut url, place);
        let sent = self
            .send(|| self.client.get(url.clone()).timeout(ANSWER_TIMEOUT))
            .await;
        match sent {
            Ok(response) => {
                let record = self.beginning(response, MAX_RECORD_BYTES + 1).await?;
                Ok(Some(record))
            }
            Err(ApiError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `GET /v1/blocks/{leaf}/proof`: that the block at a place is in its chain, without one the first with this leaf
    /// hash; `until` as an EVM block's number, else as it is now.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn inclusion(
        &self,
        leaf: LeafHash,
        place: Option<Place>,
        until: Option<u64>,
    ) -> Result<InclusionProof, ApiError> {
        let mut url = self.url(&["blocks", &leaf.to_string(), "proof"]);
        if let Some(place) = place {
            ask_at(&mut url, place);
        }
        ask_for(&mut url, "evm_block", until);
        self.get_url(&url).await
    }

    /// `GET /v1/threads/{requestor}/growth` or `GET /v1/packages/{id}/growth`: that a chain only grew from `old` blocks
    /// on; `until` an EVM block's number, else up to now.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn consistency(
        &self,
        chain: ChainName,
        old: u64,
        until: Option<u64>,
    ) -> Result<ConsistencyProof, ApiError> {
        let mut url = match chain {
            ChainName::Thread(requestor) => {
                self.url(&["threads", &requestor.to_string(), "growth"])
            }
            ChainName::Side(package) => self.url(&["packages", &package.to_string(), "growth"]),
        };
        ask_for(&mut url, "from", Some(old));
        ask_for(&mut url, "evm_block", until);
        self.get_url(&url).await
    }

    /// `GET /v1/packages/{id}/state`: what the contract held of a package, at an EVM block or the newest, with proof.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn contract_proof(
        &self,
        id: PackageId,
        evm_block: Option<u64>,
    ) -> Result<ContractProof, ApiError> {
        let mut url = self.url(&["packages", &id.to_string(), "state"]);
        ask_for(&mut url, "evm_block", evm_block);
        self.get_url(&url).await
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("http addresses have a path")
            .pop_if_empty()
            .push("v1")
            .extend(path);
        url
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, ApiError> {
        self.get_url(&self.url(path)).await
    }

    async fn get_url<T: DeserializeOwned>(&self, url: &Url) -> Result<T, ApiError> {
        self.ask(|| self.client.get(url.clone()).timeout(ANSWER_TIMEOUT))
            .await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let url = self.url(path);
        self.ask(|| {
            self.client
                .post(url.clone())
                .json(body)
                .timeout(ANSWER_TIMEOUT)
        })
        .await
    }

    async fn post_once<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let call = self.client.post(self.url(path)).json(body);
        let answer = self.send_once(call.timeout(ANSWER_TIMEOUT)).await?;
        self.parse(&self.read(answer).await?)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        call: impl Fn() -> RequestBuilder,
    ) -> Result<T, ApiError> {
        let body = self.read(self.send(call).await?).await?;
        self.parse(&body)
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ApiError> {
        serde_json::from_slice(body).map_err(|error| ApiError::Malformed {
            address: self.address(),
            reason: error::printable(&error.to_string()),
        })
    }

    /// Sends until an answer comes that another attempt would not change.
    async fn send(&self, call: impl Fn() -> RequestBuilder) -> Result<Response, ApiError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..self.attempts {
            match self.send_once(call()).await {
                Err(error) if error.may_pass() => tokio::time::sleep(pause).await,
                answer => return answer,
            }
            pause *= 2;
        }
        self.send_once(call()).await
    }

    async fn send_once(&self, call: RequestBuilder) -> Result<Response, ApiError> {
        let response = call
            .send()
            .await
            .map_err(|error| ApiError::of_transport(self.address(), &error))?;
        let status = response.status();
        if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(ApiError::Redirected {
                address: self.address(),
            });
        }
        let wait_seconds = error::retry_after(&response);
        let body = self.read(response).await.unwrap_or_default();
        Err(ApiError::of_answer(
            self.address(),
            status,
            wait_seconds,
            &body,
        ))
    }

    /// The whole body, if it is not too long.
    async fn read(&self, response: Response) -> Result<Vec<u8>, ApiError> {
        let body = self.beginning(response, MAX_ANSWER_BYTES + 1).await?;
        if body.len() > MAX_ANSWER_BYTES {
            return Err(ApiError::TooLong {
                address: self.address(),
                limit: MAX_ANSWER_BYTES,
            });
        }
        Ok(body)
    }

    /// The body, or its first `most` bytes.
    async fn beginning(&self, mut response: Response, most: usize) -> Result<Vec<u8>, ApiError> {
        let mut body = Vec::new();
        while body.len() < most {
            let chunk = response.chunk().await;
            match chunk.map_err(|error| ApiError::of_transport(self.address(), &error))? {
                Some(chunk) => body.extend_from_slice(&chunk[..chunk.len().min(most - body.len())]),
                None => break,
            }
        }
        Ok(body)
    }
}

/// Adds a number to an address's query.
fn ask_at(url: &mut Url, place: Place) {
    url.query_pairs_mut()
        .append_pair("package", &place.package().to_string());
    ask_for(url, "height", place.height());
}

fn ask_for(url: &mut Url, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        url.query_pairs_mut().append_pair(name, &number.to_string());
    }
}

/// Whether a node answers for the deployment and the custodian that are meant.
#[must_use]
pub fn serves(info: &NodeInfo, chain_id: u64, contract: Address) -> bool {
    info.chain_id == chain_id && info.contract == contract
}
