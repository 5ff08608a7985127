//! Leaf hashes that somebody copies (P8, P23): the contract cannot tell, so nobody else's blocks may suffer from it.

use std::path::Path;
use std::time::Duration;

use alloy_primitives::B256;
use alloy_sol_types::SolStruct;
use medshare_chain::{Chain, IssueItem, ReportSegment};
use medshare_node::service::Node;
use medshare_protocol::block::{Block, DATA_VERSION_TABULAR, Place, body_of, next_header};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::{CompactTarget, Entry};
use medshare_protocol::id::{FormDigest, LeafHash, PackageId, PayloadHash};
use medshare_protocol::merkle::Log;
use medshare_protocol::origin::thread_origin;
use medshare_protocol::proof::InclusionProof;
use medshare_protocol::typed::Validation;
use medshare_protocol::usage::{Action, Actions, Environment, Sensitivity, UsageContract};
use medshare_protocol::wire::{Alert, AlertKind};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::blocks::with_sides;
use crate::cluster::{Cluster, WORK_LIMIT};
use crate::edges_http::Http;
use crate::requestor::{Requestor, now};

/// The second custodian's node, used by hand.
struct Copier<'a> {
    cluster: &'a Cluster,
    chain: Chain,
}

impl<'a> Copier<'a> {
    fn of(cluster: &'a Cluster) -> Self {
        let key = cluster.custodians[1].key.clone();
        let chain = cluster.governance.with_signer(key);
        Self { cluster, chain }
    }

    /// Issues a package whose parent block has a leaf hash that stands elsewhere already, on the thread with these leaves.
    async fn issue(&self, requestor: &Requestor, thread: &[LeafHash], leaf: LeafHash) -> PackageId {
        let [first, second] = &self.cluster.custodians;
        let domain = self.chain.domain();
        let asked = requestor.sign(requestor.access(second.address, second.datasets[0].id));
        let package = requestor.id(&asked);
        let usage = UsageContract {
            sensitivity: Sensitivity::Low,
            granted: Actions::NONE,
            exempt: Actions::NONE,
            environment: Environment::Any,
            expiry: now() + 1_000_000,
            contract_key: B256::repeat_byte(1),
        };
        let validation = Validation {
            package: package.0,
            payloadHash: B256::ZERO,
            formDigest: B256::ZERO,
            sensitivity: usage.sensitivity as u8,
            usage: usage.typed().eip712_hash_struct(),
            deadline: now() + 1_000_000,
        };
        let head = self.chain.thread_head(requestor.address()).await.unwrap();
        let origin = thread_origin(
            self.chain.chain_id(),
            self.chain.contract(),
            requestor.address(),
        );
        let mut log = grown(thread);
        let head = if thread.is_empty() { origin.0 } else { head };
        let item = IssueItem {
            request: asked.request,
            request_signature: asked.signature,
            usage,
            payload_hash: PayloadHash(B256::ZERO),
            form_digest: FormDigest(B256::ZERO),
            verifier: first.key.address(),
            validation_deadline: validation.deadline,
            validation_signature: domain
                .sign(&validation, &first.key)
                .unwrap()
                .to_vec()
                .into(),
            expected_head: head,
            entry: self.entry(DATA_VERSION_TABULAR, &mut log, head, leaf).0,
        };
        let receipt = self.chain.issue(&[item]).await.unwrap();
        assert_eq!(receipt.skipped().next(), None);
        package
    }

    /// Anchors leaf hashes in the side-chain of a package that has none yet and begins at `head`.
    async fn anchor(&self, package: PackageId, head: B256, leaves: &[LeafHash]) {
        let (mut log, mut last) = (Log::default(), head);
        let mut entries = Vec::new();
        for (leaf, number) in leaves.iter().zip(1..) {
            let (entry, hash) = self.entry(number, &mut log, last, *leaf);
            entries.push(entry);
            last = hash;
        }
        let segment = ReportSegment {
            package,
            expected_head: head,
            entries,
        };
        let receipt = self.chain.anchor_reports(&[segment]).await.unwrap();
        assert_eq!(receipt.skipped().next(), None);
    }

    fn entry(&self, version: u32, log: &mut Log, head: B256, leaf: LeafHash) -> ([u8; 80], B256) {
        log.push(leaf);
        let seconds = u32::try_from(now() / 1000).unwrap();
        let header = next_header(version, head, log, seconds, 0, CompactTarget(WORK_LIMIT)).mine();
        (Entry::of(&header, leaf).to_bytes(), header.hash().0)
    }
}

