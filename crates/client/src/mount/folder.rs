//! The folder that the kernel asks about.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use fuser::{Errno, FileType, INodeNo, Notifier, Request};
use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::Action;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::answer::{attributes, errno, lock_errno};
use super::second_files::{self, DATA, SecondFiles};
use crate::agent::Agent;

/// Inode of the folder.
pub(super) const FOLDER: u64 = 1;

/// The folder.
pub(super) struct DataFolder {
    pub(super) agent: Agent,
    pub(super) runtime: Handle,
    pub(super) seconds: Arc<Mutex<SecondFiles>>,
    pub(super) since: SystemTime,
    /// A permit for each call that is under way.
    calls: Arc<Semaphore>,
}

impl DataFolder {
    pub(super) fn new(agent: Agent, runtime: Handle, calls: Arc<Semaphore>) -> Self {
        Self {
            agent,
            runtime,
            seconds: Arc::new(Mutex::new(SecondFiles::beside_the_data())),
            since: SystemTime::now(),
            calls,
        }
    }

    /// Carries a call out on the runtime: no call waits for another's network.
    pub(super) fn answer_later(&self, call: impl Future<Output = ()> + Send + 'static) {
        let calls = Arc::clone(&self.calls);
        self.runtime.spawn(async move {
            let _under_way = calls.acquire_owned().await;
            call.await;
        });
    }

    pub(super) fn files(&self) -> MutexGuard<'_, SecondFiles> {
        second_files::locked(&self.seconds)
    }

    /// Attributes of what is there; of the data only while it is open.
    pub(super) fn look(&self, inode: u64) -> Result<fuser::FileAttr, Errno> {
        let length = match inode {
            FOLDER => return Ok(attributes(FOLDER, FileType::Directory, 0, self.since)),
            DATA => self.agent.length().map_err(|error| errno(&error))?,
            second => self.files().length(second).ok_or(Errno::ENOENT)?,
        };
        Ok(attributes(inode, FileType::RegularFile, length, self.since))
    }

    /// The inode of `name`; calls on a closed folder fail before anything else.
    pub(super) fn find(&self, parent: INodeNo, name: &OsStr) -> Result<u64, Errno> {
        self.check(parent)?;
        self.files().find(name).ok_or(Errno::ENOENT)
    }

    pub(super) fn check(&self, folder: INodeNo) -> Result<(), Errno> {
        if folder.0 != FOLDER {
            return Err(Errno::ENOTDIR);
        }
        match self.agent.lock() {
            Some(lock) => Err(lock_errno(&lock)),
            None => Ok(()),
        }
    }

    /// A report's body about the data, done by the calling program to `file`.
    pub(super) fn body(
        &self,
        action: Action,
        request: &Request,
        file: &OsStr,
        range: (u64, u64),
    ) -> ReportBody {
        ReportBody {
            comment: format!(
                "{action} of {} in a mounted folder",
                self.agent.header().dataset_id()
            ),
            file: Some(file.to_string_lossy().into_owned()),
            ranges: vec![range],
            program: program(request),
            ..ReportBody::default()
        }
    }

    pub(super) fn whole(&self) -> (u64, u64) {
        (0, self.agent.length().unwrap_or(0))
    }
}

/// Name of the calling program: evidence for the report, not proof.
pub(super) fn program(request: &Request) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{}/comm", request.pid())).ok()?;
    Some(name.trim_end().to_owned())
}

/// When the data goes, so do the second files and what the kernel remembers of either: pages that programs have read or
/// mapped. Not from within a call: the kernel waits for pages that are being read, and those for the calls that read them.
/// The data is closed by now, so that nothing which is forgotten is read anew.
pub(super) async fn forget_with(
    agent: Agent,
    seconds: Arc<Mutex<SecondFiles>>,
    notifier: Notifier,
) {
    agent.locked().await;
    let inodes = second_files::locked(&seconds).wipe();
    let forgetting = tokio::task::spawn_blocking(move || {
        for inode in std::iter::once(DATA).chain(inodes) {
            if let Err(error) = notifier.inval_inode(INodeNo(inode), 0, 0) {
                // The folder has gone, and with it whatever was mapped.
                tracing::debug!(inode, %error, "the kernel was not told to forget");
            }
        }
    });
    if let Err(error) = forgetting.await {
        tracing::error!(%error, "the kernel may remember the data");
    }
}
