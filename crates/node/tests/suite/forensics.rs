//! The node's own check of its store (P23): what somebody changed on the disk is found, told and, where somebody else can
//! vouch for it, put back to the byte.

mod derived;
mod own;

use std::path::PathBuf;
use std::time::Duration;

use medshare_protocol::block::body_of;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::Action;
use medshare_protocol::wire::{Alert, AlertKind, PackageBlocks};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

use crate::blocks::with_sides;
use crate::cluster::Cluster;
use crate::edges_http::Http;
use crate::requestor::Requestor;

const PATIENCE: Duration = Duration::from_secs(20);

/// A package with three side-blocks, which both nodes have.
struct Scene {
    cluster: Cluster,
    requestor: Requestor,
    id: PackageId,
    blocks: PackageBlocks,
}

impl Scene {
    async fn set() -> Self {
        let cluster = Cluster::start().await;
        let requestor = Requestor::registered(&cluster).await;
        requestor.obtain(&cluster).await;
        let id = requestor.obtain(&cluster).await;
        let mut session = requestor.session(id);
        for action in [Action::Decrypt, Action::Read, Action::Read] {
            session.report(&cluster.node(0), action).await.unwrap();
        }
        let blocks = with_sides(&cluster.node(0), id, 3).await;
        assert_eq!(with_sides(&cluster.node(1), id, 3).await, blocks);
        Self {
            cluster,
            requestor,
            id,
            blocks,
        }
    }

    /// With a violation, after which the package was revoked, and another package that the custodian took back.
    async fn with_everything() -> Self {
        let scene = Self::set().await;
        let wallet = &scene.cluster.custodians[0].wallet;
        let node = scene.cluster.node(0);
        let word = scene.requestor.deletion(scene.id);
        node.deletion(scene.id, word.clone()).await.unwrap();
        let time = word.deletion.time;
        wallet
            .retrieve(scene.id, time, &word.signature)
            .await
            .unwrap();
        let id = scene.requestor.obtain(&scene.cluster).await;
        let mut session = scene.requestor.session(id);
        for action in [Action::Decrypt, Action::Copy] {
            session.report(&node, action).await.unwrap();
        }
        let blocks = with_sides(&node, id, 2).await;
        assert_eq!(with_sides(&scene.cluster.node(1), id, 2).await, blocks);
        Self {
            id,
            blocks,
            ..scene
        }
    }

    /// The store of a node that does not run.
    async fn store(&self, node: usize) -> SqliteConnection {
        let file = self.cluster.custodians[node].folder.join("node.db");
        SqliteConnectOptions::new()
            .filename(file)
            .connect()
            .await
            .unwrap()
    }

    /// Stops a node, changes its store, starts it again, and waits for its alerts.
    async fn changed(&mut self, node: usize, statement: &str) -> Vec<Alert> {
        self.cluster.kill_node(node).await;
        self.change(node, statement).await;
        self.started(node).await
    }

    async fn change(&self, node: usize, statement: &str) {
        let mut store = self.store(node).await;
        let done = sqlx::query(AssertSqlSafe(statement))
            .execute(&mut store)
            .await
            .unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
        sqlx::Connection::close(store).await.unwrap();
    }

    /// The file of a store that no node has open, and its bytes.
    async fn file(&self, node: usize) -> (PathBuf, Vec<u8>) {
        // Whoever closes it last brings all into this one file.
        let store = self.store(node).await;
        sqlx::Connection::close(store).await.unwrap();
        let path = self.cluster.custodians[node].folder.join("node.db");
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    }

