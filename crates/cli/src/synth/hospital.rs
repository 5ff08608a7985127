//! The custodian's side of it: a SQLite database, hierarchies and the descriptor that a node is given.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use medshare_protocol::usage::{Action, Environment};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::{Patient, hierarchies, patients};

/// Rows per INSERT: with seven columns far below SQLite's 32,766 variables.
const ROWS_PER_INSERT: usize = 500;

const SCHEMA: [&str; 2] = [
    "CREATE TABLE patient (id INTEGER PRIMARY KEY, name TEXT NOT NULL, national_number TEXT NOT NULL UNIQUE, \
     phone TEXT NOT NULL, birth_date TEXT NOT NULL, sex TEXT NOT NULL, postcode TEXT NOT NULL)",
    "CREATE TABLE stay (patient INTEGER NOT NULL REFERENCES patient (id), admission TEXT NOT NULL, \
     discharge TEXT NOT NULL, icd10 TEXT NOT NULL, medication TEXT NOT NULL, creatinine REAL NOT NULL, \
     hba1c REAL NOT NULL, haemoglobin REAL NOT NULL)",
];

const DESCRIPTOR: &str = include_str!("hospital.toml");

/// What the hospital's usage contracts say.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What they grant.
    pub granted: Vec<Action>,
    /// Where its packages may be opened.
    pub environment: Environment,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            granted: vec![Action::Read],
            environment: Environment::Any,
        }
    }
}

impl Terms {
    /// The descriptor that says so.
    fn descriptor(&self, name: &str) -> String {
        let json =
            |value: serde_json::Result<String>| value.expect("names of actions are plain data");
        DESCRIPTOR
            .replace("\"hospital\"", &format!("\"{name}\""))
            .replace("[\"read\"]", &json(serde_json::to_string(&self.granted)))
            .replace("\"any\"", &json(serde_json::to_string(&self.environment)))
    }
}

/// Writes database, hierarchies and descriptor of the hospital `seed` with `rows` patients into `folder`; the dataset
/// is called `name`. The path of the descriptor.
pub async fn write_hospital(
    folder: &Path,
    name: &str,
    seed: u64,
    rows: usize,
    terms: &Terms,
) -> Result<PathBuf> {
    let database = folder.join("hospital.db");
    write_database(&database, &patients(seed, rows))
        .await
        .with_context(|| {
            format!(
                "cannot write the hospital's database {}",
                database.display()
            )
        })?;
    for (file, text) in [
        ("birth_date.csv", hierarchies::birth_date()),
        ("stay.csv", hierarchies::stay()),
        ("postcode.csv", hierarchies::postcode()),
        ("sex.csv", hierarchies::sex()),
        ("descriptor.toml", terms.descriptor(name)),
    ] {
        let path = folder.join(file);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(folder.join("descriptor.toml"))
}

async fn write_database(path: &Path, patients: &[Patient]) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut database: SqliteConnection = options.connect().await?;
    let mut transaction = database.begin().await?;
    for statement in SCHEMA {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    for (position, chunk) in patients.chunks(ROWS_PER_INSERT).enumerate() {
        let first = position * ROWS_PER_INSERT;
        insert_patients(first, chunk)
            .build()
            .execute(&mut *transaction)
            .await?;
        insert_stays(first, chunk)
            .build()
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    database.close().await?;
    Ok(())
}

fn numbered(first: usize, patients: &[Patient]) -> impl Iterator<Item = (i64, &Patient)> {
    patients.iter().enumerate().map(move |(position, patient)| {
        (
            i64::try_from(first + position + 1).expect("fewer patients than an i64 counts"),
            patient,
        )
    })
}

fn insert_patients(first: usize, patients: &[Patient]) -> QueryBuilder<Sqlite> {
    let mut insert = QueryBuilder::new("INSERT INTO patient ");
    insert.push_values(numbered(first, patients), |mut row, (id, patient)| {
        row.push_bind(id)
            .push_bind(patient.name.clone())
            .push_bind(patient.national_number.clone())
            .push_bind(patient.phone.clone())
            .push_bind(patient.birth_date.to_string())
            .push_bind(patient.sex)
            .push_bind(patient.postcode.clone());
    });
    insert
}

fn insert_stays(first: usize, patients: &[Patient]) -> QueryBuilder<Sqlite> {
    let mut insert = QueryBuilder::new("INSERT INTO stay ");
    insert.push_values(numbered(first, patients), |mut row, (id, patient)| {
        row.push_bind(id)
            .push_bind(patient.admission.to_string())
            .push_bind(patient.discharge.to_string())
            .push_bind(patient.icd10)
            .push_bind(patient.medication)
            .push_bind(patient.creatinine)
            .push_bind(patient.hba1c)
            .push_bind(patient.haemoglobin);
    });
    insert
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn the_database_holds_every_patient_once() {
        let folder = tempfile::tempdir().unwrap();
        let descriptor = write_hospital(folder.path(), "north", 3, 1_201, &Terms::default())
            .await
            .unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("hospital.db"));
        let mut database = options.read_only(true).connect().await.unwrap();
        let query = "SELECT COUNT(DISTINCT national_number) FROM patient JOIN stay ON stay.patient = patient.id";
        let (count,): (i64,) = sqlx::query_as(query)
            .fetch_one(&mut database)
            .await
            .unwrap();
        assert_eq!(count, 1_201);
        let descriptor = std::fs::read_to_string(descriptor).unwrap();
        assert!(descriptor.contains("name = \"north\"\n"), "{descriptor}");
    }
}
