//! The end of a session: the node is told, so that the next opening need not wait for the lease to run out.

use std::time::Duration;

use super::{Agent, Lock};
use crate::reporter::ReportError;

/// Longest wait for the node's answer. Without one the lease runs out as it would have, and the node notes a silent one.
const LONGEST_FAREWELL: Duration = Duration::from_secs(3);

impl Agent {
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
            | Self::Revoked
            | Self::Retrieved
            | Self::Unknown
            | Self::Refused(_) => false,
        }
    }
}
