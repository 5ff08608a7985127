//! Keeps the lease alive, and ends the data when it is not.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{AgentError, Shared};

/// Shortest pause between two renewals, whatever the lease: a node that is down is not hammered.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);

/// Starts both watchers. They hold the agent weakly: when its last user is gone, so are they.
pub(super) fn watch(shared: &Arc<Shared>, lease: Duration) {
    tokio::spawn(guard(Arc::downgrade(shared), Arc::clone(&shared.clock)));
    tokio::spawn(renew(
        Arc::downgrade(shared),
        Arc::clone(&shared.clock),
        lease,
    ));
}

/// Wipes at the end of the lease, also while a renewal hangs in the network.
async fn guard(agent: Weak<Shared>, clock: Arc<dyn crate::clock::Clock>) {
    while let Some(shared) = agent.upgrade() {
        if shared.check_open().is_err() {
            return;
        }
        let (end, mut phase) = (shared.vault().lease_end(), shared.phase.subscribe());
        drop(shared);
        tokio::select! {
            () = clock.wait_until(end) => {}
            // Closed, or dropped.
            _ = phase.wait_for(Option::is_some) => return,
        }
    }
}

/// Renews each third of the lease, so that two renewals may fail.
async fn renew(agent: Weak<Shared>, clock: Arc<dyn crate::clock::Clock>, lease: Duration) {
    let pause = (lease / 3).max(SHORTEST_PAUSE);
    loop {
        let Some(mut phase) = agent.upgrade().map(|shared| shared.phase.subscribe()) else {
            return;
        };
        tokio::select! {
            () = clock.wait_until(clock.since_boot() + pause) => {}
            _ = phase.wait_for(Option::is_some) => return,
        }
        match agent.upgrade() {
            Some(shared) if shared.check_open().is_ok() => shared.renew_once().await,
            _ => return,
        }
    }
}

impl Shared {
    /// Asks the node for a longer lease and the chain for the package's state. Trouble with the network changes
    /// nothing: the lease ends by itself.
    async fn renew_once(&self) {
        let package = self.header.package_id();
        match self.ledger.package(package).await {
            Ok(status) => self.take_state(status.state),
            Err(error) => tracing::warn!(%package, %error, "the chain was not asked"),
        }
        if self.check_open().is_err() {
            return;
        }
        let renewed = self.reporter.lock().await.renew().await;
        match renewed {
            Ok(answered) => match self.take(answered) {
                Ok(_) | Err(AgentError::Locked(_)) => {}
                Err(error) => tracing::warn!(%package, %error, "not renewed"),
            },
            Err(error) if error.is_refusal() => {
                self.refused(&error).await;
            }
            Err(error) => tracing::warn!(%package, %error, "the lease was not renewed"),
        }
    }
}
