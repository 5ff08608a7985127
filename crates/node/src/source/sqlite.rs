//! One query of an SQLite database, opened read-only.

use std::path::Path;
use std::time::Duration;

use alloy_primitives::B256;
use futures::TryStreamExt;
use medshare_anonymiser::{Table, TableBuilder};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, Decode, Executor, Row, SqlSafeStr, Sqlite,
    SqliteConnection, Statement, TypeInfo, Value, ValueRef,
};

use super::{Records, SourceError};

/// How long to wait for the hospital's own writers.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn read(path: &Path, query: &str) -> Result<Records, SourceError> {
    let failed = |error: sqlx::Error| SourceError::Database {
        path: path.to_owned(),
        reason: reason(&error),
    };
    let mut database = open(path).await?;
    // The custodian's own configuration, not somebody's input; and the connection cannot write.
    let statement = (&mut database)
        .prepare(AssertSqlSafe(query.to_owned()).into_sql_str())
        .await
        .map_err(failed)?;
    let names: Vec<String> = statement
        .columns()
        .iter()
        .map(|c| c.name().to_owned())
        .collect();
    if names.is_empty() {
        return Err(SourceError::NoSelect {
            path: path.to_owned(),
        });
    }
    let not_a_table = |source| SourceError::NotATable {
        path: path.to_owned(),
        source,
    };
    let mut growing = Growing::new(Table::builder(names).map_err(not_a_table)?);
    {
        let mut rows = statement.query().fetch(&mut database);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let cells = cells(&row).map_err(failed)?;
            growing.push(&cells).map_err(not_a_table)?;
        }
    }
    database.close().await.map_err(failed)?;
    Ok(growing.finish())
}

