//! Open data, and the usage contract beside it (P6, P18, P19).
//!
//! The plaintext lives in this process's memory only, chunk by chunk as it is read, and only while three things hold: the
//! lease runs, the package is usable on chain, and no violation was tried. Every action is judged **before** it is carried
//! out. Permitted: reported, and carried out once the node has it durably and its receipt is written down. Ignored: carried
//! out. Violation: the plaintext is wiped first, then the attempt is written down for the node; the answer says what can be
//! done, and does not wait for the network.

mod checking;
mod deed;
mod lease;
mod leaving;
mod lock;
#[cfg(all(feature = "mount", target_os = "linux"))]
mod mounted;
mod reporting;
mod vault;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use medshare_protocol::id::PackageId;
use medshare_protocol::package::PackageHeader;
use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::{Action, Actions, UsageContract, Verdict};
use tokio::sync::watch;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::content::{Content, ContentError};
use crate::download::Stamp;
use crate::ledger::Ledger;
use crate::reporter::{Answered, Reporter};

pub use crate::reporter::ReportError;
pub use deed::{Deed, Outcome};
pub use lock::Lock;
pub use vault::MAX_CONTENT_BYTES;

use vault::Vault;

/// Name of the one file that a package amounts to.
pub const DATA_FILE: &str = "data.csv";

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The data is closed.
    #[error("{0}")]
    Locked(Lock),
    /// The report has no receipt; without one nothing is done.
    #[error("the action was not carried out, because its report was not received: {0}")]
    Report(#[from] ReportError),
    /// There are no such bytes.
    #[error("there is no byte {position}: the data has {length}")]
    OutOfRange {
        /// What was asked for.
        position: u64,
        /// How long the data is.
        length: u64,
    },
    /// More than the data may grow to, or than memory has room for at once.
    #[error("{0} bytes are too many: data grows to {MAX_CONTENT_BYTES} at most; read less at once")]
    TooLong(u64),
    /// The package file, or what was written over it, cannot be used.
    #[error(transparent)]
    Content(ContentError),
    /// What a command wrote cannot be read back.
    #[error("what was written cannot be read back from memory: {0}")]
    Memory(#[from] std::io::Error),
    /// The destination cannot be written.
    #[error("cannot write {path}: {error}")]
    Destination {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// `decrypt` and `tampering` are no actions on open data.
    #[error("`{0}` is not an action on open data")]
    NotAnAction(Action),
}

/// The opened data of one package. Clones are the same agent; when the last one goes, the plaintext is wiped.
#[derive(Clone)]
pub struct Agent {
    shared: Arc<Shared>,
}

/// What opening hands over.
pub(crate) struct Opened {
    pub(crate) header: PackageHeader,
    pub(crate) usage: UsageContract,
    pub(crate) content: Content,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) reporter: Reporter,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) container: PathBuf,
    pub(crate) answered: Answered,
}

struct Shared {
    header: PackageHeader,
    usage: UsageContract,
    /// Locked for moments only, never across an await.
    vault: Mutex<Vault>,
    reporter: Arc<Reporter>,
    phase: watch::Sender<Option<Lock>>,
    /// When the data was closed.
    closed: OnceLock<Instant>,
    /// The folder that shows the data, where one does.
    shown: OnceLock<PathBuf>,
    /// Number of the report of the violation that closed the data, once it is written down.
    violation: OnceLock<u32>,
    /// How many tasks send what was written down.
    telling: watch::Sender<u32>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    container: PathBuf,
    /// Length of a lease.
    lease: Duration,
    /// When the data was last changed: ms since the Unix epoch, no two changes at one time.
    changed_ms: AtomicU64,
}

