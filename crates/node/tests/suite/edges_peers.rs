//! Asking other nodes: one that is away, one that refuses, one that lies.

use alloy_primitives::B256;
use medshare_chain::PrivateKeySigner;
use medshare_node::node_key::sealing_secret;
use medshare_node::peer::{PeerError, Peers, ValidationRequest};
use medshare_protocol::block::body_of;
use medshare_protocol::id::LeafHash;
use medshare_protocol::usage::{Sensitivity, UsageContract};
use medshare_protocol::wire::Stage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::cluster::Cluster;
use crate::requestor::{Requestor, finished};

/// Registers one more node of the second custodian.
async fn register(cluster: &Cluster, key: &PrivateKeySigner, endpoint: &str) {
    let sealing = sealing_secret(key).public();
    cluster.custodians[1]
        .wallet
        .register_node(key.address(), sealing, endpoint)
        .await
        .unwrap();
}

/// An HTTP server that answers everybody with `body`.
async fn liar(body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = body.clone();
            tokio::spawn(async move {
                let mut asked = [0; 1_024];
                let _ = stream.read(&mut asked).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
                // What is still being sent is taken, so that the answer is not lost in a reset.
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            });
        }
    });
    endpoint
}

fn peers(cluster: &Cluster, index: usize) -> Peers {
    let key = cluster.custodians[index].key.clone();
    let sealing = sealing_secret(&key);
    Peers::new(key, sealing).unwrap()
}

/// Work that no second node signs: its requestor is not registered and its form is empty.
fn bad_work(cluster: &Cluster) -> ValidationRequest {
    ValidationRequest {
        signed_request: Requestor::new(&cluster.governance).asks(cluster),
        descriptor_bytes: cluster.dataset().descriptor_bytes.clone(),
        form: Vec::new(),
        payload: b"age\n1\n".to_vec(),
        payload_salt: B256::ZERO,
        usage: UsageContract {
            sensitivity: Sensitivity::High,
            granted: cluster.dataset().usage.granted,
            exempt: cluster.dataset().usage.exempt,
            environment: cluster.dataset().usage.environment,
            expiry: crate::requestor::now() + 1_000,
            contract_key: B256::repeat_byte(1),
        },
        release_version: B256::ZERO,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_away_or_talk_nonsense_are_followed_by_the_next() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    register(&cluster, &PrivateKeySigner::random(), "http://127.0.0.1:1").await;
    register(
        &cluster,
        &PrivateKeySigner::random(),
        &liar(b"{}".to_vec()).await,
    )
    .await;
    register(&cluster, &PrivateKeySigner::random(), "not an address").await;
    let endless = liar(vec![b' '; 1024 * 1024]).await;
    register(&cluster, &PrivateKeySigner::random(), &endless).await;
    // Each of them comes first once.
    for _ in 0..5 {
        let request = requestor.asks(&cluster);
        let id = requestor.id(&request);
        cluster.node(0).request(request).await.unwrap();
        let status = finished(&cluster.node(0), id).await;
        assert_eq!(status.stage, Stage::Ready, "{:?}", status.reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_final_and_comes_with_its_reason() {
    let cluster = Cluster::start().await;
    let error = peers(&cluster, 0)
        .validate(&cluster.governance, &bad_work(&cluster))
        .await
        .unwrap_err();
    let PeerError::Refused { node, reason } = error else {
        panic!("{error}")
    };
    assert_eq!(node, cluster.custodians[1].key.address());
    assert!(
        reason.contains("the form lacks the step `received`"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_can_be_asked_each_one_is_named_with_its_trouble() {
    let mut cluster = Cluster::start().await;
    cluster.kill_node(1).await;
    let error = peers(&cluster, 0)
        .validate(&cluster.governance, &bad_work(&cluster))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, PeerError::Unreachable(_)), "{text}");
    assert!(
        text.contains(&cluster.custodians[1].key.address().to_string()),
        "{text}"
    );
    assert!(
        text.contains("no connection; is the node running?"),
        "{text}"
    );
    let removed = cluster.custodians[1].key.address();
    cluster.custodians[1]
        .wallet
        .remove_node(removed)
        .await
        .unwrap();
    let error = peers(&cluster, 0)
        .validate(&cluster.governance, &bad_work(&cluster))
        .await
        .unwrap_err();
    assert!(matches!(error, PeerError::NoPeer), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_verified_by_what_was_asked_for() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let blocks = cluster.node(0).package_blocks(id).await.unwrap();
    let (leaf, record) = (blocks.parent.leaf, blocks.parent.record.to_vec());
    let mut altered = record.clone();
    altered[150] ^= 1;
    register(&cluster, &PrivateKeySigner::random(), &liar(altered).await).await;
    let asking = peers(&cluster, 1);
    assert_eq!(
        asking.fetch_body(&cluster.governance, leaf).await.unwrap(),
        body_of(&record).unwrap()
    );
    let nowhere = LeafHash(B256::repeat_byte(7));
    let error = asking
        .fetch_body(&cluster.governance, nowhere)
        .await
        .unwrap_err();
    assert!(
        matches!(error, PeerError::BlockWithheld(leaf) if leaf == nowhere),
        "{error}"
    );
}
