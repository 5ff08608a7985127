//! Group commit of reports (P17): those that come while the disk is waited for share the next transaction, and so one wait.
//!
//! Nobody waits for company: a report that comes alone is committed alone. Each is written within a savepoint of its own, so
//! that one which fails takes nobody along, and is answered only after the commit of all. It is committed also when whoever
//! brought it has left meanwhile, as one whose answer was lost: an identical repeat gets the same receipt.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use medshare_protocol::id::PackageId;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};
use tokio::sync::oneshot;

use super::reports::{NewReport, insert_report};
use super::sessions::{NewSession, upsert_session};
use super::{Store, StoreError};

/// So many reports share one transaction at most.
const MAX_TOGETHER: usize = 64;

/// Reports that are not committed yet. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Together {
    waiting: Arc<Mutex<VecDeque<Waiting>>>,
    /// Held by the one who commits.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Waiting {
    package: PackageId,
    report: NewReport,
    session: NewSession,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

impl Together {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        // A queue is whole, whoever panicked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(MAX_TOGETHER);
        waiting.drain(..count).collect()
    }
}

impl Store {
    /// Records a report with its side-block's body and its receipt, and what it means for the session: all or nothing,
    /// and durable before the answer leaves (P17).
    ///
    /// # Errors
    /// When the store fails, also when the number is taken.
    pub async fn record_report(
        &self,
        package: PackageId,
        report: NewReport,
        session: NewSession,
    ) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.together.waiting().push_back(Waiting {
            package,
            report,
            session,
            answer,
        });
        let store = self.clone();
        // A task for each: the first that has its turn commits for all, and who comes later finds nothing left to do.
        tokio::spawn(async move { store.commit_what_waits().await });
        // Nobody answers when the program is ending.
        let lost = |_| Err(sqlx::Error::WorkerCrashed.into());
        answered.await.unwrap_or_else(lost)
    }

    async fn commit_what_waits(&self) {
        let _turn = self.together.turn.lock().await;
        if self.together.waiting().is_empty() {
            return;
        }
        // Only then is taken what there is: it has grown while others were writing.
        let begun = self.begin().await;
        let group = self.together.take();
        let committed = match begun {
            Ok(transaction) => commit(transaction, &group).await,
            Err(error) => Err(error),
        };
        answer(group, committed);
    }
}

/// What became of each, once all of it is durable.
async fn commit(
    mut transaction: Transaction<'_, Sqlite>,
    group: &[Waiting],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut outcomes = Vec::with_capacity(group.len());
    for waiting in group {
        outcomes.push(record(&mut transaction, waiting).await);
    }
    transaction.commit().await?;
    Ok(outcomes)
}

async fn record(
    transaction: &mut Transaction<'_, Sqlite>,
    waiting: &Waiting,
) -> Result<(), StoreError> {
    let mut savepoint = transaction.begin().await?;
    match insert(&mut savepoint, waiting).await {
        Ok(()) => savepoint.commit().await?,
        Err(error) => {
            savepoint.rollback().await?;
            return Err(error);
        }
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, waiting: &Waiting) -> Result<(), StoreError> {
    insert_report(connection, waiting.package, &waiting.report).await?;
    upsert_session(connection, waiting.package, &waiting.session).await
}

fn answer(group: Vec<Waiting>, committed: Result<Vec<Result<(), StoreError>>, StoreError>) {
    match committed {
        Ok(outcomes) => {
            for (waiting, outcome) in group.into_iter().zip(outcomes) {
                // Whoever brought it may have left.
                let _ = waiting.answer.send(outcome);
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for waiting in group {
                let _ = waiting
                    .answer
                    .send(Err(StoreError::Together(error.clone())));
            }
        }
    }
}
