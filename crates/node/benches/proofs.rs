//! How fast a node proves that a block is in a thread of a million blocks: from its SQLite file, as it answers
//! `GET /v1/blocks/{leaf}/proof`, without HTTP.
//!
//! `BLOCKS` sets another size. Making the store takes some minutes and is not measured.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use alloy_primitives::{Address, B256};
use criterion::{Criterion, criterion_group, criterion_main};
use medshare_chain::{Event, EventPosition, IssuedRequest, LoggedEvent, PackageIssued};
use medshare_node::store::{EventContext, EventPoint, Store};
use medshare_protocol::digest::sha256;
use medshare_protocol::header::{CompactTarget, Entry, Header};
use medshare_protocol::id::{DatasetId, FormDigest, LeafHash, Origin, PackageId, PayloadHash};
use medshare_protocol::merkle::Log;
use medshare_protocol::proof::InclusionProof;
use medshare_protocol::usage::{Actions, Environment, Sensitivity, UsageContract};

const REQUESTOR: Address = Address::repeat_byte(7);
const ORIGIN: Origin = Origin(B256::repeat_byte(9));

fn blocks() -> u64 {
    std::env::var("BLOCKS").map_or(1_000_000, |blocks| blocks.parse().unwrap())
}

fn leaf(index: u64) -> LeafHash {
    LeafHash(sha256(&[&index.to_le_bytes()]))
}

/// The events of a thread of so many blocks, each on the one before, and the head that they lead to.
fn thread(blocks: u64) -> (Vec<LoggedEvent>, B256) {
    let (mut log, mut previous) = (Log::default(), ORIGIN.0);
    let events = (0..blocks)
        .map(|position| {
            log.push(leaf(position));
            let header = Header {
                version: 0x0001_0001,
                previous,
                merkle_root: log.header_root(),
                time: 1_700_000_000,
                bits: CompactTarget(0x2100_ffff),
                nonce: 0,
            };
            previous = header.hash().0;
            issued(position, Entry::of(&header, leaf(position)))
        })
        .collect();
    (events, previous)
}

fn issued(position: u64, entry: Entry) -> LoggedEvent {
    let request = IssuedRequest {
        requestor: REQUESTOR,
        custodian: REQUESTOR,
        dataset: DatasetId::default(),
        purpose: B256::ZERO,
        selection: B256::ZERO,
        salt: B256::ZERO,
        deadline: 0,
    };
    let usage = UsageContract {
        sensitivity: Sensitivity::Low,
        granted: Actions::NONE,
        exempt: Actions::NONE,
        environment: Environment::Any,
        expiry: 0,
        contract_key: B256::ZERO,
    };
    LoggedEvent {
        position: EventPosition {
            block: position,
            log_index: 0,
            block_hash: B256::ZERO,
        },
        transaction: B256::ZERO,
        time: 0,
        event: Event::PackageIssued(Box::new(PackageIssued {
            package: PackageId(leaf(position).0),
            request,
            usage,
            payload_hash: PayloadHash::default(),
            form_digest: FormDigest::default(),
            node: REQUESTOR,
            verifier: REQUESTOR,
            entry: entry.to_bytes(),
        })),
    }
}

/// Lets the store follow the events, so many in a transaction.
async fn follow(store: &Store, events: &[LoggedEvent]) {
    let context = EventContext {
        node: Address::ZERO,
        thread_origin: &|_| ORIGIN,
        confirmations: 0,
        now: 0,
    };
    for events in events.chunks(10_000) {
        let point = EventPoint {
            block: events.last().unwrap().position.block,
            hash: B256::ZERO,
        };
        store.apply_events(events, point, context).await.unwrap();
    }
}

/// What the node does for one proof.
async fn prove(store: &Store, leaf: LeafHash) -> InclusionProof {
    let entry = store.entry_of_leaf(leaf).await.unwrap().unwrap();
    let size = store.chain_size(entry.chain, None).await.unwrap();
    let proven = store
        .inclusion(entry.chain, entry.position, size)
        .await
        .unwrap();
    let (end, path) = proven.unwrap();
    InclusionProof {
        chain: entry.chain,
        leaf,
        index: entry.position,
        end,
        path,
    }
}

fn proofs(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks();
    let (store, head) = runtime.block_on(async {
        let store = Store::open(&folder.path().join("node.db")).await.unwrap();
        let (events, head) = thread(blocks);
        follow(&store, &events).await;
        (store, head)
    });
    let mut group = criterion.benchmark_group("prove");
    let mut index = 0;
    group.bench_function("inclusion", |bencher| {
        bencher.iter(|| {
            // Another block each time, so that no page is warm because it was just used.
            index = (index + 7_919 * 104_729) % blocks;
            let proof = runtime.block_on(prove(&store, leaf(index)));
            assert_eq!(black_box(proof).check(head), Ok(()));
        });
    });
    group.finish();
    runtime.block_on(store.close());
}

criterion_group!(benches, proofs);
criterion_main!(benches);
