//! Where block records come from.

use std::future::Future;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use medshare_protocol::block::{MAX_RECORD_BYTES, Place};
use medshare_protocol::id::LeafHash;
use medshare_protocol::typed::Domain;
use rustix::io::Errno;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::AuditError;
use crate::api::{ApiError, NodeApi, serves};

/// Something that serves block records, asked by leaf hash: what arrives is verified by what was asked for.
pub trait Records: Sync {
    /// Its name in reports.
    fn name(&self) -> String;

    /// Whether it can be asked about this deployment at all.
    fn check(&self, domain: &Domain) -> impl Future<Output = Result<(), AuditError>> + Send;

    /// The record with this leaf at this place; nothing when there is none. Never much more than a record's length.
    fn fetch(
        &self,
        leaf: LeafHash,
        place: Place,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, AuditError>> + Send;
}

/// A source of block records.
#[derive(Clone, Debug)]
pub enum BlockSource {
    /// A node's HTTP interface.
    Node(NodeApi),
    /// A folder with one record a file, named by the leaf hash: 64 hexadecimal digits and `.block`. A leaf hash may be
    /// anchored at several places; between the two then stand `-`, the package id, and of a side-block `-` and its height.
    Directory(PathBuf),
}

impl BlockSource {
    /// The node at `url`.
    ///
    /// # Errors
    /// When it is no address of a node.
    pub fn node(url: &str) -> Result<Self, ApiError> {
        NodeApi::new(url).map(Self::Node)
    }

    /// The file name of a record in a folder.
    #[must_use]
    pub fn file_name(leaf: LeafHash) -> String {
        format!("{:x}.block", leaf.0)
    }

    /// The file name of a record in a folder where its leaf hash is anchored at several places.
    #[must_use]
    pub fn file_name_at(leaf: LeafHash, place: Place) -> String {
        let (leaf, package) = (leaf.0, place.package().0);
        match place.height() {
            None => format!("{leaf:x}-{package:x}.block"),
            Some(height) => format!("{leaf:x}-{package:x}-{height}.block"),
        }
    }
}

impl Records for BlockSource {
    fn name(&self) -> String {
        match self {
            Self::Node(api) => api.address(),
            Self::Directory(path) => path.display().to_string(),
        }
    }

    async fn check(&self, domain: &Domain) -> Result<(), AuditError> {
        match self {
            Self::Node(api) => {
                let info = api.info().await?;
                if serves(&info, domain.chain_id(), domain.contract()) {
                    return Ok(());
                }
                Err(AuditError::OtherDeployment {
                    address: api.address(),
                    node_contract: info.contract,
                    node_chain: info.chain_id,
                    contract: domain.contract(),
                    chain: domain.chain_id(),
                })
            }
            Self::Directory(path) => match tokio::fs::metadata(path).await {
                Ok(found) if found.is_dir() => Ok(()),
                Ok(_) => Err(folder_error(path, "it is no folder")),
                Err(error) => Err(folder_error(path, &error.to_string())),
            },
        }
    }

    async fn fetch(&self, leaf: LeafHash, place: Place) -> Result<Option<Vec<u8>>, AuditError> {
        match self {
            Self::Node(api) => Ok(api.block(leaf, place).await?),
            Self::Directory(path) => {
                let named = path.join(Self::file_name_at(leaf, place));
                if let Some(record) = read_bounded(&named).await? {
                    return Ok(Some(record));
                }
                read_bounded(&path.join(Self::file_name(leaf))).await
            }
        }
    }
}

/// The file, or its beginning when it is longer than any record: it is refused for its length then.
async fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, AuditError> {
    // What is read from anything but a file, such as a pipe, may never come: there is no record, and the audit goes on.
    if tokio::fs::metadata(path)
        .await
        .is_ok_and(|found| !found.is_file())
    {
        tracing::error!(path = %path.display(), "what is named like a record is no file");
        return Ok(None);
    }
    match beginning(path).await {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if is_of_this_process(&error) => Err(folder_error(path, &error.to_string())),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "a record cannot be read");
            Ok(None)
        }
    }
}

async fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut record = Vec::with_capacity(MAX_RECORD_BYTES + 1);
    let file = File::open(path).await?.take(MAX_RECORD_BYTES as u64 + 1);
    tokio::io::BufReader::new(file)
        .read_to_end(&mut record)
        .await?;
    Ok(record)
}

/// Whether it says nothing of the file: nobody is to be blamed for what this process lacks.
fn is_of_this_process(error: &std::io::Error) -> bool {
    let own = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| own.contains(&errno))
}

pub(super) fn folder_error(path: &Path, reason: &str) -> AuditError {
    AuditError::Folder {
        path: path.display().to_string(),
        reason: reason.to_owned(),
    }
}
