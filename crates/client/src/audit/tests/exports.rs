//! The ledger as one text (SPEC §3.2). A program that shares no code with this crate reads it too: `test/independent/`.

use std::io::{self, Write};

use serde_json::Value;

use super::world::World;
use crate::audit::{AuditError, BlockSource, Exported, export};

async fn exported(world: &World) -> (Exported, Vec<Value>) {
    let source = BlockSource::Directory(world.folder.path().to_owned());
    let mut text = Vec::new();
    let done = export(&world.governance, &source, &mut text, &|_| ())
        .await
        .unwrap();
    assert_eq!(text.last(), Some(&b'\n'));
    let lines = text.split(|byte| *byte == b'\n');
    let lines: Vec<Value> = lines
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    (done, lines)
}

fn of<'a>(lines: &'a [Value], what: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == what).collect()
}

#[tokio::test]
async fn an_export_has_every_block_in_order_and_the_contracts_heads() {
    let world = super::lively().await;
    let (done, lines) = exported(&world).await;
    let chain = &world.governance;
    assert_eq!((done.blocks, done.records_missing), (9, 0));
    assert_eq!(lines[0]["type"], "ledger");
    assert_eq!(lines[0]["version"], 1);
    assert_eq!(lines[0]["chain_id"], chain.chain_id());
    assert_eq!(
        lines[0]["contract"],
        format!("{:#x}", chain.contract()).as_str()
    );
    assert_eq!(lines[0]["evm_block"], done.evm_block);
    assert_eq!(lines.last().unwrap()["type"], "end");
    assert_eq!(lines.last().unwrap()["blocks"], 9);

    // What was told to an auditor, event by event, is what stands in the text.
    let (told, heads) = world.told().await;
    let records: Vec<String> = told
        .into_iter()
        .flat_map(|(_, records)| records)
        .map(|record| alloy_primitives::hex::encode_prefixed(record.unwrap()))
        .collect();
    let is_block = |line: &&Value| line["type"] == "parent" || line["type"] == "side";
    let written: Vec<&str> = lines
        .iter()
        .filter(is_block)
        .map(|line| line["record"].as_str().unwrap())
        .collect();
    assert_eq!(written, records);
    assert_eq!(
        (of(&lines, "parent").len(), of(&lines, "side").len()),
        (3, 6)
    );
    for line in lines.iter().filter(is_block) {
        assert_eq!(line["entry"].as_str().unwrap().len(), 2 + 160);
    }
    assert_eq!(of(&lines, "thread-head").len(), heads.threads.len());
    for line in of(&lines, "package-head") {
        let package = line["package"].as_str().unwrap().parse().unwrap();
        let held = heads.packages[&package].head;
        assert_eq!(line["head"], held.to_string().as_str());
    }
    assert_eq!(of(&lines, "package-head").len(), 3);
    assert_eq!(of(&lines, "work-limit").len(), 1);
    assert!(!of(&lines, "node").is_empty() && !of(&lines, "custodian").is_empty());
}

#[tokio::test]
async fn a_record_that_nobody_serves_is_null() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    std::fs::remove_file(world.file(world.leaf(package))).unwrap();
    let (done, lines) = exported(&world).await;
    assert_eq!((done.blocks, done.records_missing), (1, 1));
    assert_eq!(of(&lines, "parent")[0]["record"], Value::Null);
}

/// A disk that takes so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_said() {
    let mut world = World::new().await;
    world.issue(1).await;
    let source = BlockSource::Directory(world.folder.path().to_owned());
    for room in [0, 100, 1500] {
        let written = export(&world.governance, &source, &mut Full(room), &|_| ()).await;
        assert!(matches!(written, Err(AuditError::Write(_))), "{room} bytes");
    }
}
