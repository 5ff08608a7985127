//! Proofs over HTTP, checked against nothing but what stands in the contract (P8, P22, P26).

use medshare_chain::ContractProof;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::PackageId;
use medshare_protocol::proof::{ConsistencyProof, InclusionProof};
use medshare_protocol::usage::{Action, State};
use medshare_protocol::wire::Problem;

use crate::blocks::with_sides;
use crate::cluster::Cluster;
use crate::edges_http::Http;
use crate::requestor::Requestor;

/// What stands in the contract is all that a proof is checked against.
#[tokio::test(flavor = "multi_thread")]
async fn every_block_is_proven_to_whoever_knows_the_heads() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let before = cluster.governance.block_number().await.unwrap();
    let mut packages = Vec::new();
    for _ in 0..3 {
        packages.push(requestor.obtain(&cluster).await);
    }
    let wallet = requestor.address();
    let http = Http::to(&cluster, 1); // the other custodian's node proves as well
    let mut session = requestor.session(packages[1]);
    for action in [Action::Decrypt, Action::Read, Action::Read] {
        session.report(&cluster.node(0), action).await.unwrap();
    }
    let blocks = with_sides(&cluster.node(1), packages[1], 3).await;
    let thread = cluster.governance.thread_head(wallet).await.unwrap();
    let side = cluster.governance.package(packages[1]).await.unwrap().head;

    let parent: InclusionProof = http
        .json(&format!("/v1/blocks/{}/proof", blocks.parent.leaf))
        .await;
    assert_eq!(
        (parent.chain, parent.index, parent.end.size),
        (ChainName::Thread(wallet), 1, 3)
    );
    assert_eq!(parent.check(thread), Ok(()));
    for (index, stored) in (0..).zip(&blocks.sides) {
        let proof: InclusionProof = http
            .json(&format!("/v1/blocks/{}/proof", stored.leaf))
            .await;
        assert_eq!(
            (proof.chain, proof.index),
            (ChainName::Side(packages[1]), index)
        );
        assert_eq!(proof.check(side), Ok(()));
    }
    let early: InclusionProof = http
        .json(&format!("/v1/blocks/{}/proof?size=2", blocks.parent.leaf))
        .await;
    assert_eq!(early.end.size, 2);
    let grown: ConsistencyProof = http
        .json(&format!("/v1/threads/{wallet}/growth?from=2"))
        .await;
    assert_eq!(grown.check(early.end.head(), thread), Ok(()));
    let grown: ConsistencyProof = http
        .json(&format!(
            "/v1/packages/{}/growth?from=1&size=3",
            packages[1]
        ))
        .await;
    assert_eq!(grown.new.head(), side);
    assert_eq!(grown.check(grown.old.head(), side), Ok(()));

    let state: ContractProof = http
        .json(&format!("/v1/packages/{}/state", packages[1]))
        .await;
    let proven = state.verify().unwrap();
    assert_eq!(
        proven.package(packages[1]).unwrap(),
        cluster.governance.package(packages[1]).await.unwrap()
    );
    assert_eq!(proven.thread_head(wallet).unwrap(), Some(thread));
    let verifier = cluster.node(1).info();
    assert_eq!(
        proven.custodian_of(verifier.node).unwrap(),
        Some(verifier.custodian)
    );
    // Nor was a package there before it was issued, or one that nobody asked for.
    let issued = packages[1];
    let strange = PackageId([7; 32].into());
    let first = format!("/v1/packages/{issued}/state?evm_block={before}");
    for (package, path) in [
        (issued, first),
        (strange, format!("/v1/packages/{strange}/state")),
    ] {
        let proven = http.json::<ContractProof>(&path).await.verify().unwrap();
        assert_eq!(proven.package(package).unwrap().state, State::None);
    }
    // The chain as it was at that block: what comes later does not change the answer.
    requestor.obtain(&cluster).await;
    let at = proven.block.number;
    let then: InclusionProof = http
        .json(&format!(
            "/v1/blocks/{}/proof?evm_block={at}",
            blocks.parent.leaf
        ))
        .await;
    assert_eq!(then.check(thread), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_what_is_not_there_are_refused_with_the_reason() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let leaf = cluster
        .node(0)
        .package_blocks(id)
        .await
        .unwrap()
        .parent
        .leaf;
    let wallet = requestor.address();
    let strange = format!("0x{}", "07".repeat(32));
    let http = Http::to(&cluster, 0);
    for (path, status, says) in [
        (
            format!("/v1/blocks/{strange}/proof"),
            404,
            "no block with the leaf hash",
        ),
        (
            format!("/v1/blocks/{leaf}/proof?size=2"),
            404,
            "fewer than 2 blocks",
        ),
        (
            format!("/v1/blocks/{leaf}/proof?size=0"),
            404,
            "no block there",
        ),
        (
            format!("/v1/blocks/{leaf}/proof?evm_block=1"),
            404,
            "no block there",
        ),
        (
            format!("/v1/blocks/{leaf}/proof?size=1&evm_block=1"),
            400,
            "not both",
        ),
        (format!("/v1/blocks/{leaf}/proof?size=-1"), 400, "size"),
        (format!("/v1/blocks/{leaf}/proof?sise=1"), 400, "sise"),
        (format!("/v1/threads/{wallet}/growth"), 400, "from"),
        (
            format!("/v1/threads/{wallet}/growth?from=18446744073709551615"),
            404,
            "fewer than",
        ),
        (
            format!("/v1/threads/0x{}/growth?from=1", "07".repeat(20)),
            404,
            "no block there",
        ),
        (
            "/v1/threads/0x07/growth?from=1".into(),
            400,
            "40 hexadecimal digits",
        ),
        (
            format!("/v1/packages/{id}/growth?from=1"),
            404,
            "no block there",
        ),
        (
            format!("/v1/packages/{strange}/growth?from=1"),
            404,
            "no package",
        ),
        (
            format!("/v1/packages/{id}/state?evm_block=0"),
            404,
            "no contract",
        ),
        (
            format!("/v1/packages/{id}/state?evm_block=99999999"),
            404,
            "EVM block 99999999",
        ),
    ] {
        let answer = http.get(&path).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let detail = answer.json::<Problem>().await.unwrap().detail;
        assert!(detail.contains(says), "{path}: {detail}");
    }
}
