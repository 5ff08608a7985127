//! The tables that only this node has: whatever is done to what was signed or anchored is told.

use medshare_protocol::certificate::certification;
use medshare_protocol::id::PayloadHash;
use medshare_protocol::usage::{Action, Actions, State};
use medshare_protocol::wire::ValidationAnswer;

use super::derived::{columns, first_row};
use super::*;

/// Tables, and columns that nobody has signed or anchored. See `forensics` in the node.
const OWN: [(&str, &[&str]); 7] = [
    ("request", &["reason"]),
    ("step", &[]),
    ("package", &[]),
    ("report", &["settlement"]), // has a test of its own
    ("session", &["lease_until", "renewed", "ended"]),
    ("tampering", &["time", "settlement"]),
    ("deletion", &[]),
];

impl Scene {
    /// With a report that contradicts another one.
    async fn with_tampering() -> Self {
        let scene = Self::set().await;
        let node = scene.cluster.node(0);
        let id = scene.requestor.obtain(&scene.cluster).await;
        let mut session = scene.requestor.session(id);
        session.report(&node, Action::Decrypt).await.unwrap();
        let fork = session.next(Actions::NONE.with(Action::Write), "another story");
        session.report(&node, Action::Read).await.unwrap();
        node.report(id, fork).await.unwrap_err();
        with_sides(&node, id, 2).await;
        let word = scene.requestor.deletion(id);
        node.deletion(id, word).await.unwrap();
        scene
    }
}

