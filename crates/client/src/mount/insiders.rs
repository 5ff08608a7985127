//! Who may open what is mounted in a sandbox: the processes in it. To the sandbox's user the mounts are open from elsewhere as
//! well, by way of `/proc/PID/root`, `/proc/PID/cwd` and `/proc/PID/fd`; the kernel tells who asks.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use fuser::{Errno, Request};

/// The processes of a PID namespace, which nothing in it can leave. Clones are the same ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Insiders {
    /// As the kernel names it. Until it is there, there is nobody inside and nothing to open.
    namespace: Arc<OnceLock<PathBuf>>,
}

impl Insiders {
    /// From here on, those in the namespace that the children of this process are in.
    ///
    /// # Errors
    /// When it is not there any more.
    pub(crate) fn are_children_of(&self, process: u32) -> io::Result<()> {
        let namespace = namespace(process, "pid_for_children")?;
        self.namespace
            .set(namespace)
            .map_err(|_| io::Error::new(io::ErrorKind::AlreadyExists, "the sandbox stands already"))
    }

    /// Lets a caller from inside pass. One that has ended, or may not be looked at, is not known to be inside.
    ///
    /// # Errors
    /// [`Errno::EACCES`].
    pub(crate) fn admit(&self, request: &Request) -> Result<(), Errno> {
        let inside = self.namespace.get();
        let from = inside.and_then(|_| namespace(request.pid(), "pid").ok());
        if from.is_some() && from.as_ref() == inside {
            return Ok(());
        }
        tracing::debug!(
            pid = request.pid(),
            "a process that is not inside was refused"
        );
        Err(Errno::EACCES)
    }
}

fn namespace(process: u32, kind: &str) -> io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/{process}/ns/{kind}"))
}
