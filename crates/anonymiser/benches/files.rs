//! From CSV to CSV, by phases: `cargo bench -p medshare-anonymiser --bench files`.
//!
//! 5-anonymity by Loss with 5 % suppression, of the million rows with their eight quasi-identifiers, and of the diabetes table with
//! its nine, where identifiers are declared as such and all other columns are released as they are. The time on the wall in
//! milliseconds, of `ROUNDS` runs (5) the fastest of each phase and of the whole, on one thread and on two; and the processor's time,
//! which other work on the machine does not add to. The peak of memory is that of a process of its own that does what
//! `medshare anonymise` does, from a file to a file, the attack with the original included.
#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code)] // What ARX found is not asked here.
#[path = "../tests/suite/records.rs"]
mod records;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use medshare_anonymiser::{
    ColumnPlan, Plan, Role, Table, anonymise, linkage, measure, promises, rank,
};
use rayon::ThreadPoolBuilder;
use records::Records;
use rustix::time::{ClockId, clock_gettime};

const PHASES: [&str; 6] = ["read", "rank", "anonymise", "measure", "rank", "write"];

const TABLES: [Records; 2] = [Records::Million, Records::Diabetes];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--memory") {
        let number = |place: usize| arguments[at + place].parse::<usize>().unwrap();
        let pool = ThreadPoolBuilder::new().num_threads(number(2)).build();
        let folder = Path::new(&arguments[at + 3]);
        pool.unwrap().install(|| memory(TABLES[number(1)], folder));
        return;
    }
    let rounds = std::env::var("ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    println!(
        "| table | threads | {} | together | cpu | peak RSS MiB |",
        PHASES.join(" | ")
    );
    println!("|-|-|-|-|-|-|-|-|-|-|-|");
    for (index, records) in TABLES.into_iter().enumerate() {
        let Some(csv) = records.csv() else { continue };
        let plan = plan(
            records,
            &Table::from_csv(&csv, records.delimiter()).unwrap(),
        );
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
                "| {records:?} | {threads} | {} | {whole:.0} | {cpu:.0} | {} |",
                best.join(" | "),
                peak_mib(index, threads, &csv)
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
fn plan(records: Records, table: &Table) -> Plan {
    let (_, mut plan) = records.arranged(table, None, 0.05);
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
    let written = tempfile::tempfile().unwrap();
    release.table.write_csv(&written).unwrap();
    done(5);
    assert!(measures.k >= 5 && before.unique_share >= after.unique_share);
    times
}

fn peak_mib(index: usize, threads: usize, csv: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("table.csv"), csv).unwrap();
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--memory", &index.to_string(), &threads.to_string()])
        .arg(folder.path())
        .output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    output.trim().to_owned()
}

/// The whole of it, from file to file.
fn memory(records: Records, folder: &Path) {
    let csv = fs::read(folder.join("table.csv")).unwrap();
    let table = Table::from_csv(&csv, records.delimiter()).unwrap();
    drop(csv);
    let plan = plan(records, &table);
    let release = anonymise(&table, &plan, &[0; 32]).unwrap();
    let kept = promises(&release.table, &plan);
    let linked = linkage(&table, &release.table, &plan).unwrap();
    let ranks = [rank(&table, &plan), rank(&release.table, &plan)];
    let measures = measure(&release.table, &plan);
    drop(table);
    let file = File::create(folder.join("release.csv")).unwrap();
    release.table.write_csv(file).unwrap();
    assert!(kept.hold() && linked.released == measures.rows && ranks.len() == 2);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = peak.map_or(f64::NAN, |peak| {
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    });
    println!("{:.0}", kib / 1024.0);
}
