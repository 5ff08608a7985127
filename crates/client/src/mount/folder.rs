//! The folder that the kernel asks about.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use fuser::{Errno, FileType, INodeNo, Request};
use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::Action;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

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
    wiper: AbortHandle,
}

impl DataFolder {
    pub(super) fn new(agent: Agent, runtime: Handle, calls: Arc<Semaphore>) -> Self {
        let seconds = Arc::new(Mutex::new(SecondFiles::beside_the_data()));
        let wiper = runtime
            .spawn(wipe_with(agent.clone(), Arc::clone(&seconds)))
            .abort_handle();
        Self {
            agent,
            runtime,
            seconds,
            since: SystemTime::now(),
            calls,
            wiper,
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

impl Drop for DataFolder {
    fn drop(&mut self) {
        // It holds the agent, and with it the lease.
        self.wiper.abort();
    }
}

/// The second files go when the data goes.
async fn wipe_with(agent: Agent, seconds: Arc<Mutex<SecondFiles>>) {
    agent.locked().await;
    second_files::locked(&seconds).wipe();
}
