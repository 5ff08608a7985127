//! Whether the package file is whole, before anything is reported: who cannot read a package must not be on record as
//! having opened it, nor be locked out by a lease that is of no use.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use medshare_protocol::id::{ContainerHash, PackageId};
use medshare_protocol::package::{PackageError, SignedHeader, container_length};

use super::OpenError;
use crate::api::ApiError;
use crate::download::{Stamp, check_hash};
use crate::requestor::Requestor;

/// Length by the header, and sha256d by what the node says of the container, where it says it. The file is read for that
/// once: then it has a stamp, which comes back.
pub(super) async fn check(
    requestor: &Requestor,
    header: &SignedHeader,
    container: &Path,
    file: &File,
    progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<Option<Stamp>, OpenError> {
    let disk = |error| OpenError::Disk {
        path: container.to_owned(),
        error,
    };
    let (expected, actual) = (
        container_length(header),
        file.metadata().map_err(disk)?.len(),
    );
    if actual != expected {
        let reason = format!("it has {actual} bytes instead of {expected}");
        return Err(damaged(container, reason));
    }
    let Some(announced) = announced(requestor, header.header.package_id()).await? else {
        return Ok(None);
    };
    let file = file.try_clone().map_err(disk)?;
    let checked = check_hash(file, container, announced, progress).await;
    match checked.map_err(disk)? {
        Some(stamp) => Ok(Some(stamp)),
        None => {
            let reason = "its bytes are not those that the node announced".into();
            Err(damaged(container, reason))
        }
    }
}

/// What the node answers to the request: the hash of the container. A node that refuses to say leaves the judgement to
/// the authenticated decryption.
async fn announced(
    requestor: &Requestor,
    package: PackageId,
) -> Result<Option<ContainerHash>, OpenError> {
    match requestor.node.status(package, 0, Duration::ZERO).await {
        Ok(status) if status.id == package => Ok(status.package.map(|ready| ready.container_hash)),
        Ok(_) | Err(ApiError::Refused { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A file that ends within the header says so in words of its own.
pub(super) fn of_header(container: &Path, error: PackageError) -> OpenError {
    let is_empty = || container.metadata().is_ok_and(|file| file.len() == 0);
    match error {
        PackageError::Unreadable(error) if error.kind() == ErrorKind::UnexpectedEof => {
            damaged(container, "it ends within its header".into())
        }
        PackageError::NotAPackage if is_empty() => damaged(container, "it is empty".into()),
        error => error.into(),
    }
}

fn damaged(container: &Path, reason: String) -> OpenError {
    OpenError::Damaged {
        path: container.to_owned(),
        reason,
    }
}
