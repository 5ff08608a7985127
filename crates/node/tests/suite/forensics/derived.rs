//! Every table that follows from the contract's events: whatever is done to it is found and undone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use sqlx::Column;

use super::*;

const TABLES: [&str; 8] = [
    "chain_entry",
    "log_node",
    "event",
    "violation",
    "receipt",
    "standing",
    "response_list",
    "registration",
];

type Rows = BTreeMap<&'static str, BTreeSet<Vec<String>>>;

/// All rows of the tables, as SQLite spells their values.
async fn rows(store: &mut SqliteConnection) -> Rows {
    let mut all = Rows::new();
    for table in TABLES {
        let columns = columns(store, table).await;
        let quoted = columns.iter().map(|(name, _)| format!("quote({name})"));
        let statement = format!(
            "SELECT {} FROM {table}",
            quoted.collect::<Vec<_>>().join(", ")
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut *store);
        let rows = rows.await.unwrap();
        let texts = rows.iter().map(|row| {
            let places = row.columns().iter().map(Column::ordinal);
            places.map(|place| row.get(place)).collect()
        });
        all.insert(table, texts.collect());
    }
    all
}

/// Names and types.
pub(super) async fn columns(store: &mut SqliteConnection, table: &str) -> Vec<(String, String)> {
    let rows = sqlx::query("SELECT name, type FROM pragma_table_info(?)").bind(table);
    let rows = rows.fetch_all(store).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// All rows as they are once the node has told that it put back what the events make in these tables.
async fn mended(scene: &mut Scene, node: usize, tables: &[&str]) -> Rows {
    let mut alerts = scene.started(node).await;
    for table in tables {
        let kind = match *table {
            "chain_entry" => AlertKind::Entry,
            "log_node" => AlertKind::Log,
            _ => AlertKind::Event,
        };
        let is_it = |alert: &Alert| {
            alert.kind == kind
                && alert.detail.contains(&format!("`{table}`"))
                && alert.repaired.as_deref() == Some("the contract's events")
        };
        let found = scene.told(node, alerts, is_it).await;
        // The tables are told of in this order.
        alerts = vec![found];
    }
    scene.cluster.kill_node(node).await;
    rows(&mut scene.store(node).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_every_row_that_follows_from_events_is_held_to_them() {
    let mut scene = Scene::with_everything().await;
    scene.cluster.kill_node(0).await;
    let mut store = scene.store(0).await;
    let sound = rows(&mut store).await;
    for table in TABLES {
        assert!(!sound[table].is_empty(), "{table} has no row to be changed");
        for (column, of) in columns(&mut store, table).await {
            // Another value of the same type in one row: STRICT tables take no other.
            let other = match of.as_str() {
                "BLOB" => format!("zeroblob(length({column}))"),
                "TEXT" => format!("{column} || ' '"),
                _ => format!("{column} + 1000000"),
            };
            let one = first_row(&mut store, table, &column).await;
            let statement = format!("UPDATE {table} SET {column} = {other} WHERE {one}");
            scene.change(0, &statement).await;
            assert_eq!(mended(&mut scene, 0, &[table]).await, sound, "{statement}");
        }
    }
}

/// A condition that one row with a value in this column meets.
pub(super) async fn first_row(store: &mut SqliteConnection, table: &str, column: &str) -> String {
    let key = "SELECT group_concat(name, ', ') FROM pragma_table_info(?) WHERE pk > 0";
    let key: String = sqlx::query_scalar(key)
        .bind(table)
        .fetch_one(&mut *store)
        .await
        .unwrap();
    let some = format!("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL");
    let some: i64 = sqlx::query_scalar(AssertSqlSafe(some))
        .fetch_one(store)
        .await
        .unwrap();
    assert!(some > 0, "{table}.{column} is empty everywhere");
    format!(
        "({key}) = (SELECT {key} FROM {table} WHERE {column} IS NOT NULL ORDER BY {key} LIMIT 1)"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_were_emptied_and_rows_that_were_made_up_are_found() {
    let mut scene = Scene::with_everything().await;
    scene.cluster.kill_node(1).await;
    let sound = rows(&mut scene.store(1).await).await;
    for table in TABLES {
        scene.change(1, &format!("DELETE FROM {table}")).await;
    }
    assert_eq!(mended(&mut scene, 1, &TABLES).await, sound);
    // A chain that nobody ever anchored.
    let origin = Scene::hex(&[7; 32]);
    let statement = format!(
        "INSERT INTO chain_entry SELECT {origin}, position, side, package, leaf, header, hash, node,
           transaction_hash, evm_block FROM chain_entry WHERE side = 0"
    );
    scene.change(1, &statement).await;
    assert_eq!(mended(&mut scene, 1, &["chain_entry"]).await, sound);
    // How far the events were followed: nowhere, not readable, to another block, and not so far.
    let mut store = scene.store(1).await;
    let reached = position(&mut store).await;
    for statement in [
        "DELETE FROM position",
        "UPDATE position SET hash = x'00'",
        "UPDATE position SET hash = zeroblob(32)",
        "UPDATE position SET (block, hash) = (SELECT evm_block, block_hash FROM event ORDER BY evm_block LIMIT 1)",
    ] {
        scene.change(1, statement).await;
        scene.cluster.start_node(1).await;
        let begun = Instant::now();
        while position(&mut store).await != reached {
            assert!(begun.elapsed() < PATIENCE, "{statement}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(rows(&mut store).await, sound, "{statement}");
        scene.cluster.kill_node(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_built_into_the_file_is_what_the_node_builds() {
    let mut scene = Scene::set().await;
    for (statement, told) in [
        (
            "CREATE TRIGGER quiet BEFORE INSERT ON report BEGIN SELECT RAISE(IGNORE); END",
            "the trigger `quiet` is not the node's",
        ),
        (
            "CREATE VIEW reports AS SELECT * FROM report",
            "the view `reports` is not the node's",
        ),
        (
            "DROP INDEX package_by_leaf",
            "the index `package_by_leaf` is gone",
        ),
        (
            "CREATE INDEX package_by_leaf ON package (body)",
            "the index `package_by_leaf` is not as the node made it",
        ),
    ] {
        scene.cluster.kill_node(0).await;
        let mut store = scene.store(0).await;
        sqlx::raw_sql(statement).execute(&mut store).await.unwrap();
        sqlx::Connection::close(store).await.unwrap();
        let alerts = scene.started(0).await;
        let is_it = |alert: &Alert| alert.detail == told;
        let alert = scene.told(0, alerts, is_it).await;
        assert_eq!((alert.kind, alert.repaired), (AlertKind::Schema, None));
    }
}

async fn position(store: &mut SqliteConnection) -> Option<(i64, Vec<u8>)> {
    sqlx::query_as("SELECT block, hash FROM position")
        .fetch_optional(store)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_changed_on_the_disk_are_found_wherever_they_stand() {
    let mut scene = Scene::set().await;
    scene.cluster.kill_node(1).await;
    let (path, sound) = scene.file(1).await;
    let leaf = scene.blocks.sides[1].leaf;
    let places = sound
        .windows(32)
        .enumerate()
        .filter(|(_, bytes)| *bytes == leaf.as_slice());
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    assert_eq!(places.len(), 4, "row, two indices and body: {places:?}");
    for place in places {
        let mut bytes = sound.clone();
        bytes[place + 31] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let alerts = scene.started(1).await;
        assert!(!alerts.is_empty(), "byte {place}");
        assert!(
            alerts.iter().all(|alert| alert.repaired.is_some()),
            "byte {place}: {alerts:?}"
        );
        let blocks = with_sides(&scene.cluster.node(1), scene.id, 3).await;
        assert_eq!(blocks, scene.blocks, "byte {place}");
        scene.cluster.kill_node(1).await;
    }
}

/// An endpoint that answers like anvil, and knows no events before this block.
async fn forgetful(rpc_url: String, before: u64) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = async move |Json(question): Json<Value>| {
        let is_logs = question["method"] == "eth_getLogs";
        let answer = client.post(&rpc_url).json(&question).send().await.unwrap();
        let mut answer: Value = answer.json().await.unwrap();
        if is_logs && let Some(logs) = answer["result"].as_array_mut() {
            logs.retain(|log| number(&log["blockNumber"]) >= before);
        }
        Json(answer)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(answer));
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

fn number(hex: &Value) -> u64 {
    u64::from_str_radix(hex.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_has_forgotten_events_empties_no_store() {
    let mut scene = Scene::with_everything().await;
    let anvil = scene.cluster.anvil.rpc_url.clone();
    let first = "SELECT min(evm_block) FROM chain_entry";
    let first: i64 = sqlx::query_scalar(first)
        .fetch_one(&mut scene.store(1).await)
        .await
        .unwrap();
    // All of them; and those before the first package, of which no chain tells.
    for before in [u64::MAX, first.unsigned_abs()] {
        scene.cluster.kill_node(1).await;
        let sound = rows(&mut scene.store(1).await).await;
        scene.cluster.custodians[1].rpc.url = forgetful(anvil.clone(), before).await;
        let alerts = scene.started(1).await;
        let says = |alert: &Alert| alert.detail.contains("has not told all events");
        let found = scene.told(1, alerts, says).await;
        assert_eq!(found.repaired, None);
        assert_eq!(rows(&mut scene.store(1).await).await, sound);
    }
}
