//! The tables that follow from the contract's events alone, compared with the same tables of a second store (P23).
//!
//! SQL compares the rows as they are: one that cannot be read any more is found like every other.

use std::ops::DerefMut;
use std::path::Path;

use alloy_primitives::B256;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::PackageId;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::blocks::read_entry;
use super::rows::{signed, unsigned};
use super::{ChainEntry, Store, StoreError};

/// A table, the column that its rows are told by, and the place among them.
struct Derived {
    table: &'static str,
    group: &'static str,
    place: &'static str,
}

const DERIVED: [Derived; 8] = [
    derived("chain_entry", "chain", "position"),
    derived("log_node", "chain", "NULL"),
    derived("event", "package", "NULL"),
    derived("violation", "package", "NULL"),
    derived("receipt", "package", "NULL"),
    derived("standing", "package", "NULL"),
    derived("response_list", "NULL", "NULL"),
    derived("registration", "NULL", "NULL"),
];

/// Parts by name, and in which of the two files. SQLite keeps statistics of its own in tables, for whoever asks for them.
const ALIEN_PARTS: &str = "
    WITH here AS (SELECT type, name, tbl_name, sql FROM main.sqlite_schema
                  WHERE NOT (type = 'table' AND name GLOB 'sqlite_stat*')),
         made AS (SELECT type, name, tbl_name, sql FROM again.sqlite_schema),
         alien AS (SELECT type, name FROM (SELECT * FROM here EXCEPT SELECT * FROM made)
                   UNION SELECT type, name FROM (SELECT * FROM made EXCEPT SELECT * FROM here))
    SELECT type, name,
           EXISTS (SELECT 1 FROM here h WHERE h.type = alien.type AND h.name = alien.name) AS here,
           EXISTS (SELECT 1 FROM made m WHERE m.type = alien.type AND m.name = alien.name) AS made
    FROM alien ORDER BY type, name LIMIT 100";
/// What the constructor tells first, of the events that are decoded.
const FIRST_EVENT: &str = "WorkLimitSet";
/// Differences that are told at once.
const MAX_DIFFERENCES: u32 = 1_000;
/// Faults of the file that SQLite tells at once.
const MAX_FILE_FAULTS: u32 = 10;

const fn derived(table: &'static str, group: &'static str, place: &'static str) -> Derived {
    Derived {
        table,
        group,
        place,
    }
}

/// How the rows of one table that belong together differ from those that the events make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The chain, when the rows are of one that has a name.
    pub chain: Option<ChainName>,
    /// The package, when the rows are of one.
    pub package: PackageId,
    /// The first block's place in the chain, when the rows are blocks.
    pub height: Option<u64>,
    /// Rows that are gone.
    pub missing: u64,
    /// Rows that no event makes.
    pub unknown: u64,
    /// Rows that are others.
    pub altered: u64,
}

impl Store {
    /// Where the rows that follow from the events differ from those of `again`, which has followed the same events.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn differences(&self, again: &Self) -> Result<Vec<Difference>, StoreError> {
        let mut connection = self.beside(again).await?;
        let mut found = Vec::new();
        for derived in &DERIVED {
            let statement = derived.comparison(&Columns::of(derived, &mut connection).await?);
            let rows = sqlx::query(AssertSqlSafe(statement));
            for row in rows.fetch_all(&mut connection).await? {
                found.push(difference(derived, &row, &mut connection).await?);
            }
        }
        connection.close().await?;
        Ok(found)
    }

    /// Puts the rows of `again` in the place of those that differ: all or nothing.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn take_over(&self, again: &Self) -> Result<(), StoreError> {
        let mut connection = self.beside(again).await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for derived in &DERIVED {
            let columns = Columns::of(derived, transaction.deref_mut()).await?;
            for statement in derived.replacement(&columns) {
                sqlx::query(AssertSqlSafe(statement))
                    .execute(transaction.deref_mut())
                    .await?;
            }
        }
        transaction.commit().await?;
        connection.close().await?;
        Ok(())
    }

    /// Whether the first event is one that the contract's constructor tells.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begins_with_deployment(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT name FROM event ORDER BY evm_block, log_index LIMIT 1")
            .fetch_optional(&self.reader)
            .await?;
        let name = row.map(|row| row.try_get::<String, _>(0)).transpose()?;
        Ok(name.is_some_and(|name| name == FIRST_EVENT))
    }

    /// What SQLite itself finds wrong with the file: pages, indices, the form of rows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn file_faults(&self) -> Result<Vec<String>, StoreError> {
        let statement = format!("PRAGMA integrity_check({MAX_FILE_FAULTS})");
        let rows = sqlx::query(AssertSqlSafe(statement))
            .fetch_all(&self.reader)
            .await?;
        let told: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        Ok(told?.into_iter().filter(|line| line != "ok").collect())
    }

    /// How what is built into the file, tables, indices, triggers and views, differs from what is built into `again`, a line
    /// each: a trigger may undo in silence what the node writes.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn alien_parts(&self, again: &Self) -> Result<Vec<String>, StoreError> {
        let mut connection = self.beside(again).await?;
        let rows = sqlx::query(ALIEN_PARTS).fetch_all(&mut connection).await?;
        connection.close().await?;
        let lines = rows.iter().map(|row| {
            let (kind, name): (String, String) = (row.try_get("type")?, row.try_get("name")?);
            let how = match (row.try_get("here")?, row.try_get("made")?) {
                (true, false) => "is not the node's",
                (false, _) => "is gone",
                (true, true) => "is not as the node made it",
            };
            Ok(format!("the {kind} `{name}` {how}"))
        });
        lines.collect()
    }

    /// Makes all indices again from their tables.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn make_indices_again(&self) -> Result<(), StoreError> {
        sqlx::query("REINDEX").execute(&self.writer).await?;
        Ok(())
    }

    /// A connection of its own, which sees the other store as `again`.
    async fn beside(&self, again: &Self) -> Result<SqliteConnection, StoreError> {
        let mut connection = self.writer.connect_options().connect().await?;
        sqlx::query("ATTACH ? AS again")
            .bind(again.file().to_string_lossy().into_owned())
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }

    fn file(&self) -> Box<Path> {
        self.writer.connect_options().get_filename().into()
    }
}

