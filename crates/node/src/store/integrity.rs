//! What the node's own check of the store reads, puts back, and tells (P23).

use alloy_primitives::Address;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::wire::{Alert, RecordedReport};
use sqlx::{AssertSqlSafe, Row};

use super::blocks::{key, read_entry};
use super::reports::{read_recorded, read_report};
use super::rows::{hash, json, signed, to_json, unsigned, unsigned32};
use super::{ChainEntry, Store, StoreError, StoredReport};

/// Of a report `r` of the package asked for: no chain has it, and nobody is about to anchor it.
const FORGOTTEN: &str = "r.package = ?
    AND NOT EXISTS (SELECT 1 FROM chain_entry c WHERE c.leaf = r.leaf AND c.package = r.package)
    AND NOT EXISTS (SELECT 1 FROM unanchored u WHERE u.package = r.package AND u.number = r.number)";

/// A report as it stands in the store, altered or not.
#[derive(Clone, Debug)]
pub struct OwnReport {
    /// Its number.
    pub number: u32,
    /// Leaf hash of its side-block.
    pub leaf: LeafHash,
    /// The side-block's signed body.
    pub side_body: Vec<u8>,
    /// What is kept of it, and what was handed in with its session; nothing when it cannot be read any more.
    pub content: Option<(StoredReport, RecordedReport)>,
}

/// An entry as it stands in the store, altered or not.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    /// What was anchored.
    pub entry: ChainEntry,
    /// The body behind it.
    pub body: Option<Vec<u8>>,
}

impl Store {
    /// The first entry of the chain behind this one, in the order of their keys.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_chain(
        &self,
        after: Option<ChainName>,
    ) -> Result<Option<ChainEntry>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM chain_entry WHERE chain > ? ORDER BY chain, position LIMIT 1",
        )
        .bind(after.map_or(Vec::new(), |after| key(&after).to_vec()))
        .fetch_optional(&self.reader)
        .await?;
        row.as_ref().map(read_entry).transpose()
    }

    /// Entries of a chain from a position on, with their bodies.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entries_from(
        &self,
        chain: ChainName,
        position: u64,
        limit: u32,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT chain_entry.*, block.body FROM chain_entry LEFT JOIN block ON block.leaf = chain_entry.leaf
             WHERE chain = ? AND position >= ? ORDER BY position LIMIT ?",
        )
        .bind(key(&chain))
        .bind(signed(position))
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredEntry {
                    entry: read_entry(row)?,
                    body: row.try_get("body")?,
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

    /// The body of a block that this node made itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_body(&self, entry: &ChainEntry) -> Result<Option<Vec<u8>>, StoreError> {
        let query = match entry.chain {
            ChainName::Thread(_) => "SELECT body FROM package WHERE leaf = ? AND id = ?",
            ChainName::Side(_) => "SELECT side_body FROM report WHERE leaf = ? AND package = ?",
        };
        let row = sqlx::query(query)
            .bind(entry.leaf.as_slice())
            .bind(entry.package.as_slice())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Ids behind `after`, in order, so many at most: of requests, of packages, of what `node` issued, and of what is kept
    /// beside them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_ids(
        &self,
        after: &[u8],
        node: Address,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = sqlx::query(
            "SELECT id FROM request WHERE id > ?1 UNION SELECT id FROM package WHERE id > ?1
             UNION SELECT package FROM tampering WHERE package > ?1
             UNION SELECT package FROM deletion WHERE package > ?1
             UNION SELECT package FROM chain_entry WHERE package > ?1 AND side = 0 AND node = ?2
             ORDER BY 1 LIMIT ?3",
        )
        .bind(after)
        .bind(node.as_slice())
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        let ids = rows.iter().map(|row| Ok(row.try_get(0)?));
        ids.collect()
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
            "SELECT report.*, session.session, session.signature AS session_signature
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
                Ok(OwnReport {
                    number: unsigned32(row, "number")?,
                    leaf: LeafHash(hash(row, "leaf")?),
                    side_body: row.try_get("side_body")?,
                    content: read_report(row).ok().zip(read_recorded(row).ok()),
                })
            })
            .collect()
    }

    /// Heights of side-blocks that `node` anchored for a package and whose reports are not here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lost_reports(
        &self,
        package: PackageId,
        node: Address,
    ) -> Result<Vec<u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT position FROM chain_entry c WHERE package = ? AND side = 1 AND node = ?
             AND NOT EXISTS (SELECT 1 FROM report r WHERE r.leaf = c.leaf AND r.package = c.package)
             ORDER BY position",
        )
        .bind(package.as_slice())
        .bind(node.as_slice())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(|row| unsigned(row, "position")).collect()
    }

    /// How many reports of a package are neither anchored nor waiting for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forgotten_reports(&self, package: PackageId) -> Result<u64, StoreError> {
        let statement = format!("SELECT count(*) AS forgotten FROM report r WHERE {FORGOTTEN}");
        let row = sqlx::query(AssertSqlSafe(statement))
            .bind(package.as_slice())
            .fetch_one(&self.reader)
            .await?;
        unsigned(&row, "forgotten")
    }

    /// Makes them wait again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_reports(&self, package: PackageId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let statement = format!(
            "INSERT INTO unanchored (package, number) SELECT package, number FROM report r WHERE {FORGOTTEN}"
        );
        sqlx::query(AssertSqlSafe(statement))
            .bind(package.as_slice())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether the contract's events tell that a package was taken back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_retrieved(&self, package: PackageId) -> Result<bool, StoreError> {
        let row =
            sqlx::query("SELECT 1 FROM standing WHERE package = ? AND what = 'retrieved' LIMIT 1")
                .bind(package.as_slice())
                .fetch_optional(&self.reader)
                .await?;
        Ok(row.is_some())
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
