//! Gives the data back (P19): removes it here, then says so with the wallet's signature. The custodian's `retrieve`
//! on chain waits for that word.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use alloy_primitives::Bytes;
use medshare_protocol::id::PackageId;
use medshare_protocol::typed::Deletion;
use medshare_protocol::wire::DeletionSubmission;

use crate::api::ApiError;
use crate::download::{part_of, stamp_of};
use crate::journal::{Journal, JournalError};
use crate::requestor::{RequestError, Requestor};
use crate::spool::overlay_of;

/// Why the data was not given back.
#[derive(Debug, thiserror::Error)]
pub enum ReturnError {
    /// A file could not be removed; nothing was signed.
    #[error("cannot remove {path}: {error}; nothing was signed")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The package is open; nothing was signed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The wallet.
    #[error(transparent)]
    Signing(#[from] RequestError),
    /// The data is removed, but the node did not take the word.
    #[error(
        "the data was removed from this machine, but the node did not take the signed deletion ({0}); repeat the command"
    )]
    Api(#[from] ApiError),
}

/// Everything that is kept of the data of `container`: what was written over it first, the package itself last.
pub(crate) fn files_of(container: &Path) -> [PathBuf; 4] {
    [
        overlay_of(container),
        stamp_of(container),
        part_of(container),
        container.to_owned(),
    ]
}

/// Removes the package file, what was downloaded of it and what was written over it, signs the deletion and hands it to the node. The journal
/// stays: its receipts are the requestor's proof. May be repeated.
///
/// # Errors
/// [`ReturnError`]. While an agent has the package open it is refused: close it first.
pub async fn return_package(
    requestor: &Requestor,
    package: PackageId,
    container: &Path,
    journal: &Path,
) -> Result<DeletionSubmission, ReturnError> {
    // Held to the end: nobody opens what is being given back.
    let _open = Journal::open(journal)?;
    for path in files_of(container) {
        match tokio::fs::remove_file(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(ReturnError::Disk { path, error });
            }
            _ => {}
        }
    }
    let deletion = Deletion {
        package: package.0,
        time: requestor.clock.wall_ms(),
    };
    let signature: Bytes = requestor.sign(&deletion)?;
    let submission = DeletionSubmission {
        deletion,
        signature,
    };
    requestor.node.delete(package, &submission).await?;
    Ok(submission)
}
