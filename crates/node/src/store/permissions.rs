//! The permissions database (P7): violations, receipts of the actions carried out, findings.

use alloy_primitives::{Address, B256};
use medshare_chain::{Response, ResponseKind};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::usage::Actions;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::rows::{address, hash, json, signed, unsigned, unsigned32};
use super::{Store, StoreError};

/// So many findings of a kind are kept of a package at most: strangers can cause some of them. Of each kind, so that who floods
/// one does not hide another.
const MAX_FINDINGS: u32 = 1_000;

/// Something the custodian should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The package.
    pub package: PackageId,
    /// One word: `silent-lease`, `refused-opening`, `second-opening`, `foreign-session`, `fork`, `missing-report`,
    /// `swapped-report`, `rival-session`, `used-after-deletion`.
    pub kind: String,
    /// A sentence.
    pub detail: String,
    /// When, ms since the Unix epoch.
    pub time: u64,
}

/// A violation as the contract accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredViolation {
    /// The package.
    pub package: PackageId,
    /// Number of the report that proves it.
    pub number: u32,
    /// What was reported.
    pub actions: Actions,
    /// Digest of the report.
    pub report: B256,
    /// The transaction that settled it.
    pub transaction: B256,
    /// Time of its EVM block, s since the Unix epoch.
    pub time: u64,
    /// Number of its EVM block.
    pub evm_block: u64,
}

/// A response action that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReceipt {
    /// What was done.
    pub kind: ResponseKind,
    /// To whom.
    pub requestor: Address,
    /// How many violations there had been, this one included.
    pub violation: u32,
    /// The transaction that did it.
    pub transaction: B256,
    /// Time of its EVM block, s since the Unix epoch.
    pub time: u64,
}

impl Store {
    /// All violations in the order of the chain.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn violations(&self) -> Result<Vec<StoredViolation>, StoreError> {
        let rows = sqlx::query("SELECT * FROM violation ORDER BY evm_block, package, number")
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(read_violation).collect()
    }

    /// The receipts that came with a violation: those of its transaction and package.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn receipts(
        &self,
        package: PackageId,
        transaction: B256,
    ) -> Result<Vec<StoredReceipt>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM receipt WHERE package = ? AND transaction_hash = ? ORDER BY log_index",
        )
        .bind(package.as_slice())
        .bind(transaction.as_slice())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredReceipt {
                    kind: json(row, "kind")?,
                    requestor: address(row, "requestor")?,
                    violation: unsigned32(row, "violation")?,
                    transaction: hash(row, "transaction_hash")?,
                    time: unsigned(row, "time")?,
                })
            })
            .collect()
    }

    /// The owner's list of actions for violations on a dataset, as published last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn responses(
        &self,
        custodian: Address,
        dataset: DatasetId,
    ) -> Result<Vec<Response>, StoreError> {
        let row = sqlx::query(
            "SELECT responses FROM response_list WHERE custodian = ? AND dataset = ?
             ORDER BY evm_block DESC, log_index DESC LIMIT 1",
        )
        .bind(custodian.as_slice())
        .bind(dataset.as_slice())
        .fetch_optional(&self.reader)
        .await?;
        row.map_or_else(|| Ok(Vec::new()), |row| json(&row, "responses"))
    }

    /// Notes something the custodian should look at.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_finding(
        &self,
        package: PackageId,
        kind: &str,
        detail: &str,
        now: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert_finding(&mut transaction, package, kind, detail, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What was found about a package, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn findings(&self, package: PackageId) -> Result<Vec<Finding>, StoreError> {
        let rows = sqlx::query("SELECT * FROM finding WHERE package = ? ORDER BY id")
            .bind(package.as_slice())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(read_finding).collect()
    }

    /// What was found about all packages, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn all_findings(&self) -> Result<Vec<Finding>, StoreError> {
        let rows = sqlx::query("SELECT * FROM finding ORDER BY id")
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(read_finding).collect()
    }

    /// Notes what this node answered as the second node; `refusal` nothing: it signed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_validation(
        &self,
        package: PackageId,
        sender: Address,
        payload_hash: Option<B256>,
        refusal: Option<&str>,
        now: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT OR REPLACE INTO validation (package, time, sender, payload_hash, refusal)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(package.as_slice())
        .bind(signed(now))
        .bind(sender.as_slice())
        .bind(payload_hash.map(|hash| hash.to_vec()))
        .bind(refusal)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) async fn insert_finding(
    connection: &mut SqliteConnection,
    package: PackageId,
    kind: &str,
    detail: &str,
    now: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO finding (package, kind, detail, time)
         SELECT ?1, ?2, ?3, ?4
         WHERE (SELECT count(*) FROM finding WHERE package = ?1 AND kind = ?2) < ?5",
    )
    .bind(package.as_slice())
    .bind(kind)
    .bind(detail)
    .bind(signed(now))
    .bind(MAX_FINDINGS)
    .execute(connection)
    .await?;
    Ok(())
}

fn read_finding(row: &SqliteRow) -> Result<Finding, StoreError> {
    Ok(Finding {
        package: PackageId(hash(row, "package")?),
        kind: row.try_get("kind")?,
        detail: row.try_get("detail")?,
        time: unsigned(row, "time")?,
    })
}

fn read_violation(row: &SqliteRow) -> Result<StoredViolation, StoreError> {
    Ok(StoredViolation {
        package: PackageId(hash(row, "package")?),
        number: unsigned32(row, "number")?,
        actions: Actions(u8::try_from(unsigned32(row, "actions")?).unwrap_or(u8::MAX)),
        report: hash(row, "report")?,
        transaction: hash(row, "transaction_hash")?,
        time: unsigned(row, "time")?,
        evm_block: unsigned(row, "evm_block")?,
    })
}
