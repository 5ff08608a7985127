//! The folder that the kernel asks about.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{Errno, FileType, INodeNo, Request};
use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::{Action, Verdict};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::ahead::Ahead;
use super::answer::{attributes, errno, lock_errno};
use super::insiders::Insiders;
use super::open_files::{OpenFile, OpenFiles};
use super::second_files::{self, DATA, SecondFiles};
use crate::agent::Agent;

/// Inode of the folder.
pub(super) const FOLDER: u64 = 1;

/// How long the kernel may answer for a file's size and times by itself, and with them for pages that it has: a program
/// can read no longer than that after this process stops.
const LONGEST_REMEMBERED: Duration = Duration::from_secs(1);

/// What the kernel's calls are answered with.
pub(super) struct DataFolder {
    pub(super) inside: Arc<Inside>,
    /// Who may call; nobody in particular where the folder is its user's own.
    insiders: Option<Insiders>,
    runtime: Handle,
    /// A permit for each call that is under way.
    calls: Arc<Semaphore>,
}

/// What is in the folder.
pub(super) struct Inside {
    pub(super) agent: Agent,
    pub(super) ahead: Ahead,
    files: Mutex<SecondFiles>,
    open_files: Mutex<OpenFiles>,
    since: SystemTime,
}

impl DataFolder {
    pub(super) fn new(
        agent: Agent,
        insiders: Option<Insiders>,
        runtime: Handle,
        calls: &Arc<Semaphore>,
    ) -> Self {
        let may_write = agent.usage().judge(Action::Write) != Verdict::Violation;
        let constant = agent.length().ok().filter(|_| !may_write);
        let inside = Inside {
            agent,
            ahead: Ahead::new(constant),
            files: Mutex::new(SecondFiles::beside_the_data()),
            open_files: Mutex::default(),
            since: SystemTime::now(),
        };
        Self {
            inside: Arc::new(inside),
            insiders,
            runtime,
            calls: Arc::clone(calls),
        }
    }

    /// Lets a caller pass who may look for, list and open what is here.
    pub(super) fn admit(&self, request: &Request) -> Result<(), Errno> {
        self.insiders
            .as_ref()
            .map_or(Ok(()), |insiders| insiders.admit(request))
    }

    /// Carries a call out on the runtime: no call waits for another's network.
    pub(super) fn answer_later<C: Future<Output = ()> + Send + 'static>(
        &self,
        call: impl FnOnce(Arc<Inside>) -> C,
    ) {
        let (call, calls) = (call(Arc::clone(&self.inside)), Arc::clone(&self.calls));
        self.runtime.spawn(async move {
            let _under_way = calls.acquire_owned().await;
            call.await;
        });
    }
}

impl Inside {
    pub(super) fn files(&self) -> MutexGuard<'_, SecondFiles> {
        second_files::locked(&self.files)
    }

    pub(super) fn open_files(&self) -> MutexGuard<'_, OpenFiles> {
        // A panic while it was held leaves a file open that nobody uses.
        self.open_files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open_file(&self, number: u64) -> Result<OpenFile, Errno> {
        self.open_files().get(number).ok_or(Errno::EBADF)
    }

    /// Attributes of what is there; of the data only while it is open.
    pub(super) fn look(&self, inode: u64) -> Result<fuser::FileAttr, Errno> {
        let kind = match inode {
            FOLDER => FileType::Directory,
            _ => FileType::RegularFile,
        };
        let (length, modified) = match inode {
            FOLDER => (0, self.since),
            DATA => {
                let length = self.agent.length().map_err(|error| errno(&error))?;
                (length, self.agent.changed())
            }
            second => self.files().look(second).ok_or_else(|| self.gone())?,
        };
        Ok(attributes(inode, kind, length, modified))
    }

    /// Of a file that is not there: whether it never was, or went with the data.
    pub(super) fn gone(&self) -> Errno {
        self.agent
            .lock()
            .map_or(Errno::ENOENT, |lock| lock_errno(&lock))
    }

    /// How long what is told of a file may be remembered.
    pub(super) fn remembered(&self) -> Duration {
        self.agent.lease_left().min(LONGEST_REMEMBERED)
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

    /// Whether the usage contract has nothing against it.
    pub(super) fn may(&self, action: Action) -> bool {
        self.agent.usage().judge(action) != Verdict::Violation
    }

    /// Judges and reports what is done to `file` by `program`.
    pub(super) async fn authorise(
        &self,
        action: Action,
        file: &OsStr,
        range: Option<(u64, u64)>,
        program: Option<String>,
    ) -> Result<(), Errno> {
        let dataset = self.agent.header().dataset_id();
        let body = ReportBody {
            comment: format!("{action} of {dataset} in a mounted folder"),
            file: Some(file.to_string_lossy().into_owned()),
            ranges: range.into_iter().collect(),
            program,
            ..ReportBody::default()
        };
        let authorised = self.agent.authorise(action, &body).await;
        authorised.map(drop).map_err(|error| errno(&error))
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