    /// Waits until a running node has recorded something.
    async fn recorded(&self, node: usize, statement: &str) {
        let mut store = self.store(node).await;
        let recorded = async {
            loop {
                let row = sqlx::query(AssertSqlSafe(statement.to_owned()));
                if row.fetch_optional(&mut store).await.unwrap().is_some() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, recorded).await.unwrap();
    }

    async fn started(&mut self, node: usize) -> Vec<Alert> {
        let known = self.known(node).await;
        let node = self.cluster.start_node(node).await;
        node.alerts(known, PATIENCE).await.unwrap()
    }

    /// The alert that is meant: among these, or among those that follow.
    async fn told(
        &self,
        node: usize,
        mut alerts: Vec<Alert>,
        is_it: impl Fn(&Alert) -> bool,
    ) -> Alert {
        loop {
            let last = alerts.last().expect("one is told within our patience").id;
            if let Some(found) = alerts.into_iter().find(&is_it) {
                return found;
            }
            alerts = self
                .cluster
                .node(node)
                .alerts(last, PATIENCE)
                .await
                .unwrap();
        }
    }

    /// Number of the last alert so far.
    async fn known(&self, node: usize) -> u64 {
        let mut store = self.store(node).await;
        let row = sqlx::query("SELECT coalesce(max(id), 0) AS last FROM alert");
        let row = row.fetch_one(&mut store).await.unwrap();
        row.get::<i64, _>("last").unsigned_abs()
    }

    fn hex(bytes: &[u8]) -> String {
        format!("x'{}'", alloy_primitives::hex::encode(bytes))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_record_is_found_at_the_start_and_put_back_from_a_peer() {
    let mut scene = Scene::set().await;
    let (leaf, record) = (
        scene.blocks.sides[1].leaf,
        scene.blocks.sides[1].record.clone(),
    );
    let body = body_of(&record).unwrap();
    for at in [0, 5, 80, body.len() - 1] {
        let mut other = body.to_vec();
        other[at] ^= 1;
        let (other, leaf_hex) = (Scene::hex(&other), Scene::hex(leaf.as_slice()));
        // At the other custodian's node, which has not made it.
        let statement = format!("UPDATE block SET body = {other} WHERE leaf = {leaf_hex}");
        let alerts = scene.changed(1, &statement).await;
        let [alert] = &alerts[..] else {
            panic!("byte {at}: {alerts:?}")
        };
        assert_eq!(
            (alert.kind, alert.height),
            (AlertKind::Record, Some(1)),
            "byte {at}"
        );
        assert_eq!(alert.chain, Some(ChainName::Side(scene.id)));
        assert_eq!(alert.repaired.as_deref(), Some("a peer"), "byte {at}");
        assert_eq!(
            scene.cluster.node(1).block(leaf, None).await.unwrap(),
            record.to_vec()
        );
    }
    // One's own block is made again from its body, also when no peer is there.
    scene.cluster.kill_node(1).await;
    let parent = scene.blocks.parent.leaf;
    let statement = format!(
        "UPDATE block SET body = x'4d445350' WHERE leaf = {}",
        Scene::hex(parent.as_slice())
    );
    let alerts = scene.changed(0, &statement).await;
    assert_eq!(alerts[0].kind, AlertKind::Record);
    assert!(
        alerts[0]
            .repaired
            .as_ref()
            .unwrap()
            .contains("this node had made"),
        "{alerts:?}"
    );
    let mended = scene.cluster.node(0).block(parent, None).await.unwrap();
    assert_eq!(mended, scene.blocks.parent.record.to_vec());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_or_in_another_order_is_put_back() {
    let mut scene = Scene::set().await;
    let chain = Scene::hex(scene.id.as_slice()); // the side-chain
    let leaf = Scene::hex(scene.blocks.sides[0].leaf.as_slice());
    let alerts = scene
        .changed(0, &format!("DELETE FROM block WHERE leaf = {leaf}"))
        .await;
    assert_eq!(alerts[0].kind, AlertKind::Missing, "{alerts:?}");
    assert!(alerts[0].repaired.is_some());
    for (change, kind) in [
        (
            "UPDATE chain_entry SET header = CAST(substr(header, 1, 79) || x'ff' AS BLOB) WHERE position = 2 AND",
            AlertKind::Entry,
        ),
        (
            "UPDATE chain_entry SET header = CAST(x'ff' || substr(header, 2) AS BLOB) WHERE position = 0 AND",
            AlertKind::Entry,
        ),
        (
            "UPDATE chain_entry SET leaf = zeroblob(32) WHERE position = 1 AND",
            AlertKind::Entry,
        ),
        (
            "UPDATE chain_entry SET hash = zeroblob(32) WHERE position = 1 AND",
            AlertKind::Entry,
        ),
        (
            "DELETE FROM chain_entry WHERE position = 1 AND",
            AlertKind::Entry,
        ),
        (
            "DELETE FROM chain_entry WHERE position = 2 AND",
            AlertKind::Entry,
        ),
        (
            "UPDATE chain_entry SET position = position + 7 WHERE position = 2 AND",
            AlertKind::Entry,
        ),
        (
            "UPDATE log_node SET hash = zeroblob(32) WHERE",
            AlertKind::Log,
        ),
        ("DELETE FROM log_node WHERE", AlertKind::Log),
    ] {
        let statement = &format!("{change} chain = {chain}");
        let alerts = scene.changed(1, statement).await;
        assert_eq!(alerts[0].kind, kind, "{statement}: {alerts:?}");
        assert_eq!(
            alerts[0].repaired.as_deref(),
            Some("the contract's events"),
            "{statement}"
        );
        assert_eq!(
            with_sides(&scene.cluster.node(1), scene.id, 3).await,
            scene.blocks,
            "{statement}"
        );
        let proof = scene
            .cluster
            .node(1)
            .inclusion(scene.blocks.sides[0].leaf, None, Default::default())
            .await;
        let head = scene
            .cluster
            .governance
            .package(scene.id)
            .await
            .unwrap()
            .head;
        assert_eq!(proof.unwrap().check(head), Ok(()), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_this_node_has_is_told_when_it_was_changed() {
    let mut scene = Scene::set().await;
    let id = Scene::hex(scene.id.0.as_slice());
    scene.cluster.kill_node(0).await;
    let (path, sound) = scene.file(0).await;
    for (statement, kind, says) in [
        (
            format!(
                "UPDATE step SET step = CAST(substr(step, 1, length(step) - 1) || x'7a' AS BLOB) WHERE request = {id} AND position = 1"
            ),
            AlertKind::Form,
            "the form",
        ),
        (
            format!("UPDATE report SET body = x'00' WHERE package = {id} AND number = 2"),
            AlertKind::Report,
            "report 2: its sealed body",
        ),
        (
            format!(
                "UPDATE report SET receipt_signature = x'00' WHERE package = {id} AND number = 1"
            ),
            AlertKind::Report,
            "receipt",
        ),
        (
            format!(
                "UPDATE report SET report = replace(report, '\"number\":3', '\"number\":4') WHERE package = {id} AND number = 3"
            ),
            AlertKind::Report,
            "report 3",
        ),
        (
            format!("UPDATE report SET leaf = zeroblob(32) WHERE package = {id} AND number = 2"),
            AlertKind::Report,
            "report 2: the body of its side-block",
        ),
        (
            format!("UPDATE report SET violated = 1 WHERE package = {id} AND number = 2"),
            AlertKind::Report,
            "report 2: its digest, or what it violated",
        ),
        (
            format!(
                "UPDATE session SET signature = CAST(x'00' || substr(signature, 2) AS BLOB) WHERE package = {id}"
            ),
            AlertKind::Report,
            "report 1: its session",
        ),
        (
            format!("UPDATE report SET number = 4294967295 WHERE package = {id} AND number = 3"),
            AlertKind::Report,
            "report 3 is missing",
        ),
        (
            format!("DELETE FROM report WHERE package = {id} AND number = 3"),
            AlertKind::Report,
            "the report behind side-block 2 is gone",
        ),
        (
            format!("DELETE FROM report WHERE package = {id} AND number = 1"),
            AlertKind::Report,
            "report 1 is missing",
        ),
        (
            format!("UPDATE request SET dataset = zeroblob(32) WHERE id = {id}"),
            AlertKind::Unreadable,
            "its columns are not what was signed",
        ),
        (
            format!(
                "UPDATE request SET dataset = (SELECT max(dataset) FROM request), signed = replace(signed, '\"deadline\":1', '\"deadline\":2') WHERE id = {id}"
            ),
            AlertKind::Request,
            "is not the one that the package's id names",
        ),
        (
            format!(
                "UPDATE package SET usage = replace(usage, '\"expiry\":', '\"expiry\":1') WHERE id = {id}"
            ),
            AlertKind::Package,
            "the usage contract",
        ),
        (
            format!(
                "UPDATE package SET body = CAST(substr(body, 1, length(body) - 1) || x'7a' AS BLOB) WHERE id = {id}"
            ),
            AlertKind::Body,
            "parent block",
        ),
    ] {
        let is_it = |alert: &Alert| alert.kind == kind && alert.detail.contains(says);
        std::fs::write(&path, &sound).unwrap();
        scene.change(0, &statement).await;
        let alerts = scene.started(0).await;
        let found = scene.told(0, alerts, is_it).await;
        // What was altered is not anchored as if it had been forgotten.
        let all = scene
            .cluster
            .node(0)
            .alerts(0, Duration::ZERO)
            .await
            .unwrap();
        let mut details = all.iter().map(|alert| &alert.detail);
        assert!(!details.any(|detail| detail.contains("waiting")), "{all:?}");
        scene.cluster.kill_node(0).await;
        assert_eq!(
            (found.package, found.repaired),
            (scene.id, None),
            "{statement}"
        );
    }
    let scene = Scene::set().await;
    let container = scene.cluster.custodians[0]
        .folder
        .join(format!("packages/{}.mds", scene.id));
    let mut bytes = std::fs::read(&container).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&container, bytes).unwrap();
    let mut scene = scene;
    scene.cluster.kill_node(0).await;
    let alerts = scene.started(0).await;
    assert_eq!(alerts[0].kind, AlertKind::Container, "{alerts:?}");
    std::fs::remove_file(&container).unwrap();
    scene.cluster.kill_node(0).await;
    let alerts = scene.started(0).await;
    assert!(alerts[0].detail.contains("cannot be read"), "{alerts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anchored_is_not_anchored_again() {
    let mut scene = Scene::set().await;
    scene.cluster.kill_node(0).await;
    scene
        .change(
            0,
            "INSERT INTO unanchored SELECT package, number FROM report",
        )
        .await;
    let node = scene.cluster.start_node(0).await;
    // A later report goes on chain, and nothing before it.
    let id = scene.requestor.obtain(&scene.cluster).await;
    let mut session = scene.requestor.session(id);
    session.report(&node, Action::Decrypt).await.unwrap();
    with_sides(&node, id, 1).await;
    assert_eq!(node.package_blocks(scene.id).await.unwrap(), scene.blocks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_not_anchored_is_not_forgotten() {
    let mut scene = Scene::set().await;
    let id = scene.requestor.obtain(&scene.cluster).await;
    let mut session = scene.requestor.session(id);
    // The chain takes nothing meanwhile: the report waits.
    scene.cluster.rpc("evm_setAutomine", json!([false])).await;
    session
        .report(&scene.cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    scene.cluster.kill_node(0).await;
    scene
        .cluster
        .rpc("anvil_dropAllTransactions", json!([]))
        .await;
    scene.cluster.rpc("evm_setAutomine", json!([true])).await;
    scene.change(0, "DELETE FROM unanchored").await;
    let alerts = scene.started(0).await;
    let says = |alert: &Alert| alert.detail.contains("waiting to be anchored");
    let found = scene.told(0, alerts, says).await;
    assert_eq!((found.kind, found.package), (AlertKind::Report, id));
    with_sides(&scene.cluster.node(0), id, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_finds_it_in_the_background_and_tells_whoever_listens() {
    let mut scene = Scene::set().await;
    scene.cluster.kill_node(1).await;
    scene.cluster.custodians[1].limits.store_check_seconds = 1;
    let node = scene.cluster.start_node(1).await;
    let nothing = node.alerts(0, Duration::from_millis(300)).await.unwrap();
    assert_eq!(nothing, [], "a sound store alerts nobody");
    let http = Http::to(&scene.cluster, 1);
    let mut store = scene.store(1).await;
    let listening = tokio::spawn(async move {
        let alerts: Vec<Alert> = http.json("/v1/alerts?wait_seconds=20").await;
        (alerts, http)
    });
    let leaf = scene.blocks.sides[2].leaf;
    let statement = format!(
        "UPDATE block SET body = zeroblob(246) WHERE leaf = {}",
        Scene::hex(leaf.as_slice())
    );
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut store)
        .await
        .unwrap();
    let (alerts, http) = listening.await.unwrap();
    assert_eq!(
        (alerts[0].kind, alerts[0].height),
        (AlertKind::Record, Some(2))
    );
    assert_eq!(alerts[0].repaired.as_deref(), Some("a peer"));
    assert_eq!(
        node.block(leaf, None).await.unwrap(),
        scene.blocks.sides[2].record.to_vec()
    );
    let figures = http.get("/metrics").await.text().await.unwrap();
    assert!(
        figures.contains("medshare_store_repairs_total{kind=\"record\"}"),
        "{figures}"
    );
    let refused = http.get("/v1/alerts?wait_seconds=31").await;
    assert_eq!(refused.status().as_u16(), 400);
    // And it goes on as before.
    let next = scene.requestor.obtain(&scene.cluster).await;
    with_sides(&node, next, 0).await;
    assert_eq!(node.alerts(alerts[0].id, Duration::ZERO).await.unwrap(), []);
}