impl Agent {
    /// Starts the agent and the tasks that watch over its lease.
    pub(crate) fn start(opened: Opened) -> Self {
        let lease_end = opened.answered.asked + opened.answered.lease;
        let content = Arc::new(opened.content);
        let shared = Arc::new(Shared {
            header: opened.header,
            usage: opened.usage,
            vault: Mutex::new(Vault::new(Arc::clone(&content), lease_end)),
            reporter: Arc::new(opened.reporter),
            phase: watch::Sender::new(None),
            closed: OnceLock::new(),
            shown: OnceLock::new(),
            violation: OnceLock::new(),
            telling: watch::Sender::new(0),
            ledger: opened.ledger,
            changed_ms: AtomicU64::new(opened.clock.wall_ms()),
            clock: opened.clock,
            container: opened.container.clone(),
            lease: opened.answered.lease,
        });
        lease::watch(&shared, opened.answered.lease);
        if opened.stamp.is_none_or(|stamp| !stamp.payload_checked) {
            checking::watch(&shared, &content, opened.container, opened.stamp);
        }
        Self { shared }
    }

    /// The package.
    #[must_use]
    pub fn package(&self) -> PackageId {
        self.shared.header.package_id()
    }

    /// What the package says of itself.
    #[must_use]
    pub fn header(&self) -> &PackageHeader {
        &self.shared.header
    }

    /// The rules.
    #[must_use]
    pub fn usage(&self) -> &UsageContract {
        &self.shared.usage
    }

    /// Why the data is closed; nothing while it is open.
    #[must_use]
    pub fn lock(&self) -> Option<Lock> {
        self.shared.check_open().err()
    }

    /// Returns once the data is closed, with the reason.
    pub async fn locked(&self) -> Lock {
        let mut phase = self.shared.phase.subscribe();
        let lock = phase.wait_for(Option::is_some).await;
        lock.map_or(Lock::Closed, |lock| lock.clone().unwrap_or(Lock::Closed))
    }

    /// Returns once what nobody waited for, as the report of a violation, has its receipt, or has none for now: it is sent
    /// again at the next opening.
    pub async fn told(&self) {
        let mut telling = self.shared.telling.subscribe();
        // The sender lives in what this borrows.
        let _ = telling.wait_for(|telling| *telling == 0).await;
    }

    /// How long the lease still runs.
    #[must_use]
    pub fn lease_left(&self) -> Duration {
        let end = self.shared.vault().lease_end();
        end.saturating_sub(self.shared.clock.since_boot())
    }

    /// Length of the data, bytes.
    ///
    /// # Errors
    /// [`AgentError::Locked`].
    pub fn length(&self) -> Result<u64, AgentError> {
        Ok(self.shared.content()?.length())
    }

    /// Number of the last report.
    pub async fn last_report(&self) -> u32 {
        self.shared.reporter.book().number
    }

    /// Judges `deed`, reports it where it must be reported, and carries it out. `program`: who does it, as far as it
    /// is known.
    ///
    /// # Errors
    /// [`AgentError`]; the deed was then not done.
    pub async fn act(&self, deed: Deed, program: Option<String>) -> Result<Outcome, AgentError> {
        let action = deed.action();
        if self.shared.usage.judge(action) != Verdict::Violation {
            // What cannot be done anyway is told before it is reported as done. A violation is one all the same.
            self.shared.check_deed(&deed)?;
        }
        let body = ReportBody {
            comment: format!("{action} of {}", self.shared.header.dataset_id()),
            file: Some(deed.file().unwrap_or_else(|| DATA_FILE.to_owned())),
            ranges: deed.range(self.length()?).into_iter().collect(),
            program,
            ..ReportBody::default()
        };
        let receipt = self.authorise(action, &body).await?;
        let bytes = self.shared.carry_out(&deed).await?;
        self.shared.note_change(action);
        Ok(Outcome {
            action,
            receipt,
            bytes,
        })
    }

    /// Judges `action` and reports it, without doing anything: for a file system, which does the work itself with
    /// [`Agent::bytes`]. The number of the report; nothing where the usage contract wants none.
    ///
    /// # Errors
    /// [`AgentError`]; the action must then not be carried out.
    pub async fn authorise(
        &self,
        action: Action,
        body: &ReportBody,
    ) -> Result<Option<u32>, AgentError> {
        self.shared.check_open().map_err(AgentError::Locked)?;
        if !Actions::SIX.contains(action) {
            return Err(AgentError::NotAnAction(action));
        }
        match self.shared.usage.judge(action) {
            Verdict::Ignored => Ok(None),
            Verdict::Permitted => self.shared.report(action, body).await.map(Some),
            Verdict::Violation => Err(self.shared.violate(action, body)),
        }
    }

