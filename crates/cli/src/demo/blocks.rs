//! The blocks, their side-blocks and the transactions that anchored them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use medshare_protocol::block::Block;
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{PackageBlocks, StoredBlock};
use serde::Serialize;

use super::Stage;
use crate::output;

/// Longest wait until the last side-block is on chain.
const ANCHOR_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// A line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    block: String,
    kind: &'static str,
    says: String,
    transaction: String,
}

/// The blocks of a package, once the side-block of its last report is anchored: reports are answered when they are
/// durable, and anchored in batches a moment later.
pub async fn anchored(stage: &Stage, package: PackageId) -> Result<PackageBlocks> {
    let last = stage.alice.node.last_report(package).await?.number;
    let began = Instant::now();
    loop {
        let blocks = stage.alice.node.blocks(package).await?;
        if blocks.sides.len() >= usize::try_from(last)? {
            return Ok(blocks);
        }
        if began.elapsed() > ANCHOR_TIMEOUT {
            bail!(
                "report {last} was not anchored within {} s",
                ANCHOR_TIMEOUT.as_secs()
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// All blocks of the package, from the node.
pub async fn rows(stage: &Stage, package: PackageId) -> Result<Vec<Row>> {
    let blocks = anchored(stage, package).await?;
    std::iter::once(&blocks.parent)
        .chain(&blocks.sides)
        .map(row)
        .collect()
}

fn row(stored: &StoredBlock) -> Result<Row> {
    let (kind, says) = match Block::from_bytes(&stored.record)? {
        Block::Parent(parent) => {
            let transaction = parent.body.transaction;
            let says = format!(
                "{} for {}, {} ms",
                transaction.purpose, transaction.requestor, transaction.processing_ms
            );
            ("parent", says)
        }
        Block::Side(side) => {
            let transaction = side.body.transaction;
            let violated = transaction.violated;
            let says = if violated.is_empty() {
                format!("report {}: {}", transaction.number, transaction.reported)
            } else {
                format!("report {}: {} VIOLATED", transaction.number, violated)
            };
            ("  side", says)
        }
    };
    let id = Block::from_bytes(&stored.record)?.id().to_string();
    let transaction = stored
        .transaction
        .map_or_else(|| "not anchored".to_owned(), |hash| format!("{hash:?}"));
    Ok(Row {
        block: id,
        kind,
        says,
        transaction,
    })
}

/// The table for people. The second half of a side-block's id is its own.
pub fn print(rows: &[Row]) -> Result<()> {
    let width = rows
        .iter()
        .map(|row| row.says.len())
        .max()
        .unwrap_or_default();
    output::line(format!(
        "\n{:<6} {:<21} {:<width$}  anchored by transaction",
        "block", "id", "says"
    ))?;
    for row in rows {
        let (first, last) = (row.block.get(..10), row.block.get(58..));
        let id = format!(
            "{}\u{2026}{}",
            first.unwrap_or_default(),
            last.unwrap_or_default()
        );
        output::line(format!(
            "{:<6} {id:<21} {:<width$}  {}",
            row.kind, row.says, row.transaction
        ))?;
    }
    Ok(())
}
