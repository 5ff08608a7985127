//! Reports, as they are recorded before they are answered (P17, P18).

use std::collections::HashSet;

use alloy_primitives::{Address, B256, Bytes};
use medshare_protocol::id::{LeafHash, PackageId, ReportDigest};
use medshare_protocol::typed::{Receipt, Report};
use medshare_protocol::usage::Actions;
use medshare_protocol::wire::{RecordedReport, ReportSubmission};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::rows::{address, hash, json, readable, unsigned32};
use super::{Store, StoreError};

/// A report to be recorded, judged and receipted.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// What the client signed.
    pub report: Report,
    /// Its digest.
    pub digest: ReportDigest,
    /// By the session key.
    pub signature: Bytes,
    /// The session key.
    pub session_key: Address,
    /// The body, sealed to the contract key.
    pub body: Bytes,
    /// Which of the actions are violations.
    pub violated: Actions,
    /// What the node answers.
    pub receipt: Receipt,
    /// The node's signature over it.
    pub receipt_signature: Bytes,
    /// Leaf hash of the side-block.
    pub leaf: LeafHash,
    /// The side-block's signed body.
    pub side_body: Vec<u8>,
}

/// A report as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReport {
    /// The package.
    pub package: PackageId,
    /// What the client signed.
    pub report: Report,
    /// Its digest.
    pub digest: ReportDigest,
    /// By the session key.
    pub signature: Bytes,
    /// The session key.
    pub session_key: Address,
    /// Which of the actions are violations.
    pub violated: Actions,
    /// What the node answered.
    pub receipt: Receipt,
    /// The node's signature over it.
    pub receipt_signature: Bytes,
    /// Leaf hash of the side-block.
    pub leaf: LeafHash,
    /// The side-block's signed body.
    pub side_body: Vec<u8>,
}

impl Store {
    /// The last report of a package.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_report(
        &self,
        package: PackageId,
    ) -> Result<Option<StoredReport>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM report WHERE package = ? ORDER BY number DESC LIMIT 1")
                .bind(package.as_slice())
                .fetch_optional(&self.reader)
                .await?;
        row.as_ref().map(read_report).transpose()
    }

    /// The report of a package with this number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn report(
        &self,
        package: PackageId,
        number: u32,
    ) -> Result<Option<StoredReport>, StoreError> {
        let row = sqlx::query("SELECT * FROM report WHERE package = ? AND number = ?")
            .bind(package.as_slice())
            .bind(number)
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(read_report).transpose()
    }

    /// Reports of a package from a number on as they were handed in, with their receipts, so many at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recorded_reports(
        &self,
        package: PackageId,
        from: u32,
        limit: u32,
    ) -> Result<Vec<RecordedReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT report.report, report.signature, report.body, report.receipt, report.receipt_signature,
                    session.session, session.signature AS session_signature
             FROM report JOIN session
               ON session.package = report.package AND session.key = report.session_key
             WHERE report.package = ? AND report.number >= ? ORDER BY report.number LIMIT ?",
        )
        .bind(package.as_slice())
        .bind(from)
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(read_recorded).collect()
    }

    /// Reports whose side-blocks are not anchored, by package and number, of packages that are issued. What a chain has
    /// once is never anchored again, whoever says that it waits: nothing takes it back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unanchored_reports(&self, limit: u32) -> Result<Vec<StoredReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT report.* FROM unanchored
             JOIN report ON report.package = unanchored.package AND report.number = unanchored.number
             WHERE EXISTS (SELECT 1 FROM chain_entry c WHERE c.package = unanchored.package AND c.side = 0)
               AND NOT EXISTS (SELECT 1 FROM chain_entry c WHERE c.leaf = report.leaf AND c.package = report.package)
             ORDER BY unanchored.package, unanchored.number",
        )
        .fetch(&self.reader);
        // Behind one that cannot be read none of its package may go on chain: it would take its place.
        let mut blocked = HashSet::new();
        let in_order = |row: &SqliteRow| {
            let package: Vec<u8> = row.try_get("package")?;
            if blocked.contains(&package) {
                return Ok(None);
            }
            let report = read_report(row).inspect_err(|_| {
                blocked.insert(package);
            })?;
            Ok(Some(report))
        };
        readable(rows, limit, in_order).await
    }
}

pub(super) fn read_report(row: &SqliteRow) -> Result<StoredReport, StoreError> {
    Ok(StoredReport {
        package: PackageId(hash(row, "package")?),
        report: json(row, "report")?,
        digest: ReportDigest(hash(row, "digest")?),
        signature: row.try_get::<Vec<u8>, _>("signature")?.into(),
        session_key: address(row, "session_key")?,
        violated: Actions(u8::try_from(unsigned32(row, "violated")?).unwrap_or(u8::MAX)),
        receipt: json(row, "receipt")?,
        receipt_signature: row.try_get::<Vec<u8>, _>("receipt_signature")?.into(),
        leaf: LeafHash(hash(row, "leaf")?),
        side_body: row.try_get("side_body")?,
    })
}

pub(super) fn read_recorded(row: &SqliteRow) -> Result<RecordedReport, StoreError> {
    let bytes = |column| row.try_get::<Vec<u8>, _>(column).map(Bytes::from);
    Ok(RecordedReport {
        submission: ReportSubmission {
            report: json(row, "report")?,
            signature: bytes("signature")?,
            session: json(row, "session")?,
            session_signature: bytes("session_signature")?,
            body: bytes("body")?,
        },
        receipt: json(row, "receipt")?,
        receipt_signature: bytes("receipt_signature")?,
    })
}

/// A zero digest stands before the first report.
pub const NO_REPORT: B256 = B256::ZERO;
