//! Sessions and their leases, and the requestor's word that the data is deleted (P17, P19).

use alloy_primitives::{Address, Bytes};
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Session;
use medshare_protocol::wire::DeletionSubmission;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::rows::{hash, json, signed, to_json, unsigned};
use super::{Store, StoreError};

/// A session as it stands after a report or a renewal.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The wallet's delegation.
    pub session: Session,
    /// The wallet's signature over it.
    pub signature: Bytes,
    /// When its lease ends, ms since the Unix epoch; nothing: as before.
    pub lease_until: Option<u64>,
    /// Whether no lease is to follow.
    pub ended: bool,
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

impl Store {
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

    /// Ends a session by its own word, signed at `time` of the requestor's clock. Of a session that has ended, or whose lease
    /// ran out before `before`, nothing is changed: that one was silent. Whether it was ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_session(
        &self,
        package: PackageId,
        key: Address,
        time: u64,
        before: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let updated = sqlx::query(
            "UPDATE session SET ended = 1, renewed = ?1
             WHERE package = ?2 AND key = ?3 AND ended = 0 AND renewed < ?1 AND lease_until >= ?4",
        )
        .bind(signed(time))
        .bind(package.as_slice())
        .bind(key.as_slice())
        .bind(signed(before))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(updated.rows_affected() == 1)
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

    /// Keeps the requestor's word that the data is deleted, and ends the package's sessions.
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
        sqlx::query("UPDATE session SET ended = 1 WHERE package = ?")
            .bind(package.as_slice())
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

fn read_session(row: &SqliteRow) -> Result<StoredSession, StoreError> {
    Ok(StoredSession {
        session: json(row, "session")?,
        signature: row.try_get::<Vec<u8>, _>("signature")?.into(),
        lease_until: unsigned(row, "lease_until")?,
        renewed: unsigned(row, "renewed")?,
        ended: row.try_get("ended")?,
    })
}
