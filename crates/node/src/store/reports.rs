//! Reports, sessions and leases (P17, P18, P19).

use alloy_primitives::{Address, B256, Bytes};
use medshare_protocol::id::{LeafHash, PackageId, ReportDigest};
use medshare_protocol::typed::{Receipt, Report, Session};
use medshare_protocol::usage::Actions;
use medshare_protocol::wire::DeletionSubmission;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::rows::{address, hash, json, signed, to_json, unsigned, unsigned32};
use super::{Store, StoreError};

/// A report to be recorded, judged and receipted.
#[derive(Clone, Debug)]
pub struct NewReport<'a> {
    /// What the client signed.
    pub report: &'a Report,
    /// Its digest.
    pub digest: ReportDigest,
    /// By the session key.
    pub signature: &'a [u8],
    /// The session key.
    pub session_key: Address,
    /// The body, sealed to the contract key.
    pub body: &'a [u8],
    /// Which of the actions are violations.
    pub violated: Actions,
    /// What the node answers.
    pub receipt: &'a Receipt,
    /// The node's signature over it.
    pub receipt_signature: &'a [u8],
    /// Leaf hash of the side-block.
    pub leaf: LeafHash,
    /// The side-block's signed body.
    pub side_body: &'a [u8],
}

/// A session as it stands after a report or a renewal.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// The wallet's delegation.
    pub session: &'a Session,
    /// The wallet's signature over it.
    pub signature: &'a [u8],
    /// When its lease ends, ms since the Unix epoch; nothing: as before.
    pub lease_until: Option<u64>,
    /// Whether no lease is to follow.
    pub ended: bool,
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

/// A session as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSession {
    /// The wallet's delegation.
    pub session: Session,
    /// The wallet's signature over it.
    pub signature: Bytes,
    /// When its lease ends, ms since the Unix epoch.
    pub lease_until: u64,
    /// Time of the last renewal by the requestor's clock.
    pub renewed: u64,
    /// Whether no lease follows.
    pub ended: bool,
}

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
    /// Records a report with its side-block's body and its receipt, and what it means for the session: all or nothing,
    /// and durable before the answer leaves (P17).
    ///
    /// # Errors
    /// When the store fails, also when the number is taken.
    pub async fn record_report(
        &self,
        package: PackageId,
        report: &NewReport<'_>,
        session: &NewSession<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert_report(&mut transaction, package, report).await?;
        sqlx::query("INSERT INTO unanchored (package, number) VALUES (?, ?)")
            .bind(package.as_slice())
            .bind(report.report.number)
            .execute(&mut *transaction)
            .await?;
        upsert_session(&mut transaction, package, session).await?;
        transaction.commit().await?;
        Ok(())
    }

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

    /// Reports whose side-blocks are not anchored, by package and number, of packages that are issued.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unanchored_reports(&self, limit: u32) -> Result<Vec<StoredReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT report.* FROM unanchored
             JOIN report ON report.package = unanchored.package AND report.number = unanchored.number
             WHERE EXISTS (SELECT 1 FROM chain_entry c WHERE c.package = unanchored.package AND c.side = 0)
             ORDER BY unanchored.package, unanchored.number LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(read_report).collect()
    }

    /// Violations that the contract has not settled yet, with their sessions.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pending_violations(&self) -> Result<Vec<StoredReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM report WHERE settlement = 'pending' ORDER BY package, number",
        )
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(read_report).collect()
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
        let mut transaction = self.begin().await?;
        for statement in [
            "UPDATE report SET settlement = ? WHERE package = ? AND number = ? AND settlement = 'pending'",
            "UPDATE tampering SET settlement = ? WHERE package = ? AND number = ? AND settlement = 'pending'",
        ] {
            sqlx::query(statement)
                .bind(settlement.text())
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
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredTampering {
                    first: read_report(row)?,
                    second: json(row, "second")?,
                    second_signature: row.try_get::<Vec<u8>, _>("second_signature")?.into(),
                })
            })
            .collect()
    }

    /// The session of a package under this key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(
        &self,
        package: PackageId,
        key: Address,
    ) -> Result<Option<StoredSession>, StoreError> {
        let row = sqlx::query("SELECT * FROM session WHERE package = ? AND key = ?")
            .bind(package.as_slice())
            .bind(key.as_slice())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(read_session).transpose()
    }

    /// The session that holds a package's lease at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn live_session(
        &self,
        package: PackageId,
        now: u64,
    ) -> Result<Option<StoredSession>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM session WHERE package = ? AND ended = 0 AND lease_until > ?
             ORDER BY lease_until DESC LIMIT 1",
        )
        .bind(package.as_slice())
        .bind(signed(now))
        .fetch_optional(&self.reader)
        .await?;
        row.as_ref().map(read_session).transpose()
    }

    /// Lengthens a lease. Each renewal of the requestor's clock counts once.
    ///
    /// # Errors
    /// [`StoreError::MovedOn`] when a renewal of that time or a later one was taken already, or the session ended.
    pub async fn renew_lease(
        &self,
        package: PackageId,
        key: Address,
        renewed: u64,
        lease_until: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let updated = sqlx::query(
            "UPDATE session SET lease_until = ?, renewed = ?
             WHERE package = ? AND key = ? AND ended = 0 AND renewed < ?",
        )
        .bind(signed(lease_until))
        .bind(signed(renewed))
        .bind(package.as_slice())
        .bind(key.as_slice())
        .bind(signed(renewed))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if updated.rows_affected() == 1 {
            return Ok(());
        }
        Err(StoreError::MovedOn {
            what: format!("the lease of the package {package}"),
        })
    }

    /// Ends the sessions whose lease ran out before `before` without a word, and says which packages they were of.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_silent_sessions(
        &self,
        before: u64,
        now: u64,
    ) -> Result<Vec<PackageId>, StoreError> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(
            "UPDATE session SET ended = 1 WHERE ended = 0 AND lease_until < ?
             RETURNING package, lease_until",
        )
        .bind(signed(before))
        .fetch_all(&mut *transaction)
        .await?;
        let mut packages = Vec::new();
        for row in rows {
            let package = PackageId(hash(&row, "package")?);
            let detail = format!(
                "the lease ran out at {} without a word",
                unsigned(&row, "lease_until")?
            );
            super::permissions::insert_finding(
                &mut transaction,
                package,
                "silent-lease",
                &detail,
                now,
            )
            .await?;
            packages.push(package);
        }
        transaction.commit().await?;
        Ok(packages)
    }

    /// Keeps the requestor's word that the data is deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_deletion(
        &self,
        package: PackageId,
        submission: &DeletionSubmission,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO deletion (package, submission) VALUES (?, ?)
             ON CONFLICT (package) DO UPDATE SET submission = excluded.submission",
        )
        .bind(package.as_slice())
        .bind(to_json(submission))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The requestor's word that the data is deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deletion(
        &self,
        package: PackageId,
    ) -> Result<Option<DeletionSubmission>, StoreError> {
        let row = sqlx::query("SELECT submission FROM deletion WHERE package = ?")
            .bind(package.as_slice())
            .fetch_optional(&self.reader)
            .await?;
        row.map(|row| json(&row, "submission")).transpose()
    }
}

