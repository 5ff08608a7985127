//! What the command writes: a folder in this process's memory, served through FUSE. Nothing of it is on a disk that the
//! agent does not put there, and all of it is wiped.

mod file_system;
mod node;
mod tree;

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, Session, SessionACL};
use zeroize::Zeroizing;

use crate::hidden::Keeper;
use crate::mount::Insiders;
use file_system::Served;
pub(super) use node::Trouble;
pub use tree::MAX_OUTPUT_BYTES;
use tree::Tree;
pub(super) use tree::{ROOT, is_plain};

/// Bytes that are read from a pipe at once.
const PIPE_BYTES: usize = 64 * 1024;

/// The folder. Clones are the same one.
#[derive(Clone)]
pub(super) struct Scratch {
    tree: Arc<Mutex<Tree>>,
}

impl Scratch {
    /// What is written is kept by `keeper`.
    pub(super) fn new(keeper: Arc<Keeper>) -> Self {
        Self {
            tree: Arc::new(Mutex::new(Tree::new(keeper))),
        }
    }

    pub(super) fn tree(&self) -> MutexGuard<'_, Tree> {
        // A panic while it was held leaves a file half written, as a crash of the writing program would.
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves it to `insiders` on a descriptor of /dev/fuse that is mounted somewhere. The session ends with the mount.
    pub(super) fn serve(
        &self,
        device: OwnedFd,
        insiders: Insiders,
    ) -> io::Result<BackgroundSession> {
        let served = Served::new(self.clone(), insiders);
        Session::from_fd(served, device, SessionACL::Owner, Config::default())?.spawn()
    }

    /// A file of the folder that takes what comes out of `pipe`. Beyond the limit it takes nothing more, and whoever
    /// writes is told so (EPIPE).
    pub(super) fn take(&self, name: &str, mut pipe: impl Read) -> Result<(), Trouble> {
        let file = self.tree().create(ROOT, OsStr::new(name), false)?;
        let mut buffer = Zeroizing::new(vec![0; PIPE_BYTES]);
        let mut length = 0;
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    self.tree().write(file, length, &buffer[..read])?;
                    length += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Trouble::NotThere),
            }
        }
    }

    /// Wipes it; nothing can be written any more.
    pub(super) fn wipe(&self) {
        self.tree().wipe();
    }
}
