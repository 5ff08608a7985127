//! Open data as a folder with one file (P18): what programs do to the file is what they do to the data.
//!
//! SPEC §5.2 says which call is which action. A violation fails with EACCES and closes the data; from then on every call
//! fails so. Reading and writing are judged when they begin, and then reported together (`crate::handle`).
//!
//! The kernel keeps pages that were read, so that programs can map the file and what is read often costs no call. It asks
//! for the file's length each second at the latest, without which it gives out no page. When the data is closed, for
//! whatever reason, the kernel is told to forget the pages of every file here, and a program that touches a mapping of one
//! dies of SIGBUS. Second files that programs make here live in memory, and are wiped with the data.

mod ahead;
mod answer;
mod contents;
mod duplicates;
mod file_system;
mod folder;
mod insiders;
mod names;
mod open_files;
mod second_files;
mod watching;

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
use tokio::task::JoinHandle;

use crate::agent::Agent;
use ahead::Ahead;
use folder::DataFolder;
pub(crate) use insiders::Insiders;

/// Where the kernel's side is reached.
const DEVICE: &str = "/dev/fuse";

/// Calls that are carried out at once; more wait.
const MAX_CALLS: u32 = 1_024;
/// Threads that take the kernel's calls. The bench of the mount compares with a mount that has as many.
pub const THREADS: usize = 2;

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
    /// The descriptor is none of a mounted file system.
    #[error(
        "the data cannot be served on the given /dev/fuse: {0}; mount it first, and pass it on once"
    )]
    NotServed(std::io::Error),
    /// Something holds the folder.
    #[error("cannot unmount: {0}; leave the folder and close its files")]
    Busy(std::io::Error),
}

/// A folder that shows the data. When this is dropped the data is closed, and the folder unmounted.
#[derive(Debug)]
pub struct Mount {
    agent: Agent,
    /// Where this process has mounted it; nothing where another did.
    at: Option<PathBuf>,
    session: Option<BackgroundSession>,
    calls: Arc<Semaphore>,
    /// Ends once the data is closed and the kernel has forgotten it.
    forgetting: JoinHandle<()>,
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
        let refused = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => MountError::NoFuse,
            _ => MountError::Refused {
                path: at.to_owned(),
                error,
            },
        };
        let mut config = config();
        // A descriptor for each thread. One that comes from another user namespace cannot be cloned.
        config.clone_fd = true;
        config.mount_options = vec![
            MountOption::FSName("medshare".into()),
            MountOption::Subtype("medshare".into()),
            MountOption::NoDev,
            MountOption::NoSuid,
            MountOption::NoExec,
            // The kernel keeps other users out; of the owner's calls it checks the modes.
            MountOption::DefaultPermissions,
        ];
        Self::begin(agent, Some(at.to_owned()), None, |folder| {
            Session::new(folder, at, &config)
        })
        .map_err(refused)
        .inspect(|_| agent.shown_at(at.to_owned()))
    }

    /// Shows the data of `agent` through `device`, a `/dev/fuse` that somebody has mounted already: a sandbox does, in a
    /// mount namespace that this process is not in. Nobody but `insiders` opens anything there. Whoever mounted it unmounts it. Waits for the kernel's first word,
    /// which a mounted device has ready. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`MountError::NotServed`].
    pub(crate) fn serve(
        agent: &Agent,
        device: OwnedFd,
        insiders: Insiders,
    ) -> Result<Self, MountError> {
        Self::begin(agent, None, Some(insiders), |folder| {
            Session::from_fd(folder, device, SessionACL::Owner, config())
        })
        .map_err(MountError::NotServed)
    }

    fn begin(
        agent: &Agent,
        at: Option<PathBuf>,
        insiders: Option<Insiders>,
        session: impl FnOnce(DataFolder) -> std::io::Result<Session<DataFolder>>,
    ) -> std::io::Result<Self> {
        let calls = Arc::new(Semaphore::new(MAX_CALLS as usize));
        let folder = DataFolder::new(agent.clone(), insiders, Handle::current(), &calls);
        let inside = Arc::clone(&folder.inside);
        let session = session(folder)?;
        let notifier = session.notifier();
        Ahead::start(&inside, session.notifier())?;
        tokio::spawn(watching::keep_account(Arc::clone(&inside)));
        Ok(Self {
            session: Some(session.spawn()?),
            forgetting: tokio::spawn(watching::forget(inside, notifier)),
            agent: agent.clone(),
            at,
            calls,
        })
    }

    /// Returns once the data is closed, the kernel has forgotten it, and the calls that are under way have their answers:
    /// a program whose call closed the data is told so, and not that the folder has gone.
    pub async fn settled(&mut self) {
        // Neither is ever cancelled or closed, so that there is nothing to handle.
        if !self.forgetting.is_finished() {
            let _ = (&mut self.forgetting).await;
        }
        let _ = self.calls.acquire_many(MAX_CALLS).await;
    }

    /// Closes the data and unmounts. Programs have a moment to leave; after that the folder goes without them, and what
    /// they still hold of it fails.
    ///
    /// # Errors
    /// [`MountError::Busy`].
    pub async fn end(mut self) -> Result<(), MountError> {
        self.agent.close();
        self.settled().await;
        let (session, at) = (self.session.take(), self.at.take());
        let (Some(session), Some(at)) = (session, at) else {
            // It ends with whoever mounted it.
            return Ok(());
        };
        let unmounting = tokio::task::spawn_blocking(move || match session.umount_and_join() {
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
                leave(&at).map_err(std::io::Error::from)
            }
            ended => ended,
        });
        unmounting
            .await
            .map_err(std::io::Error::other)
            .flatten()
            .map_err(MountError::Busy)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.agent.close();
    }
}

fn config() -> Config {
    let mut config = Config::default();
    config.n_threads = Some(THREADS);
    config
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
