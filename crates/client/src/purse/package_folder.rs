//! What is kept of one package.

use std::path::{Path, PathBuf};

use medshare_protocol::id::PackageId;
use medshare_protocol::wire::SignedRequest;

use super::{PurseError, make_folder, write_whole};

/// The folder of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFolder {
    id: PackageId,
    path: PathBuf,
}

impl PackageFolder {
    pub(super) fn new(id: PackageId, packages: &Path) -> Self {
        Self {
            id,
            path: packages.join(id.to_string()),
        }
    }

    /// The package.
    #[must_use]
    pub const fn id(&self) -> PackageId {
        self.id
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The package file.
    #[must_use]
    pub fn container(&self) -> PathBuf {
        self.path.join("package.mds")
    }

    /// Whether the package file is there.
    #[must_use]
    pub fn is_downloaded(&self) -> bool {
        self.container().is_file()
    }

    /// Reports and receipts.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// Outputs that are held back.
    #[must_use]
    pub fn outputs(&self) -> PathBuf {
        self.path.join("outputs")
    }

    /// Writes a file in one of its folders, whole or not at all.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PurseError> {
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        write_whole(path, bytes)
    }

    fn request_path(&self) -> PathBuf {
        self.path.join("request.json")
    }

    /// Keeps the signed request, so that it can be handed in again.
    ///
    /// # Errors
    /// [`PurseError::Disk`].
    pub fn save_request(&self, request: &SignedRequest) -> Result<(), PurseError> {
        let text = serde_json::to_vec_pretty(request).expect("a request is plain data");
        write_whole(&self.request_path(), &text)
    }

    /// The signed request, where it was kept.
    ///
    /// # Errors
    /// [`PurseError::Disk`], also when the file is not readable as a request.
    pub fn request(&self) -> Result<Option<SignedRequest>, PurseError> {
        let path = self.request_path();
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| PurseError::Disk {
                    path,
                    error: error.into(),
                }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PurseError::Disk { path, error }),
        }
    }
}
