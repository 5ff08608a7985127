//! How fast a ledger is verified, built and mined, each against what it cannot be faster than.
//!
//! `make bench-ledger` runs this a few times and prints the ratios; `docs/performance.md` has the table.
#![allow(missing_docs, clippy::unwrap_used)]

mod chains;

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use alloy_primitives::{B256, ChainId, Signature};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use medshare_protocol::chain_verifier::{ChainVerifier, examine};
use medshare_protocol::digest::sha256d;
use medshare_protocol::header::{CompactTarget, Header};
use medshare_protocol::typed::recover;
use secp256k1::ecdsa::{self, RecoverableSignature};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

use chains::{ANY_HASH, Made, PACKAGE, PARENT_ID, PARENT_LEAF, SECRET};

/// Side-blocks of the chain that is verified.
const BLOCKS: u32 = 256;

/// Runs `work` on every core `rounds` times; how long until all are done.
fn on_all_cores(rounds: u64, work: impl Fn() + Sync) -> Duration {
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| (0..rounds).for_each(|_| work()));
        }
    });
    began.elapsed()
}

fn cores() -> u64 {
    thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// What libsecp256k1 is given: parsed beforehand, but for the signature, which is another in every block.
struct Signed {
    digest: B256,
    signature: [u8; 65],
    preimage: Vec<u8>,
    header: [u8; 80],
}

fn signed(chain: &Made) -> Vec<Signed> {
    let blocks = chain.bodies.iter().zip(&chain.blocks);
    blocks
        .map(|(body, (entry, record))| Signed {
            digest: body.signing_digest(chain.origin),
            signature: body.transaction.signature.0,
            // As many bytes as are signed; which ones does not matter to the hash function.
            preimage: record[..chains::PREIMAGE_BYTES].to_vec(),
            header: entry.header(B256::ZERO).to_bytes(),
        })
        .collect()
}

fn verification(criterion: &mut Criterion) {
    let chain = Made::of(BLOCKS, &PrivateKeySigner::from_bytes(&SECRET).unwrap());
    let signed = signed(&chain);
    let key = PublicKey::from_secret_key(SECP256K1, &secret());
    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Elements(u64::from(BLOCKS) * cores()));
    let mut bench = |name: &str, work: &(dyn Fn() + Sync)| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| on_all_cores(rounds, work));
        });
    };
    bench("alone", &|| {
        for block in &signed {
            let message = Message::from_digest(block.digest.0);
            let signature = ecdsa::Signature::from_compact(&block.signature[..64]).unwrap();
            SECP256K1.verify_ecdsa(message, &signature, &key).unwrap();
            black_box((sha256d(&[&block.preimage]), sha256d(&[&block.header])));
        }
    });
    bench("ledger", &|| assert!(verified(&chain)));
    bench("recovery", &|| {
        for block in &signed {
            black_box(recover(block.digest, &block.signature).unwrap());
        }
    });
}

/// The whole of SPEC §3 for a chain, as an audit does it.
fn verified(chain: &Made) -> bool {
    let mut verifier = ChainVerifier::side(PACKAGE, PARENT_LEAF, Some(PARENT_ID));
    let (name, origin) = (verifier.chain(), verifier.origin());
    for (entry, record) in &chain.blocks {
        let examined = examine(name, origin, entry.leaf, Some(record));
        verifier.push_examined(*entry, examined, &|_| true, ANY_HASH);
    }
    verifier.finish(chain.head).is_empty()
}

fn building(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    group.throughput(Throughput::Elements(u64::from(BLOCKS)));
    pair(
        &mut group,
        "k256",
        &PrivateKeySigner::from_bytes(&SECRET).unwrap(),
    );
    pair(&mut group, "libsecp256k1", &Libsecp256k1(secret()));
}

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// Signing alone, and the same signatures in blocks.
fn pair(group: &mut Group<'_>, library: &str, signer: &impl SignerSync) {
    group.bench_function(format!("{library}-alone"), |bencher| {
        bencher.iter(|| {
            for number in 0..BLOCKS {
                let digest = B256::left_padding_from(&number.to_be_bytes());
                black_box(signer.sign_hash_sync(&digest).unwrap().as_bytes());
            }
        });
    });
    group.bench_function(format!("{library}-blocks"), |bencher| {
        bencher.iter(|| black_box(Made::of(BLOCKS, signer)));
    });
}

/// Signs with libsecp256k1.
struct Libsecp256k1(SecretKey);

impl SignerSync for Libsecp256k1 {
    fn sign_hash_sync(&self, hash: &B256) -> alloy_signer::Result<Signature> {
        let message = Message::from_digest(hash.0);
        let signed: RecoverableSignature = SECP256K1.sign_ecdsa_recoverable(message, &self.0);
        Ok(signed.into())
    }

    fn chain_id_sync(&self) -> Option<ChainId> {
        None
    }
}

fn secret() -> SecretKey {
    SecretKey::from_byte_array(SECRET.0).unwrap()
}

fn mining(criterion: &mut Criterion) {
    let header = Header {
        version: 1,
        previous: B256::repeat_byte(1),
        merkle_root: B256::repeat_byte(2),
        time: 1_700_000_000,
        bits: CompactTarget(0x1f00_ffff),
        nonce: 0,
    };
    let hashes = header.mine().nonce + 1;
    let mut group = criterion.benchmark_group("mine");
    group.throughput(Throughput::Elements(hashes.into()));
    group.bench_function("plain", |bencher| {
        bencher.iter(|| {
            let mut bytes = header.to_bytes();
            for nonce in 0..hashes {
                bytes[76..].copy_from_slice(&nonce.to_le_bytes());
                black_box(sha256d(&[&bytes]));
            }
        });
    });
    group.bench_function("midstate", |bencher| {
        bencher.iter(|| black_box(header).mine())
    });
}

criterion_group! {
    name = ledger;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(30);
    targets = verification, building, mining
}
criterion_main!(ledger);
