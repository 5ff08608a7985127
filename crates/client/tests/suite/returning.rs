//! P19: the data is given back.

use axum::http::StatusCode;
use medshare_client::download::{part_of, stamp_of};
use medshare_client::returning::{ReturnError, return_package};
use medshare_client::spool::overlay_of;

use crate::stage::{Stage, domain};

async fn give_back(stage: &Stage) -> Result<(), ReturnError> {
    let id = stage.header.package_id();
    let opening = &stage.opening;
    return_package(&stage.requestor, id, &opening.container, &opening.journal)
        .await
        .map(drop)
}

#[tokio::test]
async fn the_files_go_first_and_the_word_is_the_wallet_s() {
    let stage = Stage::granting(&[]).await;
    stage.open().await.unwrap().close();
    let container = &stage.opening.container;
    let [part, overlay] = [part_of(container), overlay_of(container)];
    for path in [&part, &overlay] {
        std::fs::write(path, b"half").unwrap();
    }
    assert!(stamp_of(container).exists());
    give_back(&stage).await.unwrap();
    assert!(!container.exists() && !part.exists());
    assert!(!overlay.exists() && !stamp_of(container).exists());
    assert!(
        stage.opening.journal.exists(),
        "the receipts are the requestor's proof"
    );
    let seen = stage.node.seen();
    let sent = &seen.deletions[0];
    assert_eq!(sent.deletion.package, stage.header.package);
    assert!(domain().is_signed_by(&sent.deletion, &sent.signature, stage.requestor.address()));
}

#[tokio::test]
async fn what_is_open_is_not_given_back() {
    let stage = Stage::granting(&[]).await;
    let agent = stage.open().await.unwrap();
    assert!(matches!(
        give_back(&stage).await,
        Err(ReturnError::Journal(_))
    ));
    assert!(stage.opening.container.exists() && agent.lock().is_none());
    assert!(stage.node.seen().deletions.is_empty());
}

#[tokio::test]
async fn a_word_that_was_not_taken_can_be_given_again() {
    let stage = Stage::granting(&[]).await;
    stage.node.script().refuse = Some((StatusCode::BAD_GATEWAY, "later"));
    let failed = give_back(&stage).await.unwrap_err();
    assert!(
        failed.to_string().contains("repeat the command"),
        "{failed}"
    );
    stage.node.script().refuse = None;
    give_back(&stage).await.unwrap();
    assert_eq!(stage.node.seen().deletions.len(), 1);
}
