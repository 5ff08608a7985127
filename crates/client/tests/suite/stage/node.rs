//! A node that keeps the rules of the report chain, and breaks whichever its script says.
#![allow(clippy::result_large_err)] // Handlers fail with whole responses.

use std::sync::{Arc, Mutex, MutexGuard};

use alloy_primitives::{B256, Bytes};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, serve};
use futures::StreamExt;
use medshare_chain::PrivateKeySigner;
use medshare_protocol::digest::sha256d;
use medshare_protocol::package::PackageHeader;
use medshare_protocol::report::{ReportBody, body_hash};
use medshare_protocol::seal::{self, SealedFor, SealingSecret, Share};
use medshare_protocol::typed::{Receipt, Report};
use medshare_protocol::usage::{Action, Actions, State};
use medshare_protocol::wire::{
    DeletionSubmission, LastReport, NodeInfo, PackageReady, Problem, RegistrationAnswer,
    RenewalSubmission, ReportAnswer, ReportSubmission, RequestStatus, SessionEndSubmission,
    SignedRegistration, SignedRequest, Stage,
};
use tokio::sync::watch;

use super::{FakeClock, domain, within};

pub const LEASE_SECONDS: u32 = 60;

pub struct Parts {
    pub key: PrivateKeySigner,
    pub header: PackageHeader,
    pub share: Share,
    pub requestor_key: B256,
    pub contract_secret: SealingSecret,
    pub container: Vec<u8>,
    pub clock: Arc<FakeClock>,
}

