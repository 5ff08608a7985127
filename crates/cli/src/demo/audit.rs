//! Somebody with an RPC address and a node checks all of it; and finds one changed byte.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use medshare_client::audit::{AuditReport, BlockSource, audit_with};
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::StoredBlock;

use super::{Stage, Story};
use crate::output;

/// The audit runs clean, and then does not.
pub async fn audit(story: &mut Story, stage: &Stage, package: PackageId) -> Result<()> {
    let title = "an audit from genesis to head finds nothing wrong";
    story.step(title, "P8 P22 P26", clean(stage)).await?;
    let title = "one byte of one block is changed in a copy: the audit names it";
    story.step(title, "P23", tampered(stage, package)).await
}

async fn clean(stage: &Stage) -> Result<((), String)> {
    let report = check(stage, &BlockSource::Node(stage.alice.node.clone())).await?;
    ensure!(report.findings.is_empty(), "{}", findings(&report));
    ensure!(
        report.parent_blocks == 1,
        "{} parent blocks",
        report.parent_blocks
    );
    ensure!(
        report.side_blocks >= 5,
        "{} side-blocks",
        report.side_blocks
    );
    let seen = format!(
        "{}: {}, {}",
        output::counted(report.chains, "chain"),
        output::counted(report.parent_blocks, "parent block"),
        output::counted(report.side_blocks, "side-block")
    );
    Ok(((), seen))
}

async fn tampered(stage: &Stage, package: PackageId) -> Result<((), String)> {
    let folder = stage.network.folder.join("copy");
    std::fs::create_dir_all(&folder)?;
    let blocks = stage.alice.node.blocks(package).await?;
    for block in std::iter::once(&blocks.parent).chain(&blocks.sides) {
        write(&folder, block, &block.record)?;
    }
    let source = BlockSource::Directory(folder.clone());
    let untouched = check(stage, &source).await?;
    ensure!(
        untouched.findings.is_empty(),
        "the copy is not one: {}",
        findings(&untouched)
    );
    let victim = blocks
        .sides
        .get(1)
        .context("there is no second side-block")?;
    let mut record = victim.record.to_vec();
    let middle = record.len() / 2;
    record[middle] ^= 1;
    write(&folder, victim, &record)?;
    let report = check(stage, &source).await?;
    ensure!(!report.findings.is_empty(), "the audit did not see it");
    Ok((
        (),
        format!(
            "byte {middle} of block {}: {}",
            victim.leaf,
            findings(&report)
        ),
    ))
}

fn write(folder: &Path, block: &StoredBlock, record: &[u8]) -> Result<()> {
    let file = folder.join(BlockSource::file_name(block.leaf));
    std::fs::write(&file, record).with_context(|| format!("cannot write {}", file.display()))
}

async fn check(stage: &Stage, source: &BlockSource) -> Result<AuditReport> {
    Ok(audit_with(&stage.network.governance, source, &|_| {}).await?)
}

fn findings(report: &AuditReport) -> String {
    report
        .findings
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
