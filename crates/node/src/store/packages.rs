//! What was made for a request.

use alloy_primitives::{Address, B256};
use medshare_protocol::id::{ContainerHash, LeafHash, PackageId, PayloadHash};
use medshare_protocol::usage::UsageContract;
use medshare_protocol::wire::ValidationAnswer;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::rows::{hash, json, optional_hash, signed, to_json, unsigned};
use super::{Store, StoreError};

/// What processing fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessedPackage {
    /// The usage contract.
    pub usage: UsageContract,
    /// Secret half of the contract key, encrypted at rest.
    pub contract_secret: Vec<u8>,
    /// Salt of the payload hash.
    pub payload_salt: B256,
    /// Hash of the payload in clear.
    pub payload_hash: PayloadHash,
    /// Its length, bytes.
    pub payload_length: u64,
    /// When processing was complete, ms since the Unix epoch.
    pub processed: u64,
}

/// What sealing fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedPackage {
    /// The custodian's share of the data key, encrypted at rest.
    pub custodian_share: Vec<u8>,
    /// Hash of the container file.
    pub container_hash: ContainerHash,
    /// Its size, bytes.
    pub container_length: u64,
    /// Leaf hash of the parent block.
    pub leaf: LeafHash,
    /// Its signed body.
    pub body: Vec<u8>,
}

/// A package as far as it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPackage {
    /// Its id.
    pub id: PackageId,
    /// From stage `processed` on.
    pub processed: ProcessedPackage,
    /// From stage `validated` on: the second node's answer and its address.
    pub validation: Option<(ValidationAnswer, Address)>,
    /// From stage `sealed` on.
    pub sealed: Option<SealedPackage>,
}

impl Store {
    /// A package, from stage `processed` on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn package(&self, id: PackageId) -> Result<Option<StoredPackage>, StoreError> {
        let row = sqlx::query("SELECT * FROM package WHERE id = ?")
            .bind(id.as_slice())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(read_package).transpose()
    }
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    id: PackageId,
    package: &ProcessedPackage,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO package (id, usage, contract_secret, payload_salt, payload_hash, payload_length, processed)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.as_slice())
    .bind(to_json(&package.usage))
    .bind(&package.contract_secret)
    .bind(package.payload_salt.as_slice())
    .bind(package.payload_hash.as_slice())
    .bind(signed(package.payload_length))
    .bind(signed(package.processed))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn validated(
    connection: &mut SqliteConnection,
    id: PackageId,
    answer: &ValidationAnswer,
    verifier: Address,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE package SET validation = ?, verifier = ? WHERE id = ?")
        .bind(to_json(answer))
        .bind(verifier.as_slice().to_vec())
        .bind(id.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn sealed(
    connection: &mut SqliteConnection,
    id: PackageId,
    package: &SealedPackage,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE package SET custodian_share = ?, container_hash = ?, container_length = ?, leaf = ?, body = ?
         WHERE id = ?",
    )
    .bind(&package.custodian_share)
    .bind(package.container_hash.as_slice())
    .bind(signed(package.container_length))
    .bind(package.leaf.as_slice())
    .bind(&package.body)
    .bind(id.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

fn read_package(row: &SqliteRow) -> Result<StoredPackage, StoreError> {
    Ok(StoredPackage {
        id: PackageId(hash(row, "id")?),
        processed: ProcessedPackage {
            usage: json(row, "usage")?,
            contract_secret: row.try_get("contract_secret")?,
            payload_salt: hash(row, "payload_salt")?,
            payload_hash: PayloadHash(hash(row, "payload_hash")?),
            payload_length: unsigned(row, "payload_length")?,
            processed: unsigned(row, "processed")?,
        },
        validation: read_validation(row)?,
        sealed: read_sealed(row)?,
    })
}

fn read_validation(row: &SqliteRow) -> Result<Option<(ValidationAnswer, Address)>, StoreError> {
    if row.try_get::<Option<&str>, _>("validation")?.is_none() {
        return Ok(None);
    }
    let answer = json(row, "validation")?;
    Ok(Some((answer, super::rows::address(row, "verifier")?)))
}

fn read_sealed(row: &SqliteRow) -> Result<Option<SealedPackage>, StoreError> {
    let Some(leaf) = optional_hash(row, "leaf")? else {
        return Ok(None);
    };
    Ok(Some(SealedPackage {
        custodian_share: row.try_get("custodian_share")?,
        container_hash: ContainerHash(hash(row, "container_hash")?),
        container_length: unsigned(row, "container_length")?,
        leaf: LeafHash(leaf),
        body: row.try_get("body")?,
    }))
}