/// What the node does wrong, or is told by its chain.
pub struct Script {
    pub state: State,
    /// So many calls are answered with status 503.
    pub busy: u32,
    /// Every call but `info` is answered with this status and detail.
    pub refuse: Option<(StatusCode, &'static str)>,
    /// So many reports are answered with 409, another session's lease.
    pub lease_elsewhere: u32,
    /// Receipts are signed by somebody else.
    pub forge_receipts: bool,
    /// The custodian's share is sealed to this key.
    pub share_to: Option<B256>,
    pub no_share: bool,
    /// Reports and ends of sessions are never answered, nor taken.
    pub hangs: bool,
    pub lease_seconds: u32,
    /// Somebody plays this old answer again to each renewal.
    pub replay: Option<ReportAnswer>,
    /// What it says of the last report.
    pub last_report: Option<LastReport>,
    /// The container breaks off after so many bytes, each time.
    pub cut_after: Option<usize>,
    pub ignore_ranges: bool,
    /// So many requests are recorded, and the connection breaks before the answer.
    pub lost_answers: u32,
    /// The statuses of a request, one a call; the last one stays. Without any, the package is ready.
    pub statuses: Vec<RequestStatus>,
    pub info: NodeInfo,
}

/// What came in.
#[derive(Default)]
pub struct Seen {
    pub reports: Vec<ReportSubmission>,
    pub receipts: Vec<ReportAnswer>,
    pub renewals: Vec<RenewalSubmission>,
    pub ends: Vec<SessionEndSubmission>,
    pub registrations: Vec<SignedRegistration>,
    pub requests: Vec<SignedRequest>,
    pub deletions: Vec<DeletionSubmission>,
    pub ranges: Vec<Option<String>>,
    pub calls: u32,
}

struct Inner {
    parts: Parts,
    script: Mutex<Script>,
    seen: Mutex<Seen>,
    renewed: watch::Sender<u32>,
    taken: watch::Sender<usize>,
}

#[derive(Clone)]
pub struct FakeNode {
    inner: Arc<Inner>,
    port: u16,
}

type Node = Shared<Arc<Inner>>;

impl FakeNode {
    pub async fn start(parts: Parts) -> Self {
        let script = Script {
            state: State::Active,
            busy: 0,
            refuse: None,
            lease_elsewhere: 0,
            forge_receipts: false,
            share_to: None,
            no_share: false,
            hangs: false,
            lease_seconds: LEASE_SECONDS,
            replay: None,
            last_report: None,
            cut_after: None,
            ignore_ranges: false,
            lost_answers: 0,
            statuses: Vec::new(),
            info: NodeInfo {
                version: "0".into(),
                node: parts.header.node,
                custodian: parts.header.owner,
                sealing_key: B256::repeat_byte(1),
                chain_id: parts.header.chain_id,
                contract: parts.header.contract,
                lease_seconds: LEASE_SECONDS,
            },
        };
        let inner = Arc::new(Inner {
            parts,
            script: Mutex::new(script),
            seen: Mutex::default(),
            renewed: watch::Sender::new(0),
            taken: watch::Sender::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = routes(inner.clone());
        tokio::spawn(async move { serve(listener, routes).await.unwrap() });
        Self { inner, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.inner.script.lock().unwrap()
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.inner.seen.lock().unwrap()
    }

    /// The reports' actions, in their order.
    pub fn reported(&self) -> Vec<Actions> {
        self.seen()
            .reports
            .iter()
            .map(|sent| Actions(sent.report.actions))
            .collect()
    }

    /// What report `number` says in private.
    pub fn body(&self, number: u32) -> ReportBody {
        let seen = self.seen();
        let sent = seen
            .reports
            .iter()
            .find(|sent| sent.report.number == number)
            .unwrap();
        let parts = &self.inner.parts;
        let package = parts.header.package_id();
        ReportBody::open(&sent.body, &parts.contract_secret, package, number).unwrap()
    }

    /// What a requestor is told when the package is ready.
    pub fn ready(&self) -> PackageReady {
        self.inner.ready()
    }

    /// Returns once so many reports have been taken.
    pub async fn reports(&self, number: usize) {
        let mut taken = self.inner.taken.subscribe();
        within(taken.wait_for(|taken| *taken >= number))
            .await
            .unwrap();
    }

    /// Returns once so many renewals have been answered.
    pub async fn renewed(&self, times: u32) {
        let mut renewed = self.inner.renewed.subscribe();
        within(renewed.wait_for(|count| *count >= times))
            .await
            .unwrap();
    }
}

fn routes(inner: Arc<Inner>) -> Router {
    Router::new()
        .route(
            "/v1/info",
            get(async |Shared(node): Node| Json(node.script().info.clone())),
        )
        .route("/v1/requestors", post(register))
        .route("/v1/requests", post(request))
        .route("/v1/requests/{id}", get(status))
        .route("/v1/packages/{id}", get(container))
        .route("/v1/packages/{id}/reports", post(report))
        .route("/v1/packages/{id}/reports/last", get(last_report))
        .route("/v1/packages/{id}/lease", post(renew))
        .route("/v1/packages/{id}/lease/end", post(end_session))
        .route("/v1/packages/{id}/deletion", post(delete))
        .with_state(inner)
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let problem = Problem {
        kind: "https://medshare.invalid/problems/refused".into(),
        title: "Refused".into(),
        status: status.as_u16(),
        detail: detail.into(),
    };
    (status, Json(problem)).into_response()
}

impl Inner {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Counts the call and answers it in place of the node, where the script says so.
    fn intercept(&self) -> Result<(), Response> {
        self.seen().calls += 1;
        let mut script = self.script();
        if let Some((status, detail)) = script.refuse {
            return Err(problem(status, detail));
        }
        if script.busy > 0 {
            script.busy -= 1;
            return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "busy"));
        }
        Ok(())
    }

    fn ready(&self) -> PackageReady {
        let container = &self.parts.container;
        PackageReady {
            length: container.len() as u64,
            container_hash: sha256d(&[container]).into(),
            parent: B256::repeat_byte(3).into(),
            transaction: B256::repeat_byte(4),
        }
    }

    fn receipt(&self, number: u32, digest: B256) -> (Receipt, Bytes) {
        let script = self.script();
        let receipt = Receipt {
            package: self.parts.header.package,
            number,
            report: digest,
            received: self.parts.clock.node_ms(),
            leaseSeconds: if script.state.is_usable() {
                script.lease_seconds
            } else {
                0
            },
        };
        let stranger = PrivateKeySigner::random();
        let signer = if script.forge_receipts {
            &stranger
        } else {
            &self.parts.key
        };
        let signature = domain().sign(&receipt, signer).unwrap();
        (receipt, Bytes::copy_from_slice(signature.as_slice()))
    }

    fn sealed_share(&self) -> Option<Bytes> {
        let script = self.script();
        if script.no_share {
            return None;
        }
        let header = &self.parts.header;
        let context = seal::share_context(header.package_id(), header.requestor);
        let to = script.share_to.unwrap_or(self.parts.requestor_key);
        let share = self.parts.share.expose();
        Some(
            seal::seal(to, SealedFor::CustodianShare, &context, share)
                .unwrap()
                .into(),
        )
    }

    /// Number and digest of the last report.
    fn last(&self) -> LastReport {
        match self.seen().reports.last() {
            Some(last) => {
                let digest = domain().digest(&last.report);
                LastReport {
                    number: last.report.number,
                    digest,
                }
            }
            None => LastReport {
                number: 0,
                digest: B256::ZERO,
            },
        }
    }

    /// The rules that a real node holds a report to.
    fn check(&self, submission: &ReportSubmission) -> Result<(), &'static str> {
        let ReportSubmission {
            report,
            signature,
            session,
            session_signature,
            body,
        } = submission;
        let last = self.last();
        if report.number != last.number + 1 || report.previous != last.digest {
            return Err("there is a gap in the reports");
        }
        if !domain().is_signed_by(report, signature, session.key) {
            return Err("the report is not signed by the session key");
        }
        if !domain().is_signed_by(session, session_signature, self.parts.header.requestor) {
            return Err("the session is not delegated by the wallet");
        }
        if session.package != report.package || session.expiry <= self.parts.clock.node_ms() {
            return Err("the session is over");
        }
        if report.body != body_hash(body) {
            return Err("the body is another");
        }
        Ok(())
    }

