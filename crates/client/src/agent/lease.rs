//! Keeps the lease alive, and ends the data when it is not.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Shared;
use crate::clock::Clock;

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
async fn guard(agent: Weak<Shared>, clock: Arc<dyn Clock>) {
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

/// Renews each third of the lease; after a failure sooner, until the lease is over.
async fn renew(agent: Weak<Shared>, clock: Arc<dyn Clock>, lease: Duration) {
    let mut pause = lease / 3;
    loop {
        let Some(mut phase) = agent.upgrade().map(|shared| shared.phase.subscribe()) else {
            return;
        };
        let moment = clock.since_boot() + pause.max(SHORTEST_PAUSE);
        tokio::select! {
            () = clock.wait_until(moment) => {}
            _ = phase.wait_for(Option::is_some) => return,
        }
        let renewed = match agent.upgrade() {
            Some(shared) if shared.check_open().is_ok() => shared.renew_once().await,
            _ => return,
        };
        pause = if renewed { lease / 3 } else { lease / 12 };
    }
}

impl Shared {
    /// Asks the node for a longer lease and, at the same time, the chain for the package's state. Trouble with the
    /// network changes nothing: the lease ends by itself. Whether it was renewed.
    async fn renew_once(&self) -> bool {
        let package = self.header.package_id();
        let renewal = async { self.reporter.line().await.renew().await };
        let (status, renewed) = futures::join!(self.ledger.package(package), renewal);
        match status {
            Ok(status) => self.take_state(status.state),
            Err(error) => tracing::warn!(%package, %error, "the chain was not asked"),
        }
        match renewed {
            Ok(answered) => self.take(answered).is_ok(),
            Err(error) if error.is_refusal() => {
                self.refused(&error).await;
                false
            }
            Err(error) => {
                tracing::warn!(%package, %error, "the lease was not renewed");
                false
            }
        }
    }
}
