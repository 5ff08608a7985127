//! Outputs that wait for the custodian's release (P18, SPEC §5.3): kept sealed until the node has them, fetched once they
//! are released. What is here in the meantime cannot be opened here.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256};
use medshare_protocol::id::PackageId;
use medshare_protocol::output::{OutputError, OutputFiles};
use medshare_protocol::typed::Domain;
use medshare_protocol::wire::{HeldOutput, SignedDecision};
use serde::{Deserialize, Serialize};

use crate::api::{ApiError, NodeApi};
use crate::purse::{PackageFolder, PurseError};
use crate::requestor::Requestor;

/// What this machine knows of an output that it gave away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAway {
    /// Number of the report that told of it.
    pub number: u32,
    /// sha256d of its sealed bytes.
    pub output: B256,
    /// The package's node: whose decision counts.
    pub node: Address,
    /// The deployment, by its chain and its contract.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
}

/// Why an output is not here, or not there.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// The node.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// This machine's disk.
    #[error(transparent)]
    Purse(#[from] PurseError),
    /// What was released cannot be opened, or what was written cannot be packed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Nothing is known of it.
    #[error(
        "no output {number} of {package} was given away from here: `medshare outputs list {package}` shows those that were"
    )]
    Unknown {
        /// The package.
        package: PackageId,
        /// The number that was asked for.
        number: u32,
    },
    /// Nobody has decided.
    #[error("the custodian has not decided about the output {0} yet")]
    Waits(u32),
    /// It is not released.
    #[error("the custodian does not release the output {number}: {reason}")]
    NotReleased {
        /// Its number.
        number: u32,
        /// The custodian's reason.
        reason: String,
    },
    /// The decision is not the package's node's, or about something else.
    #[error(
        "the decision about the output {0} does not hold: it is not signed by the package's node for this output; tell the custodian"
    )]
    BadDecision(u32),
    /// A file or folder cannot be made.
    #[error("cannot write {path}: {error}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

fn known_path(folder: &PackageFolder, number: u32) -> PathBuf {
    folder.outputs().join(format!("{number}.json"))
}

fn sealed_path(folder: &PackageFolder, number: u32) -> PathBuf {
    folder.outputs().join(format!("{number}.sealed"))
}

/// Keeps sealed bytes until the node has them.
///
/// # Errors
/// [`HeldError::Purse`].
pub fn keep(folder: &PackageFolder, known: &GivenAway, sealed: &[u8]) -> Result<(), HeldError> {
    let text = serde_json::to_vec_pretty(known).expect("it is plain data");
    folder.write(&sealed_path(folder, known.number), sealed)?;
    folder.write(&known_path(folder, known.number), &text)?;
    Ok(())
}

/// All that were given away from here, in the order of their numbers, and whether the node has them.
///
/// # Errors
/// [`HeldError::Purse`].
pub fn given_away(folder: &PackageFolder) -> Result<Vec<(GivenAway, bool)>, HeldError> {
    let disk = |path: PathBuf| move |error| PurseError::Disk { path, error };
    let names = match std::fs::read_dir(folder.outputs()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        names => names.map_err(disk(folder.outputs()))?,
    };
    let mut all = Vec::new();
    for entry in names {
        let path = entry.map_err(disk(folder.outputs()))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let known = read_known(&path)?;
            let is_sent = !sealed_path(folder, known.number).exists();
            all.push((known, is_sent));
        }
    }
    all.sort_by_key(|(known, _)| known.number);
    Ok(all)
}

fn read_known(path: &Path) -> Result<GivenAway, PurseError> {
    let read = std::fs::read(path)
        .and_then(|text| serde_json::from_slice(&text).map_err(std::io::Error::from));
    read.map_err(|error| PurseError::Disk {
        path: path.to_owned(),
        error,
    })
}

/// Sends an output that waits here, and keeps no byte of it. May be repeated.
///
/// # Errors
/// [`HeldError`]; it waits on then.
pub async fn send(node: &NodeApi, folder: &PackageFolder, number: u32) -> Result<(), HeldError> {
    let path = sealed_path(folder, number);
    let disk = |error| PurseError::Disk {
        path: path.clone(),
        error,
    };
    let sealed = match tokio::fs::read(&path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        sealed => sealed.map_err(disk)?,
    };
    node.put_output(folder.id(), number, sealed).await?;
    tokio::fs::remove_file(&path).await.map_err(disk)?;
    Ok(())
}

/// Fetches a released output: first the decision, which must be that of the package's node about this very output.
///
/// # Errors
/// [`HeldError`].
pub async fn fetch(
    requestor: &Requestor,
    folder: &PackageFolder,
    number: u32,
) -> Result<OutputFiles, HeldError> {
    let package = folder.id();
    let path = known_path(folder, number);
    if !path.exists() {
        return Err(HeldError::Unknown { package, number });
    }
    let known = read_known(&path)?;
    let outputs = requestor.node.outputs(package).await?;
    let decision = outputs
        .into_iter()
        .find(|held: &HeldOutput| held.number == number)
        .and_then(|held| held.decision)
        .ok_or(HeldError::Waits(number))?;
    check(package, &known, &decision)?;
    if !decision.decision.released {
        let reason = decision.decision.reason;
        return Err(HeldError::NotReleased { number, reason });
    }
    let sealed = requestor.node.output(package, number).await?;
    let secret = requestor.sealing.clone();
    Ok(OutputFiles::open_released(
        &sealed, &secret, package, number,
    )?)
}

fn check(package: PackageId, known: &GivenAway, signed: &SignedDecision) -> Result<(), HeldError> {
    let decision = &signed.decision;
    let about = (decision.package, decision.number, decision.output);
    let domain = Domain::new(known.chain_id, known.contract);
    let holds = about == (package.0, known.number, known.output)
        && domain.is_signed_by(decision, &signed.signature, known.node);
    match holds {
        true => Ok(()),
        false => Err(HeldError::BadDecision(known.number)),
    }
}

/// Writes files into the new folder `to`, for its owner alone; nothing that is there is replaced. The paths lead nowhere
/// else: their names have been looked at.
///
/// # Errors
/// [`HeldError::Folder`].
pub fn write_folder<'a>(
    to: &Path,
    files: impl IntoIterator<Item = (&'a Path, impl Read)>,
) -> Result<(), HeldError> {
    make_folder(to)?;
    for (path, mut content) in files {
        let path = to.join(path);
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| std::io::copy(&mut content, &mut file));
        written.map_err(|error| HeldError::Folder { path, error })?;
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), HeldError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| HeldError::Folder {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests;
