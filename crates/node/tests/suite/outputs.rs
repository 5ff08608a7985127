//! Outputs that are held back (P18, SPEC §5.3): what a node takes, and what it hands out.

use std::time::Duration;

use alloy_primitives::B256;
use futures::future::join_all;
use medshare_node::NodeError;
use medshare_node::store::Store;
use medshare_protocol::id::PackageId;
use medshare_protocol::output::{
    MAX_SEALED_OUTPUT_BYTES, MAX_WAITING_OUTPUTS, OutputFiles, output_hash,
};
use medshare_protocol::package::SignedHeader;
use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::{Action, Actions};
use medshare_protocol::wire::HeldOutput;
use reqwest::{Method, Response, StatusCode};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cluster::Cluster;
use crate::edges_http::{Http, problem};
use crate::requestor::{OpenSession, Requestor};

const READ: Actions = Actions::NONE.with(Action::Read);

struct Bench {
    cluster: Cluster,
    http: Http,
    session: OpenSession,
    id: PackageId,
    contract_key: B256,
}

impl Bench {
    async fn start() -> Self {
        let cluster = Cluster::start().await;
        let http = Http::to(&cluster, 0);
        let requestor = Requestor::registered(&cluster).await;
        let id = requestor.obtain(&cluster).await;
        let mut session = requestor.session(id);
        let node = cluster.node(0);
        session.report(&node, Action::Decrypt).await.unwrap();
        let container = std::fs::read(node.container(id).await.unwrap().path).unwrap();
        let header = SignedHeader::read(&mut container.as_slice()).unwrap();
        let contract_key = header.header.contract_key;
        Self {
            cluster,
            http,
            session,
            id,
            contract_key,
        }
    }

    fn output(&self, content: &[u8]) -> Vec<u8> {
        let mut files = OutputFiles::default();
        files.add("table.csv", content).unwrap();
        files.seal_held(self.contract_key, self.id).unwrap()
    }

    /// Reports that an output is held back; the report's number.
    async fn tell(&mut self, held: Option<B256>) -> u32 {
        let body = ReportBody {
            comment: "output".into(),
            held,
            ..ReportBody::default()
        };
        let submission = self.session.saying(READ, &body, self.contract_key);
        let node = self.cluster.node(0);
        let answer = self.session.send(&node, submission).await.unwrap();
        answer.receipt.number
    }

    async fn put(&self, number: impl std::fmt::Display, bytes: &[u8]) -> Response {
        let path = format!("/v1/packages/{}/outputs/{number}", self.id);
        let kind = "application/octet-stream";
        self.http
            .raw(Method::PUT, &path, kind, bytes.to_vec())
            .await
    }

    async fn is_kept(&self, number: u32) -> bool {
        let container = self.cluster.node(0).container(self.id).await.unwrap();
        let name = format!("{}-{number}.held", self.id);
        container.path.with_file_name(name).exists()
    }

    async fn listed(&self) -> Vec<HeldOutput> {
        self.http
            .json(&format!("/v1/packages/{}/outputs", self.id))
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_keeps_the_very_bytes_that_a_report_has_told_of() {
    let mut bench = Bench::start().await;
    let sealed = bench.output(b"a,1\n");
    let silent = bench.tell(None).await;
    let number = bench.tell(Some(output_hash(&sealed))).await;

    problem(bench.put(number, b"others").await, 400, "bad-request").await;
    problem(bench.put(number, b"").await, 400, "bad-request").await;
    problem(bench.put(silent, &sealed).await, 400, "bad-request").await;
    problem(bench.put(number + 1, &sealed).await, 404, "not-found").await;
    problem(bench.put("x", &sealed).await, 400, "bad-request").await;
    // Report 1 is `decrypt`, with a body that no node can read.
    problem(bench.put(1, &sealed).await, 400, "bad-request").await;
    assert!(bench.listed().await.is_empty());
    let too_long = vec![0; MAX_SEALED_OUTPUT_BYTES + 1];
    problem(bench.put(number, &too_long).await, 413, "too-large").await;

    // Sent several times at once, it is taken once, and nobody is refused.
    for answer in join_all((0..4).map(|_| bench.put(number, &sealed))).await {
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    }
    assert!(bench.is_kept(number).await);
    let listed = bench.listed().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].number, listed[0].output, listed[0].length),
        (number, output_hash(&sealed), sealed.len() as u64)
    );
    assert_eq!(listed[0].decision, None);
    // A repeat is answered alike, and changes nothing.
    assert_eq!(
        bench.put(number, &sealed).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(bench.listed().await, listed);
    let path = format!("/v1/packages/{}/outputs/{number}", bench.id);
    problem(bench.http.get(&path).await, 409, "conflict").await;
    let nobody = B256::repeat_byte(1);
    problem(
        bench
            .http
            .get(&format!("/v1/packages/{nobody}/outputs"))
            .await,
        404,
        "not-found",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_outputs_of_a_package_wait_and_no_more() {
    let mut bench = Bench::start().await;
    for count in 0..=MAX_WAITING_OUTPUTS {
        let sealed = bench.output(&count.to_le_bytes());
        let number = bench.tell(Some(output_hash(&sealed))).await;
        let answer = bench.put(number, &sealed).await;
        match count {
            MAX_WAITING_OUTPUTS => {
                problem(answer, 409, "conflict").await;
                assert!(!bench.is_kept(number).await, "it fills the disk");
            }
            _ => {
                assert_eq!(answer.status(), StatusCode::NO_CONTENT);
                assert!(bench.is_kept(number).await);
            }
        }
    }
    assert_eq!(bench.listed().await.len(), MAX_WAITING_OUTPUTS as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_leaves_no_output_that_nothing_is_recorded_of() {
    let mut bench = Bench::start().await;
    let sealed = bench.output(b"a,1\n");
    let number = bench.tell(Some(output_hash(&sealed))).await;
    let custodian = &bench.cluster.custodians[0];
    // The file can be written, and nothing recorded.
    let store = SqliteConnectOptions::new().filename(custodian.folder.join("node.db"));
    let mut store = store.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut store)
        .await
        .unwrap();
    let mut client = TcpStream::connect(&custodian.listen).await.unwrap();
    let head = format!(
        "PUT /v1/packages/{}/outputs/{number} HTTP/1.1\r\nhost: node\r\ncontent-type: application/octet-stream\r\n\
         content-length: {}\r\n\r\n",
        bench.id,
        sealed.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&sealed).await.unwrap();
    while !bench.is_kept(number).await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The node has given the request up when it has closed its side as well.
    client.shutdown().await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    assert!(bench.listed().await.is_empty());
    sqlx::query("COMMIT").execute(&mut store).await.unwrap();
    let recorded = async {
        while bench.listed().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let recorded = tokio::time::timeout(Duration::from_secs(20), recorded).await;
    assert!(recorded.is_ok(), "the file is there and is not recorded");
}

#[tokio::test]
async fn a_desk_is_that_of_a_node_that_has_run() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("node.db");
    assert!(Store::open_existing(&missing).await.is_err());
    assert!(!missing.exists());
    let error = NodeError::from(Store::open_existing(&missing).await.unwrap_err());
    assert!(error.to_string().contains("node.db"), "{error}");
}