async fn insert_report(
    connection: &mut SqliteConnection,
    package: PackageId,
    report: &NewReport<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO report
         (package, number, digest, report, signature, session_key, body, violated, receipt,
          receipt_signature, leaf, side_body, settlement)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(package.as_slice())
    .bind(report.report.number)
    .bind(report.digest.as_slice())
    .bind(to_json(report.report))
    .bind(report.signature)
    .bind(report.session_key.as_slice())
    .bind(report.body)
    .bind(report.violated.0)
    .bind(to_json(report.receipt))
    .bind(report.receipt_signature)
    .bind(report.leaf.as_slice())
    .bind(report.side_body)
    .bind((!report.violated.is_empty()).then_some("pending"))
    .execute(connection)
    .await?;
    Ok(())
}

async fn upsert_session(
    connection: &mut SqliteConnection,
    package: PackageId,
    session: &NewSession<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session (package, key, session, signature, lease_until, renewed, ended)
         VALUES (?1, ?2, ?3, ?4, coalesce(?5, 0), 0, ?6)
         ON CONFLICT (package, key) DO UPDATE SET
           session = excluded.session, signature = excluded.signature,
           lease_until = coalesce(?5, lease_until), ended = excluded.ended",
    )
    .bind(package.as_slice())
    .bind(session.session.key.as_slice())
    .bind(to_json(session.session))
    .bind(session.signature)
    .bind(session.lease_until.map(signed))
    .bind(session.ended)
    .execute(connection)
    .await?;
    Ok(())
}

fn read_report(row: &SqliteRow) -> Result<StoredReport, StoreError> {
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

fn read_session(row: &SqliteRow) -> Result<StoredSession, StoreError> {
    Ok(StoredSession {
        session: json(row, "session")?,
        signature: row.try_get::<Vec<u8>, _>("signature")?.into(),
        lease_until: unsigned(row, "lease_until")?,
        renewed: unsigned(row, "renewed")?,
        ended: row.try_get("ended")?,
    })
}

/// A zero digest stands before the first report.
pub const NO_REPORT: B256 = B256::ZERO;
