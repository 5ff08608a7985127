//! The two files of a release: the table as CSV, and a JSON certificate that holds the table's hash.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::B256;
use medshare_anonymiser::{Ranking, Report, Table};
use medshare_protocol::digest::sha256;
use medshare_protocol::id::DatasetId;
use serde::{Deserialize, Serialize};

use super::{Release, ReleaseError};

/// Where the files of one release are.
#[derive(Clone)]
pub(super) struct Files {
    table: PathBuf,
    certificate: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Certificate {
    version: B256,
    table_sha256: B256,
    report: Report,
    ranking: Ranking,
}

impl Files {
    /// The names change with the plan, so a changed descriptor never meets an old release.
    pub(super) fn of(folder: &Path, dataset: DatasetId, plan: B256) -> Self {
        let stem = format!("{}-{}", hex::encode(&dataset.as_slice()[..16]), hex::encode(&plan[..8]));
        Self {
            table: folder.join(format!("{stem}.csv")),
            certificate: folder.join(format!("{stem}.json")),
        }
    }

    /// The release, if it was written completely.
    pub(super) fn read(&self) -> Result<Option<Release>, ReleaseError> {
        let certificate = match fs::read(&self.certificate) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file_error(&self.certificate, source)),
        };
        let certificate: Certificate = serde_json::from_slice(&certificate)
            .map_err(|error| changed(&self.certificate, error.to_string()))?;
        let bytes = fs::read(&self.table).map_err(|source| file_error(&self.table, source))?;
        if sha256(&[&bytes]) != certificate.table_sha256 {
            return Err(changed(&self.table, "its sha256 is not the one in the certificate".into()));
        }
        let table = Table::from_csv(&bytes, b',')?;
        Ok(Some(Release {
            table: Arc::new(table),
            version: certificate.version,
            report: certificate.report,
            ranking: certificate.ranking,
        }))
    }

    /// Writes the table first: a certificate is there only when everything is.
    pub(super) fn write(&self, release: &Release) -> Result<(), ReleaseError> {
        let csv = release.table.to_csv();
        let certificate = Certificate {
            version: release.version,
            table_sha256: sha256(&[&csv]),
            report: release.report.clone(),
            ranking: release.ranking.clone(),
        };
        let certificate = serde_json::to_vec_pretty(&certificate).expect("reports are JSON");
        let folder = self.table.parent().expect("`of` joined it to a folder");
        fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
        // While the table changes there must be no certificate that speaks of the old one.
        match fs::remove_file(&self.certificate) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(file_error(&self.certificate, error));
            }
            _ => {}
        }
        for (path, bytes) in [(&self.table, &csv), (&self.certificate, &certificate)] {
            write_whole(path, bytes).map_err(|source| file_error(path, source))?;
        }
        Ok(())
    }
}

/// Either the whole file is there under its name, or none of it.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().expect("`Files::of` joined it to a folder");
    let unfinished = path.with_extension("unfinished");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

fn file_error(path: &Path, source: std::io::Error) -> ReleaseError {
    ReleaseError::File { path: path.to_owned(), source }
}

fn changed(path: &Path, reason: String) -> ReleaseError {
    ReleaseError::Changed { path: path.to_owned(), reason }
}