/// The columns of a table: those of its key, and all.
struct Columns {
    key: Vec<String>,
    all: Vec<String>,
}

impl Columns {
    async fn of(derived: &Derived, connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let rows = sqlx::query("SELECT name, pk FROM pragma_table_info(?, 'again')")
            .bind(derived.table)
            .fetch_all(connection)
            .await?;
        let (mut key, mut all) = (Vec::new(), Vec::new());
        for row in &rows {
            let name: String = row.try_get("name")?;
            if row.try_get::<i64, _>("pk")? > 0 {
                key.push(name.clone());
            }
            all.push(name);
        }
        Ok(Self { key, all })
    }
}

/// Rows `m` and `a` agree in these columns, also where both are NULL.
fn same(columns: &[String]) -> String {
    let each = columns
        .iter()
        .map(|column| format!("m.{column} IS a.{column}"));
    each.collect::<Vec<_>>().join(" AND ")
}

impl Derived {
    /// Counts by group what is missing, unknown and altered.
    fn comparison(&self, columns: &Columns) -> String {
        let Self {
            table,
            group,
            place,
        } = self;
        let one_row = same(&columns.key);
        let equal = same(&columns.all);
        format!(
            "SELECT of, min(place) AS place, sum(how = 0) AS missing, sum(how = 1) AS unknown, sum(how = 2) AS altered
             FROM (
               SELECT a.{group} AS of, a.{place} AS place, 0 AS how FROM again.{table} a
               WHERE NOT EXISTS (SELECT 1 FROM main.{table} m WHERE {one_row})
               UNION ALL
               SELECT m.{group}, m.{place}, 1 FROM main.{table} m
               WHERE NOT EXISTS (SELECT 1 FROM again.{table} a WHERE {one_row})
               UNION ALL
               SELECT a.{group}, a.{place}, 2 FROM again.{table} a JOIN main.{table} m ON {one_row} WHERE NOT ({equal})
             ) GROUP BY of ORDER BY of LIMIT {MAX_DIFFERENCES}"
        )
        .replace("a.NULL", "NULL")
        .replace("m.NULL", "NULL")
    }

    fn replacement(&self, columns: &Columns) -> [String; 2] {
        let table = self.table;
        let equal = same(&columns.all);
        let all = columns.all.join(", ");
        [
            format!(
                "DELETE FROM main.{table} AS m WHERE NOT EXISTS (SELECT 1 FROM again.{table} a WHERE {equal})"
            ),
            format!("INSERT OR IGNORE INTO main.{table} ({all}) SELECT {all} FROM again.{table}"),
        ]
    }
}

async fn difference(
    derived: &Derived,
    row: &SqliteRow,
    connection: &mut SqliteConnection,
) -> Result<Difference, StoreError> {
    // Whoever made up a row may have given it any name.
    let of: Vec<u8> = row.try_get("of").unwrap_or_default();
    let place: Option<i64> = row.try_get("place")?;
    let height = place.and_then(|place| u64::try_from(place).ok());
    let block = match derived.group {
        "chain" => known_block(&of, height, connection).await?,
        _ => None,
    };
    let named = B256::try_from(&*of).ok().map(PackageId);
    let named = named.filter(|_| derived.group == "package");
    let package = block.as_ref().map(|block| block.package);
    Ok(Difference {
        table: derived.table,
        chain: block.as_ref().map(|block| block.chain),
        package: package.or(named).unwrap_or_default(),
        height,
        missing: unsigned(row, "missing")?,
        unknown: unsigned(row, "unknown")?,
        altered: unsigned(row, "altered")?,
    })
}

/// The block at a place of a chain, or the last before it: as the events make it, or else as this store has it.
async fn known_block(
    chain: &[u8],
    place: Option<u64>,
    connection: &mut SqliteConnection,
) -> Result<Option<ChainEntry>, StoreError> {
    for schema in ["again", "main"] {
        let statement = format!(
            "SELECT * FROM {schema}.chain_entry WHERE chain = ? AND position <= ? ORDER BY position DESC LIMIT 1"
        );
        let row = sqlx::query(AssertSqlSafe(statement))
            .bind(chain)
            .bind(place.map_or(0, signed))
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(Ok(block)) = row.as_ref().map(read_entry) {
            return Ok(Some(block));
        }
    }
    Ok(None)
}