    /// As the usage contract says, a violation revokes.
    fn judge(&self, report: &Report) {
        let usage = self.parts.header.usage().unwrap();
        if !usage.violations(Actions(report.actions)).is_empty() {
            self.script().state = State::Revoked;
        }
    }
}

async fn report(
    Shared(node): Node,
    Json(submission): Json<ReportSubmission>,
) -> Result<Json<ReportAnswer>, Response> {
    if node.script().hangs {
        std::future::pending::<()>().await;
    }
    node.intercept()?;
    let repeated = node
        .seen()
        .reports
        .iter()
        .position(|sent| *sent == submission);
    if let Some(position) = repeated {
        let earlier = node.seen().receipts[position].clone();
        let (receipt, signature) = node.receipt(earlier.receipt.number, earlier.receipt.report);
        let share = node.sealed_share().filter(|_| earlier.share.is_some());
        return Ok(Json(ReportAnswer {
            receipt,
            signature,
            share,
            ..earlier
        }));
    }
    if node.script().lease_elsewhere > 0 {
        node.script().lease_elsewhere -= 1;
        return Err(problem(
            StatusCode::CONFLICT,
            "another session has a lease for 9 s",
        ));
    }
    node.check(&submission)
        .map_err(|reason| problem(StatusCode::CONFLICT, reason))?;
    let opens = Actions(submission.report.actions).contains(Action::Decrypt);
    if opens && !node.script().state.is_usable() {
        return Err(problem(StatusCode::FORBIDDEN, "the package is revoked"));
    }
    node.judge(&submission.report);
    let digest = domain().digest(&submission.report);
    let (receipt, signature) = node.receipt(submission.report.number, digest);
    let share = if opens { node.sealed_share() } else { None };
    let answer = ReportAnswer {
        receipt,
        signature,
        state: node.script().state,
        share,
    };
    let mut seen = node.seen();
    seen.reports.push(submission);
    seen.receipts.push(answer.clone());
    node.taken.send_replace(seen.reports.len());
    drop(seen);
    Ok(Json(answer))
}

async fn renew(
    Shared(node): Node,
    Json(submission): Json<RenewalSubmission>,
) -> Result<Json<ReportAnswer>, Response> {
    let answer = node.intercept().and_then(|()| {
        if submission.renewal.number != node.last().number {
            return Err(problem(StatusCode::CONFLICT, "another report is the last"));
        }
        let key = node.seen().reports.last().unwrap().session.key;
        assert!(domain().is_signed_by(&submission.renewal, &submission.signature, key));
        if let Some(old) = node.script().replay.clone() {
            return Ok(Json(old));
        }
        let last = node.last();
        let (receipt, signature) = node.receipt(last.number, last.digest);
        let state = node.script().state;
        Ok(Json(ReportAnswer {
            receipt,
            signature,
            state,
            share: None,
        }))
    });
    node.seen().renewals.push(submission);
    node.renewed.send_modify(|count| *count += 1);
    answer
}

async fn end_session(
    Shared(node): Node,
    Json(submission): Json<SessionEndSubmission>,
) -> Result<Json<ReportAnswer>, Response> {
    if node.script().hangs {
        std::future::pending::<()>().await;
    }
    node.intercept()?;
    let last = node.last();
    let key = node.seen().reports.last().unwrap().session.key;
    assert_eq!(submission.end.number, last.number);
    assert!(domain().is_signed_by(&submission.end, &submission.signature, key));
    let lease = std::mem::take(&mut node.script().lease_seconds);
    let (receipt, signature) = node.receipt(last.number, last.digest);
    let state = node.script().state;
    node.script().lease_seconds = lease;
    node.seen().ends.push(submission);
    Ok(Json(ReportAnswer {
        receipt,
        signature,
        state,
        share: None,
    }))
}

async fn last_report(Shared(node): Node) -> Result<Json<LastReport>, Response> {
    node.intercept()?;
    let scripted = node.script().last_report.clone();
    Ok(Json(scripted.unwrap_or_else(|| node.last())))
}

async fn register(
    Shared(node): Node,
    Json(registration): Json<SignedRegistration>,
) -> Result<Json<RegistrationAnswer>, Response> {
    node.intercept()?;
    node.seen().registrations.push(registration);
    let custodian = node.parts.header.owner;
    Ok(Json(RegistrationAnswer {
        transaction: B256::repeat_byte(5),
        custodian,
    }))
}

async fn request(
    Shared(node): Node,
    Json(request): Json<SignedRequest>,
) -> Result<Response, Response> {
    node.intercept()?;
    node.seen().requests.push(request);
    let mut script = node.script();
    if script.lost_answers > 0 {
        script.lost_answers -= 1;
        let cut = [Err::<axum::body::Bytes, _>(std::io::Error::other("cut"))];
        return Ok(Body::from_stream(futures::stream::iter(cut)).into_response());
    }
    Ok(Json(script.statuses[0].clone()).into_response())
}

#[derive(serde::Deserialize)]
struct Poll {
    after: usize,
}

async fn status(
    Shared(node): Node,
    Path(_): Path<String>,
    Query(poll): Query<Poll>,
) -> Result<Json<RequestStatus>, Response> {
    node.intercept()?;
    let mut script = node.script();
    if script.statuses.is_empty() {
        return Ok(Json(RequestStatus {
            id: node.parts.header.package_id(),
            stage: Stage::Ready,
            reason: None,
            form: Vec::new(),
            package: Some(node.ready()),
        }));
    }
    while script.statuses.len() > 1 && script.statuses[0].form.len() <= poll.after {
        script.statuses.remove(0);
    }
    Ok(Json(script.statuses[0].clone()))
}

async fn container(Shared(node): Node, headers: HeaderMap) -> Result<Response, Response> {
    node.intercept()?;
    let range = headers
        .get(header::RANGE)
        .map(|range| range.to_str().unwrap().to_owned());
    node.seen().ranges.push(range.clone());
    let script = node.script();
    let container = &node.parts.container;
    let from = match range.filter(|_| !script.ignore_ranges) {
        Some(range) => range
            .strip_prefix("bytes=")
            .unwrap()
            .strip_suffix('-')
            .unwrap()
            .parse()
            .unwrap(),
        None => 0,
    };
    let whole = container[from..].to_vec();
    let length = whole.len();
    let sent = whole[..script.cut_after.unwrap_or(length).min(length)].to_vec();
    // The announced length is that of the whole: a cut is a broken connection, not a short answer. What was sent
    // before is flushed when the stream has to be waited for.
    let broken = sent.len() < length;
    let end = futures::stream::once(async {
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut"))
    });
    let pieces = futures::stream::iter([Ok(axum::body::Bytes::from(sent))])
        .chain(end.take(usize::from(broken)));
    let body = Body::from_stream(pieces);
    let mut response = Response::builder().header(header::CONTENT_LENGTH, length);
    if from > 0 {
        let last = container.len() - 1;
        let range = format!("bytes {from}-{last}/{}", container.len());
        response = response.status(206).header(header::CONTENT_RANGE, range);
    }
    Ok(response.body(body).unwrap())
}

async fn delete(
    Shared(node): Node,
    Json(deletion): Json<DeletionSubmission>,
) -> Result<StatusCode, Response> {
    node.intercept()?;
    node.seen().deletions.push(deletion);
    Ok(StatusCode::NO_CONTENT)
}
