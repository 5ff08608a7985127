//! The end of a session: the node is told, so that the next opening need not wait for the lease to run out.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Agent, Lock};
use crate::reporter::ReportError;

/// Longest wait for the node's answer. Without one the lease runs out as it would have, and the node notes a silent one.
const LONGEST_FAREWELL: Duration = Duration::from_secs(3);
/// How long after a violation its report may take to be told of as arrived: whoever tried it has a word within a second.
const SOON: Duration = Duration::from_millis(800);

impl Agent {
    /// As [`Agent::locked`], with the reason as it can be told truly: of a violation whether the node has its report, which is
    /// waited for, but not long. Asked again later, it may know better.
    pub async fn settled(&self) -> Lock {
        let lock = self.locked().await;
        let Lock::Violation(action) = lock else {
            return lock;
        };
        let closed = self.shared.closed.get_or_init(Instant::now);
        // Whether it was in time, the journal tells.
        let _ = timeout_at(*closed + SOON, self.told()).await;
        match self.shared.violation_arrived() {
            true => Lock::Violation(action),
            false => Lock::Untold(action),
        }
    }

    /// Closes the data, waits as [`Agent::told`] does, and ends the session where the node does not know that it is over. For
    /// whoever opens a package and has done with it: an agent that is only dropped falls silent.
    pub async fn leave(&self) {
        self.close();
        self.told().await;
        if self.lock().is_none_or(|lock| !lock.ends_session()) {
            return;
        }
        let package = self.package();
        match tokio::time::timeout(LONGEST_FAREWELL, self.end()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(%package, %error, "the session was not ended"),
            Err(_) => tracing::info!(%package, "the session was not ended: the node is silent"),
        }
    }

    async fn end(&self) -> Result<(), ReportError> {
        self.shared.reporter.line().await.end().await
    }
}

impl Lock {
    /// Whether the client closed the data for a reason of its own: the node, which ends the session for the others, has to
    /// be told.
    const fn ends_session(&self) -> bool {
        match self {
            Self::Expired
            | Self::LeaseEnded
            | Self::Damaged(_)
            | Self::Deleted
            | Self::Moved(_)
            | Self::Closed => true,
            Self::Violation(_)
            | Self::Untold(_)
            | Self::Revoked
            | Self::Retrieved
            | Self::Unknown
            | Self::Refused(_) => false,
        }
    }
}