    /// As [`Agent::authorise`], and reported also where the usage contract would let it pass without: whatever is held back
    /// needs a report that says so.
    ///
    /// # Errors
    /// [`AgentError`].
    #[cfg(all(feature = "mount", target_os = "linux"))]
    pub(crate) async fn declare(
        &self,
        action: Action,
        body: &ReportBody,
    ) -> Result<u32, AgentError> {
        match self.authorise(action, body).await? {
            Some(number) => Ok(number),
            None => self.shared.report(action, body).await,
        }
    }

    /// Bytes of the data. Not judged and not reported: the caller has authorised a read.
    ///
    /// # Errors
    /// [`AgentError::Locked`], [`AgentError::OutOfRange`].
    pub fn bytes(&self, offset: u64, length: u64) -> Result<Zeroizing<Vec<u8>>, AgentError> {
        let content = self.shared.content()?;
        deed::read(&content, offset, length).map_err(|error| self.shared.reason(error))
    }

    /// Bytes of the data from `offset` on into `out`; how many there were: fewer than `out` has only at the end of the data,
    /// and none beyond it. As [`Agent::bytes`], neither judged nor reported. Calls do not wait for each other.
    ///
    /// # Errors
    /// [`AgentError::Locked`], [`AgentError::Content`]; `out` has then no bytes of the data.
    pub fn read_into(&self, offset: u64, out: &mut [u8]) -> Result<usize, AgentError> {
        let read = self.shared.content()?.read_at(offset, out);
        read.map_err(|error| self.shared.reason(error.into()))
    }

    /// Closes the data: wipes the plaintext. The lease runs out by itself, unless somebody [leaves](Agent::leave).
    pub fn close(&self) {
        self.shared.lock(Lock::Closed);
    }
}

impl From<ContentError> for AgentError {
    fn from(error: ContentError) -> Self {
        Self::Content(error)
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("package", &self.package())
            .field("lock", &self.lock())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn vault(&self) -> MutexGuard<'_, Vault> {
        // A panic while it was held leaves bytes at worst half written, never secrets where they should not be.
        self.vault
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether the data is open this very moment: a lease that has ended closes it here, not when a timer fires.
    fn check_open(&self) -> Result<(), Lock> {
        let now = self.clock.since_boot();
        let lock = {
            let vault = self.vault();
            match vault.lock() {
                Some(lock) => return Err(lock.clone()),
                None if now >= vault.lease_end() => Lock::LeaseEnded,
                None if self.clock.wall_ms() >= self.usage.expiry => Lock::Expired,
                None => return Ok(()),
            }
        };
        self.lock(lock.clone());
        Err(lock)
    }

    fn note_change(&self, action: Action) {
        if action == Action::Write {
            let now = self.clock.wall_ms();
            let later = |before: u64| Some(now.max(before.saturating_add(1)));
            let order = Ordering::Relaxed;
            // Never fails: there is always a later time.
            let _ = self.changed_ms.fetch_update(order, order, later);
        }
    }

    /// Closes the data. The first reason stays.
    fn lock(&self, reason: Lock) {
        self.vault().close(reason.clone());
        self.phase.send_if_modified(|phase| {
            let first = phase.is_none();
            if first {
                tracing::info!(package = %self.header.package_id(), %reason, "closed");
                self.closed.get_or_init(Instant::now);
                *phase = Some(reason);
            }
            first
        });
    }

    /// The data, if it is open. It is wiped under the hands of whoever uses it when it is closed meanwhile.
    fn content(&self) -> Result<Arc<Content>, AgentError> {
        self.check_open().map_err(AgentError::Locked)?;
        self.vault().content().map_err(AgentError::Locked)
    }

    /// Of data that was wiped while it was used, why it was.
    fn reason(&self, error: AgentError) -> AgentError {
        match error {
            AgentError::Content(ContentError::Wiped) => {
                AgentError::Locked(self.check_open().err().unwrap_or(Lock::Closed))
            }
            error => error,
        }
    }
}