async fn open(path: &Path) -> Result<SqliteConnection, SourceError> {
    // SQLite says only "unable to open"; the system says why.
    std::fs::File::open(path).map_err(|source| SourceError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .pragma("query_only", "ON")
        .busy_timeout(BUSY_TIMEOUT)
        .connect()
        .await
        .map_err(|error| SourceError::Database {
            path: path.to_owned(),
            reason: reason(&error),
        })
}

/// The table and the running hash of its cells, each with its length in front of it.
struct Growing {
    table: TableBuilder,
    hash: Sha256,
}

impl Growing {
    fn new(table: TableBuilder) -> Self {
        Self {
            table,
            hash: Sha256::new(),
        }
    }

    fn push(&mut self, cells: &[String]) -> Result<(), medshare_anonymiser::TableError> {
        for cell in cells {
            self.hash.update((cell.len() as u64).to_le_bytes());
            self.hash.update(cell.as_bytes());
        }
        self.table.push_row(cells)
    }

    fn finish(self) -> Records {
        Records {
            table: self.table.finish(),
            hash: B256::new(self.hash.finalize().into()),
        }
    }
}

fn cells(row: &SqliteRow) -> Result<Vec<String>, sqlx::Error> {
    (0..row.len()).map(|index| cell(row, index)).collect()
}

/// Any cell as text: NULL is empty, a BLOB is hexadecimal. SQLite types cells, not columns.
fn cell(row: &SqliteRow, index: usize) -> Result<String, sqlx::Error> {
    let value = row.try_get_raw(index)?.to_owned();
    if value.is_null() {
        return Ok(String::new());
    }
    let kind = value.type_info().name().to_owned();
    let decoded = match kind.as_str() {
        "INTEGER" => {
            <i64 as Decode<Sqlite>>::decode(value.as_ref()).map(|number| number.to_string())
        }
        "REAL" => <f64 as Decode<Sqlite>>::decode(value.as_ref()).map(|number| number.to_string()),
        "BLOB" => <Vec<u8> as Decode<Sqlite>>::decode(value.as_ref()).map(hex::encode),
        _ => <String as Decode<Sqlite>>::decode(value.as_ref()),
    };
    decoded.map_err(|source| sqlx::Error::ColumnDecode {
        index: row.column(index).name().to_owned(),
        source,
    })
}

fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn hospital(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("hospital.db");
        let mut database = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .connect()
            .await
            .unwrap();
        sqlx::raw_sql(
            "CREATE TABLE patients (name TEXT, age INTEGER, weight REAL, scan BLOB, admitted DATETIME, note);
             INSERT INTO patients VALUES
                ('Ada', 31, 61.5, x'00ff', '2024-01-02 03:04:05', NULL),
                ('Bob', NULL, 80, NULL, '2024-02-03', 7),
                ('Zoë', -1, 1e300, x'', '', 'a,\"b\"');",
        )
        .execute(&mut database)
        .await
        .unwrap();
        database.close().await.unwrap();
        path
    }

    #[tokio::test]
    async fn every_type_of_cell_becomes_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = hospital(folder.path()).await;
        let records = read(&path, "SELECT * FROM patients ORDER BY rowid")
            .await
            .unwrap();
        let rows: Vec<Vec<&str>> = (0..3)
            .map(|row| {
                (0..6)
                    .map(|column| records.table.value(row, column))
                    .collect()
            })
            .collect();
        assert_eq!(
            rows[0],
            ["Ada", "31", "61.5", "00ff", "2024-01-02 03:04:05", ""]
        );
        assert_eq!(rows[1], ["Bob", "", "80", "", "2024-02-03", "7"]);
        assert_eq!(rows[2][..2], ["Zoë", "-1"]);
        assert_eq!(rows[2][2].parse::<f64>().unwrap(), 1e300);
        assert_eq!(rows[2][3..], ["", "", "a,\"b\""]);
        let names = read(&path, "SELECT name AS person FROM patients WHERE age > 99")
            .await
            .unwrap();
        assert_eq!(names.table.column_names().collect::<Vec<_>>(), ["person"]);
        assert_eq!(names.table.rows(), 0);
    }

    #[tokio::test]
    async fn nothing_can_be_written_through_the_query() {
        let folder = tempfile::tempdir().unwrap();
        let path = hospital(folder.path()).await;
        let before = std::fs::read(&path).unwrap();
        for query in [
            "DELETE FROM patients RETURNING name",
            "INSERT INTO patients (name) VALUES ('x') RETURNING name",
            "SELECT name FROM patients; DELETE FROM patients",
            "PRAGMA journal_mode = WAL",
        ] {
            let _ = read(&path, query).await;
            assert_eq!(std::fs::read(&path).unwrap(), before, "{query}");
        }
        assert!(
            read(&path, "DELETE FROM patients RETURNING name")
                .await
                .is_err()
        );
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "no file appeared beside the database");
    }

    #[tokio::test]
    async fn bad_files_and_queries_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = hospital(folder.path()).await;
        for (query, fragment) in [
            ("SELECT nme FROM patients", "no such column: nme"),
            ("SELECT name FROM patient", "no such table: patient"),
            ("SELEC 1", "syntax error"),
            ("DELETE FROM patients", "must be one SELECT"),
            (
                "SELECT name, name FROM patients",
                "column `name` occurs twice",
            ),
        ] {
            let error = read(&path, query).await.unwrap_err().to_string();
            assert!(
                error.contains(fragment) && error.contains("hospital.db"),
                "{error}"
            );
        }
        let text = folder.path().join("text.db");
        std::fs::write(&text, "name,age\nAda,31\n".repeat(100)).unwrap();
        let error = read(&text, "SELECT 1").await.unwrap_err().to_string();
        assert!(error.contains("not a database"), "{error}");
        let missing = read(&folder.path().join("no.db"), "SELECT 1")
            .await
            .unwrap_err();
        assert!(
            matches!(missing, SourceError::Unreadable { .. }),
            "{missing}"
        );
        assert!(!folder.path().join("no.db").exists());
    }

    #[tokio::test]
    async fn the_hash_tells_states_of_the_source_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = hospital(folder.path()).await;
        let hash = async |query| read(&path, query).await.unwrap().hash;
        let all = hash("SELECT name, age FROM patients ORDER BY rowid").await;
        assert_eq!(
            all,
            hash("SELECT name, age FROM patients ORDER BY rowid").await
        );
        assert_ne!(
            all,
            hash("SELECT name, age FROM patients ORDER BY name DESC").await
        );
        assert_ne!(
            hash("SELECT 'ab' x, 'c' y").await,
            hash("SELECT 'a' x, 'bc' y").await
        );
    }
}
