//! Group commit of reports (P17): those that come while the disk is waited for share the next transaction, and so one wait.
//!
//! Nobody waits for company: a report that comes alone is committed alone. Of several each is written within a savepoint of its
//! own, so that one which fails takes nobody along, and is answered only after the commit of all. It is committed also when whoever
//! brought it has left meanwhile, as one whose answer was lost: an identical repeat gets the same receipt.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use medshare_protocol::id::PackageId;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};
use tokio::sync::oneshot;

use super::reports::NewReport;
use super::rows::{signed, to_json};
use super::sessions::NewSession;
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
    if let [alone] = group {
        // Whose failure takes nobody along.
        let outcome = insert(&mut transaction, alone).await;
        if outcome.is_ok() {
            transaction.commit().await?;
        }
        return Ok(vec![outcome]);
    }
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

/// All that a report leaves, in one call: to go to the connection's thread and back takes longer than what is done there.
const RECORD: &str = "
    INSERT INTO report
      (package, number, digest, report, signature, session_key, body, violated, receipt, receipt_signature, leaf, side_body,
       settlement)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
    INSERT INTO unanchored (package, number) VALUES (?, ?);
    INSERT INTO session (package, key, session, signature, lease_until, renewed, ended)
      VALUES (?, ?, ?, ?, coalesce(?, 0), 0, ?)
      ON CONFLICT (package, key) DO UPDATE SET session = excluded.session, signature = excluded.signature,
        lease_until = coalesce(?, lease_until), ended = excluded.ended";

async fn insert(connection: &mut SqliteConnection, waiting: &Waiting) -> Result<(), StoreError> {
    let Waiting {
        package,
        report,
        session,
        ..
    } = waiting;
    let lease_until = session.lease_until.map(signed);
    sqlx::query(RECORD)
        .bind(package.as_slice())
        .bind(report.report.number)
        .bind(report.digest.as_slice())
        .bind(to_json(&report.report))
        .bind(&report.signature[..])
        .bind(report.session_key.as_slice())
        .bind(&report.body[..])
        .bind(report.violated.0)
        .bind(to_json(&report.receipt))
        .bind(&report.receipt_signature[..])
        .bind(report.leaf.as_slice())
        .bind(&report.side_body[..])
        .bind((!report.violated.is_empty()).then_some("pending"))
        // It waits to be anchored.
        .bind(package.as_slice())
        .bind(report.report.number)
        // Its session.
        .bind(package.as_slice())
        .bind(session.session.key.as_slice())
        .bind(to_json(&session.session))
        .bind(&session.signature[..])
        .bind(lease_until)
        .bind(session.ended)
        .bind(lease_until)
        .execute(connection)
        .await?;
    Ok(())
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
