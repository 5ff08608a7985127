//! Reports that come at the same time: one commit, and each its own outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use futures::poll;

use super::*;

/// Counts the commits of the store's one writer.
async fn count_commits(store: &Store) -> Arc<AtomicUsize> {
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    let mut writer = store.writer.acquire().await.unwrap();
    let mut handle = writer.lock_handle().await.unwrap();
    handle.set_commit_hook(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        true
    });
    commits
}

async fn opened_anew(folder: &tempfile::TempDir) -> Store {
    let path = folder.path().join("node.db");
    Store::open_existing(&path).await.unwrap()
}

/// Has all these reports, of package and number, wait while somebody else writes; then what became of them.
async fn at_once(store: &Store, reports: &[(u8, u32)]) -> Vec<Result<(), StoreError>> {
    let writing = store.begin().await.unwrap();
    let recorded = reports
        .iter()
        .map(|(package, number)| record_of(store, id(*package), *number, Actions::NONE, Some(9)));
    let mut recorded = std::pin::pin!(join_all(recorded));
    assert!(poll!(&mut recorded).is_pending());
    writing.rollback().await.unwrap();
    recorded.await
}

#[tokio::test]
async fn reports_that_come_at_the_same_time_share_a_commit() {
    let (folder, store) = store().await;
    let commits = count_commits(&store).await;
    let reports: Vec<_> = (0..100).map(|package| (package, 1)).collect();
    assert!(at_once(&store, &reports).await.iter().all(Result::is_ok));
    assert_eq!(
        commits.load(Ordering::SeqCst),
        2,
        "of 100 reports, at most 64 together"
    );
    let other = opened_anew(&folder).await;
    for (package, number) in reports {
        let kept = other.report(id(package), number).await.unwrap();
        assert!(kept.is_some(), "{package}");
    }
}

#[tokio::test]
async fn one_that_fails_leaves_the_others_durable() {
    let (folder, store) = store().await;
    let commits = count_commits(&store).await;
    let outcomes = at_once(&store, &[(1, 1), (2, 1), (1, 1), (3, 1)]).await;
    let failed: Vec<_> = outcomes.iter().map(Result::is_err).collect();
    assert_eq!(failed, [false, false, true, false], "{outcomes:?}");
    assert_eq!(commits.load(Ordering::SeqCst), 1);
    let other = opened_anew(&folder).await;
    for package in 1..=3 {
        assert!(other.report(id(package), 1).await.unwrap().is_some());
        let live = other.live_session(id(package), 5).await.unwrap();
        assert!(live.is_some(), "{package}: its session came with it");
    }
}

#[tokio::test]
async fn one_that_fails_at_its_last_part_leaves_none_of_the_others() {
    let (_folder, store) = store().await;
    let run = async |sql: &'static str| sqlx::query(sql).execute(&store.writer).await.unwrap();
    // Of package 1.
    run(
        "CREATE TRIGGER no BEFORE INSERT ON session WHEN substr(NEW.package, 1, 1) = x'01'
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .await;
    for group in [&[1_u8][..], &[2, 1, 3]] {
        let reports: Vec<_> = group.iter().map(|package| (*package, 1)).collect();
        for (package, outcome) in group.iter().zip(at_once(&store, &reports).await) {
            assert_eq!(outcome.is_err(), *package == 1, "{outcome:?}");
        }
        assert!(store.report(id(1), 1).await.unwrap().is_none());
    }
    let waiting = sqlx::query_scalar("SELECT count(*) FROM unanchored");
    let waiting: i64 = waiting.fetch_one(&store.reader).await.unwrap();
    assert_eq!(waiting, 2);
    run("DROP TRIGGER no").await;
    assert!(at_once(&store, &[(1, 1)]).await[0].is_ok());
}

#[tokio::test]
async fn what_cannot_be_committed_fails_for_each() {
    let (_folder, store) = store().await;
    let mut writer = store.writer.acquire().await.unwrap();
    // SQLite makes a commit a rollback where the hook says no.
    writer
        .lock_handle()
        .await
        .unwrap()
        .set_commit_hook(|| false);
    drop(writer);
    let outcomes = at_once(&store, &[(1, 1), (2, 1)]).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Err(StoreError::Together(_)))),
        "{outcomes:?}"
    );
    assert!(store.report(id(1), 1).await.unwrap().is_none());
    // The disk has room again.
    assert!(
        at_once(&store, &[(1, 1), (2, 1)])
            .await
            .iter()
            .all(Result::is_ok)
    );
}

#[tokio::test]
async fn who_leaves_before_the_answer_has_recorded_all_the_same() {
    let (_folder, store) = store().await;
    let writing = store.begin().await.unwrap();
    {
        let left = record_of(&store, id(1), 1, Actions::NONE, Some(9));
        let mut left = std::pin::pin!(left);
        assert!(poll!(&mut left).is_pending());
    }
    writing.rollback().await.unwrap();
    record_of(&store, id(2), 1, Actions::NONE, Some(9))
        .await
        .unwrap();
    assert!(store.report(id(1), 1).await.unwrap().is_some());
}
