//! From CSV to CSV, by phases: `cargo bench -p medshare-anonymiser --bench files`.
//!
//! 5-anonymity by Loss with 5 % suppression, of the million rows with their eight quasi-identifiers, and of the diabetes table with
//! its nine, where identifiers are declared as such and all other columns are released as they are. The time on the wall in
//! milliseconds, of `ROUNDS` runs (5) the fastest of each phase and of the whole, on one thread and on two; and the processor's time,
//! which other work on the machine does not add to.
#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code)] // What ARX found is not asked here.
#[path = "../tests/suite/records.rs"]
mod records;

use std::time::Instant;

use medshare_anonymiser::{ColumnPlan, Plan, Role, Table, anonymise, measure, rank};
use rayon::ThreadPoolBuilder;
use records::Records;
use rustix::time::{ClockId, clock_gettime};

const PHASES: [&str; 6] = ["read", "rank", "anonymise", "measure", "rank", "write"];

fn main() {
    let rounds = std::env::var("ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    println!(
        "| table | threads | {} | together | cpu |",
        PHASES.join(" | ")
    );
    println!("|-|-|-|-|-|-|-|-|-|-|");
    for records in [Records::Million, Records::Diabetes] {
        let Some(csv) = records.csv() else { continue };
        let plan = plan(records, &csv);
        for threads in [1, 2] {
            let pool = ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut best = [f64::MAX; PHASES.len()];
            let (mut whole, mut cpu) = (f64::MAX, f64::MAX);
            for _ in 0..rounds {
                let began = cpu_ms();
                let times = pool.install(|| run(records, &csv, &plan));
                cpu = cpu.min(cpu_ms() - began);
                whole = whole.min(times.iter().sum());
                for (best, time) in best.iter_mut().zip(times) {
                    *best = best.min(time);
                }
            }
            let best = best.map(|time| format!("{time:.0}"));
            println!(
                "| {records:?} | {threads} | {} | {whole:.0} | {cpu:.0} |",
                best.join(" | ")
            );
        }
    }
}

/// Of the whole process so far.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Of the whole table: columns that the reference does not name are plain, but for the two that are identifiers.
fn plan(records: Records, csv: &[u8]) -> Plan {
    let table = Table::from_csv(csv, records.delimiter()).unwrap();
    let (_, mut plan) = records.arranged(&table, None, 0.05);
    for name in table.column_names() {
        if plan.column(name).is_none() {
            let role = match name {
                "encounter_id" | "patient_nbr" => Role::Identifier,
                _ => Role::Plain,
            };
            plan.columns.push(ColumnPlan::new(name, role));
        }
    }
    plan
}

fn run(records: Records, csv: &[u8], plan: &Plan) -> [f64; PHASES.len()] {
    let mut times = [0.0; PHASES.len()];
    let mut began = Instant::now();
    let mut done = |phase: usize| {
        times[phase] = began.elapsed().as_secs_f64() * 1e3;
        began = Instant::now();
    };
    let table = Table::from_csv(csv, records.delimiter()).unwrap();
    done(0);
    let before = rank(&table, plan);
    done(1);
    let release = anonymise(&table, plan, &[0; 32]).unwrap();
    done(2);
    let measures = measure(&release.table, plan);
    done(3);
    let after = rank(&release.table, plan);
    done(4);
    let written = release.table.to_csv();
    done(5);
    assert!(measures.k >= 5 && before.unique_share >= after.unique_share && !written.is_empty());
    times
}
