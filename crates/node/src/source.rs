//! Connectors to the custodian's own data (P9). They read; nothing is ever written there.

mod delimited;
mod sqlite;

use std::path::PathBuf;

use alloy_primitives::B256;
use medshare_anonymiser::{Table, TableError};

use crate::descriptor::SourceSpec;

/// A source file may have so many bytes at most, decompressed.
pub const MAX_SOURCE_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// The records as they are in the source: identified, so they are dropped as soon as a release is made of them.
#[derive(Debug)]
pub struct Records {
    /// The cells, as text.
    pub table: Table,
    /// sha256 over what was read: says which state of the source a release shows.
    pub hash: B256,
}

/// Why a source cannot be read. Cells are never quoted.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read.
    #[error("cannot read the source {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("the source {} has more than {limit} bytes, which is the limit; split it", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// What is in the file is no table.
    #[error("the source {}: {source}", path.display())]
    NotATable {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: TableError,
    },
    /// There is a header and nothing else.
    #[error("the source {} has no records; check the file or the query", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The database refused.
    #[error("the source {}: the database says: {reason}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// The query gives no columns.
    #[error("the source {}: the query gives no columns; it must be one SELECT", path.display())]
    NoSelect {
        /// The database file.
        path: PathBuf,
    },
    /// The reading was interrupted.
    #[error("reading the source was interrupted: {0}")]
    Interrupted(String),
}

/// Reads all records of a source.
///
/// # Errors
/// [`SourceError`], naming the file and, for delimited text, the line.
pub async fn load(spec: &SourceSpec) -> Result<Records, SourceError> {
    let records = match spec {
        SourceSpec::Csv { file, delimiter } => {
            let (file, delimiter) = (file.clone(), *delimiter);
            tokio::task::spawn_blocking(move || delimited::read(&file, delimiter))
                .await
                .map_err(|error| SourceError::Interrupted(error.to_string()))??
        }
        SourceSpec::Sqlite { file, query } => sqlite::read(file, query).await?,
    };
    if records.table.rows() == 0 {
        return Err(SourceError::Empty {
            path: spec.file().to_owned(),
        });
    }
    Ok(records)
}