fn grown(leaves: &[LeafHash]) -> Log {
    let mut log = Log::default();
    leaves.iter().for_each(|leaf| log.push(*leaf));
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_copies_leaf_hashes_harms_no_block_but_its_own() {
    let mut cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let mut session = requestor.session(id);
    for action in [Action::Decrypt, Action::Read] {
        session.report(&cluster.node(0), action).await.unwrap();
    }
    let blocks = with_sides(&cluster.node(0), id, 2).await;
    let parent = blocks.parent.leaf;
    let sides = [blocks.sides[0].leaf, blocks.sides[1].leaf];
    // Two packages with the first one's parent block, so that three side-chains have one origin; and in one of these the
    // reports of the first, one of them twice, and the parent block, which is of the wrong kind there.
    let copier = Copier::of(&cluster);
    let second = copier.issue(&requestor, &[parent], parent).await;
    let third = copier.issue(&requestor, &[parent, parent], parent).await;
    let copies = [sides[1], sides[0], sides[0], parent];
    copier.anchor(second, parent.0, &copies).await;
    // The first goes on, on its own chain.
    session
        .report(&cluster.node(0), Action::Read)
        .await
        .unwrap();
    let blocks = with_sides(&cluster.node(0), id, 3).await;
    let thread = cluster
        .governance
        .thread_head(requestor.address())
        .await
        .unwrap();
    for index in [0, 1] {
        let node = cluster.node(index);
        assert_eq!(with_sides(&node, id, 3).await, blocks);
        let copied = with_sides(&node, second, 4).await;
        let http = Http::to(&cluster, index);
        for (height, package) in (0..).zip([id, second, third]) {
            let place = Place::Parent(package);
            let proof = proven(&http, parent, place).await;
            assert_eq!(proof.chain, ChainName::Thread(requestor.address()));
            assert_eq!((proof.index, proof.check(thread)), (height, Ok(())));
            let record = node.block(parent, Some(place)).await.unwrap();
            let header = *Block::from_bytes(&record).unwrap().header();
            assert_eq!(header.hash().0 == thread, height == 2);
        }
        let head = cluster.governance.package(second).await.unwrap().head;
        for (height, (leaf, stored)) in (0..).zip(copies.into_iter().zip(&copied.sides)) {
            let place = Place::Side(second, height);
            let proof = proven(&http, leaf, place).await;
            assert_eq!((proof.index, proof.check(head)), (height, Ok(())));
            let record = node.block(leaf, Some(place)).await.unwrap();
            assert_eq!(record, stored.record);
            assert_eq!(record[..4], *b"MDSS");
            assert_eq!(
                body_of(&record),
                body_of(&node.block(leaf, None).await.unwrap())
            );
        }
        assert!(proves_nothing(&http, parent, Place::Side(second, 0)).await);
    }
    // In the nodes' own checks the blocks are what was anchored. What comes last in them is told: at the one a request that
    // was changed here, at the other that it has no request for what its key has issued.
    let folder = cluster.custodians[0].folder.clone();
    cluster.kill_node(0).await;
    change(&folder, "UPDATE request SET received = received + 1").await;
    let told = alerts(&cluster.start_node(0).await, 1).await;
    assert_eq!((told[0].kind, told[0].package), (AlertKind::Request, id));
    cluster.kill_node(1).await;
    let told = alerts(&cluster.start_node(1).await, 4).await;
    for alert in told {
        assert!([second, third].contains(&alert.package), "{alert:?}");
        assert!(alert.detail.ends_with("is gone"), "{alert:?}");
    }
}

async fn change(folder: &Path, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(folder.join("node.db"));
    let mut store = options.connect().await.unwrap();
    sqlx::query(statement).execute(&mut store).await.unwrap();
    sqlx::Connection::close(store).await.unwrap();
}

/// The first alerts of a node, so many.
async fn alerts(node: &Node, count: usize) -> Vec<Alert> {
    let mut told = Vec::new();
    while told.len() < count {
        let after = told.last().map_or(0, |last: &Alert| last.id);
        let more = node.alerts(after, Duration::from_secs(20)).await.unwrap();
        assert!(!more.is_empty(), "only {told:?}");
        told.extend(more);
    }
    told
}

async fn proven(http: &Http, leaf: LeafHash, place: Place) -> InclusionProof {
    http.json(&proof_of(leaf, place)).await
}

async fn proves_nothing(http: &Http, leaf: LeafHash, place: Place) -> bool {
    let answer = http.get(&proof_of(leaf, place)).await;
    answer.status().as_u16() == 404
        && answer
            .text()
            .await
            .unwrap()
            .contains("does not have the leaf hash")
}

fn proof_of(leaf: LeafHash, place: Place) -> String {
    let height = place.height().map(|height| format!("&height={height}"));
    let (package, height) = (place.package(), height.unwrap_or_default());
    format!("/v1/blocks/{leaf}/proof?package={package}{height}")
}
