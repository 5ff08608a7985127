//! Fetches a package (P16). A download that was cut goes on where it was; a file under its final name is whole.

mod stamp;

use std::fs::File as StdFile;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use medshare_protocol::digest::Sha256d;
use medshare_protocol::id::{ContainerHash, PackageId};
use medshare_protocol::wire::PackageReady;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

use crate::api::{ApiError, NodeApi};

pub use stamp::stamp_of;
pub(crate) use stamp::{Identity, Stamp};

/// How often a broken download is taken up again before it is left for later.
pub const RESUMPTIONS: u32 = 5;
/// Bytes that are hashed at once.
const HASH_BUFFER_BYTES: usize = 256 * 1024;

/// Why a package did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The node or the network; what came so far is kept.
    #[error("the download stopped ({0}); repeat the command, it goes on where it stopped")]
    Api(#[from] ApiError),
    /// The disk.
    #[error("cannot write {path}: {error}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The node sent more bytes than it announced.
    #[error("the node sent more than the {0} bytes that it announced; nothing was kept")]
    TooLong(u64),
    /// Everything came, and it is not what was announced.
    #[error(
        "the downloaded file is not the package that the node announced (expected {expected}, got {actual}); it was deleted; download again, and tell the custodian if it happens again"
    )]
    WrongContainer {
        /// Announced.
        expected: ContainerHash,
        /// Of the file.
        actual: ContainerHash,
    },
}

/// Downloads the package `id` to `target`. Bytes go to `target` with `.part` appended until all of them are there and
/// have the announced hash; then they are synced to disk and renamed, and a stamp beside the file says that it was
/// checked. `progress` gets bytes done and in all.
///
/// # Errors
/// [`DownloadError`]; `target` is then not there, or is what it was.
pub async fn download(
    node: &NodeApi,
    id: PackageId,
    ready: &PackageReady,
    target: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), DownloadError> {
    if is_here(target, ready.container_hash).await {
        progress(ready.length, ready.length);
        return Ok(());
    }
    let part = part_of(target);
    let disk = |error| DownloadError::Disk {
        path: part.clone(),
        error,
    };
    let mut resumptions = 0;
    while let Err(error) = fetch(node, id, ready.length, &part, &mut progress).await {
        match error {
            DownloadError::Api(error) if error.may_pass() && resumptions < RESUMPTIONS => {
                resumptions += 1;
            }
            error => return Err(error),
        }
    }
    let actual = file_hash(&part).await.map_err(disk)?;
    if actual != ready.container_hash {
        fs::remove_file(&part).await.map_err(disk)?;
        return Err(DownloadError::WrongContainer {
            expected: ready.container_hash,
            actual,
        });
    }
    fs::rename(&part, target).await.map_err(disk)?;
    let identity = Identity::of(&fs::metadata(target).await.map_err(disk)?);
    Stamp::new(identity, actual).keep(target);
    sync_folder(target).await.map_err(disk)
}

/// Whether `target` is the package already. The answer is kept, so that the next one is quick.
async fn is_here(target: &Path, expected: ContainerHash) -> bool {
    let Ok(file) = StdFile::open(target) else {
        return false;
    };
    let checked = check_hash(file, target, expected, |_, _| ()).await;
    checked.is_ok_and(|stamp| stamp.is_some())
}

/// Whether sha256d of the open file `file`, which is `path`, is `expected`: by its stamp, or by reading it; then it has a
/// stamp. `progress` gets bytes done and in all, if there is anything to be done.
pub(crate) async fn check_hash(
    file: StdFile,
    path: &Path,
    expected: ContainerHash,
    progress: impl FnMut(u64, u64) + Send + 'static,
) -> std::io::Result<Option<Stamp>> {
    let identity = Identity::of(&file.metadata()?);
    if let Some(stamp) = Stamp::find(path, identity, expected) {
        return Ok(Some(stamp));
    }
    let path = path.to_owned();
    let hashing = tokio::task::spawn_blocking(move || {
        if hash_of(&file, progress)? != expected {
            return Ok(None);
        }
        let stamp = Stamp::new(identity, expected);
        if Identity::of(&file.metadata()?) == identity {
            stamp.keep(&path);
        }
        Ok(Some(stamp))
    });
    hashing.await.map_err(std::io::Error::other)?
}

/// Where the bytes of an unfinished download are.
#[must_use]
pub fn part_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Appends what is missing. Ends well only with exactly `length` bytes in the file, synced.
async fn fetch(
    node: &NodeApi,
    id: PackageId,
    length: u64,
    part: &Path,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(), DownloadError> {
    let disk = |error| DownloadError::Disk {
        path: part.to_owned(),
        error,
    };
    let mut file = open_part(part).await.map_err(disk)?;
    let mut have = file.metadata().await.map_err(disk)?.len();
    if have > length {
        // Of another package, or grown by somebody: begin anew.
        file.set_len(0).await.map_err(disk)?;
        have = 0;
    }
    if have < length {
        let mut stream = node.container(id, have).await?;
        if stream.from() != have {
            file.set_len(stream.from()).await.map_err(disk)?;
            have = stream.from();
        }
        progress(have, length);
        while let Some(chunk) = next_chunk(&mut stream, &mut file).await? {
            let chunk = chunk.as_ref();
            have += chunk.len() as u64;
            if have > length {
                drop(file);
                fs::remove_file(part).await.map_err(disk)?;
                return Err(DownloadError::TooLong(length));
            }
            file.write_all(chunk).await.map_err(disk)?;
            progress(have, length);
        }
    }
    file.flush().await.map_err(disk)?;
    file.sync_all().await.map_err(disk)?;
    if have < length {
        let reason = format!("the connection ended after {have} of {length} bytes");
        return Err(ApiError::Unreachable {
            address: node.address(),
            reason,
        }
        .into());
    }
    Ok(())
}

/// The next bytes; what was written before the connection broke is flushed first, so that it is not asked for twice.
async fn next_chunk(
    stream: &mut crate::api::ContainerStream,
    file: &mut File,
) -> Result<Option<impl AsRef<[u8]> + use<>>, DownloadError> {
    match stream.next().await {
        Ok(chunk) => Ok(chunk),
        Err(error) => {
            // The error that is told is the connection's; a failing flush shows again at the resumption.
            let _ = file.flush().await;
            Err(error.into())
        }
    }
}

async fn open_part(part: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(part)
        .await
}

/// sha256d of a file.
///
/// # Errors
/// What reading says.
pub async fn file_hash(path: &Path) -> std::io::Result<ContainerHash> {
    let path = path.to_owned();
    let hashing = tokio::task::spawn_blocking(move || hash_of(&StdFile::open(path)?, |_, _| ()));
    hashing.await.map_err(std::io::Error::other)?
}

fn hash_of(file: &StdFile, mut progress: impl FnMut(u64, u64)) -> std::io::Result<ContainerHash> {
    let all = file.metadata()?.len();
    let mut hash = Sha256d::default();
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    let mut done = 0;
    loop {
        let read = file.read_at(&mut buffer, done)?;
        if read == 0 {
            return Ok(ContainerHash(hash.finish()));
        }
        hash.update(&buffer[..read]);
        done += read as u64;
        progress(done, all);
    }
}

/// A rename is durable once its folder is synced.
pub(crate) async fn sync_folder(file: &Path) -> std::io::Result<()> {
    match file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder).await?.sync_all().await,
        None => Ok(()),
    }
}
