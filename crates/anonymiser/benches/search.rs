//! The searches of the reference, one by one: `cargo bench -p medshare-anonymiser --bench search`. From the table in memory to the
//! release in memory, on one thread.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/suite/records.rs"]
mod records;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use medshare_anonymiser::anonymise;
use rayon::ThreadPoolBuilder;

fn searches(criterion: &mut Criterion) {
    let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = criterion.benchmark_group("anonymise");
    group.sample_size(10);
    for row in &records::CONFIGURATIONS {
        let Some(table) = row.records.table() else {
            continue;
        };
        let (table, plan) = row.arranged(&table);
        group.bench_function(row.name(), |bencher| {
            bencher.iter(|| pool.install(|| anonymise(black_box(&table), &plan, &[0; 32])));
        });
    }
    group.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);
