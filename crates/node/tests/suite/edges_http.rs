//! The HTTP interface as a stranger meets it: through a socket.

use medshare_node::query::{self, problem::PROBLEMS};
use medshare_protocol::block::Block;
use medshare_protocol::digest::sha256d;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::{Action, Actions};
use medshare_protocol::wire::{
    DatasetInfo, DeletionSubmission, LastReport, NodeInfo, PackageBlocks, Problem, ReportAnswer,
    RequestStatus, Stage,
};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cluster::Cluster;
use crate::requestor::Requestor;

const NOBODY: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

/// A client of one node.
pub struct Http {
    client: Client,
    base: String,
}

impl Http {
    pub fn to(cluster: &Cluster, index: usize) -> Self {
        let base = format!("http://{}", cluster.custodians[index].listen);
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            base,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap()
    }

    pub async fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    async fn get_with(&self, path: &str, header: &'static str, value: &str) -> Response {
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .header(header, value);
        request.send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &impl serde::Serialize) -> Response {
        self.client
            .post(format!("{}{path}", self.base))
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(kind));
        let request = self.client.request(method, format!("{}{path}", self.base));
        request.headers(headers).body(body).send().await.unwrap()
    }
}

/// The problem in an answer; it must be a whole and right one.
pub async fn problem(answer: Response, status: u16, kind: &str) -> Problem {
    let (found, kind_header) = (
        answer.status().as_u16(),
        answer.headers()["content-type"].clone(),
    );
    let text = answer.text().await.unwrap();
    assert_eq!(
        (found, kind_header.to_str().unwrap()),
        (status, "application/problem+json"),
        "{text}"
    );
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (problem.status, problem.kind.clone()),
        (status, format!("{PROBLEMS}{kind}")),
        "{text}"
    );
    assert!(
        problem.detail.len() > 10 && !problem.detail.contains('\n'),
        "{text}"
    );
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn one_package_from_the_question_to_the_deletion_over_http() {
    let cluster = Cluster::start().await;
    let http = Http::to(&cluster, 0);
    let requestor = Requestor::new(&cluster.governance);
    let info: NodeInfo = http.get("/v1/info").await.json().await.unwrap();
    assert_eq!(info, cluster.node(0).info());
    let datasets: Vec<DatasetInfo> = http.get("/v1/datasets").await.json().await.unwrap();
    assert!(datasets[0].published && datasets[0].dataset == cluster.dataset().id);
    assert_eq!(http.get("/v1/health").await.status(), StatusCode::OK);

    assert_eq!(
        http.post("/v1/requestors", &requestor.registration(0))
            .await
            .status(),
        StatusCode::OK
    );
    let request = requestor.asks(&cluster);
    let answer = http.post("/v1/requests", &request).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let mut status: RequestStatus = answer.json().await.unwrap();
    let id = status.id;
    assert_eq!(id, requestor.id(&request));
    while status.stage != Stage::Ready {
        let known = status.form.len();
        let path = format!("/v1/requests/{id}?after={known}&wait_seconds=30");
        status = http.get(&path).await.json().await.unwrap();
        assert!(status.form.len() > known, "{status:?}");
    }

    let container = http
        .get(&format!("/v1/packages/{id}"))
        .await
        .bytes()
        .await
        .unwrap();
    let mut session = requestor.session(id);
    let submission = session.next(Actions::NONE.with(Action::Decrypt), "opened");
    let reports = format!("/v1/packages/{id}/reports");
    let answer: ReportAnswer = http.post(&reports, &submission).await.json().await.unwrap();
    assert!(
        requestor
            .decrypt(&container, &answer)
            .starts_with(b"age,sex")
    );
    (session.number, session.previous) = (1, answer.receipt.report);
    let last: LastReport = http
        .get(&format!("{reports}/last"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!((last.number, last.digest), (1, answer.receipt.report));
    let renewal = session.renewal(crate::requestor::now());
    let renewed = http
        .post(&format!("/v1/packages/{id}/lease"), &renewal)
        .await;
    assert_eq!(renewed.status(), StatusCode::OK);

    let blocks: PackageBlocks = http
        .get(&format!("/v1/packages/{id}/blocks"))
        .await
        .json()
        .await
        .unwrap();
    let record = http
        .get(&format!("/v1/blocks/{}", blocks.parent.leaf))
        .await
        .bytes()
        .await
        .unwrap();
    assert_eq!(
        Block::from_bytes(&record).unwrap().leaf(),
        blocks.parent.leaf
    );

    let path = format!("/v1/packages/{id}/deletion");
    problem(http.get(&path).await, 404, "not-found").await;
    let deletion = requestor.deletion(id);
    assert_eq!(
        http.post(&path, &deletion).await.status(),
        StatusCode::NO_CONTENT
    );
    let kept: DeletionSubmission = http.get(&path).await.json().await.unwrap();
    assert_eq!(kept, deletion);
    assert_eq!(
        http.get("/v1/violations")
            .await
            .json::<serde_json::Value>()
            .await
            .unwrap(),
        serde_json::json!([])
    );
}

/// The stage that the node has recorded.
async fn stage(cluster: &Cluster, id: PackageId) -> Stage {
    cluster
        .node(0)
        .status(id, 0, std::time::Duration::ZERO)
        .await
        .unwrap()
        .stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_where_it_broke_off() {
    let cluster = Cluster::start().await;
    let http = Http::to(&cluster, 0);
    let id = Requestor::registered(&cluster).await.obtain(&cluster).await;
    let path = format!("/v1/packages/{id}");
    let head = http
        .client
        .head(format!("{}{path}", http.base))
        .send()
        .await
        .unwrap();
    let length: usize = head.headers()["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(head.headers()["accept-ranges"], "bytes");
    let tag = head.headers()["etag"].to_str().unwrap().to_owned();
    assert!(head.bytes().await.unwrap().is_empty());

    let first = http.get_with(&path, "range", "bytes=0-999").await;
    assert_eq!(first.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        first.headers()["content-range"],
        format!("bytes 0-999/{length}").as_str()
    );
    let mut container = first.bytes().await.unwrap().to_vec();
    assert_eq!(
        (container.len(), stage(&cluster, id).await),
        (1_000, Stage::Ready)
    );
    let rest = http
        .client
        .get(format!("{}{path}", http.base))
        .header("range", "bytes=1000-");
    let rest = rest.header("if-range", &tag).send().await.unwrap();
    assert_eq!(rest.status(), StatusCode::PARTIAL_CONTENT);
    container.extend(rest.bytes().await.unwrap());
    assert_eq!(container.len(), length);
    assert_eq!(
        format!("\"0x{}\"", hex::encode(sha256d(&[&container]))),
        tag
    );
    assert_eq!(
        stage(&cluster, id).await,
        Stage::Ready,
        "ranges do not prove that all of it arrived"
    );

    let whole = http.get(&path).await;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.bytes().await.unwrap(), container);
    assert_eq!(stage(&cluster, id).await, Stage::Delivered);
    let last = http
        .get_with(&path, "range", "bytes=-10")
        .await
        .bytes()
        .await
        .unwrap();
    assert_eq!(last, container[length - 10..]);
    let other = http
        .client
        .get(format!("{}{path}", http.base))
        .header("range", "bytes=5-");
    let other = other
        .header("if-range", "\"another\"")
        .send()
        .await
        .unwrap();
    assert_eq!(
        other.status(),
        StatusCode::OK,
        "a range of another file is not spliced in"
    );
    let same = http.get_with(&path, "if-none-match", &tag).await;
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    let behind = http
        .get_with(&path, "range", &format!("bytes={length}-"))
        .await;
    assert_eq!(
        behind.headers()["content-range"],
        format!("bytes */{length}").as_str()
    );
    problem(behind, 416, "range").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_the_answer_is_a_problem_that_says_why() {
    let cluster = Cluster::start().await;
    let http = Http::to(&cluster, 0);
    let json = "application/json";
    let post = async |path: &str, kind, body: &[u8]| {
        http.raw(Method::POST, path, kind, body.to_vec()).await
    };

    for (body, word) in [
        (&b"{"[..], "EOF"),
        (b"{}", "missing field `request`"),
        (b"[1,2]", "expected struct AccessRequest"),
        (b"\xff\xfe", "expected value"),
        (br#"{"request": 7, "signature": "0x"}"#, "request"),
        (br#"{"signature": "no hex"}"#, "signature"),
    ] {
        let problem = problem(post("/v1/requests", json, body).await, 400, "bad-request").await;
        assert!(problem.detail.contains(word), "{}", problem.detail);
    }
    problem(
        post("/v1/requests", "text/plain", b"{}").await,
        415,
        "unsupported-media-type",
    )
    .await;
    let long = vec![b' '; query::MAX_JSON_BODY_BYTES + 1];
    problem(post("/v1/requests", json, &long).await, 413, "too-large").await;
    let long = vec![0; query::MAX_BLOCK_ENVELOPE_BYTES + 1];
    problem(
        post("/v1/peer/blocks", "application/cbor", &long).await,
        413,
        "too-large",
    )
    .await;
    for path in ["/v1/peer/blocks", "/v1/peer/validations"] {
        problem(
            post(path, "application/cbor", b"\xa0").await,
            400,
            "bad-request",
        )
        .await;
    }

    let unknown = problem(http.get("/v1/nothing").await, 404, "unknown-route").await;
    assert!(unknown.detail.contains("/v1/nothing"), "{}", unknown.detail);
    let wrong = http.raw(Method::DELETE, "/v1/info", json, Vec::new()).await;
    assert!(wrong.headers().contains_key("allow"));
    problem(wrong, 405, "unknown-method").await;
    for path in [
        "/v1/requests/0x12",
        "/v1/packages/what",
        "/v1/packages/%ff/blocks",
        "/v1/blocks/12",
    ] {
        problem(http.get(path).await, 400, "bad-request").await;
    }
    for query in ["wait_seconds=31", "wait_seconds=-1", "after=x", "wait=1"] {
        problem(
            http.get(&format!("/v1/requests/{NOBODY}?{query}")).await,
            400,
            "bad-request",
        )
        .await;
    }
    for path in [
        "requests/ID",
        "packages/ID",
        "packages/ID/blocks",
        "packages/ID/reports/last",
        "packages/ID/deletion",
        "blocks/ID",
    ] {
        problem(
            http.get(&format!("/v1/{}", path.replace("ID", NOBODY)))
                .await,
            404,
            "not-found",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_unreachable_chains_have_kinds_of_their_own() {
    let cluster = Cluster::start().await;
    let http = Http::to(&cluster, 0);
    let stranger = Requestor::new(&cluster.governance);
    let refused = http.post("/v1/requests", &stranger.asks(&cluster)).await;
    let detail = problem(refused, 403, "refused").await.detail;
    assert!(detail.contains("not registered"), "{detail}");
    cluster.custodians[0].rpc.cut().await;
    // The wire is cut within milliseconds, not at once.
    let mut away = http.get("/v1/health").await;
    for _ in 0..100 {
        if away.status() != StatusCode::OK {
            break;
        }
        away = http.get("/v1/health").await;
    }
    assert!(
        away.headers().contains_key("retry-after"),
        "{}",
        away.text().await.unwrap()
    );
    problem(away, 503, "unhealthy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_strangers_and_for_others_are_not_opened() {
    use medshare_node::node_key::sealing_secret;
    use medshare_node::peer::envelope::seal;
    let cluster = Cluster::start().await;
    let http = Http::to(&cluster, 0);
    let domain = cluster.governance.domain().clone();
    let stranger = medshare_chain::PrivateKeySigner::random();
    let (first, second) = (&cluster.custodians[0].key, &cluster.custodians[1].key);
    let to = |key: &medshare_chain::PrivateKeySigner| (key.address(), sealing_secret(key).public());
    let deadline = crate::requestor::now() + 60_000;
    let send = async |envelope| {
        http.raw(
            Method::POST,
            "/v1/peer/blocks",
            "application/cbor",
            envelope,
        )
        .await
    };
    let forged = seal(&domain, &stranger, to(first), deadline, b"\x00").unwrap();
    let detail = problem(send(forged).await, 403, "not-a-node").await.detail;
    assert!(detail.contains("is no registered node"), "{detail}");
    let for_other = seal(&domain, second, to(second), deadline, b"\x00").unwrap();
    problem(send(for_other).await, 400, "bad-request").await;
    let late = seal(&domain, second, to(first), deadline - 70_000, b"\x00").unwrap();
    let detail = problem(send(late).await, 400, "bad-request").await.detail;
    assert!(detail.contains("check the clocks"), "{detail}");
    let mut changed = seal(&domain, second, to(first), deadline, b"\x00").unwrap();
    *changed.last_mut().unwrap() ^= 1;
    problem(send(changed).await, 403, "not-a-node").await;
    // A registered node's word that is no message.
    let nonsense = seal(&domain, second, to(first), deadline, b"\x00").unwrap();
    problem(send(nonsense).await, 400, "bad-request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_counted_by_route_and_never_by_id() {
    let cluster = Cluster::start().await;
    let http = Http::to(&cluster, 0);
    for path in [
        format!("/v1/packages/{NOBODY}"),
        "/v1/made-up-by-a-stranger".into(),
    ] {
        let answer = http.get(&path).await;
        assert!(answer.headers().contains_key("x-request-id"));
    }
    let figures = http.get("/metrics").await.text().await.unwrap();
    let counted =
        r#"medshare_http_requests_total{method="GET",route="/v1/packages/{id}",status="404"}"#;
    assert!(figures.contains(counted), "{figures}");
    assert!(
        figures.contains("medshare_http_request_seconds_bucket"),
        "{figures}"
    );
    assert!(
        !figures.contains("1111") && !figures.contains("made-up"),
        "{figures}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_http_and_slow_senders_harm_nobody() {
    let cluster = Cluster::start().await;
    let http = Http::to(&cluster, 0);
    let address = cluster.custodians[0].listen;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"POST /v1/requests HTTP/1.1\r\nhost: x\r\ncontent-len")
            .await
            .unwrap();
        slow.push(stream);
    }
    let mut garbage = TcpStream::connect(address).await.unwrap();
    garbage
        .write_all(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    garbage.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"),
        "{answer:?}"
    );
    assert_eq!(http.get("/v1/info").await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_is_the_committed_one() {
    let cluster = Cluster::start().await;
    let served = Http::to(&cluster, 0).get("/v1/openapi.json").await;
    assert_eq!(served.headers()["content-type"], "application/json");
    let served = served.text().await.unwrap();
    assert_eq!(served.as_bytes(), query::document());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("MEDSHARE_WRITE_OPENAPI").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        served == committed,
        "the interface changed: look at it, then run this test with MEDSHARE_WRITE_OPENAPI=1 and commit openapi.json"
    );
}
