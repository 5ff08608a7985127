//! How fast a ledger is verified, built and mined, each against what it cannot be faster than.
//!
//! criterion measures one behind the other; where others want the cores, `interleaved` says more. `make bench-ledger`
//! runs both; `docs/performance.md` has the table.
#![allow(missing_docs, clippy::unwrap_used)]

mod chains;
mod work;

use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use work::{BLOCKS, Mining, Verification, build, k256, libsecp256k1, sign};

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

fn verification(criterion: &mut Criterion) {
    let work = Verification::new();
    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Elements(u64::from(BLOCKS) * cores()));
    let mut bench = |name: &str, work: &(dyn Fn() + Sync)| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| on_all_cores(rounds, work));
        });
    };
    bench("alone", &|| work.alone());
    bench("ledger", &|| work.ledger());
}

fn building(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    group.throughput(Throughput::Elements(BLOCKS.into()));
    let (k256, libsecp256k1) = (k256(), libsecp256k1());
    group.bench_function("k256-alone", |bencher| bencher.iter(|| sign(&k256)));
    group.bench_function("k256-blocks", |bencher| bencher.iter(|| build(&k256)));
    group.bench_function("libsecp256k1-alone", |bencher| {
        bencher.iter(|| sign(&libsecp256k1))
    });
    group.bench_function("libsecp256k1-blocks", |bencher| {
        bencher.iter(|| build(&libsecp256k1))
    });
}

fn mining(criterion: &mut Criterion) {
    let work = Mining::new();
    let mut group = criterion.benchmark_group("mine");
    group.throughput(Throughput::Elements(work.hashes.into()));
    group.bench_function("plain", |bencher| bencher.iter(|| work.plain()));
    group.bench_function("midstate", |bencher| bencher.iter(|| work.midstate()));
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
