//! Requests and their forms.

use alloy_primitives::B256;
use medshare_protocol::form::Step;
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{SignedRequest, Stage, ValidationAnswer};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::packages::{self, ProcessedPackage, SealedPackage};
use super::rows::{
    address, corrupt, hash, json, optional_hash, readable, signed, stage, stage_number, to_json,
    unsigned,
};
use super::{Store, StoreError};

/// A request as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRequest {
    /// Its id, which is its package's.
    pub id: PackageId,
    /// What was sent.
    pub signed: SignedRequest,
    /// How far it is.
    pub stage: Stage,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Version of the release that it is answered from.
    pub release: Option<B256>,
    /// When it came, ms since the Unix epoch.
    pub received: u64,
}

/// What [`Store::record_request`] found.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// It is new and recorded now.
    New,
    /// It was recorded before.
    Known(Box<StoredRequest>),
}

/// What a step of the form brings with it.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// Nothing.
    None,
    /// The release was fixed.
    Retrieved {
        /// Its version.
        release: B256,
    },
    /// Payload and usage contract were fixed.
    Processed(&'a ProcessedPackage),
    /// The second node signed.
    Validated(&'a ValidationAnswer, alloy_primitives::Address),
    /// The container is on disk and the parent block's body signed.
    Sealed(&'a SealedPackage),
    /// It was refused.
    Refused {
        /// Why.
        reason: &'a str,
    },
}

impl Store {
    /// Records a request that just came, with the first step of its form, unless it is known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_request(
        &self,
        id: PackageId,
        request: &SignedRequest,
        received: &Step,
    ) -> Result<Recorded, StoreError> {
        let mut transaction = self.begin().await?;
        if let Some(known) = request_row(&mut transaction, id).await? {
            return Ok(Recorded::Known(Box::new(known)));
        }
        sqlx::query("INSERT INTO request (id, requestor, dataset, signed, stage, received) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(id.as_slice())
            .bind(request.request.requestor.as_slice())
            .bind(request.request.dataset.as_slice())
            .bind(to_json(request))
            .bind(stage_number(Stage::Received))
            .bind(signed(received.time))
            .execute(&mut *transaction)
            .await?;
        append(&mut transaction, id, std::slice::from_ref(received)).await?;
        transaction.commit().await?;
        Ok(Recorded::New)
    }

    /// Moves a request from one stage to the next, appends to its form, and keeps what the step brought: all or
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::MovedOn`] when it is not in stage `from`.
    pub async fn advance(
        &self,
        id: PackageId,
        from: Stage,
        to: Stage,
        steps: &[Step],
        change: Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        move_on(&mut transaction, id, from, to).await?;
        append(&mut transaction, id, steps).await?;
        apply(&mut transaction, id, change).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Appends to the form without moving on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn append_steps(&self, id: PackageId, steps: &[Step]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        append(&mut transaction, id, steps).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A request.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stored_request(&self, id: PackageId) -> Result<Option<StoredRequest>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        request_row(&mut connection, id).await
    }

    /// A request's form.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn form(&self, id: PackageId) -> Result<Vec<Step>, StoreError> {
        let rows = sqlx::query("SELECT step FROM step WHERE request = ? ORDER BY position")
            .bind(id.as_slice())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(read_step).collect()
    }

    /// The requests in these stages, oldest first, at most `limit`, as far as they can be read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn requests_between(
        &self,
        first: Stage,
        last: Stage,
        limit: u32,
    ) -> Result<Vec<StoredRequest>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM request WHERE stage BETWEEN ? AND ? ORDER BY received, id")
                .bind(stage_number(first))
                .bind(stage_number(last))
                .fetch(&self.reader);
        readable(rows, limit, |row| read_request(row).map(Some)).await
    }

    /// Time of the last step that was recorded, ms since the Unix epoch; 0 when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn latest_step_time(&self) -> Result<u64, StoreError> {
        let rows = sqlx::query(
            "SELECT step FROM step JOIN request ON request.id = step.request
             ORDER BY request.received DESC, step.position DESC",
        )
        .fetch(&self.reader);
        let steps = readable(rows, 64, |row| read_step(row).map(Some)).await?;
        let times = steps.into_iter().map(|step| step.time);
        Ok(times.max().unwrap_or_default())
    }

    /// Takes up a request again that was refused, with another signature.
    ///
    /// # Errors
    /// [`StoreError::MovedOn`] when it is not refused.
    pub async fn reopen_request(
        &self,
        id: PackageId,
        request: &SignedRequest,
        received: &Step,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        move_on(&mut transaction, id, Stage::Refused, Stage::Received).await?;
        sqlx::query("UPDATE request SET signed = ?, reason = NULL WHERE id = ?")
            .bind(to_json(request))
            .bind(id.as_slice())
            .execute(&mut *transaction)
            .await?;
        append(&mut transaction, id, std::slice::from_ref(received)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many requests are authenticated and not yet issued.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pending_count(&self) -> Result<u64, StoreError> {
        let row =
            sqlx::query("SELECT count(*) AS pending FROM request WHERE stage >= ? AND stage < ?")
                .bind(stage_number(Stage::Authenticated))
                .bind(stage_number(Stage::Issued))
                .fetch_one(&self.reader)
                .await?;
        unsigned(&row, "pending")
    }

    /// How many requests are recorded and neither authenticated nor refused yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unauthenticated_count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) AS waiting FROM request WHERE stage = ?")
            .bind(stage_number(Stage::Received))
            .fetch_one(&self.reader)
            .await?;
        unsigned(&row, "waiting")
    }
}

/// Moves a request on, if it still is where the caller thinks.
pub(super) async fn move_on(
    connection: &mut SqliteConnection,
    id: PackageId,
    from: Stage,
    to: Stage,
) -> Result<(), StoreError> {
    let moved = sqlx::query("UPDATE request SET stage = ? WHERE id = ? AND stage = ?")
        .bind(stage_number(to))
        .bind(id.as_slice())
        .bind(stage_number(from))
        .execute(connection)
        .await?;
    if moved.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::MovedOn {
        what: format!("the request {id}"),
    })
}

pub(super) async fn append(
    connection: &mut SqliteConnection,
    id: PackageId,
    steps: &[Step],
) -> Result<(), StoreError> {
    for step in steps {
        sqlx::query(
            "INSERT INTO step (request, position, step)
             VALUES (?1, (SELECT count(*) FROM step WHERE request = ?1), ?2)",
        )
        .bind(id.as_slice())
        .bind(minicbor::to_vec(step).expect("writing to a vector cannot fail"))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn apply(
    connection: &mut SqliteConnection,
    id: PackageId,
    change: Change<'_>,
) -> Result<(), StoreError> {
    match change {
        Change::None => Ok(()),
        Change::Retrieved { release } => {
            sqlx::query("UPDATE request SET release = ? WHERE id = ?")
                .bind(release.as_slice().to_vec())
                .bind(id.as_slice())
                .execute(connection)
                .await?;
            Ok(())
        }
        Change::Processed(package) => packages::insert(connection, id, package).await,
        Change::Validated(answer, verifier) => {
            packages::validated(connection, id, answer, verifier).await
        }
        Change::Sealed(package) => packages::sealed(connection, id, package).await,
        Change::Refused { reason } => {
            sqlx::query("UPDATE request SET reason = ? WHERE id = ?")
                .bind(reason)
                .bind(id.as_slice())
                .execute(connection)
                .await?;
            Ok(())
        }
    }
}

async fn request_row(
    connection: &mut SqliteConnection,
    id: PackageId,
) -> Result<Option<StoredRequest>, StoreError> {
    let row = sqlx::query("SELECT * FROM request WHERE id = ?")
        .bind(id.as_slice())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_request).transpose()
}

fn read_step(row: &SqliteRow) -> Result<Step, StoreError> {
    let bytes: &[u8] = row.try_get("step")?;
    minicbor::decode(bytes).map_err(|error| corrupt("step", error))
}

fn read_request(row: &SqliteRow) -> Result<StoredRequest, StoreError> {
    let signed: SignedRequest = json(row, "signed")?;
    let columns = (address(row, "requestor")?, hash(row, "dataset")?);
    if columns != (signed.request.requestor, signed.request.dataset) {
        return Err(corrupt("request", "its columns are not what was signed"));
    }
    Ok(StoredRequest {
        id: PackageId(hash(row, "id")?),
        signed,
        stage: stage(row.try_get("stage")?)?,
        reason: row.try_get("reason")?,
        release: optional_hash(row, "release")?,
        received: unsigned(row, "received")?,
    })
}
