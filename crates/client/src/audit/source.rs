//! Where block records come from.

use std::path::{Path, PathBuf};

use medshare_chain::Chain;
use medshare_protocol::block::MAX_RECORD_BYTES;
use medshare_protocol::id::LeafHash;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::AuditError;
use crate::api::{ApiError, NodeApi, serves};

/// A source of block records, asked by leaf hash: what arrives is verified by what was asked for.
#[derive(Clone, Debug)]
pub enum BlockSource {
    /// A node's HTTP interface.
    Node(NodeApi),
    /// A folder with one record a file, named by the leaf hash: 64 hexadecimal digits and `.block`.
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

    /// Its name in reports.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Node(api) => api.address(),
            Self::Directory(path) => path.display().to_string(),
        }
    }

    /// The file name of a record in a folder.
    #[must_use]
    pub fn file_name(leaf: LeafHash) -> String {
        format!("{:x}.block", leaf.0)
    }

    /// Whether it can be asked about this deployment at all.
    pub(super) async fn check(&self, chain: &Chain) -> Result<(), AuditError> {
        match self {
            Self::Node(api) => {
                let info = api.info().await?;
                if serves(&info, chain.chain_id(), chain.contract()) {
                    return Ok(());
                }
                Err(AuditError::OtherDeployment {
                    address: api.address(),
                    node_contract: info.contract,
                    node_chain: info.chain_id,
                    contract: chain.contract(),
                    chain: chain.chain_id(),
                })
            }
            Self::Directory(path) => match tokio::fs::metadata(path).await {
                Ok(found) if found.is_dir() => Ok(()),
                Ok(_) => Err(folder_error(path, "it is no folder")),
                Err(error) => Err(folder_error(path, &error.to_string())),
            },
        }
    }

    /// The record with this leaf; nothing when the source has none. Never much more than a record's length.
    pub(super) async fn fetch(&self, leaf: LeafHash) -> Result<Option<Vec<u8>>, AuditError> {
        match self {
            Self::Node(api) => Ok(api.block(leaf).await?),
            Self::Directory(path) => read_bounded(&path.join(Self::file_name(leaf))).await,
        }
    }
}

/// The file, or its beginning when it is longer than any record: it is refused for its length then.
async fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, AuditError> {
    let file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(folder_error(path, &error.to_string())),
    };
    let mut record = Vec::with_capacity(MAX_RECORD_BYTES + 1);
    file.take(MAX_RECORD_BYTES as u64 + 1)
        .read_to_end(&mut record)
        .await
        .map_err(|error| folder_error(path, &error.to_string()))?;
    Ok(Some(record))
}

fn folder_error(path: &Path, reason: &str) -> AuditError {
    AuditError::Folder {
        path: path.display().to_string(),
        reason: reason.to_owned(),
    }
}