impl Scene {
    async fn until_revoked(&self, id: PackageId) {
        let revoked = async {
            while self.cluster.governance.package(id).await.unwrap().state != State::Revoked {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, revoked).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_that_was_signed_or_anchored_is_held_to_it() {
    let mut scene = Scene::with_tampering().await;
    scene.cluster.kill_node(0).await;
    let (path, sound) = scene.file(0).await;
    let node = scene.cluster.start_node(0).await;
    let nothing = node.alerts(0, Duration::from_millis(500)).await.unwrap();
    assert_eq!(nothing, [], "a sound store alerts nobody");
    scene.cluster.kill_node(0).await;
    for (table, unseen) in OWN {
        let mut store = scene.store(0).await;
        let all = columns(&mut store, table).await;
        for name in unseen {
            assert!(
                all.iter().any(|(column, _)| column == name),
                "{table}.{name}"
            );
        }
        for (column, of) in all
            .iter()
            .filter(|(name, _)| !unseen.contains(&name.as_str()))
        {
            let other = match of.as_str() {
                "BLOB" => format!(
                    "CAST(iif(substr({column}, 1, 1) = x'ff', x'00', x'ff') || substr({column}, 2) AS BLOB)"
                ),
                "TEXT" => format!("replace({column}, '0', '1')"),
                _ => format!("{column} + 1000000"),
            };
            let one = first_row(&mut store, table, column).await;
            let statement = format!(
                "PRAGMA foreign_keys = OFF; UPDATE {table} SET {column} = {other} WHERE {one} AND {column} IS NOT {other}"
            );
            std::fs::write(&path, &sound).unwrap();
            scene.change(0, &statement).await;
            let alerts = scene.started(0).await;
            assert!(!alerts.is_empty(), "{statement}");
            scene.cluster.kill_node(0).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_is_not_forgotten_whatever_is_said_to_have_become_of_it() {
    let mut scene = Scene::set().await;
    for said in ["'settled'", "'the package is retrieved'", "NULL"] {
        let id = scene.requestor.obtain(&scene.cluster).await;
        let mut session = scene.requestor.session(id);
        let node = scene.cluster.node(0);
        session.report(&node, Action::Decrypt).await.unwrap();
        with_sides(&node, id, 1).await;
        // The chain takes nothing meanwhile: the violation waits.
        scene.cluster.rpc("evm_setAutomine", json!([false])).await;
        let violation = tokio::spawn({
            let node = node.clone();
            async move { session.report(&node, Action::Copy).await }
        });
        let id_hex = Scene::hex(id.as_slice());
        scene
            .recorded(
                0,
                &format!("SELECT 1 FROM report WHERE package = {id_hex} AND violated <> 0"),
            )
            .await;
        scene.cluster.kill_node(0).await;
        violation.abort();
        scene
            .cluster
            .rpc("anvil_dropAllTransactions", json!([]))
            .await;
        scene.cluster.rpc("evm_setAutomine", json!([true])).await;
        let statement = format!(
            "UPDATE report SET settlement = {said} WHERE package = {id_hex} AND violated <> 0"
        );
        scene.change(0, &statement).await;
        // Also when another row of the package is not what it was.
        let beside = format!(
            "UPDATE report SET receipt_signature = x'00' WHERE package = {id_hex} AND number = 1"
        );
        scene.change(0, &beside).await;
        let alerts = scene.started(0).await;
        let is_it =
            |alert: &Alert| alert.package == id && alert.detail.contains("has not settled it");
        let found = scene.told(0, alerts, is_it).await;
        assert_eq!(
            found.repaired.as_deref(),
            Some("it is brought to the contract again"),
            "{said}"
        );
        scene.until_revoked(id).await;
    }
}

/// Each with its signature: nothing in a row contradicts itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_of_its_report() {
    let mut scene = Scene::set().await;
    let id = Scene::hex(scene.id.as_slice());
    let statement = format!(
        "UPDATE report SET (receipt, receipt_signature) =
             (SELECT receipt, receipt_signature FROM report o WHERE o.package = {id} AND o.number = 2)
         WHERE package = {id} AND number = 1"
    );
    let alerts = scene.changed(0, &statement).await;
    let is_it = |alert: &Alert| alert.detail == "report 1: its receipt is of another report";
    let alert = scene.told(0, alerts, is_it).await;
    assert_eq!((alert.kind, alert.package), (AlertKind::Report, scene.id));
}

/// Read as the same, and still changed by somebody.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_has_the_spelling_that_it_was_written_in() {
    let mut scene = Scene::set().await;
    let id = Scene::hex(scene.id.as_slice());
    for (table, column) in [("request", "signed"), ("package", "usage")] {
        let statement = format!("UPDATE {table} SET {column} = {column} || ' ' WHERE id = {id}");
        let alerts = scene.changed(0, &statement).await;
        let is_it = |alert: &Alert| alert.detail.contains("not spelt as it was written");
        let alert = scene.told(0, alerts, is_it).await;
        assert_eq!(
            (alert.kind, alert.package),
            (AlertKind::Unreadable, scene.id)
        );
    }
}

/// The second node signs two for one payload: the form names which was meant.
#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_the_one_that_the_form_names() {
    let mut scene = Scene::set().await;
    let id = Scene::hex(scene.id.as_slice());
    scene.cluster.kill_node(0).await;
    let mut store = scene.store(0).await;
    let query = format!("SELECT validation FROM package WHERE id = {id}");
    let row = sqlx::query(AssertSqlSafe(query)).fetch_one(&mut store);
    let text: String = row.await.unwrap().get(0);
    let mut answer: ValidationAnswer = serde_json::from_str(&text).unwrap();
    answer.certificate.text.push(' ');
    let said = &answer.validation;
    let content = answer.certificate.content();
    let message = certification(scene.id, PayloadHash(said.payloadHash), content);
    let (domain, second) = (&scene.requestor.domain, &scene.cluster.custodians[1].key);
    answer.certificate.signature = domain.sign(&message, second).unwrap().to_vec().into();
    let other = serde_json::to_string(&answer).unwrap().replace('\'', "''");
    let statement = format!("UPDATE package SET validation = '{other}' WHERE id = {id}");
    sqlx::Connection::close(store).await.unwrap();
    scene.change(0, &statement).await;
    let alerts = scene.started(0).await;
    let is_it = |alert: &Alert| alert.detail.contains("not the one that stands in the form");
    let alert = scene.told(0, alerts, is_it).await;
    assert_eq!((alert.kind, alert.package), (AlertKind::Package, scene.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_custodian_grants_again_stays_granted() {
    let mut scene = Scene::set().await;
    let node = scene.cluster.node(0);
    let id = scene.requestor.obtain(&scene.cluster).await;
    let mut session = scene.requestor.session(id);
    // The second violation comes when access is gone: the contract has nothing to settle, and that is the end of it.
    for action in [Action::Decrypt, Action::Copy, Action::Copy] {
        session.report(&node, action).await.unwrap();
    }
    with_sides(&node, id, 3).await;
    let custodian = &scene.cluster.custodians[0].wallet;
    custodian.regrant(id).await.unwrap();
    scene.cluster.kill_node(0).await;
    // What is told of the package comes when its violations have been looked at.
    let id_hex = Scene::hex(id.as_slice());
    let beside = format!(
        "UPDATE report SET receipt_signature = x'00' WHERE package = {id_hex} AND number = 1"
    );
    scene.change(0, &beside).await;
    let alerts = scene.started(0).await;
    let [alert] = &alerts[..] else {
        panic!("{alerts:?}")
    };
    assert!(alert.detail.contains("receipt"), "{alert:?}");
    let state = scene.cluster.governance.package(id).await.unwrap().state;
    assert!(state.is_usable(), "{state:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_damaged_row_is_not_in_the_way_of_other_packages() {
    let mut scene = Scene::set().await;
    let mut opened = Vec::new();
    for _ in 0..2 {
        let id = scene.requestor.obtain(&scene.cluster).await;
        let mut session = scene.requestor.session(id);
        let node = scene.cluster.node(0);
        session.report(&node, Action::Decrypt).await.unwrap();
        with_sides(&node, id, 1).await;
        opened.push((id, session));
    }
    opened.sort_by_key(|(id, _)| *id);
    let (second, mut session) = opened.pop().unwrap();
    let first = Scene::hex(opened[0].0.as_slice());
    let waits = Scene::hex(scene.id.as_slice());
    scene.cluster.kill_node(0).await;
    for statement in [
        // A violation that waits, and whose session cannot be read.
        format!("UPDATE report SET settlement = 'pending' WHERE package = {first}"),
        format!("UPDATE session SET session = 'x' WHERE package = {first}"),
        // A package that waits to be issued, and cannot be read.
        format!("UPDATE request SET stage = 5 WHERE id = {waits}"),
        format!("UPDATE package SET usage = 'x' WHERE id = {waits}"),
        // And one that is not complete.
        format!("UPDATE request SET stage = 5 WHERE id = {first}"),
        format!("UPDATE package SET validation = NULL WHERE id = {first}"),
    ] {
        scene.change(0, &statement).await;
    }
    let node = scene.cluster.start_node(0).await;
    session.report(&node, Action::Copy).await.unwrap();
    scene.until_revoked(second).await;
    scene.requestor.obtain(&scene.cluster).await;
}
