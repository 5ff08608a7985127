use std::time::Duration;

use medshare_chain::{Address, Chain, ChainConfig};
use serde_json::json;

use crate::world::{World, deployed, start};

#[tokio::test]
async fn the_whole_history_is_told_in_order_with_times() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let chain = &world.governance;
    let revoked = world.custodians[0].revoke(package, 2).await.unwrap();
    let head = chain.block_number().await.unwrap();
    let events = chain.events(0, head + 10).await.unwrap();
    let names: Vec<_> = events.iter().map(|logged| logged.event.name()).collect();
    assert_eq!(
        names,
        [
            "WorkLimitSet",
            "CustodianAdmitted",
            "NodeRegistered",
            "CustodianAdmitted",
            "NodeRegistered",
            "DatasetPublished",
            "RequestorRegistered",
            "PackageIssued",
            "PackageRevoked",
        ]
    );
    assert!(events.is_sorted_by_key(|logged| logged.position));
    let last = events.last().unwrap();
    assert_eq!(
        (last.position.block, last.transaction),
        (revoked.block, revoked.hash)
    );
    assert_eq!(last.position.block_hash, revoked.block_hash);
    assert_eq!(last.time, chain.block_time().await.unwrap());
    assert_eq!(last.event.package(), Some(package));
    assert_eq!(
        chain.events(revoked.block, revoked.block).await.unwrap(),
        std::slice::from_ref(last)
    );
    assert_eq!(chain.events(head + 1, head + 5_000).await.unwrap(), []);
    assert_eq!(chain.events(5, 4).await.unwrap(), []);
}

#[tokio::test]
async fn events_are_the_same_whatever_is_read_at_a_time() {
    let world = World::new().await;
    let head = world.governance.block_number().await.unwrap();
    let at_once = world.governance.events(0, head).await.unwrap();
    for log_chunk_blocks in [0, 1, 2, 3, head, u64::MAX] {
        let config = ChainConfig::new(&world.evm.rpc_url, world.governance.contract());
        let config = ChainConfig {
            log_chunk_blocks,
            ..config
        };
        let chain = Chain::connect(&config).await.unwrap();
        assert_eq!(
            chain.events(0, head).await.unwrap(),
            at_once,
            "{log_chunk_blocks}"
        );
        assert_eq!(
            chain.events(0, u64::MAX).await.unwrap(),
            at_once,
            "{log_chunk_blocks}"
        );
    }
}

#[tokio::test]
async fn waiting_ends_with_the_next_block() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let now = chain.block_number().await.unwrap();
    assert_eq!(chain.wait_for_block_after(now - 1).await.unwrap(), now);
    let waiting = tokio::spawn({
        let chain = chain.clone();
        async move { chain.wait_for_block_after(now).await }
    });
    anvil.request("evm_mine", json!([])).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap();
    assert_eq!(ended.unwrap().unwrap(), now + 1);
}

#[tokio::test]
async fn a_reorganisation_shows_in_the_block_hash_and_takes_events_back() {
    let anvil = start().await;
    let chain = deployed(&anvil).await;
    let custodian = Address::repeat_byte(1);
    let receipt = chain.admit_custodian(custodian).await.unwrap();
    assert_eq!(
        chain
            .events(receipt.block, receipt.block)
            .await
            .unwrap()
            .len(),
        1
    );
    anvil.request("anvil_reorg", json!([1, []])).await.unwrap();
    let now = chain.block_hash(receipt.block).await.unwrap();
    assert_ne!(now, Some(receipt.block_hash));
    assert_eq!(
        chain.events(receipt.block, receipt.block).await.unwrap(),
        []
    );
    assert!(!chain.is_custodian(custodian).await.unwrap());
    // The sender's nonce went back as well; the next transaction must not wait for the lost one.
    chain.admit_custodian(custodian).await.unwrap();
    assert_eq!(chain.block_hash(1_000_000).await.unwrap(), None);
}
