//! Rows to values and back.

use std::pin::pin;

use alloy_primitives::{Address, B256};
use futures::{Stream, TryStreamExt};
use medshare_protocol::wire::Stage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::StoreError;

/// In the order of their numbers in the column `stage`.
const STAGES: [Stage; 10] = [
    Stage::Received,
    Stage::Authenticated,
    Stage::Retrieved,
    Stage::Processed,
    Stage::Validated,
    Stage::Sealed,
    Stage::Issued,
    Stage::Ready,
    Stage::Delivered,
    Stage::Refused,
];

pub(super) fn stage_number(stage: Stage) -> i64 {
    stage as i64
}

pub(super) fn stage(number: i64) -> Result<Stage, StoreError> {
    usize::try_from(number)
        .ok()
        .and_then(|index| STAGES.get(index).copied())
        .ok_or_else(|| corrupt("stage", format!("there is no stage {number}")))
}

pub(super) fn corrupt(what: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt {
        what,
        reason: reason.to_string(),
    }
}

/// What is read of the first `limit` rows that can be read: one that was damaged must not be in the way of the others,
/// wherever it stands. The node's check tells of it.
pub(super) async fn readable<T>(
    rows: impl Stream<Item = Result<SqliteRow, sqlx::Error>>,
    limit: u32,
    mut read: impl FnMut(&SqliteRow) -> Result<Option<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut rows = pin!(rows);
    let mut found = Vec::new();
    while found.len() < limit as usize {
        let Some(row) = rows.try_next().await? else {
            break;
        };
        match read(&row) {
            Ok(value) => found.extend(value),
            Err(error) => tracing::error!(%error, "a row is passed over"),
        }
    }
    Ok(found)
}

pub(super) fn hash(row: &SqliteRow, column: &'static str) -> Result<B256, StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    B256::try_from(bytes).map_err(|_| corrupt(column, format!("{} bytes, not 32", bytes.len())))
}

pub(super) fn optional_hash(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<B256>, StoreError> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes
        .map(|bytes| {
            B256::try_from(bytes)
                .map_err(|_| corrupt(column, format!("{} bytes, not 32", bytes.len())))
        })
        .transpose()
}

pub(super) fn address(row: &SqliteRow, column: &'static str) -> Result<Address, StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    Address::try_from(bytes).map_err(|_| corrupt(column, format!("{} bytes, not 20", bytes.len())))
}

/// What [`to_json`] wrote. Anything else was changed by somebody, even where it can be read as the same.
pub(super) fn json<T: DeserializeOwned + Serialize>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<T, StoreError> {
    let text: &str = row.try_get(column)?;
    let value = serde_json::from_str(text).map_err(|error| corrupt(column, error))?;
    if to_json(&value) == text {
        return Ok(value);
    }
    Err(corrupt(column, "it is not spelt as it was written"))
}

pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("the protocol's types have string keys only")
}

/// SQLite's integers are signed; ours are counts and times far below the limit.
pub(super) fn unsigned(row: &SqliteRow, column: &'static str) -> Result<u64, StoreError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| corrupt(column, format!("{value} is negative")))
}

pub(super) fn unsigned32(row: &SqliteRow, column: &'static str) -> Result<u32, StoreError> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map_err(|_| corrupt(column, format!("{value} is out of range")))
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_stage_survives_its_number() {
        for (number, expected) in (0..).zip(STAGES) {
            assert_eq!(stage_number(expected), number);
            assert_eq!(stage(number).unwrap(), expected);
        }
        assert!(stage(10).is_err() && stage(-1).is_err());
    }
}
