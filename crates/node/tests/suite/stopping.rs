//! A node that is told to stop: whoever has asked is answered.

use std::time::{Duration, Instant};

use medshare_node::telemetry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cluster::Cluster;
use crate::requestor::{Requestor, finished};

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `line` is among the figures.
async fn counted(line: &str) {
    let seen = async {
        while !telemetry::figures().lines().any(|figure| figure == line) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, seen).await.is_ok(),
        "{line} is not among\n{}",
        telemetry::figures()
    );
}

/// What the server says until `end` is among it.
async fn heard(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains(end) {
        let mut some = [0; 4_096];
        let count = tokio::time::timeout(PATIENCE, stream.read(&mut some))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(count, 0, "it ended at {}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&some[..count]);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_news_is_told_how_far_it_is() {
    let mut cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let base = format!("http://{}", cluster.custodians[0].listen);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let before = Instant::now();
    let waiting = tokio::spawn(
        client
            .get(format!("{base}/v1/requests/{id}?after=64&wait_seconds=30"))
            .send(),
    );
    counted(r#"medshare_http_requests_under_way{route="/v1/requests/{id}"} 1"#).await;
    cluster.kill_node(0).await;
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200, "it is told how far its request is");
    assert!(
        before.elapsed() < Duration::from_secs(9),
        "{:?}",
        before.elapsed()
    );
    assert!(
        client.get(format!("{base}/v1/info")).send().await.is_err(),
        "nobody listens any more"
    );
}

/// The store is open until the last request is answered.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_the_middle_of_asking_is_answered() {
    let mut cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let request = requestor.asks(&cluster);
    let id = requestor.id(&request);
    let body = serde_json::to_vec(&request).unwrap();
    let address = cluster.custodians[0].listen;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/requests HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // RFC 9110, 10.1.1: said when the handler reads the body, so the request is under way.
    heard(&mut stream, "100 Continue\r\n\r\n").await;
    let (client, base) = (
        reqwest::Client::builder().no_proxy().build().unwrap(),
        format!("http://{address}/v1/info"),
    );
    let ended = tokio::spawn(async move {
        cluster.kill_node(0).await;
        cluster
    });
    while client.get(&base).send().await.is_ok() {}
    // Nobody new is let in; who was let in before is heard out.
    stream.write_all(&body).await.unwrap();
    let answer = heard(&mut stream, &id.to_string()).await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    // What it asked for goes on at the next start.
    let mut cluster = ended.await.unwrap();
    let node = cluster.start_node(0).await;
    let status = finished(&node, id).await;
    assert!(status.package.is_some(), "{status:?}");
}
