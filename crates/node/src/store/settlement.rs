//! Violations and proofs of tampering on their way to the contract (P19).

use alloy_primitives::Bytes;
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Report;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::reports::{StoredReport, read_report};
use super::rows::{json, readable, signed, to_json, unsigned32};
use super::{Store, StoreError};

/// A report that contradicts a recorded one of the same number: proof of tampering.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTampering {
    /// The recorded one.
    pub first: StoredReport,
    /// The one that contradicts it.
    pub second: Report,
    /// By the same session key.
    pub second_signature: Bytes,
}

/// What became of a violation that is to be settled on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The contract accepted it.
    Settled,
    /// The contract has nothing left to do, as the text says.
    Moot(String),
}

impl Settlement {
    fn text(&self) -> &str {
        match self {
            Self::Settled => "settled",
            Self::Moot(why) => why,
        }
    }
}

impl Store {
    /// Violations that the contract has not settled yet, with their sessions.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pending_violations(&self) -> Result<Vec<StoredReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM report WHERE settlement = 'pending' ORDER BY package, number",
        )
        .fetch(&self.reader);
        readable(rows, u32::MAX, |row| read_report(row).map(Some)).await
    }

    /// Notes what became of a violation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle(
        &self,
        package: PackageId,
        number: u32,
        settlement: &Settlement,
    ) -> Result<(), StoreError> {
        let statements = [
            "UPDATE report SET settlement = ? WHERE package = ? AND number = ? AND settlement = 'pending'",
            "UPDATE tampering SET settlement = ? WHERE package = ? AND number = ? AND settlement = 'pending'",
        ];
        self.say(package, number, settlement.text(), statements)
            .await
    }

    /// Writes what became of a violation, and of what contradicts it: all or nothing.
    async fn say(
        &self,
        package: PackageId,
        number: u32,
        said: &str,
        statements: [&'static str; 2],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for statement in statements {
            sqlx::query(statement)
                .bind(said)
                .bind(package.as_slice())
                .bind(number)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps a report that contradicts a recorded one, and ends the package's sessions.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_tampering(
        &self,
        package: PackageId,
        second: &Report,
        signature: &[u8],
        now: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT OR IGNORE INTO tampering (package, number, report, signature, time, settlement)
             VALUES (?, ?, ?, ?, ?, 'pending')",
        )
        .bind(package.as_slice())
        .bind(second.number)
        .bind(to_json(second))
        .bind(signature)
        .bind(signed(now))
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE session SET ended = 1 WHERE package = ?")
            .bind(package.as_slice())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Violations and contradicting reports of a package that do not wait for the contract and that it has not settled: their
    /// numbers, and what is said of them. That there is nothing to settle may be so once access was taken away, also when
    /// it was given again since; before, it cannot.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn without_the_contracts_word(
        &self,
        package: PackageId,
    ) -> Result<Vec<(u32, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, coalesce(settlement, 'none') AS said FROM (
               SELECT number, settlement FROM report WHERE package = ?1 AND violated <> 0
               UNION SELECT number, settlement FROM tampering WHERE package = ?1
             ) AS told
             WHERE settlement IS NOT 'pending'
               AND NOT EXISTS (SELECT 1 FROM violation v WHERE v.package = ?1 AND v.number = told.number)
               AND (coalesce(settlement, 'settled') = 'settled' OR NOT EXISTS
                 (SELECT 1 FROM standing s WHERE s.package = ?1 UNION ALL SELECT 1 FROM violation v WHERE v.package = ?1))
             ORDER BY number",
        )
        .bind(package.as_slice())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| Ok((unsigned32(row, "number")?, row.try_get("said")?)))
            .collect()
    }

    /// Has a violation, and what contradicts it, wait for the contract again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_again(&self, package: PackageId, number: u32) -> Result<(), StoreError> {
        let statements = [
            "UPDATE report SET settlement = ? WHERE package = ? AND number = ? AND violated <> 0",
            "UPDATE tampering SET settlement = ? WHERE package = ? AND number = ?",
        ];
        self.say(package, number, "pending", statements).await
    }

    /// Contradicting reports of a package with their numbers; nothing for one that cannot be read, or contradicts no report.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tamperings(
        &self,
        package: PackageId,
    ) -> Result<Vec<(u32, Option<StoredTampering>)>, StoreError> {
        let rows = sqlx::query(
            "SELECT report.*, tampering.number AS of, tampering.report AS second, tampering.signature AS second_signature
             FROM tampering LEFT JOIN report
             ON report.package = tampering.package AND report.number = tampering.number
             WHERE tampering.package = ? ORDER BY tampering.number",
        )
        .bind(package.as_slice())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| Ok((unsigned32(row, "of")?, read_tampering(row).ok())))
            .collect()
    }

    /// Proofs of tampering that the contract has not settled yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pending_tamperings(&self) -> Result<Vec<StoredTampering>, StoreError> {
        let rows = sqlx::query(
            "SELECT report.*, tampering.report AS second, tampering.signature AS second_signature
             FROM tampering JOIN report
             ON report.package = tampering.package AND report.number = tampering.number
             WHERE tampering.settlement = 'pending' ORDER BY tampering.package, tampering.number",
        )
        .fetch(&self.reader);
        readable(rows, u32::MAX, |row| read_tampering(row).map(Some)).await
    }
}

fn read_tampering(row: &SqliteRow) -> Result<StoredTampering, StoreError> {
    Ok(StoredTampering {
        first: read_report(row)?,
        second: json(row, "second")?,
        second_signature: row.try_get::<Vec<u8>, _>("second_signature")?.into(),
    })
}
