//! How fast a node proves that a block is in a thread of a million blocks: from its SQLite file, as it answers
//! `GET /v1/blocks/{leaf}/proof`, without HTTP.
//!
//! `BLOCKS` sets another size. Making the store takes most of a minute and is not measured.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use alloy_primitives::{Address, B256};
use criterion::{Criterion, criterion_group, criterion_main};
use medshare_node::store::{ChainEntry, Store};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::digest::sha256;
use medshare_protocol::header::{CompactTarget, Entry, Header};
use medshare_protocol::id::{LeafHash, Origin, PackageId};
use medshare_protocol::merkle::Log;
use medshare_protocol::proof::InclusionProof;

const REQUESTOR: Address = Address::repeat_byte(7);
const ORIGIN: Origin = Origin(B256::repeat_byte(9));

fn blocks() -> u64 {
    std::env::var("BLOCKS").map_or(1_000_000, |blocks| blocks.parse().unwrap())
}

fn leaf(index: u64) -> LeafHash {
    LeafHash(sha256(&[&index.to_le_bytes()]))
}

/// The entries of a thread of so many blocks, each on the one before.
fn thread(blocks: u64) -> Vec<ChainEntry> {
    let (mut log, mut previous) = (Log::default(), ORIGIN.0);
    (0..blocks)
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
            ChainEntry {
                chain: ORIGIN,
                name: ChainName::Thread(REQUESTOR),
                position,
                package: PackageId(leaf(position).0),
                entry: Entry::of(&header, leaf(position)),
                hash: previous,
                node: REQUESTOR,
                transaction: B256::ZERO,
                evm_block: position,
            }
        })
        .collect()
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
        chain: entry.name,
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
        let entries = thread(blocks);
        store.replace_chain(ORIGIN, &entries).await.unwrap();
        (store, entries.last().unwrap().hash)
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
