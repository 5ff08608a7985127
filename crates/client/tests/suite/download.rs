//! P16: a download is whole or goes on later.

use alloy_primitives::B256;
use medshare_client::download::{DownloadError, download, file_hash, part_of};
use medshare_protocol::id::ContainerHash;

use crate::stage::Stage;

async fn fetch(stage: &Stage) -> Result<(), DownloadError> {
    let node = &stage.requestor.node;
    let ready = stage.node.ready();
    download(
        node,
        stage.header.package_id(),
        &ready,
        &stage.path("fetched.mds"),
        |_, _| (),
    )
    .await
}

fn assert_whole(stage: &Stage) {
    let fetched = std::fs::read(stage.path("fetched.mds")).unwrap();
    assert_eq!(fetched, std::fs::read(&stage.opening.container).unwrap());
    assert!(!part_of(&stage.path("fetched.mds")).exists());
}

#[tokio::test]
async fn a_package_arrives_and_is_not_fetched_twice() {
    let stage = Stage::granting(&[]).await;
    let mut last = (0, 0);
    let node = &stage.requestor.node;
    let (id, ready) = (stage.header.package_id(), stage.node.ready());
    let target = stage.path("fetched.mds");
    download(node, id, &ready, &target, |done, all| last = (done, all))
        .await
        .unwrap();
    assert_eq!(last, (ready.length, ready.length));
    assert_whole(&stage);
    fetch(&stage).await.unwrap();
    assert_eq!(stage.node.seen().ranges, [None]);
    assert_eq!(file_hash(&target).await.unwrap(), ready.container_hash);
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_was() {
    let stage = Stage::granting(&[]).await;
    let length = usize::try_from(stage.node.ready().length).unwrap();
    stage.node.script().cut_after = Some(length / 3);
    fetch(&stage).await.unwrap();
    assert_whole(&stage);
    let seen = stage.node.seen();
    assert_eq!(seen.ranges[0], None);
    let firsts: Vec<usize> = seen.ranges[1..]
        .iter()
        .map(|range| {
            range.as_ref().unwrap()[6..]
                .trim_end_matches('-')
                .parse()
                .unwrap()
        })
        .collect();
    assert!(
        firsts.iter().all(|first| *first > 0) && firsts.is_sorted(),
        "{firsts:?}"
    );
}

#[tokio::test]
async fn after_too_many_cuts_it_stops_and_the_next_command_goes_on() {
    let stage = Stage::granting(&[]).await;
    stage.node.script().cut_after = Some(1);
    let stopped = fetch(&stage).await.unwrap_err();
    assert!(matches!(stopped, DownloadError::Api(_)), "{stopped}");
    assert!(
        stopped.to_string().contains("repeat the command"),
        "{stopped}"
    );
    assert!(
        !stage.path("fetched.mds").exists(),
        "no half file under the final name"
    );
    stage.node.script().cut_after = None;
    fetch(&stage).await.unwrap();
    assert_whole(&stage);
    assert!(
        stage.node.seen().ranges.last().unwrap().is_some(),
        "not from the beginning"
    );
}

#[tokio::test]
async fn a_node_without_ranges_sends_all_again() {
    let stage = Stage::granting(&[]).await;
    let container = std::fs::read(&stage.opening.container).unwrap();
    std::fs::write(part_of(&stage.path("fetched.mds")), &container[..10]).unwrap();
    stage.node.script().ignore_ranges = true;
    fetch(&stage).await.unwrap();
    assert_whole(&stage);
}

#[tokio::test]
async fn a_part_of_something_else_is_found_out() {
    let stage = Stage::granting(&[]).await;
    let part = part_of(&stage.path("fetched.mds"));
    std::fs::write(&part, b"of another package").unwrap();
    let wrong = fetch(&stage).await.unwrap_err();
    assert!(
        matches!(wrong, DownloadError::WrongContainer { .. }),
        "{wrong}"
    );
    assert!(!part.exists(), "the next command begins anew");
    fetch(&stage).await.unwrap();
    assert_whole(&stage);

    std::fs::remove_file(stage.path("fetched.mds")).unwrap();
    std::fs::write(&part, vec![0; 100_000]).unwrap();
    fetch(&stage).await.unwrap();
    assert_whole(&stage);
}

#[tokio::test]
async fn more_bytes_than_announced_are_not_kept() {
    let stage = Stage::granting(&[]).await;
    let mut ready = stage.node.ready();
    ready.length -= 1;
    let target = stage.path("fetched.mds");
    let id = stage.header.package_id();
    let node = &stage.requestor.node;
    let refused = download(node, id, &ready, &target, |_, _| ())
        .await
        .unwrap_err();
    assert!(matches!(refused, DownloadError::TooLong(_)), "{refused}");
    assert!(!part_of(&target).exists() && !target.exists());
}

#[tokio::test]
async fn another_package_than_announced_is_deleted() {
    let stage = Stage::granting(&[]).await;
    let mut ready = stage.node.ready();
    ready.container_hash = ContainerHash(B256::repeat_byte(1));
    let target = stage.path("fetched.mds");
    let id = stage.header.package_id();
    let node = &stage.requestor.node;
    let refused = download(node, id, &ready, &target, |_, _| ())
        .await
        .unwrap_err();
    assert!(
        matches!(refused, DownloadError::WrongContainer { .. }),
        "{refused}"
    );
    assert!(!target.exists());
}

#[tokio::test]
async fn a_full_or_missing_disk_is_told() {
    let stage = Stage::granting(&[]).await;
    let node = &stage.requestor.node;
    let target = stage.path("no/such/folder.mds");
    let id = stage.header.package_id();
    let refused = download(node, id, &stage.node.ready(), &target, |_, _| ())
        .await
        .unwrap_err();
    assert!(matches!(refused, DownloadError::Disk { .. }), "{refused}");
}
