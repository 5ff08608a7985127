//! Open data as a folder with one file (P18): what programs do to the file is what they do to the data.
//!
//! | the kernel says | the usage contract is asked for |
//! |---|---|
//! | `open` for reading | read, once per open |
//! | `write`, `truncate` | write |
//! | `unlink` | delete |
//! | `link`, `copy_file_range` into another file | duplicate |
//! | `rename` | move |
//!
//! A violation fails with EACCES and closes the data; from then on every call fails so. Nothing stands in the kernel's
//! page cache: files are opened for direct I/O, so wiping the agent's memory wipes all there is. Second files that
//! programs make here live in memory too, and are wiped with the data.

mod answer;
mod file_system;
mod folder;
mod second_files;

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fuser::{BackgroundSession, Config, MountOption, Session, SessionACL};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::agent::Agent;
use folder::DataFolder;

/// Where the kernel's side is reached.
const DEVICE: &str = "/dev/fuse";

/// Calls that are carried out at once; more wait.
const MAX_CALLS: u32 = 1_024;

/// How long programs have to leave a folder that goes.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks whether they have.
const PAUSE: Duration = Duration::from_millis(10);

/// Why the folder is not there.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// No FUSE on this machine.
    #[error(
        "this machine has no {DEVICE}, so the data cannot be mounted: use `medshare act` instead"
    )]
    NoFuse,
    /// The folder is not one that can be mounted on.
    #[error("{path} is no empty folder: make one and mount there")]
    NotAnEmptyFolder {
        /// What was given.
        path: PathBuf,
    },
    /// The kernel or `fusermount3` refused.
    #[error(
        "cannot mount at {path}: {error}; unless you are root, the package fuse3 must be installed; or use `medshare act` instead"
    )]
    Refused {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Something holds the folder.
    #[error("cannot unmount: {0}; leave the folder and close its files")]
    Busy(std::io::Error),
}

/// A mounted folder; unmounted when this is dropped.
#[derive(Debug)]
pub struct Mount {
    at: PathBuf,
    session: BackgroundSession,
    calls: Arc<Semaphore>,
}

impl Mount {
    /// Shows the data of `agent` in the empty folder `at`. Must be called within a Tokio runtime, which carries out
    /// what the kernel asks for.
    ///
    /// # Errors
    /// [`MountError`].
    pub fn new(agent: &Agent, at: &Path) -> Result<Self, MountError> {
        let not_empty = || MountError::NotAnEmptyFolder {
            path: at.to_owned(),
        };
        let mut entries = std::fs::read_dir(at).map_err(|_| not_empty())?;
        if entries.next().is_some() {
            return Err(not_empty());
        }
        if !Path::new(DEVICE).exists() {
            return Err(MountError::NoFuse);
        }
        let calls = Arc::new(Semaphore::new(MAX_CALLS as usize));
        let folder = DataFolder::new(agent.clone(), Handle::current(), Arc::clone(&calls));
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::FSName("medshare".into()),
            MountOption::Subtype("medshare".into()),
            MountOption::NoDev,
            MountOption::NoSuid,
            MountOption::NoExec,
            // The kernel keeps other users out; of the owner's calls it checks the modes.
            MountOption::DefaultPermissions,
        ];
        let session = fuser::spawn_mount(folder, at, &config);
        session
            .map(|session| Self {
                at: at.to_owned(),
                session,
                calls,
            })
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => MountError::NoFuse,
                _ => MountError::Refused {
                    path: at.to_owned(),
                    error,
                },
            })
    }

    /// Returns once the calls that are under way have their answers: a program whose call closed the data is told so,
    /// and not that the folder has gone.
    pub async fn settled(&self) {
        // The semaphore is never closed, so that there is nothing to handle.
        let _ = self.calls.acquire_many(MAX_CALLS).await;
    }

    /// Unmounts. Programs have a moment to leave; after that the folder goes without them, and what they still hold of
    /// it fails.
    ///
    /// # Errors
    /// [`MountError::Busy`].
    pub fn end(self) -> Result<(), MountError> {
        match self.session.umount_and_join() {
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
                leave(&self.at).map_err(|error| MountError::Busy(error.into()))
            }
            ended => ended.map_err(MountError::Busy),
        }
    }
}

/// Shows the data of `agent` where `device`, a descriptor of /dev/fuse, has been mounted: in a sandbox. It is served
/// until the mount goes. Must be called within a Tokio runtime.
///
/// # Errors
/// When the kernel does not speak to us.
pub(crate) fn serve(agent: &Agent, device: OwnedFd) -> std::io::Result<()> {
    let calls = Arc::new(Semaphore::new(MAX_CALLS as usize));
    let folder = DataFolder::new(agent.clone(), Handle::current(), calls);
    let config = Config::default();
    Session::from_fd(folder, device, SessionACL::Owner, config)?
        .spawn()
        .map(drop)
}

/// Unmounts what is still in use. The session's thread ends with the last program that leaves; nobody waits for that.
fn leave(at: &Path) -> Result<(), Errno> {
    let until = Instant::now() + PATIENCE;
    loop {
        match unmount(at, UnmountFlags::empty()) {
            // The kernel lets go of a path only after the call on it was answered.
            Err(Errno::BUSY) if Instant::now() < until => std::thread::sleep(PAUSE),
            Err(Errno::BUSY) => return unmount(at, UnmountFlags::DETACH),
            ended => return ended,
        }
    }
}
