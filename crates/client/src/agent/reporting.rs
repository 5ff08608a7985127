//! What the agent tells the node, and what it believes of the answers.

use std::sync::Arc;

use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::{Action, Actions, State};
use tokio::sync::watch;

use super::{AgentError, Lock, Shared};
use crate::reporter::{Answered, ReportError};

/// A report that is about to be written down, or on its way. Who waits for it must see it from before the data is closed.
pub(super) struct Telling(watch::Sender<u32>);

impl Telling {
    pub(super) fn of(shared: &Shared) -> Self {
        shared.telling.send_modify(|telling| *telling += 1);
        Self(shared.telling.clone())
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.send_modify(|telling| *telling -= 1);
    }
}

impl Shared {
    pub(super) async fn report(
        &self,
        action: Action,
        body: &ReportBody,
    ) -> Result<u32, AgentError> {
        let line = self.reporter.line().await;
        // It may have been closed while others reported.
        self.check_open().map_err(AgentError::Locked)?;
        let answered = line.report(Actions::NONE.with(action), body).await;
        drop(line);
        match answered {
            Ok(answered) => self.take(answered),
            Err(error) if error.is_refusal() => Err(AgentError::Locked(self.refused(&error).await)),
            Err(error) => Err(error.into()),
        }
    }

    /// The node said no. The chain may know a better reason.
    pub(super) async fn refused(&self, error: &ReportError) -> Lock {
        match self.ledger.package(self.header.package_id()).await {
            Ok(status) => self.take_state(status.state),
            Err(error) => tracing::warn!(%error, "the chain was not asked"),
        }
        self.lock(Lock::Refused(error.to_string()));
        self.check_open().err().unwrap_or(Lock::Closed)
    }

    /// Wipes first, then writes the report down: from here on the network decides nothing any more, and a client that is
    /// killed sends the report at the next opening. So the caller has its answer while the report is on its way.
    pub(super) fn violate(self: &Arc<Self>, action: Action, body: &ReportBody) -> AgentError {
        let (lock, telling) = (Lock::Violation(action), Telling::of(self));
        self.lock(lock.clone());
        let actions = Actions::NONE.with(action);
        if let Some(number) = self.write_down(actions, body) {
            // The first stays, as the lock does.
            self.violation.get_or_init(|| number);
            self.send(actions, telling);
        }
        AgentError::Locked(lock)
    }

    /// Whether the node has answered the report of the violation that closed the data.
    pub(super) fn violation_arrived(&self) -> bool {
        let book = self.reporter.book();
        let mut pending = book.journal.kept().pending.iter();
        let number = self.violation.get();
        number.is_some_and(|number| pending.all(|sent| sent.report.number != *number))
    }

    /// Writes a report down, which goes out in a task of its own.
    pub(super) fn tell(self: &Arc<Self>, actions: Actions, body: &ReportBody, telling: Telling) {
        if self.write_down(actions, body).is_some() {
            self.send(actions, telling);
        }
    }

    /// The report's number; nothing when there is no room for it.
    fn write_down(&self, actions: Actions, body: &ReportBody) -> Option<u32> {
        let written = self.reporter.write_down(actions, body, true);
        written
            .inspect_err(
                |error| tracing::error!(%actions, %error, "a report could not be written down"),
            )
            .ok()
    }

    /// Sends what is written down, in a task of its own.
    fn send(self: &Arc<Self>, actions: Actions, telling: Telling) {
        // Only the reporter is kept alive by the network: the plaintext goes with the last user of the data.
        let (reporter, agent) = (Arc::clone(&self.reporter), Arc::downgrade(self));
        tokio::spawn(async move {
            let _telling = telling;
            let sent = reporter.line().await.flush().await;
            match (sent, agent.upgrade()) {
                (Ok(Some(answered)), Some(agent)) => {
                    // Whatever it says is in the agent's lock now.
                    let _ = agent.take(answered);
                }
                (Err(error), Some(agent)) if error.is_refusal() => {
                    agent.refused(&error).await;
                }
                (Err(error), _) => {
                    tracing::warn!(%actions, %error, "a report has no receipt yet; it is sent again at the latest when the package is opened");
                }
                (Ok(_), _) => {}
            }
        });
    }

    /// Believes a receipted answer: a longer lease, or the end.
    pub(super) fn take(&self, answered: Answered) -> Result<u32, AgentError> {
        let lock = if !answered.state.is_usable() {
            Lock::of_state(answered.state)
        } else if answered.lease.is_zero() {
            Lock::LeaseEnded
        } else {
            self.vault().extend_lease(answered.asked + answered.lease);
            return self
                .check_open()
                .map(|()| answered.number)
                .map_err(AgentError::Locked);
        };
        self.lock(lock.clone());
        Err(AgentError::Locked(lock))
    }

    /// Believes the chain.
    pub(super) fn take_state(&self, state: State) {
        if !state.is_usable() {
            self.lock(Lock::of_state(state));
        }
    }
}
