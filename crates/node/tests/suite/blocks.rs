//! Side-blocks and records: anchored in order, served whole, at every node (P5, P8, P21).

use std::time::{Duration, Instant};

use medshare_chain::Event;
use medshare_node::{Node, NodeError};
use medshare_protocol::block::Block;
use medshare_protocol::header::Entry;
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::merkle::Log;
use medshare_protocol::origin::{side_origin, thread_origin};
use medshare_protocol::usage::{Action, Actions};
use medshare_protocol::wire::{PackageBlocks, Stage};

use crate::cluster::Cluster;
use crate::requestor::{Requestor, finished};

const PATIENCE: Duration = Duration::from_secs(20);

/// Asks until the package has so many side-blocks: anchoring goes on behind the answer to a report.
pub async fn with_sides(node: &Node, id: PackageId, count: usize) -> PackageBlocks {
    let begun = Instant::now();
    loop {
        if let Ok(blocks) = node.package_blocks(id).await
            && blocks.sides.len() >= count
        {
            return blocks;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "no {count} side-blocks within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_becomes_a_side_block_on_its_parent_in_order() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(0);
    let mut session = requestor.session(id);
    for action in [
        Action::Decrypt,
        Action::Read,
        Action::Write,
        Action::Read,
        Action::Move,
    ] {
        session.report(&node, action).await.unwrap();
    }
    let blocks = with_sides(&node, id, 5).await;
    let parent = Block::from_bytes(&blocks.parent.record).unwrap();
    let mut previous = side_origin(blocks.parent.leaf).0;
    for (index, stored) in blocks.sides.iter().enumerate() {
        let Block::Side(side) = Block::from_bytes(&stored.record).unwrap() else {
            panic!("no side-block")
        };
        assert_eq!(side.header.previous, previous);
        assert_eq!(side.header.version as usize, index + 1);
        assert!(side.header.meets_its_target() && side.is_of_parent(parent.id()));
        assert_eq!(side.body.transaction.node, node.info().node);
        assert!(side.body.is_signed(side_origin(blocks.parent.leaf)));
        assert_eq!(side.body.leaf(), stored.leaf);
        previous = side.header.hash().0;
    }
    assert_eq!(cluster.governance.package(id).await.unwrap().head, previous);
    let Block::Side(last) = Block::from_bytes(&blocks.sides[4].record).unwrap() else {
        panic!()
    };
    assert_eq!(
        last.body.transaction.violated,
        Actions::NONE.with(Action::Move)
    );
    assert_eq!(last.body.action_counter, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_node_serves_the_same_blocks() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let mut session = requestor.session(id);
    session
        .report(&cluster.node(0), Action::Decrypt)
        .await
        .unwrap();
    let here = with_sides(&cluster.node(0), id, 1).await;
    let there = with_sides(&cluster.node(1), id, 1).await;
    assert_eq!(here, there);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_nobody_anchored_and_bytes_that_are_none_are_not_kept() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let id = requestor.obtain(&cluster).await;
    let node = cluster.node(1);
    let record = cluster
        .node(0)
        .package_blocks(id)
        .await
        .unwrap()
        .parent
        .record
        .to_vec();
    node.accept_block(record.clone()).await.unwrap();
    let Block::Parent(mut block) = Block::from_bytes(&record).unwrap() else {
        panic!()
    };
    block.body.locktime += 1;
    let error = node.accept_block(block.to_bytes()).await.unwrap_err();
    assert!(matches!(error, NodeError::NotFound(_)), "{error}");
    let mut broken = record.clone();
    broken[130] ^= 1;
    let error = node.accept_block(broken).await.unwrap_err();
    assert!(
        matches!(error, NodeError::NotFound(_) | NodeError::BadRequest(_)),
        "{error}"
    );
    assert!(matches!(
        node.accept_block(vec![1, 2, 3]).await,
        Err(NodeError::BadRequest(_))
    ));
    assert_eq!(
        node.block(Block::from_bytes(&record).unwrap().leaf(), None)
            .await
            .unwrap(),
        record
    );
    assert!(matches!(
        node.block(LeafHash::default(), None).await,
        Err(NodeError::NotFound(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_write_on_one_thread_at_once_leave_one_whole_thread() {
    let cluster = Cluster::start().await;
    let requestor = Requestor::registered(&cluster).await;
    let mut asked = Vec::new();
    for round in 0..12 {
        let index = round % 2;
        let custodian = cluster.custodians[index].address;
        let request = requestor.sign(requestor.access(custodian, cluster.dataset().id));
        asked.push((index, requestor.id(&request)));
        cluster.node(index).request(request).await.unwrap();
    }
    for (index, id) in &asked {
        let status = finished(&cluster.node(*index), *id).await;
        assert_eq!(status.stage, Stage::Ready, "{:?}", status.reason);
    }
    let (chain, contract) = (cluster.governance.chain_id(), cluster.contract);
    let origin = thread_origin(chain, contract, requestor.address());
    let newest = cluster.governance.block_number().await.unwrap();
    let mut log = Log::default();
    let mut head = origin.0;
    for logged in cluster.governance.events(0, newest).await.unwrap() {
        let Event::PackageIssued(issued) = logged.event else {
            continue;
        };
        let entry = Entry::from_bytes(&issued.entry);
        log.push(entry.leaf);
        assert_eq!(entry.merkle_root, log.header_root());
        head = entry.header(head).hash().0;
        let here = with_sides(&cluster.node(0), issued.package, 0).await.parent;
        assert_eq!(
            here,
            with_sides(&cluster.node(1), issued.package, 0).await.parent
        );
        let block = Block::from_bytes(&here.record).unwrap();
        assert_eq!((block.header().hash().0, block.node()), (head, issued.node));
        assert!(block.is_signed(origin));
    }
    assert_eq!(log.size(), 12);
    assert_eq!(
        head,
        cluster
            .governance
            .thread_head(requestor.address())
            .await
            .unwrap()
    );
}
