//! What a mount asks of the agent: bytes where they were decrypted, and accounts of what was done with them.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::Actions;

use super::reporting::Telling;
use super::{Agent, AgentError, Deed, Lock};
use crate::clock::Clock;
use crate::content::Held;

impl Agent {
    /// Notes that the folder `at` shows the data, and goes with it.
    pub(crate) fn shown_at(&self, at: PathBuf) {
        // The first stays.
        let _ = self.shared.shown.set(at);
    }

    /// Whether anything was written over the data since it was issued.
    ///
    /// # Errors
    /// [`AgentError::Locked`].
    pub(crate) fn is_changed(&self) -> Result<bool, AgentError> {
        Ok(self.shared.content()?.is_changed())
    }

    /// As [`Agent::read_into`], of the data as it was issued: what rows are compared with, whatever was written over them.
    ///
    /// # Errors
    /// [`AgentError::Locked`], [`AgentError::Content`].
    pub(crate) fn read_issued(&self, offset: u64, out: &mut [u8]) -> Result<usize, AgentError> {
        let read = self.shared.content()?.read_issued(offset, out);
        read.map_err(|error| self.shared.reason(error.into()))
    }

    /// Bytes of the data where they were decrypted, as [`Agent::read_into`] has them.
    ///
    /// # Errors
    /// [`AgentError::Locked`], [`AgentError::Content`].
    pub(crate) fn hold(&self, offset: u64, wanted: usize) -> Result<Held, AgentError> {
        let held = self.shared.content()?.hold(offset, wanted);
        held.map_err(|error| self.shared.reason(error.into()))
    }

    /// [`Content::goes_on`](crate::content::Content::goes_on); not when the data is closed.
    pub(crate) fn goes_on(&self, offset: u64, length: usize) -> bool {
        let content = self.shared.content();
        content.is_ok_and(|content| content.goes_on(offset, length))
    }

    /// Decrypts what is likely to be read next.
    ///
    /// # Errors
    /// [`AgentError::Locked`], [`AgentError::Content`].
    pub(crate) fn prepare(&self) -> Result<(), AgentError> {
        let prepared = self.shared.content()?.prepare();
        prepared.map_err(|error| self.shared.reason(error.into()))
    }

    /// Does what the caller has authorised; neither judged nor reported.
    ///
    /// # Errors
    /// [`AgentError`]; it was then not done.
    pub(crate) async fn carry_out(&self, deed: Deed) -> Result<(), AgentError> {
        self.shared.check_deed(&deed)?;
        self.shared.carry_out(&deed).await?;
        self.shared.note_change(deed.action());
        Ok(())
    }

    /// Reports what was done under earlier reports; it goes out in a task of its own, also when the data is closed.
    pub(crate) fn account(&self, actions: Actions, body: &ReportBody) {
        // Once the node has refused a report, it can take none that follows.
        if !matches!(self.lock(), Some(Lock::Refused(_))) {
            self.shared.tell(actions, body, Telling::of(&self.shared));
        }
    }

    /// The clock that leases are counted by.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    /// Length of a lease, as the node gave it when the package was opened.
    pub(crate) fn lease(&self) -> Duration {
        self.shared.lease
    }

    /// When the data was last changed: another time after each change.
    pub(crate) fn changed(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.shared.changed_ms.load(Ordering::Relaxed))
    }
}
