//! The node's store: SQLite, one writer and a few readers. All SQL of the node is in this module.
//!
//! Each method that writes is one transaction, durable when it returns (WAL, `synchronous = FULL`). Reports that come at the
//! same time share one (`together`).

mod blocks;
mod derived;
mod events;
mod integrity;
mod log;
mod outputs;
mod packages;
mod permissions;
mod reports;
mod requests;
mod rows;
mod sessions;
mod settlement;
#[cfg(test)]
mod tests;
mod together;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr, Sqlite, SqliteConnection, Transaction};

pub use blocks::{ChainEntry, ChainHead};
pub use derived::Difference;
pub use events::{Applied, EventContext, EventPoint};
pub use integrity::{OwnReport, StoredEntry};
pub use packages::{ProcessedPackage, SealedPackage, StoredPackage};
pub use permissions::{Finding, StoredReceipt, StoredViolation};
pub use reports::{NO_REPORT, NewReport, StoredReport};
pub use requests::{Change, Recorded, StoredRequest};
pub use sessions::{NewSession, StoredSession};
pub use settlement::{Settlement, StoredTampering};
use together::Together;

/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a connection waits for the file's lock before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("cannot open the store {path}: {reason}; check the path and its permissions")]
    Open {
        /// The file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// The tables cannot be made or are of a newer version.
    #[error("the store {path} cannot be brought up to date: {reason}")]
    Migrate {
        /// The file.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// A statement failed.
    #[error("a statement failed: {0}")]
    Statement(#[from] sqlx::Error),
    /// The transaction that several shared.
    #[error(transparent)]
    Together(Arc<StoreError>),
    /// A row holds what it cannot hold.
    #[error("the store holds an unreadable {what}: {reason}; restore it from a backup")]
    Corrupt {
        /// Which row or column.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody else has moved the row on in the meantime; nothing was changed.
    #[error("{what} has moved on in the meantime; nothing was changed")]
    MovedOn {
        /// Which row.
        what: String,
    },
}

impl StoreError {
    /// What is damaged, when it is the file or a row in it that is.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        /// `SQLITE_CORRUPT` and `SQLITE_NOTADB`, in the low byte of an extended code.
        const DAMAGED: [i32; 2] = [11, 26];
        match self {
            Self::Together(error) => error.damage(),
            Self::Corrupt { what, reason } => Some(format!("{what} is not readable: {reason}")),
            Self::Statement(sqlx::Error::Database(error)) => {
                let code: i32 = error.code()?.parse().ok()?;
                DAMAGED.contains(&(code & 0xff)).then(|| error.to_string())
            }
            _ => None,
        }
    }
}

/// An opened store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    together: Together,
}

impl Store {
    /// Opens the file, making it when it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Migrate`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_or(path, true).await
    }

    /// Opens the file of a node that has run, and may be running.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is no such file.
    pub async fn open_existing(path: &Path) -> Result<Self, StoreError> {
        Self::open_or(path, false).await
    }

    async fn open_or(path: &Path, create: bool) -> Result<Self, StoreError> {
        let shown = path.display().to_string();
        let open = |error: sqlx::Error| StoreError::Open {
            path: shown.clone(),
            reason: error.to_string(),
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .after_release(|connection, _| Box::pin(is_at_rest(connection)))
            .connect_with(options.clone())
            .await
            .map_err(open)?;
        migrations()
            .run(&writer)
            .await
            .map_err(|error| StoreError::Migrate {
                path: shown.clone(),
                reason: error.to_string(),
            })?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.create_if_missing(false).pragma("query_only", "on"))
            .await
            .map_err(open)?;
        Ok(Self {
            writer,
            reader,
            together: Together::default(),
        })
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Closes all connections, after what is under way.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// A transaction that holds the write lock from its beginning: no late `SQLITE_BUSY`.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Whether a connection can begin a transaction. When a commit fails (a full disk), SQLite rolls back by itself, and sqlx
/// goes on counting the transaction: such a connection would refuse every later one.
async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // The rollback of one that was given up may be on its way.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

fn migrations() -> Migrator {
    let all = [
        (
            1,
            "initial",
            include_str!("../../migrations/0001_initial.sql"),
        ),
        (
            2,
            "outputs",
            include_str!("../../migrations/0002_outputs.sql"),
        ),
    ];
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        let (kind, sql) = (MigrationType::Simple, sql.into_sql_str());
        Migration::new(version, name.into(), kind, sql, false)
    };
    Migrator::with_migrations(all.into_iter().map(migration).collect())
}
