//! Outputs that are held back, and what was decided about them (SPEC §5.3).

use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{HeldOutput, SignedDecision};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::rows::{hash, json, signed, to_json, unsigned, unsigned32};
use super::{Store, StoreError};

impl Store {
    /// Records an output whose bytes are durable, unless there is one with its number or `most` of its package wait
    /// already. Whether it did.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_output(
        &self,
        package: PackageId,
        held: &HeldOutput,
        most: u32,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT OR IGNORE INTO held_output (package, number, output, length, received)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE (SELECT count(*) FROM held_output WHERE package = ?1 AND decision IS NULL) < ?6",
        )
        .bind(package.as_slice())
        .bind(held.number)
        .bind(held.output.as_slice())
        .bind(signed(held.length))
        .bind(signed(held.received))
        .bind(most)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(inserted.rows_affected() == 1)
    }

    /// The output that report `number` told of.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn output(
        &self,
        package: PackageId,
        number: u32,
    ) -> Result<Option<HeldOutput>, StoreError> {
        let row = sqlx::query("SELECT * FROM held_output WHERE package = ? AND number = ?")
            .bind(package.as_slice())
            .bind(number)
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(read_output).transpose()
    }

    /// The outputs of a package, or of all, in the order in which they came.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn outputs(
        &self,
        package: Option<PackageId>,
    ) -> Result<Vec<(PackageId, HeldOutput)>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM held_output WHERE ?1 IS NULL OR package = ?1
             ORDER BY received, package, number",
        )
        .bind(package.map(|package| package.as_slice().to_vec()))
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| Ok((PackageId(hash(row, "package")?), read_output(row)?)))
            .collect()
    }

    /// Records what was decided. It is decided once.
    ///
    /// # Errors
    /// [`StoreError::MovedOn`] when it was decided before; when the store fails.
    pub async fn decide_output(&self, decision: &SignedDecision) -> Result<(), StoreError> {
        let package = PackageId(decision.decision.package);
        let mut transaction = self.begin().await?;
        let updated = sqlx::query(
            "UPDATE held_output SET decision = ?
             WHERE package = ? AND number = ? AND decision IS NULL",
        )
        .bind(to_json(decision))
        .bind(package.as_slice())
        .bind(decision.decision.number)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if updated.rows_affected() == 1 {
            return Ok(());
        }
        Err(StoreError::MovedOn {
            what: format!("the output {} of {package}", decision.decision.number),
        })
    }
}

fn read_output(row: &SqliteRow) -> Result<HeldOutput, StoreError> {
    let decided = row.try_get::<Option<String>, _>("decision")?.is_some();
    Ok(HeldOutput {
        number: unsigned32(row, "number")?,
        output: hash(row, "output")?,
        length: unsigned(row, "length")?,
        received: unsigned(row, "received")?,
        decision: decided.then(|| json(row, "decision")).transpose()?,
    })
}
