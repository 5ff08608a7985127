//! What the node's own check of the store reads, puts back, and tells (P23).

use alloy_primitives::B256;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{LeafHash, Origin, PackageId};
use medshare_protocol::typed::Receipt;
use medshare_protocol::wire::{Alert, ReportSubmission};
use sqlx::Row;

use super::blocks::{insert_entry, read_entry};
use super::packages::{SealedPackage, read_sealed};
use super::reports::read_recorded;
use super::rows::{hash, json, signed, to_json, unsigned, unsigned32};
use super::{ChainEntry, Store, StoreError, log};

/// A report as it stands in the store, altered or not.
#[derive(Clone, Debug)]
pub struct OwnReport {
    /// Its number.
    pub number: u32,
    /// Leaf hash of its side-block.
    pub leaf: LeafHash,
    /// The side-block's signed body.
    pub side_body: Vec<u8>,
    /// What was handed in, and the receipt with its signature; nothing when it cannot be read any more.
    pub content: Option<(ReportSubmission, Receipt, alloy_primitives::Bytes)>,
}

/// An entry as it stands in the store, altered or not.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    /// What was anchored.
    pub entry: ChainEntry,
    /// Whether it is found under its own leaf hash.
    pub is_indexed: bool,
    /// The record behind it.
    pub record: Option<Vec<u8>>,
}

impl Store {
    /// The first entry of the chain behind this one, in the order of their origins.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_chain(
        &self,
        after: Option<Origin>,
    ) -> Result<Option<ChainEntry>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM chain_entry WHERE chain > ? ORDER BY chain, position LIMIT 1",
        )
        .bind(after.map_or(Vec::new(), |after| after.0.to_vec()))
        .fetch_optional(&self.reader)
        .await?;
        row.as_ref().map(read_entry).transpose()
    }

    /// Entries of a chain from a position on, with their records.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entries_from(
        &self,
        chain: Origin,
        position: u64,
        limit: u32,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT chain_entry.*, block.record FROM chain_entry LEFT JOIN block ON block.leaf = chain_entry.leaf
             WHERE chain = ? AND position >= ? ORDER BY position LIMIT ?",
        )
        .bind(chain.as_slice())
        .bind(signed(position))
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let entry = read_entry(row)?;
                Ok(StoredEntry {
                    is_indexed: hash(row, "leaf")? == entry.entry.leaf.0,
                    entry,
                    record: row.try_get("record")?,
                })
            })
            .collect()
    }

    /// Whether an entry still stands in the store as it was read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn still_holds(&self, entry: &ChainEntry) -> Result<bool, StoreError> {
        let mut connection = self.reader.acquire().await?;
        let now = super::blocks::entry_at(&mut connection, entry.chain, entry.position).await?;
        Ok(now.as_ref() == Some(entry))
    }

    /// Which of these subtrees, given as height, number and hash, are kept otherwise, or not at all: height and number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wrong_subtrees(
        &self,
        chain: Origin,
        expected: &[(u64, u64, B256)],
    ) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        let numbers = expected.iter().map(|(_, number, _)| *number);
        let kept = log::inner_hashes(&mut connection, chain, numbers).await?;
        let wrong = expected
            .iter()
            .filter(|(_, number, hash)| kept.get(number) != Some(hash))
            .map(|(height, number, _)| (*height, *number));
        Ok(wrong.take(1).collect())
    }

    /// The body of a block that this node made itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_body(&self, entry: &ChainEntry) -> Result<Option<Vec<u8>>, StoreError> {
        let query = match entry.name {
            ChainName::Thread(_) => "SELECT body FROM package WHERE leaf = ? AND id = ?",
            ChainName::Side(_) => "SELECT side_body FROM report WHERE leaf = ? AND package = ?",
        };
        let row = sqlx::query(query)
            .bind(entry.entry.leaf.as_slice())
            .bind(entry.package.as_slice())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Replaces the entries of a chain, and its merkle log. Says whether the entries were others.
    ///
    /// # Errors
    /// When the store fails; then nothing was changed.
    pub async fn replace_chain(
        &self,
        chain: Origin,
        entries: &[ChainEntry],
    ) -> Result<bool, StoreError> {
        let were = self.entries_from(chain, 0, u32::MAX).await?;
        let are_others = were.len() != entries.len()
            || were
                .iter()
                .zip(entries)
                .any(|(was, is)| was.entry != *is || !was.is_indexed);
        let mut transaction = self.begin().await?;
        for statement in [
            "DELETE FROM chain_entry WHERE chain = ?",
            "DELETE FROM log_node WHERE chain = ?",
        ] {
            sqlx::query(statement)
                .bind(chain.as_slice())
                .execute(&mut *transaction)
                .await?;
        }
        for entry in entries {
            insert_entry(&mut transaction, entry).await?;
            let (position, leaf) = (entry.position, entry.entry.leaf);
            log::grow(&mut transaction, chain, position, leaf, entry.evm_block).await?;
        }
        transaction.commit().await?;
        Ok(are_others)
    }

    /// The sealed package behind this one, in the order of their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_sealed(
        &self,
        after: Option<PackageId>,
    ) -> Result<Option<(PackageId, SealedPackage)>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM package WHERE id > ? AND body IS NOT NULL ORDER BY id LIMIT 1",
        )
        .bind(after.map_or(Vec::new(), |after| after.0.to_vec()))
        .fetch_optional(&self.reader)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let id = PackageId(hash(&row, "id")?);
        Ok(read_sealed(&row)?.map(|sealed| (id, sealed)))
    }

    /// Reports of a package from a number on, for a check: what cannot be read is given as such.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_reports(
        &self,
        package: PackageId,
        from: u32,
        limit: u32,
    ) -> Result<Vec<OwnReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT report.number, report.leaf, report.side_body, report.report, report.signature, report.body,
                    report.receipt, report.receipt_signature, session.session,
                    session.signature AS session_signature
             FROM report LEFT JOIN session
               ON session.package = report.package AND session.key = report.session_key
             WHERE report.package = ? AND report.number >= ? ORDER BY report.number LIMIT ?",
        )
        .bind(package.as_slice())
        .bind(from)
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let content = read_recorded(row).ok();
                Ok(OwnReport {
                    number: unsigned32(row, "number")?,
                    leaf: LeafHash(hash(row, "leaf")?),
                    side_body: row.try_get("side_body")?,
                    content: content.map(|it| (it.submission, it.receipt, it.receipt_signature)),
                })
            })
            .collect()
    }

    /// Keeps an alert under the next number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_alert(&self, alert: &Alert) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("INSERT INTO alert (alert) VALUES (?)")
            .bind(to_json(alert))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Alerts behind the one with this number, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alerts_after(&self, after: u64, limit: u32) -> Result<Vec<Alert>, StoreError> {
        let rows = sqlx::query("SELECT id, alert FROM alert WHERE id > ? ORDER BY id LIMIT ?")
            .bind(signed(after))
            .bind(limit)
            .fetch_all(&self.reader)
            .await?;
        rows.iter()
            .map(|row| {
                let id = unsigned(row, "id")?;
                Ok(Alert {
                    id,
                    ..json(row, "alert")?
                })
            })
            .collect()
    }
}
