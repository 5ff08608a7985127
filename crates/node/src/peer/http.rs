//! The HTTP side of asking a peer.

use std::time::Duration;

use futures::StreamExt;
use medshare_protocol::block::MAX_RECORD_BYTES;
use medshare_protocol::id::LeafHash;
use medshare_protocol::wire::{Problem, ValidationAnswer};
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::envelope::EnvelopeError;
use super::{BLOCK_TIMEOUT, CONNECT_TIMEOUT, PeerError, VALIDATION_TIMEOUT};

/// An answer of a peer may have so many bytes at most.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// A peer's words are passed on up to this length, characters.
const MAX_REASON_CHARS: usize = 500;
/// What marks a refusal that is the peer's considered answer.
const REFUSED: &str = "/refused";

/// Why a peer gave no answer.
pub(super) enum Failure {
    /// It looked and said no.
    Refused(String),
    /// It could not be asked, or answered nonsense.
    Other(String),
}

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        Self::Other(error.to_string())
    }
}

pub(super) fn client() -> Result<Client, PeerError> {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect would hand patient records to somebody whom the contract does not name.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| PeerError::Unreachable(format!("no HTTP client: {error}")))
}

pub(super) async fn post_validation(
    client: &Client,
    endpoint: &str,
    envelope: Vec<u8>,
) -> Result<ValidationAnswer, Failure> {
    let request = post(client, endpoint, "v1/peer/validations", envelope);
    let answer = send(request, VALIDATION_TIMEOUT).await?;
    serde_json::from_slice(&answer)
        .map_err(|error| Failure::Other(format!("its answer is malformed: {error}")))
}

pub(super) async fn post_block(
    client: &Client,
    endpoint: &str,
    envelope: Vec<u8>,
) -> Result<(), Failure> {
    send(
        post(client, endpoint, "v1/peer/blocks", envelope),
        BLOCK_TIMEOUT,
    )
    .await
    .map(drop)
}

pub(super) async fn get_block(
    client: &Client,
    endpoint: &str,
    leaf: LeafHash,
) -> Result<Vec<u8>, Failure> {
    let request = client.get(address(endpoint, &format!("v1/blocks/{leaf}")));
    let record = send(request, BLOCK_TIMEOUT).await?;
    if record.len() > MAX_RECORD_BYTES {
        return Err(Failure::Other(format!(
            "it serves a block of {} bytes",
            record.len()
        )));
    }
    Ok(record)
}

fn post(client: &Client, endpoint: &str, path: &str, envelope: Vec<u8>) -> RequestBuilder {
    client
        .post(address(endpoint, path))
        .header(reqwest::header::CONTENT_TYPE, "application/cbor")
        .body(envelope)
}

fn address(endpoint: &str, path: &str) -> String {
    format!("{}/{path}", endpoint.trim_end_matches('/'))
}

async fn send(request: RequestBuilder, timeout: Duration) -> Result<Vec<u8>, Failure> {
    let failed = |error: reqwest::Error| Failure::Other(describe(&error));
    let response = request.timeout(timeout).send().await.map_err(failed)?;
    let status = response.status();
    let body = bounded(response).await?;
    if status.is_success() {
        return Ok(body);
    }
    Err(refusal(status, &body))
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return Failure::Other(format!("it answered with HTTP status {status}"));
    };
    let detail: String = problem.detail.chars().take(MAX_REASON_CHARS).collect();
    if status == StatusCode::FORBIDDEN && problem.kind.ends_with(REFUSED) {
        Failure::Refused(detail)
    } else {
        Failure::Other(format!("it answered with HTTP status {status}: {detail}"))
    }
}

async fn bounded(response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Failure::Other(describe(&error)))?;
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Failure::Other(format!(
                "its answer has more than {MAX_ANSWER_BYTES} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "it did not answer in time".into()
    } else if error.is_connect() {
        "no connection; is the node running?".into()
    } else if error.is_builder() {
        "its registered endpoint is no HTTP address".into()
    } else {
        "the connection broke off".into()
    }
}
