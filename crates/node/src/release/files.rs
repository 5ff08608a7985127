//! The files of a release: the table as CSV, a JSON certificate, and the sha256 of both, in the form that
//! `sha256sum --check` reads.

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
    hashes: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Certificate {
    version: B256,
    report: Report,
    ranking: Ranking,
}

impl Files {
    /// The names change with the plan, so a changed descriptor never meets an old release.
    pub(super) fn of(folder: &Path, dataset: DatasetId, plan: B256) -> Self {
        let stem = format!(
            "{}-{}",
            hex::encode(&dataset.as_slice()[..16]),
            hex::encode(&plan[..8])
        );
        let file = |extension: &str| folder.join(format!("{stem}.{extension}"));
        Self {
            table: file("csv"),
            certificate: file("json"),
            hashes: file("sha256"),
        }
    }

    /// The release, if it was written completely.
    pub(super) fn read(&self) -> Result<Option<Release>, ReleaseError> {
        let folder = self.folder();
        let _alone = match alone_in(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            alone => alone.map_err(|source| file_error(folder, source))?,
        };
        let hashes = match fs::read_to_string(&self.hashes) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file_error(&self.hashes, source)),
        };
        let mut bytes = Vec::new();
        for (path, line) in [&self.table, &self.certificate]
            .into_iter()
            .zip(hashes.lines())
        {
            let content = fs::read(path).map_err(|source| file_error(path, source))?;
            if line != hash_line(path, &content) {
                let reason = format!("its sha256 is not the one in {}", self.hashes.display());
                return Err(changed(path, reason));
            }
            bytes.push(content);
        }
        let [table, certificate] = bytes
            .try_into()
            .map_err(|_| changed(&self.hashes, "it has not two lines".into()))?;
        let certificate: Certificate = serde_json::from_slice(&certificate)
            .map_err(|error| changed(&self.certificate, error.to_string()))?;
        Ok(Some(Release {
            table: Arc::new(Table::from_csv(&table, b',')?),
            version: certificate.version,
            report: certificate.report,
            ranking: certificate.ranking,
        }))
    }

    /// Writes the hashes last: they are there only when everything is.
    pub(super) fn write(&self, release: &Release) -> Result<(), ReleaseError> {
        let table = release.table.to_csv();
        let certificate = Certificate {
            version: release.version,
            report: release.report.clone(),
            ranking: release.ranking.clone(),
        };
        let certificate = serde_json::to_vec_pretty(&certificate).expect("reports are JSON");
        let hashes = [
            hash_line(&self.table, &table),
            hash_line(&self.certificate, &certificate),
        ];
        let hashes = hashes.join("\n") + "\n";
        let folder = self.folder();
        let _alone = fs::create_dir_all(folder)
            .and_then(|()| alone_in(folder))
            .map_err(|source| file_error(folder, source))?;
        // While the others change there must be no hashes that speak of the old ones.
        match fs::remove_file(&self.hashes) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(file_error(&self.hashes, error));
            }
            _ => {}
        }
        for (path, bytes) in [
            (&self.table, table.as_slice()),
            (&self.certificate, certificate.as_slice()),
            (&self.hashes, hashes.as_bytes()),
        ] {
            write_whole(path, bytes).map_err(|source| file_error(path, source))?;
        }
        Ok(())
    }

    fn folder(&self) -> &Path {
        self.table.parent().expect("`of` joined it to a folder")
    }
}

/// Nobody else reads or writes releases in `folder` until this is dropped: a node that goes may still be writing when the
/// next one starts.
fn alone_in(folder: &Path) -> std::io::Result<File> {
    let folder = File::open(folder)?;
    folder.lock()?;
    Ok(folder)
}

fn hash_line(path: &Path, content: &[u8]) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{}  {name}", hex::encode(sha256(&[content])))
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
    ReleaseError::File {
        path: path.to_owned(),
        source,
    }
}

fn changed(path: &Path, reason: String) -> ReleaseError {
    ReleaseError::Changed {
        path: path.to_owned(),
        reason,
    }
}
